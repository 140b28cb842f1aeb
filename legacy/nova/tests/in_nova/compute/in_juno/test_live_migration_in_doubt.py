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

import functools

import mock

from nova.compute import guest_location as where
from nova.compute import migration_attempt
from nova.compute import migration_keeper
from nova.compute import power_state
from nova.compute import task_states
from nova.compute import vm_states
from nova import context
from nova import exception
from nova import objects
from nova.tests.unit.compute import test_compute
from nova.virt.libvirt import migration_monitor

R, P, A, U = where.PRESENCES


class InDoubtTestCase(test_compute.BaseTestCase):
    """A live migration that has begun and is not over."""

    def setUp(self):
        super(InDoubtTestCase, self).setUp()
        self.flags(live_migration_park_after=1)
        self.context = context.get_admin_context()
        self.presences = {None: R, 'dst': A}
        self.compute.driver.guest_finder = mock.Mock()
        self.compute.driver.guest_finder.look = (
            lambda instance, host=None: where.Sighting(
                self.presences[host], 'the test'))
        self.rpcapi = self.compute.compute_rpcapi
        for name in ('get_instance_diagnostics',
                     'post_live_migration_at_destination',
                     'rollback_live_migration_at_destination',
                     'remove_volume_connection'):
            self.patch(self.rpcapi, name)
        self.compute.compute_rpcapi.client = mock.Mock()
        self.rpcapi.get_instance_diagnostics.side_effect = (
            exception.NovaException('nobody there'))
        self.patch(self.compute.network_api, 'setup_networks_on_host')
        self.patch(self.compute.network_api, 'migrate_instance_start')
        self.patch(self.compute, 'update_available_resource')
        self.instance = self._create_fake_instance_obj(
            {'host': self.compute.host, 'vm_state': vm_states.ACTIVE,
             'task_state': task_states.MIGRATING,
             'power_state': power_state.RUNNING})
        with mock.patch.object(self.rpcapi, 'pre_live_migration'):
            with mock.patch.object(self.compute.driver, 'live_migration'):
                self.compute.live_migration(self.context, 'dst',
                                            self.instance, False, {})

    def patch(self, where_, name):
        patcher = mock.patch.object(where_, name)
        patcher.start()
        self.addCleanup(patcher.stop)

    def migration_fails(self, source, destination):
        self.presences = {None: source, 'dst': destination}
        self.compute._rollback_live_migration(
            self.context, self.instance, 'dst', False,
            migrate_data={'pre_live_migration_result': {}})

    def look_again(self):
        at_once = mock.Mock()
        at_once.BoundedCall = lambda function, *args: function(*args)
        with mock.patch.object(migration_keeper, 'bounded_call', at_once):
            self.compute._look_for_parked_guests(self.context)

    def stored(self):
        return objects.Instance.get_by_uuid(self.context, self.instance.uuid)

    def newest_fault(self):
        instance = objects.Instance.get_by_uuid(
            self.context, self.instance.uuid, expected_attrs=['fault'])
        return instance.fault.message

    def assert_parked(self):
        stored = self.stored()
        self.assertEqual((vm_states.ERROR, task_states.MIGRATING),
                         (stored.vm_state, stored.task_state))
        self.assertFalse(self.compute.network_api.setup_networks_on_host
                         .called)

    def remembered(self, instance):
        return migration_attempt.Attempt.remembered(self.context,
                                                    instance).dest


class LiveMigrationInDoubtTestCase(InDoubtTestCase):

    def test_where_it_goes_is_stored_before_it_leaves(self):
        self.assertEqual('dst', self.remembered(self.stored()))

    def test_a_guest_that_stayed_is_rolled_back(self):
        self.migration_fails(R, A)
        stored = self.stored()
        self.assertEqual((vm_states.ACTIVE, None, self.compute.host),
                         (stored.vm_state, stored.task_state, stored.host))
        self.assertIsNone(self.remembered(stored))

    def test_disks_that_a_lost_guest_may_have_written_are_kept(self):
        self.presences = {None: A, 'dst': A}
        self.compute._rollback_live_migration(
            self.context, self.instance, 'dst', True,
            migrate_data={'pre_live_migration_result': {},
                          'is_shared_block_storage': False,
                          'is_shared_instance_path': False})
        calls = self.rpcapi.rollback_live_migration_at_destination
        self.assertEqual([False], [call[1]['destroy_disks']
                                   for call in calls.call_args_list])
        self.assertEqual(vm_states.STOPPED, self.stored().vm_state)

    def test_a_guest_that_moved_is_handed_to_the_destination(self):
        sent = []

        def post(context, instance, block_migration, host):
            sent.extend([host, 'system_metadata' in
                         instance.obj_what_changed(),
                         self.remembered(instance)])
        self.rpcapi.post_live_migration_at_destination.side_effect = post
        self.migration_fails(A, R)
        # It stores what it is sent: then nothing is remembered any more.
        self.assertEqual(['dst', True, None], sent)
        # Until then it is.
        self.assertEqual('dst', self.remembered(self.stored()))
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
        self.look_again()
        stored = self.stored()
        self.assertEqual((vm_states.ACTIVE, None),
                         (stored.vm_state, stored.task_state))

    def test_the_destination_understands_what_it_is_asked(self):
        self.migration_fails(A, U)
        self.assert_parked()
        self.rpcapi.get_instance_diagnostics = functools.partial(
            type(self.rpcapi).get_instance_diagnostics, self.rpcapi)

        def call(ctxt, method, instance):
            return getattr(self.compute, method)(ctxt, instance=instance)
        self.rpcapi.client.prepare.return_value.call.side_effect = call
        with mock.patch.object(self.compute, '_get_power_state',
                               return_value=power_state.RUNNING):
            self.look_again()
        self.assertTrue(self.rpcapi.post_live_migration_at_destination.called)

    def test_the_newest_fault_is_the_guards(self):
        def refuse(ctxt, instance):
            self.assertEqual('dst', instance.host)
            self.compute.get_instance_diagnostics(ctxt, instance)
        self.rpcapi.get_instance_diagnostics.side_effect = refuse
        with mock.patch.object(self.compute, '_get_power_state',
                               return_value=power_state.NOSTATE):
            self.migration_fails(A, U)
        self.assert_parked()
        self.assertIn('Nova touches neither host', self.newest_fault())

    def test_finishing_that_fails_parks(self):
        post = self.rpcapi.post_live_migration_at_destination
        post.side_effect = exception.NovaException('no broker')
        self.assertRaises(exception.NovaException,
                          self.compute._post_live_migration, self.context,
                          self.instance, 'dst', False, {})
        stored = self.stored()
        self.assertEqual((vm_states.ERROR, task_states.MIGRATING),
                         (stored.vm_state, stored.task_state))
        self.assertEqual('dst', self.remembered(stored))
        self.assertIn('no broker', self.newest_fault())

    def test_progress_overwrites_nothing_of_others(self):
        watch = migration_monitor.JobWatch(None, None, self.instance)
        other = objects.Instance.get_by_uuid(
            self.context, self.instance.uuid, expected_attrs=['metadata'])
        other.metadata['user'] = 'has changed this'
        other.system_metadata['nova'] = 'has changed that'
        other.save()
        watch._store(42)
        stored = objects.Instance.get_by_uuid(
            self.context, self.instance.uuid, expected_attrs=['metadata'])
        self.assertEqual(42, stored.progress)
        self.assertEqual('has changed this', stored.metadata['user'])
        self.assertEqual('has changed that', stored.system_metadata['nova'])
