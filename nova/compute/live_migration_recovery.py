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

"""End live migrations that did not plainly succeed.

The guest is observed on both hosts, and guest_location decides. Where it
cannot, the instance is parked (vm_state ERROR, task_state migrating), so that
nobody can start a second copy of the guest, and is checked periodically.
"""

import contextlib
import threading
import time

from cinderclient import exceptions as cinder_exception
from oslo_concurrency import lockutils
from oslo_log import log as logging
import oslo_messaging as messaging
from oslo_serialization import jsonutils

from nova.compute import guest_location
from nova.compute import power_state
from nova.compute import task_states
from nova.compute import vm_states
import nova.conf
from nova import context as nova_context
from nova import exception
from nova import objects
from nova.objects import fields
from nova import servicegroup

CONF = nova.conf.CONF
LOG = logging.getLogger(__name__)

Action = guest_location.Action
Presence = guest_location.Presence

# The source gives up what the guest uses: there is no way back.
FINISHING = 'post-migrating'
# The guest may have left the source.
RUNNING = ('running', 'running (post-copy)', FINISHING)
# The source has its instance back; the destination is still to be cleaned up.
REVERTED = 'reverted'
OPEN = (REVERTED, *RUNNING)
CHECKS = 3
# Checks after which what fails is given up.
GIVE_UP = 360
# Seconds in which a destination has to answer.
TIMEOUT = 5
# Each question to nova-compute can leave another fault.
FAULT = 'The live migration is in doubt: Nova checks it again.'


class Task:
    """A live migration away from this host that has not ended."""

    def __init__(self, context, migration, migrate_data=None,
                 source_bdms=None, status='failed', restarted=False):
        self.context, self.migration = context, migration
        self.fallback = nova_context.get_admin_context()
        self.uuid, self.dest = migration.instance_uuid, migration.dest_compute
        self.migrate_data, self.source_bdms = migrate_data, source_bdms
        self.status, self.restarted = status, restarted
        self.checks, self.failures, self.seen = 0, 0, None
        self.busy = self.closed = False
        # doubted: the instance was parked, or its state was reset
        # user_paused: its user had paused the guest, which has not run there
        # no_answer: nova-compute there did not answer the rollback
        # split: both copies have run: the disks of neither may be deleted
        self.doubted = self.user_paused = self.no_answer = self.split = False


def ask_compute(rpcapi, context, instance, host, timeout=TIMEOUT):
    """Ask the nova-compute of a host whether a guest runs there."""
    alive = False
    try:
        service = objects.Service.get_by_compute_host(context, host)
        if service.forced_down:
            return guest_location.Observation(
                Presence.ABSENT, 'compute service forced down', fenced=True)
        up = servicegroup.API().service_is_up(service)
        if not timeout or not up:
            return guest_location.Observation(
                Presence.UNKNOWN, 'not asked', alive=up)
        client = rpcapi.router.client(context).prepare(
            server=host, version=rpcapi._ver(context, '5.0'), timeout=timeout)
        with contextlib.suppress(exception.ConsoleTypeUnavailable):
            # It raises InstanceNotFound if the domain is not defined.
            client.call(context, 'validate_console_port', instance=instance,
                        port='0', console_type='serial')
        client.call(context, 'get_instance_diagnostics', instance=instance)
        presence, origin = Presence.RUNNING, 'running'
    except (exception.InstanceNotFound, exception.ComputeHostNotFound):
        presence, origin = Presence.ABSENT, 'not there'
    except Exception as error:
        presence, origin = Presence.UNKNOWN, str(error).partition('\n')[0]
        alive = isinstance(error, (exception.NovaException,
                                   messaging.RemoteError))
    return guest_location.Observation(
        presence, 'nova-compute: ' + origin, alive=alive)


def refuse_in_doubt(rpcapi, context, instance, method):
    """Refuse what could start a second copy of a guest.

    :returns: its live migrations that have not ended (MigrationList)
    :raises: InstanceInvalidState unless the guest is not on the destination
    """
    migrations = objects.MigrationList.get_by_filters(context, {
        'instance_uuid': instance.uuid, 'source_compute': instance.host,
        'migration_type': fields.MigrationType.LIVE_MIGRATION,
        'status': RUNNING})
    for migration in migrations:
        answer = ask_compute(rpcapi, context, instance, migration.dest_compute)
        if answer.presence != Presence.ABSENT:
            raise exception.InstanceInvalidState(
                attr='live migration', instance_uuid=instance.uuid,
                state='in doubt', method=method)
    return migrations


