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

import mock
import oslo_messaging as messaging

from nova.compute import guest_location
from nova.compute import live_migration_recovery
from nova.compute import power_state
from nova.compute import task_states
from nova.compute import vm_states
from nova import context as nova_context
from nova import db
from nova import exception
from nova import objects
from nova.tests.unit.compute import test_compute

Presence = guest_location.Presence

SHARED = {'is_shared_instance_path': True, 'is_shared_block_storage': True}
COPIED = {'is_shared_instance_path': False, 'is_shared_block_storage': False}


def observe(presence, origin='libvirt', **flags):
    return guest_location.Observation(presence, origin, **flags)


class RecoveryTestCase(test_compute.BaseTestCase):
    """The real ComputeManager of the source, and a driver that observes."""

    def setUp(self):
        super(RecoveryTestCase, self).setUp()
        self.context = nova_context.get_admin_context()
        self.context.auth_token = 'token'
        self.observer = self.compute.driver.guest_observer = mock.Mock()
        self.observer.observe.side_effect = self._observe
        self.rpcapi = self.compute.compute_rpcapi
        for where, names in (
                (self.rpcapi, ('pre_live_migration', 'client',
                               'post_live_migration_at_destination',
                               'rollback_live_migration_at_destination',
                               'remove_volume_connection')),
                (self.compute, ('update_available_resource',
                                '_get_compute_info',
                                '_get_instance_nw_info')),
                (self.compute.network_api, ('setup_networks_on_host',
                                            'migrate_instance_start')),
                (self.compute.driver, ('live_migration', 'cleanup',
                                       'post_live_migration', 'unpause'))):
            for name in names:
                patcher = mock.patch.object(where, name)
                patcher.start()
                self.addCleanup(patcher.stop)
        self.compute._get_compute_info.return_value.hypervisor_hostname = (
            'dest.node')
        self.rpcapi.post_live_migration_at_destination.side_effect = (
            self.take_over)
        patcher = mock.patch.object(
            live_migration_recovery, 'ask_compute',
            side_effect=lambda *args: self.answer if args[4] else observe(
                'unknown', 'not asked', alive=self.up))
        self.ask_compute = patcher.start()
        self.addCleanup(patcher.stop)
        self.stubs.Set(live_migration_recovery.greenthread, 'spawn',
                       lambda function: function())
        self.answer, self.up = observe('unknown', 'timeout'), False
        self.see('running', 'absent')
        self.instance = self._create_fake_instance_obj(
            {'host': self.compute.host, 'vm_state': vm_states.ACTIVE,
             'task_state': task_states.MIGRATING,
             'power_state': power_state.RUNNING})

    def see(self, source, destination):
        self.seen = [item if isinstance(item, tuple) else observe(item)
                     for item in (source, destination)]

    def _observe(self, instance, host=None, node=None):
        self.assertIn((host, node), [(None, None), ('dest', 'dest.node')])
        return self.seen[host is not None]

    def take_over(self, context, instance, block_migration, dest):
        """Do what the destination does."""
        instance = self.stored()
        instance.host, instance.task_state = dest, None
        instance.vm_state = vm_states.ACTIVE
        instance.save(expected_task_state=[task_states.MIGRATING])

    def migrate(self, block=False, data=SHARED):
        """Let the driver begin; return what it is to call at the end."""
        self.compute.live_migration(self.context, 'dest', self.instance,
                                    block, data)
        args = self.compute.driver.live_migration.call_args[0]
        self.end_args = args[:3] + args[5:]
        return args[3:5]

    def end(self, method):
        method(*self.end_args)

    def fail(self, source, destination, block=False, data=SHARED):
        self.see(source, destination)
        self.end(self.migrate(block, data)[1])

    def check(self, times=1):
        for _time in range(times):
            self.compute._check_live_migrations(self.context)

    def restart(self):
        """Do what a start of nova-compute does."""
        recovery = live_migration_recovery.LiveMigrationRecovery(self.compute)
        self.compute._live_migration_recovery = recovery
        self.compute._init_instance(self.context, self.stored())

    def stored(self, *attrs):
        return objects.Instance.get_by_uuid(
            self.context, self.instance.uuid,
            expected_attrs=['system_metadata'] + list(attrs))

    def count_doubts(self):
        faults = db.instance_fault_get_by_instance_uuids(
            self.context, [self.instance.uuid])[self.instance.uuid]
        return len([fault for fault in faults
                    if 'in doubt' in fault['message']])

    def assertStored(self, vm_state, task_state, on='source'):
        stored = self.stored()
        self.assertEqual(
            (vm_state, task_state,
             self.compute.host if on == 'source' else on),
            (stored.vm_state, stored.task_state, stored.host))

    def assertParked(self):
        self.assertStored(vm_states.ERROR, task_states.MIGRATING)
        for method in (self.compute.network_api.setup_networks_on_host,
                       self.compute.driver.post_live_migration,
                       self.rpcapi.rollback_live_migration_at_destination):
            self.assertFalse(method.called)

    def assertForgotten(self):
        self.check()
        self.assertEqual([], [
            key for key, value in self.stored().system_metadata.items()
            if key.startswith('live_migration') and value])
        self.assertEqual({}, self.compute._live_migration_recovery._tasks)


