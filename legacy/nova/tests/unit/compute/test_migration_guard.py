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

import datetime
from unittest import mock

from nova.compute import guest_location as where
from nova.compute import guest_search
from nova.compute import migration_attempt
from nova.compute import migration_guard
from nova.compute import migration_keeper
from nova.compute import migration_notice
from nova.compute import migration_record
from nova.compute import migration_settlement
from nova.compute import power_state
from nova import exception
from nova import objects
from nova import test
from nova.tests.unit.compute import guard_fakes as fakes
from nova.tests.unit.compute import guard_manager
from nova.tests.unit.virt import threads
from nova import utils

R, P, A, U = where.PRESENCES
TORN_DESTINATION = ('tear down', 'dst')
TORN_SOURCE = ('tear down', 'src')


class GuardTestCase(test.NoDBTestCase):

    def setUp(self):
        super(GuardTestCase, self).setUp()
        self.clock = fakes.Clock()
        self.log = mock.Mock()
        self.patch(migration_settlement, 'time', self.clock)
        self.patch(migration_keeper, 'time', self.clock)
        self.patch(migration_notice, 'LOG', self.log)
        self.patch(migration_notice.compute_utils,
                   'add_instance_fault_from_exc', self.add_fault)
        self.patch(migration_keeper.timeutils, 'is_older_than',
                   mock.Mock(return_value=True))
        self.patch(migration_keeper.timeutils, 'normalize_time', mock.Mock())
        self.patch(objects.InstanceList, 'get_by_filters',
                   mock.Mock(side_effect=self.find_instances))
        guard_manager.serve_records(self)
        self.anew()

    def anew(self):
        """Begin with a new world."""
        self.new_world()
        self.prepare()

    def new_world(self):
        """Begin with a world in which nothing is prepared."""
        self.world = fakes.World()
        self.manager = guard_manager.FakeManager(self.world)
        self.instance = fakes.FakeInstance(self.world)

    def prepare(self):
        """What the tests of a class have in common."""

    def patch(self, where_, name, value):
        patcher = mock.patch.object(where_, name, value)
        patcher.start()
        self.addCleanup(patcher.stop)

    def add_fault(self, context, instance, fault, exc_info=None):
        self.world.faults.append(fault.kwargs['reason'])

    def find_instances(self, context, filters, expected_attrs=None):
        row = self.world.row
        fits = row is not None and all(
            row[name] == value for name, value in filters.items()
            if name != 'deleted')
        return [fakes.FakeInstance(self.world)] if fits else []

    def see(self, source, destination):
        self.world.presences.update(src=source, dst=destination)

    def begin(self, migrate_data=None):
        """The migration has begun and libvirt was called."""
        self.manager.begin(self.instance, migrate_data)

    def migration_fails(self, source=None, destination=None,
                        migrate_data=None):
        """libvirt has raised; the guest is as told."""
        if source is not None:
            self.see(source, destination)
        self.manager.fails(self.instance, migrate_data)

    def fail_at_the_end_of(self, name):
        """Let a method of Nova's raise once it has done its work."""
        guarded = self.manager.unguarded(name)
        method = guarded.unguarded

        def fail(manager, *args):
            method(manager, *args)
            raise ValueError('no cinder')
        self.patch(guarded, 'unguarded', fail)

    def remembered(self):
        return self.manager.remembered(fakes.FakeInstance(self.world))

    def look_again(self, rounds=1):
        for _ in range(rounds):
            migration_guard.look_again(self.manager, 'admin')
            threads.wait_until(lambda: not migration_guard.of(
                self.manager)._looking)

    def assert_parked(self):
        self.assertEqual(('error', 'migrating', 'src'),
                         (self.world.row['vm_state'],
                          self.world.row['task_state'],
                          self.world.row['host']))

    def assert_stayed(self, power=power_state.RUNNING, vm_state='active'):
        self.assertEqual((vm_state, None, 'src', power),
                         (self.world.row['vm_state'],
                          self.world.row['task_state'],
                          self.world.row['host'],
                          self.world.row['power_state']))
        self.assertIn(TORN_DESTINATION, self.world.done)
        self.assert_forgotten()

    def assert_moved(self):
        self.assertEqual(('active', None, 'dst'),
                         (self.world.row['vm_state'],
                          self.world.row['task_state'],
                          self.world.row['host']))
        self.assertIn(TORN_SOURCE, self.world.done)
        self.assertNotIn(TORN_DESTINATION, self.world.done)
        self.assert_forgotten()

    def assert_forgotten(self):
        self.assertEqual({'image_os': 'plan9'},
                         self.world.row['system_metadata'])

    def assert_nothing_done(self):
        self.assertEqual([], self.world.done)

    def said(self, level):
        texts = []
        for call in getattr(self.log, level).call_args_list:
            texts.append(call[0][0] % call[0][1] if len(call[0]) > 1
                         else call[0][0])
        return texts


