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

"""Lifecycle events that the real ComputeManager gets from a migration."""

import mock

from nova.compute import power_state
from nova.compute import task_states
from nova import context
from nova import objects
from nova.tests.unit.compute import test_compute
from nova.virt import event as virtevent


class LiveMigrationEventsTestCase(test_compute.BaseTestCase):

    def setUp(self):
        super(LiveMigrationEventsTestCase, self).setUp()
        self.context = context.get_admin_context()
        self.instance = self._create_fake_instance_obj(
            {'host': self.compute.host,
             'task_state': task_states.MIGRATING})

    def stored(self):
        return objects.Instance.get_by_uuid(self.context, self.instance.uuid)

    def test_a_stop_by_migration_stops_nothing(self):
        with mock.patch.object(self.compute,
                               '_sync_instance_power_state') as sync:
            for reason in (virtevent.REASON_MIGRATION, None):
                self.compute.handle_events(virtevent.LifecycleEvent(
                    self.instance.uuid, virtevent.EVENT_LIFECYCLE_STOPPED,
                    reason=reason))
        self.assertEqual(1, sync.call_count)

    def test_the_destination_records_the_guest_that_arrives(self):
        instance = self.stored()
        instance.host = 'the source'
        instance.power_state = power_state.PAUSED
        instance.save()
        self.compute.handle_events(virtevent.LifecycleEvent(
            self.instance.uuid, virtevent.EVENT_LIFECYCLE_RESUMED,
            reason=virtevent.REASON_MIGRATION))
        stored = self.stored()
        self.assertEqual((power_state.RUNNING, 'the source'),
                         (stored.power_state, stored.host))
