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

"""Lifecycle events that leave the real libvirt driver."""

import mock

from nova import test
from nova.virt import event as virtevent
from nova.virt import fake
from nova.virt.libvirt import driver
from nova.virt.libvirt import event_reason


class DriverEventReasonTestCase(test.NoDBTestCase):

    def setUp(self):
        super(DriverEventReasonTestCase, self).setUp()
        self.libvirt = mock.Mock()
        patcher = mock.patch.object(driver, 'libvirt', self.libvirt)
        patcher.start()
        self.addCleanup(patcher.stop)
        self.driver = driver.LibvirtDriver(fake.FakeVirtAPI(), False)

    def test_the_reason_of_an_event_is_kept(self):
        self.driver._queue_event = mock.Mock()
        self.libvirt.VIR_DOMAIN_EVENT_STOPPED = 5
        for detail, reason in ((3, virtevent.REASON_MIGRATION), (0, None)):
            with mock.patch.object(event_reason, 'of', return_value=reason):
                self.driver._event_lifecycle_callback(
                    None, mock.Mock(), 5, detail, self.driver)
            event, = self.driver._queue_event.call_args[0]
            self.assertEqual(reason, event.reason)
