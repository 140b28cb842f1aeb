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

import sys
import types
from unittest import mock

from keeptrack.tests import base
from keeptrack.tests.unit.drill import agent_path

agent_path.add()

from agent import adapter_current  # noqa: E402
from agent import database_rows_current  # noqa: E402
from agent import fake_services  # noqa: E402
from agent import fake_services_current  # noqa: E402

SPEC = {'folder': '/run', 'hosts': {'source': 'a', 'destination': 'b'},
        'lifecycle_delay': 2, 'xml': '<domain/>',
        'uuid': 'the-instance', 'vm_state': 'active',
        'power_state': 'running'}


class AdapterTestCase(base.TestCase):

    def modules(self, *names):
        """Put modules in the place of Nova's (dict of mock.Mock)."""
        made = {name: mock.Mock() for name in names}
        patched = mock.patch.dict(sys.modules, made)
        patched.start()
        self.addCleanup(patched.stop)
        return made

    def services(self, adapter):
        found = self.modules(
            adapter.network_module, adapter.image_module, 'nova.exception',
            'nova.volume.cinder', 'nova.scheduler.client.report',
            'nova.compute.resource_tracker', 'nova.privsep')
        adapter.replace_services(SPEC, None)
        return {name for name, module in found.items()
                if getattr(module, 'API', None) in (
                    fake_services_current.Network,
                    fake_services_current.Volume)}

    def test_services_are_replaced_where_a_release_has_them(self):
        for adapter, network in (
                (adapter_current.Adapter, 'nova.network.neutron'),
                (adapter_current.Wallaby, 'nova.network.neutron'),
                (adapter_current.Train, 'nova.network.neutronv2.api')):
            self.assertEqual({network, 'nova.volume.cinder'},
                             self.services(adapter()))

    def test_images_of_train(self):
        self.assertIn('nova.image.api', adapter_current.Train().lazy)
        self.assertNotIn('nova.image.api', adapter_current.Wallaby().lazy)

    def test_both_databases_are_configured(self):
        for adapter, names in (
                (adapter_current.Adapter,
                 ('nova.db.main.api', 'nova.db.api.api')),
                (adapter_current.Wallaby, ('nova.db.sqlalchemy.api',)),
                (adapter_current.Train, ('nova.db.sqlalchemy.api',))):
            found = self.modules(
                'nova.config', 'nova.rpc', 'oslo_config.cfg',
                'oslo_messaging', 'oslo_messaging._drivers.base',
                'oslo_messaging._drivers.common', 'oslo_messaging.rpc.client',
                *names)
            made = adapter()
            made.conf = mock.Mock()
            made.configure({})
            for name in names:
                found[name].configure.assert_called_once_with(made.conf)

    def fit_driver(self, option):
        self.modules('nova.virt.libvirt.config')
        made = adapter_current.Adapter()
        made.conf = types.SimpleNamespace(
            workarounds={option: True}, my_ip='::1', host='a')
        driver = mock.Mock()
        compare = driver._compare_cpu
        made.fit_driver(driver, SPEC)
        return driver._compare_cpu is not compare

    def test_processors_are_not_compared_where_no_option_says_so(self):
        self.assertFalse(self.fit_driver('skip_cpu_compare_on_dest'))
        self.assertTrue(self.fit_driver('another'))

    def test_an_instance_knows_its_nodes_id_where_it_can(self):
        utils = self.modules('nova.objects', 'oslo_utils.timeutils')
        objects = utils['nova.objects']
        fake_services.use(None, str, SPEC['hosts'])
        for fields in ({}, {'compute_id': None}):
            objects.Instance.fields = fields
            with mock.patch.object(database_rows_current, 'open',
                                   mock.mock_open(), create=True), \
                    mock.patch('os.mkdir'), \
                    mock.patch.object(fake_services_current.SharedRecord,
                                      'write'):
                database_rows_current.make(
                    None, dict(SPEC, disk={'device': 'vda', 'bus': 'virtio',
                                           'local': True}), 'sqlite://')
            self.assertEqual(bool(fields), 'compute_id' in (
                objects.Instance.call_args[1]))

    def test_a_migration_is_a_dict_until_nova_25(self):
        for migration in ({'dest_compute': 'b'},
                          types.SimpleNamespace(dest_compute='b')):
            ledger = fake_services_current.SharedRecord(
                str(self.folder / 'ledger'))
            ledger.write({'bindings': {'a': 'ACTIVE', 'b': 'INACTIVE'}})
            fake_services.use(mock.Mock(), str, SPEC['hosts'])
            fake_services_current.use(ledger, None)
            fake_services_current.Network().migrate_instance_start(
                None, None, migration)
            with ledger.changing() as known:
                self.assertEqual({'a': 'INACTIVE', 'b': 'ACTIVE'},
                                 known['bindings'])

    def test_the_name_of_the_ports_extension_until_wallaby(self):
        network = fake_services_current.Network()
        self.assertTrue(network.supports_port_binding_extension(None))
