# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

import os
from unittest import mock

import fixtures

from nova.compute import guest_location
from nova.compute import live_migration_recovery
from nova import context as nova_context
from nova import exception
from nova import objects
from nova import test
from nova.tests import fixtures as nova_fixtures
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional.api import client as api_client
from nova.tests.functional.libvirt import base

UNKNOWN = guest_location.Observation(
    guest_location.Presence.UNKNOWN, 'timeout')
SYSTEM_ERROR = fakelibvirt.make_libvirtError(
    fakelibvirt.libvirtError, 'Cannot recv data: Connection reset by peer',
    error_code=fakelibvirt.VIR_ERR_SYSTEM_ERROR)


class LiveMigrationRecoveryTestCase(
    base.LibvirtMigrationMixin, base.ServersTestBase,
):
    """A server with a port and a volume, whose live migration goes wrong."""

    microversion = 'latest'
    ADMIN_API = True

    def setUp(self):
        super().setUp()
        self.flags(device_detach_attempts=1, device_detach_timeout=1,
                   group='libvirt')
        self.cinder = self.useFixture(nova_fixtures.CinderFixture(self))
        for name in ('src', 'dest'):
            self.start_compute(hostname=name)
        self.src, self.dest = self.computes.values()
        self.addresses = dict(self.computes)
        self.useFixture(fixtures.MonkeyPatch(
            'nova.virt.libvirt.host.Host._connect', self._connect))
        self.server = self._create_server(host='src', networks='auto')
        self.volume = self.cinder.IMAGE_BACKED_VOL
        self.api.post_server_volume(self.server['id'], {
            'volumeAttachment': {'volumeId': self.volume}})
        self.notifier.wait_for_versioned_notifications(
            'instance.volume_attach.end')
        self.cinder_attachment = self._attachments()[0]
        self.port = self.neutron.port_2['id']

    def _connect(self, host, uri, read_only):
        compute = self.addresses.get(uri.split('/')[2])
        if compute is None:
            raise SYSTEM_ERROR
        return compute.driver._host.get_connection()

    def _attachments(self):
        return list(self.cinder.volume_to_attachment[self.volume])

    def _domain(self, compute):
        try:
            return compute.driver._host.get_connection().lookupByUUIDString(
                self.server['id'])
        except fakelibvirt.libvirtError:
            return None

    def _remove(self, compute):
        self._domain(compute).destroy()
        if self._domain(compute) is not None:
            self._domain(compute).undefine()

    def _migrate_stub(self, domain, destination, params, flags):
        self.dest.driver._host.get_connection().createXML(
            params['destination_xml'], 0)
        self.incoming = self._domain(self.dest)
        domain._job_type = fakelibvirt.VIR_DOMAIN_JOB_NONE
        self.incoming._state = fakelibvirt.VIR_DOMAIN_PAUSED
        self.incoming._reason = fakelibvirt.VIR_DOMAIN_PAUSED_MIGRATION
        self.go_wrong()
        raise SYSTEM_ERROR

    def move(self):
        self.incoming._state = fakelibvirt.VIR_DOMAIN_RUNNING
        self._remove(self.src)

    def _check(self, waited=True):
        """Run the periodic task of the source.

        :param waited: the hypervisors had their time
        """
        recovery = self.src.manager._live_migration_recovery
        self._wait_for_assert(lambda: self.assertTrue(
            [task for task in recovery._tasks.values() if task.seen]))
        if waited:
            for task in recovery._tasks.values():
                task.checks = live_migration_recovery.CHECKS
        self.src.manager._check_live_migrations(
            nova_context.get_admin_context())
        recovery._checker.join()

    def _instance(self):
        return objects.Instance.get_by_uuid(
            nova_context.get_admin_context(), self.server['id'])

    def _migration(self):
        return self.api.api_get(
            '/os-migrations?instance_uuid=%s' % self.server['id']
        ).body['migrations'][0]

    def _start(self, status, server_state, task_state, host='dest'):
        """Begin the migration and wait for what it leads to."""
        self.api.post_server_action(self.server['id'], {'os-migrateLive': {
            'host': host, 'block_migration': 'auto'}})
        self._wait_for(status, server_state, task_state)

    def _wait_for(self, status, server_state, task_state=None):
        self._wait_for_migration_status(self.server, [status])
        self._wait_for_server_parameter(self.server, {
            'status': server_state, 'OS-EXT-STS:task_state': task_state})
        return self.api.get_server(self.server['id'])

    def assertPlace(self, name):
        """One allocation, one active binding, one attachment: all there."""
        self.assertEqual(
            name, self.api.get_server(self.server['id'])[
                'OS-EXT-SRV-ATTR:host'])
        self.assertEqual(
            {self.compute_rp_uuids[name]},
            set(self._get_allocations_by_server_uuid(self.server['id'])))
        self.assertEqual({}, self._get_allocations_by_server_uuid(
            self._migration()['uuid']))
        self.assertEqual([name], [
            host for host, binding in self.neutron._port_bindings[
                self.port].items()])
        bdm = objects.BlockDeviceMapping.get_by_volume_and_instance(
            nova_context.get_admin_context(), self.volume, self.server['id'])
        self.assertEqual([bdm.attachment_id], self._attachments())


