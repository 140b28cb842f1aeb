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

"""A guest that writes, on each storage, migrated by libvirt without Nova."""

import time
import uuid

from keeptrack.drill.agent import fake_services
from keeptrack.drill.checker import data_checker
from keeptrack.drill.recorders import serial_port
from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import guest as guest_mod
from keeptrack.drill.testbed import prerequisites
from keeptrack.drill.testbed import storage
from keeptrack.drill.testbed import writing_guest
from keeptrack.tests.functional import moving_guest


class GuestWritesTestCase(moving_guest.TestCase):

    def setUp(self):
        lacks = prerequisites.missing(writes=True)
        if lacks:
            self.skipTest('no guest that writes: %s' % '; '.join(lacks))
        super().setUp()
        try:
            firmware = writing_guest.firmware()
        except errors.TestbedError as exc:
            self.skipTest(str(exc))
        for host in self.testbed.hosts.values():
            (host.folder / guest_mod.WRITER_FILE).write_bytes(firmware)

    def boot(self, name):
        kept = storage.KINDS[name](self.testbed)
        self.addCleanup(kept.close)
        guest = guest_mod.Guest(str(uuid.uuid4()), 'instance-00000001')
        guest.disk = kept.prepare(guest.uuid)
        paths = guest.serial_paths(self.testbed.hosts)
        for path in paths.values():
            path.unlink(missing_ok=True)
        recorder = serial_port.Recorder(paths)
        recorder.start()
        self.addCleanup(recorder.stop)
        guest.boot(self.source)
        self.assertTrue(recorder.wait(10, 20))
        return guest, kept, recorder

    def check(self, kept, recorder, host):
        lines = recorder.lines()
        return lines, data_checker.check(lines, kept.disks(), host, [],
                                         time.time(), kept.one_disk)

    def test_data_moves_with_the_guest(self):
        for name, options in (('network', []), ('shared', ['--unsafe'])):
            self.testbed.reset()
            guest, kept, recorder = self.boot(name)
            migration = self.migrate(guest, '--p2p', '--persistent',
                                     '--undefinesource', *options)
            self.assertTrue(self.end(migration))
            self.assertTrue(recorder.wait(len(recorder.lines()) + 10, 20))
            lines, found = self.check(kept, recorder, 'destination')
            self.assertEqual(('kept', []), (found.verdict, found.broken))
            self.assertEqual({'source', 'destination'},
                             {line.role for line in lines})

    def test_a_volume_that_is_taken_away_is_missed(self):
        guest, kept, recorder = self.boot('network')
        kept.take({'lane': 'teardown', 'what': 'volume-disconnected',
                   'where': 'source',
                   'data': {'volume': fake_services.VOLUME}})
        until = time.monotonic() + 20
        while time.monotonic() < until:
            _, found = self.check(kept, recorder, 'source')
            if found.failed:
                break
            time.sleep(0.05)
        self.assertEqual('broken off', found.verdict)