class LiveMigrationRecovery:
    """Ends the live migrations away from one host."""

    def __init__(self, manager):
        self._manager = manager
        # instance uuid: id, or Task, of what the driver works on
        self._running = {}
        # id of a migration: Task
        self._tasks = {}
        self._loaded = False
        self._checker = None

    @property
    def supported(self):
        return self._manager.driver.capabilities.get(
            'supports_guest_observation', False)

    def begin(self, migration, migrate_data):
        """Record that the driver is about to migrate a guest."""
        if self.supported and 'target_connect_addr' in migrate_data:
            migration.dest_host = (
                migrate_data.target_connect_addr or migration.dest_compute)
        if self.supported:
            self._running[migration.instance_uuid] = migration.id
        try:
            self._manager._set_migration_status(migration, RUNNING[0])
        except Exception:
            self.end(migration)
            raise

    def end(self, migration):
        """Record that the driver does not work on a migration any more."""
        if self._running.get(migration.instance_uuid) == migration.id:
            del self._running[migration.instance_uuid]

    def recover(self, context, instance, dest, migrate_data=None,
                migration_status='failed', source_bdms=None):
        """End a live migration that did not succeed."""
        if not self.supported:
            return self._manager._rollback_live_migration(
                context, instance, dest, migrate_data, migration_status,
                source_bdms)
        # The thread of the driver uses this context, which may be reading
        # deleted records.
        context = nova_context.RequestContext.from_dict(
            dict(context.to_dict(), read_deleted='no'))
        task = Task(context, migrate_data.migration, migrate_data,
                    source_bdms, migration_status)
        earlier = self._tasks.get(task.migration.id, task)
        task.restarted = earlier.restarted
        task.source_bdms = source_bdms or earlier.source_bdms
        self._tasks[task.migration.id] = task
        self._running.pop(task.uuid, None)
        self._check(task, instance)

    def defer_start(self, context, instance):
        """Say whether an instance is not to be initialized yet (bool)."""
        return (self.supported and
                instance.task_state == task_states.MIGRATING and
                any(migration.status != REVERTED and
                    not self._superseded(context, migration, instance)
                    for migration in
                    self._find(context, instance_uuid=instance.uuid)))

    def check_all(self, context):
        """Check them in a thread: a host that is gone takes minutes."""
        if not self._loaded and self.supported:
            for migration in self._find(context):
                self._tasks.setdefault(migration.id, Task(
                    context.elevated(), migration, restarted=True))
            self._loaded = True
        if self._tasks and not (self._checker and self._checker.is_alive()):
            self._checker = threading.Thread(
                target=self._check_tasks, daemon=True)
            self._checker.start()

    def _check_tasks(self):
        for task in list(self._tasks.values()):
            if not task.busy:
                self._check(task)

    def _find(self, context, **filters):
        return objects.MigrationList.get_by_filters(context, dict(
            filters, source_compute=self._manager.host,
            migration_type=fields.MigrationType.LIVE_MIGRATION,
            status=OPEN))

    def _check(self, task, instance=None):
        task.busy = True
        try:
            if instance is None and self._others_work_on(task):
                return
            with lockutils.lock(task.uuid, lock_file_prefix='nova-'):
                if self._check_locked(task, instance) and (
                        self._tasks.get(task.migration.id) is task):
                    del self._tasks[task.migration.id]
        except Exception as error:
            LOG.warning('The live migration to %s will be checked again: %s',
                        task.dest, error, instance_uuid=task.uuid)
        finally:
            task.busy = False

    def _others_work_on(self, task):
        """Say whether another operation has the lock, maybe for hours."""
        try:
            return objects.Instance.get_by_uuid(
                task.context, task.uuid).task_state not in (
                    None, task_states.MIGRATING)
        except exception.InstanceNotFound:
            return False

    def _check_locked(self, task, instance):
        """Check a migration; return whether nothing is left to do."""
        migration = task.migration
        try:
            if instance is None:
                instance = objects.Instance.get_by_uuid(
                    task.context, task.uuid)
            instance.refresh()
        except exception.InstanceNotFound:
            return self._check_deleted(task)
        migration.status = objects.Migration.get_by_id(
            task.context, migration.id).status
        migration.obj_reset_changes(['status'])
        if migration.status not in OPEN:
            return True
        if task.uuid in self._running or (
                self._superseded(task.context, migration, instance)):
            return False
        if migration.status == REVERTED and instance.host != task.dest:
            return self._clean_up_destination(task, instance)
        if instance.host != self._manager.host:
            return self._close(task, instance)
        if instance.task_state is None and task.restarted and (
                'old_vm_state' not in instance.system_metadata):
            there = self._observe_destination(task, instance, False)
            if self._manager.driver.observe_guest(
                    instance).presence == Presence.RUNNING or (
                    there.presence == Presence.ABSENT and not there.fenced):
                # An earlier release has left it open.
                self._manager._set_migration_status(migration, 'error')
            return True
        if instance.task_state is None and (
                instance.vm_state != vm_states.SOFT_DELETED):
            LOG.warning('The live migration to %s has not ended: setting the '
                        'task to migrating again.', task.dest,
                        instance=instance)
            task.doubted = True
            instance.update({'task_state': task_states.MIGRATING})
            instance.save(expected_task_state=[None])
        if instance.task_state == task_states.MIGRATING:
            task.doubted |= instance.vm_state == vm_states.ERROR
            self._observe_and_act(task, instance)
        if instance.task_state is not None or migration.status in RUNNING:
            return False
        if task.restarted and instance.host == self._manager.host:
            task.restarted = False
            self._manager._init_instance(task.context, instance)
        return migration.status not in OPEN

    def _check_deleted(self, task):
        try:
            deleted = objects.Instance.get_by_uuid(
                nova_context.get_admin_context(read_deleted='yes'), task.uuid)
        except exception.InstanceNotFound:
            return self._close(task, None)
        if task.migration.status == REVERTED:
            return self._clean_up_destination(task, deleted)
        if not task.closed:
            task.closed = self._close(task, None)
        if any(seen.presence != Presence.ABSENT for seen in (
                self._manager.driver.observe_guest(deleted),
                self._observe_destination(task, deleted, False))):
            return False
        # The attachments of the destination were deleted with it.
        self._manager._post_live_migration_remove_source_vol_connections(
            task.fallback if task.doubted else task.context, deleted,
            [bdm for bdm in task.source_bdms or [] if bdm.attachment_id])
        return True

    def _superseded(self, context, migration, instance):
        statuses = RUNNING
        if instance.task_state is not None and (
                instance.vm_state != vm_states.ERROR):
            # Otherwise a restart has left such a record behind.
            statuses = ('accepted', 'queued', 'preparing', *RUNNING)
        return any(later.id > migration.id for later in
                   objects.MigrationList.get_by_filters(context, {
                       'instance_uuid': migration.instance_uuid,
                       'status': statuses}))

    def _observe_and_act(self, task, instance):
        observe = self._manager.driver.observe_guest
        source = observe(instance)
        destination = self._observe_destination(
            task, instance, source.presence == Presence.RUNNING)
        if destination.presence == source.presence == Presence.RUNNING:
            # It may have moved between the two observations.
            source = observe(instance)
        task.split |= source.presence == Presence.RUNNING and (
            destination.presence in (Presence.RUNNING, Presence.PAUSED))
        task.user_paused = vm_states.PAUSED == (
            instance.system_metadata.get('old_vm_state')
            if instance.vm_state == vm_states.ERROR else instance.vm_state)
        if task.restarted and task.doubted and not task.user_paused:
            # A restart has forgotten that Nova has paused it.
            task.split |= destination.presence == Presence.PAUSED
        action, advice = guest_location.decide(
            source, destination, task.doubted or task.checks >= CHECKS,
            task.migration.status == FINISHING, task.user_paused, task.split)
        cause = 'the guest is %s on %s and %s on %s' % (
            source, self._manager.host, destination, task.dest)
        seen = (source.presence, destination.presence, action)
        if seen != task.seen:
            LOG.info('Live migration to %s: %s. Nova will %s.', task.dest,
                     cause, action.value, instance=instance)
        task.failures = task.failures + 1 if (
            task.failures and seen == task.seen) else 0
        if task.failures > CHECKS and task.failures % 6 and (
                action != Action.SPLIT_BRAIN):
            # Each attempt leaves a fault.
            return
        try:
            if action == Action.SPLIT_BRAIN:
                LOG.critical('SPLIT BRAIN: pausing the guest on %s.',
                             task.dest, instance=instance)
                self._manager.driver.pause_migrated_guest(
                    instance, task.migration)
            elif action == Action.FINISH:
                self._finish(task, instance, destination.fenced or (
                    task.failures >= GIVE_UP and not task.no_answer and
                    source.presence == Presence.ABSENT))
            elif action == Action.MONITOR:
                self._monitor(task, instance)
            elif action in (Action.ROLL_BACK, Action.ROLL_BACK_SOURCE):
                self._roll_back(
                    task, instance, source, destination,
                    action == Action.ROLL_BACK and not task.no_answer)
        except Exception as error:
            LOG.exception('Live migration to %s: cannot %s.', task.dest,
                          action.value, instance=instance)
            instance.refresh()
            task.failures = task.failures or 1
            task.no_answer = isinstance(error, messaging.MessagingTimeout)
            # The token may have expired; Nova may have none of its own.
            task.context, task.fallback = task.fallback, task.context
            if instance.host == task.dest:
                self._close(task, instance)
            elif instance.task_state == task_states.MIGRATING:
                if task.failures >= GIVE_UP and seen == (
                        Presence.RUNNING, Presence.ABSENT, Action.ROLL_BACK):
                    return self._give_up(task, instance)
                if task.migration.status not in OPEN:
                    # errors_out_migration_ctxt has closed it.
                    self._manager._set_migration_status(
                        task.migration, RUNNING[0])
                self._park(task, instance, seen, '%s; Nova cannot %s: %s' % (
                    cause, action.value, error), 'Nova tries again.')
        else:
            if action in (Action.PARK, Action.SPLIT_BRAIN):
                self._park(task, instance, seen, cause, advice)
        task.seen = seen

    def _give_up(self, task, instance):
        """End as without a second attempt: nothing is in doubt."""
        self._unpark(instance)
        if not task.restarted:
            instance.vm_state = vm_states.ERROR
        instance.task_state = None
        instance.save(expected_task_state=[task_states.MIGRATING])
        self._manager._set_migration_status(task.migration, 'error')

    def _observe_destination(self, task, instance, runs_here):
        started = time.monotonic()
        observation = self._manager.driver.observe_guest(
            instance, task.migration)
        task.checks += 1
        if observation.presence != Presence.UNKNOWN:
            return observation
        timeout = TIMEOUT
        if runs_here and not task.doubted:
            # The source can go on without this answer.
            timeout -= min(TIMEOUT - 1, int(time.monotonic() - started))
        elif not runs_here and task.checks > CHECKS and (
                task.checks % 16 and task.checks & (task.checks - 1)):
            timeout = 0
        answer = ask_compute(self._manager.compute_rpcapi, task.context,
                             instance, task.dest, timeout)
        return answer._replace(origin='%s; %s' % (
            observation.origin, answer.origin))

    def _finish(self, task, instance, fenced):
        self._unpark(instance)
        if fenced:
            # It is rebuilt from there.
            node = self._manager._get_compute_info(task.context, task.dest)
            instance.host, instance.node = task.dest, node.hypervisor_hostname
            instance.compute_id = node.id
            instance.apply_migration_context()
            instance.vm_state, instance.task_state = vm_states.ERROR, None
            instance.save(expected_task_state=[task_states.MIGRATING])
            instance.drop_migration_context()
            return
        self._manager.driver.remove_migrated_guest(instance)
        data = self._migrate_data(task, instance)
        tracker = self._manager.rt.pci_tracker
        if task.migration.status == FINISHING and 'vifs' in data and not (
                tracker and task.uuid in tracker.allocations):
            # They may be another guest's now.
            data.vifs = [vif for vif in data.vifs if not (
                vif.source_vif['profile'] or {}).get('pci_slot')]
        if self._manager._live_migration_cleanup_flags(data)[1] and (
                task.split or task.restarted and task.doubted):
            LOG.warning('The disks on this host are kept: they may be newer '
                        'than those on %s. Delete the older ones.', task.dest,
                        instance=instance)
            data = self._spared(data)
        # These are the attachments of the destination.
        kept = [bdm.attachment_id for bdm in self._bdms(task)]
        bdms = [bdm for bdm in self._source_bdms(task)
                if not bdm.attachment_id or bdm.attachment_id not in kept]
        if task.migration.status == FINISHING:
            # Others may use what an earlier attempt has given up.
            left = [held['id'] for held in self._attachments(task, bdms)]
            bdms = [bdm for bdm in bdms if bdm.attachment_id in left]
        self._manager._post_live_migration_update_host(
            task.context, instance, task.dest, data.block_migration, data,
            objects.BlockDeviceMappingList(objects=bdms))
        instance.refresh()

    def _roll_back(self, task, instance, source, destination, everywhere):
        self._unpark(instance)
        data = self._migrate_data(task, instance, everywhere)
        flags = self._manager._live_migration_cleanup_flags
        # The guest may have run on the destination, and written there. In
        # post-copy it runs before libvirt has defined the domain.
        keep_disks = flags(data)[1] and (
            task.doubted or destination.presence == Presence.STOPPED or
            task.migration.status == 'running (post-copy)')
        spared = self._spared(data)
        if keep_disks:
            data = spared
        if source.presence == Presence.PAUSED and (
                instance.vm_state != vm_states.PAUSED):
            try:
                self._manager.driver.unpause(instance)
            except Exception:
                if task.failures < CHECKS:
                    raise
                LOG.exception('Cannot resume the guest: reboot it.',
                              instance=instance)
        self._manager._rollback_live_migration(
            task.context, instance, task.dest, data,
            task.status if everywhere else REVERTED, self._source_bdms(task),
            dest_reachable=everywhere)
        if not everywhere:
            LOG.warning('Rolled back the live migration on this host alone, '
                        'as the guest is %s on %s. Nova cleans up that host '
                        'once it answers.', destination, task.dest,
                        instance=instance)
        if everywhere and not flags(data)[0] and (
                keep_disks or destination.presence != Presence.ABSENT):
            self._clean_up(task, instance, spared, False)
        if everywhere and keep_disks:
            LOG.warning('The disks that were copied to %s are kept: the guest '
                        'may have written to them. Delete the older ones.',
                        task.dest, instance=instance)
        if source.presence == Presence.ABSENT and not (
                task.restarted and CONF.resume_guests_state_on_host_boot):
            instance.update({'vm_state': vm_states.STOPPED,
                             'power_state': power_state.SHUTDOWN})
            instance.save(expected_task_state=[None])

    def _spared(self, data):
        """Return what spares the disks of the host to be cleaned up."""
        spared = data.obj_clone()
        spared.migration = data.migration
        spared.is_shared_instance_path = True
        spared.is_shared_block_storage = True
        return spared

    def _monitor(self, task, instance):
        self._unpark(instance)
        instance.save(expected_task_state=[task_states.MIGRATING])

        def monitor():
            try:
                self._manager.driver.monitor_live_migration(
                    nova_context.get_admin_context(), instance, task.dest,
                    self.recover, self._migrate_data(task, instance))
            except Exception:
                LOG.exception('Cannot monitor the live migration to %s.',
                              task.dest, instance=instance)
            finally:
                if self._running.get(task.uuid) is task:
                    del self._running[task.uuid]

        self._running[task.uuid] = task
        threading.Thread(target=monitor, daemon=True).start()

    def _park(self, task, instance, seen, cause, advice):
        parked = instance.vm_state == vm_states.ERROR
        task.doubted = True
        latest = objects.InstanceFault.get_latest_for_instance(
            task.context, task.uuid)
        if parked and task.seen in (None, seen) and (
                latest and latest.message == FAULT):
            return
        if not parked:
            instance.system_metadata['old_vm_state'] = instance.vm_state
            instance.update({'vm_state': vm_states.ERROR})
            instance.save(expected_task_state=[task_states.MIGRATING])
            task.checks = 0
        LOG.error('The live migration to %s is in doubt: %s. The instance is '
                  'parked (vm_state error, task_state migrating) and checked '
                  'again. %s', task.dest, cause, advice, instance=instance)
        objects.InstanceFault(
            task.context, instance_uuid=instance.uuid, host=self._manager.host,
            message=FAULT, code=500,
            details='%s. %s' % (cause, advice)).create()

    def _unpark(self, instance):
        earlier = instance.system_metadata.pop(
            'old_vm_state', vm_states.ACTIVE)
        if instance.vm_state == vm_states.ERROR:
            instance.vm_state = earlier

    def _clean_up_destination(self, task, instance):
        destination = self._observe_destination(task, instance, False)
        instance.refresh()
        if instance.host == task.dest:
            return bool(instance.deleted)
        if instance.task_state is not None and not instance.deleted:
            return False
        if destination.presence == Presence.RUNNING or not (
                task.user_paused) and destination.presence == Presence.PAUSED:
            task.doubted, task.restarted = True, False
            if self._manager.driver.observe_guest(
                    instance).presence != Presence.RUNNING:
                # The source has gone on since: this copy is the older one.
                if destination.presence == Presence.RUNNING:
                    LOG.error('Pausing an older copy of the guest on %s: '
                              'destroy it.', task.dest, instance=instance)
                    self._manager.driver.pause_migrated_guest(
                        instance, task.migration)
                return False
            self._manager._set_migration_status(task.migration, RUNNING[0])
            return self._check_locked(task, instance)
        if destination.presence == Presence.UNKNOWN or destination.fenced:
            return False
        data = self._migrate_data(task, instance)
        if task.doubted or destination.presence in (
                Presence.STOPPED, Presence.PAUSED):
            data = self._spared(data)
        self._clean_up(task, instance, data,
                       self._manager._live_migration_cleanup_flags(data)[1])
        if not instance.deleted:
            self._manager._set_migration_status(task.migration, task.status)
        LOG.info('Cleaned up %s.', task.dest, instance=instance)
        return True

    def _clean_up(self, task, instance, data, destroy_disks):
        if instance.migration_context is None:
            # What is left are CPUs and memory of the source: on the
            # destination the same numbers may be another guest's.
            instance, data = instance.obj_clone(), data.obj_clone()
            instance.update({'numa_topology': None, 'resources': None})
            instance.obj_reset_changes(['numa_topology', 'resources'])
            if 'dst_numa_info' in data:
                del data.dst_numa_info
        self._manager.compute_rpcapi.rollback_live_migration_at_destination(
            task.context, instance, task.dest, destroy_disks=destroy_disks,
            migrate_data=data)

    def _close(self, task, instance):
        """Close a migration whose instance is not on this host any more."""
        reverted = task.migration.status == REVERTED
        if not reverted:
            self._manager._delete_allocation_after_move(
                task.context, instance or objects.Instance(uuid=task.uuid),
                task.migration)
            task.status = 'completed' if (
                instance and instance.host == task.dest) else 'error'
        if instance:
            self._manager._set_migration_status(task.migration, task.status)
            if not reverted and instance.task_state is None and (
                    'old_vm_state' in instance.system_metadata):
                self._unpark(instance)
                instance.save(expected_task_state=[None])
        return True

    def _migrate_data(self, task, instance, dest_reachable=True):
        """Return what the migration was to do, found out again if need be."""
        if task.migrate_data is None:
            shared = not dest_reachable or (
                self._manager._is_instance_storage_shared(
                    task.context, instance, host=task.dest))
            data = objects.LibvirtLiveMigrateData(
                migration=task.migration, is_shared_instance_path=shared,
                is_shared_block_storage=shared, block_migration=not shared,
                src_supports_numa_live_migration=(
                    instance.migration_context is not None),
                vifs=objects.VIFMigrateData.create_skeleton_migrate_vifs(
                    instance.get_network_info()))
            if not dest_reachable:
                return data
            task.migrate_data = data
        return task.migrate_data

    def _bdms(self, task):
        return objects.BlockDeviceMappingList.get_by_instance_uuid(
            task.context, task.uuid)

    def _source_bdms(self, task):
        if task.source_bdms is None:
            task.source_bdms = self._find_source_bdms(task)
        return task.source_bdms

    def _attachments(self, task, bdms):
        if not any(bdm.attachment_id for bdm in bdms):
            return []
        try:
            return self._manager.volume_api.attachment_get_all(
                task.context, instance_id=task.uuid,
                all_tenants=task.context.is_admin)
        except (cinder_exception.BadRequest, cinder_exception.Forbidden,
                cinder_exception.Unauthorized) as error:
            LOG.error('Cinder does not tell the attachments of the source. '
                      'Check the credentials in [cinder]: %s', error,
                      instance_uuid=task.uuid)
            return []

    def _find_source_bdms(self, task):
        """Ask Cinder for the attachments that the database does not have."""
        bdms, cinder = self._bdms(task), self._manager.volume_api
        attachments = self._attachments(task, bdms)
        for bdm in bdms:
            others = [attachment['id'] for attachment in attachments
                      if attachment['volume_id'] == bdm.volume_id and
                      attachment['id'] != bdm.attachment_id]
            if bdm.attachment_id and len(others) == 1:
                bdm.attachment_id = others[0]
                earlier = jsonutils.loads(bdm.connection_info or '{}')
                bdm.connection_info = jsonutils.dumps(dict(
                    cinder.attachment_get(task.context, others[0])[
                        'connection_info'], serial=bdm.volume_id,
                    multiattach=earlier.get('multiattach', False)))
        return bdms
