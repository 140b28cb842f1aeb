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

import shutil
import types
from unittest import mock

from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import writing_guest
from keeptrack.tests import base


class FirmwareTestCase(base.TestCase):

    def test_built_once(self):
        if not (shutil.which('as') and shutil.which('ld')):
            self.skipTest('there is no as or ld (Debian: binutils)')
        try:
            made = writing_guest.firmware(self.folder)
        except errors.TestbedError as exc:
            self.skipTest('as and ld are not for x86: %s' % exc)
        self.assertEqual(64 * 1024, len(made))
        # an x86 processor begins 16 bytes below the end
        self.assertEqual(b'\xea\0\0\0\xf0', made[-16:-11])
        self.assertEqual(1, len(list(self.folder.glob('writer-*.rom'))))
        with mock.patch.object(writing_guest.subprocess, 'run',
                               side_effect=AssertionError):
            self.assertEqual(made, writing_guest.firmware(self.folder))

    def test_no_assembler(self):
        with mock.patch.object(
                writing_guest.subprocess, 'run',
                side_effect=OSError(2, 'No such file or directory')):
            exc = self.assertRaises(
                errors.TestbedError, writing_guest.firmware, self.folder)
        self.assertIn('cannot be built: as: No such file', str(exc))
        self.assertEqual([], list(self.folder.glob('*rom*')) +
                         list(self.folder.glob('making-*')))

    def test_an_assembler_for_another_machine(self):
        refuses = types.SimpleNamespace(
            returncode=1, stderr="as: unrecognized option '--32'\n")
        with mock.patch.object(writing_guest.subprocess, 'run',
                               return_value=refuses):
            exc = self.assertRaises(
                errors.TestbedError, writing_guest.firmware, self.folder)
        self.assertIn("unrecognized option '--32'", str(exc))


class RecordsTestCase(base.TestCase):

    def record(self, number, nonce):
        return (writing_guest.MAGIC + number.to_bytes(4, 'little') +
                nonce.to_bytes(8, 'little') * 63)

    def test_records(self):
        path = self.folder / 'i' / 'disk'
        self.assertIsNone(writing_guest.records(path))
        writing_guest.make_disk(path)
        self.assertEqual({}, writing_guest.records(path))
        self.assertEqual(writing_guest.SECTORS * 512, path.stat().st_size)
        torn = self.record(2, 9)[:256] + self.record(2, 8)[256:]
        path.write_bytes(self.record(0, 7) + self.record(5, 8) + torn +
                         self.record(3, 2 ** 64 - 1))
        self.assertEqual({0: 7, 3: 2 ** 64 - 1}, writing_guest.records(path))
