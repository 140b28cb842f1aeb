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

"""Lets the guest finder of every compute reach the fake libvirt of each."""

import fixtures

from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt.libvirt import guest_presence


class GuestConnections(fixtures.Fixture):
    """In the place of libvirt's connections by URI.

    :param starting: mock of Host.get_connection, which gives the connection
        of the compute that is just started
    :param computes: dict of str, a host's name, to its service
    :ivar silent: set of str, hosts whose libvirt does not answer
    """

    def __init__(self, starting, computes):
        super().__init__()
        self.silent = set()
        self._starting = starting
        self._computes = computes
        self._finder = guest_presence.GuestFinder

    def _setUp(self):
        self.useFixture(fixtures.MonkeyPatch(
            'nova.virt.libvirt.guest_presence.GuestFinder', self._find))

    def _find(self, libvirt, own_uri, uri_of):
        """Make the guest finder of the compute that is just started."""
        own = self._starting.return_value

        def connection(uri):
            if uri == own_uri:
                return own
            if uri in self.silent:
                raise fakelibvirt.make_libvirtError(
                    fakelibvirt.libvirtError, 'no route to %s' % uri,
                    error_code=fakelibvirt.VIR_ERR_SYSTEM_ERROR)
            return self._computes[uri].driver._host.get_connection()
        return self._finder(_Libvirt(connection), own_uri, str)


class _Libvirt(object):
    """The module, with a host's name for its URI."""

    def __init__(self, connection):
        self._connection = connection

    def __getattr__(self, name):
        return getattr(fakelibvirt, name)

    def open(self, uri):
        return _Connection(self._connection(uri))

    openReadOnly = open


class _Connection(object):

    def __init__(self, connection):
        self._connection = connection

    def lookupByUUIDString(self, uuid):
        return _Domain(self._connection.lookupByUUIDString(uuid))

    def close(self):
        pass


class _Domain(object):

    def __init__(self, domain):
        self._domain = domain

    def __getattr__(self, name):
        return getattr(self._domain, name)

    def state(self, flags):
        return self._domain.info()[0], 0
