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


"""What the adapters of all generations of Nova have in common.

An adapter knows one generation of Nova.
"""

import collections
import functools
import importlib

from agent import shared_sqlite

# what RPC needs of oslo.messaging: the package, its _drivers.base and .common
Messaging = collections.namedtuple('Messaging', 'package base common')


class Adapter(object):
    """One generation of Nova.

    :cvar config_module: where its CONF is (str)
    :cvar messaging_package: oslo.messaging (str)
    :cvar jsonutils_module: oslo's jsonutils (str)
    :cvar lazy: modules that a process imports later than need be; imported
        before it is forked, so that it starts quickly (tuple of str)
    :cvar messaging_driver: makes what oslo.messaging gets its transport from;
        see messaging_driver
    """

    config_module = None
    messaging_package = None
    jsonutils_module = None
    lazy = ()
    messaging_driver = None

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
        :param exchange: rpc.Exchange; None where there is no RPC
        :returns: options that this Nova does not have (list of str)
        """
        raise NotImplementedError()

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
        raise NotImplementedError()

    def options(self, spec):
        """Nova's options for a process.

        :param spec: see nova_process.run()
        :returns: group to option to value (dict of dict)
        """
        return {
            'DEFAULT': {
                'host': spec['host'],
                'my_ip': '127.0.0.1',
                'instances_path': spec['instances'],
                'instance_name_template': spec['name'],
                'log_file': spec['log'],
                'use_stderr': False,
                'debug': True,
                'compute_driver': 'libvirt.LibvirtDriver',
                'periodic_fuzzy_delay': 0,
            },
            'libvirt': {
                'virt_type': spec['virt_type'],
                'cpu_mode': 'none',
                'live_migration_uri': 'qemu+tcp://%s/system',
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
        raise NotImplementedError()

    def replace_services(self, spec, recorder):
        """Do without the services around Nova.

        :param spec: see nova_process.run()
        :param recorder: recorder.Recorder
        """
        raise NotImplementedError()

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
        raise NotImplementedError()

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
        :param spec: see nova_process.run()
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
        """Have the driver describe and connect networks and volumes so.

        :param interface: describes an interface to libvirt
        :param disk: describes a volume to libvirt
        """
        raise NotImplementedError()

    @staticmethod
    def _set_lifecycle_delay(driver, seconds):
        """Set for how long the driver holds back that a guest stopped."""
        raise NotImplementedError()

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
        raise NotImplementedError()

    def share_database(self):
        """Share the database with other processes from now on."""
        shared_sqlite.use()

    def make_rows(self, spec):
        """Make the rows of a run: both services, and the instance.

        :param spec: uuid, hosts (role to name), vm_state, power_state (dict)
        """
        raise NotImplementedError()

    def admin_context(self):
        """A context that may do everything."""
        return importlib.import_module('nova.context').get_admin_context()

    # -- the migration

    def migrate(self, spec):
        """Do what the API and the conductor do for a live migration.

        :param spec: uuid and destination (dict)
        """
        raise NotImplementedError()
