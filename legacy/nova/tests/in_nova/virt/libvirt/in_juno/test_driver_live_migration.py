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

"""The monitor in the real libvirt driver."""

import eventlet
import mock

from nova import context
from nova import test
from nova.tests.unit import fake_instance
from nova.virt import fake
from nova.virt.libvirt import driver


class DriverLiveMigrationTestCase(test.NoDBTestCase):

    def setUp(self):
        super(DriverLiveMigrationTestCase, self).setUp()
        self.libvirt = mock.Mock()
        self.libvirt.libvirtError = type('FakeError', (Exception,), {})
        patcher = mock.patch.object(driver, 'libvirt', self.libvirt)
        patcher.start()
        self.addCleanup(patcher.stop)
        self.driver = driver.LibvirtDriver(fake.FakeVirtAPI(), False)
        self.context = context.get_admin_context()
        self.instance = fake_instance.fake_instance_obj(self.context)
        self.post = mock.Mock()
        self.recover = mock.Mock()

    def migrate(self, operation):
        with mock.patch.object(self.driver, '_live_migration_operation',
                               operation):
            with mock.patch.object(self.driver, '_lookup_by_name') as lookup:
                lookup.return_value.jobStats.return_value = {'type': 0}
                self.driver._live_migration(
                    self.context, self.instance, 'dst', self.post,
                    self.recover, False, {'is_shared_instance_path': True})

    def test_success_is_told_to_post(self):
        self.migrate(lambda *args: None)
        self.post.assert_called_once_with(
            self.context, self.instance, 'dst', False,
            {'is_shared_instance_path': True})
        self.assertFalse(self.recover.called)

    def test_failure_is_told_with_what_the_migration_began_with(self):
        self.assertRaises(ValueError, self.migrate,
                          mock.Mock(side_effect=ValueError()))
        self.recover.assert_called_once_with(
            self.context, self.instance, 'dst', False,
            migrate_data={'is_shared_instance_path': True})
        self.assertFalse(self.post.called)

    def test_progress_is_stored(self):
        self.flags(live_migration_job_interval=100, group='libvirt')
        stored = []

        def save(instance, *args, **kwargs):
            stored.append(instance.progress)
        with mock.patch('nova.objects.Instance.save', save):
            with mock.patch.object(self.driver, '_lookup_by_name') as lookup:
                lookup.return_value.jobStats.return_value = {
                    'type': 2, 'memory_total': 200, 'memory_remaining': 50}
                with mock.patch.object(self.driver,
                                       '_live_migration_operation',
                                       lambda *args: eventlet.sleep(0.3)):
                    self.driver._live_migration(
                        self.context, self.instance, 'dst', self.post,
                        self.recover, False, {})
        self.assertEqual([75], stored)
