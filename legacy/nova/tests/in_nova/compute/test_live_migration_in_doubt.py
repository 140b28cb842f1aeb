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

"""The guard in the real ComputeManager, on a real database."""

from unittest import mock

from nova.compute import guest_location as where
from nova.compute import power_state
from nova.compute import task_states
from nova.compute import vm_states
from nova import context
from nova import exception
from nova import objects
from nova.tests.unit.compute import test_compute
from nova.tests.unit.virt import threads

R, P, A, U = where.PRESENCES


class InDoubtTestCase(test_compute.BaseTestCase):
    """A live migration that has begun and is not over."""

    def setUp(self):
        super().setUp()
        self.flags(live_migration_park_after=1)
        self.context = context.get_admin_context()
        self.presences = {None: R, 'dst': A}
        self.compute.driver.guest_finder = mock.Mock()
        self.compute.driver.guest_finder.look = (
            lambda instance, host=None: where.Sighting(
                self.presences[host], 'the test'))
        self.rpcapi = self.compute.compute_rpcapi
        for name in ('post_live_migration_at_destination',
                     'rollback_live_migration_at_destination'):
            self.patch(self.rpcapi, name)
        self.patch(self.rpcapi, 'get_instance_diagnostics').side_effect = (
            exception.NovaException('nobody there'))
        self.patch(self.rpcapi, 'pre_live_migration').side_effect = (
            lambda *args: args[-1])
        self.patch(self.compute.network_api, 'setup_networks_on_host')
        self.patch(self.compute, 'update_available_resource')
        self.instance = self._create_fake_instance_obj(
            {'task_state': task_states.MIGRATING}, ctxt=self.context)
        self.migration = objects.Migration(
            self.context, instance_uuid=self.instance.uuid,
            source_compute=self.compute.host, dest_compute='dst',
            migration_type='live-migration', status='queued')
        self.migration.create()
        self.live_data = objects.LibvirtLiveMigrateData(
            is_shared_instance_path=False, is_shared_block_storage=True,
            block_migration=False)

    def patch(self, where_, name):
        patcher = mock.patch.object(where_, name)
        self.addCleanup(patcher.stop)
        return patcher.start()

    def migrate(self, driver=None):
        """Migrate, with something in the place of the driver's part."""
        self.compute._waiting_live_migrations[self.instance.uuid] = (None,
                                                                     None)
        with mock.patch.object(self.compute.driver, 'live_migration',
                               driver or mock.Mock()):
            self.compute._do_live_migration(
                self.context, 'dst', self.instance, False, self.migration,
                self.live_data)

    def fail(self, source, destination):
        """Give a driver that tells of a failure, and where the guest is."""
        def live_migration(context, instance, dest, post, recover, block,
                           live_data):
            self.presences = {None: source, 'dst': destination}
            recover(context, instance, dest, live_data)
        return live_migration

    def migration_fails(self, source, destination):
        self.migrate(self.fail(source, destination))

    def stored(self):
        # A context holds one transaction, and a look has a thread of its own.
        return objects.Instance.get_by_uuid(context.get_admin_context(),
                                            self.instance.uuid)

    def states(self):
        stored = self.stored()
        return stored.vm_state, stored.task_state

    def remembered(self, instance):
        return [name for name in instance.system_metadata
                if name.startswith('live_migration_')]

    def status(self):
        return objects.Migration.get_by_id(context.get_admin_context(),
                                           self.migration.id).status

    def assert_parked(self):
        self.assertEqual((vm_states.ERROR, task_states.MIGRATING),
                         self.states())
        self.assertEqual(self.compute.host, self.stored().host)
        self.assertFalse(self.rpcapi.rollback_live_migration_at_destination
                         .called)
        self.assertEqual('running', self.status())

    def assert_rolled_back(self):
        self.assertEqual((vm_states.ACTIVE, None), self.states())
        self.assertEqual('failed', self.status())
        self.assertEqual([], self.remembered(self.stored()))
        self.assertFalse(self.rpcapi.post_live_migration_at_destination
                         .called)


