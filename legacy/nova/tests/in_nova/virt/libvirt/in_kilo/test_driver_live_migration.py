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

import mock

from nova import context
from nova import test
from nova.tests.unit import fake_instance
from nova.tests.unit.virt.libvirt import fakelibvirt
from nova.virt import fake
from nova.virt.libvirt import driver
from nova.virt.libvirt import host
from nova.virt.libvirt import migration_end


def error(code=fakelibvirt.VIR_ERR_INTERNAL_ERROR):
    return fakelibvirt.make_libvirtError(
        fakelibvirt.libvirtError, 'from the test', error_code=code)


class DriverLiveMigrationTestCase(test.NoDBTestCase):

    def setUp(self):
        super(DriverLiveMigrationTestCase, self).setUp()
        for module in (driver, host):
            self.patch(module, 'libvirt', fakelibvirt)
        self.patch(migration_end, 'PAUSE', 0)
        self.context = context.get_admin_context()
        self.driver = driver.LibvirtDriver(fake.FakeVirtAPI(), False)
        self.instance = fake_instance.fake_instance_obj(self.context)
        self.domain = mock.Mock()
        self.domain.isActive.return_value = False
        self.domain.jobStats.return_value = {
            'type': fakelibvirt.VIR_DOMAIN_JOB_NONE}
        self.patch(self.driver._host, 'get_domain',
                   mock.Mock(return_value=self.domain))
        self.post = mock.Mock()
        self.recover = mock.Mock()

    def patch(self, where_, name, value):
        patcher = mock.patch.object(where_, name, value)
        patcher.start()
        self.addCleanup(patcher.stop)

    def migrate(self, outcome=None):
        """Migrate, with an error or a function for what libvirt does."""
        self.domain.migrateToURI.side_effect = outcome
        self.driver._live_migration(
            self.context, self.instance, 'dst', self.post, self.recover,
            False, {})

    def assert_posted(self):
        self.post.assert_called_once_with(
            self.context, self.instance, 'dst', False, {})
        self.assertFalse(self.recover.called)

    def assert_recovered(self):
        self.recover.assert_called_once_with(
            self.context, self.instance, 'dst', False, {})
        self.assertFalse(self.post.called)

    def test_a_call_that_returns_is_told_to_post(self):
        self.migrate()
        self.assertEqual(1, self.domain.migrateToURI.call_count)
        self.assert_posted()

    def test_a_domain_that_is_gone_is_no_success(self):
        gone = error(fakelibvirt.VIR_ERR_NO_DOMAIN)
        self.domain.jobStats.side_effect = gone
        self.domain.isActive.side_effect = gone
        self.migrate(error())
        self.assert_recovered()

    def test_a_job_that_cannot_be_read_ends_nothing(self):
        def call(*args):
            while self.domain.jobStats.call_count < 2:
                driver.greenthread.sleep(0.01)
            told.append(self.post.called or self.recover.called)
        told = []
        self.domain.jobStats.side_effect = error()
        self.migrate(call)
        self.assertEqual([False], told)
        self.assert_posted()

    def test_a_progress_that_cannot_be_stored_ends_nothing(self):
        def call(*args):
            while save.call_count < 2:
                driver.greenthread.sleep(0.01)
        self.domain.jobStats.return_value = {
            'type': fakelibvirt.VIR_DOMAIN_JOB_UNBOUNDED}
        with mock.patch('nova.objects.Instance.save',
                        side_effect=ValueError()) as save:
            self.migrate(call)
        self.assert_posted()

    def test_a_domain_that_cannot_be_found_is_recovered(self):
        self.driver._host.get_domain.side_effect = ValueError()
        self.assertRaises(ValueError, self.migrate)
        self.assert_recovered()
