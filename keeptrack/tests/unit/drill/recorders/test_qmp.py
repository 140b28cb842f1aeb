#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

import os
import socket

from keeptrack.drill.recorders import qmp
from keeptrack.tests import base


class ConnectTestCase(base.TestCase):

    def test_nobody(self):
        path = self.folder / 's'
        self.assertIsNone(qmp.connect(path))
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
        # what a killed QEMU leaves
        self.assertTrue(path.exists())
        self.assertIsNone(qmp.connect(path))

    def test_something_else_is_wrong(self):
        self.assertRaises(OSError, qmp.connect, self.folder / ('s' * 200))

    def test_somebody(self):
        path = self.folder / 's'
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            server.listen()
            connection = qmp.connect(path)
            connection.close()


class ConnectionTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.qemu, client = socket.socketpair()
        self.addCleanup(self.qemu.close)
        self.connection = qmp.Connection(client)
        self.addCleanup(self.connection.close)

    def test_lines_in_pieces(self):
        self.qemu.sendall(b'{"a": 1}\r\n{"b"')
        self.assertEqual([{'a': 1}], self.connection.receive(5))
        self.qemu.sendall(b': 2}')
        self.assertEqual([], self.connection.receive(5))
        self.qemu.sendall(b'\r\n')
        self.assertEqual([{'b': 2}], self.connection.receive(5))

    def test_nothing_in_time(self):
        self.assertEqual([], self.connection.receive(0.01))

    def test_woken(self):
        wake, waker = os.pipe()
        self.addCleanup(os.close, wake)
        self.addCleanup(os.close, waker)
        os.write(waker, b'.')
        self.assertEqual([], self.connection.receive(60, wake))

    def test_gone(self):
        self.qemu.close()
        self.assertIsNone(self.connection.receive(5))
        self.connection.send('query-status')
        self.assertIsNone(self.connection.receive(5))

    def test_send(self):
        self.connection.send('query-status')
        self.connection.send('x', a=1)
        self.assertEqual(b'{"execute": "query-status"}\n'
                         b'{"execute": "x", "arguments": {"a": 1}}\n',
                         self.qemu.recv(1000))

    def test_when(self):
        self.assertEqual(5.25, qmp.when(
            {'timestamp': {'seconds': 5, 'microseconds': 250000}}))
