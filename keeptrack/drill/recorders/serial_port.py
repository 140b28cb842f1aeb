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

"""Records what a guest that writes prints on its serial port, host by host.

Each host's QEMU appends to a file of its own.  A line has a letter, a sequence
number and a nonce (see writing_guest.S):

    b   the guest has booted, and goes on with this number
    a   the disk has completed the write of this record: acknowledged
    e   the disk has refused to write, or read, this record
    m   a page of memory was not as the guest had left it
    f   the disk is full

The end of a line that began on the other host is passed over.
"""

import collections
import re
import threading
import time

BOOTED, ACKNOWLEDGED, FAILED, MEMORY, FULL = 'b', 'a', 'e', 'm', 'f'

#: seconds between two readings
POLL = 0.01

# where the files lie on each host
_FILE = 'run/keeptrack/%s.serial'

_LINE = re.compile(
    rb'^([%s]) ([0-9a-f]{8}) ([0-9a-f]{16})$' %
    ''.join((BOOTED, ACKNOWLEDGED, FAILED, MEMORY, FULL)).encode(), re.M)

#: a line: when it was read (seconds since the epoch, float), the role of the
#: host, the letter (str), the sequence number and the nonce (int)
Line = collections.namedtuple('Line', 'when role kind number nonce')


def path(name):
    """Where the lines of a guest are, from a host's / and from its folder.

    :param name: the guest's for libvirt (str)
    :returns: str
    """
    return _FILE % name


def parse(when, role, text):
    """Read lines.

    :param when: seconds since the epoch (float)
    :param role: the host's
    :param text: whole lines (bytes)
    :returns: list of Line
    """
    return [Line(when, role, kind.decode(), int(number, 16), int(nonce, 16))
            for kind, number, nonce in _LINE.findall(text)]


class Recorder:
    """Reads the files of both hosts until it is stopped.

    :param paths: role to the file of a host's QEMU; it may come to be later
        (dict of pathlib.Path)
    """

    def __init__(self, paths):
        self._paths = paths
        self._read = dict.fromkeys(self._paths, 0)
        self._rest = dict.fromkeys(self._paths, b'')
        self._lines = []
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self.failure = None

    def start(self):
        """Begin to read."""
        self._thread.start()

    def stop(self):
        """Read no more; a second time does nothing."""
        self._stopped.set()
        self._thread.join()

    def lines(self):
        """What was read by now (list of Line)."""
        with self._changed:
            return list(self._lines)

    def wait(self, count, timeout):
        """Wait for acknowledged records.

        :param count: how many (int)
        :param timeout: seconds (float)
        :returns: whether they came (bool)
        """
        with self._changed:
            return self._changed.wait_for(
                lambda: sum(line.kind == ACKNOWLEDGED
                            for line in self._lines) >= count, timeout)

    def keep(self, folder):
        """Copy the files, as far as there are any.

        :param folder: it exists (pathlib.Path)
        """
        for role, each in self._paths.items():
            if each.exists():
                (folder / ('serial-%s.txt' % role)).write_bytes(
                    each.read_bytes())

    def _follow(self):
        try:
            while not self._stopped.wait(POLL):
                for role in self._paths:
                    self._look(role)
        except Exception as exc:
            # told by whoever asks for the lines
            self.failure = exc

    def _look(self, role):
        try:
            with open(self._paths[role], 'rb') as stream:
                stream.seek(self._read[role])
                fresh = stream.read()
        except FileNotFoundError:
            # no QEMU has begun there
            return
        if not fresh:
            return
        now = time.time()
        self._read[role] += len(fresh)
        whole, newline, self._rest[role] = (
            self._rest[role] + fresh).rpartition(b'\n')
        if newline:
            with self._changed:
                self._lines += parse(now, role, whole)
                self._changed.notify_all()
