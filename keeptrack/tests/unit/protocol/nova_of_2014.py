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

"""As much of Nova of 2014 as the recovery of live migrations calls.

The modules of legacy/nova are loaded with these stand-ins; everything that
they do to a host is done to a libvirt_model.Migration, and checked there.
"""

import collections
import contextlib
import importlib.util
import pathlib
import sys
import types
from unittest import mock

from keeptrack.tests.unit.protocol import libvirt_model as libvirt

FOLDER = pathlib.Path(__file__).parents[4] / 'legacy' / 'nova'
MIGRATING = 'migrating'


class NovaException(Exception):
    def __init__(self, message=None, **kwargs):
        super().__init__(message or str(kwargs))


class InstanceNotFound(NovaException):
    pass


class InstanceInvalidState(NovaException):
    pass


class UnexpectedTaskStateError(NovaException):
    pass


class MessagingTimeout(Exception):
    pass


class DBError(Exception):
    pass


class LibvirtError(Exception):

    def __init__(self, code):
        super().__init__(code)
        self.code = code

    def get_error_code(self):
        return self.code


NO_SUPPORT, NO_CONNECTION, NO_DOMAIN, NOT_RUNNING = 3, 38, 42, 55


def admin_context(**kwargs):
    """A context with Nova's own rights, and without a user's token."""
    return types.SimpleNamespace(auth_token=None, elevated=admin_context)


def request_context(user_id, project_id, auth_token, **kwargs):
    return types.SimpleNamespace(auth_token=auth_token, elevated=admin_context)


def load():
    """Load the modules of legacy/nova.

    :returns: guest_location, guest_observer, live_migration_recovery
    """
    exceptions = types.SimpleNamespace(
        NovaException=NovaException, InstanceNotFound=InstanceNotFound,
        InstanceInvalidState=InstanceInvalidState,
        MigrationError=type('MigrationError', (NovaException,), {}),
        ComputeHostNotFound=type('ComputeHostNotFound', (NovaException,), {}),
        DestinationDiskExists=type(
            'DestinationDiskExists', (NovaException,), {}),
        ConsoleTypeUnavailable=type(
            'ConsoleTypeUnavailable', (NovaException,), {}))
    names = types.SimpleNamespace(**{
        name.upper(): name for name in (
            'active', 'paused', 'stopped', 'error', 'soft_delete')})
    names.SOFT_DELETED = 'soft-delete'
    stubs = {
        'six': types.SimpleNamespace(text_type=str),
        'oslo_concurrency': types.ModuleType('oslo_concurrency'),
        'oslo_concurrency.lockutils': types.SimpleNamespace(),
        'oslo_messaging': types.SimpleNamespace(
            MessagingTimeout=MessagingTimeout,
            RemoteError=type('RemoteError', (Exception,), {})),
        'nova': types.ModuleType('nova'),
        'nova.context': types.SimpleNamespace(RequestContext=request_context),
        'nova.compute': types.ModuleType('nova.compute'),
        'nova.compute.power_state': types.SimpleNamespace(
            RUNNING=1, SHUTDOWN=4),
        'nova.compute.task_states': types.SimpleNamespace(
            MIGRATING=MIGRATING),
        'nova.compute.utils': types.SimpleNamespace(
            get_nw_info_for_instance=lambda instance: []),
        'nova.compute.vm_states': names,
        'nova.exception': exceptions,
        'nova.i18n': types.SimpleNamespace(
            **{name: str for name in ('_', '_LC', '_LE', '_LI', '_LW')}),
        'nova.objects': types.SimpleNamespace(),
        'nova.servicegroup': types.SimpleNamespace(),
    }
    for name, module in stubs.items():
        parent, _, child = name.rpartition('.')
        if parent:
            setattr(stubs[parent], child, module)
    loaded = []
    with mock.patch.dict(sys.modules, stubs):
        for name in ('compute.guest_location', 'virt.libvirt.guest_observer',
                     'compute.live_migration_recovery'):
            spec = importlib.util.spec_from_file_location(
                'nova.' + name,
                FOLDER.joinpath(*name.split('.')).with_suffix('.py'))
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            setattr(stubs['nova.compute'], name.rpartition('.')[2], module)
            loaded.append(module)
    return loaded


