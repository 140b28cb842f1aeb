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

import mock

from nova import test
from nova.virt import fake
from nova.virt.libvirt import driver
from nova.virt.libvirt import guest_presence


class DriverGuestFinderTestCase(test.NoDBTestCase):

    def setUp(self):
        super(DriverGuestFinderTestCase, self).setUp()
        self.libvirt = mock.Mock()
        patcher = mock.patch.object(driver, 'libvirt', self.libvirt)
        patcher.start()
        self.addCleanup(patcher.stop)
        self.driver = driver.LibvirtDriver(fake.FakeVirtAPI(), False)

    def test_a_guest_elsewhere_is_asked_for_at_the_migration_uri(self):
        self.flags(live_migration_uri='qemu+tcp://%s/system',
                   group='libvirt')
        domain = self.libvirt.openReadOnly().lookupByUUIDString()
        domain.state.return_value = [1, 1]
        domain.jobStats.return_value = {'type': 0}
        sighting = self.driver.guest_finder.look({'uuid': 'a-uuid'}, 'dst')
        self.assertEqual('running', sighting.presence)
        self.libvirt.openReadOnly.assert_called_with('qemu+tcp://dst/system')
        self.assertIsInstance(self.driver.guest_finder,
                              guest_presence.GuestFinder)
