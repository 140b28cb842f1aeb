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

"""Blocks of lines come out of files, damaged or not."""

import gzip
import io
import lzma
import random
from unittest import mock

from testtools import matchers
import zstandard

from keeptrack.audit.logs import reading
from keeptrack.tests import base

PACKERS = {'gz': gzip.compress, 'xz': lzma.compress,
           'zst': zstandard.ZstdCompressor(write_checksum=True).compress}

# what damage in the last 200 bytes may cost: zstd unpacks whole blocks of up
# to 128 KiB, and the last may be small
LOST = {'gz': 2000, 'xz': 2000, 'zst': 256 << 10}


class ReadingTestCase(base.TestCase):

    def test_parts_give_every_line_once(self):
        path = self.folder / 'log'
        data = b''.join(b'%d\n' % (number * 37) for number in range(3000))
        path.write_bytes(data)
        for step in (1000, 1024, 4097):
            begins = list(range(0, len(data), step))
            read = b''.join(
                bytes(block) for begin, end in zip(begins, begins[1:] + [None])
                for _, block in reading.blocks(str(path), begin, end))
            self.assertEqual(data, read)

    def test_every_block_is_where_it_says_and_ends_a_line(self):
        chance = random.Random(1414065)
        data = b''.join(b'x' * chance.randrange(200) + b'\n'
                        for _ in range(500)) + b'the last has no end'
        path = self.folder / 'log'
        path.write_bytes(data)
        # lines of up to some blocks
        for plain in (30, 64, 500):
            with mock.patch.object(reading, 'PLAIN', plain):
                found = [(at, bytes(block))
                         for at, block in reading.blocks(str(path))]
            self.assertEqual(data, b''.join(block for _, block in found))
            for at, block in found:
                self.assertEqual(block, data[at:at + len(block)])
            self.assertTrue(all(block.endswith(b'\n')
                                for _, block in found[:-1]))


class DamageTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        chance = random.Random(1414065)
        # smaller than a block, so that one block has it all
        self.text = b''.join(b'line %d is %x\n' % (
            number, chance.getrandbits(128)) for number in range(10000))
        self.packed = {kind: pack(self.text)
                       for kind, pack in PACKERS.items()}

    def read(self, data):
        """What comes out, and why no more does."""
        path = self.folder / 'log'
        path.write_bytes(data)
        found, why = b'', None
        try:
            for _, block in reading.blocks(str(path)):
                found += block
        except reading.Unreadable as exc:
            why = str(exc)
        return found, why

    def test_what_is_whole_is_no_damage(self):
        for data in self.packed.values():
            self.assertEqual((self.text, None), self.read(data))
            self.assertEqual((self.text * 2, None), self.read(data * 2))

    def test_all_before_a_missing_end_is_read(self):
        for kind, data in self.packed.items():
            found, why = self.read(data[:-100])
            self.assertIn('read as far as it goes', why, kind)
            self.assertTrue(self.text.startswith(found), kind)
            self.assertThat(len(self.text) - len(found),
                            matchers.LessThan(LOST[kind]))

    def test_all_before_rubbish_at_the_end_is_read(self):
        for kind in ('gz', 'zst'):
            found, why = self.read(self.packed[kind] + b'rubbish')
            self.assertEqual(self.text, found, kind)
            self.assertIn('read as far as it goes', why)

    def test_all_before_a_wrong_byte_is_read(self):
        for kind, data in self.packed.items():
            data = bytearray(data)
            data[-200] ^= 0x55
            found, why = self.read(bytes(data))
            self.assertIn('read as far as it goes', why, kind)
            sure = len(self.text) - LOST[kind]
            self.assertTrue(self.text[:sure] == found[:sure], kind)

    def test_without_isal_the_same_is_read(self):
        with mock.patch.object(reading, 'igzip', gzip):
            found, why = self.read(self.packed['gz'][:-100])
        self.assertIn('read as far as it goes', why)
        self.assertThat(len(self.text) - len(found), matchers.LessThan(1000))

    def test_it_goes_on_in_later_blocks(self):
        with mock.patch.object(reading, 'BLOCK', 1 << 16):
            self.test_all_before_a_missing_end_is_read()
            self.test_all_before_a_wrong_byte_is_read()

    def test_a_disk_that_fails_is_told(self):
        path = self.folder / 'log'
        path.write_bytes(self.packed['gz'])
        stream = mock.Mock(wraps=io.BytesIO(), close=lambda: None)
        stream.read.side_effect = stream.read1.side_effect = OSError(5, 'I/O')
        with mock.patch.multiple(
                reading, igzip=mock.Mock(open=lambda file: stream),
                gzip=mock.Mock(open=lambda file: stream)):
            error = self.assertRaises(
                reading.Unreadable, list, reading.blocks(str(path)))
        self.assertEqual('I/O', str(error))
