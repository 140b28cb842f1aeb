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

import mock

from nova.compute import task_states
from nova.tests.unit.compute import test_compute
from nova.virt import event as virtevent
from nova.virt.libvirt import host

STOPPED = 5
SHUTDOWN, CRASHED, MIGRATED = 0, 2, 3


class MigratedAwayTestCase(test_compute.BaseTestCase):

    def transition(self, detail):
        """Return the transition that Nova makes of a stop."""
        libvirt = mock.Mock(VIR_DOMAIN_EVENT_STOPPED=STOPPED,
                            VIR_DOMAIN_EVENT_STOPPED_MIGRATED=MIGRATED)
        queue = mock.Mock()
        with mock.patch.object(host, 'libvirt', libvirt):
            host.Host._event_lifecycle_callback(None, mock.Mock(), STOPPED,
                                                detail, queue)
        return queue._queue_event.call_args[0][0].get_transition()

    def test_reason_of_a_stop(self):
        self.assertEqual(virtevent.EVENT_LIFECYCLE_MIGRATED_AWAY,
                         self.transition(MIGRATED))
        for detail in (SHUTDOWN, CRASHED):
            self.assertEqual(virtevent.EVENT_LIFECYCLE_STOPPED,
                             self.transition(detail))

    def test_stop_by_migration_stops_nothing(self):
        instance = self._create_fake_instance_obj(
            {'host': self.compute.host, 'task_state': task_states.MIGRATING})
        with mock.patch.object(self.compute,
                               '_sync_instance_power_state') as sync:
            for transition in (virtevent.EVENT_LIFECYCLE_MIGRATED_AWAY,
                               virtevent.EVENT_LIFECYCLE_STOPPED):
                event = virtevent.LifecycleEvent(instance.uuid, transition)
                self.assertNotEqual('Unknown', event.get_name())
                self.compute.handle_events(event)
        self.assertEqual(1, sync.call_count)
