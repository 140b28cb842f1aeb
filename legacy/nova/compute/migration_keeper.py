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

"""Knows the live migrations away from one host, and when to look at them."""

import time

from oslo_log import log as logging
from oslo_utils import timeutils

from nova.compute import migration_attempt
from nova.compute import migration_settlement
from nova.compute import task_states
from nova.compute import vm_states
import nova.conf
from nova import objects
from nova import utils
from nova.virt import bounded_call

LOG = logging.getLogger(__name__)

CONF = nova.conf.CONF

# Rounds of the periodic task between two looks at one instance, at most.
SELDOM = 32

# Seconds without a change of its record after which an instance that migrates
# is looked at, though neither parked nor known to this process: the API and
# the conductor take their time, too, before they call the source host.
UNTOUCHED = 300

LOOK_FAILED = 'Looking for the guest of a live migration has failed.'
LATER = ('There is no time left at start to look for the guest of this live '
         'migration; the periodic task does.')


class UnderWay(object):
    """A migration that this process works on.

    :ivar driver_called: bool, the guest may be anywhere from now on
    """

    def __init__(self):
        self.driver_called = False


class Keeper(object):
    """Knows the migrations away from one host, and when to look at them.

    :param manager: ComputeManager of that host
    """

    def __init__(self, manager):
        self.manager = manager
        # uuid to UnderWay
        self._under_way = {}
        # uuids of instances whose start had to be put off
        self._unready = set()
        # uuid to (rounds between two looks, rounds until the next)
        self._rounds = {}
        self._looking = set()
        # uuid to what is known of it from one look to the next
        self._memories = {}
        self._start_ends = None

    @property
    def can_look(self):
        """Whether the driver can say where a guest is, bool."""
        return hasattr(self.manager.driver, 'guest_finder')

    def begin(self, attempt):
        """Store what a look for the guest needs to know later.

        :param attempt: migration_attempt.Attempt
        """
        instance = attempt.instance
        if isinstance(instance, dict):
            instance = objects.Instance.get_by_uuid(
                attempt.context, attempt.uuid,
                expected_attrs=['system_metadata'])

        @utils.synchronized(attempt.uuid)
        def begin():
            attempt.remember(instance)
            # Whoever has taken the task away meanwhile wants no migration.
            instance.save(expected_task_state=[task_states.MIGRATING])
            self._memories.pop(attempt.uuid, None)
            self._under_way[attempt.uuid] = UnderWay()
        begin()

    def driver_called(self, uuid):
        """From now on the guest may be anywhere.

        :param uuid: str, the instance's
        """
        if uuid in self._under_way:
            self._under_way[uuid].driver_called = True

    def is_under_way(self, uuid):
        """Tell whether this process works on a migration still.

        :param uuid: str, the instance's
        :returns: bool
        """
        return uuid in self._under_way

    def end(self, uuid, migration=None):
        """This process works on the migration no longer.

        :param uuid: str, the instance's
        :param migration: UnderWay, where a later one may have begun meanwhile
        """
        if migration is None or self._under_way.get(uuid) is migration:
            self._under_way.pop(uuid, None)

    def settle(self, attempt):
        """Find out where the guest is and do what follows from that.

        :param attempt: migration_attempt.Attempt
        """
        migration = self._under_way.get(attempt.uuid)
        settlement = self._settlement(attempt, migration)
        if (migration is not None and not migration.driver_called and
                not attempt.is_prepared):
            settlement.never_left()
        try:
            settlement.run(CONF.live_migration_park_after)
        finally:
            self.end(attempt.uuid, migration)

    def finish(self, attempt):
        """Finish a migration whose guest has moved, or park the instance.

        :param attempt: migration_attempt.Attempt
        :raises: what _post_live_migration raises
        """
        migration = self._under_way.get(attempt.uuid)
        try:
            self._settlement(attempt, migration).finish()
        finally:
            self.end(attempt.uuid, migration)

    def look_at_start(self, context, instance):
        """Look once for a guest that was on its way when nova-compute ended.

        No exception leaves here, and all such looks of one start together
        take a bounded time: nova-compute has other guests to serve.

        :param context: admin context
        :param instance: nova.objects.Instance
        :returns: bool, the guest is here and the instance may be started
        """
        self._unready.add(instance.uuid)
        if self._start_ends is None:
            self._start_ends = time.time() + CONF.live_migration_park_after
        if time.time() > self._start_ends:
            LOG.warning(LATER, instance=instance)
            return False
        # A rollback may have raised after the task was cleared.
        self._look_once(context, instance, park=False)
        return self._is_ready(instance)

    def look_again(self, context):
        """Look for the guests of all instances that are parked here.

        :param context: admin context
        """
        instances = objects.InstanceList.get_by_filters(
            context, {'host': self.manager.host, 'deleted': False,
                      'task_state': task_states.MIGRATING},
            expected_attrs=['system_metadata'])
        parked = set(instance.uuid for instance in instances)
        for memory in (self._rounds, self._memories):
            for uuid in set(memory) - parked:
                del memory[uuid]
        self._unready &= parked
        for instance in instances:
            if self._is_due(instance):
                self._looking.add(instance.uuid)
                bounded_call.BoundedCall(self._look_later, context, instance)

    def _is_due(self, instance):
        uuid = instance.uuid
        if (uuid in self._under_way or uuid in self._looking or
                self._waits(uuid)):
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

    def _waits(self, uuid):
        """Tell whether the migration waits for its turn to begin."""
        # Not in every release; it may wait there for hours. One that has
        # failed before the driver was called stays there.
        waiting = getattr(self.manager, '_waiting_live_migrations', {})
        if uuid not in waiting:
            return False
        future = waiting[uuid][1]
        return future is None or not future.done()

    @staticmethod
    def _is_untouched(instance):
        changed = instance.updated_at or instance.created_at
        return timeutils.is_older_than(timeutils.normalize_time(changed),
                                       UNTOUCHED)

    def _look_once(self, context, instance, park=True):
        """Look for the guest of one instance now.

        :param park: bool, park it if nothing can be decided
        """
        uuid = instance.uuid
        try:
            attempt = migration_attempt.Attempt.remembered(context, instance)
            settlement = self._settlement(attempt)
            settlement.run(0, park)
            if settlement.news:
                self._rounds.pop(uuid, None)
        except Exception:
            LOG.exception(LOOK_FAILED, instance=instance)

    def _look_later(self, context, instance):
        """Look for the guest of one instance from the periodic task."""
        try:
            self._look_once(context, instance)
            if instance.uuid in self._unready and self._is_ready(instance):
                self.manager._init_instance(context, instance)
        except Exception:
            # Nobody waits for this thread.
            LOG.exception(LOOK_FAILED, instance=instance)
        finally:
            self._looking.discard(instance.uuid)

    def _is_ready(self, instance):
        """Tell whether an instance whose start was put off may start now."""
        if instance.task_state == task_states.MIGRATING:
            return False
        self._unready.discard(instance.uuid)
        return instance.host == self.manager.host

    def _settlement(self, attempt, migration=None):
        """Make a Settlement.

        :param attempt: migration_attempt.Attempt
        :param migration: UnderWay of this attempt, None where this process
            has not begun it
        """
        memory = self._memories.setdefault(attempt.uuid,
                                           migration_settlement.Memory())
        return migration_settlement.Settlement(
            self.manager, attempt, memory,
            lambda: (self._under_way.get(attempt.uuid) is migration and
                     (migration is not None or not self._waits(attempt.uuid))),
            owned=migration is not None)
