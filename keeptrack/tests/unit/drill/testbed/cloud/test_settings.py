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
import configparser
import pathlib

from keeptrack.drill.testbed.cloud import places
from keeptrack.drill.testbed.cloud import services
from keeptrack.drill.testbed.cloud import settings
from keeptrack.tests import base


class SettingsTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.places = places.Places(pathlib.Path('/cache/cloud'))
        self.settings = settings.Settings(
            self.places, settings.Options(bandwidth=3, power_sync=70,
                                          recovery=4), kvm=False)

    def parsed(self, name):
        found = configparser.RawConfigParser(default_section=None)
        found.read_string(self.settings.files()[name])
        return found

    def test_every_file_can_be_parsed(self):
        for name in self.settings.files():
            if name.endswith(('.conf', '.ini')) and 'rabbit' not in name:
                self.assertNotEqual([], self.parsed(name).sections())

    def test_the_users_options(self):
        found = self.parsed('nova/host1/nova.conf')
        self.assertEqual('3', found['libvirt']['live_migration_bandwidth'])
        self.assertEqual('70', found['DEFAULT']['sync_power_state_interval'])
        self.assertEqual(
            '4', found['DEFAULT']['live_migration_recovery_interval'])

    def test_each_host_has_an_address_of_its_own(self):
        for host in places.HOSTS:
            found = self.parsed(f'nova/{host}/nova.conf')
            address = places.ADDRESSES[host]
            self.assertEqual(address, found['DEFAULT']['my_ip'])
            self.assertEqual(
                address, found['libvirt']['live_migration_inbound_addr'])

    def test_a_host_cannot_reach_the_databases(self):
        self.assertFalse(self.parsed('nova/host1/nova.conf').has_section(
            'database'))
        self.assertIn('nova_cell1', self.parsed('nova/ctl/nova.conf')[
            'database']['connection'])

    def test_without_kvm_guests_are_emulated(self):
        self.assertEqual('qemu', self.parsed('nova/host1/nova.conf')[
            'libvirt']['virt_type'])

    def test_flags_are_written_as_oslo_config_reads_them(self):
        self.assertEqual('[a]\nb = true\nc = 1\n',
                         settings.ini({'a': {'b': True, 'c': 1}}))

    def test_nova_is_imported_from_the_tree_that_was_asked_for(self):
        for nova in places.NOVAS:
            found = services.Services(self.places, self.settings, nova).all()
            for name in services.NOVA:
                self.assertEqual(f'/cache/cloud/nova-{nova}',
                                 found[name].variables['PYTHONPATH'])
            self.assertNotIn('PYTHONPATH', found['keystone'].variables)

    def test_volumes_have_services(self):
        def names(**options):
            made = settings.Settings(self.places, settings.Options(**options),
                                     kvm=False)
            return services.Services(self.places, made, places.STOCK).all()
        without, found = names(), names(volumes=True)
        self.assertEqual(
            {'ceph-mon', 'ceph-osd', 'cinder', 'cinder-scheduler',
             'cinder-volume'}, set(found) - set(without))
        self.assertEqual('/cache/cloud/driver:/cache/cloud/run/ceph-modules',
                         found['cinder-volume'].variables['PYTHONPATH'])
        self.assertEqual(
            ['--config-file', '/cache/cloud/run/etc/cinder/cinder.conf'],
            found['cinder'].command[-2:])

    def test_clients_and_daemons_of_ceph_find_it(self):
        found = configparser.RawConfigParser(default_section=None)
        found.read_string(self.settings.ceph())
        self.assertEqual(places.ADDRESSES['ctl'], found['global']['mon_host'])
        self.assertEqual('/cache/cloud/run/ceph/mon',
                         found['mon']['mon_data'])
        self.assertEqual(settings.CEPH_CONF, self.parsed(
            'cinder/cinder.conf')['ceph']['rbd_ceph_conf'])

    def test_services_have_a_node(self):
        found = services.Services(self.places, self.settings,
                                  places.STOCK).all()
        self.assertEqual('host2', found['nova-compute-host2'].node)
        self.assertEqual(set(places.NODES),
                         {service.node for service in found.values()})
