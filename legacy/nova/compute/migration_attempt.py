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

from oslo_log import log as logging
from oslo_serialization import jsonutils

from nova.compute import migration_record
from nova import exception
from nova import objects
from nova.objects import fields
from nova.objects import migrate_data

LOG = logging.getLogger(__name__)

NOT_UNBOUND = ('The inactive port bindings to %(dest)s could not be deleted: '
               '%(error)s')

BLOCK = 'block'
ATTACHMENT = 'attachment_'
ADDRESS = 'address'

# What of migrate_data the end of a migration depends on.
_SHARED = ('is_shared_block_storage', 'is_shared_instance_path')
_FLAGS = _SHARED + ('src_supports_numa_live_migration',)

# The driver is called when it is running, and not before.
_BEGUN = ('running', 'running (post-copy)')
_STATUSES = ('queued', 'preparing') + _BEGUN


class Attempt(object):
    """A live migration away from this host.

    :param context: security context
    :param instance: nova.objects.Instance
    :param migration: nova.objects.Migration; None where nobody knows of one
    :param live_data: nova.objects.LiveMigrateData, or None
    :param source_bdms: nova.objects.BlockDeviceMappingList as it was before
        the destination was prepared; None to make it of what is remembered
    :param status: str, what the migration's status is to be once it is rolled
        back
    :ivar uuid: str, the instance's
    :ivar dest: str, name of the destination host; None where nobody knows
    :ivar address: str, where libvirt on the destination is to be asked: its
        live_migration_inbound_addr, or its name
    :ivar is_prepared: bool, the destination has said that it is prepared
    :ivar never_left: bool, it was cancelled before anything was done for it
    """

    def __init__(self, context, instance, migration, live_data,
                 source_bdms=None, status='failed'):
        self.context = context
        self.instance = instance
        self.uuid = instance.uuid
        self.dest = migration.dest_compute if migration else None
        self.is_prepared = migration is not None and migration.status in _BEGUN
        self.never_left = False
        self._is_remembered = False
        self._migration = migration
        self._migrate_data = live_data
        self._source_bdms = source_bdms
        self._status = status
        self.address = (_inbound(live_data) or
                        migration_record.kept(instance, ADDRESS) or self.dest)
        # Read now: what is remembered is dropped before it ends.
        self._attachments = migration_record.kept_under(instance, ATTACHMENT)

    @classmethod
    def remembered(cls, context, instance):
        """Make the one that the database tells of.

        :param context: security context
        :param instance: nova.objects.Instance
        :returns: Attempt, without a destination where there is no migration
            away from the host that the instance is on
        """
        migration = _newest(context, instance)
        if migration is not None and migration.status in _STATUSES:
            attempt = cls(context, instance, migration,
                          _migrate_data(instance, migration))
        else:
            attempt = cls(context, instance, None, None)
            # One that was begun is cancelled once its task is gone.
            attempt.never_left = (migration is not None and
                                  migration.status == 'cancelled')
        attempt._is_remembered = True
        return attempt

    def remember(self, instance):
        """Let the instance's record tell what the migration's does not.

        :param instance: nova.objects.Instance, saved by the caller
        """
        migration_record.forget(instance)
        migration_record.keep_flag(instance, BLOCK, self._block_migration)
        for name in _FLAGS:
            if name in self._migrate_data:
                migration_record.keep_flag(
                    instance, name, getattr(self._migrate_data, name))
        for bdm in _volumes(self.context, instance):
            # The destination replaces it by its own.
            if bdm.attachment_id:
                migration_record.keep(instance, ATTACHMENT + bdm.volume_id,
                                      bdm.attachment_id)

    def remember_address(self):
        """Let the instance's record, saved by the caller, tell the address.

        The destination tells it once it is prepared.
        """
        if self.address != self.dest:
            migration_record.keep(self.instance, ADDRESS, self.address)

    @property
    def _block_migration(self):
        return ('block_migration' in self._migrate_data and
                self._migrate_data.block_migration)

    def give_up(self, manager, deleted=False):
        """Undo what was done for it before its turn to begin had come.

        :param manager: ComputeManager of the source host
        :param deleted: bool, the instance is gone, and its ports with it
        """
        manager._waiting_live_migrations.pop(self.uuid, None)
        manager._set_migration_status(self._migration, 'error')
        if deleted:
            manager.reportclient.delete_allocation_for_instance(
                self.context, self._migration.uuid,
                consumer_type='migration')
            return
        manager._revert_allocation(self.context, self.instance,
                                   self._migration)
        try:
            manager.network_api.setup_networks_on_host(
                self.context, self.instance, host=self.dest, teardown=True)
        except exception.PortBindingDeletionFailed as error:
            LOG.error(NOT_UNBOUND, {'dest': self.dest, 'error': error},
                      instance=self.instance)

    def end_in_error(self, manager):
        """Record that it could not be finished on the source.

        The instance is on the destination in the database, too, and its own
        record is right.

        :param manager: ComputeManager of the source host
        """
        manager._set_migration_status(self._migration, 'error')

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
        not_prepared = self._was_not_prepared()
        data = self._migrate_data
        if keeps_disks:
            data = data.obj_clone()
            for name in _SHARED:
                setattr(data, name, True)
        manager._rollback_live_migration.unguarded(
            manager, self.context, self.instance, self.dest, data,
            self._status, self._bdms(manager), not_prepared)
        if keeps_disks and not not_prepared:
            # Nova cleans up there only where it deletes something, too.
            self.remove_shell(manager)

    def _was_not_prepared(self):
        """Tell whether the destination holds nothing of the instance's.

        A migration of this process comes here only once the destination was
        prepared. Of one that was cut short, the record may not say so yet.
        """
        return (self._is_remembered and not self.is_prepared and
                not any(self._attachments.get(bdm.volume_id)
                        not in (None, bdm.attachment_id)
                        for bdm in _volumes(self.context, self.instance)))

    def can_finish(self, manager):
        """Tell whether nova-compute is so far up that it can be finished.

        Its devices are known to the resource tracker only once all instances
        were initialized.

        :param manager: ComputeManager of the source host
        :returns: bool
        """
        return manager.rt.pci_tracker is not None

    def finish(self, manager):
        """Have it finished: the source's part, and then the destination's.

        :param manager: ComputeManager of the source host
        :raises: what _post_live_migration raises
        """
        manager._post_live_migration_update_host.unguarded(
            manager, self.context, self.instance, self.dest,
            self._block_migration, self._migrate_data,
            self._bdms(manager, again=True))

    def finish_at_destination(self, manager):
        """Have the destination do its part again; the source has done its own.

        :param manager: ComputeManager of the source host
        """
        manager.compute_rpcapi.post_live_migration_at_destination(
            self.context, self.instance, self._block_migration, self.dest)

    def remove_shell(self, manager):
        """Have the destination remove an empty domain; disks are not touched.

        :param manager: ComputeManager of the source host
        :returns: bool, True: every destination understands
        """
        spares = objects.LibvirtLiveMigrateData(
            is_shared_instance_path=True, is_shared_block_storage=True)
        manager.compute_rpcapi.rollback_live_migration_at_destination(
            self.context, self.instance, self.dest, destroy_disks=False,
            migrate_data=spares)
        return True

    def _bdms(self, manager, again=False):
        """Give the block devices as they were on the source.

        :param again: bool, without volumes that the source is rid of, since
            an attempt to finish was cut short before
        :raises: VolumeAttachmentNotFound, where a volume is missed
        """
        if self._source_bdms is None:
            self._source_bdms = [
                bdm for bdm in
                objects.BlockDeviceMappingList.get_by_instance_uuid(
                    self.context, self.uuid)
                if self._as_on_source(manager, bdm, again)]
        return self._source_bdms

    def _as_on_source(self, manager, bdm, again):
        attachment = self._attachments.get(bdm.volume_id)
        if attachment and attachment != bdm.attachment_id:
            try:
                _attach(bdm, manager.volume_api.attachment_get(
                    self.context, attachment))
            except exception.VolumeAttachmentNotFound:
                if not again:
                    raise
                return False
        return True


