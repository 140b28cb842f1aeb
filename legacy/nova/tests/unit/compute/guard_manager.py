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

from unittest import mock

from nova.compute import migration_attempt
from nova.compute import migration_guard
from nova import objects
from nova.tests.unit.compute import guard_fakes as fakes

# What source and destination have agreed on.
SHARED = {'is_shared_instance_path': True, 'is_shared_block_storage': True}

CONTEXT = None


class FakeManager(object):
    """ComputeManager with its methods decorated as in Nova."""

    host = fakes.SOURCE

    def __init__(self, world):
        self.world = world
        self.driver = fakes.FakeDriver(world)
        self.compute_rpcapi = fakes.FakeRPC(world)
        self.volume_api = mock.Mock()
        self.rt = mock.Mock()
        self.prepare = None
        self.finish_fails = None
        self.migrate = None
        self.started = []
        self.finished_with = []
        self.network_api = mock.Mock()
        self.reportclient = mock.Mock()
        self._revert_allocation = mock.Mock()
        self._waiting_live_migrations = {}
        self.rolled_back_with = []

    def _set_migration_status(self, migration, status):
        migration.status = status

    @migration_guard.remember_destination
    def _do_live_migration(
            self, context, dest, instance, block_migration, migration,
            migrate_data):
        try:
            if self.prepare:
                self.prepare()
        except Exception:
            self._set_migration_status(migration, status='failed')
            self._rollback_live_migration(context, instance, dest,
                                          migrate_data,
                                          pre_live_migration=True)
            raise
        self._is_prepared()
        try:
            self.migrate(context, instance, dest, migrate_data)
        except Exception:
            if migration_guard.settle_after_error(
                    self, self._rollback_live_migration, context, instance,
                    dest, migrate_data):
                return
            self._set_migration_status(migration, 'error')
            raise

    @migration_guard.know_when_it_ends
    def _post_live_migration_update_host(
            self, ctxt, instance, dest, block_migration=False,
            migrate_data=None, source_bdms=None):
        self.finished_with.append((migrate_data, source_bdms))
        self.world.done.append(('tear down', fakes.SOURCE))
        if self.finish_fails is not None:
            instance.host = dest
            instance.task_state = None
            instance.save()
            raise self.finish_fails
        self.compute_rpcapi.post_live_migration_at_destination(
            ctxt, instance, block_migration, dest)
        migrate_data.migration.status = 'completed'

    @migration_guard.find_guest_first
    def _rollback_live_migration(self, context, instance, dest,
                                 migrate_data=None, migration_status='failed',
                                 source_bdms=None, pre_live_migration=False):
        self.rolled_back_with.append((migrate_data, migration_status,
                                      source_bdms, pre_live_migration))
        instance.task_state = None
        instance.save(expected_task_state=['migrating'])
        if 'migration' in migrate_data:
            migrate_data.migration.status = migration_status
        self.world.done.append(('tear down', fakes.DESTINATION))

    @migration_guard.refuse_in_doubt
    def restore_instance(self, context, instance):
        self.started.append(instance.uuid)

    def _init_instance(self, context, instance):
        if migration_guard.find_guest_at_start(self, context, instance):
            self.started.append(instance.uuid)

    # What the driver and the conductor do, for the tests.

    def begin(self, instance, migrate_data=None):
        """The migration begins, and the driver is still at it."""
        attempt = self.attempt(instance, migrate_data)
        guard = migration_guard.of(self)
        if self.prepare or self.migrate:
            self._do_live_migration(CONTEXT, fakes.DESTINATION, instance,
                                    False, self.world.migration,
                                    self.world.live_data)
        elif guard.can_look:
            # What the decorator does, which would not return meanwhile.
            guard.begin(attempt)
            self._is_prepared()

    def attempt(self, instance, migrate_data=None):
        """A migration of the instance that is to begin."""
        self.world.migration = objects.Migration(
            id=2, uuid=fakes.MIGRATION,
            dest_compute=fakes.DESTINATION, source_compute=fakes.SOURCE,
            status='queued', migration_type='live-migration')
        self.world.live_data = objects.LibvirtLiveMigrateData(
            block_migration=False, **(migrate_data or {}))
        return migration_attempt.Attempt(
            CONTEXT, instance, self.world.migration, self.world.live_data)

    def _is_prepared(self):
        self.world.live_data.migration = self.world.migration
        self.world.migration.status = 'running'

    def fails(self, instance, migrate_data=None):
        """The driver tells that the migration has failed."""
        self._rollback_live_migration(CONTEXT, instance, fakes.DESTINATION,
                                      self.world.live_data)

    def succeeds(self, instance):
        """The driver tells that the migration is complete."""
        self._post_live_migration_update_host(
            CONTEXT, instance, fakes.DESTINATION, False,
            self.world.live_data)

    @staticmethod
    def remembered(instance):
        """The migration that the database tells of."""
        return migration_attempt.Attempt.remembered(CONTEXT, instance)

    @classmethod
    def unguarded(cls, name):
        """Give the method which has the undecorated one as an attribute."""
        return vars(cls)[{'roll back': '_rollback_live_migration',
                          'finish': '_post_live_migration_update_host'}[name]]


def serve_records(test):
    """Let a test's records be found where Nova looks for them."""
    def migrations(context, filters):
        known = test.world.earlier + [test.world.migration]
        return [migration for migration in known if migration and all(
            getattr(migration, name) == value for name, value in
            filters.items() if name != 'instance_uuid')]
    test.patch(objects.MigrationList, 'get_by_filters', migrations)
    test.patch(objects.BlockDeviceMappingList, 'get_by_instance_uuid',
               lambda context, uuid: list(test.world.bdms))
