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

import threading
import time
from unittest import mock

from cinderclient import exceptions as cinder_exception
import ddt
from oslo_concurrency import lockutils
import oslo_messaging as messaging
from oslo_serialization import jsonutils
from oslo_utils.fixture import uuidsentinel as uuids

from nova.compute import guest_location
from nova.compute import live_migration_recovery
from nova.compute import manager
from nova.compute import resource_tracker
from nova.compute import task_states
from nova.compute import vm_states
from nova import context as nova_context
from nova import exception
from nova.network import model as network_model
from nova import objects
from nova import test
from nova.tests.unit import fake_block_device
from nova.tests.unit import fake_flavor

Presence = guest_location.Presence


def observe(presence, origin='libvirt', **flags):
    return guest_location.Observation(Presence(presence), origin, **flags)


class LiveMigrationRecoveryTestCase(test.TestCase):
    """A manager whose rollback and finish change the records only."""

    def setUp(self):
        super().setUp()
        self.context = nova_context.get_admin_context()
        self.manager = mock.Mock(host='src')
        self.manager.driver.capabilities = {'supports_guest_observation': True}
        self.manager.driver.observe_guest.side_effect = self._observe
        self.manager._set_migration_status = (
            manager.ComputeManager._set_migration_status)
        self.manager._live_migration_cleanup_flags.return_value = (
            False, False)
        self.manager._is_instance_storage_shared.return_value = True
        self.manager.rt.pci_tracker.allocations = {}
        self.rollback = self.manager._rollback_live_migration
        self.rollback.side_effect = self._rollback
        self.finish = self.manager._post_live_migration_update_host
        self.finish.side_effect = self._finish
        patcher = mock.patch.object(
            live_migration_recovery, 'ask_compute',
            side_effect=lambda *args: (
                self.answer if args[4] else observe('unknown', 'not asked')))
        self.ask_compute = patcher.start()
        self.addCleanup(patcher.stop)
        self.answer = observe('unknown', 'timeout')
        self.recovery = live_migration_recovery.LiveMigrationRecovery(
            self.manager)
        self.instance, self.migration = self._create()
        self.connection_info = '{}'

    def _create(self, status='running', vm_state=vm_states.ACTIVE):
        instance = objects.Instance(
            self.context, host='src', vm_state=vm_state,
            task_state=task_states.MIGRATING, project_id='project',
            user_id='user', system_metadata={}, metadata={},
            flavor=fake_flavor.fake_flavor_obj(self.context),
            info_cache=objects.InstanceInfoCache(
                network_info=network_model.NetworkInfo()))
        instance.create()
        return instance, self._create_migration(instance, status)

    def _create_migration(self, instance, status='running', dest='dest'):
        migration = objects.Migration(
            self.context, instance_uuid=instance.uuid, source_compute='src',
            dest_compute=dest, status=status, migration_type='live-migration')
        migration.create()
        return migration

    def _set(self, status='running', **kwargs):
        """Set what the database has of the instance and the migration."""
        self.instance.update(kwargs)
        self.instance.save()
        self.migration.status = status
        self.migration.save()

    def see(self, source, destination):
        self.seen = [observe(item) if isinstance(item, str) else item
                     for item in (source, destination)]

    def _observe(self, instance, migration=None):
        return self.seen[migration is not None]

    def _rollback(self, context, instance, dest, data, status, *args,
                  **kwargs):
        instance.task_state = None
        instance.save(expected_task_state=[task_states.MIGRATING])
        self.manager._set_migration_status(data.migration, status)

    def _finish(self, context, instance, dest, block_migration, data, bdms):
        instance.host = dest
        self._rollback(context, instance, dest, data, 'completed')

    def break_off(self, status='failed', bdms=(), migration=None):
        """Let the migration fail."""
        self.recovery.recover(
            self.context, self.instance, 'dest',
            objects.LibvirtLiveMigrateData(
                migration=migration or self.migration, block_migration=False,
                is_shared_instance_path=True, is_shared_block_storage=True,
                vifs=[objects.VIFMigrateData(source_vif=network_model.VIF(
                    profile={'pci_slot': '0000:06:00.1'}))]),
            status, objects.BlockDeviceMappingList(objects=list(bdms)))

    def check(self, waited=True):
        for task in self.recovery._tasks.values():
            task.checks += live_migration_recovery.CHECKS if waited else 0
        self.recovery.check_all(self.context)
        if self.recovery._checker:
            self.recovery._checker.join()

    def bdm(self, attachment):
        bdm = fake_block_device.fake_bdm_object(self.context, {
            'id': 1, 'source_type': 'volume', 'destination_type': 'volume',
            'volume_id': uuids.volume, 'instance_uuid': self.instance.uuid,
            'connection_info': self.connection_info})
        bdm.attachment_id = attachment
        bdm.save = mock.Mock()
        return bdm

    def attached(self, attachment):
        """Let the database have an attachment of the volume."""
        return mock.patch.object(
            objects.BlockDeviceMappingList, 'get_by_instance_uuid',
            side_effect=lambda *args: objects.BlockDeviceMappingList(
                objects=[self.bdm(attachment)]))

    def start(self):
        """Do what a start of nova-compute does."""
        deferred = self.recovery.defer_start(self.context, self.instance)
        self.check()
        return deferred

    def assertState(self, vm_state, task_state, status, faults=0):
        self.instance.refresh()
        self.assertEqual(
            (vm_state, task_state, status), (
                self.instance.vm_state, self.instance.task_state,
                objects.Migration.get_by_id(
                    self.context, self.migration.id).status))
        found = objects.InstanceFaultList.get_by_instance_uuids(
            self.context, [self.instance.uuid])
        self.assertEqual(faults, len(found))
        return found[0] if found else None

    def assertParked(self, status='running', faults=1):
        return self.assertState('error', 'migrating', status, faults)


