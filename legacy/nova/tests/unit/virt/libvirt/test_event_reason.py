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

from nova import test
from nova.virt import event as virtevent
from nova.virt.libvirt import event_reason


class FakeLibvirt(object):
    """The numbers are libvirt's."""

    VIR_DOMAIN_EVENT_STARTED = 2
    VIR_DOMAIN_EVENT_SUSPENDED = 3
    VIR_DOMAIN_EVENT_RESUMED = 4
    VIR_DOMAIN_EVENT_STOPPED = 5
    VIR_DOMAIN_EVENT_STARTED_MIGRATED = 1
    VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED = 1
    VIR_DOMAIN_EVENT_RESUMED_MIGRATED = 1
    VIR_DOMAIN_EVENT_STOPPED_MIGRATED = 3


class EventReasonTestCase(test.NoDBTestCase):

    def test_only_what_a_migration_did_has_a_reason(self):
        caused = [(event, detail) for event in range(9)
                  for detail in range(9)
                  if event_reason.of(FakeLibvirt, event, detail) ==
                  virtevent.REASON_MIGRATION]
        self.assertEqual([(2, 1), (3, 1), (4, 1), (5, 3)], caused)

    def test_a_guest_that_shuts_down_has_no_reason(self):
        self.assertIsNone(event_reason.of(FakeLibvirt, 5, 0))

    def test_a_binding_without_the_names_gives_no_reason(self):
        for event in range(9):
            self.assertIsNone(event_reason.of(object(), event, 1))
