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

"""The monitor in the real libvirt driver, from the call to its end."""

from unittest import mock

from nova import context
from nova import objects
from nova import test
from nova.tests import fixtures as nova_fixtures
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.unit import fake_instance
from nova.tests.unit.virt import threads
from nova.virt import event as virtevent
from nova.virt import fake
from nova.virt.libvirt import driver
from nova.virt.libvirt import guest as libvirt_guest
from nova.virt.libvirt import migration as libvirt_migrate
from nova.virt.libvirt import migration_end

OPERATION_ABORTED = 78


def error(code=fakelibvirt.VIR_ERR_INTERNAL_ERROR):
    return fakelibvirt.make_libvirtError(
        fakelibvirt.libvirtError, 'from the test', error_code=code)


class DriverLiveMigrationTestCase(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(nova_fixtures.LibvirtFixture())
        self.context = context.get_admin_context()
        self.driver = driver.LibvirtDriver(fake.FakeVirtAPI(), False)
        self.driver._parse_migration_flags()
        self.instance = fake_instance.fake_instance_obj(self.context,
                                                        resources=None)
        self.live_data = objects.LibvirtLiveMigrateData(
            block_migration=False, serial_listen_addr=None,
            migration=objects.Migration())
        self.domain = mock.Mock()
        self.domain.isActive.return_value = False
        self.job(fakelibvirt.VIR_DOMAIN_JOB_NONE)
        self.patch(self.driver._host, 'get_guest').return_value = (
            libvirt_guest.Guest(self.domain))
        self.patch(self.driver, '_live_migration_data_gb').return_value = 1
        self.patch(libvirt_migrate, 'get_updated_guest_xml').return_value = ''
        self.post = mock.Mock()
        self.recover = mock.Mock()

    def patch(self, where_, name):
        patcher = mock.patch.object(where_, name)
        self.addCleanup(patcher.stop)
        return patcher.start()

    def job(self, answer):
        """Let the job be of a type, or reading it raise an error."""
        self.domain.jobStats.side_effect = (
            answer if isinstance(answer, Exception)
            else lambda *args: {'type': answer})

    def migrate(self, outcome=None):
        """Migrate, with a function or an error for what libvirt does."""
        self.domain.migrateToURI3.side_effect = outcome
        try:
            self.driver.live_migration(
                self.context, self.instance, 'dst', self.post, self.recover,
                False, self.live_data)
        except fakelibvirt.libvirtError as raised:
            # From some releases, once all is told.
            self.assertIs(outcome, raised)
        self.assertEqual(1, self.domain.migrateToURI3.call_count)
        self.assertNotIn(self.instance.uuid, self.driver.active_migrations)

    def assert_posted(self):
        self.post.assert_called_once_with(
            self.context, self.instance, 'dst', False, self.live_data)
        self.assertFalse(self.recover.called)

    def assert_recovered(self, **kwargs):
        self.recover.assert_called_once_with(
            self.context, self.instance, 'dst', self.live_data, **kwargs)
        self.assertFalse(self.post.called)

    def test_a_call_that_returns_is_told_to_post(self):
        self.migrate()
        self.assert_posted()

    def test_a_call_that_raises_is_told_to_recover(self):
        self.migrate(error())
        self.assert_recovered()

    def test_a_domain_that_is_gone_is_no_success(self):
        gone = error(fakelibvirt.VIR_ERR_NO_DOMAIN)
        self.job(gone)
        self.domain.isActive.side_effect = gone
        self.migrate(error())
        self.assert_recovered()

    def test_no_end_is_told_before_the_call_has_ended(self):
        def call(*args, **kwargs):
            threads.wait_until(lambda: self.domain.jobStats.call_count > 1)
            told.append(self.post.called or self.recover.called)
        told = []
        self.job(error(fakelibvirt.VIR_ERR_NO_DOMAIN))
        self.migrate(call)
        self.assertEqual([False], told)
        self.assert_posted()

    def test_a_job_that_cannot_be_read_does_not_end_the_monitor(self):
        def call(*args, **kwargs):
            threads.wait_until(lambda: self.domain.jobStats.call_count > 1)
        self.job(error())
        self.migrate(call)
        self.assert_posted()
        self.assertFalse(self.domain.abortJob.called)

    def test_a_call_that_returns_and_a_guest_that_stays_is_in_doubt(self):
        self.domain.isActive.return_value = True
        self.migrate()
        self.assert_recovered()

    def test_an_abort_is_told_as_one(self):
        self.migrate(error(OPERATION_ABORTED))
        self.assert_recovered(migration_status='cancelled')

    def test_a_call_that_raises_just_after_the_look_is_no_success(self):
        has_ended = migration_end.MovingGuest._has_ended
        answers = []

        def too_late(guest):
            threads.wait_until(lambda: has_ended(guest))
            answers.append(None)
            return len(answers) > 1
        with mock.patch.object(migration_end.MovingGuest, '_has_ended',
                               too_late):
            self.migrate(error())
        self.assert_recovered()

    def test_a_suspended_domain_that_is_gone_has_not_completed(self):
        # The event of a suspension asks for the job, too.
        host = self.driver._host
        handler = getattr(host, '_event_handler', host)
        for code in (fakelibvirt.VIR_ERR_NO_DOMAIN,
                     fakelibvirt.VIR_ERR_INTERNAL_ERROR):
            self.domain.isActive.side_effect = error(code)
            with mock.patch.object(handler, '_queue_event') as queue:
                host._event_lifecycle_callback(
                    None, self.domain, fakelibvirt.VIR_DOMAIN_EVENT_SUSPENDED,
                    fakelibvirt.VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED, host)
            event, = queue.call_args[0]
            self.assertEqual(virtevent.EVENT_LIFECYCLE_PAUSED,
                             event.get_transition())
