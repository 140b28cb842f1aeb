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

SOURCES = (Presence.RUNNING, Presence.PAUSED, Presence.ABSENT,
           Presence.UNKNOWN)

# What follows from each pair. A '!' gives the hypervisor time first.
DESTINATIONS = (
    'running      paused  incoming    stopped     absent     unknown')
TABLE = {
    'running':
    'SPLIT_BRAIN  PARK!   ROLL_BACK!  ROLL_BACK!  ROLL_BACK  ROLL_BACK_SOURCE',
    'paused':
    'FINISH!      PARK!   PARK!       FINISH!     ROLL_BACK  PARK!',
    'absent':
    'FINISH       FINISH  PARK!       FINISH      ROLL_BACK  PARK!',
    'unknown':
    'PARK!        PARK!   PARK!       PARK!       PARK!      PARK!'}
PAIRS = {
    (Presence(source), Presence(destination)): (
        Action[cell.rstrip('!')], cell.endswith('!'))
    for source, row in TABLE.items()
    for destination, cell in zip(DESTINATIONS.split(), row.split())}


def observe(presence, **flags):
    return guest_location.Observation(presence, 'libvirt', **flags)


class GuestLocationTestCase(test.NoDBTestCase):

    def assertAction(self, expected, source, destination, **kwargs):
        kwargs.setdefault('waited', True)
        action, advice = guest_location.decide(source, destination, **kwargs)
        case = '%r, %r, %s' % (source, destination, kwargs)
        self.assertEqual(expected, action, case)
        # An operator reads what to do wherever Nova cannot go on.
        self.assertEqual(action in (Action.PARK, Action.SPLIT_BRAIN),
                         bool(advice), case)
        return advice

    def test_table(self):
        self.assertEqual(set(itertools.product(SOURCES, Presence)), set(PAIRS))
        for pair, (action, patient) in PAIRS.items():
            source, destination = map(observe, pair)
            self.assertAction(action, source, destination)
            self.assertAction(Action.WAIT if patient else action,
                              source, destination, waited=False)

    def test_paused_by_user(self):
        """libvirt cannot have started the guest on the destination."""
        changed = {Presence.PAUSED: Action.FINISH,
                   Presence.INCOMING: Action.ROLL_BACK,
                   Presence.STOPPED: Action.ROLL_BACK,
                   Presence.UNKNOWN: Action.ROLL_BACK_SOURCE}
        for (source, destination), (action, patient) in PAIRS.items():
            if source == Presence.PAUSED and destination in changed:
                action = changed[destination]
                self.assertTrue(patient)
            self.assertAction(action, observe(source), observe(destination),
                              user_paused=True)
            self.assertAction(
                Action.WAIT if patient else action, observe(source),
                observe(destination), waited=False, user_paused=True)

    def test_hypervisor_works_on_the_migration(self):
        for source, destination in PAIRS:
            for waited in (False, True):
                self.assertAction(
                    Action.MONITOR, observe(source, migrating=True),
                    observe(destination), waited=waited)

    def test_post_copy_on_destination(self):
        """The guest runs on memory that is still on the source."""
        for source in SOURCES:
            action, patient = PAIRS[source, Presence.RUNNING]
            self.assertAction(
                Action.WAIT if patient else action, observe(source),
                observe(Presence.RUNNING, migrating=True))

    def test_failed_post_copy(self):
        """No copy is complete, and libvirt may still list the job."""
        for source, destination in PAIRS:
            for flags in ({'postcopy_failed': True},
                          {'postcopy_failed': True, 'migrating': True}):
                for pair in (
                        (observe(source, **flags), observe(destination)),
                        (observe(source), observe(destination, **flags))):
                    advice = self.assertAction(Action.PARK, *pair)
                    self.assertIn('--postcopy-resume', advice)
                    self.assertAction(Action.PARK, *pair, waited=False)

    def test_fenced_destination(self):
        """It counts as absent, but cannot be cleaned up yet."""
        fenced = observe(Presence.ABSENT, fenced=True)
        for source in (Presence.RUNNING, Presence.PAUSED, Presence.ABSENT):
            self.assertAction(
                Action.ROLL_BACK_SOURCE, observe(source), fenced)
        self.assertAction(Action.PARK, observe(Presence.UNKNOWN), fenced)

    def test_destination_is_up(self):
        """Its hypervisor may be started again."""
        alive = observe(Presence.UNKNOWN, alive=True)
        self.assertAction(Action.ROLL_BACK_SOURCE, observe(Presence.RUNNING),
                          alive)
        self.assertAction(Action.WAIT, observe(Presence.RUNNING), alive,
                          waited=False)

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
        for (source, destination), (action, _) in PAIRS.items():
            if (source, destination) == (Presence.ABSENT, Presence.ABSENT):
                action = Action.FINISH
            self.assertAction(action, observe(source), observe(destination),
                              finishing=True)
        self.assertAction(
            Action.FINISH, observe(Presence.ABSENT),
            observe(Presence.ABSENT, fenced=True), finishing=True)
