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

"""Stands between a live migration in doubt and whatever would touch a host.

An exception decides nothing here: the guest is looked for on both hosts, and
guest_location's table says what follows. ComputeManager calls the decorators
and look_again(). A driver takes part when it has a guest_finder, as libvirt's
has; for any other nothing changes.
"""

import functools

from oslo_log import log as logging

from nova.compute import guest_location
from nova.compute import guest_search
from nova.compute import migration_attempt
from nova.compute import migration_keeper
from nova.compute import migration_record
from nova.compute import task_states
from nova import exception

LOG = logging.getLogger(__name__)

NOT_BEGUN = ('The live migration is not begun: the task of the instance was '
             'reset meanwhile.')

DELETED = ('The live migration is not begun: the instance was deleted '
           'meanwhile.')

NOT_RESTORED = ('The instance is not restored: its guest may be on %(dest)s, '
                'where a live migration was to take it: %(sighting)s. A '
                'second copy would write to the same disks.')


def remember_destination(function):
    """Store what the end of a migration depends on, before anything happens.

    :param function: ComputeManager._do_live_migration
    :returns: the decorated function
    """
    @functools.wraps(function)
    def _do_live_migration(self, context, dest, instance, block_migration,
                           migration, migrate_data):
        guard = of(self)
        if guard.can_look:
            attempt = migration_attempt.Attempt(context, instance, migration,
                                                migrate_data)
            try:
                guard.begin(attempt)
            except exception.UnexpectedTaskStateError:
                LOG.error(NOT_BEGUN, instance=instance)
                attempt.give_up(self)
                return
            except exception.InstanceNotFound:
                LOG.info(DELETED, instance=instance)
                attempt.give_up(self, deleted=True)
                return
        try:
            function(self, context, dest, instance, block_migration,
                     migration, migrate_data)
        finally:
            guard.end(instance.uuid)
    return _do_live_migration


def find_guest_first(function):
    """Roll back only where the guest has stayed.

    :param function: ComputeManager._rollback_live_migration
    :returns: the decorated function
    """
    @functools.wraps(function)
    def _rollback_live_migration(self, context, instance, dest,
                                 migrate_data=None, migration_status='failed',
                                 source_bdms=None, pre_live_migration=False):
        guard = of(self)
        if guard.can_look and pre_live_migration:
            # The destination was never prepared.
            migration_record.forget(instance)
        if not guard.can_look or pre_live_migration:
            return function(self, context, instance, dest, migrate_data,
                            migration_status, source_bdms, pre_live_migration)
        guard.settle(migration_attempt.Attempt(
            context, instance, migrate_data.migration, migrate_data,
            source_bdms, migration_status))
    # For what comes after the guard has decided.
    _rollback_live_migration.unguarded = function
    return _rollback_live_migration


def know_when_it_ends(function):
    """Finish a migration once, and under the instance's lock.

    :param function: ComputeManager._post_live_migration_update_host
    :returns: the decorated function
    """
    @functools.wraps(function)
    def _post_live_migration_update_host(
            self, ctxt, instance, dest, block_migration=False,
            migrate_data=None, source_bdms=None):
        guard = of(self)
        if not guard.can_look:
            return function(self, ctxt, instance, dest, block_migration,
                            migrate_data, source_bdms)
        guard.finish(migration_attempt.Attempt(
            ctxt, instance, migrate_data.migration, migrate_data,
            source_bdms))
    _post_live_migration_update_host.unguarded = function
    return _post_live_migration_update_host


def settle_after_error(manager, roll_back, context, instance, dest,
                       migrate_data):
    """Settle a migration of which the driver has raised.

    It may have told the end before, or not have come so far.

    :param manager: ComputeManager
    :param roll_back: callable, _rollback_live_migration with what it takes
        besides
    :param context: security context
    :param instance: nova.objects.Instance
    :param dest: str, name of the destination host
    :param migrate_data: nova.objects.LiveMigrateData
    :returns: bool; False where the driver cannot say where guests are
    """
    guard = of(manager)
    if guard.can_look and guard.is_under_way(instance.uuid):
        roll_back(context, instance, dest, migrate_data)
    return guard.can_look


def refuse_in_doubt(function):
    """Restore no soft-deleted instance whose guest may run elsewhere.

    :param function: ComputeManager.restore_instance
    :returns: the decorated function
    """
    @functools.wraps(function)
    def restore_instance(self, context, instance):
        guard = of(self)
        attempt = (migration_attempt.Attempt.remembered(context, instance)
                   if guard.can_look else None)
        if attempt is not None and attempt.dest:
            search = guest_search.look(self, context, instance, attempt.dest,
                                       attempt.address)
            if search.destination.presence != guest_location.ABSENT:
                LOG.error(NOT_RESTORED, {'dest': attempt.dest,
                                         'sighting': search.destination},
                          instance=instance)
                raise exception.InstanceInvalidState(
                    attr='live migration', instance_uuid=instance.uuid,
                    state='in doubt', method='restore')
        return function(self, context, instance)
    return restore_instance


def find_guest_at_start(manager, context, instance):
    """Look for a guest that was on its way when nova-compute ended.

    :param manager: ComputeManager
    :param context: admin context
    :param instance: nova.objects.Instance; read anew, if it was on its way
    :returns: bool, the instance may be started as ever. Otherwise it has
        moved, or nobody knows yet; then it is started once it is found here.
    """
    guard = of(manager)
    if not (guard.can_look and instance.host == manager.host and
            instance.task_state == task_states.MIGRATING):
        return True
    return guard.look_at_start(context, instance)


def look_again(manager, context):
    """Look for the guests of all instances that are parked here.

    Returns at once; each instance has a green thread of its own.

    :param manager: ComputeManager
    :param context: admin context
    """
    guard = of(manager)
    if guard.can_look:
        guard.look_again(context)


def of(manager):
    """Give the keeper of a ComputeManager.

    :param manager: ComputeManager
    :returns: migration_keeper.Keeper
    """
    guard = manager.__dict__.get('_migration_guard')
    if guard is None:
        guard = manager._migration_guard = migration_keeper.Keeper(manager)
    return guard
