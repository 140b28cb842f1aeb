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


"""Asks many hosts, one thread each, in a process that may be given up.

A libvirtd that hangs blocks a thread in libvirt's C code for ever. So hosts
are asked from a process of its own, which ends when all have answered or have
had their time, whatever still hangs in it. Run by asking.py: reads one JSON
document on standard input, writes a line of JSON for each thing that happens.
"""

import heapq
import json
import os
import queue
import resource
import sys
import threading
import time

from keeptrack.audit.hosts import collector

BEGAN, ANSWER, FAILED, ALIVE = 'began', 'answer', 'failed', 'alive'

# seconds between two signs of life
TICK = 1

# Of a thread that asks libvirt: 1,000 of them are 256 MiB of addresses.
_STACK = 256 * 1024

# open files a host may need: sockets, events, the pipes of an ssh or a virsh
_FILES = 10

# bytes of one answer
LARGEST = 16 * 1024 * 1024


def _raise_limit(forks):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = forks * _FILES + 100
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return max(1, min(forks, (most - 100) // _FILES))
    return forks


class Asker:
    """Asks hosts, so many at a time.

    :param targets: list of (number, name, uri)
    :param forks: so many at a time (int)
    :param timeout: seconds for each (float)
    :param tell: called with each event (a list), from one thread
    :param look: what asks one host
    """

    def __init__(self, targets, forks, timeout, tell, look=collector.look):
        self._targets = list(reversed(targets))
        self._forks = forks
        self._timeout = timeout
        self._tell = tell
        self._look = look
        self._answers = queue.SimpleQueue()

    def run(self):
        """Ask all of them; returns when each has answered or had its time."""
        libvirt = collector.binding()
        waiting, deadlines = set(), []
        while self._targets or waiting:
            while self._targets and len(waiting) < self._forks:
                number, name, uri = self._targets.pop()
                self._tell([BEGAN, number])
                try:
                    threading.Thread(
                        target=self._ask, args=(number, uri, name, libvirt),
                        daemon=True).start()
                except RuntimeError as error:
                    self._tell([FAILED, number, 'cannot ask: %s' % error])
                    continue
                waiting.add(number)
                heapq.heappush(deadlines,
                               (time.monotonic() + self._timeout, number))
            self._take(waiting, deadlines)
            now = time.monotonic()
            while deadlines and deadlines[0][0] <= now:
                number = heapq.heappop(deadlines)[1]
                if number in waiting:
                    waiting.discard(number)
                    self._tell([FAILED, number, 'no answer within %g s'
                                % self._timeout])

    def _take(self, waiting, deadlines):
        """Wait for answers until the next deadline, and tell them."""
        left = deadlines[0][0] - time.monotonic() if deadlines else 0
        try:
            event = self._answers.get(timeout=max(0, min(left, TICK)))
        except queue.Empty:
            self._tell([ALIVE])
            return
        while event is not None:
            # one that comes too late was told already
            if event[1] in waiting:
                waiting.discard(event[1])
                self._tell(event)
            try:
                event = self._answers.get_nowait()
            except queue.Empty:
                event = None

    def _ask(self, number, uri, name, libvirt):
        try:
            found = self._look(uri, name, libvirt)
            if len(json.dumps(found)) > LARGEST:
                raise collector.CannotLook('its answer is larger than %d MiB'
                                           % (LARGEST >> 20))
            self._answers.put([ANSWER, number, found])
        except collector.CannotLook as error:
            self._answers.put([FAILED, number, str(error)])
        except Exception as error:
            # whatever an answer brings about, it is that host's only
            self._answers.put([FAILED, number, '%s: %s' % (
                type(error).__name__, collector.one_line(error))])


def main():
    """Do what standard input says."""
    # what libvirt or an ssh prints must not get between the lines
    stream = os.fdopen(os.dup(1), 'w', encoding='utf-8')
    os.dup2(2, 1)
    wanted = json.load(sys.stdin)
    sys.stdin.close()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    threading.stack_size(_STACK)

    def tell(event):
        stream.write(json.dumps(event) + '\n')
        stream.flush()

    Asker(wanted['targets'], _raise_limit(wanted['forks']),
          wanted['timeout'], tell).run()
    stream.flush()
    # not the way of an interpreter that waits for what hangs
    os._exit(0)


if __name__ == '__main__':
    main()
