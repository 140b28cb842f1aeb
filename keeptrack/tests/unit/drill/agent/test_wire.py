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


import socket
import threading

from keeptrack.drill.agent import wire
from keeptrack.tests import base


class WireTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.one, self.other = socket.socketpair()
        self.addCleanup(self.one.close)
        self.addCleanup(self.other.close)

    def test_there_and_back(self):
        for message in ({'kind': 'x', 'text': 'a “b” \n'}, {}, {'n': [1, 2]}):
            wire.send(self.one, message)
            self.assertEqual(message, wire.receive(self.other))

    def test_several_at_once(self):
        self.one.sendall(wire.pack({'n': 1}) + wire.pack({'n': 2}))
        self.assertEqual([{'n': 1}, {'n': 2}],
                         [wire.receive(self.other) for _ in range(2)])

    def test_byte_by_byte_and_large(self):
        message = {'text': 'x' * 3000000}
        packed = wire.pack(message)

        def send():
            for number in range(10):
                self.one.sendall(packed[number:number + 1])
            self.one.sendall(packed[10:])
        thread = threading.Thread(target=send)
        thread.start()
        self.assertEqual(message, wire.receive(self.other))
        thread.join()

    def test_the_end(self):
        wire.send(self.one, {'n': 1})
        self.one.sendall(wire.pack({'n': 2})[:-1])
        self.one.close()
        self.assertEqual({'n': 1}, wire.receive(self.other))
        self.assertRaises(wire.Closed, wire.receive, self.other)
        self.assertRaises(wire.Closed, self._send_much)

    def _send_much(self):
        for _ in range(100):
            wire.send(self.other, {'text': 'x' * 100000})
