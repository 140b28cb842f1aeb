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

from keeptrack.drill.checker import verdict
from keeptrack.drill import history
from keeptrack.drill.recorders import serial_port
from keeptrack.tests import base


def guest(when, where, what):
    return {'t': when, 'where': where, 'lane': 'guest', 'what': what,
            'text': what, 'data': {}}


def record(when, host, vm_state='active', task_state=None,
           power_state='running', fault=None):
    return {'t': when, 'where': 'drill', 'lane': 'record', 'what': 'record',
            'text': fault or '', 'data': {
                'host': host, 'vm_state': vm_state, 'task_state': task_state,
                'power_state': power_state, 'fault': fault}}


def teardown(when, where, what='volume-disconnected'):
    return {'t': when, 'where': where, 'lane': 'teardown', 'what': what,
            'text': what, 'data': {}}


# the guest moves from 2.0 to 2.03 s; the source is gone at 4 s
MOVE = [guest(-5, 'source', 'running'), guest(0.1, 'destination', 'incoming'),
        guest(2.0, 'source', 'paused'), guest(2.03, 'destination', 'running'),
        guest(4.0, 'source', 'absent')]
BEGINS = [record(-5, 'source'), record(0, 'source', task_state='migrating')]
ENDS = record(4.1, 'destination')


