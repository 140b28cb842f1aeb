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

import json
import os
import pathlib
import queue
import shutil
import socket
import tempfile
import threading
from unittest import mock

from keeptrack.drill.recorders import guest_state
from keeptrack.drill.testbed import errors
from keeptrack.tests import base


class Qemu:
    """Answers as a QEMU does, from a thread."""

    def __init__(self, path, status):
        self.status = status
        self.refuses = False
        self.asked = 0
        self._server = socket.socket(socket.AF_UNIX)
        if path.exists():
            os.unlink(path)
        self._server.bind(str(path))
        self._server.listen()
        self._peer = None
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        try:
            self._peer = self._server.accept()[0]
        except OSError:
            return      # nobody came
        try:
            self._say({'QMP': {}})
            with self._peer.makefile() as lines:
                for line in lines:
                    self._answer(json.loads(line)['execute'])
        except ConnectionError:
            return      # the watcher has left

    def _answer(self, command):
        if self.refuses:
            self._say({'error': {'desc': 'no'}})
        elif command == 'query-status':
            self.asked += 1
            self._say({'return': {'status': self.status, 'running': True}})
        else:
            self._say({'return': {}})

    def _say(self, message):
        self._peer.sendall(json.dumps(message).encode() + b'\r\n')

    def tell(self, name, when, **data):
        self._say({'event': name, 'data': data, 'timestamp': {
            'seconds': int(when), 'microseconds': int(when % 1 * 1000000)}})

    def end(self):
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        if self._peer is not None:
            self._peer.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        if self._peer is not None:
            self._peer.close()
            self._peer = None


class WatcherTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.reports = queue.Queue()
        # short, for the sockets in it
        self.place = pathlib.Path(tempfile.mkdtemp(prefix='kt'))
        self.addCleanup(shutil.rmtree, self.place)
        self.testbed = mock.Mock(hosts={
            role: mock.Mock(folder=self.place / role)
            for role in ('source', 'destination')})
        for role in self.testbed.hosts:
            (self.place / role).mkdir()

    def qemu(self, role, status):
        qemu = Qemu(self.place / role / 'g.qmp', status)
        self.addCleanup(self.end, qemu)
        return qemu

    def end(self, qemu):
        if qemu._thread.is_alive():
            qemu.end()

    def watch(self, on_change=None, **kwargs):
        watcher = guest_state.Watcher(
            self.testbed, mock.Mock(socket='g.qmp'),
            on_change or (lambda *report: self.reports.put(report)), **kwargs)
        self.addCleanup(watcher.stop)
        return watcher

    def report(self):
        return self.reports.get(timeout=10)

    def test_where_it_is_at_first(self):
        self.qemu('source', 'running')
        watcher = self.watch()
        self.assertEqual(('running', 'absent'), (
            watcher.state('source'), watcher.state('destination')))
        self.assertEqual(('source', 'running', 'QEMU is running'),
                         self.reports.get_nowait()[1:])
        self.assertTrue(self.reports.empty())

    def test_a_migration(self):
        source = self.qemu('source', 'running')
        watcher = self.watch(
            on_migration=lambda *report: self.reports.put(report))
        self.report()
        destination = self.qemu('destination', 'inmigrate')
        self.assertEqual(('destination', 'incoming', 'QEMU is inmigrate'),
                         self.report()[1:])
        source.status = 'finish-migrate'
        source.tell('STOP', 10.5)
        self.assertEqual((10.5, 'source', 'paused', 'QEMU says STOP'),
                         self.report())
        source.tell('MIGRATION', 11.25, status='completed')
        self.assertEqual((11.25, 'source', 'completed'), self.report())
        destination.status = 'paused'
        self.assertEqual(('destination', 'paused', 'QEMU is paused'),
                         self.report()[1:])
        destination.status = 'running'
        destination.tell('RESUME', 12.5)
        self.assertEqual((12.5, 'destination', 'running', 'QEMU says RESUME'),
                         self.report())
        source.end()
        self.assertEqual(('source', 'absent', 'QEMU is gone'),
                         self.report()[1:])
        self.assertEqual('running', watcher.state('destination'))
        watcher.stop()
        self.assertTrue(self.reports.empty())

    def test_a_paused_guest_is_received_at_the_time_of_the_event(self):
        self.qemu('source', 'running')
        watcher = self.watch()
        self.report()
        destination = self.qemu('destination', 'inmigrate')
        self.report()
        destination.tell('MIGRATION', 11.25, status='completed')
        self.assertEqual((11.25, 'destination', 'paused',
                          'QEMU has received the guest'), self.report())
        asked = destination.asked
        while destination.asked < asked + 3:
            threading.Event().wait(0.01)
        self.assertEqual('paused', watcher.state('destination'))
        destination.end()
        self.assertEqual('absent', self.report()[2])

    def test_one_qemu_after_another(self):
        first = self.qemu('source', 'running')
        self.watch()
        first.end()
        self.qemu('source', 'postmigrate')
        self.assertEqual(['running', 'absent', 'paused'],
                         [self.report()[2] for _ in range(3)])

    def test_is_not_asked_all_the_time(self):
        qemu = self.qemu('source', 'running')
        self.watch()
        threading.Event().wait(0.5)
        self.assertTrue(1 <= qemu.asked <= 4, qemu.asked)

    def test_stops_twice(self):
        watcher = self.watch()
        watcher.stop()
        watcher.stop()
        self.qemu('source', 'running')
        self.assertTrue(self.reports.empty())

    def test_a_failure_is_told(self):
        for refuses, on_change in ((True, None), (False, mock.Mock(
                side_effect=ValueError('callback')))):
            qemu = self.qemu('source', 'running')
            qemu.refuses = refuses
            watcher = guest_state.Watcher(
                self.testbed, mock.Mock(socket='g.qmp'), on_change)
            exc = self.assertRaises(errors.TestbedError, watcher.stop)
            self.assertIn('the source failed', str(exc))
            qemu.end()
