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
from unittest import mock
from xml.etree import ElementTree

from keeptrack.drill.testbed import storage
from keeptrack.tests import base
from keeptrack.tests.unit.drill import agent_path

agent_path.add()

from agent import fake_services    # noqa: E402

ROLES = ('source', 'destination')


class FakeHost:

    def __init__(self, folder):
        self.folder = folder
        (folder / 'lib').mkdir(parents=True)
        (folder / 'run' / 'keeptrack').mkdir(parents=True)
        self.servers = []
        self.space = self

    def spawn(self, command, log):
        socket = command[command.index('--socket') + 1]
        (self.folder / socket.lstrip('/')).touch()
        server = mock.Mock(pid=len(self.servers))
        self.servers.append(server)
        return server


class StorageTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.hosts = {role: FakeHost(self.folder / role) for role in ROLES}
        self.testbed = types.SimpleNamespace(folder=self.folder,
                                             hosts=self.hosts)
        patcher = mock.patch.object(storage.processes, 'kill',
                                    return_value=[])
        self.kill = patcher.start()
        self.addCleanup(patcher.stop)

    def prepare(self, name):
        made = storage.KINDS[name](self.testbed)
        return made, made.prepare('uuid')

    def test_no_disk(self):
        made, xml = self.prepare('none')
        self.assertEqual(('', {}, False), (xml, made.disks(), made.writes))
        self.assertEqual(storage.NovaSettings(), made.nova_settings())

    def test_shared(self):
        made, xml = self.prepare('shared')
        path = ElementTree.fromstring(xml).find('source').get('file')
        inside, outside = made.nova_settings().instances['destination']
        self.assertEqual(str(outside / 'uuid' / 'disk'), path)
        self.assertEqual(inside, str(outside))
        self.assertTrue(made.nova_settings().disk['unsafe'])
        self.assertEqual(dict.fromkeys(ROLES, {}), made.disks())

    def test_copied(self):
        made, xml = self.prepare('copied')
        path = ElementTree.fromstring(xml).find('source').get('file')
        inside, outside = made.nova_settings().instances['source']
        # each host has its own at the same place
        self.assertTrue(path.startswith(inside))
        self.assertTrue((outside / 'uuid' / 'disk').exists())
        self.assertEqual(
            inside, made.nova_settings().instances['destination'][0])
        self.assertEqual({'source': {}, 'destination': None}, made.disks())
        # nothing of one run is there in the next
        (outside / 'other').mkdir()
        made.prepare('next')
        self.assertEqual(['next'], [path.name for path in outside.iterdir()])

    def test_network(self):
        made, xml = self.prepare('network')
        disk = ElementTree.fromstring(xml)
        self.assertEqual('nbd', disk.find('source').get('protocol'))
        self.assertEqual(fake_services.VOLUME, disk.findtext('serial'))
        self.assertEqual(xml, made.nova_settings().disk['xml'])
        self.assertIsNone(made.nova_settings().instances)
        self.assertEqual(dict.fromkeys(ROLES, {}), made.disks())
        made.close()
        self.assertEqual(2, self.kill.call_count)
        made.close()
        self.assertEqual(2, self.kill.call_count)

    def test_a_host_that_gives_the_volume_up_loses_it(self):
        made, _ = self.prepare('network')

        def take(lane, what, **data):
            made.take({'lane': lane, 'what': what, 'where': 'destination',
                       'data': dict({'volume': fake_services.VOLUME}, **data)})
        take('setup', 'volume-connected')
        take('teardown', 'volume-disconnected', volume='other')
        self.assertEqual(0, self.kill.call_count)
        take('teardown', 'volume-disconnected')
        take('teardown', 'volume-detached')
        self.assertEqual(1, self.kill.call_count)
        take('setup', 'volume-connected')
        self.assertEqual([1, 2], [len(self.hosts[role].servers)
                                  for role in ROLES])
