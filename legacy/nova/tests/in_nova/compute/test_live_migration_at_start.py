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

from unittest import mock

from nova.compute import guest_location as where
from nova.compute import power_state
from nova.compute import vm_states
from nova.tests.unit.compute import test_live_migration_in_doubt as in_doubt
from nova.tests.unit.virt import threads

R, P, A, U = where.PRESENCES


class LiveMigrationAtStartTestCase(in_doubt.InDoubtTestCase):

    def setUp(self):
        super().setUp()
        self.flags(resume_guests_state_on_host_boot=True)
        self.migrate()

    def start(self, source, destination):
        """Start, and tell whether the guest was started, too."""
        # A new process knows nothing of what was under way.
        self.compute.__dict__.pop('_migration_guard', None)
        self.presences = {None: source, 'dst': destination}
        with mock.patch.object(self.compute, '_resume_guests_state') as boot:
            with mock.patch.object(self.compute.driver, 'plug_vifs') as plug:
                with mock.patch.object(
                        self.compute, '_get_power_state',
                        return_value=power_state.SHUTDOWN):
                    self.compute._init_instance(self.context, self.stored())
        self.was_served = plug.called
        return boot.called

    def test_a_guest_that_moved_is_not_started(self):
        self.assertFalse(self.start(A, R))
        self.assertFalse(self.was_served)
        post = self.rpcapi.post_live_migration_at_destination
        self.assertEqual('dst', post.call_args[0][3])
        self.assertEqual('completed', self.status())

    def test_a_guest_that_is_nowhere_is_not_started_at_boot(self):
        self.assertFalse(self.start(A, A))
        stored = self.stored()
        self.assertEqual((power_state.SHUTDOWN, vm_states.STOPPED, None),
                         (stored.power_state, stored.vm_state,
                          stored.task_state))

    def test_a_restart_leaves_what_is_parked_parked(self):
        self.migration_fails(R, U)
        self.assertFalse(self.start(R, U))
        self.assertFalse(self.was_served)
        self.assert_parked()

    def test_a_guest_that_stayed_is_served_as_ever(self):
        self.assertTrue(self.start(R, A))
        self.assertTrue(self.was_served)
        self.assert_rolled_back()

    def test_or_later_when_it_is_found_here(self):
        self.assertFalse(self.start(R, U))
        self.presences['dst'] = A
        with mock.patch.object(self.compute, '_init_instance') as init:
            self.compute._look_for_parked_guests(self.context)
            threads.wait_until(lambda: init.called)
        self.assertTrue(init.called)
        self.assert_rolled_back()