def _attach(bdm, attachment):
    """Let a block device be attached as an attachment of Cinder's says."""
    bdm.attachment_id = attachment['id']
    bdm.connection_info = jsonutils.dumps(
        dict(attachment['connection_info'], serial=bdm.volume_id))


def _inbound(live_data):
    """Give the address that the migration itself connects to, or None."""
    if live_data is not None and 'target_connect_addr' in live_data:
        return live_data.target_connect_addr


def _newest(context, instance):
    """Give the last migration away from the instance's host, or None.

    Earlier ones that were cut short may still look as if they went on.
    """
    found = objects.MigrationList.get_by_filters(
        context, {'instance_uuid': instance.uuid,
                  'migration_type': fields.MigrationType.LIVE_MIGRATION,
                  'source_compute': instance.host})
    return max(found, key=lambda migration: migration.id, default=None)


def _volumes(context, instance):
    return [bdm for bdm in objects.BlockDeviceMappingList.get_by_instance_uuid(
        context, instance.uuid) if bdm.is_volume]


def _migrate_data(instance, migration):
    """Make what the end of a migration needs of migrate_data."""
    flags = {name: migration_record.flag(instance, name)
             for name in (BLOCK,) + _FLAGS
             if migration_record.kept(instance, name) is not None}
    flags['block_migration'] = flags.pop(BLOCK, False)
    for name in _SHARED:
        # Where nothing is remembered it was not begun: no disk is touched.
        flags.setdefault(name, True)
    return objects.LibvirtLiveMigrateData(
        migration=migration,
        vifs=migrate_data.VIFMigrateData.create_skeleton_migrate_vifs(
            instance.get_network_info()), **flags)