class LiveMigrationInDoubtTestCase(InDoubtTestCase):

    def test_what_the_end_depends_on_is_stored_before_it_begins(self):
        def pre_live_migration(*args):
            self.assertIn('live_migration_is_shared_block_storage',
                          self.remembered(self.stored()))
            return args[-1]
        self.rpcapi.pre_live_migration.side_effect = pre_live_migration
        self.migrate()
        self.assertEqual('running', self.status())

    def test_a_guest_that_stayed_is_rolled_back(self):
        self.migration_fails(R, A)
        self.assert_rolled_back()
        call = self.rpcapi.rollback_live_migration_at_destination.call_args
        self.assertEqual('dst', call[0][2])

    def test_disks_that_a_lost_guest_may_have_written_are_kept(self):
        self.live_data.block_migration = True
        self.live_data.is_shared_block_storage = False
        self.migration_fails(A, A)
        calls = self.rpcapi.rollback_live_migration_at_destination
        self.assertEqual([False], [call[1]['destroy_disks']
                                   for call in calls.call_args_list])
        self.assertEqual((vm_states.STOPPED, None), self.states())
        self.assertEqual('failed', self.status())

    def test_a_guest_that_moved_is_handed_to_the_destination(self):
        self.migration_fails(A, R)
        post = self.rpcapi.post_live_migration_at_destination
        self.assertEqual((False, 'dst'), post.call_args[0][2:])
        # It stores what it is sent: then nothing is remembered any more.
        sent = post.call_args[0][1]
        self.assertIn('system_metadata', sent.obj_what_changed())
        self.assertEqual([], self.remembered(sent))
        self.assertEqual('completed', self.status())
        self.assertFalse(self.rpcapi.rollback_live_migration_at_destination
                         .called)

    def test_a_user_can_start_no_second_copy_of_what_is_parked(self):
        self.migration_fails(R, U)
        self.assert_parked()
        api = self.compute_api
        stored = self.stored()
        for action in (lambda: api.start(self.context, stored),
                       lambda: api.reboot(self.context, stored, 'HARD'),
                       lambda: api.rebuild(self.context, stored, 'image', ''),
                       lambda: api.live_migrate(self.context, stored, False,
                                                False, 'dst')):
            self.assertRaises(exception.InstanceInvalidState, action)

    def test_the_periodic_task_frees_it(self):
        self.assertIn('_look_for_parked_guests',
                      [name for name, _ in self.compute._periodic_tasks])
        self.migration_fails(R, U)
        self.presences['dst'] = A
        self.compute._look_for_parked_guests(self.context)
        threads.wait_until(lambda: self.status() == 'failed')
        self.assert_rolled_back()

    def test_so_does_it_with_what_the_guest_was_before(self):
        self.instance.vm_state = vm_states.PAUSED
        self.migration_fails(P, U)
        self.assert_parked()
        self.presences['dst'] = A
        self.compute._look_for_parked_guests(self.context)
        threads.wait_until(lambda: self.status() == 'failed')
        self.assertEqual((vm_states.PAUSED, None), self.states())
        self.assertEqual(power_state.PAUSED, self.stored().power_state)

    def test_an_error_after_the_end_was_told_changes_nothing(self):
        told = self.fail(A, R)

        def live_migration(*args):
            told(*args)
            raise ValueError('the driver has more to say')
        self.migrate(live_migration)
        self.assertEqual(1, self.rpcapi.post_live_migration_at_destination
                         .call_count)
        self.assertEqual('completed', self.status())
        self.assertEqual(vm_states.ACTIVE, self.states()[0])

    def test_an_error_that_nobody_was_told_of_is_settled(self):
        self.migrate(mock.Mock(side_effect=ValueError('no libvirt')))
        self.assert_rolled_back()

    def finishing_fails(self, compute_node):
        def live_migration(context, instance, dest, post, *args):
            post(context, instance, dest, False, self.live_data)
        self.rpcapi.post_live_migration_at_destination.side_effect = (
            exception.NovaException('no broker'))
        with mock.patch.object(self.compute, '_get_compute_info',
                               side_effect=compute_node):
            self.migrate(live_migration)

    def test_finishing_that_fails_parks(self):
        self.finishing_fails(exception.NovaException('no database'))
        self.assert_parked()
        self.assertEqual(1, objects.InstanceFault.get_latest_for_instance(
            self.context, self.instance.uuid).message.count('has moved'))
        self.rpcapi.post_live_migration_at_destination.side_effect = None
        self.presences = {None: A, 'dst': R}
        self.compute._look_for_parked_guests(self.context)
        threads.wait_until(lambda: self.status() == 'completed')
        self.assertEqual('completed', self.status())

    def test_it_parks_nothing_that_the_destination_has(self):
        self.finishing_fails(exception.ComputeHostNotFound(host='dst'))
        self.assertEqual((vm_states.ACTIVE, None), self.states())
        stored = self.stored()
        self.assertEqual('dst', stored.host)
        self.assertEqual([], self.remembered(stored))

    def test_a_destination_that_cannot_prepare_is_rolled_back(self):
        self.presences = {None: U, 'dst': U}
        self.rpcapi.pre_live_migration.side_effect = ValueError()
        self.assertRaises(ValueError, self.migrate)
        self.assert_rolled_back()

    def restore(self, presence):
        """Restore it, and tell whether that was done."""
        self.migrate()
        self.presences['dst'] = presence
        self.instance.vm_state = vm_states.SOFT_DELETED
        self.instance.task_state = task_states.RESTORING
        self.instance.save()
        with mock.patch.object(self.compute.driver, 'restore') as restore:
            try:
                self.compute.restore_instance(self.context, self.instance)
            except exception.InstanceInvalidState:
                self.assertFalse(restore.called)
        return restore.called

    def test_what_is_in_doubt_is_not_restored(self):
        self.assertFalse(self.restore(U))

    def test_a_guest_that_is_not_elsewhere_is_restored(self):
        self.assertTrue(self.restore(A))
