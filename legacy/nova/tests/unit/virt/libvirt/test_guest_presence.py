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

import time
from unittest import mock

from nova.compute import guest_location as where
from nova import test
from nova.tests.unit.virt.libvirt import fake_migration
from nova.tests.unit.virt import threads
from nova.virt.libvirt import guest_presence

INSTANCE = {'uuid': 'cef19ce0-0ca2-11df-855d-b19fbce37686'}


KEEP = sum(fake_migration.UNDEFINE.values())


class PresenceTestCase(test.NoDBTestCase):

    def setUp(self):
        super(PresenceTestCase, self).setUp()
        self.domain = mock.Mock()
        self.domain.jobStats.return_value = fake_migration.job(kind=0)
        self.connection = mock.Mock()
        self.connection.lookupByUUIDString.return_value = self.domain
        self.libvirt = fake_migration.FakeLibvirt(self.connection)
        self.patch(guest_presence, '_unanswered', {})
        self.finder = guest_presence.GuestFinder(
            self.libvirt, 'qemu:///system',
            lambda host: 'qemu+tcp://%s/system' % host)

    def patch(self, where_, name, value):
        patcher = mock.patch.object(where_, name, value)
        patcher.start()
        self.addCleanup(patcher.stop)

    def make_fail(self, method, **kwargs):
        method.side_effect = fake_migration.FakeLibvirtError(**kwargs)

    def look(self, state=1, reason=1, host=None):
        self.domain.state.return_value = [state, reason]
        return self.finder.look(INSTANCE, host)


class LookTestCase(PresenceTestCase):

    def test_every_state_of_libvirts(self):
        presences = [self.look(state).presence for state in range(9)]
        self.assertEqual(
            [where.UNKNOWN, where.RUNNING, where.RUNNING, where.PAUSED,
             where.RUNNING, where.ABSENT, where.PAUSED, where.RUNNING,
             where.UNKNOWN], presences)

    def test_asks_this_host_read_only(self):
        self.look()
        self.assertEqual([('ro', 'qemu:///system')], self.libvirt.opened)
        self.connection.lookupByUUIDString.assert_called_with(
            INSTANCE['uuid'])

    def test_asks_another_host_read_only_and_says_which(self):
        sighting = self.look(host='dst')
        self.assertEqual([('ro', 'qemu+tcp://dst/system')],
                         self.libvirt.opened)
        self.assertEqual('running (libvirt at qemu+tcp://dst/system)',
                         str(sighting))

    def test_leaves_no_connection_open(self):
        self.look()
        self.make_fail(self.connection.lookupByUUIDString)
        self.look()
        self.assertEqual(2, self.connection.close.call_count)

    def test_no_such_domain_is_absent(self):
        self.make_fail(self.connection.lookupByUUIDString,
                       code=self.libvirt.VIR_ERR_NO_DOMAIN)
        self.assertEqual(where.ABSENT, self.look().presence)

    def test_a_domain_that_goes_under_the_look_is_absent(self):
        self.make_fail(self.domain.jobStats,
                       code=self.libvirt.VIR_ERR_NO_DOMAIN)
        self.assertEqual(where.ABSENT, self.look().presence)

    def test_any_other_error_is_unknown_and_says_why(self):
        self.make_fail(self.connection.lookupByUUIDString,
                       message='client socket is closed')
        sighting = self.look()
        self.assertEqual(where.UNKNOWN, sighting.presence)
        self.assertIn('client socket is closed', sighting.how)

    def test_a_host_that_cannot_be_reached_is_unknown(self):
        self.libvirt.connection = fake_migration.FakeLibvirtError('refused')
        self.assertEqual(where.UNKNOWN, self.look().presence)

    def test_a_job_at_work_is_seen(self):
        self.domain.jobStats.return_value = fake_migration.job()
        self.assertTrue(self.look().moving)

    def test_a_guest_whose_memory_is_still_on_the_source_is_on_its_way(self):
        # running: post-copy, and post-copy failed; paused: starting up
        for state, reason, moving in ((1, 10, True), (1, 11, True),
                                      (1, 4, False), (3, 11, False)):
            self.assertEqual(moving, self.look(state, reason, 'dst').moving)

    def test_the_end_of_a_job_is_no_job(self):
        self.domain.jobStats.return_value = fake_migration.job()
        self.assertFalse(self.look(state=5).moving)

    def test_a_domain_that_does_not_run_has_no_job(self):
        self.make_fail(self.domain.jobStats,
                       code=self.libvirt.VIR_ERR_OPERATION_INVALID)
        sighting = self.look(state=5)
        self.assertEqual((where.ABSENT, False),
                         (sighting.presence, sighting.moving))

    def test_the_state_is_read_when_the_job_is_known(self):
        # Ending a QEMU takes seconds, in which only the job has to wait.
        def job():
            self.domain.state.return_value = [5, 3]
            raise fake_migration.FakeLibvirtError(
                code=self.libvirt.VIR_ERR_OPERATION_INVALID)
        self.domain.jobStats = job
        self.assertEqual(where.ABSENT, self.look(state=1).presence)

    def test_a_destination_is_not_asked_for_a_job(self):
        # It has none to be read, and says so with an error.
        self.make_fail(self.domain.jobStats, code=84)
        sighting = self.look(state=3, reason=2, host='dst')
        self.assertEqual((where.PAUSED, False, False),
                         (sighting.presence, sighting.moving,
                          sighting.diverged))

    def test_a_pause_that_is_not_an_arrival_is_a_life_of_its_own(self):
        arrives = [reason for reason in range(15)
                   if not self.look(3, reason).diverged]
        self.assertEqual([2, 11], arrives)

    def test_a_guest_that_runs_has_not_diverged(self):
        self.assertFalse(self.look(1, 5).diverged)