class BeginTestCase(GuardTestCase):

    def test_keeps_nothing_of_an_earlier_migration(self):
        migration_record.set_two_copies(self.instance)
        self.begin()
        self.assertFalse(migration_record.has_two_copies(self.instance))
        self.assertEqual('plan9', self.instance.system_metadata['image_os'])

    def test_what_cannot_be_prepared_is_rolled_back_unasked(self):
        # The destination is down: nobody there could answer.
        self.manager.prepare = mock.Mock(side_effect=ValueError())
        self.see(R, U)
        self.assertRaises(ValueError, self.begin)
        self.assert_stayed()
        self.assertEqual([], self.clock.slept)

    def test_a_driver_that_cannot_look_changes_nothing(self):
        self.manager.driver = object()
        self.begin()
        self.assert_forgotten()
        self.migration_fails()
        self.assertEqual([TORN_DESTINATION], self.world.done)


class FailedTestCase(GuardTestCase):

    def prepare(self):
        self.begin()

    def test_a_guest_that_stayed_is_rolled_back(self):
        self.migration_fails(R, A)
        self.assert_stayed()
        self.assertEqual([], self.clock.slept)

    def test_a_guest_that_stayed_paused_is_recorded_so(self):
        self.migration_fails(P, A)
        self.assert_stayed(power_state.PAUSED)

    def test_a_guest_that_moved_is_finished(self):
        self.migration_fails(A, R)
        self.assert_moved()
        self.assertEqual([], self.clock.slept)

    def test_a_guest_that_moved_and_is_paused_is_finished(self):
        self.world.flags['dst'] = {'diverged': True}
        self.migration_fails(A, P)
        self.assert_moved()

    def test_a_guest_that_died_on_its_way_is_not_taken_for_moved(self):
        self.clock.tick = lambda: self.see(A, A)
        self.migration_fails(A, P)
        self.assert_stayed(power_state.SHUTDOWN, 'stopped')

    def test_a_guest_that_is_nowhere_is_recorded_shut_down(self):
        self.migration_fails(A, A)
        self.assert_stayed(power_state.SHUTDOWN, 'stopped')
        self.assertEqual(1, len(self.said('warning')))

    def test_also_where_its_rollback_fails_on_its_way(self):
        self.fail_at_the_end_of('roll back')
        self.assertRaises(ValueError, self.migration_fails, A, A)
        self.assert_stayed(power_state.SHUTDOWN, 'stopped')

    def test_one_that_is_started_meanwhile_is_not_recorded_stopped(self):
        guarded = self.manager.unguarded('roll back')
        roll_back = guarded.unguarded

        def start_too(manager, *args):
            roll_back(manager, *args)
            self.world.row['task_state'] = 'powering-on'
        self.patch(guarded, 'unguarded', start_too)
        self.migration_fails(A, A)
        self.assertEqual(('active', 'powering-on'),
                         (self.world.row['vm_state'],
                          self.world.row['task_state']))

    def test_a_paused_rest_on_the_source_is_given_time_then_ended(self):
        self.migration_fails(P, R)
        self.assert_moved()
        self.assertIn(('end', 'src'), self.world.done)
        self.assertTrue(sum(self.clock.slept) >= 30)

    def test_a_paused_rest_that_libvirt_ends_is_not_waited_for(self):
        self.clock.tick = lambda: self.see(A, R)
        self.migration_fails(P, R)
        self.assert_moved()
        self.assertEqual([1], self.clock.slept)

    def test_is_looked_at_again_until_it_can_be_asked(self):
        answers = [(R, U), (U, U), (P, P), (A, R)]
        self.clock.tick = lambda: self.see(*answers.pop(0))
        self.migration_fails(U, U)
        self.assert_moved()
        self.assertEqual([1, 2, 4, 8], self.clock.slept)

    def test_is_parked_when_nothing_can_be_decided(self):
        for pair in ((R, U), (P, U), (A, U), (U, R), (U, P), (U, A), (U, U),
                     (P, P)):
            self.migration_fails(*pair)
            self.assert_parked()
            self.assert_nothing_done()
            self.anew()

    def test_is_parked_after_the_time_that_is_set(self):
        self.migration_fails(U, U)
        self.assertEqual(60, sum(self.clock.slept))

    def test_a_migration_at_work_is_neither_parked_nor_touched(self):
        self.world.flags['src'] = {'moving': True}
        self.migration_fails(R, P)
        self.assert_nothing_done()
        self.assertEqual(('active', 'migrating'),
                         (self.world.row['vm_state'],
                          self.world.row['task_state']))

    def test_parking_keeps_where_it_was_to_go(self):
        self.migration_fails(R, U)
        self.assertEqual('dst', self.remembered().dest)


