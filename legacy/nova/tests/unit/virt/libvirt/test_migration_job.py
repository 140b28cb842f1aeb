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

from unittest import mock

from nova import test
from nova.tests.unit.virt.libvirt import fake_migration
from nova.virt.libvirt import migration_job

INFO = [2, 10, 20, 9000, 900, 8100, 1000, 100, 750, 8000, 800, 7200]


class MigrationJobTestCase(test.NoDBTestCase):

    def setUp(self):
        super(MigrationJobTestCase, self).setUp()
        self.libvirt = fake_migration.FakeLibvirt()

    def read(self, domain):
        return migration_job.read(self.libvirt, domain)

    def test_reads_the_memory_from_the_stats(self):
        job = self.read(fake_migration.FakeDomain(fake_migration.job()))
        self.assertTrue(job.active)
        self.assertEqual((1000, 100, 750),
                         (job.memory_total, job.memory_processed,
                          job.memory_remaining))
        self.assertEqual(75, job.percent_remaining)

    def test_only_a_job_at_work_is_active(self):
        active = [kind for kind in range(6) if self.read(
            fake_migration.FakeDomain(fake_migration.job(kind))).active]
        self.assertEqual([1, 2], active)

    def test_stats_without_memory_are_no_progress(self):
        job = self.read(fake_migration.FakeDomain({'type': 2}))
        self.assertEqual(0, job.percent_remaining)

    def test_a_binding_without_stats_gives_the_info(self):
        domain = mock.Mock(spec=['jobInfo'])
        domain.jobInfo.return_value = INFO
        job = self.read(domain)
        self.assertTrue(job.active)
        self.assertEqual((1000, 100, 750),
                         (job.memory_total, job.memory_processed,
                          job.memory_remaining))

    def test_a_host_without_stats_gives_the_info(self):
        domain = mock.Mock()
        domain.jobStats.side_effect = fake_migration.FakeLibvirtError(
            code=self.libvirt.VIR_ERR_NO_SUPPORT)
        domain.jobInfo.return_value = INFO
        self.assertEqual(750, self.read(domain).memory_remaining)

    def test_any_other_error_is_the_callers(self):
        domain = mock.Mock()
        domain.jobStats.side_effect = fake_migration.FakeLibvirtError(
            code=self.libvirt.VIR_ERR_NO_DOMAIN)
        self.assertRaises(fake_migration.FakeLibvirtError, self.read, domain)
        self.assertFalse(domain.jobInfo.called)
