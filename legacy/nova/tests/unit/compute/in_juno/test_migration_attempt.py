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


import mock

from nova.compute import migration_attempt
from nova import exception
from nova import objects
from nova.tests.unit.compute import guard_fakes as fakes
from nova.tests.unit.compute import guard_manager
from nova.tests.unit.compute import test_migration_guard

R, P, A, U = test_migration_guard.where.PRESENCES


class AttemptTestCase(test_migration_guard.GuardTestCase):

    def test_stores_where_the_instance_goes(self):
        self.begin({'is_shared_instance_path': True, 'other': 1})
        attempt = self.remembered()
        self.assertEqual('dst', attempt.dest)
        self.assertEqual((False, {'is_shared_instance_path': True}),
                         (attempt._block_migration, attempt._migrate_data))
        self.assertEqual(self.world.row['system_metadata'],
                         self.instance.system_metadata)

    def test_takes_a_dict_as_older_computes_send(self):
        self.patch(objects.Instance, 'get_by_uuid',
                   mock.Mock(return_value=self.instance))
        self.manager.live_migration('context', 'dst', {'uuid': fakes.UUID},
                                    False, {})
        self.assertEqual('dst', self.remembered().dest)

    def test_one_is_left_where_the_call_would_delete_disks(self):
        # An RPC cap below 3.32 drops destroy_disks, and True is its default.
        self.begin(guard_manager.SHARED)
        self.manager.compute_rpcapi.cap = '3.23'
        self.migration_fails(R, P, guard_manager.SHARED)
        self.assert_parked()
        self.assert_nothing_done()
        self.assertIn('would delete disks', self.said('warning')[0])

    def test_is_freed_with_what_the_migration_was_begun_with(self):
        self.begin(guard_manager.SHARED)
        self.migration_fails(R, U, guard_manager.SHARED)
        self.see(A, R)
        finish = mock.Mock()
        self.manager._post_live_migration = mock.Mock(unguarded=finish)
        self.look_again()
        self.assertEqual(
            ('dst', False, {'is_shared_instance_path': True,
                            'is_shared_block_storage': True}),
            finish.call_args[0][3:])

    def test_a_copy_that_was_freed_by_a_human_is_not_ours_any_more(self):
        self.begin()
        self.migration_fails(R, U)
        # By hand: the record names another source than the host it is on.
        self.world.row['system_metadata']['live_migration_source'] = 'other'
        self.see(R, R)
        self.look_again()
        self.assertNotIn(('suspend', 'dst'), self.world.done)

    def test_what_the_driver_refuses_is_looked_at_later(self):
        self.manager.migrate = mock.Mock(side_effect=ValueError())
        self.assertRaises(ValueError, self.begin)
        self.look_again()
        self.assert_stayed()

    def test_a_call_that_comes_too_late_migrates_nothing(self):
        self.look_again()
        self.manager.migrate = mock.Mock()
        self.assertRaises(exception.UnexpectedTaskStateError, self.begin)
        self.assertFalse(self.manager.migrate.called)


class KeptDisksTestCase(test_migration_guard.GuardTestCase):

    def test_nova_rolls_back_as_if_storage_were_shared(self):
        roll_back = mock.Mock()
        self.manager._rollback_live_migration = mock.Mock(unguarded=roll_back)
        migration_attempt.Attempt(
            'context', self.instance, 'dst', True,
            {'is_shared_instance_path': False, 'other': 1}).roll_back(
                self.manager, keeps_disks=True)
        self.assertEqual(
            ('dst', False, {'is_shared_instance_path': True,
                            'is_shared_block_storage': True, 'other': 1}),
            roll_back.call_args[0][3:])
        self.assertEqual([('remove', 'dst', False)], self.world.done)