class DisksTestCase(GuardTestCase):
    """The guest's disks are copied to the destination."""

    KEPT = [TORN_DESTINATION, ('remove', 'dst', False)]

    def prepare(self):
        self.patch(migration_attempt.Attempt, 'copies_disks', True)
        self.begin()

    def assert_kept(self):
        self.assertEqual(self.KEPT, self.world.done[-2:])
        self.assertIn('are kept', self.said('warning')[-1])

    def assert_deleted(self):
        self.assertEqual([TORN_DESTINATION], self.world.done)

    def test_those_of_a_guest_that_stayed_are_deleted(self):
        self.migration_fails(R, A)
        self.assert_deleted()

    def test_a_guest_that_is_nowhere_may_have_written_there(self):
        self.migration_fails(A, A)
        self.assert_stayed(power_state.SHUTDOWN, 'stopped')
        self.assert_kept()

    def test_so_may_one_that_the_switch_over_has_paused(self):
        self.migration_fails(P, A)
        self.assert_kept()

    def test_but_not_one_that_its_user_has(self):
        self.world.row['vm_state'] = 'paused'
        self.migration_fails(P, A)
        self.assert_deleted()

    def test_nor_one_that_its_user_has_and_that_was_parked(self):
        self.world.row['vm_state'] = 'paused'
        self.migration_fails(P, U)
        self.see(P, A)
        self.look_again()
        self.assert_deleted()

    def test_a_copy_may_have_written_there(self):
        self.migration_fails(R, R)
        self.see(R, A)
        self.look_again()
        self.assert_stayed()
        self.assert_kept()

    def test_what_was_never_asked_to_migrate_has_not(self):
        self.new_world()
        self.manager.prepare = mock.Mock(side_effect=ValueError())
        self.see(A, U)
        self.assertRaises(ValueError, self.begin)
        self.assert_deleted()


class ShellTestCase(GuardTestCase):

    def prepare(self):
        self.begin(guard_manager.SHARED)

    def test_libvirt_has_its_time_to_remove_it(self):
        self.clock.tick = lambda: self.see(R, A)
        self.migration_fails(R, P, guard_manager.SHARED)
        self.assert_stayed()
        self.assertEqual([TORN_DESTINATION], self.world.done)

    def test_one_that_stays_is_removed_and_no_disk_touched(self):
        def tick():
            if self.world.done:
                self.see(R, A)
        self.clock.tick = tick
        self.migration_fails(R, P, guard_manager.SHARED)
        self.assert_stayed()
        self.assertEqual([('remove', 'dst', False), TORN_DESTINATION],
                         self.world.done)
        self.assertTrue(sum(self.clock.slept) >= 30)

    def test_one_that_cannot_be_removed_parks(self):
        self.migration_fails(R, P, guard_manager.SHARED)
        self.assert_parked()
        self.assertNotIn(TORN_DESTINATION, self.world.done)

    def test_one_that_only_rpc_could_see_is_removed(self):
        self.world.rpc['dst'] = A
        self.migration_fails(R, U, guard_manager.SHARED)
        self.assert_stayed()
        self.assertEqual(('remove', 'dst', False), self.world.done[0])