@ddt.ddt
class TestRollBack(LiveMigrationRecoveryTestCase):

    def test_instance_not_found_by_the_rollback(self):
        """A domain that is gone is not an instance that is gone."""
        self.see('absent', 'absent')
        self.rollback.side_effect = exception.InstanceNotFound(
            instance_id=self.instance.uuid)
        self.break_off()
        self.assertIn('cannot roll', self.assertParked().details)
        self.rollback.side_effect = self._rollback
        self.check()
        self.assertState('stopped', None, 'failed', 1)

    @ddt.data('failed', 'cancelled')
    def test_no_fault(self, status):
        self.see('running', 'absent')
        self.break_off(status)
        self.assertState('active', None, status)

    @ddt.data('absent', 'incoming', 'stopped', 'paused')
    def test_paused_by_user(self, destination):
        """It has not run on a destination that has died."""
        self._set(vm_state=vm_states.PAUSED)
        self.see('paused', 'unknown')
        self.break_off()
        self.assertState('paused', 'migrating', 'running')
        self.check()
        self.assertState('paused', None, 'reverted')
        self.see('paused', destination)
        self.check()
        self.assertState('paused', None, 'failed')
        self.manager.driver.unpause.assert_not_called()

    @ddt.data('incoming', 'stopped')
    def test_paused_by_user_and_not_started(self, destination):
        """libvirtd was restarted there before the migration had ended."""
        self._set(vm_state=vm_states.PAUSED)
        self.see('unknown', 'unknown')
        self.break_off()
        self.check()
        self.assertParked()
        self.see('paused', destination)
        self.check()
        self.assertState('paused', None, 'failed', 1)
        clean_up = (self.manager.compute_rpcapi.
                    rollback_live_migration_at_destination)
        clean_up.assert_called_once()
        self.assertFalse(clean_up.call_args.kwargs['destroy_disks'])

    def test_paused_by_user_earlier(self):
        """An operator has reset the state of the parked instance."""
        self._set(vm_state=vm_states.ACTIVE, task_state=None,
                  system_metadata={'old_vm_state': 'paused'})
        self.see('running', 'absent')
        self.break_off()
        self.assertState('active', None, 'failed')
        self.assertNotIn('old_vm_state', self.instance.system_metadata)
        self.migration = self._create_migration(self.instance)
        self._set(task_state=task_states.MIGRATING)
        self.see('paused', 'stopped')
        self.break_off()
        self.check()
        self.assertState('active', None, 'completed')
        self.assertEqual('dest', self.instance.host)

    def test_paused_by_user_before_restart(self):
        self._set(vm_state=vm_states.PAUSED)
        self.see('paused', 'absent')
        self.assertTrue(self.start())
        self.assertState('paused', None, 'failed')
        self.manager.driver.unpause.assert_not_called()

    def test_paused_by_migration(self):
        self.see('paused', 'absent')
        self.break_off()
        self.assertState('active', None, 'failed')
        self.manager.driver.unpause.assert_called_once_with(mock.ANY)

    def test_nova_compute_of_the_destination_is_down(self):
        """As the claim of a NUMA instance cannot be dropped there."""
        def rollback(*args, **kwargs):
            if kwargs['dest_reachable']:
                raise messaging.MessagingTimeout()
            self._rollback(*args, **kwargs)

        self.see('running', 'absent')
        self.rollback.side_effect = rollback
        self.break_off()
        self.assertParked()
        self.check()
        self.assertState('active', None, 'reverted', 1)

    def test_paused_and_compute_answers_only(self):
        """The destination's libvirt is out of reach, as by its TLS keys."""
        self._set(vm_state=vm_states.PAUSED)
        self.see('paused', 'unknown')
        self.answer = observe('absent')
        self.break_off()
        self.assertState('paused', None, 'failed')

    @ddt.data((True, 'active'), (False, 'stopped'))
    @ddt.unpack
    def test_source_host_has_crashed(self, resume, vm_state):
        """_init_instance starts a guest that is not recorded as stopped."""
        self.flags(resume_guests_state_on_host_boot=resume)
        self.see('absent', 'absent')
        self.assertTrue(self.start())
        self.assertState(vm_state, None, 'failed')
        self.manager._init_instance.assert_called_once_with(
            mock.ANY, test.MatchType(objects.Instance))
        self.assertFalse(
            self.recovery.defer_start(self.context, self.instance))


