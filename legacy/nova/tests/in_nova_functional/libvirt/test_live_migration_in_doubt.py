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

"""Live migrations of which libvirt's error does not tell the end."""

from nova.compute import task_states
from nova.compute import vm_states
from nova import context
from nova import exception
from nova import objects
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional.api import client
from nova.tests.functional.libvirt import base


class ProcessEnds(BaseException):
    """nova-compute ends: whatever it was about to do is not done."""


class InDoubtTestCase(base.LibvirtMigrationMixin, base.ServersTestBase):

    microversion = 'latest'
    ADMIN_API = True

    def setUp(self):
        super().setUp()
        self.flags(live_migration_park_after=1)
        for host in ('src', 'dst'):
            self.start_compute(hostname=host)
        self.server = self._create_server(host='src', networks='none')
        self.uuid = self.server['id']
        self.context = context.get_admin_context()

    def _migrate_stub(self, domain, destination, params, flags):
        self.libvirt_does(params['destination_xml'])
        raise fakelibvirt.make_libvirtError(
            fakelibvirt.libvirtError, 'client socket is closed',
            error_code=fakelibvirt.VIR_ERR_INTERNAL_ERROR)

    def connection(self, host):
        return self.computes[host].driver._host.get_connection()

    def domain(self, host='src'):
        return self.connection(host).lookupByUUIDString(self.uuid)

    def runs_on(self, host):
        try:
            return self.domain(host).isActive()
        except fakelibvirt.libvirtError:
            return False

    # What libvirt may do before it raises.

    def move(self, xml):
        self.connection('dst').createXML(xml, 0)
        self.end(xml)

    def end(self, xml):
        self.domain().destroy()
        self.domain().undefine()

    def stay(self, xml):
        self.domain().fail_job()

    def silence_destination(self):
        """Neither libvirt nor nova-compute there answers for a guest."""
        def refuse(context, instance):
            raise exception.NovaException('no answer')
        self.guest_connections.silent.add('dst')
        self.computes['dst'].driver.get_instance_diagnostics = refuse

    def migrate(self, libvirt_does, status, state='ACTIVE'):
        self.libvirt_does = libvirt_does
        self._live_migrate(self.server, status, state)

    def instance(self):
        return objects.Instance.get_by_uuid(self.context, self.uuid)

    def assert_is_on(self, host):
        """All that Nova knows names one host, and nothing is under way."""
        instance = self.instance()
        self.assertEqual((host, None),
                         (instance.host, instance.task_state))
        provider = self._get_provider_uuid_by_host(host)
        self.assertEqual([provider], list(
            self._get_allocations_by_server_uuid(self.uuid)))

    def look_again(self):
        """As the periodic task does."""
        self.computes['src'].manager._look_for_parked_guests(self.context)

    def park(self):
        self.silence_destination()
        self.migrate(self.move, 'running', 'ERROR')


class ErrorTestCase(InDoubtTestCase):

    def test_a_guest_that_has_moved_is_recorded_there(self):
        self.migrate(self.move, 'completed')
        self.assert_is_on('dst')
        self.assertTrue(self.runs_on('dst'))

    def test_a_guest_that_has_stayed_is_rolled_back(self):
        self.migrate(self.stay, 'failed')
        self.assert_is_on('src')
        self.assertTrue(self.runs_on('src'))

    def test_a_guest_that_is_gone_on_both_is_recorded_stopped(self):
        self.migrate(self.end, 'failed', 'SHUTOFF')
        self.assert_is_on('src')

    def test_nobody_starts_what_is_parked(self):
        self.park()
        instance = self.instance()
        self.assertEqual(
            ('src', vm_states.ERROR, task_states.MIGRATING),
            (instance.host, instance.vm_state, instance.task_state))
        for action in ({'os-start': None}, {'reboot': {'type': 'HARD'}}):
            error = self.assertRaises(
                client.OpenStackApiException,
                self.api.post_server_action, self.uuid, action)
            self.assertEqual(409, error.response.status_code)
        self.assertFalse(self.runs_on('src'))

    def test_what_is_parked_is_freed_once_the_destination_answers(self):
        self.park()
        self.guest_connections.silent.clear()
        self.look_again()
        self._wait_for_state_change(self.server, 'ACTIVE')
        self._wait_for_migration_status(self.server, ['completed'])
        self.assert_is_on('dst')


class RestartTestCase(InDoubtTestCase):
    """nova-compute on the source ends in the middle, and is started again."""

    def setUp(self):
        super().setUp()
        self.flags(resume_guests_state_on_host_boot=True)

    def interrupt(self, libvirt_does):
        def live_migration(context, instance, dest, post, recover,
                           block_migration=False, migrate_data=None):
            libvirt_does(self.domain().XMLDesc(0))
            raise ProcessEnds()
        self.computes['src'].driver.live_migration = live_migration
        self._live_migrate(self.server, 'running', 'MIGRATING')
        self.restart_compute_service('src', keep_hypervisor_state=True)

    def test_a_guest_that_has_moved_is_not_started_again(self):
        self.interrupt(self.move)
        self.look_again()
        self._wait_for_migration_status(self.server, ['completed'])
        self._wait_for_state_change(self.server, 'ACTIVE')
        self.assert_is_on('dst')
        self.assertFalse(self.runs_on('src'))

    def test_a_guest_that_has_stayed_stays(self):
        self.interrupt(self.stay)
        self._wait_for_migration_status(self.server, ['failed'])
        self._wait_for_state_change(self.server, 'ACTIVE')
        self.assert_is_on('src')

    def test_one_that_may_run_elsewhere_is_not_started(self):
        self.silence_destination()
        self.interrupt(self.move)
        self.assertEqual(task_states.MIGRATING, self.instance().task_state)
        self.assertFalse(self.runs_on('src'))