class TwoCopiesTestCase(GuardTestCase):

    def prepare(self):
        self.begin()

    def test_the_destinations_is_suspended_and_neither_torn_down(self):
        self.migration_fails(R, R)
        self.assert_parked()
        self.assertEqual([('suspend', 'dst')], self.world.done)
        self.assertIn('TWO COPIES', self.said('error')[0])

    def test_it_is_stored_before_anything_is_suspended(self):
        seen = []
        self.manager.driver.guest_finder.suspend = lambda *args: seen.append(
            dict(self.world.row))
        self.migration_fails(R, R)
        self.assertEqual('error', seen[0]['vm_state'])
        self.assertEqual(
            'True', seen[0]['system_metadata']['live_migration_two_copies'])

    def test_a_suspended_copy_is_never_removed(self):
        self.migration_fails(R, R)
        self.see(R, P)
        self.look_again(rounds=40)
        self.assert_parked()
        self.assertEqual([('suspend', 'dst')], self.world.done)

    def test_nor_after_a_restart(self):
        self.migration_fails(R, R)
        self.see(R, P)
        self.manager = guard_manager.FakeManager(self.world)
        self.look_again(rounds=40)
        self.assert_parked()
        self.assertEqual([('suspend', 'dst')], self.world.done)

    def test_nor_on_the_word_of_a_compute_that_sees_it_not_running(self):
        self.migration_fails(R, R)
        self.see(R, U)
        self.world.rpc['dst'] = P
        self.look_again(rounds=40)
        self.assert_parked()

    def test_the_human_who_destroys_one_frees_the_instance(self):
        self.migration_fails(R, R)
        self.see(R, A)
        self.look_again()
        self.assert_stayed()

    def test_or_the_other(self):
        self.migration_fails(R, R)
        self.see(A, P)
        self.look_again()
        self.assert_moved()

    def test_a_copy_that_cannot_be_suspended_is_an_alarm_every_round(self):
        self.manager.driver.guest_finder.suspend = mock.Mock(
            side_effect=ValueError('read only'))
        self.migration_fails(R, R)
        self.look_again(rounds=3)
        suspend = self.manager.driver.guest_finder.suspend
        self.assertEqual(4, suspend.call_count)
        self.assertIn('read only', self.said('critical')[0])
        self.assertIn('virsh suspend %s' % fakes.UUID,
                      self.said('critical')[0])

    def test_a_guest_that_moves_between_two_looks_is_no_second_copy(self):
        looks = []

        def look(instance, host=None):
            looks.append(host)
            presence = R if host or len(looks) == 1 else A
            return where.Sighting(presence, 'libvirt')
        self.manager.driver.guest_finder.look = look
        self.migration_fails()
        self.assert_moved()


class RPCTestCase(GuardTestCase):

    def prepare(self):
        self.begin()

    def test_is_not_asked_where_libvirt_answers(self):
        self.world.rpc['dst'] = A
        self.migration_fails(R, A)
        self.assertNotIn('it does not run here', self.world.faults)

    def test_running_is_as_good_as_libvirts(self):
        self.world.rpc['dst'] = R
        self.migration_fails(A, U)
        self.assert_moved()

    def test_not_running_is_enough_where_the_source_runs(self):
        self.world.rpc['dst'] = A
        self.migration_fails(R, U)
        self.assert_stayed()

    def test_but_only_when_it_is_said_twice(self):
        # A daemon that wakes answers first, and then lets the copy run that
        # it was asked for while it could not answer.
        self.world.rpc['dst'] = P
        self.clock.tick = lambda: self.world.rpc.update(dst=R)
        self.migration_fails(R, U)
        self.assert_parked()
        self.assertEqual([('suspend', 'dst')], self.world.done)

    def test_not_running_is_not_enough_elsewhere(self):
        for presence in (P, A, U):
            self.world.rpc['dst'] = A
            self.migration_fails(presence, U)
            self.assert_parked()
            self.assert_nothing_done()
            self.anew()

    def test_any_other_error_is_no_answer(self):
        self.world.rpc['dst'] = exception.NovaException('libvirt is down')
        self.migration_fails(R, U)
        self.assert_parked()
        self.assertIn('libvirt is down', self.said('error')[0])

    def test_an_error_is_told_without_its_traceback(self):
        self.world.rpc['dst'] = exception.NovaException(
            'Remote error: no\nTraceback (most recent call last):')
        self.migration_fails(R, U)
        self.assertIn('Remote error: no)', self.said('error')[0])

    def test_silence_is_no_answer_and_holds_up_nothing(self):
        self.patch(guest_search.CONF, 'live_migration_rpc_timeout', 0.01)
        self.patch(migration_keeper.CONF, 'live_migration_park_after', 1)
        self.manager.compute_rpcapi.get_instance_diagnostics = (
            lambda *args: threads.pause(0.5))
        self.migration_fails(R, U)
        self.assert_parked()

    def test_asks_on_behalf_of_the_destination(self):
        ask = mock.Mock()
        self.manager.compute_rpcapi.get_instance_diagnostics = ask
        self.migration_fails(A, U)
        self.assertEqual('dst', ask.call_args[0][1].host)
        self.assertIsNot(self.instance, ask.call_args[0][1])

    def test_a_refusal_is_never_the_newest_fault(self):
        for pair in ((R, U), (A, U), (U, U)):
            self.world.rpc['dst'] = A
            self.migration_fails(*pair)
            self.assertIn('it does not run here', self.world.faults)
            self.assertIn('Nova ', self.world.faults[-1])
            self.anew()

    def test_nor_while_the_instance_stays_parked(self):
        self.world.rpc['dst'] = A
        self.migration_fails(A, U)
        self.look_again()
        self.assertIn('Nova ', self.world.faults[-1])


