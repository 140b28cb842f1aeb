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
from oslo_utils import excutils

from nova.compute import guest_location
from nova.compute import guest_search
from nova.compute import migration_attempt
from nova.compute import migration_keeper
from nova.compute import task_states
from nova import exception

LOG = logging.getLogger(__name__)

NOT_RESTORED = ('The instance is not restored: its guest may be on %(dest)s, '
                'where a live migration was to take it: %(sighting)s. A '
                'second copy would write to the same disks.')


def remember_destination(function):
    """Store where the instance goes, before anything happens.

    :param function: ComputeManager.live_migration
    :returns: the decorated function
    """
    @functools.wraps(function)
    def live_migration(self, context, dest, instance, block_migration,
                       migrate_data):
        guard = of(self)
        if not guard.can_look:
            return function(self, context, dest, instance, block_migration,
                            migrate_data)
        attempt = migration_attempt.Attempt(
            context, instance, dest, block_migration, migrate_data)
        guard.begin(attempt)
        try:
            result = function(self, context, dest, instance, block_migration,
                              migrate_data)
        except Exception:
            with excutils.save_and_reraise_exception():
                guard.end(attempt.uuid)
        guard.driver_called(attempt.uuid)
        return result
    return live_migration


def find_guest_first(function):
    """Roll back only where the guest has stayed.

    :param function: ComputeManager._rollback_live_migration
    :returns: the decorated function
    """
    @functools.wraps(function)
    def _rollback_live_migration(self, context, instance, dest,
                                 block_migration, migrate_data=None):
        guard = of(self)
        if not guard.can_look:
            return function(self, context, instance, dest, block_migration,
                            migrate_data)
        guard.settle(migration_attempt.Attempt(
            context, instance, dest, block_migration, migrate_data))
    # For what comes after the guard has decided.
    _rollback_live_migration.unguarded = function
    return _rollback_live_migration


def park_when_it_fails(function):
    """Keep hold of an instance whose guest has moved when finishing fails.

    :param function: ComputeManager._post_live_migration
    :returns: the decorated function
    """
    @functools.wraps(function)
    def _post_live_migration(self, ctxt, instance, dest,
                             block_migration=False, migrate_data=None):
        guard = of(self)
        if not guard.can_look:
            return function(self, ctxt, instance, dest, block_migration,
                            migrate_data)
        guard.finish(migration_attempt.Attempt(
            ctxt, instance, dest, block_migration, migrate_data))
    _post_live_migration.unguarded = function
    return _post_live_migration


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
