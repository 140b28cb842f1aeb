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

"""Test live migrations whose checks get no answer."""

import mock
import oslo_messaging as messaging

from nova.compute import task_states
from nova.conductor import manager
from nova.conductor.tasks import live_migrate
from nova import context
from nova.scheduler import utils as scheduler_utils
from nova import test
from nova.tests.unit import fake_instance


class LiveMigrateTimeoutTestCase(test.NoDBTestCase):

    @mock.patch.object(scheduler_utils, 'set_vm_state_and_notify')
    @mock.patch.object(live_migrate, 'execute',
                       side_effect=messaging.MessagingTimeout())
    def test_task_is_cleared(self, execute, set_vm_state):
        """The guest was not touched: no nova-compute was asked to move it."""
        admin = context.get_admin_context()
        instance = fake_instance.fake_instance_obj(
            admin, task_state=task_states.MIGRATING)
        self.assertRaises(
            messaging.MessagingTimeout,
            manager.ComputeTaskManager()._live_migrate,
            admin, instance, {'host': 'dest'}, False, False)
        updates = [arg for arg in set_vm_state.call_args[0]
                   if isinstance(arg, dict)][0]
        self.assertEqual(
            (instance.vm_state, None, task_states.MIGRATING),
            (updates['vm_state'], updates['task_state'],
             updates['expected_task_state']))