class LiveMigrationRecoveryTestCase(RecoveryTestCase):

    def test_guest_has_stayed(self):
        self.fail('running', 'absent')
        self.assertStored(vm_states.ACTIVE, None)
        self.assertForgotten()
        self.assertFalse(
            self.rpcapi.post_live_migration_at_destination.called)

    def test_guest_has_moved(self):
        self.fail('absent', 'running')
        self.assertStored(vm_states.ACTIVE, None, 'dest')
        self.assertForgotten()
        self.assertFalse(
            self.rpcapi.rollback_live_migration_at_destination.called)

    def test_in_doubt(self):
        self.fail('absent', 'unknown')
        self.assertStored(vm_states.ACTIVE, task_states.MIGRATING)
        self.check(3)
        self.assertParked()
        self.assertIn('in doubt', self.stored('fault').fault.message)
        self.see('absent', 'running')
        self.check()
        self.assertStored(vm_states.ACTIVE, None, 'dest')
        self.assertForgotten()

    def test_not_begun(self):
        """A guest whose migration cannot be prepared has stayed."""
        self.rpcapi.pre_live_migration.side_effect = ValueError()
        self.assertRaises(ValueError, self.migrate)
        self.assertStored(vm_states.ACTIVE, None)
        self.assertFalse(self.observer.observe.called)

    def test_cannot_be_recorded(self):
        with mock.patch.object(objects.Instance, 'save',
                               side_effect=[ValueError(), None]) as save:
            self.assertRaises(ValueError, self.migrate)
        self.assertEqual(2, save.call_count)
        self.assertFalse(self.compute.driver.live_migration.called)
        self.assertIsNone(self.instance.task_state)
        self.assertNotIn('live_migration_dest', self.instance.system_metadata)

    def test_success(self):
        self.see('absent', 'running')
        self.end(self.migrate()[0])
        self.check()
        self.assertStored(vm_states.ACTIVE, None, 'dest')
        self.assertForgotten()
        self.assertFalse(self.observer.observe.called)

    def test_keys_are_brought_back(self):
        """A conductor of 2015.1 does that for a service of 2014.2."""
        save = objects.Instance.save

        def bring_back(instance, *args, **kwargs):
            for key, value in self.stored().system_metadata.items():
                instance.system_metadata.setdefault(key, value)
            save(instance, *args, **kwargs)

        with mock.patch.object(objects.Instance, 'save', bring_back):
            self.fail('absent', 'unknown')
            self.check(3)
            self.assertParked()
            self.see('running', 'absent')
            self.check(2)
        self.assertStored(vm_states.ACTIVE, None)
        self.assertEqual(
            ['', ''], [self.stored().system_metadata['live_migration_' + key]
                       for key in ('source', 'old_vm_state')])
        self.assertEqual({}, self.compute._live_migration_recovery._tasks)

    def test_driver_does_not_observe(self):
        self.compute.driver.guest_observer = None
        self.end(self.migrate()[1])
        self.assertStored(vm_states.ACTIVE, None)
        self.assertForgotten()

    def test_guest_is_nowhere(self):
        self.fail('absent', 'absent')
        self.assertStored(vm_states.STOPPED, None)
        self.assertForgotten()

    def test_destination_was_fenced(self):
        """Its compute service was deleted: the guest is not there."""
        self.fail('absent', 'unknown')
        self.check(4)
        self.assertParked()
        self.answer = observe('absent', 'not there')
        self.check(16)
        self.assertStored(vm_states.STOPPED, None)
        self.assertForgotten()

    def test_one_fault(self):
        """The same doubt is recorded once, and another one again."""
        self.fail('absent', 'unknown')
        self.check(9)
        self.see('unknown', 'unknown')
        self.check(3)
        self.assertEqual(2, self.count_doubts())

    def test_hypervisor_works_on(self):
        """An error of the call does not end what libvirt does."""
        self.fail(observe('running', migrating=True), 'incoming')
        self.check(9)
        self.assertStored(vm_states.ACTIVE, task_states.MIGRATING)
        self.see('absent', 'running')
        self.check()
        self.assertStored(vm_states.ACTIVE, None, 'dest')

    def test_second_copy_is_paused_first(self):
        states = []
        self.observer.pause.side_effect = lambda *args: states.append(
            self.stored().vm_state)
        self.fail('running', 'running')
        self.assertEqual([vm_states.ACTIVE], states)
        self.assertStored(vm_states.ERROR, task_states.MIGRATING)

    def test_second_copy_cannot_be_paused(self):
        self.observer.pause.side_effect = ValueError()
        self.fail('running', 'running')
        self.check(10)
        self.assertEqual(11, self.observer.pause.call_count)

    def test_split_brain(self):
        self.fail('running', 'running')
        self.observer.pause.assert_called_once_with(mock.ANY, 'dest',
                                                    'dest.node')
        self.assertParked()
        self.see('running', 'paused')
        self.check(5)
        self.see('running', 'unknown')
        self.check(5)
        self.assertParked()
        # The guest on the source ends; an operator resumes this copy.
        self.see('absent', 'paused')
        self.check()
        self.assertParked()
        self.see('absent', 'running')
        self.check()
        self.assertStored(vm_states.ACTIVE, None, 'dest')

    def test_paused_source(self):
        """libvirt has not ended the copy that it has left."""
        self.fail('paused', 'running')
        self.check(3)
        self.observer.remove.assert_called_once_with(mock.ANY)
        self.assertStored(vm_states.ACTIVE, None, 'dest')

    def test_paused_by_the_migration(self):
        self.fail('paused', 'absent')
        self.assertEqual(1, self.compute.driver.unpause.call_count)
        self.assertStored(vm_states.ACTIVE, None)

    def test_deleted(self):
        self.fail('absent', 'unknown')
        self.stored().destroy()
        self.check()
        self.assertEqual({}, self.compute._live_migration_recovery._tasks)


