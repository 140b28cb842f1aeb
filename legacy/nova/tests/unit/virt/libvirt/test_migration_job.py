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

import eventlet
from eventlet import event
import mock

from nova import context as nova_context
from nova import test
from nova.tests.unit import fake_instance
from nova.virt import fake
from nova.virt.libvirt import driver
from nova.virt.libvirt import host
from nova.virt.libvirt import migration_job

NONE, BOUNDED, UNBOUNDED, COMPLETED, FAILED, CANCELLED = range(6)


class LibvirtError(Exception):
    pass


class LiveMigrationJobTestCase(test.NoDBTestCase):

    def setUp(self):
        super(LiveMigrationJobTestCase, self).setUp()
        self.libvirt = mock.Mock(
            libvirtError=LibvirtError, VIR_DOMAIN_JOB_NONE=NONE,
            VIR_DOMAIN_JOB_UNBOUNDED=UNBOUNDED,
            VIR_DOMAIN_JOB_COMPLETED=COMPLETED, VIR_DOMAIN_JOB_FAILED=FAILED,
            VIR_DOMAIN_JOB_CANCELLED=CANCELLED)
        for module in (driver, host):
            patcher = mock.patch.object(module, 'libvirt', self.libvirt)
            patcher.start()
            self.addCleanup(patcher.stop)
        patcher = mock.patch.object(host.DomainJobInfo, 'for_domain')
        self.for_domain = patcher.start()
        self.addCleanup(patcher.stop)

    def read(self, *outcome):
        """Read each type of job; return what Nova makes of them."""
        finished = event.Event()
        if outcome:
            finished.send(*outcome)
        found = []
        for job in range(6) + [LibvirtError()]:
            self.for_domain.side_effect = [
                host.DomainJobInfo(type=job) if isinstance(job, int) else job]
            found.append(migration_job.read_job(
                self.libvirt, None, finished).type)
        return found

    def test_call_in_progress(self):
        self.assertEqual([NONE, NONE, UNBOUNDED, NONE, NONE, NONE, NONE],
                         self.read())

    def test_call_ended_well(self):
        self.assertEqual([COMPLETED] * 7, self.read(None))

    def test_call_failed(self):
        self.assertEqual([FAILED] * 7, self.read(ValueError()))

    def migrate(self, operation):
        drvr = driver.LibvirtDriver(fake.FakeVirtAPI(), False)
        context = nova_context.get_admin_context()
        instance = fake_instance.fake_instance_obj(context)
        post, recover = mock.Mock(), mock.Mock()
        with mock.patch.object(drvr, '_live_migration_operation', operation):
            with mock.patch.object(drvr._host, 'get_domain'):
                drvr._live_migration(context, instance, 'dest', post, recover,
                                     False, {})
        for method in (post, recover):
            if method.called:
                method.assert_called_once_with(context, instance, 'dest',
                                               False, {})
        return post.called, recover.called

    def test_success(self):
        self.for_domain.return_value = host.DomainJobInfo(type=FAILED)
        self.assertEqual((True, False), self.migrate(
            lambda *args: eventlet.sleep(0)))

    def test_failure(self):
        """A domain that is gone proves nothing."""
        self.for_domain.return_value = host.DomainJobInfo(type=COMPLETED)

        def operation(*args):
            raise ValueError()

        self.assertEqual((False, True), self.migrate(operation))

    def test_monitor_fails(self):
        self.for_domain.side_effect = ValueError()
        self.assertEqual((False, True), self.migrate(lambda *args: None))
