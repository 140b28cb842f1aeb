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

"""Two libvirtd with one guest between them, as a model of who runs where.

The protocol is libvirt's peer-to-peer migration, version 3: begin, prepare,
perform, finish, confirm. Each step can succeed, fail, or succeed with its
answer lost. What libvirt does of itself after faults was measured on real
hosts: a peer that is lost before the switch-over ends the attempt and the
source goes on; a destination that stalls in Finish makes the source go on, and
begins to run all the same when it wakes.
"""

RUNNING = 'running'
PAUSED = 'paused'
# Paused, and waits for its guest: it has never run here.
SHELL = 'shell'
ABSENT = 'absent'

UP = 'up'
DOWN = 'down'
STALLED = 'stalled'

STEPS = ('begin', 'prepare', 'perform', 'finish', 'confirm')


class Refused(Exception):
    """What the libvirt call raises."""


class Host(object):

    def __init__(self, copy):
        self.copy = copy
        self.daemon = UP
        self.finish_queued = False

    @property
    def runs(self):
        return self.copy == RUNNING


class TwoHosts(object):
    """The truth: what runs where.

    :ivar source: Host
    :ivar destination: Host
    :ivar link: bool, the hosts reach one another
    :ivar at: int, index in STEPS of the next step; None with no job
    :ivar call: None while nobody has called, 'on' while the call is, else
        'returned' or 'raised'
    """

    def __init__(self):
        self.source = Host(RUNNING)
        self.destination = Host(ABSENT)
        self.link = True
        self.at = None
        self.call = None

    def migrate(self):
        self.at = 0
        self.call = 'on'

    @property
    def has_job(self):
        return self.at is not None

    @property
    def copies(self):
        """How many copies run."""
        return self.source.runs + self.destination.runs

    @property
    def switched(self):
        """The source has stopped its guest and asked the other to run it."""
        return self.has_job and self.at > STEPS.index('finish')

    def step(self, outcome):
        """Go one step of the protocol on.

        :param outcome: 'succeeds', 'fails' or 'is lost'
        """
        if self.source.daemon != UP:
            return
        if (self.destination.daemon == STALLED and outcome == 'succeeds' and
                STEPS[self.at] in ('prepare', 'finish')):
            outcome = 'is lost'
        name = STEPS[self.at]
        self.at += 1
        getattr(self, '_' + name)(outcome)

    def _begin(self, outcome):
        if outcome != 'succeeds':
            self._give_up()

    def _prepare(self, outcome):
        if outcome != 'fails' and self.destination.daemon == UP:
            self.destination.copy = SHELL
        if outcome != 'succeeds':
            # Nobody tells the shell that it waits in vain.
            self._give_up(cleans=False)

    def _perform(self, outcome):
        if outcome == 'succeeds':
            self.source.copy = PAUSED
        else:
            self._give_up()

    def _finish(self, outcome):
        if outcome == 'succeeds':
            self.destination.copy = RUNNING
            return
        if outcome == 'is lost':
            if self.destination.daemon == STALLED:
                self.destination.finish_queued = True
            elif self.destination.copy == SHELL:
                self.destination.copy = RUNNING
        self._give_up(cleans=outcome == 'fails')

    def _confirm(self, outcome):
        self.at = None
        if outcome == 'succeeds':
            self.source.copy = ABSENT
            self._end('returned')
        elif outcome == 'is lost':
            self.source.copy = ABSENT
            self._end('raised')
        else:
            self._end('raised')

    def _give_up(self, cleans=True):
        """The source's libvirtd ends the attempt and goes on by itself."""
        self.at = None
        if self.source.copy == PAUSED:
            self.source.copy = RUNNING
        if cleans:
            self._clean_shell()
        self._end('raised')

    def _clean_shell(self):
        if (self.destination.copy == SHELL and self.link and
                self.destination.daemon == UP):
            self.destination.copy = ABSENT

    def _end(self, how):
        if self.call == 'on':
            self.call = how

    # Faults.

    def lose_client(self):
        """The caller's connection breaks; libvirt works on."""
        self._end('raised')

    def lose_peer(self):
        """The source's libvirtd notices that it cannot reach the other."""
        if not self.has_job:
            return
        if not self.switched:
            self._give_up()
        elif self.source.copy == PAUSED and self.destination.copy == RUNNING:
            # It was told that the other runs; its own copy stays paused.
            self.at = None
            self._end('raised')

    def kill_source_daemon(self):
        self.source.daemon = DOWN
        self._end('raised')

    def start_source_daemon(self):
        """Begin anew; a migration under way is over."""
        self.source.daemon = UP
        if not self.has_job:
            return
        switched = self.switched
        self.at = None
        if self.source.copy == PAUSED and not switched:
            self.source.copy = RUNNING
        self._clean_shell()

    def kill_destination_daemon(self):
        self.destination.daemon = DOWN
        self.lose_peer()

    def start_destination_daemon(self):
        self.destination.daemon = UP
        self.destination.finish_queued = False
        if self.destination.copy == SHELL and not self.has_job:
            self.destination.copy = ABSENT

    def stall_destination_daemon(self):
        self.destination.daemon = STALLED

    def wake_destination_daemon(self):
        """It answers at once, and works off what has waited a bit later."""
        self.destination.daemon = UP

    def work_off(self):
        """Do what waited for the destination's daemon."""
        if self.destination.daemon != UP:
            return
        if self.destination.finish_queued and self.destination.copy == SHELL:
            self.destination.copy = RUNNING
        self.destination.finish_queued = False
        if self.destination.copy == SHELL and not self.has_job:
            self.destination.copy = ABSENT

    def cut_link(self):
        self.link = False
        self.lose_peer()

    def mend_link(self):
        self.link = True
        if not self.has_job:
            self._clean_shell()

    def kill_source_guest(self):
        """Its QEMU dies."""
        if self.source.copy == ABSENT:
            return
        self.source.copy = ABSENT
        if self.has_job and not self.switched:
            self._give_up()

    def kill_destination_guest(self):
        if self.destination.copy == ABSENT:
            return
        self.destination.copy = ABSENT
        if self.has_job and not self.switched:
            self._give_up()
