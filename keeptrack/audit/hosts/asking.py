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


"""Ask many hosts for their guests, and wait for none that hangs.

The work is done by a process of its own (asker.py), which is killed with all
that it has started once every host has answered or has had its time. When one
host's answer takes that process down, the others are asked again without it.
"""

import contextlib
import dataclasses
import json
import os
import queue
import signal
import subprocess
import sys
import threading

from keeptrack.audit.hosts import asker
from keeptrack.audit.hosts import guests
from keeptrack import errors

# Nova's own default of live_migration_uri, for the same connections.
URI = 'qemu+tcp://%s/system'

# all of a large cloud at once: with fewer, hosts that are slow add up
FORKS = 1000
TIMEOUT = 10

# what asks; benchmarks put stand-ins in its place
COMMAND = [sys.executable, '-m', 'keeptrack.audit.hosts.asker']

# seconds without a sign of life after which the process is given up
_SILENCE = 30


@dataclasses.dataclass(frozen=True)
class Target:
    """A host to be asked.

    :ivar name: what it is called (str)
    :ivar uri: libvirt's (str)
    """

    name: str
    uri: str


@dataclasses.dataclass(frozen=True)
class Silence:
    """A host that could not be asked.

    :ivar target: the Target
    :ivar why: one line (str)
    """

    target: Target
    why: str


def target(word, template=URI):
    """Make a Target of what a user names.

    :param word: a host or a URI (str)
    :param template: of a URI, with %s for the host (str)
    :raises KeeptrackError: when no URI can be made of it
    """
    if not word or any(not character.isprintable() or character.isspace()
                       for character in word) or word.startswith('-'):
        raise errors.KeeptrackError('%s names no host' % guests.short(word))
    if '://' in word:
        return Target(word, word)
    if template.count('%s') != 1 or '%' in template.replace('%s', ''):
        raise errors.KeeptrackError(
            'the URI %s needs one %%s, for the name of the host' % template)
    return Target(word, template % word)


def ask(targets, forks=FORKS, timeout=TIMEOUT):
    """Ask hosts for their guests.

    :param targets: list of Target
    :param forks: so many at a time (int)
    :param timeout: seconds for each (float)
    :returns: an iterator of guests.Look and Silence, one for each target, as
        they come
    """
    left = dict(enumerate(targets))
    at_a_time = forks
    while left:
        under_way = set()
        with contextlib.closing(_events(left, at_a_time, timeout)) as events:
            for event in events:
                if event[0] == asker.BEGAN:
                    under_way.add(event[1])
                elif event[0] in (asker.ANSWER, asker.FAILED):
                    under_way.discard(event[1])
                    yield _result(left.pop(event[1]), *event[::2])
        if not left:
            return
        # it has ended before its work
        if at_a_time == 1 or not under_way:
            for number in under_way or list(left):
                yield Silence(left.pop(number), 'asking it ends the process '
                                                'that asks')
        # those that may have done it one by one, then the others
        suspects = [left.pop(number) for number in sorted(under_way)
                    if number in left]
        for suspect in suspects:
            yield from ask([suspect], 1, timeout)


def _result(found, kind, told):
    if kind == asker.FAILED:
        return Silence(found, told)
    try:
        return guests.read(told)
    except guests.Broken as error:
        return Silence(found, 'its answer is broken: %s' % error)


def _events(left, forks, timeout):
    """Run one process over the targets that are left (iterator of list)."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ('DISPLAY', 'SSH_ASKPASS')}
    # a session of its own: no ssh in it can ask on our terminal, and all of
    # it ends at once
    process = subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, start_new_session=True, env=environment)
    lines = queue.SimpleQueue()

    def read():
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps({
                'forks': forks, 'timeout': timeout,
                'targets': [(number, one.name, one.uri)
                            for number, one in left.items()]}).encode())
            process.stdin.close()
        while True:
            try:
                line = lines.get(timeout=_SILENCE)
            except queue.Empty:
                return
            if line is None or not line.endswith(b'\n'):
                return
            yield json.loads(line)
    finally:
        # before it is waited for: until then nobody else can have its number
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        reader.join(1)
        process.stdout.close()