class ParkedTestCase(GuardTestCase):

    def prepare(self):
        self.begin(guard_manager.SHARED)
        self.migration_fails(R, U, guard_manager.SHARED)
        self.log.reset_mock()
        self.world.faults = []

    def test_is_freed_once_the_destination_answers(self):
        self.see(R, A)
        self.look_again()
        self.assert_stayed()

    def test_is_finished_once_the_destination_answers(self):
        self.see(A, R)
        self.look_again()
        self.assert_moved()

    def test_what_it_was_before_outlives_what_it_was_parked_for(self):
        self.anew()
        self.world.row['vm_state'] = 'paused'
        self.instance.refresh()
        self.begin()
        self.migration_fails(P, U)
        self.see(U, U)
        self.look_again(rounds=2)
        self.assert_parked()
        self.see(A, P)
        self.world.flags['dst'] = {'diverged': True}
        self.look_again(rounds=4)
        self.assertEqual(('paused', 'dst'), (self.world.row['vm_state'],
                                             self.world.row['host']))

    def test_is_looked_at_more_and_more_seldom(self):
        look = mock.Mock(return_value=where.Sighting(U, 'libvirt'))
        self.manager.driver.guest_finder.look = look
        looked = []
        for number in range(100):
            before = look.call_count
            self.look_again()
            if look.call_count > before:
                looked.append(number)
        self.assertEqual([0, 1, 3, 7, 15, 31, 63, 95], looked)

    def test_says_nothing_new_while_nothing_changes(self):
        self.look_again(rounds=40)
        for level in ('info', 'warning', 'error', 'critical'):
            self.assertEqual([], self.said(level))
        self.assertEqual([], self.world.faults)

    def test_says_it_when_something_changes(self):
        self.see(U, U)
        self.look_again()
        self.assertEqual(1, len(self.said('error')))

    def test_is_left_alone_while_this_process_works_on_it(self):
        guard = migration_guard.of(self.manager)
        guard.begin(self.manager.attempt(fakes.FakeInstance(self.world)))
        self.see(R, A)
        self.look_again()
        self.assert_nothing_done()

    def test_a_fresh_migration_elsewhere_in_nova_is_left_alone(self):
        # The API has set the task, and the conductor still looks for a host.
        self.world.row['vm_state'] = 'active'
        migration_keeper.timeutils.is_older_than.return_value = False
        self.see(R, A)
        self.look_again()
        self.assert_nothing_done()

    def test_a_look_that_fails_harms_no_other(self):
        self.manager.driver.guest_finder.look = mock.Mock(
            side_effect=ValueError())
        log = mock.Mock()
        self.patch(migration_keeper, 'LOG', log)
        self.look_again()
        self.assertEqual(1, log.exception.call_count)
        self.assert_parked()


class UnrecordedTestCase(GuardTestCase):
    """The conductor gave up, or nova-compute was upgraded in the middle."""

    def test_a_guest_that_runs_here_never_left(self):
        self.see(R, U)
        self.look_again()
        self.assertEqual(('active', None), (self.world.row['vm_state'],
                                            self.world.row['task_state']))
        self.assert_nothing_done()

    def test_any_other_is_parked(self):
        for presence in (P, A, U):
            self.see(presence, A)
            self.look_again()
            self.assert_parked()
            self.assert_nothing_done()
            self.assertIn('reset-state', self.said('error')[-1])
            self.anew()

    def test_one_that_moves_is_left_alone(self):
        self.world.flags['src'] = {'moving': True}
        self.look_again(rounds=5)
        self.assertEqual(('active', 'migrating'),
                         (self.world.row['vm_state'],
                          self.world.row['task_state']))


