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


"""Nova's API as openstacksdk's own fixture lays it out, with our instances."""

import datetime
import json
import re
import urllib.parse

import fixtures
from openstack.fixture import connection
from requests_mock.contrib import fixture as requests_fixture

# instances on a page, so that more than one page is read
PAGE = 2

_COMPUTE = 'https://compute.example.com/v2.1/'
_NETWORK = 'https://network.example.com/'
_PLACEMENT = 'https://placement.example.com/'
_CINDER = 'https://block-storage.example.com/'
_IDENTITY = 'https://identity.example.com'
_EXT = 'OS-EXT-%s'


def server(uuid, host, node=None, vm_state='active', task_state=None,
           power_state=1, updated='2026-01-01T00:00:00Z', fault=None,
           status='ACTIVE'):
    """One instance, as the API writes it (dict)."""
    found = {
        'id': uuid, 'name': 'i', 'status': status, 'updated': updated,
        _EXT % 'SRV-ATTR:host': host,
        _EXT % 'SRV-ATTR:hypervisor_hostname': node or host,
        _EXT % 'STS:vm_state': vm_state,
        _EXT % 'STS:task_state': task_state,
        _EXT % 'STS:power_state': power_state}
    if fault is not None:
        found['fault'] = {'message': fault, 'code': 500,
                          'created': '2026-01-01T00:00:01Z'}
    return found


class NovaApi(fixtures.Fixture):
    """Answers openstacksdk; --os-cloud test is its cloud.

    :ivar servers: dict of uuid to what :func:`server` makes
    :ivar deleted: the same, of the deleted ones
    :ivar hosts: dict of a nova-compute's host to what libvirt calls it
    :ivar migrations: list of dict
    :ivar ports: Neutron's (list of dict)
    :ivar allocations: dict of Placement's providers to the uuids that each
        has allocations of
    :ivar attachments: Cinder's (list of dict)
    :ivar requests: the paths that were asked for (list of str)
    :ivar on_list: called before the instances are listed
    """

    def __init__(self, folder):
        super().__init__()
        self._folder = folder
        self.servers, self.deleted, self.hosts = {}, {}, {}
        self.migrations, self.requests = [], []
        self.ports, self.allocations, self.attachments = [], {}, []
        self.on_list = lambda: None

    def _setUp(self):
        path = self._folder / 'clouds.yaml'
        path.write_text(json.dumps({'clouds': {'test': {'auth': {
            'auth_url': _IDENTITY + '/v3', 'username': 'u', 'password': 'p',
            'project_name': 'n', 'user_domain_id': 'default',
            'project_domain_id': 'default'}, 'region_name': 'RegionOne'}}}))
        self.useFixture(fixtures.EnvironmentVariable(
            'OS_CLIENT_CONFIG_FILE', str(path)))
        mock = self.useFixture(requests_fixture.Fixture())
        tokens = connection.ConnectionFixture()
        mock.get(_IDENTITY + '/v3', json={'version': {
            'id': 'v3.14', 'status': 'stable',
            'links': [{'rel': 'self', 'href': _IDENTITY + '/v3'}]}})
        mock.post(_IDENTITY + '/v3/auth/tokens', json=tokens.v3_token,
                  headers={'X-Subject-Token': 't'})
        mock.get(_COMPUTE, json={'version': {
            'id': 'v2.1', 'status': 'CURRENT', 'version': '2.96',
            'min_version': '2.1',
            'links': [{'rel': 'self', 'href': _COMPUTE}]}})
        for name in ('servers/detail', 'os-hypervisors/detail',
                     'os-migrations'):
            mock.get(_COMPUTE + name, json=getattr(
                self, '_' + name.partition('/')[0].replace('-', '_')))

        self._others(mock)

    def _others(self, mock):
        for address, path, number, version in (
                (_NETWORK, 'v2.0/', 'v2.0', ''),
                (_PLACEMENT, '', 'v1.0', '1.39'),
                (_CINDER, 'v3/', 'v3.0', '3.71')):
            mock.get(address, json={'versions': [{
                'id': number, 'status': 'CURRENT', 'version': version,
                'max_version': version, 'min_version': version and '1.0',
                'links': [{'rel': 'self', 'href': address + path}]}]})
        mock.get(_NETWORK + 'v2.0/ports',
                 json=lambda request, context: {'ports': self.ports})
        mock.get(_PLACEMENT + 'resource_providers',
                 json=lambda request, context: {'resource_providers': [
                     {'uuid': name, 'name': name, 'root_provider_uuid': name}
                     for name in self.allocations]})
        mock.get(re.compile(_PLACEMENT + 'resource_providers/.*/allocations'),
                 json=lambda request, context: {'allocations': {
                     uuid: {} for uuid in self.allocations[
                         request.path.split('/')[2]]}})
        mock.get(re.compile(_CINDER + '.*/attachments'),
                 json=self._attachments)

    def _attachments(self, request, context):
        """One at a time, without a link to the next, as Cinder does it."""
        marker = request.qs.get('marker', [None])[0]
        ids = [None] + [one['id'] for one in self.attachments]
        begins = ids.index(marker)
        return {'attachments': self.attachments[begins:begins + 1]}

    def _servers(self, request, context):
        self.requests.append(request.path)
        query = {name: values[0] for name, values in request.qs.items()}
        if query.get('deleted') == 'true':
            found = list(self.deleted.values())
        else:
            self.on_list()
            found = list(self.servers.values())
        if 'uuid' in query:
            found = [one for one in found if one['id'] == query['uuid']]
        ids = [one['id'] for one in found]
        begin = ids.index(query['marker']) + 1 if 'marker' in query else 0
        answer = {'servers': found[begin:begin + PAGE]}
        if len(found) > begin + PAGE:
            answer['servers_links'] = [{'rel': 'next', 'href': (
                _COMPUTE + 'servers/detail?' + urllib.parse.urlencode(
                    dict(query, marker=ids[begin + PAGE - 1])))}]
        return answer

    def _os_hypervisors(self, request, context):
        return {'hypervisors': [
            {'id': str(number), 'hypervisor_hostname': node,
             'hypervisor_type': 'QEMU', 'service': {'host': host}}
            for number, (host, node) in enumerate(self.hosts.items())]}

    def _os_migrations(self, request, context):
        return {'migrations': self.migrations}


def now():
    """The present as Nova's API writes it (str)."""
    return datetime.datetime.now(datetime.timezone.utc).strftime(
        '%Y-%m-%dT%H:%M:%SZ')
