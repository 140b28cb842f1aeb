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

"""A client of the cloud's APIs, with nothing but the standard library.

The calling thread has to be in the controller's network: see
node.Node.enter_network.
"""

import http.client
import json
import urllib.error
import urllib.request

from keeptrack.drill.testbed.cloud import places as places_mod
from keeptrack.drill.testbed.cloud import settings
from keeptrack.drill.testbed import errors

_COMPUTE = '2.90'
_PLACEMENT = '1.39'
_VOLUME = '3.70'
_TIMEOUT = 60  # seconds

_PATHS = {'nova-api': '/v2.1', 'neutron': '/v2.0', 'glance': '/v2',
          'placement': '', 'cinder': '/v3'}

# service: the version of its API that is asked for; others take any
_VERSIONS = {'nova-api': f'compute {_COMPUTE}',
             'placement': f'placement {_PLACEMENT}',
             'cinder': f'volume {_VOLUME}'}


class Refused(errors.CloudError):
    """An API has answered with an error.

    :ivar status: the HTTP status (int), or None when there was no answer
    """

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Api:
    """The APIs of the cloud, as the administrator."""

    def __init__(self):
        self._token = None

    def get(self, service, path):
        """Read something.

        :param service: of places.PORTS (str)
        :param path: below the API's version (str)
        :returns: dict
        :raises Refused: when the API refuses, or cannot be reached
        """
        return self._ask('GET', service, path)

    def post(self, service, path, body):
        """Create something, or act; parameters and errors as get."""
        return self._ask('POST', service, path, body)

    def delete(self, service, path):
        """Delete something; parameters and errors as get."""
        return self._ask('DELETE', service, path)

    def _ask(self, method, service, path, body=None):
        if self._token is None:
            self._token = self._log_in()
        try:
            return self._send(method, service, path, body)
        except Refused as exc:
            if exc.status != 401:
                raise
        self._token = self._log_in()
        return self._send(method, service, path, body)

    def _send(self, method, service, path, body):
        headers = {'X-Auth-Token': self._token,
                   'Content-Type': 'application/json'}
        if service in _VERSIONS:
            headers['OpenStack-API-Version'] = _VERSIONS[service]
        url = places_mod.url(service, _PATHS[service] + path)
        return self._open(urllib.request.Request(
            url, None if body is None else json.dumps(body).encode(),
            headers, method=method))[0]

    def _log_in(self):
        rc = settings.openrc()
        body = {'auth': {
            'identity': {'methods': ['password'], 'password': {'user': {
                'name': rc['OS_USERNAME'], 'password': rc['OS_PASSWORD'],
                'domain': {'name': rc['OS_USER_DOMAIN_NAME']}}}},
            'scope': {'project': {
                'name': rc['OS_PROJECT_NAME'],
                'domain': {'name': rc['OS_PROJECT_DOMAIN_NAME']}}}}}
        _, headers = self._open(urllib.request.Request(
            places_mod.url('keystone', '/v3/auth/tokens'),
            json.dumps(body).encode(),
            {'Content-Type': 'application/json'}, method='POST'))
        return headers['X-Subject-Token']

    @staticmethod
    def _open(request):
        what = f'{request.get_method()} {request.full_url}'
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
                text = answer.read()
                return json.loads(text) if text else {}, answer.headers
        except urllib.error.HTTPError as exc:
            text = exc.read().decode(errors='replace')[:500]
            raise Refused(exc.code, f'{what}: {exc.code} {text}')
        except (OSError, http.client.HTTPException) as exc:
            raise Refused(None, f'{what}: {exc}')
