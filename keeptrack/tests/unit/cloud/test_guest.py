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

from keeptrack.cloud import guest
from keeptrack.tests import base


class GuestTestCase(base.TestCase):

    def test_the_last_count_that_was_reported(self):
        self.assertEqual(0x10, guest.acknowledged(
            b'SeaBIOS\r\nn=00000008\r\nn=00000010\r\nn=000000'))
        self.assertIsNone(guest.acknowledged(b'SeaBIOS\r\n'))

    def test_the_highest_count_on_a_disk(self):
        disk = bytearray(8 << 20)
        self.assertIsNone(guest.written(bytes(disk)))
        # the count is taken modulo 1024: a later one has overwritten 5
        for count in (3, 4, 1024 + 5):
            begin = (2048 + count % 1024) * 512
            disk[begin:begin + 12] = b'n=%08x\r\n' % count
        self.assertEqual(1029, guest.written(bytes(disk)))

    def test_an_image_is_a_bootable_disk(self):
        for command in ('as', 'ld', 'qemu-img'):
            if shutil.which(command) is None:
                self.skipTest(f'there is no {command}')
        guest.build(self.folder / 'images')
        self.assertEqual(
            ['busy.qcow2', 'calm.qcow2'],
            sorted(path.name for path in (self.folder / 'images').iterdir()))