@ddt.ddt
class TestPark(LiveMigrationRecoveryTestCase):

    def test_failed_post_copy(self):
        failed = observe('paused', migrating=True, postcopy_failed=True)
        self.see(failed, failed)
        self.break_off()
        self.assertIn('--postcopy-resume', self.assertParked().details)
        self.manager.driver.monitor_live_migration.assert_not_called()

    def test_one_fault(self):
        self.see('absent', observe('unknown', 'libvirt: refused'))
        self.break_off()
        for _ in range(64):
            self.check(waited=False)
        fault = self.assertParked()
        # Only administrators see the details.
        self.assertNotIn('dest', fault.message)
        for words in ('absent (libvirt) on src', 'on dest', 'refused',
                      'timeout'):
            self.assertIn(words, fault.details)
        # Each call to the nova-compute there may add two.
        calls = [call.args[4] for call in self.ask_compute.call_args_list]
        self.assertGreater(12, len([timeout for timeout in calls if timeout]))
        self.assertEqual(65, len(calls))

    def test_another_fault_comes_between(self):
        """A question to nova-compute leaves faults of its own."""
        self.see('absent', 'unknown')
        self.break_off()
        self.check()
        objects.InstanceFault(
            self.context, instance_uuid=self.instance.uuid, host='dest',
            message='refused', code=500, details='').create()
        for _ in range(2):
            self.check()
        self.assertIn('absent (libvirt) on src',
                      self.assertParked(faults=3).details)

    def test_restart(self):
        self.see('absent', 'unknown')
        self.break_off()
        self.check()
        self.recovery = live_migration_recovery.LiveMigrationRecovery(
            self.manager)
        self.assertTrue(self.start())
        self.assertParked()
        self.manager._init_instance.assert_not_called()

    def test_post_copy_goes_on(self):
        """A migration on which libvirt works is checked until it has ended."""
        self.see('paused', observe('running', migrating=True))
        self.break_off()
        for _ in range(5):
            self.check()
        self.assertState('active', 'migrating', 'running')
        self.see('absent', 'running')
        self.check(waited=False)
        self.assertState('active', None, 'completed')
        self.assertEqual('dest', self.instance.host)

    def test_deleted(self):
        self.see('absent', 'unknown')
        bdm = self.bdm(uuids.source)
        # The driver's thread is reading deleted records.
        self.context.read_deleted = 'yes'
        self.break_off(bdms=[bdm, self.bdm(None)])
        self.context.read_deleted = 'no'
        self.instance.destroy()
        self.check()
        remove = (self.manager.
                  _post_live_migration_remove_source_vol_connections)
        # A copy of the guest may use the volume.
        remove.assert_not_called()
        self.see('absent', 'absent')
        self.check()
        self.manager._delete_allocation_after_move.assert_called_once_with(
            mock.ANY, test.MatchType(objects.Instance), mock.ANY)
        remove.assert_called_once_with(
            mock.ANY, test.MatchType(objects.Instance), [bdm])
        self.assertEqual({}, self.recovery._tasks)

    def test_second_copy_is_paused_first(self):
        states = []
        self.see('running', 'running')
        self.manager.driver.pause_migrated_guest.side_effect = (
            lambda *args: states.append(objects.Instance.get_by_uuid(
                self.context, self.instance.uuid).vm_state))
        self.break_off()
        self.assertEqual([vm_states.ACTIVE], states)
        self.assertParked()
        # The destination keeps what is claimed there.
        self.assertTrue(
            resource_tracker._instance_is_live_migrating(self.instance))

    def test_deleted_during_rollback(self):
        def rollback(*args, **kwargs):
            self.instance.destroy()
            self._rollback(*args, **kwargs)

        self.see('running', 'absent')
        self.rollback.side_effect = rollback
        self.break_off()
        self.see('absent', 'absent')
        self.check()
        self.manager._delete_allocation_after_move.assert_called_once_with(
            mock.ANY, test.MatchType(objects.Instance), mock.ANY)
        self.assertEqual({}, self.recovery._tasks)

    @ddt.data(('dest', 'completed'), ('third', 'error'))
    @ddt.unpack
    def test_instance_is_elsewhere(self, host, status):
        self.see('absent', 'unknown')
        self.break_off()
        self._set(host=host)
        self.check()
        self.assertState('active', 'migrating', status)
        self.rollback.assert_not_called()

    def test_others_work_on_the_instance(self):
        self.see('absent', 'unknown')
        self.break_off()
        self._set(task_state=task_states.DELETING)
        self.see('absent', 'absent')
        self.check()
        self.assertState('active', 'deleting', 'running')
        self._set(task_state=task_states.MIGRATING)
        self.check()
        self.assertState('stopped', None, 'failed')