class ResetStateTestCase(GuardTestCase):
    """An administrator resets the state in the middle of a migration."""

    def prepare(self):
        self.begin()
        self.world.row['task_state'] = None

    def test_a_migration_that_fails_is_taken_back_and_decided(self):
        self.migration_fails(A, R)
        self.assert_moved()
        self.assertIn('was reset', self.said('warning')[0])

    def test_a_migration_in_doubt_is_taken_back_and_parked(self):
        self.migration_fails(U, U)
        self.assert_parked()

    def test_a_migration_that_succeeds_is_taken_back_and_finished(self):
        self.see(A, R)
        self.manager.succeeds(self.instance)
        self.assert_moved()

    def test_another_task_is_left_alone(self):
        self.world.row['task_state'] = 'rebooting'
        self.migration_fails(A, R)
        self.assertEqual('rebooting', self.world.row['task_state'])
        self.assert_nothing_done()

    def test_one_that_is_parked_is_the_administrators(self):
        self.world.row['task_state'] = 'migrating'
        self.migration_fails(R, U)
        self.world.row.update(vm_state='active', task_state=None)
        self.see(R, A)
        self.look_again()
        self.assert_nothing_done()


class RestoreTestCase(GuardTestCase):
    """A user deletes a parked instance softly, and restores it."""

    def prepare(self):
        self.begin()
        self.migration_fails(A, U)
        self.world.row.update(vm_state='soft-delete', task_state=None)

    def restore(self):
        self.manager.restore_instance('context',
                                      fakes.FakeInstance(self.world))

    def test_is_refused_while_the_guest_may_run_elsewhere(self):
        self.patch(migration_guard, 'LOG', mock.Mock())
        for presence in (R, P, U):
            self.see(A, presence)
            self.assertRaises(exception.InstanceInvalidState, self.restore)
        self.assertEqual([], self.manager.started)

    def test_is_allowed_where_it_does_not(self):
        self.see(A, A)
        self.restore()
        self.assertEqual([fakes.UUID], self.manager.started)

    def test_is_allowed_where_nothing_migrated(self):
        self.world.row['system_metadata'] = {}
        self.world.migration = None
        self.see(A, U)
        self.restore()
        self.assertEqual([fakes.UUID], self.manager.started)


class WordsTestCase(GuardTestCase):

    def prepare(self):
        self.begin()

    def test_parking_is_one_error_that_says_it_all(self):
        self.world.rpc['dst'] = exception.NovaException('no answer')
        self.migration_fails(R, U)
        text, = self.said('error')
        for part in ('on src: running (libvirt at src)',
                     'on dst: unknown (libvirt at dst; nova-compute on dst: '
                     'no answer)', 'is parked', 'looks again',
                     'Do not start the guest'):
            self.assertIn(part, text)

    def test_looking_on_is_said_once(self):
        self.migration_fails(U, U)
        self.assertEqual(1, len(self.said('warning')))

    def test_the_parked_fault_fits_its_column(self):
        self.migration_fails(R, U)
        self.assertTrue(len(self.world.faults[-1]) < 235,
                        len(self.world.faults[-1]))

    def test_an_answer_that_is_asked_for_twice_is_called_so(self):
        self.world.rpc['dst'] = A
        self.migration_fails(R, U)
        self.assertIn('a second time', self.said('info')[0])

    def test_a_kept_copy_that_is_suspended_is_to_be_resumed(self):
        self.migration_fails(R, R)
        self.see(A, P)
        self.look_again()
        self.assertIn('virsh resume', self.said('warning')[-1])

    def test_no_progress_is_left(self):
        self.world.row['progress'] = 42
        self.instance.refresh()
        self.migration_fails(R, A)
        self.assertEqual(0, self.world.row['progress'])

    def test_a_rolled_back_migration_leaves_a_true_fault(self):
        self.migration_fails(R, A)
        self.assertIn('The guest has stayed', self.world.faults[-1])


