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

"""A host's libvirtd: started, killed, stalled."""

import signal
import subprocess
import threading
import time

from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import processes

UP = 'up'
STALLED = 'stalled'
DOWN = 'down'

# The host's own log, and the daemon's /proc, which has to be that of its PID
# namespace: it looks its QEMUs up there.
LOG = '/var/log/libvirt/libvirtd.log'
_COMMAND = ['unshare', '--mount', '--mount-proc', '--', 'libvirtd', '--listen']

# seconds
_ENDS_WITHIN = 5
_POLL = 0.01


class Libvirtd:
    """One libvirtd.

    :param role: the host's (str)
    :param namespaces: the host's namespaces.Namespaces
    :param log: LOG as seen from outside (pathlib.Path)
    :ivar on_change: called with the time (s), the role and the new state
        when one of the methods has changed it; None to call nothing
    """

    def __init__(self, role, namespaces, log):
        self.on_change = None
        self._role = role
        self._namespaces = namespaces
        self._log = log
        self._handle = None
        self._lock = threading.RLock()

    @property
    def pid(self):
        """Its process id on this machine (int), or None when it is down."""
        with self._lock:
            return None if self.state == DOWN else self._handle.pid

    @property
    def state(self):
        """UP (it runs, and may not be ready yet), STALLED or DOWN (str)."""
        with self._lock:
            if self._handle is None or self._handle.wait(0):
                return DOWN
            return (STALLED if processes.state(self._handle.pid) in 'tT'
                    else UP)

    def start(self):
        """Start it, unless it is there; it is ready some time later.

        :raises TestbedError: when it cannot be started
        """
        with self._lock:
            if self.state != DOWN:
                return
            self.forget()
            when = time.time()
            self._handle = self._namespaces.spawn(_COMMAND, LOG)
            self._tell(UP, when)

    def adopt(self, pid):
        """Take one that runs already for the host's.

        :param pid: its process id (int)
        """
        self.forget()
        self._handle = processes.Handle(pid)

    def kill(self):
        """End it with SIGKILL; the guests' QEMUs go on."""
        with self._lock:
            if self.state == DOWN:
                return
            when = time.time()
            self._handle.send(signal.SIGKILL)
            self._handle.wait(_ENDS_WITHIN)
            self._tell(DOWN, when)

    def stall(self):
        """Stop it with SIGSTOP: it does nothing, and its sockets stay."""
        self._signal(signal.SIGSTOP, UP, STALLED)

    def resume(self):
        """Let it go on after a stall."""
        self._signal(signal.SIGCONT, STALLED, UP)

    def _signal(self, number, before, after):
        with self._lock:
            if self.state != before:
                return
            when = time.time()
            self._handle.send(number)
            until = time.monotonic() + _ENDS_WITHIN
            while self.state == before and time.monotonic() < until:
                time.sleep(0.001)
            self._tell(after, when)

    def _tell(self, state, when):
        if self.on_change is not None:
            self.on_change(when, self._role, state)

    def wait_ready(self, timeout=10):
        """Wait until it answers.

        :param timeout: seconds (float)
        :raises TestbedError: when it does not, or has ended
        """
        until = time.monotonic() + timeout
        while True:
            left = until - time.monotonic()
            state = self.state
            if state != UP or left <= 0:
                raise errors.TestbedError(
                    "the %s's libvirtd is %s and does not answer: %s" % (
                        self._role, state, self._last_words()))
            if self._answers(left):
                return
            time.sleep(_POLL)

    def _answers(self, timeout):
        """Ask it for its guests, which it tells when all of it is ready."""
        try:
            return self._namespaces.run(
                ['virsh', 'list', '--uuid'], stdin=subprocess.DEVNULL,
                capture_output=True, timeout=timeout).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def _last_words(self):
        try:
            lines = self._log.read_text(errors='replace').split('\n')
        except FileNotFoundError:
            return 'it has written nothing'
        words = [line for line in lines if ': error :' in line]
        return words[-1] if words else 'no error is in its log'

    def forget(self):
        """Let go of the process."""
        with self._lock:
            if self._handle is not None:
                self._handle.close()
                self._handle = None
