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

"""One live migration, as this release's ComputeManager wants to be told of it.

What differs from release to release is here and in migration_guard: how
ComputeManager's methods are called, and what of a migration is stored.
"""

import functools
import time

from oslo_log import log as logging
from oslo_utils import excutils

from nova.compute import migration_record
from nova.compute import task_states
from nova import exception
from nova import objects

LOG = logging.getLogger(__name__)

NOT_CLEANED = ('The guest has moved to %(dest)s, and Nova lets that host have '
               'it, though this one is not cleaned up: %(error)s. '
               'Without a token of its user Nova may not ask Cinder. See that '
               'the connections of its volumes to this host are ended, and '
               'that nothing of it is left here.')

# Seconds in which a destination that was told takes an instance over.
TAKES_OVER = 10

SOURCE = 'source'
DESTINATION = 'dest'
BLOCK = 'block'

# What of migrate_data the end of a migration depends on.
_FLAGS = ('is_shared_block_storage', 'is_shared_instance_path')

# An instance goes to the destination as a dict where its nova-compute is asked
# for the guest or told to let go of a volume. Until 9369aab04e64 (2014.2.4,
# 2015.1.2) nova-compute there makes no instance of one without these.
_SENT = ('metadata', 'system_metadata')


class Attempt(object):
    """A live migration away from this host.

    :param context: security context
    :param instance: nova.objects.Instance, or a dict as an older nova-compute
        sends it
    :param dest: str, name of the destination host; None where nobody knows
    :param block_migration: bool
    :param migrate_data: dict or None
    :ivar uuid: str, the instance's
    :ivar address: str, where libvirt on the destination is to be asked: its
        name, in this release
    :ivar is_prepared: bool, the destination has said that it is prepared
    :ivar never_left: bool, it was cancelled before anything was done for it;
        False, as this release has no such
    """

    never_left = False

    def __init__(self, context, instance, dest, block_migration,
                 migrate_data):
        self.context = context
        self.instance = instance
        self.uuid = instance['uuid']
        if not isinstance(instance, dict):
            for name in _SENT:
                # loads it where it is not there yet
                getattr(instance, name)
        self.dest = self.address = dest
        # ComputeManager.live_migration adds it before it calls the driver.
        self.is_prepared = 'pre_live_migration_result' in (migrate_data or {})
        self._block_migration = block_migration
        self._migrate_data = migrate_data

    @classmethod
    def remembered(cls, context, instance):
        """Make the one that an instance's record tells of.

        :param context: security context
        :param instance: nova.objects.Instance
        :returns: Attempt, without a destination where nothing is remembered
        """
        kept = functools.partial(migration_record.kept, instance)
        migrate_data = {}
        for name in _FLAGS:
            if kept(name) is not None:
                migrate_data[name] = migration_record.flag(instance, name)
        return cls(
            context, instance,
            # of this migration, and not of one that has ended elsewhere
            kept(DESTINATION) if kept(SOURCE) == instance.host else None,
            migration_record.flag(instance, BLOCK), migrate_data)

    def remember_address(self):
        """Nothing to do: it is the destination's name."""

    def remember(self, instance):
        """Let the instance's record tell of it, and of no earlier one.

        The database of this release has no record of a live migration.

        :param instance: nova.objects.Instance, saved by the caller
        """
        migration_record.forget(instance)
        migration_record.keep(instance, SOURCE, instance.host)
        migration_record.keep(instance, DESTINATION, self.dest)
        migration_record.keep_flag(instance, BLOCK, self._block_migration)
        for name in _FLAGS:
            if name in (self._migrate_data or {}):
                migration_record.keep_flag(instance, name,
                                           self._migrate_data[name])

    def end_in_error(self, manager):
        """Nothing to do: this release keeps no record that could say it.

        :param manager: ComputeManager of the source host
        """

    @property
    def copies_disks(self):
        """Whether the destination gets disks of its own, bool."""
        return self._block_migration

    def roll_back(self, manager, keeps_disks=False):
        """Have it rolled back, as ever.

        :param manager: ComputeManager of the source host
        :param keeps_disks: bool, no disk is deleted on the destination
        :raises: what _rollback_live_migration raises
        """
        block, data = self._block_migration, self._migrate_data
        if keeps_disks:
            block, data = False, dict(data or {}, **dict.fromkeys(_FLAGS,
                                                                  True))
        manager._rollback_live_migration.unguarded(
            manager, self.context, self.instance, self.dest, block, data)
        if keeps_disks:
            # Nova cleans up there only where it deletes something, too.
            self.remove_shell(manager)

    def can_finish(self, manager):
        """Tell whether nova-compute is so far up that it can be finished.

        :param manager: ComputeManager of the source host
        :returns: bool, True: finishing needs nothing of it
        """
        return True

    def finish(self, manager):
        """Have it finished: the source's part, and then the destination's.

        :param manager: ComputeManager of the source host
        :raises: what _post_live_migration raises
        """
        try:
            manager._post_live_migration.unguarded(
                manager, self.context, self.instance, self.dest,
                self._block_migration, self._migrate_data)
        except Exception as error:
            with excutils.save_and_reraise_exception() as raised:
                if (self._wait_for_take_over(manager) and
                        self._lacks_cinder()):
                    raised.reraise = False
                    LOG.error(NOT_CLEANED, {'error': error, 'dest': self.dest},
                              instance=self.instance, exc_info=True)
                    self.finish_at_destination(manager)
        self._remember_until_taken_over(manager)

    def _wait_for_take_over(self, manager):
        """Store nothing while the destination may be about to.

        It may have been told before the source has failed, and stores its
        part only: what was parked meanwhile would stay in error there.

        :returns: bool, it has not taken the instance over
        """
        seen = self.instance.obj_clone()
        ends = time.time() + TAKES_OVER
        while seen.host == manager.host and time.time() < ends:
            time.sleep(0.5)
            try:
                seen.refresh()
            except exception.InstanceNotFound:
                return False
        return seen.host == manager.host

    def _lacks_cinder(self):
        """Tell whether Cinder refuses whatever is asked of it for this one.

        This release asks it with the token of whoever has begun something,
        and a periodic task or a start of nova-compute has none.
        """
        return not getattr(self.context, 'auth_token', None) and any(
            bdm.is_volume for bdm in
            objects.BlockDeviceMappingList.get_by_instance_uuid(
                self.context, self.uuid))

    def _remember_until_taken_over(self, manager):
        """Store again what the destination alone was to drop.

        From Kilo on the driver's cleanup stores the instance as it was sent to
        the destination, and the destination may never take it over.
        """
        try:
            self.instance.refresh()
            if (self.instance.host == manager.host and
                    self.instance.task_state == task_states.MIGRATING and
                    migration_record.kept(self.instance,
                                          DESTINATION) is None):
                self.remember(self.instance)
                self.instance.save(
                    expected_task_state=[task_states.MIGRATING])
        except (exception.InstanceNotFound,
                exception.UnexpectedTaskStateError):
            # It has been taken over, or deleted.
            return

    def finish_at_destination(self, manager):
        """Have the destination do its part again; the source has done its own.

        :param manager: ComputeManager of the source host
        """
        manager.compute_rpcapi.post_live_migration_at_destination(
            self.context, self.instance, self._block_migration, self.dest)

    def remove_shell(self, manager):
        """Have the destination remove an empty domain; disks are not touched.

        :param manager: ComputeManager of the source host
        :returns: bool; False where the destination is too old to be told to
            leave the disks alone
        """
        if not manager.compute_rpcapi.client.can_send_version('3.32'):
            # The call would go without destroy_disks, which means True.
            return False
        # No migrate_data: with it the destination deletes the folder of an
        # instance whose storage both hosts share.
        manager.compute_rpcapi.rollback_live_migration_at_destination(
            self.context, self.instance, self.dest, destroy_disks=False,
            migrate_data={})
        return True
