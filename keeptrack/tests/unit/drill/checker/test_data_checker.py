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

from keeptrack.drill.checker import data_checker
from keeptrack.drill.recorders import serial_port
from keeptrack.tests import base

BOTH = ('source', 'destination')


def written(role, first, last, begins, nonce=1, every=0.01):
    """Records that a host's copy has written, one after the other."""
    return [serial_port.Line(begins + (number - first) * every, role,
                             serial_port.ACKNOWLEDGED, number,
                             nonce * 1000000 + number)
            for number in range(first, last)]


def holds(*lines):
    """A disk with these records; later ones replace earlier ones."""
    return {line.number: line.nonce for each in lines for line in each}


def guest(when, role, state):
    return {'t': when, 'where': role, 'lane': 'guest', 'what': state,
            'text': '', 'data': {}}


def teardown(when, role, what):
    return {'t': when, 'where': role, 'lane': 'teardown', 'what': what,
            'text': '', 'data': {}}


OPERATOR = {'t': 4.0, 'where': 'drill', 'lane': 'fault', 'what': 'operator',
            'text': '', 'data': {}}


class DataCheckTestCase(base.TestCase):

    def check(self, lines, disks, host='destination', timeline=(), ends=4.0,
              one_disk=False):
        return data_checker.check(lines, disks, host, list(timeline), ends,
                                  one_disk)

    def test_a_guest_that_moves(self):
        before = written('source', 0, 100, 0)
        after = written('destination', 100, 200, 1.2)
        disk = holds(before, after)
        found = self.check(before + after, dict.fromkeys(BOTH, disk),
                           one_disk=True)
        self.assertEqual(('kept', [], 200, 0, []), (
            found.verdict, found.broken, found.acknowledged, found.lost,
            found.left))
        self.assertEqual(0.21, found.downtime)

    def test_the_recorded_disk_lacks_what_the_guest_wrote_elsewhere(self):
        before = written('source', 0, 100, 0)
        after = written('destination', 100, 150, 1.2)
        found = self.check(
            before + after, {'source': holds(before),
                             'destination': holds(before, after)}, 'source')
        self.assertEqual(('lost', 50, ['destination']),
                         (found.verdict, found.lost, found.left))
        self.assertIn('does not hold them', found.broken[0])

    def test_the_recorded_disk_is_gone(self):
        lines = written('source', 0, 100, 0)
        found = self.check(lines, {'source': None, 'destination': None},
                           'source')
        self.assertEqual(('lost', 100), (found.verdict, found.lost))
        self.assertIn('no disk on the source', found.why)

    def test_a_record_that_was_not_acknowledged_may_be_there_or_not(self):
        lines = written('source', 0, 10, 0)
        disk = dict(holds(lines), **{})
        disk[10] = 77
        found = self.check(lines, {'source': disk, 'destination': None},
                           'source')
        self.assertEqual('kept', found.verdict)

    def split(self, one_disk, *others, kept=True):
        """Both copies go on from record 100; Nova records the source."""
        before = written('source', 0, 100, 0)
        stays = written('source', 100, 300, 2.0, nonce=2)
        moves = written('destination', 100, 150, 2.2, nonce=3)
        if one_disk:
            disks = dict.fromkeys(BOTH, holds(before, stays, moves))
        else:
            disks = {'source': holds(before, stays),
                     'destination': holds(before, moves) if kept else None}
        return self.check(before + stays + moves, disks, 'source', others,
                          one_disk=one_disk)

    def test_two_copies_on_two_disks(self):
        found = self.split(False)
        self.assertEqual(('doubled', [], 50, 0, 0, 50, False), (
            found.verdict, found.broken, found.doubled, found.lost,
            found.overwritten, found.given_up, found.one_disk))
        self.assertEqual((0.49, ['destination']),
                         (found.doubled_for, found.left))

    def test_two_copies_on_one_disk_overwrite_each_other(self):
        found = self.split(True)
        self.assertEqual(('doubled', 0, 50, True, []), (
            found.verdict, found.lost, found.overwritten, found.one_disk,
            found.left))
        self.assertIn('one disk, 50 overwritten', found.why)

    def test_the_disk_of_the_other_copy_is_deleted(self):
        found = self.split(False, kept=False)
        self.assertEqual('lost', found.verdict)
        self.assertEqual(['the disk on the destination was deleted, which '
                          'alone held 50 acknowledged records'], found.broken)

    def test_the_source_is_cleaned_up_when_the_guest_has_moved(self):
        before = written('source', 0, 100, 0)
        after = written('destination', 100, 150, 1.2)
        found = self.check(before + after, {
            'source': None, 'destination': holds(before, after)})
        self.assertEqual(('kept', []), (found.verdict, found.broken))

    def test_nobody_suspends_the_second_copy(self):
        before = written('source', 0, 100, 0)
        stays = written('source', 100, 300, 2.0, nonce=2)
        moves = written('destination', 100, 280, 2.2, nonce=3)
        found = self.check(before + stays + moves, {
            'source': holds(before, stays),
            'destination': holds(before, moves)}, 'source', [OPERATOR])
        self.assertEqual(('doubled', ['both copies wrote until an operator '
                                      'came']),
                         (found.verdict, found.broken))
        self.assertEqual([], self.split(False, OPERATOR).broken)

    def test_writes_that_the_disk_refuses(self):
        lines = written('destination', 0, 10, 0)
        bad = [serial_port.Line(
            1.0, 'destination', serial_port.FAILED, 10, 5)] * 3
        found = self.check(lines + bad, dict.fromkeys(BOTH, holds(lines)),
                           one_disk=True)
        self.assertEqual(('broken off', 3), (found.verdict, found.failed))
        self.assertIn('3 writes have failed on the destination', found.why)

    def test_the_only_copy_is_ended(self):
        lines = written('destination', 0, 100, 0)
        disks = dict.fromkeys(BOTH, holds(lines))
        ended = teardown(1.05, 'destination', 'domain-destroyed')
        found = self.check(lines, disks, timeline=[ended], one_disk=True)
        self.assertEqual('broken off', found.verdict)
        self.assertIn('only copy', found.why)
        # the other one goes on, or this one was silent before
        other = written('source', 0, 100, 0)
        for more, event in ((other, ended), ([], dict(ended, t=2.0))):
            found = self.check(lines + more, disks, timeline=[event],
                               one_disk=True)
            self.assertEqual([], found.broken)

    def test_a_guest_that_runs_and_writes_nothing(self):
        lines = written('source', 0, 100, 0)
        disks = dict.fromkeys(BOTH, holds(lines))
        runs = [guest(-1.0, 'source', 'running')]
        found = self.check(lines, disks, 'source', runs, one_disk=True)
        self.assertEqual('broken off', found.verdict)
        self.assertIn('writes nothing', found.why)
        for timeline in (runs + [guest(1.0, 'source', 'paused')],
                         [guest(3.5, 'source', 'running')]):
            self.assertEqual([], self.check(
                lines, disks, 'source', timeline, one_disk=True).broken)

    def test_memory_that_did_not_move(self):
        lines = written('destination', 0, 10, 0) + [
            serial_port.Line(0.0, 'destination', serial_port.MEMORY, 0, 0)]
        found = self.check(lines, dict.fromkeys(BOTH, holds(lines[:10])),
                           one_disk=True)
        self.assertEqual('broken off', found.verdict)

    def test_no_record_at_all(self):
        found = self.check([], {'source': {}, 'destination': None}, 'source')
        self.assertEqual(('kept', None), (found.verdict, found.downtime))

    def test_results_can_be_stored(self):
        self.assertEqual(50, self.split(True).as_dict()['doubled'])


class EventsTestCase(base.TestCase):

    def test_stretches_with_records(self):
        lines = written('source', 0, 10, 0) + written('source', 10, 20, 1)
        found = data_checker.events(lines)
        self.assertEqual(
            [('begin', 0), ('end', 0.09), ('begin', 1), ('end', 1.09)],
            [(event['what'], round(event['t'], 2)) for event in found])
        self.assertEqual({'writes'}, {event['lane'] for event in found})

    def test_the_moment_that_the_second_copy_writes(self):
        lines = (written('source', 0, 10, 0) +
                 written('destination', 5, 8, 0.2, nonce=2))
        second, = [event for event in data_checker.events(lines)
                   if event['what'] == 'doubled']
        self.assertEqual(('destination', 0.2),
                         (second['where'], second['t']))

    def test_what_else_the_guest_says_once_a_second(self):
        lines = [serial_port.Line(when, 'source', serial_port.FAILED, 7, 0)
                 for when in (0, 0.5, 1.2)]
        self.assertEqual([0, 1.2], [event['t'] for event in
                                    data_checker.events(lines)])