class SecondMigrationTestCase(RecoveryTestCase):
    """An administrator resets the state while the driver migrates."""

    def setUp(self):
        super(SecondMigrationTestCase, self).setUp()
        self.post = self.migrate()[0]
        stored = self.stored()
        stored.task_state = None
        stored.save()
        stored.task_state = task_states.MIGRATING
        stored.save()
        self.instance.refresh()
        self.begin = lambda dest: self.compute.live_migration(
            self.context, dest, self.instance, False, SHARED)

    def assertMoved(self):
        self.assertEqual(1, self.compute.driver.live_migration.call_count)
        self.see('absent', 'running')
        self.end(self.post)
        self.assertStored(vm_states.ACTIVE, None, 'dest')
        self.assertForgotten()

    def assertBegins(self, dest='other'):
        self.assertRaises(exception.MigrationError, self.begin, dest)
        stored = self.stored()
        stored.task_state = task_states.MIGRATING
        # What is left in the database of a migration that nobody checks.
        self.compute._live_migration_recovery._running.clear()
        self.compute._live_migration_recovery._tasks.clear()
        stored.save()
        self.instance.refresh()
        self.begin(dest)
        self.assertEqual(2, self.compute.driver.live_migration.call_count)

    def test_old_record(self):
        self.compute._live_migration_recovery._loaded = True
        self.instance.system_metadata['live_migration_old_vm_state'] = 'error'
        self.instance.save()
        self.assertBegins()
        self.assertEqual('', self.stored().system_metadata[
            'live_migration_old_vm_state'])

    def test_begun_since_the_request(self):
        earlier = self.instance
        self.instance = self.stored()
        self.see('absent', 'unknown')
        self.compute._rollback_live_migration(*self.end_args)
        earlier.system_metadata.clear()
        self.instance = earlier
        self.assertRaises(exception.MigrationError, self.begin, 'other')

    def test_disks_of_an_earlier_migration(self):
        self.see('absent', 'unknown')
        self.compute._rollback_live_migration(*self.end_args)
        self.rpcapi.pre_live_migration.side_effect = (
            exception.DestinationDiskExists(path='/disk'))
        self.assertRaises(
            exception.DestinationDiskExists, self.compute.live_migration,
            self.context, 'other', self.instance, True, COPIED)
        self.assertFalse(
            self.rpcapi.rollback_live_migration_at_destination.called)
        # What is left there is no disk.
        self.instance.task_state = task_states.MIGRATING
        self.instance.save()
        self.assertRaises(
            exception.DestinationDiskExists, self.compute.live_migration,
            self.context, 'other', self.instance, True,
            dict(COPIED, is_shared_block_storage=True))
        self.assertTrue(
            self.rpcapi.rollback_live_migration_at_destination.called)

    def test_in_doubt(self):
        self.see('absent', 'unknown')
        self.compute._rollback_live_migration(*self.end_args)
        self.assertRaises(exception.MigrationError, self.begin, 'dest')
        self.assertStored(vm_states.ACTIVE, task_states.MIGRATING)
        self.assertRaises(exception.MigrationError, self.begin, 'other')
        self.see('absent', 'running')
        self.check()
        self.assertStored(vm_states.ACTIVE, None, 'dest')
        self.assertForgotten()

    def test_to_the_same_host(self):
        """What the guest uses there is left alone."""
        self.assertRaises(exception.MigrationError, self.begin, 'dest')
        self.assertStored(vm_states.ACTIVE, task_states.MIGRATING)
        self.assertFalse(
            self.rpcapi.rollback_live_migration_at_destination.called)
        self.assertMoved()

    def test_to_another_host(self):
        self.assertRaises(exception.MigrationError, self.begin, 'other')
        self.assertStored(vm_states.ACTIVE, None)
        self.assertMoved()