class TestOutcomes(LiveMigrationRecoveryTestCase):

    def test_moved(self):
        self.go_wrong = self.move
        self._start('completed', 'ACTIVE', None)
        self.assertPlace('dest')

    def test_stayed(self):
        self.go_wrong = lambda: self._remove(self.dest)
        self._start('failed', 'ACTIVE', None)
        self.assertPlace('src')
        self.assertEqual([self.cinder_attachment], self._attachments())
        self.assertTrue(self._domain(self.src).isActive())

    def test_incoming_domain_is_removed(self):
        self.go_wrong = lambda: None
        self._start('running', 'MIGRATING', 'migrating')
        self._check(waited=False)
        self._wait_for('running', 'MIGRATING', 'migrating')
        self._check()
        self._wait_for('failed', 'ACTIVE')
        self.assertPlace('src')
        self._wait_for_assert(
            lambda: self.assertIsNone(self._domain(self.dest)))

    def test_nowhere(self):
        def go_wrong():
            self._remove(self.src)
            self._remove(self.dest)
        self.go_wrong = go_wrong
        self._start('failed', 'SHUTOFF', None)
        self.assertPlace('src')
        self._start_server(self.server)

    def test_paused_source_is_ended(self):
        def go_wrong():
            self.incoming._state = fakelibvirt.VIR_DOMAIN_RUNNING
            self._domain(self.src).suspend()
        self.go_wrong = go_wrong
        self._start('running', 'MIGRATING', 'migrating')
        self._check()
        self._wait_for('completed', 'ACTIVE')
        self.assertPlace('dest')
        self.assertIsNone(self._domain(self.src))

    def test_paused_guest_is_resumed(self):
        """force-complete has paused it, and it is on the source alone."""
        def go_wrong():
            self._domain(self.src).suspend()
            del self.addresses['dest']
        self.go_wrong = go_wrong
        with mock.patch('nova.compute.live_migration_recovery.ask_compute',
                        return_value=UNKNOWN):
            self._start('running', 'MIGRATING', 'migrating')
            self._check()
            self._wait_for('running', 'ERROR', 'migrating')
        self.assertFalse(self._domain(self.src).isActive())
        self.addresses['dest'] = self.dest
        self._remove(self.dest)
        self._check()
        self._wait_for('failed', 'ACTIVE')
        self.assertTrue(self._domain(self.src).isActive())
        self.assertPlace('src')


