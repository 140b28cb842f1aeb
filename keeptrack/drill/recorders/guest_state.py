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

"""Where a guest really is, as its QEMUs themselves tell.

Libvirt is not asked: each QEMU of the guest has a monitor socket of ours
beside libvirt's (see guest.py).  Watching only reads QEMU's events and asks
for its status, which changes nothing.
"""

import os
import threading
import time

from keeptrack.drill import history
from keeptrack.drill.recorders import qmp
from keeptrack.drill.testbed import errors

# any other state is paused: its processors do not run
_STATES = {'inmigrate': history.INCOMING, 'running': history.RUNNING}
_EVENTS = {'RESUME': history.RUNNING, 'STOP': history.PAUSED}

# Seconds: between two looks for a QEMU, and between two questions for the
# status.  That a QEMU begins to wait for a migration has no event of its own.
_LOOK = 0.01
_ASK = {history.INCOMING: 0.01}
_ASK_ELSE = 0.2
_FIRST_LOOK = 2


class _Eye:
    """Watches one host, in a thread of its own."""

    def __init__(self, role, path, on_change, on_migration):
        self.state = history.ABSENT
        self._role = role
        self._path = path
        self._on_change = on_change
        self._on_migration = on_migration
        self.failure = None
        self._asked = None
        self._received = False
        self._looked = threading.Event()
        self._stopping = threading.Event()
        self._wake, self._waker = os.pipe()
        self._thread = threading.Thread(
            target=self._watch, name='watch-' + role, daemon=True)

    def open(self):
        self._thread.start()
        # a QEMU that is busy may answer later
        self._looked.wait(_FIRST_LOOK)

    def close(self):
        if self._stopping.is_set():
            return
        self._stopping.set()
        os.write(self._waker, b'.')
        self._thread.join()
        os.close(self._waker)
        os.close(self._wake)

    def _watch(self):
        try:
            self._look()
        except Exception as exc:
            # told by whoever stops the watching
            self.failure = exc
            self._looked.set()

    def _look(self):
        while not self._stopping.is_set():
            connection = qmp.connect(self._path)
            if connection is None:
                self._looked.set()
                self._stopping.wait(_LOOK)
                continue
            try:
                self._follow(connection)
            finally:
                connection.close()

    def _follow(self, connection):
        """Watch one QEMU until it ends."""
        waiting = True      # nothing may be asked before the greeting
        self._received = False
        while not self._stopping.is_set():
            messages = connection.receive(
                _ASK.get(self.state, _ASK_ELSE), self._wake)
            if messages is None:
                self._set(time.time(), history.ABSENT, 'QEMU is gone')
                return
            # after anything that QEMU said on its own, and from time to time
            due = not messages
            for message in messages:
                if 'QMP' in message:
                    connection.send('qmp_capabilities')
                elif 'event' in message:
                    self._hear(message)
                    due = True
                else:
                    waiting = False
                    due |= not self._hear_answer(message)
            if due and not waiting:
                self._asked = time.time()
                connection.send('query-status')
                waiting = True

    def _hear_answer(self, message):
        """Handle an answer; returns whether it is that for the status."""
        if 'error' in message:
            raise errors.TestbedError(
                "the %s's QEMU does not report its state: %s" % (
                    self._role, message['error']))
        status = message['return'].get('status')
        if status is None:
            return False
        if self._received and status == 'inmigrate':
            # an answer from before the event
            return True
        # Of the time of the question: what follows the answer in the stream
        # may have happened before the answer is read here.
        self._set(self._asked, _STATES.get(status, history.PAUSED),
                  'QEMU is %s' % status)
        self._looked.set()
        return True

    def _hear(self, event):
        name, when = event['event'], qmp.when(event)
        if name in _EVENTS:
            self._set(when, _EVENTS[name], 'QEMU says %s' % name)
        elif name == 'MIGRATION':
            status = event['data']['status']
            if self.state == history.INCOMING and status == 'completed':
                # a guest that was paused has no other event, and the next
                # answer may be late
                self._received = True
                self._set(when, history.PAUSED, 'QEMU has received the guest')
            if self._on_migration is not None:
                self._on_migration(when, self._role, status)

    def _set(self, when, state, why):
        if state != self.state:
            self.state = state
            self._on_change(when, self._role, state, why)


class Watcher:
    """Watches a guest on both hosts until it is stopped.

    A guest can have one watcher at a time: its QEMUs talk to one client.

    The guest counts as absent at first; where it is when the watching begins
    is reported as a change, before this returns.  The callbacks are called in
    the watching threads, one a host: they have to be quick.

    :param testbed: a testbed.Testbed
    :param guest: a guest.Guest
    :param on_change: called with the time (seconds since the epoch, float;
        QEMU's own where an event told it), the role, the state (a word of
        history) and why (str)
    :param on_migration: called with the time, the role and the status (str)
        for each of QEMU's MIGRATION events; None to call nothing
    """

    def __init__(self, testbed, guest, on_change, on_migration=None):
        self._eyes = {role: _Eye(role, host.folder / guest.socket,
                                 on_change, on_migration)
                      for role, host in testbed.hosts.items()}
        for eye in self._eyes.values():
            eye.open()

    def state(self, role):
        """The guest's state on a host, as last seen (str)."""
        return self._eyes[role].state

    def stop(self):
        """Watch no more; nothing is called afterwards.

        :raises TestbedError: when the watching has failed meanwhile
        """
        for eye in self._eyes.values():
            eye.close()
        for role, eye in self._eyes.items():
            if eye.failure is not None:
                raise errors.TestbedError(
                    'watching the guest on the %s failed: %s' % (
                        role, eye.failure)) from eye.failure