class AskComputeTestCase(test_compute.BaseTestCase):

    def setUp(self):
        super(AskComputeTestCase, self).setUp()
        self.context = nova_context.get_admin_context()
        self.instance = self._create_fake_instance_obj({'host': 'source'})
        self.rpcapi = mock.Mock()
        self.rpcapi._compat_ver = lambda new, old: old
        self.call = self.rpcapi.client.prepare.return_value.call
        self.up = True
        for where, name, result in (
                (live_migration_recovery.servicegroup, 'API', mock.Mock(
                    return_value=mock.Mock(
                        service_is_up=lambda service: self.up))),
                (objects.Service, 'get_by_compute_host', mock.Mock())):
            self.stubs.Set(where, name, result)

    def ask(self, *args):
        return live_migration_recovery.ask_compute(
            self.rpcapi, self.context, self.instance, 'dest', *args)

    def test_running(self):
        self.assertEqual(Presence.RUNNING, self.ask().presence)
        # A host of two releases ago knows the first question.
        self.assertEqual(
            [mock.call(server='dest', version=version,
                       timeout=live_migration_recovery.TIMEOUT)
             for version in ('3.3', '3.31')],
            self.rpcapi.client.prepare.call_args_list)

    def test_not_there(self):
        self.call.side_effect = exception.InstanceNotFound(instance_id='1')
        self.assertEqual(Presence.ABSENT, self.ask().presence)

    def test_has_no_console(self):
        self.call.side_effect = [
            exception.ConsoleTypeUnavailable(console_type='vnc'), {}]
        self.assertEqual(Presence.RUNNING, self.ask().presence)

    def test_does_not_run(self):
        """A guest that is paused can have run there."""
        self.call.side_effect = [True, exception.InstanceInvalidState(
            attr='a', instance_uuid='1', state='paused', method='m')]
        answer = self.ask()
        self.assertEqual((Presence.UNKNOWN, True),
                         (answer.presence, answer.alive))

    def test_down(self):
        self.up = False
        self.assertEqual((Presence.UNKNOWN, False),
                         (self.ask().presence, self.ask().alive))
        self.assertFalse(self.call.called)

    def test_not_asked(self):
        self.assertEqual((Presence.UNKNOWN, True),
                         (self.ask(0).presence, self.ask(0).alive))
        self.assertFalse(self.call.called)

    def test_host_was_removed(self):
        objects.Service.get_by_compute_host.side_effect = (
            exception.ComputeHostNotFound(host='dest'))
        self.assertEqual(Presence.ABSENT, self.ask().presence)

    def refuse(self):
        live_migration_recovery.refuse_in_doubt(
            self.rpcapi, self.context, self.instance, 'restore')

    def test_refuse_in_doubt(self):
        self.refuse()
        self.instance.system_metadata.update(
            live_migration_source='source', live_migration_dest='dest',
            live_migration_status='running')
        self.assertRaises(exception.InstanceInvalidState, self.refuse)
        self.call.side_effect = exception.InstanceNotFound(instance_id='1')
        self.refuse()

    def test_refuse_nothing_that_has_ended(self):
        for source, status in (('other', 'running'), ('source', 'reverted')):
            self.instance.system_metadata.update(
                live_migration_source=source, live_migration_dest='dest',
                live_migration_status=status)
            self.refuse()
        live_migration_recovery.refuse_in_doubt(
            self.rpcapi, self.context, self.instance, 'evacuate')
        self.assertEqual('', self.instance.system_metadata[
            'live_migration_source'])


