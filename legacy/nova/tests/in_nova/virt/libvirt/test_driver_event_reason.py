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

from unittest import mock

from nova import test
from nova.tests import fixtures as nova_fixtures
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt import event as virtevent
from nova.virt import fake
from nova.virt.libvirt import driver

# virDomainEventStoppedDetailType: migrated, and shut down
STOPPED_MIGRATED = 3
STOPPED_SHUTDOWN = 0


class DriverEventReasonTestCase(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(nova_fixtures.LibvirtFixture())
        patcher = mock.patch.object(
            fakelibvirt, 'VIR_DOMAIN_EVENT_STOPPED_MIGRATED',
            STOPPED_MIGRATED, create=True)
        patcher.start()
        self.addCleanup(patcher.stop)
        self.host = driver.LibvirtDriver(fake.FakeVirtAPI(), False)._host
        self.domain = mock.Mock()
        self.domain.UUIDString.return_value = 'a-uuid'
        self.domain.jobStats.return_value = {
            'type': fakelibvirt.VIR_DOMAIN_JOB_NONE}

    def event(self, kind, detail):
        """Give the event that Nova gets for one of libvirt's."""
        handler = getattr(self.host, '_event_handler', self.host)
        with mock.patch.object(handler, '_queue_event') as queue:
            self.host._event_lifecycle_callback(
                None, self.domain, kind, detail, self.host)
        event, = queue.call_args[0]
        return event

    def test_the_reason_of_an_event_is_kept(self):
        for detail, reason in ((STOPPED_MIGRATED, virtevent.REASON_MIGRATION),
                               (STOPPED_SHUTDOWN, None)):
            event = self.event(fakelibvirt.VIR_DOMAIN_EVENT_STOPPED, detail)
            self.assertEqual(
                (virtevent.EVENT_LIFECYCLE_STOPPED, 'a-uuid', reason),
                (event.get_transition(), event.get_instance_uuid(),
                 event.reason))