class Instance:
    """nova.objects.Instance, with a row of a database below."""

    FIELDS = ('host', 'node', 'vm_state', 'task_state', 'power_state',
              'progress', 'system_metadata')
    fields = FIELDS

    def __init__(self, cloud):
        self._cloud, self._context = cloud, None
        self.uuid = cloud.uuid
        self.refresh()

    def __getitem__(self, name):
        return getattr(self, name)

    def refresh(self):
        if self._cloud.row is None:
            raise InstanceNotFound(self.uuid)
        self._stored = self._copy(self._cloud.row)
        vars(self).update(self._copy(self._stored))

    def obj_attr_is_set(self, name):
        return name in self.FIELDS

    def obj_reset_changes(self):
        self._stored = self._copy({name: getattr(self, name)
                                   for name in self.FIELDS})

    def update(self, values):
        vars(self).update(values)

    def save(self, expected_task_state=None):
        self._cloud.spoil('database')
        row = self._cloud.row
        if row is None:
            raise InstanceNotFound(self.uuid)
        if expected_task_state is not None and (
                row['task_state'] not in expected_task_state):
            raise UnexpectedTaskStateError(row['task_state'])
        changed = {name: getattr(self, name) for name in self.FIELDS
                   if getattr(self, name) != self._stored[name]}
        row.update(self._copy(dict(row, **changed)))
        self._stored = self._copy(row)

    @staticmethod
    def _copy(row):
        return dict(row, system_metadata=dict(row['system_metadata']))


class Domain:

    STATES = {libvirt.RUNNING: (1, 1), libvirt.PAUSED: (3, 1),
              libvirt.INCOMING: (3, 2)}

    def __init__(self, cloud, host):
        self._cloud, self._host = cloud, host

    def state(self, flags):
        return self.STATES[self._host.domain]

    def jobInfo(self):
        if self._host is self._cloud.truth.source and (
                self._cloud.truth.has_job):
            return [2] + [0] * 11
        return [0] * 12

    def suspend(self):
        self._host.domain = libvirt.PAUSED

    def isPersistent(self):
        return False

    def destroy(self):
        self._cloud.tear_down(self._host)
        self._host.domain = libvirt.ABSENT


