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

"""What two libvirtd and a guest do during a live migration.

The protocol is that of libvirt's peer-to-peer migration, version 3: prepare,
perform, finish, confirm. A step succeeds, fails, or succeeds while its answer
is lost. What libvirt does by itself after a fault was measured on real hosts:
a peer that is lost before the switch-over ends the job, and the source goes
on; a destination that stalls while it finishes makes the source go on, and
runs the guest all the same when it wakes.
"""

RUNNING = 'running'
PAUSED = 'paused'
INCOMING = 'incoming'
ABSENT = 'absent'

UP = 'up'
DOWN = 'down'
STALLED = 'stalled'

STEPS = ('prepare', 'perform', 'finish', 'confirm')


class Host:
    """A libvirtd, and the domain that it has of the guest."""

    def __init__(self, domain):
        self.domain = domain
        self.libvirtd = UP
        self.finish_queued = False


class Migration:
    """A guest between two hosts.

    :ivar source: Host
    :ivar destination: Host
    :ivar step: index in STEPS of what comes next; None without a job (int)
    :ivar call: 'on' while libvirt's call lasts, then 'returned' or 'raised'
    """

    def __init__(self, user_paused):
        self.moving = PAUSED if user_paused else RUNNING
        self.source, self.destination = Host(self.moving), Host(ABSENT)
        self.step, self.call = 0, 'on'

    @property
    def has_job(self):
        return self.step is not None

    @property
    def switched(self):
        """Whether the destination has been asked to run the guest."""
        return self.has_job and self.step > STEPS.index('finish')

    def go_on(self, outcome):
        """Do the next step.

        :param outcome: 'succeeds', 'fails' or 'is lost'
        """
        if not self.has_job or self.source.libvirtd != UP:
            return
        name = STEPS[self.step]
        if name in ('prepare', 'finish') and (
                self.destination.libvirtd == STALLED):
            outcome = 'is lost'
        self.step += 1
        getattr(self, '_' + name)(outcome)

    def _prepare(self, outcome):
        if outcome != 'fails' and self.destination.libvirtd == UP:
            self.destination.domain = INCOMING
        if outcome != 'succeeds':
            self._give_up(clean=False)

    def _perform(self, outcome):
        if outcome == 'succeeds':
            self.source.domain = PAUSED
        else:
            self._give_up()

    def _finish(self, outcome):
        if outcome == 'succeeds':
            self.destination.domain = self.moving
            return
        if outcome == 'is lost':
            if self.destination.libvirtd == STALLED:
                self.destination.finish_queued = True
            elif self.destination.domain == INCOMING:
                self.destination.domain = self.moving
        self._give_up(clean=outcome == 'fails')

    def _confirm(self, outcome):
        self.step = None
        if outcome != 'fails':
            self.source.domain = ABSENT
        self.end('returned' if outcome == 'succeeds' else 'raised')

    def _give_up(self, clean=True):
        self.step = None
        if self.source.domain == PAUSED:
            self.source.domain = self.moving
        if clean:
            self._clean_up()
        self.end('raised')

    def _clean_up(self):
        if self.destination.domain == INCOMING and (
                self.destination.libvirtd == UP):
            self.destination.domain = ABSENT

    def end(self, how):
        """End the call, whatever libvirt goes on with."""
        if self.call == 'on':
            self.call = how

    def lose_peer(self):
        """The source's libvirtd notices that it does not reach the other."""
        if not self.has_job:
            return
        if not self.switched:
            self._give_up()
        elif self.source.domain == PAUSED:
            # The source knows that the other runs the guest.
            self.step = None
            self.end('raised')

    def kill_source_libvirtd(self):
        self.source.libvirtd = DOWN
        self.end('raised')

    def start_source_libvirtd(self):
        self.source.libvirtd = UP
        if self.has_job:
            if self.source.domain == PAUSED and not self.switched:
                self.source.domain = self.moving
            self.step = None
            self._clean_up()

    def kill_destination_libvirtd(self):
        self.destination.libvirtd = DOWN
        self.lose_peer()

    def start_destination_libvirtd(self):
        """It also wakes if it was stalled, and does what waited for it."""
        stalled = self.destination.libvirtd == STALLED
        self.destination.libvirtd = UP
        if self.destination.domain == INCOMING and not self.has_job:
            self.destination.domain = self.moving if (
                stalled and self.destination.finish_queued) else ABSENT
        self.destination.finish_queued = False

    def stall_destination_libvirtd(self):
        self.destination.libvirtd = STALLED

    def kill_source_guest(self):
        self.source.domain = ABSENT
        if self.has_job and not self.switched:
            self._give_up()

    def kill_destination_guest(self):
        self.destination.domain = ABSENT
        if self.has_job and not self.switched:
            self._give_up()