@ddt.ddt
class TestFinish(LiveMigrationRecoveryTestCase):

    def test_no_way_back(self):
        self._set('post-migrating')
        self.see('absent', 'absent')
        self.finish.side_effect = test.TestingException
        self.break_off()
        self.assertParked('post-migrating')
        self.finish.side_effect = self._finish
        self.check()
        self.assertState('active', None, 'completed', 1)
        self.rollback.assert_not_called()

    def test_no_way_back_and_destination_is_fenced(self):
        """It is recorded where it was last, for an administrator."""
        self._set('post-migrating')
        self.manager._get_compute_info.return_value = objects.ComputeNode(
            id=7, hypervisor_hostname='dest')
        topology = objects.InstanceNUMATopology(cells=[])
        self._set('post-migrating', migration_context=objects.MigrationContext(
            self.context, instance_uuid=self.instance.uuid,
            migration_id=self.migration.id, new_numa_topology=topology))
        self.see('absent', 'unknown')
        self.break_off()
        self.check()
        self.assertParked('post-migrating')
        self.see('absent', observe('absent', fenced=True))
        for _ in range(2):
            self.check()
        self.assertState('error', None, 'completed', 1)
        self.assertEqual('dest', self.instance.host)
        self.assertEqual([], self.instance.numa_topology.cells)
        self.assertIsNone(self.instance.migration_context)

    def test_fails_after_the_destination_took_over(self):
        def finish(*args):
            self._finish(*args)
            raise test.TestingException()

        self.see('absent', 'running')
        self.finish.side_effect = finish
        self.break_off()
        self.assertState('active', None, 'completed')

    def _finish_with(self, *attachments):
        """Finish with what Cinder has; return what that deletes."""
        self._set(self.migration.status, task_state=task_states.MIGRATING)
        self.see('absent', 'running')
        self.manager.volume_api.attachment_get_all.return_value = [
            {'id': item, 'volume_id': uuids.volume} for item in attachments]
        self.manager.volume_api.attachment_get.return_value = {
            'connection_info': {}}
        with self.attached(uuids.dest):
            if not attachments or self.migration.status != 'running':
                self.break_off(bdms=[self.bdm(uuids.source)])
            else:
                self.start()
        self.assertState('active', None, 'completed')
        return [bdm.attachment_id for bdm in self.finish.call_args.args[5]]

    def test_attachments(self):
        self.assertEqual([uuids.source], self._finish_with())

    def test_given_up_by_an_earlier_attempt(self):
        self._set('post-migrating')
        self.assertEqual([], self._finish_with(uuids.dest))
        self.assertEqual([], self.finish.call_args[0][4].vifs)

    def test_failed_before_anything_was_given_up(self):
        self._set('post-migrating')
        self.manager.rt.pci_tracker.allocations[self.instance.uuid] = []
        self.assertEqual([uuids.source],
                         self._finish_with(uuids.dest, uuids.source))
        self.assertEqual(1, len(self.finish.call_args[0][4].vifs))

    def test_attachments_after_restart(self):
        self.assertEqual([uuids.source],
                         self._finish_with(uuids.dest, uuids.source))

    def test_attachments_at_the_second_attempt(self):
        self.assertEqual([], self._finish_with(uuids.dest))
        # It asks with its own credentials, of another project.
        self.assertTrue(self.manager.volume_api.attachment_get_all
                        .call_args.kwargs['all_tenants'])

    @ddt.data(cinder_exception.Unauthorized, cinder_exception.BadRequest)
    def test_cinder_refuses(self, error):
        self.manager.volume_api.attachment_get_all.side_effect = error(400)
        self.see('running', 'absent')
        with self.attached(uuids.dest):
            self.start()
        self.assertState('active', None, 'failed')

    def test_multiattach_is_kept(self):
        self.connection_info = '{"multiattach": true}'
        self._finish_with(uuids.dest, uuids.source)
        bdm, = self.finish.call_args.args[5]
        self.assertIs(True, jsonutils.loads(bdm.connection_info)[
            'multiattach'])


