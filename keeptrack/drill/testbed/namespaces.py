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

"""The namespaces of one host, held by a process.

They have no name anywhere: when the process that holds them is gone, so are
they, with every mount, network interface and process in them.  The holder
(see holder.py) exits when the kit does, however the kit ends.
"""

import json
import os
import pathlib
import select
import subprocess
import sys
import threading

from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import processes

_HOLDER = pathlib.Path(__file__).with_name('namespace_holder.py')

# seconds that the holder may take for an answer
_ANSWERS_WITHIN = 10

# seconds that all processes may take to end once they are killed
_ENDS_WITHIN = 5


class Enterable:
    """Namespaces that commands are run in.

    A subclass has _enter(): makes the command that enters them of another.
    """

    def run(self, command, **kwargs):
        """Run a command in them; it reads nothing unless it is said what.

        :param command: list of str
        :param kwargs: what subprocess.run takes; env adds to the host's own
        :returns: a subprocess.CompletedProcess
        """
        return subprocess.run(**self._started(command, kwargs))

    def popen(self, command, **kwargs):
        """Begin a command in them: a subprocess.Popen; see run()."""
        return subprocess.Popen(**self._started(command, kwargs))

    def _started(self, command, kwargs):
        if 'input' not in kwargs:
            kwargs.setdefault('stdin', subprocess.DEVNULL)
        return dict(kwargs, args=self._enter(command),
                    env=dict(environment(), **kwargs.get('env') or {}))


class Namespaces(Enterable):
    """A mount, a network, a UTS and a PID namespace.

    Commands are run in the first three.  What is started with
    :meth:`spawn` is in the fourth, too, and cannot outlive the kit.
    """

    def __init__(self):
        self._holder = None
        self._held = {}
        self._lock = threading.Lock()

    @property
    def pid(self):
        """The process that holds them (int)."""
        return self._holder.pid

    @property
    def paths(self):
        """What setns is called with: dict of 'mnt', 'net', 'uts' to str."""
        return {kind: '/proc/%d/ns/%s' % (self.pid, kind)
                for kind in ('mnt', 'net', 'uts')}

    def open(self):
        """Make them.

        :raises TestbedError: when this machine does not let us
        """
        # The group is its own: Ctrl-C is for the kit, which then stops the
        # testbed in order.
        self._holder = subprocess.Popen(
            ['unshare', '--mount', '--net', '--uts', '--pid', '--fork',
             '--kill-child', sys.executable, '-I', '-S', str(_HOLDER)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, bufsize=0, cwd='/', start_new_session=True,
            env=environment())
        if self._answer() != 'ready':
            self._holder.kill()
            raise errors.TestbedError(
                'no namespaces can be made on this machine: %s' %
                self._holder.stderr.read().decode(errors='replace').strip())
        for kind, name in (('pid', 'pid_for_children'), ('net', 'net')):
            self._held[kind] = os.open(
                '/proc/%d/ns/%s' % (self.pid, name), os.O_RDONLY)

    def _answer(self):
        """The holder's next line; "" when it says nothing in time."""
        out = self._holder.stdout
        if not select.select([out], [], [], _ANSWERS_WITHIN)[0]:
            return ''
        return out.readline().decode().strip()

    def _enter(self, command):
        return ['nsenter', '--target', str(self.pid), '--mount', '--net',
                '--uts', '--'] + list(command)

    def spawn(self, command, log):
        """Start a command that lives as long as the host, at most.

        :param command: list of str
        :param log: where its output goes: a path inside the host (str)
        :returns: a processes.Handle
        :raises TestbedError: when it does not start
        """
        with self._lock:
            order = json.dumps({'command': command, 'log': log}) + '\n'
            try:
                self._holder.stdin.write(order.encode())
            except BrokenPipeError:
                raise errors.TestbedError(
                    'the host of %s is gone' % command[0])
            answer = self._answer()
        if not answer.isdigit():
            raise errors.TestbedError('%s cannot be started' % command[0])
        for process in self.processes():
            if process.inner == int(answer):
                try:
                    return processes.Handle(process.pid)
                except ProcessLookupError:
                    break
        raise errors.TestbedError('%s ended at once: see %s on the host' % (
            command[0], log))

    def processes(self):
        """What runs in them by spawn, and what came of it.

        :returns: list of processes.Process
        """
        if 'pid' not in self._held:
            return []
        return processes.of_namespace('pid', os.fstat(self._held['pid']))

    def close(self):
        """End everything in them, and them.

        :returns: the ids of processes that do not end (list of int)
        """
        if self._holder is None:
            return []
        self._holder.stdin.close()
        try:
            # process 1 ends after everything else in its namespace
            self._holder.wait(_ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self._holder.kill()
            self._holder.wait()
        self._holder.stdout.close()
        self._holder.stderr.close()
        left = []
        # what has not ended, and what a user of the testbed has let in
        for kind, held in self._held.items():
            left += processes.kill([
                found.pid for found in processes.of_namespace(
                    kind, os.fstat(held))])
        while self._held:
            os.close(self._held.popitem()[1])
        self._holder = None
        return left


def environment():
    """The environment of what runs on a host (dict).

    Nothing of the user's that could lead a client of libvirt elsewhere.
    """
    return {'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:'
                    '/sbin:/bin',
            'LC_ALL': 'C.UTF-8', 'HOME': '/root',
            'LIBVIRT_DEFAULT_URI': 'qemu:///system'}
