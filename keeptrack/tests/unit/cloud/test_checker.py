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
from keeptrack.cloud import checker
from keeptrack.tests import base
from keeptrack.tests.unit.cloud import sample


class CheckerTestCase(base.TestCase):

    def wrong(self, snapshot):
        return {name: what for name, what in checker.check(snapshot).items()
                if what}

    def assert_wrong(self, columns, **changes):
        self.assertEqual(columns, self.wrong(sample.snapshot(**changes)))

    def test_all_is_right(self):
        self.assertEqual(dict.fromkeys(checker.COLUMNS),
                         checker.check(sample.snapshot()))

    def test_the_guest_is_lost(self):
        wrong = self.wrong(sample.snapshot(
            server=sample.server('host1'),
            allocations=[('host1', 'server')],
            bindings=[('host1', 'ACTIVE')]))
        self.assertEqual('the guest runs on host2, the record says host1',
                         wrong['host'])
        self.assertIn('disk', wrong)

    def test_a_running_guest_that_is_recorded_as_stopped(self):
        self.assert_wrong({'state': 'stopped, the guest is running'},
                          server=sample.server(vm_state='stopped'))

    def test_a_guest_that_runs_nowhere_and_is_recorded_as_active(self):
        self.assert_wrong(
            {'state': 'active, the guest is absent'},
            domains={'host1': 'absent', 'host2': 'absent'},
            qemus={'host1': 0, 'host2': 0})

    def test_a_guest_that_stopped(self):
        self.assert_wrong(
            {}, server=sample.server(vm_state='stopped'),
            domains={'host1': 'absent', 'host2': 'stopped'},
            qemus={'host1': 0, 'host2': 0})

    def test_a_task_that_does_not_end(self):
        self.assert_wrong({'state': 'active, task migrating'},
                          server=sample.server(task_state='migrating'))

    def test_a_migration_that_does_not_end(self):
        self.assert_wrong(
            {'state': 'a migration is still running'},
            migrations=[{'id': 1, 'status': 'running'}])

    def test_parked_without_a_second_copy_is_wrong_in_the_end(self):
        self.assert_wrong(
            {'state': 'error, task migrating'},
            server=sample.server(vm_state='error', task_state='migrating'))

    def test_allocations(self):
        for found, told in (
                ([], 'none'),
                ([('host1', 'migration'), ('host2', 'server')],
                 'migration on host1, server on host2'),
                ([('host1', 'server')], 'server on host1')):
            self.assert_wrong({'allocation': told}, allocations=found)

    def test_bindings(self):
        for found, told in (
                ([], 'none'), (None, 'Neutron does not answer'),
                ([('host2', 'INACTIVE')], 'host2 INACTIVE'),
                ([('host1', 'INACTIVE'), ('host2', 'ACTIVE')],
                 'host1 INACTIVE, host2 ACTIVE')):
            self.assert_wrong({'binding': told}, bindings=found)

    def test_disks(self):
        self.assert_wrong({'disk': 'a disk on host1, too'},
                          disks={'host1': 20, 'host2': 20})
        self.assertEqual('no disk on host2', self.wrong(
            sample.snapshot(disks={'host1': 20}))['disk'])

    def test_a_disk_that_has_to_be_kept(self):
        kept = sample.snapshot(disks={'host1': 5, 'host2': 20},
                               acknowledged={'host1': 40, 'host2': 16})
        self.assertIsNone(checker.check(kept, {'host1'})['disk'])
        self.assertIsNone(checker.check(kept, {'host1'})['data'])
        self.assertEqual(
            'the disk of the second copy on host1 is deleted',
            checker.check(sample.snapshot(), {'host1'})['disk'])

    def test_lost_writes(self):
        self.assert_wrong({'data': '8 writes are lost'}, disks={'host2': 8})

    def test_writes_that_the_other_host_has_acknowledged(self):
        self.assert_wrong({'data': '4 writes are lost'},
                          acknowledged={'host1': 24, 'host2': 8})

    def test_two_copies_that_run(self):
        found = sample.parked(domains={'host1': 'running',
                                       'host2': 'running'})
        self.assertEqual({'host': 'both hosts run the guest'},
                         self.wrong(found))
        self.assertTrue(checker.is_split_brain(found))

    def test_a_second_copy_that_is_paused_and_reported(self):
        found = sample.parked()
        self.assertEqual({}, self.wrong(found))
        self.assertTrue(checker.is_split_brain(found))
        self.assertTrue(checker.is_parked(found))

    def test_a_second_copy_that_nobody_is_told_of(self):
        wrong = self.wrong(sample.parked(server=sample.server('host1')))
        self.assertEqual('a second copy is paused, and nobody is told',
                         wrong['host'])
        self.assertEqual({'host', 'state', 'allocation', 'binding', 'disk'},
                         set(wrong))

    def test_a_domain_that_is_left_behind(self):
        self.assert_wrong({'host': 'host1 has a domain that is stopped'},
                          domains={'host1': 'stopped', 'host2': 'running'})

    def test_a_qemu_that_libvirt_does_not_know(self):
        self.assert_wrong(
            {'host': 'host1 has 1 QEMUs and a domain that is absent'},
            qemus={'host1': 1, 'host2': 1})

    def test_a_server_that_is_gone(self):
        nothing = {'domains': {'host1': 'absent', 'host2': 'absent'},
                   'qemus': {'host1': 0, 'host2': 0}, 'disks': {},
                   'allocations': [], 'bindings': [], 'server': None}
        self.assert_wrong({}, **nothing)
        self.assert_wrong({'disk': 'a disk on host2'},
                          **dict(nothing, disks={'host2': 3}))
        self.assert_wrong({'host': 'host2 has a domain that is running'},
                          **dict(nothing, domains={'host1': 'absent',
                                                   'host2': 'running'}))
        self.assert_wrong({'allocation': 'migration on host1'}, **dict(
            nothing, allocations=[('host1', 'migration')]))