class TestUnreachableDestination(LiveMigrationRecoveryTestCase):

    def go_wrong(self):
        """The destination loses power, and so the guest stays."""
        del self.addresses['dest']

    def setUp(self):
        super().setUp()
        self.answer = UNKNOWN
        self.useFixture(fixtures.MonkeyPatch(
            'nova.compute.live_migration_recovery.ask_compute',
            lambda *args: self.answer))

    def test_source_is_rolled_back_at_once(self):
        self._start('reverted', 'ACTIVE', None)
        self.assertPlace('src')
        self.assertEqual([self.cinder_attachment], self._attachments())
        self.assertIsNotNone(self._domain(self.dest))
        self._reboot_server(self.server, hard=True)
        # The destination is not asked for every operation, but looked at
        # until it answers.
        self._check()
        self._wait_for('reverted', 'ACTIVE')
        self.addresses['dest'] = self.dest
        self._check()
        self._wait_for('failed', 'ACTIVE')
        self._wait_for_assert(
            lambda: self.assertIsNone(self._domain(self.dest)))
        self.assertPlace('src')

    def test_second_copy_is_found_later(self):
        self._start('reverted', 'ACTIVE', None)
        self.incoming._state = fakelibvirt.VIR_DOMAIN_RUNNING
        self.addresses['dest'] = self.dest
        self._check()
        self._wait_for('running', 'ERROR', 'migrating')
        self._wait_for_assert(lambda: self.assertEqual(
            fakelibvirt.VIR_DOMAIN_PAUSED, self.incoming._state))
        self.assertTrue(self._domain(self.src).isActive())
        # The operator decides.
        self._remove(self.dest)
        self._check()
        self._wait_for('failed', 'ACTIVE')
        self.assertPlace('src')

    def test_wrong_host_answers(self):
        """Its address leads back to the source."""
        self.addresses['dest'] = self.src
        self.go_wrong = lambda: None
        self._start('reverted', 'ACTIVE', None)
        self.assertTrue(self._domain(self.src).isActive())
        self.assertIn('live_migration_inbound_addr', self.stdlog.logger.output)
        self.assertPlace('src')

    def test_fenced_destination(self):
        def go_wrong():
            del self.addresses['dest']
            self._remove(self.src)
        self.go_wrong = go_wrong
        self._start('running', 'MIGRATING', 'migrating')
        self._check()
        self._wait_for('running', 'ERROR', 'migrating')
        fault = self.api.get_server(self.server['id'])['fault']
        self.assertNotIn('dest', fault['message'])
        self.assertIn('on dest', fault['details'])
        self.assertIn('Connection reset', fault['details'])
        self._check()
        self._wait_for('running', 'ERROR', 'migrating')
        self.answer = guest_location.Observation(
            guest_location.Presence.ABSENT, 'forced down', fenced=True)
        self._check()
        self._wait_for('reverted', 'SHUTOFF')
        self.assertPlace('src')
        self._start_server(self.server)


