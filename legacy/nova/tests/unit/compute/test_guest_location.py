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

import itertools

from nova.compute import guest_location
from nova import test

Action = guest_location.Action
Presence = guest_location.Presence

SOURCES = ('running', 'paused', 'absent', 'unknown')
# What follows from each pair. A '!' gives the hypervisor time first.
DESTINATIONS = (
    'running      paused  incoming    stopped     absent     unknown').split()
TABLE = {
    'running':
    'SPLIT_BRAIN  PARK!   ROLL_BACK!  ROLL_BACK!  ROLL_BACK  ROLL_BACK_SOURCE',
    'paused':
    'FINISH!      PARK!   PARK!       FINISH!     ROLL_BACK  PARK!',
    'absent':
    'FINISH       FINISH  PARK!       FINISH      ROLL_BACK  PARK!',
    'unknown':
    'PARK!        PARK!   PARK!       PARK!       PARK!      PARK!'}
# What changes where its user has paused the guest.
PAUSED_BY_USER = {'paused': 'FINISH', 'incoming': 'ROLL_BACK',
                  'stopped': 'ROLL_BACK', 'unknown': 'ROLL_BACK_SOURCE'}
PAIRS = {}
for source, row in TABLE.items():
    for destination, cell in zip(DESTINATIONS, row.split()):
        PAIRS[source, destination] = (
            getattr(Action, cell.rstrip('!')), cell.endswith('!'))


def observe(presence, **flags):
    return guest_location.Observation(presence, 'libvirt', **flags)


class GuestLocationTestCase(test.NoDBTestCase):

    def assertAction(self, expected, source, destination, waited=True,
                     **kwargs):
        action, advice = guest_location.decide(source, destination, waited,
                                               **kwargs)
        case = '%r, %r, %s, %s' % (source, destination, waited, kwargs)
        self.assertEqual(expected, action, case)
        # An operator reads what to do wherever Nova cannot go on.
        self.assertEqual(action in (Action.PARK, Action.SPLIT_BRAIN),
                         bool(advice), case)

    def assertRow(self, action, patient, pair, **kwargs):
        source, destination = map(observe, pair)
        self.assertAction(action, source, destination, **kwargs)
        self.assertAction(Action.WAIT if patient else action, source,
                          destination, waited=False, **kwargs)

    def test_table(self):
        self.assertEqual(set(itertools.product(SOURCES, DESTINATIONS)),
                         set(PAIRS))
        for pair, (action, patient) in PAIRS.items():
            self.assertRow(action, patient, pair)

    def test_paused_by_user(self):
        """libvirt cannot have started the guest on the destination."""
        for pair, (action, patient) in PAIRS.items():
            if pair[0] == 'paused' and pair[1] in PAUSED_BY_USER:
                action = getattr(Action, PAUSED_BY_USER[pair[1]])
            self.assertRow(action, patient, pair, user_paused=True)

    def test_hypervisor_works_on_the_migration(self):
        for source, destination in PAIRS:
            for waited in (False, True):
                self.assertAction(
                    Action.MONITOR, observe(source, migrating=True),
                    observe(destination), waited)

    def test_destination_is_up(self):
        """Its hypervisor may be started again."""
        alive = observe(Presence.UNKNOWN, alive=True)
        running = observe(Presence.RUNNING)
        self.assertAction(Action.ROLL_BACK_SOURCE, running, alive)
        self.assertAction(Action.WAIT, running, alive, waited=False)

    def test_split_brain_was_seen(self):
        """A second copy that does not answer is not gone."""
        for source in SOURCES:
            self.assertAction(
                Action.PARK, observe(source), observe(Presence.UNKNOWN),
                waited=False, split=True)
        # Nor is what does not run there the right one because the other has
        # ended, or is paused.
        for source in (Presence.ABSENT, Presence.PAUSED):
            for destination in (Presence.PAUSED, Presence.STOPPED):
                self.assertAction(Action.PARK, observe(source),
                                  observe(destination), split=True)
        self.assertAction(Action.PARK, observe(Presence.PAUSED),
                          observe(Presence.PAUSED), split=True,
                          user_paused=True)

    def test_finishing(self):
        """A source that has given up what the guest uses has no way back."""
        for (source, destination), (action, _patient) in PAIRS.items():
            if (source, destination) == ('absent', 'absent'):
                action = Action.FINISH
            self.assertAction(action, observe(source), observe(destination),
                              finishing=True)