@ddt.ddt
class TestUnderWay(LiveMigrationRecoveryTestCase):

    @ddt.data('accepted', 'queued', 'preparing', 'pre-migrating', 'running')
    def test_others_work_on_the_migration(self, status):
        """The conductor, or a thread of this process."""
        self._set(status)
        if status == 'running':
            self.recovery.begin(
                self.migration, objects.LibvirtLiveMigrateData())
        for _ in range(3):
            self.check()
        self.manager.driver.observe_guest.assert_not_called()
        self.assertState('active', 'migrating', status)

    def test_record_of_an_earlier_release(self):
        """It must not be acted upon during a later migration."""
        self._set(task_state=None)
        self.see('absent', 'unknown')
        self.assertFalse(self.start())
        self.assertState('active', None, 'running')
        self._create_migration(self.instance, 'preparing', dest='other')
        self._set(task_state=task_states.MIGRATING)
        self.see('running', 'absent')
        self.check(waited=False)
        self.rollback.assert_not_called()
        self.assertState('active', 'migrating', 'running')

    def test_record_of_an_earlier_release_is_closed(self):
        """Otherwise the instance could not be evacuated."""
        self._set(task_state=None)
        self.see('running', 'unknown')
        self.assertFalse(self.start())
        self.assertState('active', None, 'error')

    def test_record_of_a_stopped_guest_is_closed(self):
        self._set(task_state=None, vm_state=vm_states.STOPPED)
        self.see('absent', 'absent')
        self.assertFalse(self.start())
        self.assertState('stopped', None, 'error')

    @ddt.data('running', 'reverted')
    def test_later_migration_was_being_prepared(self, status):
        """A start of nova-compute ends that one, as it always has."""
        self._set(status)
        self._create_migration(self.instance, 'preparing', dest='other')
        self.assertFalse(self.start())

    def test_record_cannot_be_written(self):
        """The migration has not begun, and must not count as running."""
        with mock.patch.object(self.manager, '_set_migration_status',
                               side_effect=test.TestingException):
            self.assertRaises(
                test.TestingException, self.recovery.begin, self.migration,
                objects.LibvirtLiveMigrateData())
        self.assertEqual({}, self.recovery._running)

    def test_checked_while_it_begins(self):
        """The first check after a start finds it in the database."""
        def status(migration, status):
            manager.ComputeManager._set_migration_status(migration, status)
            self.check()

        self._set('preparing')
        self.manager._set_migration_status = status
        self.recovery.begin(
            self.migration, objects.LibvirtLiveMigrateData())
        self.manager.driver.observe_guest.assert_not_called()

    def test_start_in_a_later_migration(self):
        """The earlier one is still to be cleaned up."""
        self._set('reverted')
        self._create_migration(self.instance, 'error', dest='other')
        self.assertFalse(self.start())

    def test_end_of_an_earlier_migration(self):
        later = self._create_migration(self.instance)
        data = objects.LibvirtLiveMigrateData()
        self.recovery.begin(self.migration, data)
        self._set('cancelled')
        self.recovery.begin(later, data)
        self.recovery.end(self.migration)
        self.check()
        self.manager.driver.observe_guest.assert_not_called()
        self.migration = later
        self.see('running', 'absent')
        self.break_off()
        self.assertState('active', None, 'failed')

    @ddt.data(('192.0.2.1', '192.0.2.1'), (None, 'dest'))
    @ddt.unpack
    def test_address_of_destination_is_stored(self, address, stored):
        self.recovery.begin(self.migration, objects.LibvirtLiveMigrateData(
            target_connect_addr=address))
        self.assertEqual(stored, objects.Migration.get_by_id(
            self.context, self.migration.id).dest_host)

    def test_logged_when_it_is_done(self):
        self.see('absent', 'running')
        message = 'Nova will finish the migration'
        self.assertTrue(
            self.recovery.defer_start(self.context, self.instance))
        self.assertNotIn(message, self.stdlog.logger.output)
        self.check()
        self.assertIn(message, self.stdlog.logger.output)
        self.assertState('active', None, 'completed')

    def test_monitored_after_restart(self):
        def monitor(context, instance, dest, recover, data):
            go_on.wait()
            raise test.TestingException()

        go_on = threading.Event()
        self.addCleanup(go_on.set)
        self.manager.driver.monitor_live_migration.side_effect = monitor
        self.see(observe('running', migrating=True), 'incoming')
        self.assertTrue(self.start())
        self.recovery.end(self.migration)
        observed = self.manager.driver.observe_guest.call_count
        self.check()
        self.assertEqual(
            observed, self.manager.driver.observe_guest.call_count)
        self.assertState('active', 'migrating', 'running')
        while not self.manager.driver.monitor_live_migration.called:
            time.sleep(0.01)
        # What becomes of it is decided by the guest.
        self.see('running', 'absent')
        go_on.set()
        while self.recovery._running:
            time.sleep(0.01)
        self.assertIn('Cannot monitor', self.stdlog.logger.output)
        self.check()
        self.assertState('active', None, 'failed')