class TestFinishFails(LiveMigrationRecoveryTestCase):

    def test_neutron_is_down(self):
        """It fails before the destination is told; it is tried again."""
        self.go_wrong = self.move
        target = 'nova.network.neutron.API.migrate_instance_start'
        error = exception.PortBindingActivationFailed(
            port_id=self.port, host='dest')
        with mock.patch(target, side_effect=error):
            self._start('post-migrating', 'ERROR', 'migrating')
        self._check()
        self._wait_for('completed', 'ACTIVE')
        self.assertPlace('dest')
        self.assertTrue(self.neutron._port_bindings[self.port]['dest'][
            'status'] == 'ACTIVE')

    def test_destination_fails(self):
        self.go_wrong = self.move
        with mock.patch.object(
                self.dest.manager.network_api, 'migrate_instance_finish',
                side_effect=test.TestingException):
            self._start('post-migrating', 'ERROR', 'migrating')
        self._check()
        self._wait_for('completed', 'ACTIVE')
        self.assertPlace('dest')

    def test_never_succeeds(self):
        self.stub_out('nova.compute.live_migration_recovery.GIVE_UP', 6)
        self.go_wrong = self.move
        with mock.patch('nova.virt.libvirt.driver.LibvirtDriver.'
                        'post_live_migration_at_source',
                        side_effect=exception.InternalError('vswitch')):
            self._start('post-migrating', 'ERROR', 'migrating')
            for _ in range(6):
                self._check()
        self.assertEqual('dest', self._wait_for('completed', 'ERROR')[
            'OS-EXT-SRV-ATTR:host'])

    def _finish_without_cinder(self):
        self.go_wrong = self.move
        with mock.patch.object(
                self.dest.manager.network_api, 'migrate_instance_finish',
                side_effect=test.TestingException):
            self._start('post-migrating', 'ERROR', 'migrating')
        # The fixture of Cinder has a mock there already.
        with mock.patch('nova.volume.cinder.API.attachment_get_all',
                        new=mock.Mock(
                            side_effect=exception.CinderConnectionFailed(
                                reason='timeout'))):
            self._check()

    def test_cinder_is_down(self):
        """Nobody knows what an earlier attempt has given up."""
        self._finish_without_cinder()
        self._wait_for('post-migrating', 'ERROR', 'migrating')
        self._check()
        self._wait_for('completed', 'ACTIVE')
        self.assertPlace('dest')

    def test_cinder_is_down_but_not_needed(self):
        for bdm in objects.BlockDeviceMappingList.get_by_instance_uuid(
                nova_context.get_admin_context(), self.server['id']):
            if bdm.is_volume:
                bdm.destroy()
        self._finish_without_cinder()
        self._wait_for('completed', 'ACTIVE')
        self.assertEqual('dest', self._instance().host)

    def test_fails_after_the_destination_has_taken_over(self):
        self.go_wrong = self.move
        with mock.patch('nova.compute.manager.ComputeManager.'
                        'update_available_resource',
                        side_effect=test.TestingException):
            self._start('completed', 'ACTIVE', None)
        self.assertPlace('dest')


class TestInDoubt(LiveMigrationRecoveryTestCase):

    def _park(self):
        """Both copies run; then the source cannot be asked."""
        def go_wrong():
            self.incoming._state = fakelibvirt.VIR_DOMAIN_RUNNING
        self.go_wrong = go_wrong
        self._start('running', 'ERROR', 'migrating')

    def test_split_brain(self):
        self._park()
        self.assertEqual(fakelibvirt.VIR_DOMAIN_PAUSED, self.incoming._state)
        self.assertTrue(self._domain(self.src).isActive())
        self.assertIn('SPLIT BRAIN', self.stdlog.logger.output)
        for action in ({'os-start': None}, {'reboot': {'type': 'HARD'}},
                       {'rebuild': {'imageRef': self.server['image']['id']}},
                       {'evacuate': {}}):
            error = self.assertRaises(
                api_client.OpenStackApiException, self.api.post_server_action,
                self.server['id'], action)
            self.assertEqual(409, error.response.status_code, action)

    def test_copied_disks_are_kept(self):
        """Also by the next migration there, which cannot begin."""
        folder = os.path.join(self.useFixture(fixtures.TempDir()).path, 'dest')
        self.useFixture(fixtures.MonkeyPatch(
            'nova.virt.libvirt.utils.get_instance_path_at_destination',
            lambda instance, migrate_data: folder))
        # The hosts share no storage.
        driver = 'nova.virt.libvirt.driver.LibvirtDriver.'
        self.useFixture(fixtures.MockPatch(
            driver + '_check_shared_storage_test_file', return_value=False))
        self.useFixture(fixtures.MockPatch(
            driver + 'get_instance_disk_info', return_value='[]'))
        self._park()
        self.assertTrue(os.path.exists(folder))
        self._remove(self.dest)
        self._check()
        self._wait_for('failed', 'ACTIVE')
        self._start('failed', 'ACTIVE', None)
        self.assertIn('DestinationDiskExists', self.stdlog.logger.output)
        self.assertTrue(os.path.exists(folder))

    def test_state_is_reset(self):
        self._park()
        self.api.post_server_action(
            self.server['id'], {'os-resetState': {'state': 'active'}})
        self._check()
        self._wait_for('running', 'ERROR', 'migrating')

    def test_evacuate(self):
        self._park()
        self._remove(self.src)
        self.src.stop()
        self.api.put_service(self.api.get_services(
            host='src', binary='nova-compute')[0]['id'],
            {'forced_down': True})
        for state in ('error', 'active'):
            # The guest is on the destination.
            error = self.assertRaises(
                api_client.OpenStackApiException, self.api.post_server_action,
                self.server['id'], {'evacuate': {}})
            self.assertEqual(409, error.response.status_code)
            self.api.post_server_action(
                self.server['id'], {'os-resetState': {'state': state}})
        self._remove(self.dest)
        # The fixture does not let a volume be attached twice; Cinder does.
        self.cinder.volume_to_attachment[self.volume].clear()
        self._evacuate_server(
            self.server, expected_host='dest')
        self.assertEqual(
            {self.compute_rp_uuids['src'], self.compute_rp_uuids['dest']},
            set(self._get_allocations_by_server_uuid(self.server['id'])))
        self.assertEqual('error', [
            migration['status'] for migration in self.api.api_get(
                '/os-migrations?instance_uuid=%s' % self.server['id']
            ).body['migrations']
            if migration['migration_type'] == 'live-migration'][0])

    def test_deleted(self):
        self._park()
        migration = self._migration()
        self._delete_server(self.server)
        self._check()
        self._wait_for_assert(lambda: self.assertEqual(
            {}, self._get_allocations_by_server_uuid(migration['uuid'])))
        self.assertEqual([self.cinder_attachment], self._attachments())
        self._remove(self.dest)
        self._check()
        self.assertEqual([], self._attachments())