class FinishTestCase(test_migration_guard.FinishTestCase):

    def test_one_that_cannot_be_finished_is_parked(self):
        self.manager.finish_fails = ValueError('no cinder')
        self.assertRaises(ValueError, self.finish)
        self.assert_parked()
        self.assertIn('no cinder', self.said('error')[0])
        self.assertIn('could not be finished', self.world.faults[-1])
        self.assertEqual('dst', self.remembered().dest)

    def test_one_that_is_taken_over_meanwhile_is_not(self):
        # The destination was told, and then the source's libvirtd has ended.
        self.manager.compute_rpcapi.destination_listens = False
        self.manager.cleanup_fails = ValueError('no libvirt')

        def take_over():
            self.world.row.update(host='dst', task_state=None)
        self.clock.tick = take_over
        self.assertRaises(ValueError, self.finish)
        self.assertEqual(('active', None, 'dst'),
                         (self.world.row['vm_state'],
                          self.world.row['task_state'],
                          self.world.row['host']))

    def finish_later_without_cinder(self, **volume):
        self.world.bdms = [mock.Mock(**volume)]
        self.migration_fails(R, U)
        self.assert_parked()
        self.manager.finish_fails = ValueError('no cinder')
        self.see(A, R)
        self.look_again()

    def test_one_with_a_volume_is_handed_over_without_cinder(self):
        # A periodic task has no user's token, and never will have.
        log = mock.Mock()
        self.patch(migration_attempt, 'LOG', log)
        self.finish_later_without_cinder(is_volume=True)
        self.assert_moved()
        said = log.error.call_args[0]
        self.assertIn('no cinder', said[0] % said[1])

    def test_one_without_a_volume_is_not(self):
        self.finish_later_without_cinder(is_volume=False)
        self.assert_parked()

    def test_nor_one_whose_user_has_a_token(self):
        self.world.bdms = [mock.Mock(is_volume=True)]
        self.manager.finish_fails = ValueError('no cinder')
        attempt = migration_attempt.Attempt(
            mock.Mock(auth_token='token'), self.instance, 'dst', False, {})
        self.assertRaises(ValueError, attempt.finish, self.manager)
        self.assertEqual([test_migration_guard.TORN_SOURCE], self.world.done)

    def test_whoever_ends_the_thread_does_not_wait(self):
        self.manager.finish_fails = SystemExit()
        self.clock.tick = mock.Mock()
        self.assertRaises(SystemExit, self.finish)
        self.assertFalse(self.clock.tick.called)

    def test_and_finished_later(self):
        self.manager.finish_fails = ValueError('no cinder')
        self.assertRaises(ValueError, self.finish)
        self.manager.finish_fails = None
        self.look_again()
        self.assert_moved()

    def test_a_destination_that_does_not_listen_is_told_again(self):
        # What the source has torn down is not torn down again.
        self.manager.compute_rpcapi.destination_listens = False
        self.finish()
        self.assertEqual('migrating', self.world.row['task_state'])
        self.look_again(rounds=3)
        self.manager.compute_rpcapi.destination_listens = True
        self.look_again(rounds=4)
        self.assert_moved()
        self.assertEqual(
            1, self.world.done.count(test_migration_guard.TORN_SOURCE))

    def test_the_destination_is_not_forgotten_before_it_listens(self):
        # From Kilo on the driver's cleanup stores the instance.
        self.manager.cleanup_stores = True
        self.manager.compute_rpcapi.destination_listens = False
        self.finish()
        self.assertEqual('dst', self.remembered().dest)
        self.manager.compute_rpcapi.destination_listens = True
        self.look_again(rounds=4)
        self.assert_moved()

    def test_one_that_was_deleted_meanwhile_is_finished_all_the_same(self):
        def deleted(*args):
            self.world.row = None
        self.patch(self.manager.compute_rpcapi,
                   'post_live_migration_at_destination', deleted)
        self.finish()
        self.assertIn(test_migration_guard.TORN_SOURCE, self.world.done)

    def test_finishing_forward_that_fails_parks_too(self):
        self.manager.finish_fails = ValueError('no cinder')
        self.migration_fails()
        self.assert_parked()
        self.manager.finish_fails = None
        self.look_again()
        self.assert_moved()
