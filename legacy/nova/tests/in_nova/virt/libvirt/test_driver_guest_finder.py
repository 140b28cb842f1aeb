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

"""Where the real libvirt driver looks for a guest."""

from unittest import mock

from nova import test
from nova.tests import fixtures as nova_fixtures
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt import fake
from nova.virt.libvirt import driver
from nova.virt.libvirt import guest_presence


class DriverGuestFinderTestCase(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(nova_fixtures.LibvirtFixture())
        self.flags(connection_uri='test+tcp://here/system',
                   live_migration_uri='test+tls://%s/system',
                   group='libvirt')
        patcher = mock.patch.object(fakelibvirt, 'openReadOnly', create=True)
        self.open = patcher.start()
        self.addCleanup(patcher.stop)
        domain = self.open.return_value.lookupByUUIDString.return_value
        domain.state.return_value = [1, 1]
        domain.jobStats.return_value = {'type': 0}
        self.finder = driver.LibvirtDriver(fake.FakeVirtAPI(),
                                           False).guest_finder

    def look(self, host=None):
        sighting = self.finder.look({'uuid': 'a-uuid'}, host)
        self.assertEqual('running', sighting.presence, str(sighting))
        self.open.return_value.lookupByUUIDString.assert_called_with('a-uuid')

    def test_a_guest_here_is_asked_for_where_the_driver_connects(self):
        self.look()
        self.open.assert_called_once_with('test+tcp://here/system')
        self.assertIsInstance(self.finder, guest_presence.GuestFinder)

    def test_a_guest_elsewhere_is_asked_for_where_it_migrates_to(self):
        self.look('dst')
        self.open.assert_called_once_with('test+tls://dst/system')

    def test_that_is_so_without_an_option_for_it_too(self):
        self.flags(live_migration_uri=None, virt_type='kvm', group='libvirt')
        self.look('2001:db8::1')
        self.open.assert_called_once_with('qemu+tcp://[2001:db8::1]/system')
