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
import types

from keeptrack.drill.recorders import guest_state
from keeptrack.drill.recorders import serial_port
from keeptrack.drill.testbed.cloud import bridge
from keeptrack.drill.testbed.cloud import cloud_testbed
from keeptrack.drill.testbed.cloud import keeper
from keeptrack.drill.testbed.cloud import places as places_mod
from keeptrack.drill.testbed import guest
from keeptrack.drill.testbed import host as host_mod
from keeptrack.drill.testbed import prerequisites
from keeptrack.drill.testbed import writing_guest
from keeptrack.tests import base


_DOMAIN = """\
<domain type='{type}'>
  <name>moves</name>
  <memory unit='MiB'>64</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' cache='none'/>
      <source file='{state}/disk'/>
      <target dev='hda' bus='ide'/>
    </disk>
    <serial type='pty'><log file='{state}/console.log' append='off'/></serial>
  </devices>
</domain>
"""


class CloudNodesTestCase(base.TestCase):
    """The nodes of a cloud, without OpenStack in them."""

    def setUp(self):
        super().setUp()
        missing = prerequisites.missing()
        if missing:
            self.skipTest('no nodes: %s' % '; '.join(missing))
        self.places = places_mod.Places(self.folder)
        self.keeping = keeper.KeeperClient(self.places)
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
        for node in self.nodes.values():
            self.assertFalse(pathlib.Path('/proc', str(node.holder)).exists())
        self.assertFalse(pathlib.Path('/proc', str(pid)).exists())
        self.assertFalse(self.places.run.exists())

    def test_a_guest_that_moves_is_watched(self):
        if prerequisites.missing(writes=True):
            self.skipTest('no guest: %s' % '; '.join(
                prerequisites.missing(writes=True)))
        hosts = {role: cloud_testbed.CloudHost(
            role, Services(self.nodes, self.places), self.places)
            for role in cloud_testbed.ROLES}
        for role, host in hosts.items():
            for name, text in host_mod.libvirt_files(role).items():
                (self.places.run / host.name / 'etc' / name).write_text(text)
            host.libvirtd.start()
            disk = self.places.run / host.name / 'nova' / 'disk'
            writing_guest.make_disk(disk)
        for host in hosts.values():
            host.libvirtd.wait_ready(30)
        domain = _DOMAIN.format(state=self.places.nova_state,
                                type='kvm' if guest.kvm_available() else
                                'qemu')
        hosts['source'].virsh('define', '/dev/stdin', stdin=domain)
        hosts['source'].virsh('start', 'moves')
        serial = serial_port.Recorder({
            role: self.places.run / host.name / 'nova' / 'console.log'
            for role, host in hosts.items()})
        serial.start()
        self.addCleanup(serial.stop)
        states = []
        watcher = guest_state.Watcher(
            types.SimpleNamespace(hosts=hosts),
            types.SimpleNamespace(socket='run/keeptrack/moves.qmp'),
            lambda when, role, state, why: states.append((role, state)))
        self.addCleanup(watcher.stop)
        self.assertTrue(serial.wait(20, 30))
        hosts['source'].virsh(
            'migrate', '--live', '--copy-storage-all', '--unsafe', 'moves',
            'qemu+tcp://host2/system', timeout=60)
        self.wait(lambda: ('source', 'absent') in states)
        self.assertIn(('destination', 'running'), states)
        there = len([line for line in serial.lines()
                     if line.role == 'destination'])
        self.wait(lambda: any(
            line.kind == serial_port.ACKNOWLEDGED for line in
            serial.lines()[there:] if line.role == 'destination'))
        hosts['destination'].kill_qemu()
        self.assertEqual(hosts['destination'].qemu_pids(), [])


class Services:
    """In the place of a cloud: it has libvirtd, and nothing of OpenStack."""

    def __init__(self, nodes, places):
        self.nodes = nodes
        self._places = places
        self._inner = {}

    def start(self, name):
        node = self.nodes[name.rpartition('-')[2]]
        self._inner[name] = node.spawn(
            ['libvirtd', '--listen'], {}, self._places.log / f'{name}.log')

    def process(self, name):
        inner = self._inner.get(name)
        node = self.nodes[name.rpartition('-')[2]]
        return None if inner is None else node.find(inner)
