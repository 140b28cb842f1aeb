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


from unittest import mock

from nova.compute import migration_guard
from nova.compute import migration_keeper
from nova import exception
from nova import objects
from nova.tests.unit.compute import guard_fakes as fakes
from nova.tests.unit.compute import guard_manager
from nova.tests.unit.compute import test_migration_guard

R, P, A, U = test_migration_guard.where.PRESENCES
VOLUME = 'e2f1c2f0-1d2a-4f54-9a52-0c3d3d7a3a7e'
STATUSES_AFTER = ('accepted', 'pre-migrating', 'completed', 'failed',
                  'cancelled', 'error')


class AttemptTestCase(test_migration_guard.GuardTestCase):

    def restart(self):
        """A new process: nothing is known but what the database says."""
        self.manager = guard_manager.FakeManager(self.world)
        self.instance = fakes.FakeInstance(self.world)

    def attach_volume(self, attachment):
        self.world.bdms = [mock.Mock(is_volume=True, volume_id=VOLUME,
                                     attachment_id=attachment,
                                     connection_info='of ' + attachment)]

    def test_the_migrations_record_tells_the_destination(self):
        self.begin()
        self.assertEqual('dst', self.remembered().dest)
        self.assertTrue(self.remembered().is_prepared)

    def test_one_that_waits_in_the_queue_is_not_prepared(self):
        self.begin()
        for status in ('queued', 'preparing'):
            self.world.migration.status = status
            self.assertEqual('dst', self.remembered().dest)
            self.assertFalse(self.remembered().is_prepared)

    def test_one_that_has_not_reached_the_source_or_is_over_tells_none(self):
        self.begin()
        for status in STATUSES_AFTER:
            self.world.migration.status = status
            self.assertIsNone(self.remembered().dest)

    def test_one_that_came_from_elsewhere_tells_none(self):
        self.begin()
        self.world.migration.source_compute = 'other'
        self.assertIsNone(self.remembered().dest)

    def test_what_was_agreed_on_outlives_a_restart(self):
        self.begin(guard_manager.SHARED)
        self.restart()
        self.see(R, A)
        self.look_again()
        self.assert_stayed()
        data, status, _, pre = self.manager.rolled_back_with[0]
        self.assertEqual((True, True, False, 'failed', False), (
            data.is_shared_instance_path, data.is_shared_block_storage,
            data.block_migration, status, pre))
        self.assertEqual('failed', self.world.migration.status)

    def test_no_disk_is_touched_where_nothing_was_told(self):
        self.begin()
        self.restart()
        self.see(R, A)
        self.look_again()
        data = self.manager.rolled_back_with[0][0]
        self.assertTrue(data.is_shared_block_storage and
                        data.is_shared_instance_path)

    def test_an_earlier_one_that_was_cut_short_is_not_meant(self):
        self.begin()
        self.world.earlier = [objects.Migration(
            id=1, dest_compute='old', source_compute='src', status=status,
            migration_type='live-migration')
            for status in ('running', 'preparing')]
        self.assertEqual('dst', self.remembered().dest)
        self.world.migration.status = 'completed'
        self.assertIsNone(self.remembered().dest)

    def test_one_that_was_cancelled_in_the_queue_has_never_left(self):
        self.begin()
        self.world.migration.status = 'cancelled'
        self.restart()
        self.see(A, U)
        self.manager._init_instance(guard_manager.CONTEXT, self.instance)
        self.assertEqual([self.instance.uuid], self.manager.started)
        self.assertEqual(('active', None), (self.world.row['vm_state'],
                                            self.world.row['task_state']))

    def test_one_that_waits_for_its_turn_is_left_alone(self):
        self.manager.attempt(self.instance)
        self.manager._waiting_live_migrations[self.instance.uuid] = (
            None, None)
        self.patch(migration_keeper.Keeper, '_is_untouched',
                   lambda self, instance: True)
        self.see(R, A)
        self.look_again()
        self.assert_nothing_done()
        del self.manager._waiting_live_migrations[self.instance.uuid]
        self.look_again()
        self.assert_stayed()

    def test_one_that_failed_before_the_driver_was_called_waits_no_more(self):
        self.manager.attempt(self.instance)
        future = mock.Mock()
        self.manager._waiting_live_migrations[self.instance.uuid] = (
            self.world.migration, future)
        self.see(R, A)
        future.done.return_value = False
        self.look_again()
        self.assert_nothing_done()
        future.done.return_value = True
        self.look_again()
        self.assert_stayed()

    def roll_back_one_that_was_cut_short(self, status, attached):
        self.attach_volume('of-the-source')
        self.begin()
        self.world.migration.status = status
        self.attach_volume(attached)
        self.restart()
        self.manager.volume_api.attachment_get.return_value = {
            'id': 'of-the-source', 'connection_info': {'lun': 1}}
        self.see(R, A)
        self.look_again()
        return self.manager.rolled_back_with[0][-1]

    def test_libvirt_is_asked_where_the_migration_itself_connects(self):
        self.begin()
        self.world.live_data.target_connect_addr = '10.1.2.3'
        asked = []
        look = self.manager.driver.guest_finder.look

        def record(instance, host=None):
            asked.append(host)
            return look(instance, host and 'dst')
        self.manager.driver.guest_finder.look = record
        self.migration_fails(R, U)
        self.assertIn('10.1.2.3', asked)
        self.assertNotIn('dst', asked)
        self.assert_parked()
        # also by a process that was not told
        self.assertEqual(('dst', '10.1.2.3'), (self.remembered().dest,
                                               self.remembered().address))

    def test_a_destination_that_was_not_prepared_is_not_asked(self):
        self.assertTrue(self.roll_back_one_that_was_cut_short(
            'preparing', 'of-the-source'))

    def test_a_volume_tells_that_the_destination_was_prepared(self):
        self.assertFalse(self.roll_back_one_that_was_cut_short(
            'preparing', 'of-the-destination'))

    def test_one_aborted_after_it_was_prepared_is_undone_there(self):
        self.begin()
        self.world.migration.status = 'preparing'
        self.see(R, A)
        self.manager._rollback_live_migration(
            guard_manager.CONTEXT, self.instance, 'dst', self.world.live_data,
            migration_status='cancelled', source_bdms=[])
        self.assertFalse(self.manager.rolled_back_with[0][-1])

    def test_the_sources_attachment_outlives_a_restart(self):
        self.attach_volume('of-the-source')
        self.begin()
        # As pre_live_migration leaves it.
        self.attach_volume('of-the-destination')
        self.restart()
        self.manager.volume_api.attachment_get.return_value = {
            'id': 'of-the-source', 'connection_info': {'lun': 1}}
        self.see(A, R)
        self.look_again()
        self.assert_moved()
        bdm, = self.manager.finished_with[0][1]
        self.assertEqual('of-the-source', bdm.attachment_id)
        self.assertIn(VOLUME, bdm.connection_info)

    def interrupt_the_finish(self):
        """Nobody saw its end, and the source is rid of the volume."""
        self.attach_volume('of-the-source')
        self.begin()
        self.attach_volume('of-the-destination')
        self.restart()
        self.manager.volume_api.attachment_get.side_effect = (
            exception.VolumeAttachmentNotFound(
                attachment_id='of-the-source'))

    def test_what_is_detached_already_is_not_detached_again(self):
        self.interrupt_the_finish()
        self.see(A, R)
        self.look_again()
        self.assert_moved()
        self.assertEqual([], self.manager.finished_with[0][1])

    def test_is_finished_once_the_resource_tracker_is_up(self):
        self.begin()
        self.restart()
        self.see(A, R)
        self.manager.rt.pci_tracker = None
        self.manager._init_instance(guard_manager.CONTEXT, self.instance)
        self.assertEqual([], self.manager.started)
        self.assert_nothing_done()
        self.assertEqual(('src', 'active', 'migrating'), (
            self.world.row['host'], self.world.row['vm_state'],
            self.world.row['task_state']))
        self.manager.rt.pci_tracker = mock.Mock()
        self.look_again()
        self.assert_moved()

    def test_nothing_is_rolled_back_to_an_attachment_that_is_gone(self):
        self.interrupt_the_finish()
        self.patch(migration_keeper, 'LOG', mock.Mock())
        self.see(R, A)
        self.look_again()
        self.assertEqual([], self.manager.rolled_back_with)
        self.assertEqual('migrating', self.world.row['task_state'])

    def test_an_attachment_that_stayed_is_asked_for_nowhere(self):
        self.attach_volume('of-the-source')
        self.begin()
        self.restart()
        self.see(A, R)
        self.look_again()
        self.assertFalse(self.manager.volume_api.attachment_get.called)
        bdm, = self.manager.finished_with[0][1]
        self.assertEqual('of of-the-source', bdm.connection_info)

    def test_an_abort_is_recorded_as_one(self):
        self.begin()
        self.see(R, A)
        self.manager._rollback_live_migration(
            guard_manager.CONTEXT, self.instance, 'dst', self.world.live_data,
            migration_status='cancelled', source_bdms=[])
        self.assert_stayed()
        self.assertEqual('cancelled', self.world.migration.status)

    def test_a_parked_migration_is_still_under_way(self):
        self.begin()
        self.migration_fails(R, U)
        self.assert_parked()
        self.assertEqual('running', self.world.migration.status)

    def roll_back_keeping_disks(self):
        self.begin({'is_shared_instance_path': False,
                    'is_shared_block_storage': False})
        self.remembered().roll_back(self.manager, keeps_disks=True)
        return self.manager.rolled_back_with[0][0]

    def test_kept_disks_are_rolled_back_as_if_they_were_shared(self):
        data = self.roll_back_keeping_disks()
        self.assertTrue(data.is_shared_instance_path and
                        data.is_shared_block_storage)
        self.assertEqual(('remove', 'dst', False), self.world.done[-1])

    def test_a_shell_is_removed_and_no_disk_touched(self):
        self.begin()
        self.migration_fails(R, P)
        sent = self.manager.compute_rpcapi.sent
        self.assertTrue(sent.is_shared_instance_path and
                        sent.is_shared_block_storage)


