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

import pathlib
from unittest import mock

from keeptrack.drill.testbed.cloud import api
from keeptrack.drill.testbed.cloud import cloud_testbed
from keeptrack.drill.testbed import errors
from keeptrack.tests import base


class FakeApi:
    """Answers what it is told to, by service and path."""

    def __init__(self, answers):
        self.answers = answers
        self.did = []

    def get(self, service, path):
        answer = self.answers[service, path]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def post(self, service, path, body):
        self.did.append(list(body)[0])
        return self.answers.get(path, {})

    def delete(self, service, path):
        self.did.append(f'delete {service} {path}')


def server(**changes):
    """What Nova's API answers of a server."""
    return {'server': dict({
        'OS-EXT-SRV-ATTR:host': 'host2', 'OS-EXT-STS:vm_state': 'active',
        'OS-EXT-SRV-ATTR:hypervisor_hostname': 'host2',
        'OS-EXT-STS:task_state': None, 'OS-EXT-STS:power_state': 1,
        'OS-EXT-SRV-ATTR:instance_name': 'instance-1'}, **changes)}


class ServerTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.answers = {
            ('nova-api', '/servers/u'): server(),
            ('nova-api', '/os-migrations?instance_uuid=u'): {'migrations': [
                {'id': 1, 'uuid': 'm1', 'status': 'error'},
                {'id': 2, 'uuid': 'm2', 'status': 'completed'}]},
            ('nova-api', '/os-hypervisors'): {'hypervisors': [
                {'id': 'p1', 'hypervisor_hostname': 'host1'},
                {'id': 'p2', 'hypervisor_hostname': 'host2'}]},
            ('placement', '/allocations/u'): {'allocations': {'p2': {}}},
            ('placement', '/allocations/m1'): {'allocations': {'p1': {}}},
            ('placement', '/allocations/m2'): {'allocations': {}},
            ('neutron', '/ports/port/bindings'): {'bindings': [
                {'host': 'host2', 'status': 'ACTIVE'},
                {'host': 'host1', 'status': 'INACTIVE'}]}}
        self.api = FakeApi(self.answers)
        self.places = mock.Mock(run=self.folder)
        self.places.instances = lambda host: self.folder / host
        self.testbed = mock.Mock(api=self.api, places=self.places, hosts={})
        self.server = cloud_testbed.Server(self.testbed, 'u')
        self.server._port = 'port'

    def test_the_record(self):
        self.assertEqual(
            {'host': 'destination', 'node': 'destination',
             'vm_state': 'active', 'task_state': None,
             'power_state': 'running', 'fault': None,
             'migration': 'completed'}, self.server.record())

    def test_a_deleted_server(self):
        self.answers['nova-api', '/servers/u'] = api.Refused(404, 'none')
        self.assertEqual(('deleted', None), (
            self.server.record()['vm_state'], self.server.record()['host']))

    def test_a_nova_that_cannot_answer(self):
        self.answers['nova-api', '/servers/u'] = api.Refused(503, 'away')
        self.assertRaises(api.Refused, self.server.record)

    def test_the_services(self):
        self.assertEqual(
            {'active port': ['destination'],
             'port bindings': ['destination', 'source'],
             'allocations': ['destination', 'source']},
            self.server.services())

    def test_a_port_that_is_gone(self):
        self.answers['neutron', '/ports/port/bindings'] = api.Refused(404, '')
        self.assertEqual([], self.server.services()['port bindings'])

    def test_a_host_without_a_disk(self):
        self.assertEqual({'source': None, 'destination': None},
                         self.server.disks())

    def test_what_nova_leaves_is_removed_and_told(self):
        self.answers['nova-api', '/servers/u'] = api.Refused(404, 'none')
        host = mock.Mock()
        host.name = 'host1'
        host.domains.return_value = ['u']
        host.qemu_pids.return_value = []
        self.testbed.hosts['source'] = host
        disk = self.folder / 'host1' / 'u_resize'
        disk.mkdir(parents=True)
        left = self.server.remove()
        self.assertEqual(
            ['allocation of u', 'allocation of m1', 'a domain on host1',
             'u_resize on host1'], left)
        self.assertFalse(disk.exists())
        host.clean.assert_called_once_with()

    def test_a_server_that_does_not_start(self):
        self.answers.update({
            ('nova-api', '/flavors'): {'flavors': [
                {'name': 'small', 'id': 's'}]},
            '/flavors': {'flavor': {'id': 'f'}},
            ('glance', '/images'): {'images': [
                {'name': 'writer', 'id': 'i'}]},
            ('neutron', '/networks'): {'networks': [
                {'name': 'net', 'id': 'n'}]},
            '/servers': {'server': {'id': 'u'}},
            ('nova-api', '/servers/u'): server(**{
                'OS-EXT-STS:vm_state': 'error',
                'fault': {'message': 'no valid host'}})})
        exc = self.assertRaises(errors.CloudError, self.server.boot,
                                mock.Mock())
        self.assertIn('no valid host', str(exc))
        # the flavor was missing
        self.assertEqual(['flavor', 'server'], self.api.did)

    def volume_server(self):
        found = cloud_testbed.VolumeServer(self.testbed, 'u')
        found._port = 'port'
        found._volume = mock.Mock(disk='rbd:volumes/volume-v')
        return found

    def test_a_volume_is_its_disk(self):
        found = cloud_testbed.VolumeServer(self.testbed)
        with mock.patch.object(cloud_testbed.volumes, 'create') as create:
            create.return_value.uuid = 'v'
            asked = found._disk('i')
        create.assert_called_once_with(self.api, 'drill', 'i')
        self.assertEqual(
            [('v', 0, True)],
            [(each['uuid'], each['boot_index'], each['delete_on_termination'])
             for each in asked['block_device_mapping_v2']])
        self.assertNotIn('imageRef', asked)

    def test_where_a_volume_is_attached(self):
        found = self.volume_server()
        found._volume.attachments.return_value = {
            'a1': 'host1', 'a2': 'host2', 'a3': 'reserved'}
        self.answers['nova-api', '/servers/u/os-volume_attachments'] = {
            'volumeAttachments': [{'attachment_id': 'a2'}]}
        held = found.services()
        self.assertEqual(['destination', 'reserved', 'source'],
                         held['volume attachments'])
        self.assertEqual(['destination'], held['block device mapping'])
        self.assertEqual(['destination'], held['active port'])
        self.answers['nova-api', '/servers/u/os-volume_attachments'] = {
            'volumeAttachments': [{'attachment_id': 'gone'}]}
        self.assertEqual(['nowhere'],
                         found.services()['block device mapping'])

    def test_a_deleted_server_has_no_volumes(self):
        found = self.volume_server()
        found._volume.attachments.return_value = {}
        self.answers['nova-api', '/servers/u/os-volume_attachments'] = (
            api.Refused(404, 'none'))
        held = found.services()
        self.assertEqual(([], []), (held['volume attachments'],
                                    held['block device mapping']))

    def test_both_hosts_see_a_volume(self):
        found = self.volume_server()
        found._volume.status.return_value = 'in-use'
        with mock.patch.object(found, '_read', return_value={1: 5}) as read:
            self.assertEqual(dict.fromkeys(('source', 'destination'), {1: 5}),
                             found.disks())
        read.assert_called_once_with('ctl', 'rbd:volumes/volume-v', '-f',
                                     'raw')
        found._volume.status.return_value = None
        self.assertEqual({'source': None, 'destination': None},
                         found.disks())

    def test_what_is_left_of_a_volume(self):
        self.answers['nova-api', '/servers/u'] = api.Refused(404, 'none')
        for path in ('u', 'm1'):
            self.answers['placement', f'/allocations/{path}'] = {
                'allocations': {}}
        found = self.volume_server()
        found._volume.remove.return_value = ['the volume, in-use']
        self.assertEqual(['the volume, in-use'], found.remove())

    def test_where_its_serial_port_is(self):
        self.assertEqual(pathlib.Path('host1', 'u', 'console.log'),
                         self.server.serial_paths()['source'].relative_to(
                             self.folder))