class Cloud:
    """Two hosts, a database, and messages between services.

    :ivar truth: libvirt_model.Migration
    :ivar row: of the database; None once it was deleted (dict)
    :ivar broken: what fails until it is repaired, of 'database', 'cinder',
        'neutron', 'token', 'source rpc', 'destination rpc' (set)
    :ivar reached: the host that the destination's address leads to (str)
    :ivar wrongs: what has been done that must never be (list)
    """

    def __init__(self, modules, user_paused, copied, volume):
        self.location, self.observer_module, self.recovery_module = modules
        self.uuid, self.volume, self.copied = 'uuid', volume, copied
        self.truth = libvirt.Migration(user_paused)
        self.broken, self.reached = set(), 'dest'
        self.messages = collections.deque()
        self.wrongs = []
        self.row = {
            'host': 'source', 'node': 'source.node', 'progress': 0,
            'vm_state': 'paused' if user_paused else 'active',
            'task_state': MIGRATING, 'power_state': 1, 'system_metadata': {}}
        self.locked = False
        self.context = types.SimpleNamespace(auth_token='token',
                                             elevated=admin_context)
        self.shared = dict.fromkeys(
            ('is_shared_instance_path', 'is_shared_block_storage'),
            not copied)
        self._patch()
        self.source = Manager(self, 'source', self.truth.source)
        self.dest = Manager(self, 'dest', self.truth.destination)

    def _patch(self):
        module = self.recovery_module

        def get_by_uuid(context, uuid, **kwargs):
            return Instance(self)

        def get_service(context, host):
            return host

        module.objects.Instance = types.SimpleNamespace(
            get_by_uuid=get_by_uuid)
        module.objects.InstanceList = types.SimpleNamespace(
            get_by_host=lambda context, host, **kwargs: [
                Instance(self)] if self.row and (
                    self.row['host'] == host) else [],
            get_by_filters=lambda context, filters: [
                Instance(self)] if self.row else [])
        module.objects.BlockDeviceMappingList = types.SimpleNamespace(
            get_by_instance_uuid=lambda context, uuid: [
                types.SimpleNamespace(volume_id='volume', is_volume=True)
            ] * self.volume)
        module.objects.InstanceFault = mock.Mock()
        module.objects.Service = types.SimpleNamespace(
            get_by_compute_host=get_service)
        module.servicegroup.API = lambda: types.SimpleNamespace(
            service_is_up=lambda host: (
                host == 'source' or 'destination rpc' not in self.broken))
        module.lockutils.lock = self._lock
        module.greenthread = types.SimpleNamespace(
            spawn=lambda function: function())
        module.CONF = types.SimpleNamespace(
            resume_guests_state_on_host_boot=False)
        self.observer_module.CONF = types.SimpleNamespace(
            libvirt=types.SimpleNamespace(live_migration_uri='qemu://%s'))

    @contextlib.contextmanager
    def _lock(self, name):
        if self.locked:
            self.wrongs.append('a deadlock')
            raise AssertionError('a deadlock')
        self.locked = True
        try:
            yield
        finally:
            self.locked = False

    def spoil(self, what):
        if what in self.broken:
            raise DBError(what)

    def tear_down(self, host):
        """Check that the guest does not run on a host to be torn down."""
        if host.domain == libvirt.RUNNING:
            self.wrongs.append(
                'tore down the %s, where the guest runs' % (
                    'source' if host is self.truth.source else 'destination'))

    def instance(self):
        return Instance(self)

    def domains(self):
        return self.truth.source.domain, self.truth.destination.domain

    # libvirt

    openReadOnly = property(lambda self: self.connect)
    open = property(lambda self: self.connect)
    libvirtError = LibvirtError
    VIR_ERR_NO_DOMAIN = NO_DOMAIN
    VIR_ERR_OPERATION_INVALID = NOT_RUNNING
    VIR_ERR_NO_SUPPORT = NO_SUPPORT

    def connect(self, uri):
        name = 'source'
        if uri != 'local':
            name = self.reached
        host = {'source': self.truth.source,
                'dest': self.truth.destination}.get(name)
        if host is not None and host.libvirtd != libvirt.UP:
            raise LibvirtError(NO_CONNECTION)
        connection = mock.Mock(spec=[
            'setKeepAlive', 'getHostname', 'lookupByUUIDString', 'close'])
        connection.getHostname.return_value = name + '.node'
        connection.lookupByUUIDString.side_effect = (
            lambda uuid: self._look_up(host))
        return connection

    def _look_up(self, host):
        if host is None or host.domain == libvirt.ABSENT:
            raise LibvirtError(NO_DOMAIN)
        return Domain(self, host)

    # RPC

    def deliver(self, number):
        """Let the destination serve one of the messages that wait for it."""
        method, args = self.messages[number]
        del self.messages[number]
        with contextlib.suppress(NovaException, DBError, LibvirtError):
            method(*args)


class Rpc:
    """nova.compute.rpcapi.ComputeAPI, to the destination."""

    def __init__(self, cloud):
        self._cloud = cloud
        self.client = self

    def can_send_version(self, version):
        return True

    def _compat_ver(self, current, legacy):
        return current

    def prepare(self, **kwargs):
        return self

    def call(self, context, method, **kwargs):
        if 'destination rpc' in self._cloud.broken:
            raise MessagingTimeout()
        domain = self._cloud.truth.destination.domain
        if domain == libvirt.ABSENT:
            raise InstanceNotFound('uuid')
        if method == 'get_instance_diagnostics' and (
                domain != libvirt.RUNNING):
            raise InstanceInvalidState(domain)

    def post_live_migration_at_destination(self, context, instance, block,
                                           host):
        self._cloud.messages.append((self._cloud.dest.take_over, ()))

    def rollback_live_migration_at_destination(
            self, context, instance, host, destroy_disks=True,
            migrate_data=None):
        self._cloud.messages.append((self._cloud.dest.clean_up, ()))

    def remove_volume_connection(self, context, instance, volume_id, host):
        if 'destination rpc' in self._cloud.broken:
            raise MessagingTimeout()
        self._cloud.tear_down(self._cloud.truth.destination)
        self._cloud.spoil('cinder')


