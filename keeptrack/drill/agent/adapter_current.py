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


"""What differs in Nova 20 to 34 (Train to 2026.2)."""

import importlib
import os

from agent import adapter
from agent import database_rows_current
from agent import fake_services
from agent import fake_services_current
from agent import messaging_driver

# what a process imports later than need be, so that starts are quick
_LAZY = (
    'libvirt', 'nova.conductor.manager', 'nova.conductor.tasks.live_migrate',
    'nova.compute.manager', 'nova.db.migration', 'nova.service',
    'nova.servicegroup.drivers.db', 'nova.virt.libvirt.driver',
    'nova.virt.libvirt.imagebackend', 'nova.scheduler.client.query',
    'nova.scheduler.client.report', 'nova.volume.cinder', 'nova.privsep',
    'sqlalchemy.dialects.sqlite', 'oslo_messaging._drivers.impl_fake',
)


class Adapter(adapter.Adapter):
    """Nova 24 to 34.

    :cvar database_modules: those that are to be configured (tuple of str)
    :cvar network_module: where its API of Neutron is (str)
    :cvar image_module: where its API of Glance is (str)
    """

    config_module = 'oslo_config.cfg'
    messaging_package = 'oslo_messaging'
    jsonutils_module = 'oslo_serialization.jsonutils'
    messaging_driver = staticmethod(messaging_driver.current)
    database_modules = ('nova.db.main.api', 'nova.db.api.api')
    network_module = 'nova.network.neutron'
    image_module = 'nova.image.glance'

    @property
    def lazy(self):
        return _LAZY + self.database_modules + (
            self.network_module, self.image_module)

    def import_nova(self):
        importlib.import_module('nova.cmd.compute')
        # as nova-compute does, before it imports its manager
        importlib.import_module('nova.objects').register_all()
        super().import_nova()

    def _import_hypervisor(self):
        super()._import_hypervisor()
        # the driver leaves what it knows of libvirt to these
        for name in ('host', 'guest', 'migration'):
            module = importlib.import_module('nova.virt.libvirt.' + name)
            module.libvirt = importlib.import_module('libvirt')

    def configure(self, values, exchange=None):
        config = importlib.import_module('nova.config')
        rpc = importlib.import_module('nova.rpc')
        package = self.messaging().package
        config.parse_args(['nova-compute'], default_config_files=[],
                          configure_db=False, init_rpc=False)
        # oslo.messaging knows its own no sooner than it is asked
        package.TransportURL.parse(self.conf)
        self.conf.register_opts(importlib.import_module(
            self.messaging_package + '.rpc.client')._client_opts)
        unknown = self._override(values)
        # for notifications, and where there is no RPC: nothing leaves this
        # process, and nobody listens in it
        self.conf.set_override('transport_url', 'fake:/')
        if exchange is not None:
            package.get_rpc_transport = self.messaging_driver(
                self.messaging(), exchange)
        rpc.init(self.conf)
        for name in self.database_modules:
            importlib.import_module(name).configure(self.conf)
        return unknown

    def set_up_logging(self):
        importlib.import_module('oslo_log.log').setup(self.conf, 'nova')

    def options(self, spec):
        options = super().options(spec)
        options['DEFAULT'].update({
            'state_path': database_rows_current.state_folder(
                spec, spec['role']),
            'vif_plugging_timeout': 0,
            'reserved_host_memory_mb': 0,
            'ram_allocation_ratio': 16.0,
        })
        options['libvirt'].update({
            'live_migration_permit_post_copy': False,
            'live_migration_permit_auto_converge': False,
            'live_migration_with_native_tls': False,
        })
        options.update(self.database_options(spec['database']), **{
            'compute': {'live_migration_wait_for_vif_plug': False},
            'filter_scheduler': {'track_instance_changes': False},
            'oslo_concurrency': {'lock_path': os.path.join(
                spec['folder'], 'locks-' + spec['role'])},
            'vnc': {'enabled': False},
            'spice': {'enabled': False},
            'workarounds': {
                'disable_rootwrap': True,
                # of a processor that is itself emulated libvirt may say that
                # it is not even compatible with itself
                'skip_cpu_compare_on_dest': True},
        })
        return options

    @staticmethod
    def database_options(path):
        return {'database': {'connection': 'sqlite:///' + path},
                'api_database': {'connection': 'sqlite:///' + os.path.join(
                    os.path.dirname(path), 'nova_api.sqlite')}}

    def replace_services(self, spec, recorder):
        fake_services.use(recorder, self.hydrate_network_info, spec['hosts'])
        fake_services_current.use(
            database_rows_current.ledger_of(spec),
            importlib.import_module('nova.exception').VolumeAttachmentNotFound)
        importlib.import_module(self.network_module).API = (
            fake_services_current.Network)
        importlib.import_module('nova.volume.cinder').API = (
            fake_services_current.Volume)
        report = importlib.import_module('nova.scheduler.client.report')
        report.SchedulerReportClient = fake_services_current.Placement
        report.report_client_singleton = fake_services_current.Placement
        # nobody asks what a host has to give
        tracker = importlib.import_module('nova.compute.resource_tracker')
        tracker.ResourceTracker._update_to_placement = (
            lambda *args, **kwargs: None)
        self._replace_images(self.image_module)
        # this process may do all that Nova's own daemon of root's may
        privsep = importlib.import_module('nova.privsep')
        privsep.sys_admin_pctxt.set_client_mode(False)

    def make_service(self):
        rpcapi = importlib.import_module('nova.compute.rpcapi')
        service = importlib.import_module('nova.service')
        objects = importlib.import_module('nova.objects')
        objects.Service.enable_min_version_cache()
        topics = {'topic': rpcapi.RPC_TOPIC}
        if hasattr(rpcapi, 'RPC_TOPIC_ALT'):
            # for what has to go on while the service is shut down
            topics['topic_alt'] = rpcapi.RPC_TOPIC_ALT
        return service.Service.create(binary='nova-compute', **topics)

    def fit_driver(self, driver, spec):
        super().fit_driver(driver, spec)
        if 'skip_cpu_compare_on_dest' not in self.conf.workarounds:
            # see options(): it came with 25.1.0
            driver._compare_cpu = lambda *args, **kwargs: None
        disk = spec.get('disk') or {}
        if 'xml' in disk:
            self._describe_volume(driver, disk['xml'])
        if disk.get('unsafe'):
            self._allow_unsafe(driver)

    @staticmethod
    def _describe_volume(driver, xml):
        """Have volumes described as the guest's disk really is."""
        etree = importlib.import_module('lxml.etree')
        volumes = driver._get_volume_driver(None)
        make = volumes.get_config

        def get_config(connection, disk_info):
            conf = make(connection, disk_info)
            conf.format_dom = lambda: etree.fromstring(xml)
            return conf
        volumes.get_config = get_config

    def _allow_unsafe(self, driver):
        """Let libvirt migrate a guest whose disk it takes for local."""
        parse = driver._parse_migration_flags

        def parse_migration_flags():
            parse()
            driver._live_migration_flags |= self.libvirt.VIR_MIGRATE_UNSAFE
        driver._parse_migration_flags = parse_migration_flags

    def _fit_devices(self, driver, interface, disk):
        driver.vif_driver = fake_services.Vif(interface)
        volumes = fake_services.VolumeDriver(disk)
        driver._get_volume_driver = lambda connection: volumes

        # the guest has no disks
        def detach(*args, **kwargs):
            fake_services.tell('teardown', 'disk-detached',
                               'disk detached from the guest')
        driver._detach_with_retry = detach

    @staticmethod
    def _set_lifecycle_delay(driver, seconds):
        host = driver._host
        if hasattr(host, '_lifecycle_delay'):
            host._lifecycle_delay = seconds
            return
        begin = host._init_events

        # who delays them is made no sooner
        def init_events():
            begin()
            host._delayed_executor._delay = seconds
        host._init_events = init_events

    # -- the database

    def migrate_database(self):
        migration = importlib.import_module('nova.db.migration')
        for name in ('main', 'api'):
            migration.db_sync(database=name)

    def make_rows(self, spec):
        fake_services.use(None, self.hydrate_network_info, spec['hosts'])
        database_rows_current.make(self.admin_context(), spec,
                                   self.conf.database.connection)

    # -- the migration

    def migrate(self, spec):
        """Do what the API and the conductor do.

        The destination is forced, so that no scheduler has to choose it.
        """
        objects = importlib.import_module('nova.objects')
        manager = importlib.import_module('nova.conductor.manager')
        context = importlib.import_module('nova.context').RequestContext(
            'drill', 'drill', is_admin=True)
        instance = objects.Instance.get_by_uuid(context, spec['uuid'])
        instance.task_state = 'migrating'
        instance.save(expected_task_state=[None])
        objects.InstanceAction.action_start(
            context, spec['uuid'], 'live-migration', want_result=False)
        manager.ComputeTaskManager()._live_migrate(
            context, instance, {'host': spec['destination']}, None, None,
            None)


class Wallaby(Adapter):
    """Nova 21 to 23."""

    database_modules = ('nova.db.sqlalchemy.api',)


class Train(Wallaby):
    """Nova 20."""

    network_module = 'nova.network.neutronv2.api'
    image_module = 'nova.image.api'
