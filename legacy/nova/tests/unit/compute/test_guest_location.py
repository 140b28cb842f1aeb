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

from nova.compute import guest_location as where
from nova import test

R, P, A, U = where.PRESENCES


def decide(source, destination, two_copies=False, moving=False,
           diverged=False):
    return where.decide(
        where.Sighting(source, 'asked', moving=moving),
        where.Sighting(destination, 'asked', diverged=diverged), two_copies)


class TableTestCase(test.NoDBTestCase):

    expected = {
        (R, R): where.BOTH,
        (R, P): where.SHELL,
        (R, A): where.ROLL_BACK,
        (R, U): where.DOUBT,
        (P, R): where.LEFTOVER,
        (P, P): where.SWITCHING,
        (P, A): where.STAYED_PAUSED,
        (P, U): where.DOUBT,
        (A, R): where.FINISH,
        (A, P): where.INCOMPLETE,
        (A, A): where.NOWHERE,
        (A, U): where.DOUBT,
        (U, R): where.DOUBT,
        (U, P): where.DOUBT,
        (U, A): where.DOUBT,
        (U, U): where.DOUBT,
    }

    def test_every_pair(self):
        pairs = list(itertools.product(where.PRESENCES, repeat=2))
        self.assertEqual(16, len(pairs))
        for pair in pairs:
            self.assertIs(self.expected[pair], decide(*pair), pair)

    def test_a_job_at_work_is_left_alone_everywhere(self):
        for pair in itertools.product((R, P), where.PRESENCES):
            self.assertIs(where.MOVING, decide(*pair, moving=True), pair)

    def test_a_source_that_still_has_the_memory_is_no_leftover(self):
        for source, destination, wanted in (
                (P, R, where.MOVING), (A, R, where.FINISH),
                (R, R, where.BOTH)):
            self.assertIs(wanted, where.decide(
                where.Sighting(source, 'asked'),
                where.Sighting(destination, 'asked', moving=True)))

    def test_what_cannot_be_asked_decides_nothing(self):
        for pair in self.expected:
            for flags in itertools.product((True, False), repeat=2):
                if U in pair:
                    self.assertIs(
                        where.APART if flags[0] else where.DOUBT,
                        decide(*pair, two_copies=flags[0],
                               diverged=flags[1]), pair)

    def test_a_host_where_it_runs_is_torn_down_by_no_decision(self):
        # Rolling back tears down the destination, finishing the source.
        for pair in self.expected:
            decision = decide(*pair)
            if decision in (where.ROLL_BACK, where.NOWHERE, where.SHELL):
                self.assertNotIn(pair[1], (R, U))
            if decision in (where.FINISH, where.LEFTOVER, where.NOWHERE):
                self.assertNotIn(pair[0], (R, U))


class TwoCopiesTestCase(test.NoDBTestCase):

    def test_once_seen_only_the_absence_of_one_decides(self):
        for pair in itertools.product((R, P), repeat=2):
            self.assertIn(decide(*pair, two_copies=True),
                          (where.BOTH, where.APART))
        self.assertIs(where.ROLL_BACK, decide(R, A, two_copies=True))
        self.assertIs(where.FINISH, decide(A, R, two_copies=True))
        self.assertIs(where.MOVED_PAUSED, decide(A, P, two_copies=True))

    def test_a_copy_that_has_run_is_no_empty_domain(self):
        self.assertIs(where.APART, decide(R, P, diverged=True))

    def test_a_guest_that_moved_and_was_paused_then_has_moved(self):
        self.assertIs(where.MOVED_PAUSED, decide(A, P, diverged=True))

    def test_a_guest_that_never_arrived_has_not(self):
        # Its QEMU on the source was killed while memory was copied.
        self.assertIs(where.INCOMPLETE, decide(A, P))


class WordsTestCase(test.NoDBTestCase):

    decisions = set(TableTestCase.expected.values()) | set(
        [where.APART, where.MOVING, where.UNRECORDED, where.UNSURE,
         where.MOVED_PAUSED])

    def test_every_decision_says_what_nova_does(self):
        for decision in self.decisions:
            self.assertIn('Nova', decision.does)

    def test_what_needs_a_human_is_never_said_at_info(self):
        for decision in self.decisions:
            if decision.human:
                self.assertIn(decision.level, ('warning', 'error'))
            else:
                self.assertEqual('info', decision.level)

    def test_a_sighting_says_who_was_asked(self):
        self.assertEqual('paused (libvirt at qemu:///system)', str(
            where.Sighting(P, 'libvirt at qemu:///system')))
