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

import io
import json
from unittest import mock
import urllib.error

from keeptrack.drill.testbed.cloud import api
from keeptrack.tests import base


class ApiTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.asked = []
        self.token = 'first'
        patcher = mock.patch.object(api.urllib.request, 'urlopen', self.open)
        patcher.start()
        self.addCleanup(patcher.stop)

    def test_the_version_that_a_service_is_asked_for(self):
        client = api.Api()
        for service, version in (('cinder', 'volume 3.70'),
                                 ('placement', 'placement 1.39'),
                                 ('neutron', None)):
            client.get(service, '/x')
            self.assertEqual(version, self.request.get_header(
                'Openstack-api-version'))

    def open(self, request, timeout):
        """Answer as Keystone and Nova do: tokens are in a header."""
        path = request.full_url.partition('//')[2].partition('/')[2]
        self.request = request
        self.asked.append((request.get_method(), path))
        if path == 'v3/auth/tokens':
            return self.answer({}, {'X-Subject-Token': self.token})
        if request.get_header('X-auth-token') != self.token:
            raise urllib.error.HTTPError(
                request.full_url, 401, 'Unauthorized', {}, io.BytesIO(b'no'))
        if path.endswith('/none'):
            raise urllib.error.HTTPError(
                request.full_url, 404, 'Not Found', {}, io.BytesIO(b'gone'))
        return self.answer({'path': path}, {})

    @staticmethod
    def answer(body, headers):
        found = mock.MagicMock(headers=headers)
        found.__enter__.return_value = found
        found.read.return_value = json.dumps(body).encode()
        return found

    def test_it_logs_in_once(self):
        client = api.Api()
        self.assertEqual({'path': 'v2.1/servers'},
                         client.get('nova-api', '/servers'))
        client.get('placement', '/allocations/u')
        self.assertEqual([('POST', 'v3/auth/tokens'), ('GET', 'v2.1/servers'),
                          ('GET', 'allocations/u')], self.asked)

    def test_it_logs_in_again(self):
        client = api.Api()
        client.get('nova-api', '/servers')
        self.token = 'second'
        self.assertEqual({'path': 'v2.1/servers'},
                         client.get('nova-api', '/servers'))

    def test_a_refusal(self):
        exc = self.assertRaises(api.Refused, api.Api().get, 'nova-api',
                                '/none')
        self.assertEqual(404, exc.status)
        self.assertIn('gone', str(exc))
