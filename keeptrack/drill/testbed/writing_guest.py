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

"""A guest that writes to a disk: its firmware, and what its disk holds.

The firmware is built from writing_guest.S with GNU as and ld, once, and kept
in the user's cache folder.
"""

import hashlib
import pathlib
import subprocess

from keeptrack.drill.testbed import errors
from keeptrack.verify import environment

#: a disk's sectors, one for each record: enough for ten minutes
SECTORS = 65536
SECTOR = 512

#: what a record begins with
MAGIC = b'tpek'

_SOURCE = pathlib.Path(__file__).with_name('writing_guest.S')

# what a processor finds where it begins: a jump to the firmware's first byte
_BEGINS = 0xfff0
_JUMP = b'\xea\x00\x00\x00\xf0'


def firmware(cache=None):
    """Build the firmware, unless it is built already.

    :param cache: where it is kept (pathlib.Path); None for the user's cache
        folder
    :returns: 64 KiB (bytes)
    :raises TestbedError: when it cannot be built
    """
    source = _SOURCE.read_bytes()
    told = hashlib.sha256(source + b'%d' % SECTORS + MAGIC).hexdigest()
    path = (cache or environment.cache_folder()) / (
        'writer-%s.rom' % told[:12])
    if not path.exists():
        with environment.making(path) as made:
            _build(made)
    return path.read_bytes()


def _build(made):
    """Build the firmware as a file, beside which there is room (Path)."""
    for command in (
            ['as', '--32', '--defsym', 'SECTORS=%d' % SECTORS,
             '--defsym', 'MAGIC=%d' % int.from_bytes(MAGIC, 'little'),
             '-o', 'object', str(_SOURCE)],
            ['ld', '-m', 'elf_i386', '--oformat', 'binary', '-Ttext', '0',
             '-o', made.name, 'object']):
        try:
            result = subprocess.run(command, cwd=made.parent, text=True,
                                    capture_output=True)
        except OSError as exc:
            raise errors.TestbedError(
                "the guest's firmware cannot be built: %s: %s" % (
                    command[0], exc.strerror))
        if result.returncode:
            raise errors.TestbedError(
                "the guest's firmware cannot be built: %s: %s" % (
                    command[0], ' '.join(result.stderr.split())))
    rom = made.read_bytes()
    if len(rom) != 65536 or not rom[_BEGINS:].startswith(_JUMP):
        raise errors.TestbedError(
            "the guest's firmware cannot be built: ld has made something "
            'else of it')


def make_disk(path):
    """Make an empty disk.

    :param path: the file; nothing is there (pathlib.Path)
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'xb') as stream:
        stream.truncate(SECTORS * SECTOR)


def records(path):
    """Read the records that a disk holds.

    :param path: the file (pathlib.Path)
    :returns: dict of sequence number (int) to nonce (int); None when there is
        no such file
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    found = {}
    for number in range(len(content) // SECTOR):
        nonce = _nonce(number, content[number * SECTOR:
                                       (number + 1) * SECTOR])
        if nonce is not None:
            found[number] = nonce
    return found


def _nonce(number, sector):
    """The nonce of the record of a sector, None where there is none whole."""
    head = MAGIC + number.to_bytes(4, 'little')
    body = sector[len(head):]
    if not sector.startswith(head) or body != body[:8] * (len(body) // 8):
        return None
    return int.from_bytes(body[:8], 'little')
