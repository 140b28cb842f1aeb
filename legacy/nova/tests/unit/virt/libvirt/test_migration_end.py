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


import concurrent.futures
from unittest import mock

from nova.compute import guest_location as where
from nova import objects
from nova import test
from nova.virt.libvirt import guest as libvirt_guest
from nova.virt.libvirt import migration_end

NO_DOMAIN = 42
ABORTED = 78


class FakeLibvirt(object):

    VIR_DOMAIN_JOB_NONE = 0
    VIR_DOMAIN_JOB_UNBOUNDED = 2
    VIR_DOMAIN_JOB_COMPLETED = 3
    VIR_DOMAIN_JOB_FAILED = 4
    VIR_DOMAIN_JOB_CANCELLED = 5

    class libvirtError(Exception):

        def get_error_code(self):
            return self.args[0]


class EndTestCase(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.libvirt = FakeLibvirt
        self.patch(libvirt_guest, 'libvirt', self.libvirt)

    def patch(self, where_, name, value):
        patcher = mock.patch.object(where_, name, value)
        patcher.start()
        self.addCleanup(patcher.stop)

    def error(self, code):
        return self.libvirt.libvirtError(code)


class MovingGuestTestCase(EndTestCase):

    def setUp(self):
        super().setUp()
        self.domain = mock.Mock()
        self.domain.isActive.return_value = False
        self.call = concurrent.futures.Future()
        self.may_resume = mock.Mock()
        self.patch(libvirt_guest.Guest, 'get_job_info', self.read_job)
        self.type = self.libvirt.VIR_DOMAIN_JOB_UNBOUNDED
        self.guest = migration_end.MovingGuest(
            libvirt_guest.Guest(self.domain), mock.Mock(uuid='a-uuid'),
            self.call, self.may_resume)

    def read_job(self, guest=None):
        if isinstance(self.type, Exception):
            raise self.type
        return libvirt_guest.JobInfo(type=self.type)

    def job(self, kind=None):
        if kind is not None:
            self.type = kind
        return self.guest.get_job_info().type

    def call_raises(self, error=None):
        self.call.set_exception(error or ValueError())

    def test_a_job_that_runs_is_told_as_it_is(self):
        self.assertEqual(self.libvirt.VIR_DOMAIN_JOB_UNBOUNDED, self.job())

    def test_no_end_is_told_before_the_call_has_ended(self):
        for kind in (self.libvirt.VIR_DOMAIN_JOB_NONE,
                     self.libvirt.VIR_DOMAIN_JOB_COMPLETED,
                     self.libvirt.VIR_DOMAIN_JOB_FAILED,
                     self.libvirt.VIR_DOMAIN_JOB_CANCELLED):
            self.assertEqual(self.libvirt.VIR_DOMAIN_JOB_NONE, self.job(kind))

    def test_a_job_that_cannot_be_read_ends_nothing(self):
        self.assertEqual(self.libvirt.VIR_DOMAIN_JOB_NONE,
                         self.job(self.error(38)))

    def test_a_call_that_has_returned_is_complete(self):
        self.call.set_result(None)
        for kind in (self.libvirt.VIR_DOMAIN_JOB_NONE, self.error(38),
                     self.libvirt.VIR_DOMAIN_JOB_COMPLETED):
            self.assertEqual(self.libvirt.VIR_DOMAIN_JOB_COMPLETED,
                             self.job(kind))

    def test_a_domain_that_cannot_be_asked_speaks_against_no_success(self):
        self.call.set_result(None)
        for code in (NO_DOMAIN, 38):
            self.domain.isActive.side_effect = self.error(code)
            self.assertEqual(self.libvirt.VIR_DOMAIN_JOB_COMPLETED,
                             self.job())

    def test_a_call_that_has_returned_and_a_guest_that_runs_is_a_doubt(self):
        self.call.set_result(None)
        self.domain.isActive.return_value = True
        for kind in (self.libvirt.VIR_DOMAIN_JOB_UNBOUNDED,
                     self.libvirt.VIR_DOMAIN_JOB_NONE, self.error(38)):
            self.assertEqual(self.libvirt.VIR_DOMAIN_JOB_FAILED,
                             self.job(kind))

    def test_where_the_call_and_the_job_agree_the_guest_is_not_asked(self):
        self.call.set_result(None)
        self.domain.isActive.return_value = True
        self.assertEqual(self.libvirt.VIR_DOMAIN_JOB_COMPLETED,
                         self.job(self.libvirt.VIR_DOMAIN_JOB_COMPLETED))

    def test_so_it_is_where_the_job_has_failed(self):
        self.call.set_result(None)
        for kind in (self.libvirt.VIR_DOMAIN_JOB_FAILED,
                     self.libvirt.VIR_DOMAIN_JOB_CANCELLED):
            self.assertEqual(kind, self.job(kind))

    def test_a_call_that_has_raised_is_never_complete(self):
        self.call_raises()
        for kind in (self.libvirt.VIR_DOMAIN_JOB_NONE, self.error(NO_DOMAIN),
                     self.libvirt.VIR_DOMAIN_JOB_COMPLETED):
            self.assertEqual(self.libvirt.VIR_DOMAIN_JOB_FAILED,
                             self.job(kind))

    def test_an_abort_is_a_cancellation(self):
        self.call_raises(self.error(ABORTED))
        self.assertEqual(self.libvirt.VIR_DOMAIN_JOB_CANCELLED, self.job())

    def test_so_is_what_the_job_called_one_before_the_call_ended(self):
        self.job(self.libvirt.VIR_DOMAIN_JOB_CANCELLED)
        self.call_raises()
        self.assertEqual(self.libvirt.VIR_DOMAIN_JOB_CANCELLED,
                         self.job(self.libvirt.VIR_DOMAIN_JOB_NONE))

    def test_is_resumed_only_where_no_copy_can_run(self):
        for may in (False, True):
            self.may_resume.return_value = may
            self.guest.resume()
            self.assertEqual(may, self.domain.resume.called)


class DecoratorTestCase(EndTestCase):

    def monitor(self, presence, data='data', address='dst'):
        """What a monitor that resumes the guest does to it."""
        domain = mock.Mock()

        class Driver(object):
            guest_finder = mock.Mock()

            @migration_end.told_by_the_call
            def _live_migration_monitor(self, context, instance, guest, dest,
                                        *args):
                self.told = args
                guest.resume()
        driver = Driver()
        driver.guest_finder.look.return_value = where.Sighting(presence, '')
        driver._live_migration_monitor(
            'context', 'instance', libvirt_guest.Guest(domain), 'dst', 'post',
            'recover', False, data, 'future', [])
        driver.guest_finder.look.assert_called_once_with('instance', address)
        self.assertEqual(('post', 'recover', False, data, 'future', []),
                         driver.told)
        return domain.resume.called

    def test_a_guest_that_is_nowhere_else_is_resumed(self):
        self.assertTrue(self.monitor(where.ABSENT))

    def test_is_looked_for_where_the_migration_itself_connects(self):
        data = objects.LibvirtLiveMigrateData(target_connect_addr='10.1.2.3')
        self.assertTrue(self.monitor(where.ABSENT, data, '10.1.2.3'))
        data.target_connect_addr = None
        self.assertTrue(self.monitor(where.ABSENT, data))

    def test_one_that_may_be_there_is_not(self):
        with mock.patch.object(migration_end, 'LOG') as log:
            for presence in (where.RUNNING, where.PAUSED, where.UNKNOWN):
                self.assertFalse(self.monitor(presence))
        self.assertEqual(3, log.warning.call_count)
