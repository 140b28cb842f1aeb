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


"""The commands audit hosts and audit collect, with Nova's API beside them."""

import json
import time
from unittest import mock

from keeptrack.audit.hosts import asking
from keeptrack.audit.hosts import collector
from keeptrack.tests import base
from keeptrack.tests import nova_api
from keeptrack.tests.unit.audit.hosts import sample

HOST_A, HOST_B = 'a', 'b'


class AuditHostsTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.nova = self.useFixture(nova_api.NovaApi(self.folder))
        self.nova.hosts.update({HOST_A: HOST_A, HOST_B: HOST_B})
        self.guests = {HOST_A: [], HOST_B: []}
        self.silent = set()
        self.useFixture(base.fixtures.MonkeyPatch(
            'keeptrack.audit.hosts.audit.Live.__init__.__defaults__',
            (self.ask,)))

    def ask(self, targets, forks, timeout):
        for target in targets:
            if target.name in self.silent:
                yield asking.Silence(target, 'no answer')
            else:
                yield sample.look(target.name, *self.guests[target.name],
                                  at=time.time())

    def audit(self, *words):
        out = self.folder / 'r'
        status, _, err = self.run_keeptrack(
            'audit', 'hosts', '--pause', '0.01', '--json', str(out), *words)
        self.assertEqual('', err)
        report = json.loads(out.read_text())
        self.assertEqual(status, report['status'])
        return report

    def add(self, number, host, **more):
        self.nova.servers[sample.UUID % number] = nova_api.server(
            sample.UUID % number, host, **more)

    def test_all_pages_of_nova(self):
        for number in range(1, 8):
            self.add(number, HOST_A)
            self.guests[HOST_A].append(sample.guest(number))
        report = self.audit('--os-cloud', 'test')
        self.assertEqual(0, report['status'])
        self.assertEqual(7, report['looked_at'][0]['counts']['instances'])

    def test_found(self):
        self.add(1, HOST_A)
        self.guests[HOST_B].append(sample.guest(1))
        self.guests[HOST_B].append(sample.guest(2))
        self.nova.deleted[sample.UUID % 2] = nova_api.server(
            sample.UUID % 2, HOST_B, vm_state='deleted', status='DELETED')
        report = self.audit('--os-cloud', 'test')
        self.assertEqual({'runs-elsewhere', 'runs-though-deleted'},
                         {one['kind'] for one in report['findings']})

    def test_a_migration_that_ends_between_the_looks(self):
        self.add(1, HOST_A)
        self.guests[HOST_B].append(sample.guest(1))
        rounds = []

        def on_list():
            rounds.append(1)
            if len(rounds) > 1:
                self.add(1, HOST_B)

        self.nova.on_list = on_list
        self.assertEqual(0, self.audit('--os-cloud', 'test')['status'])
        self.assertEqual(2, len(rounds))

    def test_other_services(self):
        self.add(1, HOST_A)
        uuid = sample.UUID % 1
        self.nova.servers[uuid]['os-extended-volumes:volumes_attached'] = [
            {'id': 'v'}]
        self.guests[HOST_A].append(sample.guest(1))
        self.nova.ports.append({
            'id': 'p', 'device_id': uuid, 'device_owner': 'compute:nova',
            'binding:host_id': HOST_B})
        self.nova.allocations.update({HOST_A: [uuid], HOST_B: [uuid]})
        report = self.audit('--os-cloud', 'test')
        self.assertEqual(
            {'port-elsewhere', 'allocated-twice', 'attachment-missing'},
            {one['kind'] for one in report['findings']})
        self.nova.ports.clear()
        del self.nova.allocations[HOST_B]
        self.nova.attachments += [
            {'id': 'a', 'volume_id': 'w', 'instance': None},
            {'id': 'b', 'volume_id': 'v', 'instance': uuid}]
        self.assertEqual(0, self.audit('--os-cloud', 'test')['status'])

    def test_a_silent_host(self):
        self.add(1, HOST_A)
        self.silent.add(HOST_A)
        report = self.audit('--os-cloud', 'test')
        self.assertEqual([], report['findings'])
        self.assertIn("not checked: 1 of Nova's instances",
                      report['not_seen'][0]['why'])

    def test_a_host_of_novas_that_was_not_asked(self):
        self.add(1, HOST_B, vm_state='stopped')
        report = self.audit('--os-cloud', 'test', HOST_A)
        self.assertEqual([(HOST_B, 'it was not examined under this name')], [
            (one['where'], one['why']) for one in report['not_seen']])
        self.assertEqual(2, report['status'])

    def test_without_nova(self):
        report = self.audit(HOST_A)
        self.assertEqual(0, report['status'])
        self.assertEqual('Nova', report['not_seen'][0]['where'])
        self.assertFalse(report['not_seen'][0]['is_failure'])

    def test_nothing_answers(self):
        self.silent.add(HOST_A)
        self.assertEqual(2, self.audit(HOST_A)['status'])

    def test_no_admin(self):
        self.nova.servers[sample.UUID % 1] = dict(
            nova_api.server(sample.UUID % 1, None), **{
                'OS-EXT-SRV-ATTR:hypervisor_hostname': None})
        self.assertIn('admin', self.refused('audit', 'hosts', '--os-cloud',
                                            'test'))

    def test_refused(self):
        for words in ([], ['--forks', '0', 'a'], ['--timeout', 'nan', 'a'],
                      ['--uri', 'qemu:///system', 'a'], ['a b'],
                      ['--hosts-file', '/nowhere'], ['a', '--nova', 'x'],
                      ['--os-cloud', 'nope'],
                      ['--from', 'x', '--nova', '/nowhere']):
            self.refused('audit', 'hosts', *words)

    def test_collected(self):
        folder = self.folder / 'in'
        folder.mkdir()
        for name in 'ab':
            for began in (1, 20):
                (folder / ('%s%d.json' % (name, began))).write_text(
                    json.dumps(sample.document(
                        asked=name, hostname=name, host_uuid=None,
                        began=sample.NOW + began, ended=sample.NOW + began + 1,
                        guests=[dict(sample.document()['guests'][0],
                                     id=ord(name))])))
        report = self.audit('a', 'b', 'c', '--from', str(folder))
        self.assertEqual([('doubled', 'certain')], [
            (one['kind'], one['certainty']) for one in report['findings']])
        self.assertIn('c', [one['where'] for one in report['not_seen']])

    def test_collect_nova_and_use_it(self):
        self.add(1, HOST_A, vm_state='stopped')
        view, host = self.folder / 'nova.json', self.folder / 'a.json'
        status, _, err = self.run_keeptrack(
            'audit', 'collect', '--nova', '--os-cloud', 'test', '--output',
            str(view))
        self.assertEqual((0, ''), (status, err))
        host.write_text(json.dumps(sample.document()))
        report = self.audit('--from', str(host), '--nova', str(view))
        self.assertEqual([('runs-though-off', 'possible')], [
            (one['kind'], one['certainty']) for one in report['findings']])

    def test_collect(self):
        with mock.patch.object(collector, 'look',
                               return_value=sample.document()):
            status, out, _ = self.run_keeptrack('audit', 'collect')
        self.assertEqual((0, sample.document()), (status, json.loads(out)))
        with mock.patch.object(collector, 'look',
                               side_effect=collector.CannotLook('down')):
            self.assertEqual('qemu:///system: down',
                             self.refused('audit', 'collect'))
