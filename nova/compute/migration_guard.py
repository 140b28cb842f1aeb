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
import time

from oslo_config import cfg
from oslo_config import types
from oslo_log import log as logging
from oslo_utils import excutils
from oslo_utils import timeutils

from nova.compute import migration_record
from nova.compute import migration_settlement
from nova.compute import task_states
from nova.compute import vm_states
from nova import objects
from nova import utils

LOG = logging.getLogger(__name__)

guard_opts = [
    cfg.Opt('live_migration_park_after',
            type=types.Integer(min=1),
            default=60,
            help='Seconds for which nova-compute goes on looking for the '
                 'guest of a live migration that has failed before it parks '
                 'the instance (vm_state error, task_state migrating), 1 at '
                 'least.'),
    cfg.Opt('live_migration_look_interval',
            type=types.Integer(min=10),
            default=60,
            help='Seconds between two rounds in which nova-compute looks for '
                 'the guests of parked instances, 10 at least. One that stays '
                 'parked is looked at more and more seldom, every 32 rounds '
                 'in the end.'),
]

CONF = cfg.CONF
CONF.register_opts(guard_opts)

# Rounds of the periodic task between two looks at one instance, at most.
SELDOM = 32

# Seconds without a change of its record after which an instance that migrates
# is looked at, though neither parked nor known to this process: the API and
# the conductor take their time, too, before they call the source host.
UNTOUCHED = 300

LOOK_FAILED = 'Looking for the guest of a live migration has failed.'
LATER = ('There is no time left at start to look for the guest of this live '
         'migration; the periodic task does.')


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
        uuid = instance['uuid']
        guard.begin(context, instance, dest, block_migration, migrate_data)
        try:
            result = function(self, context, dest, instance, block_migration,
                              migrate_data)
        except Exception:
            with excutils.save_and_reraise_exception():
                guard.end(uuid)
        guard.driver_called(uuid)
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
        roll_back = functools.partial(function, self)
        attempt = migration_settlement.Attempt(
            context, instance, dest, block_migration, migrate_data)
        if not guard.can_look or guard.has_decided(attempt.uuid):
            return roll_back(*attempt.arguments)
        guard.settle(attempt, roll_back, CONF.live_migration_park_after)
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
        attempt = migration_settlement.Attempt(
            ctxt, instance, dest, block_migration, migrate_data)
        if not guard.can_look or guard.has_decided(attempt.uuid):
            return function(self, *attempt.arguments)
        try:
            return guard.finish(attempt, functools.partial(function, self))
        finally:
            guard.end(attempt.uuid)
    return _post_live_migration


def find_guest_at_start(function):
    """Look for a guest that was on its way when nova-compute ended.

    :param function: ComputeManager._init_instance
    :returns: the decorated function
    """
    @functools.wraps(function)
    def _init_instance(self, context, instance):
        guard = of(self)
        if not (guard.can_look and instance.host == self.host and
                instance.task_state == task_states.MIGRATING):
            return function(self, context, instance)
        guard.look_at_start(context, instance,
                            functools.partial(function, self))
    return _init_instance


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
    """Give the guard of a ComputeManager.

    :param manager: ComputeManager
    :returns: Guard
    """
    guard = manager.__dict__.get('_migration_guard')
    if guard is None:
        guard = manager._migration_guard = Guard(manager)
    return guard


