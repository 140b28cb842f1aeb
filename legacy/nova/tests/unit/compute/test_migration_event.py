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

from unittest import mock

from nova.compute import migration_event
from nova.compute import power_state
from nova import exception
from nova import objects
from nova import test
from nova.virt import event as virtevent

UUID = 'cef19ce0-0ca2-11df-855d-b19fbce37686'


class FakeManager(object):

    host = 'here'

    def __init__(self):
        self.handled = []

    @migration_event.tell_migration
    def handle_lifecycle_event(self, event):
        self.handled.append(event.get_transition())


class MigrationEventTestCase(test.NoDBTestCase):

    def setUp(self):
        super(MigrationEventTestCase, self).setUp()
        self.manager = FakeManager()
        self.instance = mock.Mock(host='elsewhere', task_state='migrating',
                                  power_state=None, uuid=UUID)
        self.log = mock.Mock()
        for where, name, value in (
                (migration_event, 'LOG', self.log),
                (objects.Instance, 'get_by_uuid',
                 mock.Mock(return_value=self.instance))):
            patcher = mock.patch.object(where, name, value)
            patcher.start()
            self.addCleanup(patcher.stop)

    def emit(self, transition, reason=virtevent.REASON_MIGRATION):
        self.manager.handle_lifecycle_event(
            virtevent.LifecycleEvent(UUID, transition, reason=reason))

    def test_a_stop_by_migration_changes_no_state(self):
        self.emit(virtevent.EVENT_LIFECYCLE_STOPPED)
        self.assertEqual([], self.manager.handled)
        self.assertFalse(objects.Instance.get_by_uuid.called)
        self.assertIn('stopped', self.log.info.call_args[0][1]['what'])

    def test_a_pause_by_migration_changes_no_state(self):
        self.emit(virtevent.EVENT_LIFECYCLE_PAUSED)
        self.assertEqual([], self.manager.handled)

    def test_any_other_reason_is_handled_as_ever(self):
        for transition in range(4):
            self.emit(transition, reason=None)
        self.assertEqual([0, 1, 2, 3], self.manager.handled)
        self.assertFalse(objects.Instance.get_by_uuid.called)

    def test_an_event_without_reason_is_handled_as_ever(self):
        self.manager.handle_lifecycle_event(virtevent.LifecycleEvent(UUID, 1))
        self.assertEqual([1], self.manager.handled)

    def test_the_destination_records_that_the_guest_runs(self):
        self.emit(virtevent.EVENT_LIFECYCLE_RESUMED)
        self.assertEqual(power_state.RUNNING, self.instance.power_state)
        self.instance.save.assert_called_once_with(
            expected_task_state=['migrating'])
        self.assertEqual([], self.manager.handled)

    def test_the_source_that_resumes_its_guest_is_handled_as_ever(self):
        self.instance.host = 'here'
        self.emit(virtevent.EVENT_LIFECYCLE_RESUMED)
        self.assertFalse(self.instance.save.called)
        self.assertEqual([3], self.manager.handled)

    def test_an_instance_that_does_not_migrate_is_handled_as_ever(self):
        self.instance.task_state = None
        self.emit(virtevent.EVENT_LIFECYCLE_RESUMED)
        self.assertFalse(self.instance.save.called)
        self.assertEqual([3], self.manager.handled)

    def test_a_task_that_has_just_ended_is_handled_as_ever(self):
        self.instance.save.side_effect = exception.UnexpectedTaskStateError(
            instance_uuid='a-uuid', expected='migrating', actual=None)
        self.emit(virtevent.EVENT_LIFECYCLE_RESUMED)
        self.assertEqual([3], self.manager.handled)

    def test_a_start_by_migration_is_handled_as_ever(self):
        self.emit(virtevent.EVENT_LIFECYCLE_STARTED)
        self.assertEqual([0], self.manager.handled)

    def test_an_unknown_instance_is_the_callers(self):
        objects.Instance.get_by_uuid.side_effect = (
            exception.InstanceNotFound(instance_id=UUID))
        self.assertRaises(exception.InstanceNotFound, self.emit,
                          virtevent.EVENT_LIFECYCLE_RESUMED)
