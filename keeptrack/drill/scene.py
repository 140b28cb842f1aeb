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

from keeptrack.drill import errors
from keeptrack.drill import guest as guest_mod

# QEMU's address space while the destination has no memory, bytes
NO_MEMORY = 2 * 1024 ** 3


class Scene(object):
    """What a fault can lay hands on.

    :ivar lab: the lab.Lab
    :ivar computes: the computes.Computes
    :ivar started: the nova-computes that were started again: list of tuples of
        role (str) and when (seconds since the epoch, float)
    :ivar missed: why the fault has hit nothing (str), or None
    """

    def __init__(self, lab, computes, guest, timeline):
        self.lab = lab
        self.computes = computes
        self.guest = guest
        self.missed = None
        self.started = []
        self._timeline = timeline
        self._undo = contextlib.ExitStack()

    def kill_qemu(self, role):
        """End the guest's QEMU on a host.

        :param role: 'source' or 'destination'
        """
        host = self.lab.hosts[role]
        if not host.qemu_pids():
            self.missed = 'there was no QEMU on the %s any more' % role
            return
        host.kill_qemu()

    def cut_power(self, role):
        """Switch a host off.

        :param role: 'source' or 'destination'
        """
        # first, so that the other host's connections are not closed
        self.lab.network.cut()
        self.computes.kill(role)
        self.lab.hosts[role].lose_power()

    def restore_power(self, role):
        """Switch a host on again.

        :param role: 'source' or 'destination'
        """
        self.lab.network.heal()
        self.lab.hosts[role].daemon.start()
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
            self.lab.hosts['source'].virsh('domjobabort', self.guest.name)
        except errors.LabError as exc:
            self.missed = str(exc)
        else:
            self._timeline.note('source', 'fault', 'domjobabort',
                                'virsh domjobabort: done')

    def occupy_name(self):
        """Define another guest of the same name on the destination.

        A Nova that rolls back may remove it, by its name; if not, the lab
        does before the next run.
        """
        twin = guest_mod.Guest(str(uuid.uuid4()), self.guest.name)
        self.lab.hosts['destination'].virsh('define', '/dev/stdin',
                                            stdin=twin.xml)

    def limit_memory(self):
        """Leave the destination's QEMU less memory than the guest has."""
        self._limit(NO_MEMORY)
        self._undo.callback(self._limit, resource.RLIM_INFINITY)

    def _limit(self, most):
        # what libvirtd starts has the limits of libvirtd; a new one has none
        pid = self.lab.hosts['destination'].daemon.pid
        if pid is not None:
            resource.prlimit(pid, resource.RLIMIT_AS,
                             (most, resource.RLIM_INFINITY))

    def await_daemons(self, seconds):
        """Wait until every libvirtd that was started again answers.

        :param seconds: each gets so long (float)
        :raises LabError: when one does not answer
        """
        for host in self.lab.hosts.values():
            if host.daemon.state == 'up':
                host.daemon.wait_ready(seconds)

    def await_computes(self, seconds):
        """Wait until every nova-compute that was started again is up.

        :param seconds: each gets so long (float); later is no error
        """
        for role, began in self.started:
            self._timeline.wait(
                lambda event: event['lane'] == 'compute' and
                event['where'] == role and event['t'] >= began and
                event['what'] == 'initialized', time.time() + seconds)

    def end_copy(self, role):
        """Destroy the guest's copy on a host, as an operator decides.

        :param role: 'source' or 'destination'
        :raises LabError: when libvirt refuses
        """
        self.lab.hosts[role].virsh('destroy', self.guest.name)

    def tidy(self):
        """Take back what was prepared."""
        self._undo.close()
