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


"""What differs in Nova 2014.2 (Juno).

An adapter has the methods that this class documents; another generation's is
made of this one, or has the same.
"""

import collections
import functools
import importlib
import json
import logging
import os

from inside import driver_juno
from inside import patient_sqlite
from inside import replaced

# what a process imports later than need be, so that starts are quick
_LAZY = (
    'libvirt', 'nova.conductor.manager', 'nova.conductor.tasks.live_migrate',
    'nova.compute.manager', 'nova.db.sqlalchemy.api',
    'nova.db.sqlalchemy.migration', 'nova.network.neutronv2.api',
    'nova.service', 'nova.servicegroup.drivers.db',
    'nova.virt.libvirt.driver', 'nova.virt.libvirt.imagebackend',
    'nova.scheduler.client.query', 'nova.scheduler.client.report',
    'nova.image.glance', 'sqlalchemy.dialects.sqlite',
)

# what RPC needs of oslo.messaging: the package, its _drivers.base and .common
Messaging = collections.namedtuple('Messaging', 'package base common')

_POWER_STATES = {'pending': 0, 'running': 1, 'paused': 3, 'shutdown': 4,
                 'crashed': 6, 'suspended': 7}


class Adapter(object):
    """Nova 2014.2."""

    config_module = 'oslo.config.cfg'
    messaging_package = 'oslo.messaging'
    jsonutils_module = 'nova.openstack.common.jsonutils'
    timeutils_module = 'nova.openstack.common.timeutils'
    lazy = _LAZY
    driver_module = driver_juno

    # -- once in the server that forks

    def import_nova(self):
        """Import what a nova-compute needs; run nothing of it."""
        # this one replaces the standard library's modules by green ones
        importlib.import_module('nova.cmd')
        importlib.import_module('nova.cmd.compute')
        for name in self.lazy:
            importlib.import_module(name)
        self.conf = importlib.import_module(self.config_module).CONF
        orm = importlib.import_module('sqlalchemy.orm')
        orm.configure_mappers()
        importlib.import_module('nova.objects').register_all()
        self._import_hypervisor()

    def _import_hypervisor(self):
        driver = importlib.import_module('nova.virt.libvirt.driver')
        driver.libvirt = importlib.import_module('libvirt')

    @property
    def libvirt(self):
        """libvirt's binding, as the driver uses it."""
        return importlib.import_module('libvirt')

    # -- once in each process

    def messaging(self):
        """What is needed of oslo.messaging: a Messaging."""
        name = self.messaging_package
        return Messaging(
            importlib.import_module(name),
            importlib.import_module(name + '._drivers.base'),
            importlib.import_module(name + '._drivers.common'))

    @property
    def jsonutils(self):
        """oslo's jsonutils."""
        return importlib.import_module(self.jsonutils_module)

    def configure(self, values, exchange=None):
        """Set Nova's options.

        :param values: group to option to value (dict of dict)
        :param exchange: transport.Exchange; None where there is no RPC
        :returns: options that this Nova does not have (list of str)
        """
        rpc = importlib.import_module('nova.rpc')
        config = importlib.import_module('nova.config')
        if exchange is None:
            rpc.init = lambda conf: None
        else:
            self.messaging().package.get_transport = self.driver_module.make(
                self.messaging(), exchange)
        config.parse_args(['nova-compute'], default_config_files=[])
        # oslo.messaging knows its own no sooner than it makes a client
        self.conf.register_opts(importlib.import_module(
            self.messaging_package + '.rpc.client')._client_opts)
        return self._override(values)

    def _override(self, values):
        """Set options; those that this Nova does not have (list of str)."""
        cfg = importlib.import_module(self.config_module)
        unknown = []
        for group, options in values.items():
            for name, value in options.items():
                try:
                    self.conf.set_override(
                        name, value, None if group == 'DEFAULT' else group)
                except (cfg.NoSuchOptError, cfg.NoSuchGroupError):
                    unknown.append('%s.%s' % (group, name))
        return unknown

    def set_up_logging(self):
        """Log as the options say."""
        importlib.import_module('nova.openstack.common.log').setup('nova')

    def options(self, spec):
        """Nova's options for a process.

        :param spec: see nova_compute.run()
        :returns: group to option to value (dict of dict)
        """
        folder = spec['folder']
        tree = os.path.dirname(os.path.dirname(
            importlib.import_module('nova').__file__))
        return {
            'DEFAULT': {
                'host': spec['host'],
                'my_ip': '127.0.0.1',
                'state_path': os.path.join(folder, 'state'),
                'lock_path': os.path.join(folder, 'locks-' + spec['role']),
                'instances_path': spec['instances'],
                'instance_name_template': spec['name'],
                'log_file': spec['log'],
                'use_stderr': False,
                'debug': True,
                'verbose': True,
                'compute_driver': 'libvirt.LibvirtDriver',
                'network_api_class': 'inside.replaced.Network',
                'volume_api_class': 'inside.replaced.Volume',
                'firewall_driver': 'inside.replaced.Firewall',
                'policy_file': os.path.join(tree, 'etc/nova/policy.json'),
                'vnc_enabled': False,
                'periodic_fuzzy_delay': 0,
                'rpc_response_timeout': 4,
            },
            'conductor': {'use_local': True},
            'database': self.database_options(spec['database'])['database'],
            'libvirt': {
                'virt_type': spec['virt_type'],
                'cpu_mode': 'none',
                'live_migration_uri': 'qemu+tcp://%s/system',
                'live_migration_bandwidth': 2,
                'inject_partition': -2,
            },
        }

    @staticmethod
    def database_options(path):
        """The options that say where a Nova's databases are.

        :param path: of the one with the instances; others, where it has more,
            are beside it (str)
        :returns: group to option to value (dict of dict)
        """
        return {'database': {'connection': 'sqlite:///' + path}}

    def replace_services(self, spec, recorder):
        """Do without the services around Nova.

        :param spec: see nova_compute.run()
        :param recorder: recorder.Recorder
        """
        replaced.use(recorder, self.hydrate_network_info, spec['hosts'])
        self._replace_images('nova.image.api')

    @staticmethod
    def _replace_images(module):
        importlib.import_module(module).API.get = (
            lambda api, context, image, **kwargs: {
                'id': image, 'name': 'drill', 'status': 'active', 'size': 0,
                'disk_format': 'raw', 'container_format': 'bare',
                'min_ram': 0, 'min_disk': 0, 'properties': {}})

    def hydrate_network_info(self, vifs):
        """Nova's network info of a list of dict."""
        model = importlib.import_module('nova.network.model')
        return model.NetworkInfo.hydrate(vifs)

    def make_service(self):
        """Make the service object of a nova-compute, with its manager."""
        service = importlib.import_module('nova.service')
        return service.Service.create(
            binary='nova-compute', topic=self.conf.compute_topic,
            db_allowed=True)

    @property
    def manager_class(self):
        """The class of the manager."""
        return importlib.import_module('nova.compute.manager').ComputeManager

    @property
    def driver_class(self):
        """The class of the driver."""
        return importlib.import_module(
            'nova.virt.libvirt.driver').LibvirtDriver

    def transition_name(self, event):
        """A short name for what a lifecycle event tells (str)."""
        return event.get_name().lower()

    def fit_periodic_tasks(self, wanted):
        """Leave a manager the periodic tasks that are wanted.

        :param wanted: name to seconds between two of it (dict)
        """
        manager = self.manager_class
        manager._periodic_tasks = [
            (name, task) for name, task in manager._periodic_tasks
            if name in wanted]
        manager._periodic_spacing = {
            name: wanted[name] for name, _task in manager._periodic_tasks}

    @staticmethod
    def set_clocks(clocks):
        """Shorten the times that the series has as constants.

        :param clocks: module to constant to seconds (dict of dict); modules
            that this tree lacks are skipped
        """
        for name, constants in clocks.items():
            try:
                module = importlib.import_module(name)
            except ImportError:
                continue
            for constant, seconds in constants.items():
                if not hasattr(module, constant):
                    raise AttributeError('%s has no %s' % (name, constant))
                setattr(module, constant, seconds)

    @property
    def recovery_class(self):
        """The class that ends live migrations, None without the series."""
        try:
            return importlib.import_module(
                'nova.compute.live_migration_recovery').LiveMigrationRecovery
        except ImportError:
            return None

    def fit_driver(self, driver, spec):
        """Take from a driver what needs real networks and volumes.

        :param driver: a LibvirtDriver
        :param spec: see nova_compute.run()
        """
        vconfig = importlib.import_module('nova.virt.libvirt.config')

        def interface(vif):
            conf = vconfig.LibvirtConfigGuestInterface()
            conf.net_type = 'bridge'
            conf.mac_addr = vif['address']
            conf.source_dev = vif['network']['bridge']
            return conf

        def disk(connection, disk_info):
            conf = vconfig.LibvirtConfigGuestDisk()
            conf.source_type = 'block'
            conf.source_device = 'disk'
            conf.source_path = connection['data']['device_path']
            conf.driver_name = 'qemu'
            conf.driver_format = 'raw'
            conf.driver_cache = 'none'
            conf.target_dev = disk_info['dev']
            conf.target_bus = disk_info['bus']
            conf.serial = connection['serial']
            return conf

        self._fit_devices(driver, interface, disk)
        driver.get_volume_connector = lambda instance: {
            'ip': self.conf.my_ip, 'host': self.conf.host}
        self._set_lifecycle_delay(driver, spec['lifecycle_delay'])
        self._give_xml(driver, spec['xml'])

    def _fit_devices(self, driver, interface, disk):
        driver.vif_driver = replaced.Vif(interface)
        replaced.VolumeDriver.register(driver.volume_drivers, disk)
        # the guest has no disks; see also libvirt_calls
        driver._get_disk_xml = lambda xml, device: '<disk/>'

    @staticmethod
    def _set_lifecycle_delay(driver, seconds):
        driver._lifecycle_delay = seconds

    @staticmethod
    def _give_xml(driver, xml):
        """Have the driver describe the guest as the kit does.

        Its own description has the disks and the interface that are not
        really there.  It is made all the same, with all that comes of it.
        """
        make = driver._get_guest_xml

        @functools.wraps(make)
        def get_guest_xml(*args, **kwargs):
            made = make(*args, **kwargs)
            return xml or made
        driver._get_guest_xml = get_guest_xml

    # -- the database

    def migrate_database(self):
        """Bring the database of the options to the tree's schema."""
        logging.getLogger('migrate').setLevel(logging.WARNING)
        importlib.import_module('nova.db.migration').db_sync()

    def share_database(self):
        """Share the database with other processes from now on."""
        patient_sqlite.use()

    def make_rows(self, spec):
        """Make the rows of a run: both services, and the instance.

        :param spec: uuid, hosts (role to name), vm_state, power_state,
            volumes (dict)
        """
        context = self.admin_context()
        db = importlib.import_module('nova.db')
        for host in spec['hosts'].values():
            db.service_create(context, {
                'host': host, 'binary': 'nova-compute', 'topic': 'compute',
                'report_count': 1})
        flavor = db.flavor_get_by_name(context, 'm1.small')
        db.instance_create(context, self._instance(spec, flavor))
        for number in range(spec['volumes']):
            volume = replaced.volume_id(number)
            db.block_device_mapping_create(context, {
                'instance_uuid': spec['uuid'], 'source_type': 'volume',
                'destination_type': 'volume', 'device_type': 'disk',
                'disk_bus': 'virtio', 'boot_index': number if not number
                else -1, 'volume_id': volume, 'volume_size': 1,
                'device_name': '/dev/vd' + 'abcdefgh'[number],
                'delete_on_termination': False, 'connection_info':
                json.dumps(replaced.connection_info(volume)),
            }, legacy=False)

    def _instance(self, spec, flavor):
        flavors = importlib.import_module('nova.compute.flavors')
        timeutils = importlib.import_module(self.timeutils_module)
        host = spec['hosts']['source']
        return {
            'uuid': spec['uuid'], 'host': host, 'node': host,
            'launched_on': host, 'launched_at': timeutils.utcnow(),
            'vm_state': spec['vm_state'], 'task_state': None,
            'power_state': _POWER_STATES[spec['power_state']],
            'user_id': 'drill', 'project_id': 'drill',
            'hostname': 'drill', 'display_name': 'drill',
            'memory_mb': flavor['memory_mb'], 'vcpus': flavor['vcpus'],
            'root_gb': flavor['root_gb'], 'ephemeral_gb': 0,
            'instance_type_id': flavor['id'], 'image_ref': '',
            'root_device_name': '/dev/vda', 'config_drive': '',
            'architecture': 'x86_64', 'os_type': 'linux',
            'reservation_id': 'r-drill', 'launch_index': 0,
            'system_metadata': flavors.save_flavor_info({}, flavor),
            'info_cache': {'network_info': json.dumps(
                replaced.network_info())},
        }

    def admin_context(self):
        """A context that may do everything."""
        return importlib.import_module('nova.context').get_admin_context()

    # -- the migration

    def migrate(self, spec):
        """Do what the API and the conductor do for a live migration.

        :param spec: uuid and destination (dict)
        """
        objects = importlib.import_module('nova.objects')
        manager = importlib.import_module('nova.conductor.manager')
        live_migrate = importlib.import_module(
            'nova.conductor.tasks.live_migrate')
        # Nova moves no paused guest, but a guest may be paused on the way
        live_migrate.LiveMigrationTask._check_instance_is_running = (
            lambda task: None)
        instance = objects.Instance.get_by_uuid(
            self.admin_context(), spec['uuid'])
        instance.task_state = 'migrating'
        instance.save(expected_task_state=[None])
        manager.ComputeTaskManager()._live_migrate(
            self.admin_context(), instance, {'host': spec['destination']},
            False, False)