class Guard(object):
    """Knows the migrations away from one host, and when to look at them.

    :param manager: ComputeManager of that host
    """

    def __init__(self, manager):
        self.manager = manager
        # uuid to whether the driver was called yet, of the migrations that
        # this process works on
        self._under_way = {}
        # uuids whose fate is decided: what they call is let through
        self._decided = set()
        # uuid to what starts an instance whose start had to be put off
        self._unready = {}
        # uuid to [rounds between two looks, rounds until the next]
        self._rounds = {}
        self._looking = set()
        # uuid to what is known of it from one look to the next
        self._memories = {}
        self._start_ends = None

    @property
    def can_look(self):
        """Whether the driver can say where a guest is, bool."""
        return hasattr(self.manager.driver, 'guest_finder')

    def begin(self, context, instance, dest, block_migration, migrate_data):
        """Store what a look for the guest needs to know later.

        :param context: security context
        :param instance: nova.objects.Instance, or a dict as an older
            nova-compute sends it
        :param dest: str, name of the destination host
        :param block_migration: bool
        :param migrate_data: dict or None
        """
        if isinstance(instance, dict):
            instance = objects.Instance.get_by_uuid(
                context, instance['uuid'], expected_attrs=['system_metadata'])
        migration_record.begin(instance, dest, block_migration, migrate_data)
        instance.save()
        self._memories.pop(instance.uuid, None)
        self._under_way[instance.uuid] = False

    def driver_called(self, uuid):
        """From now on the guest may be anywhere.

        :param uuid: str, the instance's
        """
        if uuid in self._under_way:
            self._under_way[uuid] = True

    def end(self, uuid):
        """This process works on the migration no longer.

        :param uuid: str, the instance's
        """
        self._under_way.pop(uuid, None)

    def has_decided(self, uuid):
        """Tell whether what is called for an instance is to be let through.

        :param uuid: str, the instance's
        :returns: bool
        """
        return uuid in self._decided

    def settle(self, attempt, roll_back, patience):
        """Find out where the guest is and do what follows from that.

        :param attempt: migration_settlement.Attempt
        :param roll_back: callable, _rollback_live_migration itself
        :param patience: int, seconds to go on looking before the instance is
            parked
        """
        settlement = self._settlement(attempt, roll_back)
        if (self._under_way.get(attempt.uuid) is False and
                not attempt.is_prepared):
            settlement.never_left()
        try:
            settlement.run(patience)
        finally:
            self.end(attempt.uuid)

    def finish(self, attempt, post):
        """Finish a migration whose guest has moved, or park the instance.

        :param attempt: migration_settlement.Attempt
        :param post: callable, _post_live_migration itself
        :returns: what post returns
        :raises: what post raises
        """
        return self._settlement(attempt, None).finish(post)

    def look_at_start(self, context, instance, init):
        """Look once for a guest that was on its way when nova-compute ended.

        No exception leaves here, and all such looks of one start together
        take a bounded time: nova-compute has other guests to serve.

        :param context: admin context
        :param instance: nova.objects.Instance
        :param init: callable, _init_instance itself, for when the guest has
            stayed
        """
        self._unready[instance.uuid] = init
        if self._start_ends is None:
            self._start_ends = time.time() + CONF.live_migration_park_after
        if time.time() > self._start_ends:
            LOG.warning(LATER, instance=instance)
            return
        self._look_once(context, instance, park=False)

    def look_again(self, context):
        """Look for the guests of all instances that are parked here.

        :param context: admin context
        """
        instances = objects.InstanceList.get_by_filters(
            context, {'host': self.manager.host, 'deleted': False,
                      'task_state': task_states.MIGRATING},
            expected_attrs=['system_metadata'])
        parked = set(instance.uuid for instance in instances)
        for memory in (self._rounds, self._memories, self._unready):
            for uuid in set(memory) - parked:
                del memory[uuid]
        for instance in instances:
            if self._is_due(instance):
                self._looking.add(instance.uuid)
                utils.spawn_n(self._look_once, context, instance)

    def _is_due(self, instance):
        uuid = instance.uuid
        if uuid in self._under_way or uuid in self._looking:
            return False
        if (instance.vm_state != vm_states.ERROR and
                uuid not in self._unready and
                not self._is_untouched(instance)):
            return False
        between, left = self._rounds.get(uuid, (1, 1))
        if left > 1:
            self._rounds[uuid] = (between, left - 1)
            return False
        between = min(2 * between, SELDOM)
        self._rounds[uuid] = (between, between)
        return True

    @staticmethod
    def _is_untouched(instance):
        changed = instance.updated_at or instance.created_at
        return timeutils.is_older_than(timeutils.normalize_time(changed),
                                       UNTOUCHED)

    def _look_once(self, context, instance, park=True):
        """Look for the guest of one instance now; raises nothing."""
        uuid = instance.uuid
        block_migration, migrate_data = migration_record.arguments(instance)
        attempt = migration_settlement.Attempt(
            context, instance, migration_record.destination(instance),
            block_migration, migrate_data)
        settlement = self._settlement(
            attempt, self.manager._rollback_live_migration)
        try:
            settlement.run(0, park)
            if settlement.urgent:
                self._rounds.pop(uuid, None)
            if instance.task_state != task_states.MIGRATING:
                self._make_ready(context, instance)
        except Exception:
            LOG.exception(LOOK_FAILED, instance=instance)
        finally:
            self._looking.discard(uuid)

    def _make_ready(self, context, instance):
        """Start an instance whose start was put off, now that it is here."""
        init = self._unready.pop(instance.uuid, None)
        if init is not None and instance.host == self.manager.host:
            init(context, instance)

    def _settlement(self, attempt, roll_back):
        memory = self._memories.setdefault(attempt.uuid,
                                           migration_settlement.Memory())
        return migration_settlement.Settlement(
            self.manager, attempt, roll_back, self._decided, memory)
