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
import os
import pathlib
import signal
import time

from keeptrack.drill.testbed.cloud import bridge
from keeptrack.drill.testbed.cloud import keeper_client
from keeptrack.drill.testbed.cloud import places as places_mod
from keeptrack.drill.testbed import prerequisites
from keeptrack.tests import base


class CloudNodesTestCase(base.TestCase):
    """The nodes of a cloud, without OpenStack in them."""

    def setUp(self):
        super().setUp()
        missing = prerequisites.missing()
        if missing:
            self.skipTest('no nodes: %s' % '; '.join(missing))
        self.places = places_mod.Places(self.folder)
        self.keeping = keeper_client.KeeperClient(self.places)
        self.keeping.start()
        self.addCleanup(self.keeping.end)
        self.nodes = self.keeping.nodes()
        for node in self.nodes.values():
            node.prepare()
        bridge.Bridge(self.nodes).open()
        self.host = self.nodes['host1']

    def wait(self, ready):
        until = time.monotonic() + 60
        while not ready():
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)

    def test_a_node_has_a_name_and_files_of_its_own(self):
        self.assertEqual('host1\n', self.host.check(['hostname']))
        (self.places.run / 'host1' / 'nova' / 'mark').touch()
        for name, found in (('host1', 0), ('host2', 1)):
            done = self.nodes[name].run(
                ['test', '-e', str(self.places.nova_state / 'mark')])
            self.assertEqual(found, done.returncode)

    def test_a_process_is_found_by_its_id_in_the_node(self):
        inner = self.host.spawn(['sleep', '300'], {}, self.places.log / 'x')
        found = self.host.find(inner)
        self.assertEqual(['sleep', '300'], found.command)
        os.kill(found.pid, signal.SIGKILL)
        self.wait(lambda: self.host.find(inner) is None)

    def test_what_a_service_writes_is_in_its_log(self):
        log = self.places.log / 'x.log'
        self.host.spawn(['sh', '-c', 'echo $A; echo $A >&2'], {'A': 'told'},
                        log)
        self.wait(lambda: log.exists() and log.read_text() == 'told\ntold\n')

    def test_all_of_it_ends_with_a_keeper_that_is_killed(self):
        inner = self.host.spawn(['sleep', '300'], {}, self.places.log / 'x')
        pid = self.host.find(inner).pid
        keeper = int(self.places.lock.read_text())
        os.kill(keeper, signal.SIGKILL)
        self.wait(lambda: not pathlib.Path('/proc', str(pid)).exists())
        self.wait(lambda: not self.keeping.is_held())
        self.keeping.end()
        self.assertFalse(self.places.run.exists())

    def test_the_end(self):
        inner = self.host.spawn(['sleep', '300'], {}, self.places.log / 'x')
        pid = self.host.find(inner).pid
        self.keeping.end()
        self.assertEqual([], [node.name for node in self.nodes.values()
                              if node.is_alive])
        self.assertFalse(pathlib.Path('/proc', str(pid)).exists())
        self.assertFalse(self.places.run.exists())
