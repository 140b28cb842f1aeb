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


import types

from keeptrack.tests import base
from keeptrack.tests.unit.drill import agent_path

agent_path.add()

from agent import fake_services  # noqa: E402
from agent import fake_services_current  # noqa: E402
from agent import recorder as recorder_mod  # noqa: E402

HOSTS = {'source': 'a', 'destination': 'b'}
MIGRATION = types.SimpleNamespace(source_compute='a', dest_compute='b')


class ReplacedTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.events = []
        fake_services.use(recorder_mod.Recorder(self.events.append, 'source'),
                          list, HOSTS)
        book = fake_services_current.SharedRecord(
            str(self.folder / 'services.json'))
        self.volume = fake_services.VOLUME
        book.write(
            fake_services_current.beginning('u', 'a', 'ab'))
        fake_services_current.use(
            book, lambda attachment_id: LookupError(attachment_id))
        self.network = fake_services_current.Network()
        self.placement = fake_services_current.Placement()
        self.instance = types.SimpleNamespace(host='a')

    def told(self):
        """What was told since the last time: ids and hosts."""
        found = [(event['what'], event['where']) for event in self.events]
        self.events.clear()
        return found

    def test_the_port_moves_once(self):
        self.network.migrate_instance_start(None, None, MIGRATION)
        self.assertEqual([], self.told())
        bindings = self.network.bind_ports_to_host(
            context=None, instance=None, host='b', vnic_types=None,
            port_profiles=None)
        self.assertEqual(['b'], [each['host'] for each in bindings.values()])
        self.assertEqual([('port-bound', 'destination')], self.told())
        for _ in range(2):
            self.network.migrate_instance_start(None, None, MIGRATION)
        self.network.migrate_instance_finish(None, None, MIGRATION, None)
        self.assertEqual([('network-left', 'source'),
                          ('network-moved', 'destination')], self.told())
        port = self.network.list_ports(None)['ports'][0]
        self.assertEqual('b', port['binding:host_id'])

    def test_only_a_binding_to_another_host_is_taken_away(self):
        self.network.bind_ports_to_host(None, None, 'b')
        self.told()
        for host in ('a', 'b', 'b', None):
            self.network.setup_networks_on_host(
                None, self.instance, host, teardown=True)
        self.network.setup_networks_on_host(None, self.instance, 'b')
        self.assertEqual([('port-unbound', 'destination')], self.told())

    def test_finish_makes_a_binding(self):
        self.network.migrate_instance_finish(None, None, MIGRATION, None)
        self.assertEqual([('network-left', 'source'),
                          ('network-moved', 'destination')], self.told())

    def test_attachments(self):
        volumes = fake_services_current.Volume()
        made = volumes.attachment_create(None, self.volume, 'u',
                                         connector={'host': 'b'})
        self.assertEqual(self.volume, made['connection_info']['serial'])
        self.assertEqual(made, volumes.attachment_get(None, made['id']))
        volumes.attachment_complete(None, made['id'])
        novas_own = types.SimpleNamespace(project_id=None)
        self.assertEqual([], volumes.attachment_get_all(
            novas_own, instance_id='u'))
        self.assertEqual(2, len(volumes.attachment_get_all(
            novas_own, instance_id='u', all_tenants=True)))
        old = fake_services_current.attachment_id(self.volume, 'a')
        for _ in range(2):
            volumes.attachment_delete(None, old)
        self.assertEqual([('volume-attached', 'destination'),
                          ('volume-detached', 'source')], self.told())
        exc = self.assertRaises(LookupError, volumes.attachment_get, None,
                                old)
        self.assertEqual(old, str(exc))

    def test_allocations_of_a_migration(self):
        node = fake_services_current.node_id
        source = self.placement.get_allocs_for_consumer(
            None, 'u')['allocations'][node('a')]
        self.placement.move_allocations(None, 'u', 'm')
        self.assertEqual([], self.told())
        self.placement.claim_resources(
            None, 'u', {'allocations': {node('b'): source}}, 'p', 'x')
        self.assertEqual({'m': source}, self.placement.
                         get_allocations_for_resource_provider(
                             None, node('a')).allocations)
        self.placement.delete_allocation_for_instance(
            None, 'm', consumer_type='migration', force=False)
        self.assertEqual([('allocation-made', 'destination'),
                          ('allocation-removed', 'source')], self.told())
        self.assertEqual({}, self.placement.get_allocations_for_consumer(
            None, 'm'))

    def test_allocations_of_one_that_is_rolled_back(self):
        node = fake_services_current.node_id
        source = self.placement.get_allocations_for_consumer(None, 'u')
        self.placement.move_allocations(None, 'u', 'm')
        self.placement.claim_resources(
            None, 'u', {'allocations': {node('b'): {}}}, 'p', 'x')
        self.told()
        self.placement.move_allocations(None, 'm', 'u')
        self.assertEqual([('allocation-removed', 'destination')],
                         self.told())
        self.assertEqual(source, self.placement.
                         get_allocations_for_consumer(None, 'u'))
        self.placement.remove_provider_tree_from_instance_allocation(
            None, 'u', node('a'))
        self.assertEqual([('allocation-removed', 'source')], self.told())

    def test_what_fails_changes_nothing(self):
        self.assertRaises(KeyError, self.placement.claim_resources, None,
                          'u', {})
        self.assertEqual([], self.told())
        self.assertEqual(1, len(self.placement.get_allocations_for_consumer(
            None, 'u')))