class RestartTestCase(RecoveryTestCase):

    def setUp(self):
        super(RestartTestCase, self).setUp()
        self.migrate()

    def test_guest_has_moved(self):
        self.see('absent', 'running')
        self.restart()
        self.assertStored(vm_states.ACTIVE, task_states.MIGRATING)
        self.check()
        self.assertStored(vm_states.ACTIVE, None, 'dest')
        self.assertForgotten()

    def test_guest_has_stayed(self):
        self.restart()
        with mock.patch.object(self.compute, '_init_instance') as init:
            self.check()
        self.assertEqual(1, init.call_count)
        self.assertStored(vm_states.ACTIVE, None)
        self.assertForgotten()

    def test_migration_goes_on(self):
        self.see(observe('running', migrating=True), 'incoming')
        self.restart()
        self.check(9)
        self.see('paused', 'incoming')
        self.check()
        self.assertStored(vm_states.ACTIVE, task_states.MIGRATING)

    def test_migration_may_go_on(self):
        self.see(observe('running', migrating=None), 'absent')
        self.restart()
        self.check()
        self.assertStored(vm_states.ACTIVE, task_states.MIGRATING)
        self.see(observe('running', migrating=None), 'incoming')
        self.check(2)
        self.assertParked()
        self.see(observe('running', migrating=None), 'absent')
        self.check()
        self.assertStored(vm_states.ACTIVE, None)

    def test_migration_does_not_go_on(self):
        self.see(observe('running', migrating=None), 'absent')
        self.restart()
        self.check(3)
        self.assertStored(vm_states.ACTIVE, None)

    def test_second_copy_of_a_hypervisor_without_jobs(self):
        self.see(observe('running', migrating=None), 'running')
        self.restart()
        self.check(3)
        self.assertTrue(self.observer.pause.called)

    @mock.patch(
        'nova.virt.fake.FakeDriver.ensure_filtering_rules_for_instance')
    def test_rules_of_nova_network(self, ensure):
        self.see('running', 'unknown')
        self.compute._get_power_state = lambda *args: power_state.RUNNING
        ensure.side_effect = exception.NovaException()
        self.restart()
        self.assertTrue(ensure.called)

    def test_in_doubt(self):
        self.see('absent', 'unknown')
        self.restart()
        self.check(4)
        self.restart()
        self.check(4)
        self.assertParked()
        self.see('running', 'absent')
        self.check()
        self.assertStored(vm_states.ACTIVE, None)

    def test_storage_is_remembered(self):
        self.restart()
        self.compute._live_migration_recovery._forget(self.instance)
        self.instance.save()
        self.migrate(True, COPIED)
        self.restart()
        self.check()
        self.rpcapi.rollback_live_migration_at_destination.assert_called_with(
            mock.ANY, mock.ANY, 'dest', destroy_disks=True,
            migrate_data=COPIED)

    def assertEnded(self, vm_state, status):
        stored = self.stored()
        stored.vm_state, stored.task_state = vm_state, None
        stored.system_metadata['live_migration_status'] = status
        stored.save()
        self.see('absent', 'absent')
        self.restart()
        self.check()
        self.assertStored(vm_state, None)
        self.assertForgotten()
        self.assertFalse(self.observer.remove.called)

    def test_instance_came_back_and_was_stopped(self):
        self.assertEnded(vm_states.STOPPED, 'running')

    def test_instance_came_back_and_its_host_was_rebooted(self):
        self.assertEnded(vm_states.ACTIVE, 'post-migrating')

    def test_stopped_though_its_guest_has_moved(self):
        """Its state was reset while this service was down."""
        stored = self.stored()
        stored.vm_state, stored.task_state = vm_states.STOPPED, None
        stored.save()
        self.see('absent', 'unknown')
        self.restart()
        self.check(4)
        self.assertStored(vm_states.STOPPED, None)
        self.see('absent', 'running')
        self.check()
        self.assertStored(vm_states.ACTIVE, None, 'dest')

    def test_instance_has_moved_on(self):
        """What another host records is not ours."""
        stored = self.stored()
        stored.host = 'dest'
        stored.save()
        self.restart()
        self.check()
        self.assertStored(vm_states.ACTIVE, task_states.MIGRATING, 'dest')
        self.assertFalse(self.observer.observe.called)

    def test_state_was_reset(self):
        stored = self.stored()
        stored.task_state = None
        stored.save()
        self.restart()
        self.check()
        self.assertStored(vm_states.ACTIVE, None)
        self.assertForgotten()

    def test_no_token_for_cinder(self):
        """The destination takes over though volumes stay connected here."""
        self.see('absent', 'running')
        self.restart()
        self.context.auth_token = None
        self.compute.driver.post_live_migration.side_effect = ValueError()
        with mock.patch.object(live_migration_recovery.LiveMigrationRecovery,
                               '_volumes', return_value=['volume']):
            self.check()
        self.assertStored(vm_states.ACTIVE, None, 'dest')


