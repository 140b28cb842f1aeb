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

"""ComputeManager of this release, as far as the guard has to do with it."""

import mock

from nova.compute import migration_attempt
from nova.compute import migration_guard
from nova import objects
from nova.tests.unit.compute import guard_fakes as fakes

# What the destination has said, and what it has said of shared storage.
PREPARED = {'pre_live_migration_result': {}}
SHARED = dict(PREPARED, is_shared_instance_path=True,
              is_shared_block_storage=True)


class FakeManager(object):
    """ComputeManager with its methods decorated as in Nova."""

    host = fakes.SOURCE

    def __init__(self, world):
        self.world = world
        self.driver = fakes.FakeDriver(world)
        self.compute_rpcapi = fakes.FakeRPC(world)
        self.prepare = lambda: None
        self.finish_fails = self.cleanup_fails = None
        self.cleanup_stores = False
        self.migrate = None
        self.started = []

    @migration_guard.remember_destination
    def live_migration(self, context, dest, instance, block_migration,
                       migrate_data):
        attempt = (context, instance, dest, block_migration)
        try:
            self.prepare()
        except Exception:
            self._rollback_live_migration(*attempt, **{'migrate_data': {}})
            raise
        if self.migrate:
            prepared = dict(migrate_data, pre_live_migration_result={})
            self.migrate(*(attempt + (prepared,)))

    @migration_guard.park_when_it_fails
    def _post_live_migration(self, ctxt, instance, dest,
                             block_migration=False, migrate_data=None):
        self.world.done.append(('tear down', fakes.SOURCE))
        if self.finish_fails is not None:
            raise self.finish_fails
        self.compute_rpcapi.post_live_migration_at_destination(
            ctxt, instance, block_migration, dest)
        if self.cleanup_fails is not None:
            raise self.cleanup_fails
        if self.cleanup_stores:
            instance.save()

    @migration_guard.find_guest_first
    def _rollback_live_migration(self, context, instance, dest,
                                 block_migration, migrate_data=None):
        instance.vm_state = 'active'
        instance.task_state = None
        instance.save(expected_task_state=['migrating'])
        self.world.done.append(('tear down', fakes.DESTINATION))

    @migration_guard.refuse_in_doubt
    def restore_instance(self, context, instance):
        self.started.append(instance.uuid)

    def _init_instance(self, context, instance):
        if migration_guard.find_guest_at_start(self, context, instance):
            self.started.append(instance.uuid)

    # What the driver and the conductor do, for the tests.

    def begin(self, instance, migrate_data=None):
        """The migration begins, up to the call of the driver."""
        self.live_migration('context', fakes.DESTINATION, instance, False,
                            migrate_data or {})

    def fails(self, instance, migrate_data=None):
        """The driver tells that the migration has failed."""
        self._rollback_live_migration(
            'context', instance, fakes.DESTINATION, False,
            migrate_data=migrate_data or PREPARED)

    def succeeds(self, instance):
        """The driver tells that the migration is complete."""
        self._post_live_migration('context', instance, fakes.DESTINATION,
                                  False, PREPARED)

    @staticmethod
    def remembered(instance):
        """The migration that the database tells of."""
        return migration_attempt.Attempt.remembered('context', instance)

    def attempt(self, instance):
        """Another migration of the instance."""
        return migration_attempt.Attempt('context', instance,
                                         fakes.DESTINATION, False, {})

    @classmethod
    def unguarded(cls, name):
        """Give the method which has the undecorated one as an attribute."""
        return vars(cls)[{'roll back': '_rollback_live_migration',
                          'finish': '_post_live_migration'}[name]]


def serve_records(test):
    """This release has no record of a live migration, but waits for time."""
    test.patch(migration_attempt, 'time', test.clock)
    test.patch(objects.BlockDeviceMappingList, 'get_by_instance_uuid',
               mock.Mock(side_effect=lambda *args: list(test.world.bdms)))