class ChangedTestCase(GuardTestCase):

    def prepare(self):
        self.begin()

    def test_a_deleted_instance_is_left_alone(self):
        self.world.row = None
        self.migration_fails(A, R)
        self.assert_nothing_done()
        self.assertIn('deleted', self.said('warning')[0])

    def test_a_destination_that_has_finished_is_left_alone(self):
        self.world.row.update(host='dst', task_state=None)
        self.migration_fails(A, R)
        self.assert_nothing_done()

    def test_a_task_of_somebody_else_is_left_alone(self):
        self.world.row['task_state'] = 'deleting'
        self.migration_fails(R, A)
        self.assert_nothing_done()
        self.assertEqual('deleting', self.world.row['task_state'])

    def test_a_task_that_changes_under_the_look_is_left_alone(self):
        def look(instance, host=None):
            self.world.row['task_state'] = 'deleting'
            return self.world.sighting(host or 'src')
        self.manager.driver.guest_finder.look = look
        for pair in ((R, A), (U, U), (R, R)):
            self.world.row['task_state'] = 'migrating'
            self.migration_fails(*pair)
            self.assertEqual('deleting', self.world.row['task_state'])
            self.assert_nothing_done()

    def test_a_deletion_under_the_look_is_left_alone(self):
        def look(instance, host=None):
            self.world.row = None
            return self.world.sighting(host or 'src')
        self.manager.driver.guest_finder.look = look
        for pair in ((R, A), (U, U)):
            self.world.row = fakes.World().row
            self.migration_fails(*pair)
            self.assertIsNone(self.world.row)
            self.assert_nothing_done()

    def test_a_database_that_is_away_for_a_moment_ends_nothing(self):
        refresh = self.instance.refresh
        self.instance.refresh = mock.Mock(
            side_effect=[ValueError(), ValueError()] + 9 * [None])
        self.clock.tick = lambda: None
        self.see(A, R)
        self.migration_fails()
        self.instance.refresh = refresh
        self.assert_moved()

    def test_a_rollback_that_fails_on_its_way_is_not_begun_again(self):
        calls = []

        def roll_back(manager, context, instance, *args):
            calls.append(instance)
            instance.task_state = None
            instance.save(expected_task_state=['migrating'])
            raise ValueError('the destination is down')
        self.patch(self.manager.unguarded('roll back'), 'unguarded', roll_back)
        self.assertRaises(ValueError, self.migration_fails, R, A)
        self.assertEqual(1, len(calls))
        self.assertIsNone(self.world.row['task_state'])

    def test_two_copies_are_suspended_though_nothing_can_be_stored(self):
        self.instance.save = mock.Mock(side_effect=ValueError())
        self.assertRaises(ValueError, self.migration_fails, R, R)
        self.assertIn(('suspend', 'dst'), self.world.done)

    def test_a_migration_that_begins_meanwhile_is_left_alone(self):
        keeper = migration_guard.of(self.manager)
        keeper.end(fakes.UUID)
        old = fakes.FakeInstance(self.world)
        keeper.begin(self.manager.attempt(fakes.FakeInstance(self.world)))
        self.see(R, A)
        keeper._look_once('admin', old)
        self.assert_nothing_done()
        self.assertEqual('migrating', self.world.row['task_state'])

    def test_two_looks_at_one_instance_do_not_interleave(self):
        order = []

        def look(instance, host=None):
            order.append(('begin', host))
            threads.pause()
            order.append(('end', host))
            return self.world.sighting(host or 'src')
        self.manager.driver.guest_finder.look = look
        self.see(R, A)
        fails = [threads.Thread(self.manager.fails,
                                fakes.FakeInstance(self.world))
                 for _ in range(3)]
        for thread in fails:
            thread.wait()
        self.assertEqual([('begin', None), ('end', None),
                          ('begin', 'dst'), ('end', 'dst')], order)
        self.assertEqual([TORN_DESTINATION], self.world.done)

    def test_whoever_holds_the_instance_is_waited_for(self):
        @utils.synchronized(fakes.UUID)
        def delete():
            held.append(True)
            threads.pause(0.05)
            self.world.row = None
        held = []
        thread = threads.Thread(delete)
        threads.wait_until(lambda: held)
        self.migration_fails(R, A)
        thread.wait()
        self.assert_nothing_done()


class FinishTestCase(GuardTestCase):

    def prepare(self):
        self.begin()
        self.see(A, R)

    def finish(self):
        self.manager.succeeds(self.instance)

    def test_a_migration_that_succeeds_is_not_looked_at(self):
        self.manager.driver.guest_finder.look = mock.Mock()
        self.finish()
        self.assert_moved()
        self.assertFalse(self.manager.driver.guest_finder.look.called)

    def test_a_paused_rest_that_cannot_be_ended_parks(self):
        self.manager.driver.guest_finder.end_paused = mock.Mock(
            side_effect=ValueError())
        self.migration_fails(P, R)
        self.assert_parked()