class DriverRaisesTestCase(AttemptTestCase):
    """driver.live_migration raises, having told the end before or not."""

    def test_before_it_told_anything_the_guest_is_looked_for(self):
        self.manager.migrate = mock.Mock(side_effect=ValueError())
        self.see(A, R)
        self.begin()
        self.assert_moved()

    def test_after_it_has_told_nothing_is_done_again(self):
        def migrate(context, instance, dest, migrate_data):
            self.manager._rollback_live_migration(context, instance, dest,
                                                  migrate_data)
            raise ValueError()
        self.manager.migrate = migrate
        self.see(R, A)
        self.begin()
        self.assert_stayed()
        self.assertEqual(1, len(self.manager.rolled_back_with))

    def test_what_is_parked_stays_parked(self):
        self.manager.migrate = mock.Mock(side_effect=ValueError())
        self.see(R, U)
        self.begin()
        self.assert_parked()

    def test_of_a_driver_that_cannot_look_it_is_as_ever(self):
        self.manager.driver = object()
        self.manager.migrate = mock.Mock(side_effect=ValueError())
        self.assertRaises(ValueError, self.begin)
        self.assertEqual('error', self.world.migration.status)


class BeginTooLateTestCase(test_migration_guard.GuardTestCase):

    def test_nothing_is_begun_once_the_task_was_reset(self):
        self.patch(migration_guard, 'LOG', mock.Mock())
        self.world.row['task_state'] = None
        self.manager.migrate = mock.Mock()
        self.begin()
        self.manager._waiting_live_migrations[self.instance.uuid] = (
            None, None)
        self.begin()
        self.assertFalse(self.manager.migrate.called)
        self.assert_nothing_done()
        self.assert_given_up()
        self.assertTrue(self.manager._revert_allocation.called)
        self.assertEqual('dst', self.manager.network_api.
                         setup_networks_on_host.call_args[1]['host'])

    def assert_given_up(self):
        self.assertEqual('error', self.world.migration.status)
        self.assertEqual({}, self.manager._waiting_live_migrations)

    def test_of_one_that_was_deleted_nothing_is_left(self):
        self.patch(migration_guard, 'LOG', mock.Mock())
        self.patch(migration_keeper.Keeper, 'begin', mock.Mock(
            side_effect=exception.InstanceNotFound(instance_id=fakes.UUID)))
        self.manager.migrate = mock.Mock()
        self.begin()
        self.assertFalse(self.manager.migrate.called)
        self.assert_given_up()
        self.assertFalse(self.manager._revert_allocation.called)
        self.assertEqual(fakes.MIGRATION, self.manager.reportclient.
                         delete_allocation_for_instance.call_args[0][1])


class FinishTestCase(test_migration_guard.FinishTestCase):

    def test_what_cannot_be_finished_belongs_to_the_destination(self):
        self.manager.finish_fails = ValueError('no cinder')
        self.assertRaises(ValueError, self.finish)
        self.assertEqual(('dst', None, 'active'), (
            self.world.row['host'], self.world.row['task_state'],
            self.world.row['vm_state']))
        self.assertEqual('error', self.world.migration.status)

    def test_why_it_could_not_is_said(self):
        self.manager.finish_fails = ValueError('no cinder')
        self.migration_fails()
        self.assertEqual('dst', self.world.row['host'])
        self.assertIn('no cinder', self.said('error')[0])