class BoundTestCase(PresenceTestCase):

    def setUp(self):
        super(BoundTestCase, self).setUp()
        self.patch(guest_presence.CONF.libvirt,
                   'live_migration_ask_timeout', 0.1)
        self.answer = threads.native_event()
        self.addCleanup(self.answer.set)
        self.libvirt.openReadOnly = lambda uri: self.answer.wait(30)

    def test_a_host_that_is_silent_is_unknown_in_time(self):
        began = time.time()
        sighting = self.look(host='dst')
        self.assertTrue(time.time() - began < 5)
        self.assertEqual(where.UNKNOWN, sighting.presence)
        self.assertIn('no answer within', sighting.how)

    def test_others_go_on_meanwhile(self):
        self.patch(guest_presence.CONF.libvirt,
                   'live_migration_ask_timeout', 20)

        def tick():
            for _ in range(3):
                threads.pause(0.001)
            self.answer.set()
        threads.Thread(tick)
        self.assertNotIn('no answer', self.look(host='dst').how)

    def test_a_host_that_stays_silent_is_asked_no_more(self):
        self.patch(guest_presence, 'UNANSWERED', 2)
        asked = []
        self.libvirt.openReadOnly = lambda uri: (asked.append(uri),
                                                 self.answer.wait(30))
        for _ in range(3):
            how = self.look(host='dst').how
        self.assertIn('2 earlier questions', how)
        self.assertEqual(2, len(asked))
        self.assertNotIn('earlier', self.look(host='other').how)


class SuspendTestCase(PresenceTestCase):

    def suspend(self, state):
        self.domain.state.return_value = [state, 1]
        self.finder.suspend(INSTANCE, 'dst')

    def test_a_guest_that_runs_is_suspended(self):
        self.suspend(1)
        self.domain.suspend.assert_called_once_with()
        self.assertEqual([('rw', 'qemu+tcp://dst/system')],
                         self.libvirt.opened)
        self.assertEqual(1, self.connection.close.call_count)

    def test_a_guest_that_does_not_run_is_left_alone(self):
        for state in (3, 5, 6):
            self.suspend(state)
        self.assertFalse(self.domain.suspend.called)

    def test_a_host_that_refuses_is_the_callers(self):
        self.make_fail(self.domain.suspend)
        self.assertRaises(fake_migration.FakeLibvirtError, self.suspend, 1)

    def test_a_guest_that_is_gone_needs_nothing(self):
        self.make_fail(self.domain.suspend,
                       code=self.libvirt.VIR_ERR_NO_DOMAIN)
        self.suspend(1)


class EndPausedTestCase(PresenceTestCase):

    def end(self, state, persistent=True):
        self.domain.state.return_value = [state, 1]
        self.domain.isPersistent.return_value = persistent
        self.finder.end_paused(INSTANCE)

    def test_a_paused_rest_is_killed_and_forgotten(self):
        self.end(3)
        self.domain.destroy.assert_called_once_with()
        self.domain.undefineFlags.assert_called_once_with(KEEP)
        self.assertEqual([('rw', 'qemu:///system')], self.libvirt.opened)

    def test_a_rest_that_nobody_defined_is_only_killed(self):
        self.end(3, persistent=False)
        self.assertFalse(self.domain.undefineFlags.called)

    def test_a_definition_alone_is_forgotten(self):
        self.end(5)
        self.assertFalse(self.domain.destroy.called)
        self.domain.undefineFlags.assert_called_once_with(KEEP)

    def test_a_guest_that_runs_is_not_touched(self):
        for state in (1, 2, 4, 7):
            self.assertRaises(guest_presence.StillRuns, self.end, state)
        self.assertFalse(self.domain.destroy.called)
        self.assertFalse(self.domain.undefineFlags.called)

    def test_a_rest_that_is_gone_needs_nothing(self):
        self.make_fail(self.connection.lookupByUUIDString,
                       code=self.libvirt.VIR_ERR_NO_DOMAIN)
        self.end(3)
