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

"""A nova-compute that starts while a live migration is in doubt."""

import mock

from nova.compute import guest_location as where
from nova.compute import power_state
from nova.compute import vm_states
from nova.tests.unit.compute import test_live_migration_in_doubt as in_doubt

R, P, A, U = where.PRESENCES


class LiveMigrationAtStartTestCase(in_doubt.InDoubtTestCase):

    def setUp(self):
        super(LiveMigrationAtStartTestCase, self).setUp()
        # A new process knows nothing of what was under way.
        del self.compute._migration_guard

    def test_a_guest_that_is_nowhere_is_not_started_at_boot(self):
        self.flags(resume_guests_state_on_host_boot=True)
        self.presences = {None: A, 'dst': A}
        with mock.patch.object(self.compute.driver,
                               'resume_state_on_host_boot') as resume:
            self.compute._init_instance(self.context, self.stored())
        self.assertFalse(resume.called)
        self.assertEqual((power_state.SHUTDOWN, vm_states.STOPPED),
                         (self.stored().power_state, self.stored().vm_state))

    def test_a_restart_leaves_what_is_parked_parked(self):
        self.flags(resume_guests_state_on_host_boot=True)
        self.migration_fails(R, U)
        with mock.patch.object(self.compute.driver,
                               'resume_state_on_host_boot') as resume:
            self.compute._init_instance(self.context, self.stored())
        self.assertFalse(resume.called)
        self.assert_parked()

    def test_a_guest_that_stayed_is_started_as_ever(self):
        self.presences = {None: R, 'dst': A}
        with mock.patch.object(self.compute.driver, 'plug_vifs') as plug:
            self.compute._init_instance(self.context, self.stored())
        self.assertTrue(plug.called)
        self.assertIsNone(self.stored().task_state)
