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

from eventlet import event
from eventlet import greenthread
from eventlet import queue
import mock

from nova import context as nova_context
from nova import test
from nova.tests.unit import fake_instance
from nova.virt import fake
from nova.virt.libvirt import driver
from nova.virt.libvirt import host
from nova.virt.libvirt import migration_monitor

DATA = {'is_shared_instance_path': True}


class LiveMigrationMonitorTestCase(test.NoDBTestCase):

    def setUp(self):
        super(LiveMigrationMonitorTestCase, self).setUp()
        for module in (driver, host):
            patcher = mock.patch.object(module, 'libvirt', mock.Mock(
                libvirtError=Exception))
            patcher.start()
            self.addCleanup(patcher.stop)
        self.driver = driver.LibvirtDriver(fake.FakeVirtAPI(), False)
        self.context = nova_context.get_admin_context()
        self.instance = fake_instance.fake_instance_obj(self.context)
        self.post, self.recover = mock.Mock(), mock.Mock()

    def migrate(self, operation, job=None):
        """Migrate with a libvirt call, and what is read of its job."""
        domain = mock.Mock()
        domain.jobInfo.side_effect = job
        with mock.patch.object(self.driver, '_live_migration_operation',
                               operation):
            with mock.patch.object(self.driver._host, 'get_domain',
                                   return_value=domain):
                self.driver._live_migration(
                    self.context, self.instance, 'dest', self.post,
                    self.recover, False, DATA)

    def test_success(self):
        self.migrate(lambda *args: None)
        self.post.assert_called_once_with(
            self.context, self.instance, 'dest', False, DATA)
        self.assertFalse(self.recover.called)

    def test_failure(self):
        self.assertRaises(ValueError, self.migrate,
                          mock.Mock(side_effect=ValueError()))
        self.recover.assert_called_once_with(
            self.context, self.instance, 'dest', False, DATA)
        self.assertFalse(self.post.called)

    def follow(self, job, times=2):
        """Migrate until the job has been read."""
        reads, saved = queue.LightQueue(), []

        def read():
            reads.put(None)
            return job()

        def operation(*args):
            for _read in range(times):
                reads.get()
            greenthread.sleep(0.1)

        def save(instance, *args, **kwargs):
            saved.append(instance.progress)

        with mock.patch.object(migration_monitor, 'INTERVAL', 0.01):
            with mock.patch('nova.objects.Instance.save', save):
                self.migrate(operation, read)
        self.assertTrue(self.post.called)
        return saved

    def test_progress_is_stored(self):
        saved = self.follow(lambda: [2, 0, 0, 0, 0, 0, 200, 150, 50, 0, 0, 0])
        self.assertEqual([75], sorted(set(saved)))

    def test_job_cannot_be_read(self):
        self.assertEqual([], self.follow(mock.Mock(side_effect=ValueError())))

    def test_libvirt_hangs(self):
        """A question holds a native thread: there is one at a time."""
        job = mock.Mock(side_effect=event.Event().wait)
        self.assertEqual([], self.follow(job, 1))
        self.assertEqual(1, job.call_count)