@ddt.ddt
class TestAskCompute(LiveMigrationRecoveryTestCase):

    def setUp(self):
        super().setUp()
        patcher = mock.patch.object(live_migration_recovery.time, 'monotonic',
                                    side_effect=lambda: self.now)
        self.addCleanup(patcher.stop)
        patcher.start()
        self.now = 0
        self.ask_compute.side_effect = self._ask
        self.seconds = {'libvirt': 0, 'nova-compute': 0}
        self.see('running', 'unknown')

    def _observe(self, instance, migration=None):
        if migration:
            self.now += self.seconds['libvirt']
        return super()._observe(instance, migration)

    def _ask(self, *args):
        self.now += self.seconds['nova-compute']
        return self.answer

    def test_libvirt_cannot_be_reached(self):
        """Nova may have no access to the libvirt of other hosts."""
        self.answer = observe('absent')
        self.break_off()
        self.assertState('active', None, 'failed')

    def test_libvirt_is_restarted(self):
        """What a host that is up does not know yet is worth a wait."""
        self.answer = observe('unknown', alive=True)
        self.break_off()
        self.assertState('active', 'migrating', 'running')
        self.see('running', 'absent')
        self.check()
        self.assertState('active', None, 'failed')

    def test_split_brain(self):
        """Only nova-compute can see the second copy, or nobody any more."""
        self.manager.driver.pause_migrated_guest.side_effect = (
            exception.InternalError('libvirt cannot be reached'))
        self.answer = observe('running')
        self.break_off()
        for _ in range(5):
            self.check(waited=False)
            self.assertParked()
        self.answer = observe('unknown')
        for _ in range(20):
            self.check(waited=False)
            self.assertState('error', 'migrating', 'running', 2)

    def test_host_is_gone(self):
        """The source does not wait twice."""
        self.seconds['libvirt'] = 5
        self.break_off()
        self.assertState('active', None, 'reverted')
        self.assertEqual(1, self.ask_compute.call_args.args[-1])