class VerdictTestCase(base.TestCase):

    def judge(self, *events, ends=10, **kwargs):
        return verdict.judge([event for each in events for event in (
            each if isinstance(each, list) else [each])], ends, **kwargs)

    def assert_verdict(self, wanted, *events, **kwargs):
        found = self.judge(*events, **kwargs)
        self.assertEqual(wanted, found.verdict, found)
        return found

    def test_a_guest_that_has_moved(self):
        found = self.assert_verdict('right', MOVE, BEGINS, ENDS,
                                    teardown(4.05, 'source'))
        self.assertEqual([], found.broken)
        self.assertIsNone(found.overlap)

    def test_a_guest_that_has_stayed(self):
        stayed = [guest(-5, 'source', 'running'),
                  guest(0.1, 'destination', 'incoming'),
                  guest(1, 'destination', 'absent')]
        self.assert_verdict('right', stayed, BEGINS, record(1.2, 'source'),
                            teardown(1.1, 'destination'))

    def test_rolled_back_over_a_guest_that_has_moved(self):
        found = self.assert_verdict(
            'lost', MOVE, BEGINS, teardown(4.05, 'destination'),
            record(4.1, 'source'),
            record(6, 'source', 'stopped', power_state='shutdown'))
        self.assertEqual(['I1', 'I2', 'I3'],
                         sorted(line[:2] for line in found.broken))

    def test_the_record_names_the_wrong_host_for_a_moment(self):
        found = self.assert_verdict(
            'wrong', MOVE, BEGINS, record(4.1, 'source'),
            record(5, 'destination'))
        self.assertEqual(['I2'], [line[:2] for line in found.broken])
        self.assert_verdict('right', MOVE, BEGINS, record(4.1, 'source'),
                            record(4.2, 'destination'))

    def test_torn_down_in_use(self):
        found = self.assert_verdict('wrong', MOVE, BEGINS, ENDS,
                                    teardown(3, 'destination'))
        self.assertEqual(['I1'], [line[:2] for line in found.broken])

    def test_the_only_copy_ended_by_nova(self):
        self.assert_verdict(
            'lost', MOVE, guest(5.01, 'destination', 'absent'), BEGINS, ENDS,
            teardown(5, 'destination', 'domain-destroyed'),
            record(5.2, 'destination', 'stopped', power_state='shutdown'))

    def test_a_guest_that_runs_nowhere(self):
        died = [guest(-5, 'source', 'running'), guest(1, 'source', 'absent')]
        self.assert_verdict('right', died, BEGINS, record(
            2, 'source', 'stopped', power_state='shutdown'))
        self.assert_verdict('wrong', died, BEGINS, record(2, 'source'))
        self.assert_verdict('wrong', died, BEGINS, record(
            2, 'source', 'error', power_state='shutdown'))

    def test_parked(self):
        parked = record(5, 'source', 'error', 'migrating', fault='why')
        self.assert_verdict('parked', MOVE, BEGINS, parked)
        found = self.assert_verdict('lost', MOVE, BEGINS, parked,
                                    parks=False)
        self.assertEqual(['I4'], [line[:2] for line in found.broken
                                  if line.startswith('I')][-1:])

    def test_parked_without_a_reason_is_stuck(self):
        found = self.assert_verdict('lost', MOVE, BEGINS, record(
            5, 'source', 'error', 'migrating'))
        self.assertEqual(['I4'], [line[:2] for line in found.broken])

    def test_a_task_for_ever(self):
        found = self.assert_verdict('lost', MOVE, BEGINS)
        self.assertIn('I4', ' '.join(found.broken))
        found = self.assert_verdict('wrong', MOVE[:1], BEGINS)
        self.assertIn('I4', ' '.join(found.broken))

    def test_a_split_brain(self):
        two = MOVE[:4] + [guest(3, 'source', 'running')]
        parked = record(5, 'source', 'error', 'migrating',
                        fault='SPLIT BRAIN of it')
        found = self.assert_verdict('split brain', two, BEGINS, parked)
        self.assertEqual(7, found.overlap)
        self.assertFalse(found.unseen)
        found = self.assert_verdict('lost', two, BEGINS,
                                    record(5, 'source'))
        self.assertTrue(found.unseen)

    def test_a_split_brain_is_one_by_that_name_too(self):
        found = self.assert_verdict(
            'split brain', MOVE[:4], guest(3, 'source', 'running'), BEGINS,
            record(5, 'source', 'error', 'migrating', fault='why'),
            {'t': 5, 'where': 'source', 'lane': 'log', 'what': 'critical',
             'text': 'SPLIT BRAIN: the guest ran on this host', 'data': {}})
        self.assertFalse(found.unseen)

    def test_what_is_held_for_another_host_is_left(self):
        ends = record(4.1, 'destination')
        ends['data']['migration'] = 'running'
        found = self.assert_verdict(
            'right', MOVE, BEGINS, ends, services={
                'active port': ['destination'], 'allocations': [],
                'port bindings': ['destination', 'source']})
        self.assertEqual(
            'the migration is running, allocations: none instead of '
            'destination, port bindings: destination, source instead of '
            'destination', found.leftover)

    def parts(self, *events, **kwargs):
        return self.judge(*events, **kwargs).parts

    def test_parts_that_are_right(self):
        held = {'allocations': ['destination'], 'active port': ['destination']}
        self.assertEqual({}, self.parts(MOVE, BEGINS, ENDS, services=held))

    def test_an_attachment_that_is_not_complete(self):
        found = self.parts(MOVE, BEGINS, ENDS, services={
            'volume attachments': ['attaching', 'destination']})
        self.assertEqual(
            {'attachment': 'volume attachments: attaching, destination '
                           'instead of destination'}, found)

    def test_parts_that_are_wrong(self):
        found = self.parts(
            MOVE, BEGINS, record(4.1, 'source', 'error'),
            writes=[serial_port.Line(1.5, 'source', 'a', 1, 5)],
            disks={'source': {}, 'destination': {1: 5}},
            # where the guest is, not where the record says that it is
            services={'allocations': ['destination', 'source'],
                      'volume attachments': ['source'],
                      'port bindings': ['destination']})
        self.assertEqual(
            {'host', 'state', 'allocation', 'attachment', 'disk', 'data'},
            set(found))
        self.assertEqual('running on the destination; recorded on the source',
                         found['host'])
        self.assertEqual('vm_state error', found['state'])
        self.assertIn('1 acknowledged records are lost', found['data'])
        self.assertEqual('a disk is left on the destination', found['disk'])

    def test_parts_of_a_split_brain_that_was_reported(self):
        both = MOVE[:2] + [guest(2, 'destination', 'running'),
                           guest(3, 'destination', 'paused')]
        self.assertEqual({}, self.parts(
            both, BEGINS, record(3, 'source', 'error', 'migrating',
                                 fault='split brain'),
            services={'allocations': ['destination', 'source']}))

    def test_a_deleted_instance(self):
        gone = record(5, None, 'deleted', power_state=None)
        ended = MOVE + [guest(4.5, 'destination', 'absent')]
        found = self.assert_verdict(
            'right', ended, BEGINS, gone, services={'allocations': []})
        self.assertEqual(({}, None), (found.parts, found.leftover))
        found = self.assert_verdict(
            'wrong', MOVE, BEGINS, gone,
            services={'allocations': ['destination']})
        self.assertEqual({'host', 'allocation'}, set(found.parts))

    def test_a_split_brain_of_which_one_was_suspended_and_ended(self):
        self.assert_verdict(
            'split brain', MOVE[:4], guest(3, 'source', 'running'),
            guest(4, 'destination', 'paused'), BEGINS,
            teardown(3.9, 'destination', 'domain-suspended'),
            record(4, 'source', 'error', 'migrating', fault='Split brain'),
            guest(6, 'destination', 'absent'), record(7, 'source'))

    def test_a_split_brain_of_which_none_was_suspended(self):
        two = MOVE[:4] + [guest(3, 'source', 'running'),
                          record(5, 'source', 'error', 'migrating',
                                 fault='Split brain')]
        comes = {'t': 8, 'where': 'drill', 'lane': 'fault',
                 'what': 'operator', 'text': '', 'data': {}}
        ends = [guest(8.1, 'destination', 'absent'), record(9, 'source')]
        found = self.assert_verdict('wrong', BEGINS, two, comes, ends)
        self.assertIn('still ran 5.0 s', found.why)
        found = self.assert_verdict(
            'split brain', BEGINS, two, guest(6, 'destination', 'paused'),
            comes, ends)
        self.assertEqual(3, found.suspended)

    def test_what_was_reserved_for_a_second_copy(self):
        two = [MOVE[:4], guest(3, 'source', 'running'), BEGINS,
               record(5, 'source', 'error', 'migrating', fault='Split brain')]
        self.assert_verdict('split brain', *two, teardown(
            4, 'destination', 'allocation-removed'))
        self.assert_verdict('wrong', *two, teardown(
            4, 'destination', 'volume-detached'))
        self.assert_verdict('wrong', MOVE, BEGINS, ENDS, teardown(
            4.5, 'destination', 'allocation-removed'))

    def test_torn_down_in_a_split_brain(self):
        found = self.assert_verdict(
            'wrong', MOVE[:4], guest(3, 'source', 'running'), BEGINS,
            teardown(4, 'destination'),
            record(5, 'source', 'error', 'migrating', fault='split brain'))
        self.assertEqual(['I1'], [line[:2] for line in found.broken])

    def test_a_guest_that_its_user_has_paused(self):
        moved = [guest(-5, 'source', 'paused'),
                 guest(0.1, 'destination', 'incoming'),
                 guest(2, 'destination', 'paused'),
                 guest(4, 'source', 'absent')]
        begins = [record(0, 'source', 'paused', 'migrating', 'paused')]
        ends = record(4.1, 'destination', 'paused', power_state='paused')
        self.assert_verdict('right', moved, begins, ends, paused=True)
        self.assert_verdict('wrong', moved, begins, ENDS, paused=True)
        self.assert_verdict('lost', moved, begins, record(
            4.1, 'source', 'paused', power_state='paused'), paused=True)
        found = self.assert_verdict(
            'wrong', moved, begins, ends, teardown(5, 'destination'),
            paused=True)
        self.assertEqual(['I1'], [line[:2] for line in found.broken])

    def test_a_paused_guest_is_there_while_it_moves(self):
        moves = [guest(-5, 'source', 'paused'),
                 guest(0.1, 'destination', 'incoming')]
        begins = [record(0, 'source', 'paused', 'migrating', 'paused')]
        stays = record(3, 'source', 'paused', power_state='paused')
        for what in ('volume-disconnected', 'domain-destroyed'):
            found = self.judge(moves, begins, stays,
                               teardown(1, 'source', what), paused=True)
            self.assertIn('I1', found.broken[0])

    def test_a_paused_guest_that_the_record_does_not_name(self):
        moved = [guest(-5, 'source', 'paused'),
                 guest(2, 'destination', 'paused'),
                 guest(2.1, 'source', 'absent')]
        found = self.judge(
            moved, record(0, 'source', 'paused', 'migrating', 'paused'),
            record(3, 'source', 'stopped', power_state='shutdown'),
            record(7, 'destination', 'paused', power_state='paused'),
            paused=True)
        self.assertEqual(['I2', 'I3'], [line[:2] for line in found.broken])

    def test_a_guest_that_its_user_has_paused_and_that_runs(self):
        self.assert_verdict('wrong', MOVE, BEGINS, ENDS, paused=True)

    def test_a_guest_that_is_left_paused(self):
        stayed = MOVE[:3] + [guest(3, 'destination', 'absent')]
        found = self.assert_verdict(
            'right', stayed, BEGINS, record(4, 'source',
                                            power_state='paused'))
        self.assertEqual('the guest is paused', found.leftover)
        self.assert_verdict(
            'wrong', stayed, BEGINS, record(4, 'source', 'paused',
                                            power_state='paused'))

    def test_what_is_left_beside_the_guest(self):
        found = self.assert_verdict('right', MOVE[:2], BEGINS,
                                    record(4, 'source'))
        self.assertEqual('an empty domain on the destination', found.leftover)
        found = self.assert_verdict('right', MOVE[:4], BEGINS, ENDS)
        self.assertEqual('a paused copy on the source', found.leftover)
        found = self.assert_verdict('right', MOVE, BEGINS, ENDS)
        self.assertIsNone(found.leftover)

    def test_paused_on_both_hosts(self):
        both = MOVE[:3] + [guest(2.1, 'destination', 'paused')]
        self.assert_verdict('wrong', both, BEGINS, record(3, 'source'))

    def test_no_record(self):
        self.assert_verdict('not run', MOVE)


class HistoryTestCase(base.TestCase):

    def test_states(self):
        past = history.Past(MOVE + BEGINS + [ENDS], 10)
        self.assertEqual('absent', past.guest('destination', 0))
        self.assertEqual('incoming', past.guest('destination', 1))
        self.assertEqual(['source'], past.homes(1))
        self.assertEqual(['destination'], past.homes(3))
        self.assertIsNone(past.record(-6))
        self.assertEqual('migrating', past.record(1)['task_state'])
        self.assertEqual([(-5, 0), (0, 4.1), (4.1, 10)], [
            (begins, ends) for begins, ends, _ in past.records()])

    def test_times(self):
        past = history.Past(MOVE, 10)
        self.assertEqual(0, past.both_ran())
        self.assertAlmostEqual(6, past.alone('destination', 0, 10))
        self.assertAlmostEqual(2.03, past.alone('source', 0, 10))
