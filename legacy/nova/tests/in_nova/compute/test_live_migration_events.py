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

from unittest import mock

from nova.compute import power_state
from nova.compute import task_states
from nova import context
from nova import objects
from nova.tests.unit.compute import test_compute
from nova.virt import event as virtevent


class LiveMigrationEventsTestCase(test_compute.BaseTestCase):

    def setUp(self):
        super().setUp()
        self.context = context.get_admin_context()
        self.instance = self._create_fake_instance_obj(
            {'host': self.compute.host,
             'task_state': task_states.MIGRATING})

    def stored(self):
        return objects.Instance.get_by_uuid(self.context, self.instance.uuid)

    def handle(self, transition, reason, state):
        """Handle an event of a guest that is in a power state here."""
        with mock.patch.object(self.compute, '_get_power_state',
                               return_value=state):
            self.compute.handle_events(virtevent.LifecycleEvent(
                self.instance.uuid, transition, reason=reason))

    def assert_only_others_are_synced(self):
        with mock.patch.object(self.compute,
                               '_sync_instance_power_state') as sync:
            self.handle(virtevent.EVENT_LIFECYCLE_STOPPED,
                        virtevent.REASON_MIGRATION, power_state.SHUTDOWN)
            self.assertFalse(sync.called)
            self.handle(virtevent.EVENT_LIFECYCLE_STOPPED, None,
                        power_state.SHUTDOWN)
            self.assertTrue(sync.called)

    def test_a_stop_by_migration_is_no_shutdown(self):
        self.assert_only_others_are_synced()

    def test_so_it_is_after_a_reset_of_the_task(self):
        instance = self.stored()
        instance.task_state = None
        instance.save()
        self.assert_only_others_are_synced()

    def test_the_destination_records_the_guest_that_arrives(self):
        instance = self.stored()
        instance.host = 'the source'
        instance.power_state = power_state.PAUSED
        instance.save()
        self.handle(virtevent.EVENT_LIFECYCLE_RESUMED,
                    virtevent.REASON_MIGRATION, power_state.RUNNING)
        stored = self.stored()
        self.assertEqual((power_state.RUNNING, 'the source'),
                         (stored.power_state, stored.host))
