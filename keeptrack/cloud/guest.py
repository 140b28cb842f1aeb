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

"""The disk image of the cloud's guest, and what a guest has written.

guest.S has the guest: one sector, so that no image is downloaded.
"""

import pathlib
import re
import subprocess

from keeptrack.cloud import errors

# name of an image: pages of memory that the guest changes with every tick
IMAGES = {'calm': 4, 'busy': 64}

_SOURCE = pathlib.Path(__file__).with_name('guest.S')
_SIZE = 8 << 20
_FIRST_SECTOR = 2048
_SECTORS = 1024
_SECTOR = 512
_COUNT = re.compile(rb'n=([0-9a-f]{8})\r\n')


def build(folder):
    """Assemble the images.

    :param folder: where to put NAME.qcow2 (pathlib.Path)
    :raises CloudError: when that does not work
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, pages in IMAGES.items():
        part, raw = folder / f'{name}.o', folder / f'{name}.raw'
        _run('as', '--32', '--defsym', f'PAGES={pages}', '-o', part, _SOURCE)
        _run('ld', '-m', 'elf_i386', '-Ttext', '0x7c00', '--oformat',
             'binary', '-o', raw, part)
        with open(raw, 'rb+') as image:
            image.truncate(_SIZE)
        _run('qemu-img', 'convert', '-O', 'qcow2', raw,
             folder / f'{name}.qcow2')
        part.unlink()
        raw.unlink()


def _run(*command):
    done = subprocess.run([str(word) for word in command],
                          stdin=subprocess.DEVNULL, capture_output=True,
                          text=True)
    if done.returncode:
        raise errors.CloudError(f"the guest's image cannot be made: "
                                f'{command[0]}: {done.stderr.strip()}')


def acknowledged(console):
    """Return the last count that a guest has reported as written.

    :param console: what its serial port printed (bytes)
    :returns: int, or None when it printed none
    """
    found = _COUNT.findall(console)
    return int(found[-1], 16) if found else None


def written(disk):
    """Return the highest count on a guest's disk.

    :param disk: the content of a raw image (bytes)
    :returns: int, or None when there is none
    """
    counts = []
    for number in range(_SECTORS):
        begin = (_FIRST_SECTOR + number) * _SECTOR
        found = _COUNT.match(disk[begin:begin + 12])
        if found:
            counts.append(int(found.group(1), 16))
    return max(counts, default=None)