class FinishTestCase(RecoveryTestCase):

    def setUp(self):
        super(FinishTestCase, self).setUp()
        self.see('absent', 'running')
        self.post = self.rpcapi.post_live_migration_at_destination

    def test_destination_fails(self):
        """It answers to nobody: the source has to notice."""
        self.post.side_effect = None
        self.end(self.migrate()[0])
        self.check(7)
        self.assertStored(vm_states.ACTIVE, task_states.MIGRATING)
        self.assertEqual(1, self.post.call_count)
        self.check()
        self.assertStored(vm_states.ERROR, task_states.MIGRATING)
        self.assertIn('not taken', self.stored('fault').fault.details)
        self.assertEqual(1, self.compute.driver.post_live_migration.call_count)
        self.post.side_effect = self.take_over
        self.check(16)
        self.assertStored(vm_states.ACTIVE, None, 'dest')
        self.assertForgotten()

    def test_only_nova_compute_of_the_destination_answers(self):
        self.post.side_effect = None
        self.end(self.migrate()[0])
        self.see('absent', 'unknown')
        self.answer = observe('running', 'nova-compute')
        self.check(8)
        self.assertEqual(2, self.post.call_count)

    def test_finish_goes_on_failing(self):
        """Each attempt leaves a fault."""
        self.compute.driver.post_live_migration.side_effect = ValueError()
        self.end(self.migrate()[0])
        self.check(30)
        calls = self.compute.driver.post_live_migration.call_args_list
        self.assertEqual(9, len(calls))
        # The token may have expired.
        self.assertEqual('token', calls[0][0][0].auth_token)
        self.assertEqual('', calls[8][0][0].auth_token)

    def test_token_has_expired(self):
        """The destination takes over though volumes stay connected here."""
        self.compute.driver.post_live_migration.side_effect = ValueError()
        with mock.patch.object(live_migration_recovery.LiveMigrationRecovery,
                               '_volumes', return_value=['volume']):
            self.end(self.migrate()[0])
            self.check(live_migration_recovery.CHECKS)
            self.assertStored(vm_states.ERROR, task_states.MIGRATING)
            self.assertEqual(1, self.count_doubts())
            self.check(2)
        self.assertStored(vm_states.ACTIVE, None, 'dest')
        self.assertForgotten()

    def test_destination_is_slow(self):
        """It has loaded the instance before that was parked."""
        self.post.side_effect = None
        self.end(self.migrate()[0])
        self.check(8)
        stored = self.stored()
        stored.host, stored.task_state = 'dest', None
        stored.save()
        self.check()
        self.assertStored(vm_states.ACTIVE, None, 'dest')
        self.assertForgotten()

    def test_instance_comes_back(self, by=task_states.MIGRATING):
        self.end(self.migrate()[0])
        stored = self.stored()
        stored.task_state = by
        stored.save()
        self.check()
        stored = self.stored()
        stored.host, stored.task_state = self.compute.host, None
        stored.save()
        self.see('absent', 'absent')
        self.check(4)
        self.assertStored(vm_states.ACTIVE, None)
        self.assertForgotten()

    def test_instance_comes_back_by_a_resize(self):
        self.test_instance_comes_back(task_states.RESIZE_PREP)

    def test_source_fails(self):
        start = self.compute.network_api.migrate_instance_start
        start.side_effect = ValueError('neutron')
        self.end(self.migrate()[0])
        self.assertStored(vm_states.ERROR, task_states.MIGRATING)
        self.assertIn('neutron', self.stored('fault').fault.details)
        start.side_effect = None
        self.check()
        self.assertStored(vm_states.ACTIVE, None, 'dest')
        self.assertForgotten()

    def test_no_way_back(self):
        """The source has given up what the guest uses."""
        start = self.compute.network_api.migrate_instance_start
        start.side_effect = ValueError('neutron')
        self.end(self.migrate()[0])
        self.see('absent', 'absent')
        start.side_effect = None
        self.check()
        self.assertStored(vm_states.ACTIVE, None, 'dest')

    def test_state_was_reset(self):
        self.fail('absent', 'unknown')
        self.check(3)
        stored = self.stored()
        stored.vm_state, stored.task_state = vm_states.ACTIVE, None
        stored.save()
        self.check()
        self.assertStored(vm_states.ERROR, task_states.MIGRATING)

    def test_state_was_reset_without_a_destination(self):
        start = self.compute.network_api.migrate_instance_start
        start.side_effect = ValueError('neutron')
        self.end(self.migrate()[0])
        stored = self.stored()
        stored.vm_state, stored.task_state = vm_states.ACTIVE, None
        stored.save()
        self.see('absent', 'absent')
        self.check()
        self.assertStored(vm_states.ACTIVE, None)
        self.assertForgotten()

    def test_error_of_the_instance_is_its_own(self):
        """A destination where the instance has failed since."""
        self.end(self.migrate()[0])
        stored = self.stored()
        stored.vm_state = vm_states.ERROR
        stored.save()
        self.check()
        self.assertStored(vm_states.ERROR, None, 'dest')
        self.assertForgotten()