class TestDestinationNotReached(LiveMigrationRecoveryTestCase):

    def setUp(self):
        super().setUp()
        self.see('running', 'unknown')
        self.break_off()
        self.check()
        self.assertState('active', None, 'reverted')

    def test_later_migration(self):
        """It does not make Nova forget the first destination."""
        first, self.migration = self.migration, self._create_migration(
            self.instance)
        self._set(task_state=task_states.MIGRATING)
        self.see('running', 'absent')
        self.break_off()
        self.assertState('active', None, 'failed')
        self.check()
        self.migration = first
        self.assertState('active', None, 'failed')

    def test_deleted_on_that_host(self):
        self._set('reverted', host='dest')
        self.instance.destroy()
        self.check()
        self.assertEqual({}, self.recovery._tasks)

    def test_instance_comes_there_from_a_third_host(self):
        def observe_guest(instance, migration=None):
            self._set('reverted', host='dest')
            return observe('running' if migration else 'absent')

        self._set('reverted', host='third')
        self.manager.driver.observe_guest.side_effect = observe_guest
        self.check()
        self.manager.driver.pause_migrated_guest.assert_not_called()

    def test_instance_has_gone_to_a_third_host(self):
        self._set('reverted', host='third',
                  system_metadata={'old_vm_state': 'stopped'})
        self.see('absent', 'running')
        self.check()
        self.manager.driver.pause_migrated_guest.assert_called()
        self.see('absent', 'absent')
        self.check()
        self.assertState('active', None, 'failed')
        # It is of the resize.
        self.assertIn('old_vm_state', self.instance.system_metadata)

    def test_deleted(self):
        self.instance.destroy()
        self.check()
        clean_up = (self.manager.compute_rpcapi.
                    rollback_live_migration_at_destination)
        clean_up.assert_not_called()
        self.see('absent', 'absent')
        self.check()
        clean_up.assert_called_once()

    def test_other_guests_keep_their_cpus(self):
        """The instance has the numbers of the source's again."""
        instance = objects.Instance(
            self.context, migration_context=None,
            numa_topology=objects.InstanceNUMATopology(cells=[]),
            resources=objects.ResourceList(objects=[]))
        data = objects.LibvirtLiveMigrateData(
            dst_numa_info=objects.LibvirtLiveMigrateNUMAInfo())
        self.recovery._clean_up(mock.Mock(), instance, data, False)
        call = (self.manager.compute_rpcapi.
                rollback_live_migration_at_destination.call_args)
        sent = call[0][1]
        self.assertIsNone(sent.numa_topology)
        self.assertIsNone(sent.resources)
        self.assertFalse({'numa_topology', 'resources'} &
                         set(sent.obj_what_changed()))
        self.assertNotIn('dst_numa_info', call[1]['migrate_data'])
        self.assertIn('dst_numa_info', data)

    def test_record_of_a_later_migration_is_left_behind(self):
        """A restart has ended it while it was prepared."""
        self._create_migration(self.instance, 'preparing', 'third')
        self.see('running', 'running')
        for _ in range(3):
            self.check()
        self.assertParked()
        self.see('running', 'absent')
        self.check()
        self.assertState('active', None, 'failed', 1)

    def test_next_migration_begins_during_the_check(self):
        """Neither host may be touched for the sake of the earlier one."""
        def begin(instance, migration=None):
            self._create_migration(self.instance, 'preparing')
            self._set('reverted', task_state=task_states.MIGRATING)
            return observe('absent')

        self.manager.driver.observe_guest.side_effect = begin
        self.check()
        (self.manager.compute_rpcapi.rollback_live_migration_at_destination
         .assert_not_called())

    def test_a_long_operation_holds_up_no_other_instance(self):
        first, self.seen = self.instance, [observe('absent')] * 2
        self._set('reverted', task_state='image_uploading')
        self.instance, self.migration = self._create()
        self.recovery._tasks[self.migration.id] = (
            live_migration_recovery.Task(self.context, self.migration))
        with lockutils.lock(first.uuid, lock_file_prefix='nova-'):
            self.check()
        self.assertState('stopped', None, 'failed')


