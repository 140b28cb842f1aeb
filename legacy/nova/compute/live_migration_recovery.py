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

The database of this release has no record of live migrations: what a restart
of nova-compute must not forget is kept in the instance's system_metadata.
"""

import sys

from eventlet import greenthread
from oslo_concurrency import lockutils
from oslo_config import cfg
from oslo_log import log as logging
import oslo_messaging as messaging
from oslo_serialization import jsonutils
from oslo_utils import excutils
import six

from nova.compute import guest_location
from nova.compute import power_state
from nova.compute import task_states
from nova.compute import utils as compute_utils
from nova.compute import vm_states
from nova import context as nova_context
from nova import exception
from nova.i18n import _
from nova.i18n import _LC
from nova.i18n import _LE
from nova.i18n import _LI
from nova.i18n import _LW
from nova import objects
from nova import servicegroup

CONF = cfg.CONF
CONF.register_opt(cfg.IntOpt(
    'live_migration_recovery_interval', default=10,
    help='Interval, in seconds, between two checks of live migrations that '
         'did not end well. An instance whose guest cannot be found by three '
         'checks is parked.'))
LOG = logging.getLogger(__name__)

Action = guest_location.Action
Presence = guest_location.Presence

# The guest may have left the source.
RUNNING = 'running'
# The source gives up what the guest uses: there is no way back.
FINISHING = 'post-migrating'
# The source has its instance back; the destination is still to be cleaned up.
REVERTED = 'reverted'
CHECKS = 3
# Seconds in which a destination has to answer.
TIMEOUT = 5
# Keys of system_metadata.
SOURCE, DEST, STATUS, DISKS, VM_STATE = [
    'live_migration_' + name for name in (
        'source', 'dest', 'status', 'disks', 'old_vm_state')]
_SHARED = ('is_shared_instance_path', 'is_shared_block_storage')


class Task(object):
    """A live migration away from this host that has not ended."""

    def __init__(self, context, uuid, dest, block_migration, migrate_data,
                 status=RUNNING, restarted=False):
        self.context, self.uuid, self.dest = context, uuid, dest
        self.block_migration = block_migration
        self.migrate_data = migrate_data or {}
        self.status, self.restarted = status, restarted
        self.checks, self.failures, self.seen = 0, 0, None
        # The instance was parked, or its state was reset.
        self.doubted = False
        # Its user had paused the guest: it has not run on the destination.
        self.user_paused = False
        # Both copies have run: the disks of neither may be deleted.
        self.split = False
        # The destination has no copy: the disks here may be the last ones.
        self.keep = False
        # The source has done its part; the destination takes the guest over.
        self.posted = False
        # The instance was seen on another host.
        self.left = False


def _own_context():
    # The client of Glance takes no None. Glance refuses this token, and the
    # destination uses what the instance has of its image.
    return nova_context.RequestContext('', '', is_admin=True, auth_token='',
                                       overwrite=False)


def ask_compute(rpcapi, context, instance, host, timeout=TIMEOUT):
    """Ask the nova-compute of a host whether a guest runs there."""
    alive = False
    try:
        service = objects.Service.get_by_compute_host(context, host)
        up = servicegroup.API().service_is_up(service)
        if not timeout or not up:
            return guest_location.Observation(
                Presence.UNKNOWN, 'not asked', alive=up)
        try:
            # It raises InstanceNotFound if the domain is not defined.
            rpcapi.client.prepare(
                server=host, timeout=timeout,
                version=rpcapi._compat_ver('4.0', '3.3')).call(
                    context, 'validate_console_port', instance=instance,
                    port='0', console_type='novnc')
        except exception.ConsoleTypeUnavailable as error:
            LOG.debug('The domain is defined: %s', error)
        rpcapi.client.prepare(
            server=host, timeout=timeout,
            version=rpcapi._compat_ver('4.0', '3.31')).call(
                context, 'get_instance_diagnostics', instance=instance)
        presence, origin = Presence.RUNNING, 'running'
    except (exception.InstanceNotFound, exception.ComputeHostNotFound):
        presence, origin = Presence.ABSENT, 'not there'
    except Exception as error:
        presence = Presence.UNKNOWN
        origin = six.text_type(error).partition('\n')[0]
        alive = isinstance(error, (exception.NovaException,
                                   messaging.RemoteError))
    return guest_location.Observation(
        presence, 'nova-compute: ' + origin, alive=alive)


def refuse_in_doubt(rpcapi, context, instance, method):
    """Refuse what could start a second copy of a guest.

    :raises: InstanceInvalidState unless the guest is not on the destination
    """
    record = instance.system_metadata
    if record.get(SOURCE) == instance.host and (
            record.get(STATUS) in (RUNNING, FINISHING)):
        answer = ask_compute(rpcapi, context.elevated(), instance,
                             record.get(DEST))
        if answer.presence != Presence.ABSENT:
            raise exception.InstanceInvalidState(
                attr='live migration', instance_uuid=instance.uuid,
                state='in doubt', method=method)
    if method == 'evacuate' and SOURCE in record:
        # It is another host's from now on.
        for key in (DEST, STATUS, DISKS, VM_STATE):
            record.pop(key, None)
        record[SOURCE] = ''


class LiveMigrationRecovery(object):
    """Ends the live migrations away from one host."""

    def __init__(self, manager):
        self._manager = manager
        # instance uuid: Task that the driver works on
        self._running = {}
        # instance uuid: Task
        self._tasks = {}
        self._loaded = False
        self._checker = None

    @property
    def supported(self):
        return self._manager.driver.guest_observer is not None

    def begin(self, context, instance, dest, block_migration, migrate_data):
        """Record that the driver is about to migrate a guest."""
        if not self.supported:
            return
        task = Task(context, instance.uuid, dest, block_migration,
                    migrate_data)
        self._refresh(instance)
        if task.uuid in self._running or self._is_open(instance):
            raise exception.MigrationError(reason=_(
                'an earlier live migration has not ended'))
        try:
            instance.system_metadata[VM_STATE] = ''
            self._remember(task, instance, RUNNING, task_states.MIGRATING)
        except Exception:
            with excutils.save_and_reraise_exception():
                self._forget(instance)
        self._running[task.uuid] = task
        earlier = self._tasks.pop(task.uuid, None)
        if earlier:
            LOG.warning(_LW('The live migration to %s before this one was not '
                            'cleaned up: see whether a domain of the guest is '
                            'left there (virsh list --all).'), earlier.dest,
                        instance=instance)

    def finish(self, context, instance, dest, block_migration=False,
               migrate_data=None):
        """Finish a live migration that the driver has ended well."""
        task = self._running.get(instance['uuid'])
        if task is None:
            return self._manager._post_live_migration(
                context, instance, dest, block_migration, migrate_data)
        try:
            self._post(task, instance)
        except Exception:
            LOG.exception(_LE('The live migration to %s cannot be finished '
                              'yet.'), dest, instance=instance)
            self.recover(instance, dest, task.migrate_data)
        else:
            self._tasks[task.uuid] = self._running.pop(task.uuid)

    def recover(self, instance, dest, migrate_data):
        """End a live migration that did not succeed.

        :returns: False if it is to be rolled back without a check: the driver
            was not called, or the guest was found (bool)
        """
        task = self._running.get(instance['uuid'])
        if task is None and self._is_open(instance) and (
                instance.system_metadata[DEST] == dest):
            # The earlier migration is checked.
            return True
        if task is None:
            if migrate_data and (
                    not migrate_data.get('is_shared_block_storage') and
                    isinstance(sys.exc_info()[1],
                               exception.DestinationDiskExists)):
                # An earlier migration may have kept them.
                self._manager._rollback_live_migration(
                    instance._context, instance, dest, False)
                return True
            return False
        if task.migrate_data is not migrate_data:
            # The driver still works on an earlier migration.
            return task.dest == dest
        self._tasks[task.uuid] = self._running.pop(task.uuid)
        self._check(task, instance)
        return True

    def defer_start(self, instance):
        """Say whether an instance is not to be initialized yet (bool)."""
        if instance.task_state != task_states.MIGRATING or (
                not self._is_open(instance)):
            return False
        try:
            if power_state.RUNNING == self._manager._get_power_state(
                    instance._context, instance):
                # nova-network's rules are those that this process knows.
                self._manager.driver.ensure_filtering_rules_for_instance(
                    instance, compute_utils.get_nw_info_for_instance(instance))
        except Exception:
            LOG.exception(_LE('Cannot apply the filtering rules.'),
                          instance=instance)
        return True

    def _is_open(self, instance):
        record = self.supported and instance.system_metadata or {}
        if record.get(SOURCE) != self._manager.host or (
                record[STATUS] not in (RUNNING, FINISHING)):
            return False
        # Nobody checks a record whose instance was elsewhere since.
        task = self._tasks.get(instance.uuid)
        return not task.left if task else not self._loaded

    def is_here(self, context, instance):
        """Say whether a request to clean up comes too late (bool).

        It may have waited for this host to come back.
        """
        if not self.supported:
            return False
        host = objects.Instance.get_by_uuid(
            context.elevated(read_deleted='yes'), instance.uuid).host
        here = host == self._manager.host or power_state.RUNNING == (
            self._manager._get_power_state(context, instance))
        if here:
            LOG.error(_LE('Not cleaning up: the guest is here.'),
                      instance=instance)
        return here

    def check_all(self, context):
        if not self._loaded and self.supported:
            for instance in objects.InstanceList.get_by_host(
                    context, self._manager.host,
                    expected_attrs=['system_metadata']):
                record = instance.system_metadata
                if record.get(SOURCE) == self._manager.host and (
                        instance.uuid not in self._running):
                    block, shared = jsonutils.loads(record[DISKS])
                    self._tasks.setdefault(instance.uuid, Task(
                        _own_context(), instance.uuid, record[DEST],
                        block, shared, record[STATUS], restarted=True))
            self._loaded = True
        # A check can wait for a host: other periodic tasks go on.
        if self._checker is None or self._checker.dead:
            self._checker = greenthread.spawn(self._check_tasks)

    def _check_tasks(self):
        for task in list(self._tasks.values()):
            self._check(task)

    def _remember(self, task, instance, status, expected_task_state):
        instance.system_metadata.update({
            SOURCE: self._manager.host, DEST: task.dest, STATUS: status,
            DISKS: jsonutils.dumps([task.block_migration, dict(
                filter(lambda item: item[0] in _SHARED,
                       task.migrate_data.items()))])})
        instance.save(expected_task_state=[expected_task_state])
        task.status = status

    def _refresh(self, instance):
        # Instance.refresh of Nova 2015.1 loses the flavor of an older one.
        current = objects.Instance.get_by_uuid(
            instance._context, instance.uuid,
            expected_attrs=['system_metadata'])
        for field in instance.fields:
            if current.obj_attr_is_set(field):
                setattr(instance, field, getattr(current, field))
        instance.obj_reset_changes()

    def _forget(self, instance):
        for key in (DEST, STATUS, DISKS):
            instance.system_metadata.pop(key, None)
        # A conductor of 2015.1 brings back what 2014.2 deletes.
        instance.system_metadata[SOURCE] = ''

    def _check(self, task, instance=None):
        try:
            if instance is None and self._others_work_on(task):
                return
            with lockutils.lock(task.uuid):
                if self._check_locked(task, instance) and (
                        self._tasks.get(task.uuid) is task):
                    del self._tasks[task.uuid]
        except Exception as error:
            LOG.warning(_LW('The live migration to %(dest)s will be checked '
                            'again: %(error)s'),
                        {'dest': task.dest, 'error': error},
                        instance_uuid=task.uuid)

    def _others_work_on(self, task):
        """Say whether another operation has the lock, maybe for hours."""
        for instance in objects.InstanceList.get_by_filters(
                task.context, {'uuid': task.uuid, 'deleted': False}):
            task.left |= instance.host != self._manager.host
            return instance.task_state not in (None, task_states.MIGRATING)

    def _check_locked(self, task, instance):
        """Check a migration; return whether nothing is left to do."""
        try:
            if instance is None:
                instance = objects.Instance.get_by_uuid(
                    task.context, task.uuid, expected_attrs=[
                        'metadata', 'system_metadata', 'info_cache'])
            self._refresh(instance)
        except exception.InstanceNotFound:
            return True
        if self._tasks.get(task.uuid) is not task or (
                task.uuid in self._running):
            return True
        task.left |= instance.host != self._manager.host
        if task.left:
            return self._close(instance)
        parked = bool(instance.system_metadata.get(VM_STATE))
        if instance.task_state is None:
            if task.status == REVERTED:
                return self._clean_up_destination(task, instance)
            # A record can be older than what other hosts have done since.
            old = task.restarted and task.seen is None and (
                instance.vm_state not in (
                    vm_states.ACTIVE, vm_states.ERROR, vm_states.SOFT_DELETED))
            if old or task.status == FINISHING:
                there = self._observe_destination(task, instance).presence
                if there == Presence.ABSENT:
                    return self._close(instance)
                if old and there == Presence.UNKNOWN:
                    return False
            if instance.vm_state != vm_states.SOFT_DELETED:
                LOG.warning(_LW('The live migration to %s has not ended: '
                                'setting the task to migrating again.'),
                            task.dest, instance=instance)
                task.doubted = True
                instance.task_state = task_states.MIGRATING
                instance.save(expected_task_state=[None])
        migrating = instance.task_state == task_states.MIGRATING
        if migrating and task.status != REVERTED:
            task.doubted |= parked
            self._observe_and_act(task, instance)
        if instance.task_state is not None or task.status != REVERTED and (
                instance.system_metadata.get(SOURCE)):
            return False
        if task.restarted and instance.host == self._manager.host:
            task.restarted = False
            self._manager._init_instance(task.context, instance)
        return not instance.system_metadata.get(SOURCE)

    def _observe_and_act(self, task, instance):
        if task.posted and (not self._due(task) or task.checks < 8):
            # The destination may need a minute.
            return
        source = self._manager.driver.guest_observer.observe(instance)
        destination = self._observe_destination(task, instance, task.posted)
        if source.migrating is None and task.restarted and (
                destination.presence not in (
                    Presence.ABSENT, Presence.RUNNING) or
                not task.doubted and task.checks < CHECKS):
            # It may go on in a hypervisor that has no jobs.
            source = source._replace(presence=Presence.UNKNOWN)
        if destination.presence == source.presence == Presence.RUNNING:
            # It may have moved between the two observations.
            source = self._manager.driver.guest_observer.observe(instance)
        task.split |= source.presence == Presence.RUNNING and (
            destination.presence in (Presence.RUNNING, Presence.PAUSED))
        task.user_paused = vm_states.PAUSED == (
            instance.system_metadata.get(VM_STATE) or instance.vm_state)
        if task.restarted and task.doubted and not task.user_paused:
            # A restart has forgotten that Nova has paused it.
            task.split |= destination.presence == Presence.PAUSED
        if not source.migrating and task.seen and (
                task.seen[2] == Action.MONITOR):
            # It ends only now.
            task.checks = 0
        action, advice = guest_location.decide(
            source, destination, task.doubted or task.checks >= CHECKS,
            task.status == FINISHING, task.user_paused, task.split)
        cause = 'the guest is %s on %s and %s on %s' % (
            source, self._manager.host, destination, task.dest)
        seen = (source.presence, destination.presence, action)
        if seen != task.seen:
            LOG.info(_LI('Live migration to %(dest)s: %(cause)s. Nova will '
                         '%(action)s.'),
                     {'dest': task.dest, 'cause': cause, 'action': action},
                     instance=instance)
        if action == Action.PARK:
            self._park(task, instance, seen, cause, advice)
        task.failures = task.failures + 1 if (
            task.failures and seen == task.seen) else 0
        if task.failures > CHECKS and task.failures % 6 and (
                not task.posted and action != Action.SPLIT_BRAIN):
            # Each attempt leaves a fault.
            return
        try:
            if action == Action.SPLIT_BRAIN:
                LOG.critical(_LC('SPLIT BRAIN: pausing the guest on %s.'),
                             task.dest, instance=instance)
                self._manager.driver.guest_observer.pause(
                    instance, task.dest, self._node(task))
            elif action == Action.FINISH:
                if not task.posted:
                    # A restart forgets whether both copies have run.
                    task.keep = task.block_migration and (
                        task.split or task.restarted and task.doubted or
                        destination.presence in (Presence.ABSENT,
                                                 Presence.STOPPED))
                if task.keep and not task.posted:
                    LOG.warning(_LW('The disks on this host are kept: they '
                                    'may be newer than those on %s. Delete '
                                    'the older ones.'), task.dest,
                                instance=instance)
                self._finish(task, instance)
            elif action in (Action.ROLL_BACK, Action.ROLL_BACK_SOURCE):
                self._roll_back(task, instance, source, destination,
                                action == Action.ROLL_BACK)
        except Exception as error:
            LOG.exception(_LE('Live migration to %(dest)s: cannot '
                              '%(action)s.'),
                          {'dest': task.dest, 'action': action},
                          instance=instance)
            self._refresh(instance)
            task.failures = task.failures or 1
            if instance.host == self._manager.host and (
                    instance.task_state == task_states.MIGRATING):
                self._park(task, instance, seen, '%s; Nova cannot %s: %s' % (
                    cause, action, six.text_type(error)), 'Nova tries again.')
        else:
            if action == Action.SPLIT_BRAIN:
                self._park(task, instance, seen, cause, advice)
        task.seen = seen

    def _due(self, task):
        """Say whether to ask what costs a host or a log something (bool)."""
        task.checks += 1
        return task.checks > CHECKS and (
            not task.checks % 16 or not task.checks & (task.checks - 1))

    def _node(self, task):
        return self._manager._get_compute_info(
            task.context, task.dest).hypervisor_hostname

    def _observe_destination(self, task, instance, due=False):
        try:
            observation = self._manager.driver.guest_observer.observe(
                instance, task.dest, self._node(task))
        except Exception as error:
            observation = guest_location.Observation(
                Presence.UNKNOWN, six.text_type(error))
        due = due or self._due(task) or task.checks <= CHECKS
        if observation.presence != Presence.UNKNOWN:
            return observation
        answer = ask_compute(self._manager.compute_rpcapi, task.context,
                             instance, task.dest, due and TIMEOUT)
        return answer._replace(origin='%s; %s' % (
            observation.origin, answer.origin))

    def _finish(self, task, instance):
        if task.posted or task.failures > CHECKS and not self._volumes(task):
            # The user's token may have expired; Neutron takes Nova's own.
            task.context = _own_context()
        self._manager.driver.guest_observer.remove(instance)
        if task.posted:
            self._tell_destination(task, instance)
            raise exception.MigrationError(
                reason=_('the destination has not taken the guest over'))
        self._post(task, instance)

    def _post(self, task, instance):
        instance.progress = 0
        self._remember(task, instance, FINISHING, task_states.MIGRATING)
        data = task.migrate_data
        if task.keep:
            data = dict(data, **dict.fromkeys(_SHARED, True))
        try:
            self._manager._post_live_migration(
                task.context, instance, task.dest,
                task.block_migration and not task.keep, data)
        except Exception as error:
            # In this release, Cinder is asked with the token of whoever has
            # begun something. It expires, and a restart loses it.
            token = task.context.auth_token and task.checks <= CHECKS
            if token or not self._volumes(task):
                raise
            LOG.error(_LE('The guest has moved to %(dest)s, but this host is '
                          'not cleaned up: %(error)s. End the connections of '
                          'its volumes to this host.'),
                      {'dest': task.dest, 'error': error}, instance=instance)
            self._tell_destination(task, instance)
        # The destination answers to nobody: it is checked.
        task.posted, task.checks = True, 0

    def _tell_destination(self, task, instance):
        self._manager.compute_rpcapi.post_live_migration_at_destination(
            task.context, instance, task.block_migration, task.dest)

    def _volumes(self, task):
        return [bdm.volume_id for bdm in
                objects.BlockDeviceMappingList.get_by_instance_uuid(
                    task.context, task.uuid) if bdm.is_volume]

    def _roll_back(self, task, instance, source, destination, everywhere):
        self._unpark(instance)
        # The guest may have run on the destination, and written there.
        keep_disks = task.block_migration and (
            task.doubted or destination.presence == Presence.STOPPED or not (
                task.user_paused or source.presence == Presence.RUNNING))
        if source.presence == Presence.PAUSED and not task.user_paused:
            self._manager.driver.unpause(instance)
        instance.progress = 0
        if everywhere:
            self._forget(instance)
            self._manager._rollback_live_migration(
                task.context, instance, task.dest,
                task.block_migration and not keep_disks,
                dict(task.migrate_data, **dict.fromkeys(_SHARED, True))
                if keep_disks else task.migrate_data)
            if keep_disks or destination.presence != Presence.ABSENT:
                self._remove_there(task, instance)
        else:
            instance.task_state = None
            self._remember(task, instance, REVERTED, task_states.MIGRATING)
            self._manager.network_api.setup_networks_on_host(
                task.context, instance, self._manager.host)
        if everywhere and keep_disks:
            LOG.warning(_LW('The disks that were copied to %s are kept: the '
                            'guest may have written to them. Delete the older '
                            'ones.'), task.dest, instance=instance)
        if source.presence == Presence.ABSENT and not (
                task.restarted and CONF.resume_guests_state_on_host_boot):
            instance.vm_state, instance.power_state = (
                vm_states.STOPPED, power_state.SHUTDOWN)
            instance.save(expected_task_state=[None])

    def _remove_there(self, task, instance):
        """Remove the domain on the destination, but no disk."""
        rpcapi = self._manager.compute_rpcapi
        # An older one would be asked without destroy_disks.
        if any(map(rpcapi.client.can_send_version, ('4.0', '3.32'))):
            # With migrate_data it could delete a shared folder.
            rpcapi.rollback_live_migration_at_destination(
                task.context, instance, task.dest, destroy_disks=False,
                migrate_data={})

    def _park(self, task, instance, seen, cause, advice):
        parked = instance.vm_state == vm_states.ERROR and (
            instance.system_metadata.get(VM_STATE))
        task.doubted = True
        if parked and task.seen in (None, seen):
            return
        if not parked:
            if not instance.system_metadata.get(VM_STATE):
                instance.system_metadata[VM_STATE] = instance.vm_state
            instance.vm_state = vm_states.ERROR
            instance.save(expected_task_state=[task_states.MIGRATING])
            task.checks = 0
        LOG.error(_LE('The live migration to %(dest)s is in doubt: %(cause)s. '
                      'The instance is parked (vm_state error, task_state '
                      'migrating) and checked again. %(advice)s'),
                  {'dest': task.dest, 'cause': cause, 'advice': advice},
                  instance=instance)
        objects.InstanceFault(
            context=task.context, instance_uuid=instance.uuid, code=500,
            host=self._manager.host, details='%s. %s' % (cause, advice),
            message='The live migration is in doubt: Nova checks it again.',
        ).create()

    def _unpark(self, instance):
        earlier = instance.system_metadata.get(VM_STATE) or vm_states.ACTIVE
        instance.system_metadata[VM_STATE] = ''
        if instance.vm_state == vm_states.ERROR:
            instance.vm_state = earlier

    def _clean_up_destination(self, task, instance):
        destination = self._observe_destination(task, instance)
        if destination.presence == Presence.UNKNOWN:
            return False
        if destination.presence == Presence.RUNNING or not (
                task.user_paused) and destination.presence == Presence.PAUSED:
            observer = self._manager.driver.guest_observer
            source = observer.observe(instance)
            if source.presence == Presence.UNKNOWN:
                return False
            if source.presence != Presence.RUNNING:
                # The source has gone on since: this copy is the older one.
                if destination.presence == Presence.RUNNING:
                    LOG.error(_LE('Pausing an older copy of the guest on %s: '
                                  'destroy it.'), task.dest, instance=instance)
                    observer.pause(instance, task.dest, self._node(task))
                return False
            instance.task_state, task.doubted = task_states.MIGRATING, True
            self._remember(task, instance, RUNNING, None)
            self._observe_and_act(task, instance)
            return False
        service = ask_compute(self._manager.compute_rpcapi, task.context,
                              instance, task.dest, 0)
        self._refresh(instance)
        if instance.task_state is not None or (
                service.presence == Presence.UNKNOWN and not service.alive):
            return False
        # Without a compute service nobody answers.
        for volume_id in self._volumes(task) if (
                service.presence != Presence.ABSENT) else ():
            try:
                self._manager.compute_rpcapi.remove_volume_connection(
                    task.context, instance, volume_id, task.dest)
            except messaging.MessagingTimeout:
                raise
            except Exception as error:
                LOG.warning(_LW('Volume %(volume)s may still be connected to '
                                '%(dest)s: %(error)s. Nova does not try '
                                'again: disconnect it there.'),
                            {'volume': volume_id, 'dest': task.dest,
                             'error': error}, instance=instance)
            self._refresh(instance)
            if instance.task_state is not None:
                return False
        # The destination saves the metadata that it is sent.
        self._forget(instance)
        clean, destroy = self._manager._live_migration_cleanup_flags(
            task.block_migration, task.migrate_data)
        if clean and not task.doubted and destination.presence in (
                Presence.ABSENT, Presence.INCOMING):
            rpcapi = self._manager.compute_rpcapi
            rpcapi.rollback_live_migration_at_destination(
                task.context, instance, task.dest, destroy_disks=destroy,
                migrate_data=task.migrate_data)
        elif destination.presence != Presence.ABSENT:
            self._remove_there(task, instance)
        return self._close(instance)

    def _close(self, instance):
        """Forget a migration once the instance has no task."""
        self._refresh(instance)
        if instance.task_state is not None:
            return False
        host = self._manager.host
        if (instance.system_metadata.get(SOURCE) or host) == host:
            if instance.system_metadata.get(VM_STATE):
                self._unpark(instance)
            self._forget(instance)
            instance.save(expected_task_state=[None])
        return True
