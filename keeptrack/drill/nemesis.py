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
"""What a fault can lay hands on in a run (see keeptrack/drill/faults.py)."""

import contextlib
import resource
import time
import uuid

from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import guest as guest_mod

# QEMU's address space while the destination has no memory, bytes
NO_MEMORY = 2 * 1024 ** 3


class Nemesis:
    """Strikes and heals, and is what faults lay hands on.

    :param testbed: a testbed.Testbed
    :param computes: a nova_computes.NovaComputes
    :param guest: the guest.Guest
    :param history: the run's history.History
    :ivar testbed: see above
    :ivar computes: see above
    :ivar guest: see above
    :ivar started: the nova-computes that were started again: list of tuples of
        role (str) and when (seconds since the epoch, float)
    :ivar missed: why the fault has hit nothing (str), or None
    """

    def __init__(self, testbed, computes, guest, history):
        self.testbed = testbed
        self.computes = computes
        self.guest = guest
        self.missed = None
        self.started = []
        self._history = history
        self._undo = contextlib.ExitStack()

    def strike(self, fault):
        """Bring a fault about.

        :param fault: a faults.Fault
        :returns: whether it has hit anything (bool); if not, missed has why
        """
        fault.strike(self)
        return self.missed is None

    def heal(self, fault, within):
        """End a fault, and wait until what was started again is up.

        :param fault: a faults.Fault
        :param within: seconds that each libvirtd and nova-compute gets (float)
        :raises TestbedError: when a libvirtd does not answer
        """
        fault.heal(self)
        self._history.note('drill', 'fault', 'healed',
                           'over: %s' % fault.title)
        self.await_daemons(within)
        self.await_computes(within)

    def kill_qemu(self, role):
        """End the guest's QEMU on a host.

        :param role: 'source' or 'destination'
        """
        host = self.testbed.hosts[role]
        if not host.qemu_pids():
            self.missed = 'there was no QEMU on the %s any more' % role
            return
        host.kill_qemu()

    def cut_power(self, role):
        """Switch a host off.

        :param role: 'source' or 'destination'
        """
        # first, so that the other host's connections are not closed
        self.testbed.network.cut()
        self.computes.kill(role)
        self.testbed.hosts[role].lose_power()

    def restore_power(self, role):
        """Switch a host on again.

        :param role: 'source' or 'destination'
        """
        self.testbed.network.heal()
        self.testbed.hosts[role].libvirtd.start()
        self.start_compute(role)

    def start_compute(self, role):
        """Start a host's nova-compute again.

        :param role: 'source' or 'destination'
        """
        self.started.append((role, time.time()))
        self.computes.start(role)

    def abort_job(self):
        """Abort the migration's job, as an admin does with virsh."""
        try:
            self.testbed.hosts['source'].virsh('domjobabort', self.guest.name)
        except errors.TestbedError as exc:
            self.missed = str(exc)
        else:
            self._history.note('source', 'fault', 'domjobabort',
                               'virsh domjobabort: done')

    def occupy_name(self):
        """Define another guest of the same name on the destination.

        A Nova that rolls back may remove it, by its name; if not, the testbed
        does before the next run.
        """
        twin = guest_mod.Guest(str(uuid.uuid4()), self.guest.name)
        self.testbed.hosts['destination'].virsh('define', '/dev/stdin',
                                                stdin=twin.xml)

    def limit_memory(self):
        """Leave the destination's QEMU less memory than the guest has."""
        self._limit(NO_MEMORY)
        self._undo.callback(self._limit, resource.RLIM_INFINITY)

    def _limit(self, most):
        # what libvirtd starts has the limits of libvirtd; a new one has none
        pid = self.testbed.hosts['destination'].libvirtd.pid
        if pid is not None:
            resource.prlimit(pid, resource.RLIMIT_AS,
                             (most, resource.RLIM_INFINITY))

    def await_daemons(self, seconds):
        """Wait until every libvirtd that was started again answers.

        :param seconds: each gets so long (float)
        :raises TestbedError: when one does not answer
        """
        for host in self.testbed.hosts.values():
            if host.libvirtd.state == 'up':
                host.libvirtd.wait_ready(seconds)

    def await_computes(self, seconds):
        """Wait until every nova-compute that was started again is up.

        :param seconds: each gets so long (float); later is no error
        """
        for role, began in self.started:
            self._history.wait(
                lambda event: event['lane'] == 'compute' and
                event['where'] == role and event['t'] >= began and
                event['what'] == 'initialized', time.time() + seconds)

    def tidy(self):
        """Take back what was prepared."""
        self._undo.close()
