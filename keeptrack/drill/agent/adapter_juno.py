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


"""What differs in Nova 2014.2 (Juno) and 2015.1 (Kilo)."""

import importlib
import json
import logging
import os

from agent import adapter
from agent import fake_services
from agent import fake_services_juno
from agent import messaging_driver

_LAZY = (
    'libvirt', 'nova.conductor.manager', 'nova.conductor.tasks.live_migrate',
    'nova.compute.manager', 'nova.db.sqlalchemy.api',
    'nova.db.sqlalchemy.migration', 'nova.network.neutronv2.api',
    'nova.service', 'nova.servicegroup.drivers.db',
    'nova.virt.libvirt.driver', 'nova.virt.libvirt.imagebackend',
    'nova.scheduler.client.query', 'nova.scheduler.client.report',
    'nova.image.glance', 'sqlalchemy.dialects.sqlite',
)

_POWER_STATES = {'pending': 0, 'running': 1, 'paused': 3, 'shutdown': 4,
                 'crashed': 6, 'suspended': 7}


class Adapter(adapter.Adapter):
    """Nova 2014.2."""

    config_module = 'oslo.config.cfg'
    messaging_package = 'oslo.messaging'
    jsonutils_module = 'nova.openstack.common.jsonutils'
    timeutils_module = 'nova.openstack.common.timeutils'
    lazy = _LAZY
    messaging_driver = staticmethod(messaging_driver.juno)

    def configure(self, values, exchange=None):
        rpc = importlib.import_module('nova.rpc')
        config = importlib.import_module('nova.config')
        if exchange is None:
            rpc.init = lambda conf: None
        else:
            messaging = self.messaging()
            messaging.package.get_transport = self.messaging_driver(
                messaging, exchange)
        config.parse_args(['nova-compute'], default_config_files=[])
        # oslo.messaging knows its own no sooner than it makes a client
        self.conf.register_opts(importlib.import_module(
            self.messaging_package + '.rpc.client')._client_opts)
        return self._override(values)

    def set_up_logging(self):
        importlib.import_module('nova.openstack.common.log').setup('nova')

    def options(self, spec):
        tree = os.path.dirname(os.path.dirname(
            importlib.import_module('nova').__file__))
        options = super(Adapter, self).options(spec)
        options['DEFAULT'].update({
            'state_path': os.path.join(spec['folder'], 'state'),
            'lock_path': os.path.join(spec['folder'],
                                      'locks-' + spec['role']),
            'verbose': True,
            'network_api_class': 'agent.fake_services_juno.Network',
            'volume_api_class': 'agent.fake_services_juno.Volume',
            'firewall_driver': 'agent.fake_services_juno.Firewall',
            'policy_file': os.path.join(tree, 'etc/nova/policy.json'),
            'vnc_enabled': False,
        })
        options.update(self.database_options(spec['database']),
                       conductor={'use_local': True})
        return options

    @staticmethod
    def database_options(path):
        return {'database': {'connection': 'sqlite:///' + path}}

    def replace_services(self, spec, recorder):
        fake_services.use(recorder, self.hydrate_network_info, spec['hosts'])
        self._replace_images('nova.image.api')

    def make_service(self):
        service = importlib.import_module('nova.service')
        return service.Service.create(
            binary='nova-compute', topic=self.conf.compute_topic,
            db_allowed=True)

    def _fit_devices(self, driver, interface, disk):
        driver.vif_driver = fake_services.Vif(interface)
        driver.volume_drivers[fake_services.VOLUME_TYPE] = (
            fake_services_juno.VolumeDriver(disk))
        # the guest has no disks; see also libvirt_calls
        driver._get_disk_xml = lambda xml, device: '<disk/>'

    @staticmethod
    def _set_lifecycle_delay(driver, seconds):
        driver._lifecycle_delay = seconds

    def migrate_database(self):
        logging.getLogger('migrate').setLevel(logging.WARNING)
        importlib.import_module('nova.db.migration').db_sync()

    def make_rows(self, spec):
        context = self.admin_context()
        db = importlib.import_module('nova.db')
        for host in spec['hosts'].values():
            db.service_create(context, {
                'host': host, 'binary': 'nova-compute', 'topic': 'compute',
                'report_count': 1})
        flavor = db.flavor_get_by_name(context, 'm1.small')
        db.instance_create(context, self._instance(spec, flavor))
        db.block_device_mapping_create(context, {
            'instance_uuid': spec['uuid'], 'source_type': 'volume',
            'destination_type': 'volume', 'device_type': 'disk',
            'disk_bus': 'virtio', 'boot_index': 0,
            'volume_id': fake_services.VOLUME, 'volume_size': 1,
            'device_name': '/dev/vda', 'delete_on_termination': False,
            'connection_info': json.dumps(
                fake_services.connection_info(fake_services.VOLUME)),
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
                fake_services.network_info())},
        }

    def migrate(self, spec):
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


class Kilo(Adapter):
    """Nova 2015.1."""

    config_module = 'oslo_config.cfg'
    messaging_package = 'oslo_messaging'
    jsonutils_module = 'oslo_serialization.jsonutils'
    timeutils_module = 'oslo_utils.timeutils'

    def set_up_logging(self):
        """Log as the options say; Nova's own module went early in 2015."""
        try:
            super(Kilo, self).set_up_logging()
        except ImportError:
            importlib.import_module('oslo_log.log').setup(self.conf, 'nova')

    def _import_hypervisor(self):
        super(Kilo, self)._import_hypervisor()
        host = importlib.import_module('nova.virt.libvirt.host')
        host.libvirt = importlib.import_module('libvirt')

    @staticmethod
    def _set_lifecycle_delay(driver, seconds):
        driver._lifecycle_delay = seconds
        driver._host._lifecycle_delay = seconds