class TestRestart(LiveMigrationRecoveryTestCase):

    def _restart_in_the_middle(self, then):
        """Restart nova-compute on the source during the copy phase."""
        self.go_wrong = lambda: None
        recovery = self.src.manager._live_migration_recovery
        with mock.patch.object(recovery, 'recover'):
            # The process ends before it learns of the error.
            self._start('running', 'MIGRATING', 'migrating')
            self._wait_for_assert(recovery.recover.assert_called)
        then()
        self.restart_compute_service('src')
        self.src = self.addresses['src'] = self.computes['src']

    def test_guest_has_moved(self):
        self._restart_in_the_middle(self.move)
        self._wait_for('completed', 'ACTIVE')
        self.assertPlace('dest')

    def test_guest_has_stayed(self):
        def stay():
            self._remove(self.dest)
            self._domain(self.src)._job_type = fakelibvirt.VIR_DOMAIN_JOB_NONE
        self._restart_in_the_middle(stay)
        self._wait_for('failed', 'ACTIVE')
        self.assertPlace('src')
        self.assertEqual([self.cinder_attachment], self._attachments())

    def test_migration_in_progress_is_monitored(self):
        self._restart_in_the_middle(lambda: setattr(
            self._domain(self.src), '_job_type',
            fakelibvirt.VIR_DOMAIN_JOB_UNBOUNDED))
        monitored = self.src.driver.active_migrations
        self._wait_for_assert(
            lambda: self.assertIn(self.server['id'], monitored))
        self.api.api_post('/servers/%s/migrations/%s/action' % (
            self.server['id'], self._migration()['id']),
            {'force_complete': None})
        self._wait_for_assert(lambda: self.assertEqual(
            fakelibvirt.VIR_DOMAIN_PAUSED, self._domain(self.src)._state))
        domain = self._domain(self.src)
        self.move()
        domain._job_type = fakelibvirt.VIR_DOMAIN_JOB_NONE
        self._wait_for('completed', 'ACTIVE')
        self.assertPlace('dest')
