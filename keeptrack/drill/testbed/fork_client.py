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


"""The kit's side of the server that forks Nova processes."""

import socket
import subprocess
import threading

from keeptrack.drill.agent import wire
from keeptrack.drill.testbed import errors

# seconds to import a Nova tree, on a machine that does other things too
_IMPORTS_WITHIN = 120


class ForkClient:
    """A server with a Nova tree in it, and the orders that it takes.

    :param runtime: the tree's runtime.Runtime
    :param log: what the server prints goes here (pathlib.Path)
    """

    def __init__(self, runtime, log):
        self._runtime = runtime
        self._log = log
        self._process = None
        self._socket = None
        self._lock = threading.Lock()

    def open(self):
        """Start the server, and wait until it has imported Nova.

        :raises TestbedError: when that fails
        """
        self._socket, theirs = socket.socketpair()
        with theirs, open(self._log, 'ab') as log:
            self._process = subprocess.Popen(
                self._runtime.command('fork_server.py', theirs.fileno()),
                env=self._runtime.variables, cwd='/',
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True)
        self._socket.settimeout(_IMPORTS_WITHIN)
        try:
            wire.receive(self._socket)
        except wire.Closed as exc:
            self.close()
            raise errors.TestbedError(
                'Nova cannot be imported: %s' % (self._last() or exc))
        self._socket.settimeout(None)

    def _last(self):
        lines = self._log.read_text(errors='replace').strip().splitlines()
        return lines[-1] if lines else ''

    def close(self):
        """End the server, and with it all that it has forked."""
        if self._process is None:
            return
        self._socket.close()
        # what it has forked dies with it, and nothing in it wants to be saved
        self._process.kill()
        self._process.wait()
        self._process = None

    def fork(self, spec, output):
        """Fork a process.

        :param spec: see keeptrack/drill/agent/nova_process.py (dict)
        :param output: what it prints goes here (pathlib.Path)
        :returns: its process id (int)
        :raises TestbedError: when the server has ended
        """
        return self._order(do='fork', spec=spec, output=str(output))['pid']

    def kill(self, pid):
        """End a forked process with SIGKILL, and wait until it has ended.

        :param pid: int
        """
        self._order(do='kill', pid=pid)

    def has_ended(self, pid):
        """Tell whether a forked process has ended (bool).

        :param pid: int
        """
        return self._order(do='poll', pid=pid)['status'] is not None

    def wait(self, pid):
        """Wait until a forked process has ended.

        :param pid: int
        :returns: its status, as os.waitpid tells it (int)
        """
        return self._order(do='wait', pid=pid)['status']

    def _order(self, **order):
        try:
            with self._lock:
                wire.send(self._socket, order)
                return wire.receive(self._socket)
        except wire.Closed as exc:
            raise errors.TestbedError(
                'the server for Nova processes has ended (%s): %s' % (
                    exc, self._last()))