@ddt.ddt
class TestLeftHalfDone(LiveMigrationRecoveryTestCase):
    """What a failure in the middle, or a restart, has left."""

    def setUp(self):
        super().setUp()
        flags = self.manager._live_migration_cleanup_flags
        flags.side_effect = lambda data, *args: (
            not data.is_shared_instance_path, not data.is_shared_block_storage)
        self.manager._is_instance_storage_shared.return_value = False

    def copy_disks(self):
        self.recovery.recover(
            self.context, self.instance, 'dest',
            objects.LibvirtLiveMigrateData(
                migration=self.migration, block_migration=True,
                is_shared_instance_path=False, is_shared_block_storage=False),
            'failed', objects.BlockDeviceMappingList(objects=[]))

    def test_dead_destination_is_not_called_after_restart(self):
        self.see('running', 'unknown')
        self.start()
        self.assertState('active', None, 'reverted')
        self.manager._is_instance_storage_shared.assert_not_called()

    def test_second_copy_after_restart(self):
        self._set('reverted', task_state=None)
        self.see('running', 'running')
        self.start()
        self.check()
        self.manager.driver.pause_migrated_guest.assert_called()
        self.assertParked()

    def test_older_copy_takes_nothing_over(self):
        """The user has stopped the guest since."""
        self.see('running', 'unknown')
        self.break_off()
        self._set('reverted', vm_state=vm_states.STOPPED)
        self.see('absent', 'running')
        self.check()
        self.finish.assert_not_called()
        self.manager.driver.pause_migrated_guest.assert_called()

    def test_initialized_after_rollback_of_copied_disks(self):
        self.see('absent', 'absent')
        self.start()
        self.manager._init_instance.assert_called_once()

    def test_resumed_although_the_rollback_fails(self):
        self.see('paused', 'absent')
        self.rollback.side_effect = test.TestingException
        self.break_off()
        self.manager.driver.unpause.assert_called_once()
        self.assertParked()

    def test_rollback_closes_the_migration_and_fails(self):
        def rollback(context, instance, dest, data, *args, **kwargs):
            self.manager._set_migration_status(data.migration, 'error')
            raise test.TestingException()

        self.see('running', 'absent')
        self.rollback.side_effect = rollback
        self.break_off()
        self.assertParked()
        self.rollback.side_effect = self._rollback
        self.check()
        self.assertState('active', None, 'failed', 1)

    def test_rollback_is_given_up(self):
        """Others can work on the instance then."""
        self.stub_out('nova.compute.live_migration_recovery.GIVE_UP', 12)
        self.see('running', 'absent')
        self.rollback.side_effect = test.TestingException
        self.break_off()
        for _ in range(10):
            self.check()
        self.assertParked()
        self.check()
        self.assertState('error', None, 'error', 1)
        self.assertNotIn('old_vm_state', self.instance.system_metadata)

    def test_rollback_fails_for_a_while(self):
        """Each attempt leaves a fault, and the token expires."""
        self.context.auth_token = 'of the user'
        self.see('running', 'absent')
        self.rollback.side_effect = test.TestingException
        self.break_off()
        for _ in range(18):
            self.check()
        calls = self.rollback.call_args_list
        self.assertEqual(6, len(calls))
        self.assertEqual({'of the user', None},
                         {call.args[0].auth_token for call in calls})
        # What has changed is acted upon at once.
        self.rollback.side_effect = self._rollback
        self.see('running', 'incoming')
        self.check()
        self.assertState('active', None, 'failed', 1)

    def test_guest_cannot_be_resumed(self):
        self.see('paused', 'absent')
        self.manager.driver.unpause.side_effect = test.TestingException
        self.break_off()
        self.assertParked()
        for _ in range(2):
            self.check()
        self.assertState('active', None, 'failed', 1)

    def test_other_tasks_of_the_service_go_on(self):
        """A check calls hosts that may be gone."""
        self.see('absent', 'unknown')
        self.break_off()
        with lockutils.lock(self.instance.uuid, lock_file_prefix='nova-'):
            for _ in range(2):
                self.recovery.check_all(self.context)
                self.assertTrue(self.recovery._checker.is_alive())
        self.recovery._checker.join()

    def test_state_was_reset_while_parked(self):
        self._set(task_state=None, system_metadata={'old_vm_state': 'active'})
        self.see('absent', 'unknown')
        self.start()
        self.check()
        self.assertParked()

    def test_disks_of_a_guest_that_has_run(self):
        self.see('running', 'unknown')
        self.copy_disks()
        self.see('running', 'stopped')
        self.check()
        rpcapi = self.manager.compute_rpcapi
        call = rpcapi.rollback_live_migration_at_destination.call_args
        self.assertTrue(call.kwargs['migrate_data'].is_shared_instance_path)

    @ddt.data(('running', False), ('running (post-copy)', True))
    @ddt.unpack
    def test_disks_of_a_guest_that_has_died(self, status, kept):
        """Without post-copy it cannot have run there without a trace."""
        self._set(status)
        self.see('absent', 'absent')
        self.copy_disks()
        self.assertState('stopped', None, 'failed')
        self.assertEqual(
            kept, self.rollback.call_args.args[3].is_shared_instance_path)

    def test_disks_of_a_second_copy_seen_before_a_restart(self):
        self._set(vm_state=vm_states.ERROR,
                  system_metadata={'old_vm_state': vm_states.ACTIVE})
        self.see('absent', 'paused')
        self.assertTrue(self.start())
        self.assertParked()
        self.see('absent', 'running')
        self.check()
        self.assertTrue(self.finish.call_args[0][4].is_shared_instance_path)
        self.assertState('active', None, 'completed', 1)

    def test_disks_of_both_copies(self):
        self.see('running', 'running')
        self.copy_disks()
        self.see('running', 'paused')
        self.check()
        self.see('absent', 'paused')
        self.check()
        self.finish.assert_not_called()
        self.see('absent', 'running')
        self.check()
        self.assertTrue(self.finish.call_args.args[4].is_shared_instance_path)
