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

"""The processes of a PID namespace, and how to end one for certain."""

import dataclasses
import os
import pathlib
import select
import signal

_PROC = pathlib.Path('/proc')


@dataclasses.dataclass(frozen=True)
class Process:
    """A process that was there when looked for.

    :ivar pid: as this machine knows it (int)
    :ivar inner: as its own PID namespace knows it (int)
    :ivar command: the program and its arguments (list of str)
    """

    pid: int
    inner: int
    command: list

    @property
    def is_guest(self):
        """It is a QEMU that runs a guest, not one that libvirt probes."""
        return (os.path.basename(self.command[0]).startswith('qemu') and
                '-name' in self.command)


def of_namespace(kind, status):
    """The processes in a namespace, zombies left out.

    :param kind: of the namespace: its name in /proc/PID/ns (str)
    :param status: the namespace's os.stat_result; hold the namespace open
        meanwhile, or its number may name another one
    :returns: list of Process, by pid
    """
    found = []
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            process = _look(entry, kind, status)
            if process is not None:
                found.append(process)
    return sorted(found, key=lambda process: process.pid)


def _look(entry, kind, status):
    """The process of a folder of /proc, or None: not there, or ended.

    One that we may not look at, root as we are, is none of ours.
    """
    try:
        mine = (entry / 'ns' / kind).stat()
        if (mine.st_dev, mine.st_ino) != (status.st_dev, status.st_ino):
            return None
        command = (entry / 'cmdline').read_bytes()
        lines = (entry / 'status').read_text(errors='replace').splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    told = dict(line.split(':', 1) for line in lines)
    if told['State'].split()[0] in 'ZX':
        return None
    return Process(int(entry.name), int(told['NSpid'].split()[-1]), [
        os.fsdecode(word) for word in command.rstrip(b'\0').split(b'\0')])


def state(pid):
    """A process's state as the kernel has it: a letter; X when it is gone.

    :param pid: int
    :returns: str
    """
    try:
        return (_PROC / str(pid) / 'stat').read_bytes().rpartition(b') ')[
            2][:1].decode()
    except (FileNotFoundError, ProcessLookupError):
        return 'X'


class Handle:
    """Holds on to one process, so that its id cannot come to mean another.

    :param pid: of a process that is there (int)
    :raises ProcessLookupError: when it is not
    """

    def __init__(self, pid):
        self.pid = pid
        self._fd = os.pidfd_open(pid)

    def send(self, number):
        """Send a signal (int); nothing happens when the process is gone."""
        try:
            signal.pidfd_send_signal(self._fd, number)
        except ProcessLookupError:
            pass

    def wait(self, timeout):
        """Wait for its end.

        :param timeout: seconds (float)
        :returns: whether it has ended (bool)
        """
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(timeout * 1000))

    def close(self):
        """Let go of it."""
        os.close(self._fd)


def kill(pids, timeout=5):
    """End processes with SIGKILL, and wait until they are gone.

    :param pids: list of int
    :param timeout: seconds (float)
    :returns: those that are still there (list of int)
    """
    handles = []
    try:
        for pid in pids:
            try:
                handles.append(Handle(pid))
            except ProcessLookupError:
                continue
        for handle in handles:
            handle.send(signal.SIGKILL)
        return [handle.pid for handle in handles if not handle.wait(timeout)]
    finally:
        for handle in handles:
            handle.close()
