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


"""The audit of hosts, on two real ones, with guests that Nova has lost."""

import json
import pathlib
import socket
import tempfile
import uuid

from keeptrack.drill.testbed import guest as guest_mod
from keeptrack.tests import base
from keeptrack.tests.functional import moving_guest
from keeptrack.tests.functional import two_hosts
from keeptrack.tests import nova_api

# seconds
TIMEOUT = 3


class AuditHostsTestCase(base.TestCase):
    """Two hosts that answer, one that hangs, one that is not there."""

    def setUp(self):
        super().setUp()
        moving_guest.skip_without_hosts(self)
        self.testbed = self.useFixture(two_hosts.TwoHosts()).testbed
        self.source = self.testbed.hosts['source']
        self.destination = self.testbed.hosts['destination']
        self.number = 0
        self.nova = self.useFixture(nova_api.NovaApi(self.folder))
        for host in self.testbed.hosts.values():
            self.nova.hosts[host.name] = host.name
        # the audit is outside of the hosts' network: by their sockets
        folder = tempfile.TemporaryDirectory(prefix='kt')
        self.addCleanup(folder.cleanup)
        self.sockets = pathlib.Path(folder.name)
        for host in self.testbed.hosts.values():
            (self.sockets / host.name).symlink_to(
                host.folder / 'run' / 'libvirt' / 'libvirt-sock-ro')
        self.uri = 'qemu+unix:///system?socket=%s/%%s' % self.sockets

    def boot(self, hosts, nova_host, **record):
        self.number += 1
        guest = guest_mod.Guest(str(uuid.uuid4()),
                                'instance-%08x' % self.number, memory=64)
        for host in hosts:
            guest.boot(host)
        if nova_host is not None:
            self.nova.servers[guest.uuid] = nova_api.server(
                guest.uuid, nova_host.name, **record)
        return guest.uuid

    def audit(self, *more):
        out = self.folder / 'report.json'
        status, _, err = self.run_keeptrack(
            'audit', 'hosts', '--os-cloud', 'test', '--uri', self.uri,
            '--timeout', str(TIMEOUT), '--pause', '1', '--json', str(out),
            *more)
        self.assertEqual('', err)
        report = json.loads(out.read_text())
        self.assertEqual(status, report['status'])
        return report

    def found(self, report):
        return {(one['instance'], one['kind'], one['certainty'])
                for one in report['findings']}

    def test_lost_guests(self):
        source, destination = self.source, self.destination
        self.boot([source], source)
        doubled = self.boot([source, destination], source)
        moved = self.boot([destination], source)
        vanished = self.boot([], destination)
        shut_off = self.boot([destination], source, vm_state='stopped',
                             status='SHUTOFF', power_state=4)
        parked = self.boot([source], source, vm_state='error',
                           task_state='migrating', status='ERROR',
                           fault='Nova looks again.')
        gone = self.boot([source], None)
        self.nova.deleted[gone] = nova_api.server(
            gone, source.name, vm_state='deleted', status='DELETED')
        self.boot([destination], None)
        # one that Nova says migrates
        self.nova.servers[self.boot([source], source)].update(
            {'OS-EXT-STS:task_state': 'migrating',
             'updated': nova_api.now()})
        before = [host.domains() for host in self.testbed.hosts.values()]
        expected = {(doubled, 'doubled', 'certain'),
                    (moved, 'runs-elsewhere', 'certain'),
                    (vanished, 'runs-nowhere', 'certain'),
                    (shut_off, 'runs-though-off', 'certain'),
                    (parked, 'parked', 'certain'),
                    (gone, 'runs-though-deleted', 'certain')}
        report = self.audit()
        self.assertEqual(expected, self.found(report))
        self.assertEqual(1, report['status'])
        self.assertEqual([], report['not_seen'])

        # one host is not there, one hangs: what needs no answer is told
        self.nova.hosts['absent'] = 'absent'
        hung = socket.socket(socket.AF_UNIX)
        self.addCleanup(hung.close)
        hung.bind(str(self.sockets / 'hung'))
        hung.listen()
        self.nova.hosts['hung'] = 'hung'
        lost = str(uuid.uuid4())
        self.nova.servers[lost] = nova_api.server(lost, 'hung')
        report = self.audit()
        likely = (vanished, 'runs-nowhere', 'likely')
        self.assertEqual(
            expected - {(vanished, 'runs-nowhere', 'certain')} | {likely},
            self.found(report))
        silent = {one['where']: one['why'] for one in report['not_seen']}
        self.assertEqual({'absent', 'hung'}, set(silent))
        self.assertIn("no answer within 3 s; not checked: 1 of Nova's",
                      silent['hung'])

        # a libvirtd that is stopped says nothing of its guests
        destination.libvirtd.stall()
        report = self.audit()
        destination.libvirtd.resume()
        self.assertIn(destination.name,
                      {one['where'] for one in report['not_seen']})
        self.assertEqual({(moved, 'runs-nowhere', 'likely'),
                          (parked, 'parked', 'certain'),
                          (gone, 'runs-though-deleted', 'certain')},
                         self.found(report))
        self.assertEqual(before, [host.domains() for host in
                                  self.testbed.hosts.values()])