class StartTestCase(GuardTestCase):

    def prepare(self):
        self.begin()
        # A new process: nothing is known but what the database says.
        self.manager = guard_manager.FakeManager(self.world)

    def start(self):
        self.manager._init_instance('admin', fakes.FakeInstance(self.world))

    def test_a_guest_that_stayed_is_started_as_ever(self):
        self.see(R, A)
        self.start()
        self.assert_stayed()
        self.assertEqual([fakes.UUID], self.manager.started)

    def test_one_that_was_not_rolled_back_to_the_end_is_started(self):
        self.fail_at_the_end_of('roll back')
        self.patch(migration_keeper, 'LOG', mock.Mock())
        self.see(R, A)
        self.start()
        self.assertEqual([fakes.UUID], self.manager.started)

    def test_also_where_the_look_had_to_be_put_off(self):
        self.fail_at_the_end_of('roll back')
        self.patch(migration_keeper, 'LOG', mock.Mock())
        self.see(R, U)
        self.start()
        self.see(R, A)
        self.look_again()
        self.assertEqual([fakes.UUID], self.manager.started)

    def test_a_guest_that_moved_is_finished_and_not_started(self):
        self.see(A, R)
        self.start()
        self.assert_moved()
        self.assertEqual([], self.manager.started)

    def test_a_guest_that_is_nowhere_is_recorded_before_it_is_started(self):
        # With resume_guests_state_on_host_boot, a record that says RUNNING
        # would have it started.
        self.see(A, A)
        self.start()
        self.assert_stayed(power_state.SHUTDOWN, 'stopped')
        self.assertEqual([fakes.UUID], self.manager.started)

    def test_a_guest_in_doubt_is_not_started(self):
        for pair in ((R, U), (A, U), (U, U), (R, P), (P, P)):
            self.see(*pair)
            self.start()
            self.assertEqual([], self.manager.started)
            self.assert_nothing_done()
            self.assertEqual('migrating', self.world.row['task_state'])
            self.anew()

    def test_but_later_when_it_is_found_here(self):
        self.see(R, U)
        self.start()
        self.see(R, A)
        self.look_again()
        self.assert_stayed()
        self.assertEqual([fakes.UUID], self.manager.started)

    def test_a_guest_still_in_doubt_then_is_parked(self):
        migration_keeper.timeutils.is_older_than.return_value = False
        self.see(R, U)
        self.start()
        self.look_again()
        self.assert_parked()

    def test_a_parked_instance_is_looked_at_too(self):
        self.world.row['vm_state'] = 'error'
        self.see(R, A)
        self.start()
        self.assert_stayed()

    def test_any_other_instance_starts_as_ever(self):
        for change in ({'task_state': None}, {'host': 'other'},
                       {'task_state': 'deleting'}):
            row = dict(self.world.row)
            self.world.row.update(change)
            self.start()
            self.world.row = row
        self.assertEqual([fakes.UUID] * 3, self.manager.started)
        self.assert_nothing_done()

    def test_no_error_keeps_the_service_from_starting(self):
        self.manager.driver.guest_finder.look = mock.Mock(
            side_effect=ValueError())
        self.patch(migration_keeper, 'LOG', mock.Mock())
        self.start()
        self.assertEqual([], self.manager.started)

    def test_all_looks_of_one_start_take_a_bounded_time(self):
        def look(instance, host=None):
            self.clock.now += 20
            return where.Sighting(U, 'libvirt')
        self.manager.driver.guest_finder.look = look
        self.patch(migration_keeper, 'LOG', mock.Mock())
        for _ in range(20):
            self.start()
        self.assertTrue(self.clock.now < 1000 + 60 + 60)


class RestTestCase(GuardTestCase):

    def test_a_driver_that_cannot_look_is_asked_for_nothing(self):
        self.manager.driver = object()
        self.look_again()
        self.assertFalse(objects.InstanceList.get_by_filters.called)
        self.manager._init_instance('admin', self.instance)
        self.assertEqual([fakes.UUID], self.manager.started)

    def test_an_untouched_record_is_told_by_its_time(self):
        self.patch(migration_keeper.timeutils, 'normalize_time',
                   lambda time: time)
        guard = migration_guard.of(self.manager)
        self.instance.updated_at = datetime.datetime(2015, 1, 23)
        guard._is_untouched(self.instance)
        migration_keeper.timeutils.is_older_than.assert_called_with(
            self.instance.updated_at, migration_keeper.UNTOUCHED)