class DestinationIsGoneTestCase(RecoveryTestCase):
    """The guest runs on the source, and the destination does not answer."""

    def setUp(self):
        super(DestinationIsGoneTestCase, self).setUp()
        patcher = mock.patch.object(
            live_migration_recovery.LiveMigrationRecovery, '_volumes',
            return_value=['volume'])
        patcher.start()
        self.addCleanup(patcher.stop)
        self.fail('running', 'unknown', True, COPIED)
        self.cleanup = self.rpcapi.rollback_live_migration_at_destination

    def test_source_goes_on(self):
        self.assertStored(vm_states.ACTIVE, None)
        self.assertTrue(
            self.compute.network_api.setup_networks_on_host.called)
        self.check(9)
        self.assertFalse(self.cleanup.called)
        self.assertFalse(self.rpcapi.remove_volume_connection.called)

    def back(self):
        self.up = True
        self.see('running', 'absent')

    def test_destination_is_back(self):
        self.back()
        self.check()
        self.cleanup.assert_called_once_with(
            mock.ANY, mock.ANY, 'dest', destroy_disks=True,
            migrate_data=mock.ANY)
        self.rpcapi.remove_volume_connection.assert_called_once_with(
            mock.ANY, mock.ANY, 'volume', 'dest')
        self.assertForgotten()

    def test_destination_saves_the_instance(self):
        """It counts its attempts to delete files in system_metadata."""
        def clean(context, instance, *args, **kwargs):
            self.assertNotIn('live_migration_dest', instance.system_metadata)
            self.assertIn('system_metadata', instance.obj_what_changed())

        self.back()
        self.cleanup.side_effect = clean
        self.check()
        self.assertTrue(self.cleanup.called)
        self.assertForgotten()

    def test_destination_is_back_after_a_restart(self):
        with mock.patch.object(self.compute, '_get_power_state',
                               return_value=power_state.RUNNING):
            self.restart()
        self.test_destination_is_back()

    def test_compute_is_not_back(self):
        """libvirt answers, but nova-compute cannot clean up."""
        self.back()
        self.up = False
        self.check()
        self.assertFalse(self.rpcapi.remove_volume_connection.called)
        self.test_destination_is_back()

    def test_compute_service_was_deleted(self):
        """Nobody is there to disconnect a volume."""
        self.ask_compute.side_effect = None
        self.ask_compute.return_value = observe('absent', 'not there')
        self.check()
        self.assertFalse(self.rpcapi.remove_volume_connection.called)
        self.assertForgotten()

    def test_hanging_check(self):
        """It holds up no periodic task, and no second one begins."""
        with mock.patch.object(live_migration_recovery.greenthread,
                               'spawn') as spawn:
            spawn.return_value.dead = False
            self.check(2)
            self.assertEqual(1, spawn.call_count)
            spawn.return_value.dead = True
            self.check()
            self.assertEqual(2, spawn.call_count)

    def test_no_answer_about_a_volume(self):
        self.back()
        self.rpcapi.remove_volume_connection.side_effect = (
            messaging.MessagingTimeout())
        self.check()
        self.assertFalse(self.cleanup.called)
        self.rpcapi.remove_volume_connection.side_effect = None
        self.check()
        self.assertTrue(self.cleanup.called)
        self.assertForgotten()

    def test_volume_cannot_be_disconnected(self):
        self.back()
        self.rpcapi.remove_volume_connection.side_effect = ValueError()
        self.check()
        self.assertTrue(self.cleanup.called)
        self.assertForgotten()

    def test_restart_while_a_later_migration_is_prepared(self):
        stored = self.stored()
        stored.task_state = task_states.MIGRATING
        stored.save()
        with mock.patch.object(self.compute, '_get_power_state',
                               return_value=power_state.RUNNING):
            self.restart()
        self.assertStored(vm_states.ACTIVE, None)

    def test_busy(self):
        """What a user does with the instance comes first."""
        stored = self.stored()
        stored.task_state = task_states.REBOOTING
        stored.save()
        self.back()
        self.check()
        self.assertFalse(self.cleanup.called)

    def test_locked_by_others(self):
        """One long operation does not hold up all periodic tasks."""
        stored = self.stored()
        stored.task_state = task_states.REBUILDING
        stored.save()
        with mock.patch.object(self.compute._live_migration_recovery,
                               '_check_locked') as check:
            self.check()
        self.assertFalse(check.called)

    def test_busy_since_the_observation(self):
        self.back()

        def reboot(*args):
            stored = self.stored()
            stored.task_state = task_states.REBOOTING
            stored.save()
            return self._observe(*args)

        self.observer.observe.side_effect = reboot
        self.check()
        self.assertFalse(self.cleanup.called)
        self.assertFalse(self.rpcapi.remove_volume_connection.called)

    def test_busy_since_a_volume_was_disconnected(self):
        self.back()

        def migrate(*args):
            stored = self.stored()
            stored.task_state = task_states.MIGRATING
            stored.save()

        self.rpcapi.remove_volume_connection.side_effect = migrate
        self.check()
        self.assertFalse(self.cleanup.called)

    def test_second_copy(self):
        self.see('running', 'running')
        self.check()
        self.assertStored(vm_states.ERROR, task_states.MIGRATING)
        self.assertEqual(1, self.observer.pause.call_count)
        self.see('running', 'absent')
        self.check()
        self.assertStored(vm_states.ACTIVE, None)
        self.assertEqual(
            [False], [call[1]['destroy_disks']
                      for call in self.cleanup.call_args_list])

    def test_older_copy(self):
        """The source's has been stopped since: it is the newer one."""
        self.see('absent', 'running')
        self.check()
        self.see('absent', 'paused')
        self.check(2)
        self.assertEqual(1, self.observer.pause.call_count)
        self.assertStored(vm_states.ACTIVE, None)

    def test_second_copy_while_libvirt_here_hangs(self):
        """It may be the only one."""
        self.see('unknown', 'running')
        self.check()
        self.assertFalse(self.observer.pause.called)

    def test_later_migration(self):
        stored = self.stored()
        stored.task_state = task_states.MIGRATING
        stored.save()
        self.instance.refresh()
        self.back()
        self.migrate()
        self.check()
        self.assertStored(vm_states.ACTIVE, task_states.MIGRATING)
        self.assertFalse(self.cleanup.called)

    def test_save_fails(self):
        """What could not be stored has not been done."""
        self.back()
        self.check()
        stored = self.stored()
        stored.task_state = task_states.MIGRATING
        stored.save()
        self.instance.refresh()
        with mock.patch.object(
                objects.Instance, 'save', autospec=True,
                side_effect=objects.Instance.save) as save:
            recover = self.migrate()[1]
            save.side_effect = ValueError()
            self.see('running', 'unknown')
            self.end(recover)
        self.check()
        self.assertStored(vm_states.ACTIVE, None)
        self.assertEqual(
            'reverted',
            self.stored().system_metadata['live_migration_status'])