class Manager:
    """nova.compute.manager.ComputeManager, as the series changes it."""

    def __init__(self, cloud, name, host):
        self._cloud, self._host = cloud, host
        self.host = name
        self.driver = types.SimpleNamespace(
            unpause=self._unpause,
            ensure_filtering_rules_for_instance=lambda *args: None)
        self.compute_rpcapi = Rpc(cloud)
        self.network_api = types.SimpleNamespace(
            setup_networks_on_host=lambda *args: cloud.spoil('neutron'))
        self.start()

    def start(self):
        observer = self._cloud.observer_module.GuestObserver(
            self._cloud, 'local')
        # Whoever does not answer raises at once.
        observer._ask = lambda host, function, *args: function(*args)
        self.driver.guest_observer = observer
        self.recovery = self._cloud.recovery_module.LiveMigrationRecovery(
            self)

    def _unpause(self, instance):
        if self._host.libvirtd != libvirt.UP:
            raise LibvirtError(NO_CONNECTION)
        if self._cloud.truth.destination.domain == libvirt.RUNNING:
            self._cloud.wrongs.append('resumed the guest a second time')
        self._host.domain = libvirt.RUNNING

    def _get_compute_info(self, context, host):
        return types.SimpleNamespace(hypervisor_hostname=host + '.node')

    def _get_power_state(self, context, instance):
        if self._host.libvirtd != libvirt.UP:
            raise LibvirtError(NO_CONNECTION)
        return 1 if self._host.domain == libvirt.RUNNING else 4

    def _live_migration_cleanup_flags(self, block_migration, migrate_data):
        copied = block_migration or not migrate_data.get(
            'is_shared_instance_path', True)
        return copied, copied

    def _init_instance(self, context, instance):
        if self.recovery.defer_start(instance):
            return
        if instance.task_state == MIGRATING:
            instance.task_state = None
            instance.save(expected_task_state=[MIGRATING])

    def _post_live_migration(self, context, instance, dest, block, data):
        self._cloud.tear_down(self._host)
        if self._cloud.volume:
            self._cloud.spoil('cinder')
            if not context.auth_token or 'token' in self._cloud.broken:
                raise DBError('token')
        self._cloud.spoil('neutron')
        self.compute_rpcapi.post_live_migration_at_destination(
            context, instance, block, dest)

    def _rollback_live_migration(self, context, instance, dest, block,
                                 migrate_data=None):
        if self.recovery.recover(instance, dest, migrate_data):
            return
        instance.vm_state, instance.task_state = 'active', None
        instance.save(expected_task_state=[MIGRATING])
        self.network_api.setup_networks_on_host(context, instance, self.host)
        if self._cloud.volume:
            self.compute_rpcapi.remove_volume_connection(
                context, instance, 'volume', dest)
        if self._live_migration_cleanup_flags(block, migrate_data)[0]:
            self.compute_rpcapi.rollback_live_migration_at_destination(
                context, instance, dest)

    def take_over(self):
        """post_live_migration_at_destination"""
        instance = self._cloud.instance()
        self._cloud.spoil('neutron')
        instance.host, instance.node = 'dest', 'dest.node'
        instance.vm_state, instance.task_state = 'active', None
        instance.save(expected_task_state=[MIGRATING])

    def clean_up(self):
        """rollback_live_migration_at_destination"""
        if self.recovery.is_here(self._cloud.context, self._cloud.instance()):
            return
        self._cloud.tear_down(self._host)
        self._host.domain = libvirt.ABSENT