class LateCleanUpTestCase(RecoveryTestCase):
    """A request to clean up that has waited for this host to come back."""

    def clean_up(self, host, state):
        self.instance.host = host
        self.instance.save()
        with mock.patch.object(self.compute, '_get_power_state',
                               return_value=state):
            with mock.patch.object(
                    self.compute.driver,
                    'rollback_live_migration_at_destination') as clean:
                self.compute.rollback_live_migration_at_destination(
                    self.context, self.instance, False, {})
        return clean.called

    def test_clean_up(self):
        self.assertTrue(self.clean_up('other', power_state.NOSTATE))
        self.assertFalse(self.clean_up('other', power_state.RUNNING))
        self.assertFalse(self.clean_up(self.compute.host,
                                       power_state.NOSTATE))


class CopiedDisksTestCase(RecoveryTestCase):

    def assertDisksKept(self, kept, *pair):
        self.fail(*pair, block=True, data=COPIED)
        self.check(3)
        self.assertEqual(
            set([not kept]), set(
                call[1]['destroy_disks'] for call in
                self.rpcapi.rollback_live_migration_at_destination
                .call_args_list))

    def test_guest_has_stayed(self):
        self.assertDisksKept(False, 'running', 'absent')

    def test_guest_may_have_run_there(self):
        self.assertDisksKept(True, 'absent', 'absent')

    def test_guest_has_run_there(self):
        self.assertDisksKept(True, 'running', 'stopped')

    def test_paused_by_the_migration(self):
        self.assertDisksKept(True, 'paused', 'absent')

    def test_disks_were_there(self):
        """An earlier migration may have kept them."""
        self.rpcapi.pre_live_migration.side_effect = (
            exception.DestinationDiskExists(path='disk'))
        self.assertRaises(exception.DestinationDiskExists,
                          self.migrate, True, COPIED)
        self.assertFalse(
            self.rpcapi.rollback_live_migration_at_destination.called)
        self.assertStored(vm_states.ACTIVE, None)

    def test_shut_off_there(self):
        """That domain may be older than the migration."""
        self.fail('absent', 'stopped', True, COPIED)
        self.assertStored(vm_states.ACTIVE, None, 'dest')
        self.assertFalse(self.compute.driver.cleanup.called)

    def test_second_copy_was_seen_before_a_restart(self):
        self.fail('running', 'running', True, COPIED)
        self.see('absent', 'paused')
        self.restart()
        self.check()
        self.assertParked()
        self.see('absent', 'running')
        self.check()
        self.assertStored(vm_states.ACTIVE, None, 'dest')
        self.assertFalse(self.compute.driver.cleanup.called)

    def test_destination_is_gone(self):
        start = self.compute.network_api.migrate_instance_start
        start.side_effect = ValueError('neutron')
        self.see('absent', 'running')
        self.end(self.migrate(True, COPIED)[0])
        start.side_effect = None
        self.see('absent', 'absent')
        self.check()
        self.assertStored(vm_states.ACTIVE, None, 'dest')
        self.assertFalse(self.compute.driver.cleanup.called)

    def test_shared_disks_and_incoming_domain(self):
        self.fail('running', 'incoming')
        self.check(3)
        self.rpcapi.rollback_live_migration_at_destination.\
            assert_called_once_with(mock.ANY, mock.ANY, 'dest',
                                    destroy_disks=False, migrate_data={})
