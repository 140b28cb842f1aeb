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

"""The configuration files of all services, as text."""

import dataclasses

from keeptrack.drill.testbed.cloud import places as places_mod
from keeptrack.drill.testbed import guest

REGION = 'RegionOne'
# Nothing outside of the nodes can reach a service.
PASSWORD = 'keeptrack'
BROKER = (f'rabbit://nova:{PASSWORD}@'
          f'{places_mod.ADDRESSES[places_mod.CONTROLLER]}:'
          f'{places_mod.BROKER_PORT}/')

# of Ceph: where its clients look for it, and the pool with the volumes
CEPH_CONF = '/etc/ceph/ceph.conf'
POOL = 'volumes'
_FSID = '6b657074-7261-436b-8000-0000000000ce'


@dataclasses.dataclass(frozen=True)
class Options:
    """What a user may set: how fast guests move, how soon Nova notices.

    :ivar bandwidth: MiB/s of a migration (int)
    :ivar power_sync: seconds between two of Nova's power-state syncs (int)
    :ivar recovery: seconds between two checks of migrations that have not
        ended, in patched Nova (int)
    :ivar volumes: there is a Cinder, with Ceph (bool)
    """

    bandwidth: int = 8
    power_sync: int = 30
    recovery: int = 10
    volumes: bool = False


def ini(sections):
    """Write the text of an oslo.config file.

    :param sections: dict of section to dict of option to value
    :returns: str
    """
    return '\n'.join(
        f'[{section}]\n' + ''.join(f'{option} = {_text(value)}\n'
                                   for option, value in options.items())
        for section, options in sections.items())


def _text(value):
    return str(value).lower() if isinstance(value, bool) else value


def openrc(project='admin', user='admin'):
    """Return the environment of a client of the cloud (dict)."""
    return {'OS_AUTH_URL': places_mod.url('keystone', '/v3'),
            'OS_USERNAME': user, 'OS_PASSWORD': PASSWORD,
            'OS_PROJECT_NAME': project, 'OS_USER_DOMAIN_NAME': 'Default',
            'OS_PROJECT_DOMAIN_NAME': 'Default',
            'OS_IDENTITY_API_VERSION': '3', 'OS_REGION_NAME': REGION}


class Settings:
    """The files of one cloud.

    :param places: its places.Places
    :param options: Options
    :param kvm: guests run on KVM, or are emulated (bool); None for KVM where
        this machine has it
    :ivar options: see above
    """

    def __init__(self, places, options=Options(), kvm=None):
        self._places = places
        self._kvm = guest.kvm_available() if kvm is None else kvm
        self.options = options
        self._etc = places.run / 'etc'

    def path(self, name):
        """Return where a file lies (pathlib.Path)."""
        return self._etc / name

    def database(self, name):
        """Return the URL of a database (str)."""
        return (f'mysql+pymysql://root@localhost/{name}?charset=utf8mb3&'
                f'unix_socket={self._places.run}/mysql.sock')

    def files(self):
        """Write all files.

        :returns: dict of name below etc/ to text
        """
        found = {'keystone/keystone.conf': ini(self._keystone()),
                 'placement/placement.conf': ini(self._placement()),
                 'glance/glance-api.conf': ini(self._glance()),
                 'neutron/neutron.conf': ini(self._neutron()),
                 'neutron/ml2_conf.ini': ini(self._ml2()),
                 'rabbitmq/rabbitmq.conf': self._rabbitmq(),
                 'rabbitmq/plugins': '[].\n',
                 'cinder/cinder.conf': ini(self._cinder())}
        for node in places_mod.NODES:
            found[f'nova/{node}/nova.conf'] = ini(self._nova(node))
        return found

    @staticmethod
    def _account(user):
        return {'auth_type': 'password',
                'auth_url': places_mod.url('keystone', '/v3'),
                'username': user, 'password': PASSWORD,
                'project_name': 'service', 'user_domain_name': 'Default',
                'project_domain_name': 'Default', 'region_name': REGION}

    def _token_check(self, user):
        return dict(self._account(user),
                    www_authenticate_uri=places_mod.url('keystone', '/v3'),
                    memcached_servers='127.0.0.1:11211',
                    service_token_roles_required=True)

    def _locks(self):
        return {'lock_path': self._places.run / 'lock'}

    def _keystone(self):
        keys = self._places.run / 'keys'
        return {
            'database': {'connection': self.database('keystone')},
            'token': {'provider': 'fernet'},
            'fernet_tokens': {'key_repository': keys / 'fernet'},
            'fernet_receipts': {'key_repository': keys / 'fernet'},
            'credential': {'key_repository': keys / 'credential'},
            'cache': {'enabled': True,
                      'backend': 'dogpile.cache.pymemcache',
                      'memcache_servers': '127.0.0.1:11211'}}

    def _placement(self):
        return {
            'placement_database': {'connection': self.database('placement')},
            'api': {'auth_strategy': 'keystone'},
            'keystone_authtoken': self._token_check('placement')}

    def _glance(self):
        store = self._places.run / 'images'
        paste = self._places.env / 'etc/glance/glance-api-paste.ini'
        return {
            'DEFAULT': {'enabled_backends': 'files:file',
                        'use_keystone_limits': False},
            'database': {'connection': self.database('glance')},
            'paste_deploy': {'flavor': 'keystone', 'config_file': paste},
            'glance_store': {'default_backend': 'files'},
            'files': {'filesystem_store_datadir': store},
            'os_glance_staging_store': {
                'filesystem_store_datadir': store / 'staging'},
            'os_glance_tasks_store': {
                'filesystem_store_datadir': store / 'tasks'},
            'oslo_concurrency': self._locks(),
            'keystone_authtoken': self._token_check('glance')}

    def _neutron(self):
        return {
            'DEFAULT': {
                'core_plugin': 'ml2',
                'service_plugins': '',
                'auth_strategy': 'keystone',
                'transport_url': BROKER,
                'state_path': self._places.run / 'neutron',
                'api_paste_config':
                    self._places.env / 'etc/neutron/api-paste.ini',
                # there is no agent
                'dhcp_agent_notification': False,
                'notify_nova_on_port_status_changes': True,
                'notify_nova_on_port_data_changes': True},
            'database': {'connection': self.database('neutron')},
            'keystone_authtoken': self._token_check('neutron'),
            'nova': self._account('nova'),
            'placement': self._account('placement'),
            'oslo_concurrency': self._locks()}

    def _cinder(self):
        state = self._places.run / 'cinder'
        etc = self._places.env / 'etc/cinder'
        helper = (f'{self._places.program("privsep-helper")} --config-file '
                  f'{self.path("cinder/cinder.conf")}')
        return {
            'DEFAULT': {
                'auth_strategy': 'keystone',
                'transport_url': BROKER,
                'my_ip': places_mod.ADDRESSES[places_mod.CONTROLLER],
                'state_path': state,
                'api_paste_config': etc / 'api-paste.ini',
                'resource_query_filters_file': etc / 'resource_filters.json',
                'rootwrap_config': etc / 'rootwrap.conf',
                'glance_api_servers': places_mod.url('glance'),
                'enabled_backends': 'ceph'},
            'ceph': {'volume_driver': 'ceph_driver.CephDriver',
                     'volume_backend_name': 'ceph',
                     'rbd_pool': POOL,
                     'rbd_ceph_conf': CEPH_CONF},
            'database': {'connection': self.database('cinder')},
            'coordination': {'backend_url': f'file://{state}'},
            'oslo_concurrency': self._locks(),
            'keystone_authtoken': self._token_check('cinder'),
            'service_user': dict(self._account('cinder'),
                                 send_service_user_token=True),
            'nova': self._account('cinder'),
            'cinder_sys_admin': {'helper_command': helper},
            'privsep_osbrick': {'helper_command': helper}}

    def ceph(self):
        """Return the settings of Ceph: one monitor, one disk (str)."""
        folder = self._places.ceph
        daemon = {'log_file': '', 'log_to_stderr': True,
                  'err_to_stderr': True, 'admin_socket': '', 'pid_file': ''}
        return ini({
            'global': {
                'fsid': _FSID,
                'mon_initial_members': 'a',
                'mon_host': places_mod.ADDRESSES[places_mod.CONTROLLER],
                # nothing outside of the nodes can reach it
                'auth_cluster_required': 'none',
                'auth_service_required': 'none',
                'auth_client_required': 'none',
                'mon_allow_pool_size_one': True,
                'osd_pool_default_size': 1,
                'osd_pool_default_min_size': 1,
                'osd_pool_default_pg_autoscale_mode': 'off',
                'osd_crush_chooseleaf_type': 0},
            'mon': dict(daemon, mon_data=folder / 'mon',
                        # a monitor ends where less of the file system is free
                        mon_data_avail_crit=0),
            'osd': dict(daemon, osd_data=folder / 'osd',
                        # bytes; it takes as much as it can otherwise
                        bluestore_cache_autotune=False,
                        bluestore_cache_size=64 << 20,
                        # of a file that takes no more than what is written
                        bluestore_block_size=8 << 30)})

    @staticmethod
    def _ml2():
        return {'ml2': {'type_drivers': 'local',
                        'tenant_network_types': 'local',
                        'mechanism_drivers': 'keeptrack_tap'},
                'securitygroup': {'enable_security_group': False}}

    @staticmethod
    def _rabbitmq():
        return (f'listeners.tcp.default = {places_mod.BROKER_PORT}\n'
                'default_user = nova\n'
                f'default_pass = {PASSWORD}\n'
                'loopback_users = none\n')

    def _nova(self, node):
        places = self._places
        helper = (f'{places.program("privsep-helper")} --config-file '
                  f'{self.path(f"nova/{node}/nova.conf")}')
        found = {
            'DEFAULT': {
                'my_ip': places_mod.ADDRESSES[node],
                'state_path': places.nova_state,
                'transport_url': BROKER,
                'compute_driver': 'libvirt.LibvirtDriver',
                'vif_plugging_timeout': 30,
                'sync_power_state_interval': self.options.power_sync,
                'live_migration_recovery_interval': self.options.recovery,
                'report_interval': 5,
                'service_down_time': 20,
                'update_resources_interval': 15},
            'api': {'auth_strategy': 'keystone'},
            'wsgi': {'api_paste_config':
                     places.env / 'etc/nova/api-paste.ini'},
            'oslo_concurrency': {'lock_path': places.nova_state / 'lock'},
            'keystone_authtoken': self._token_check('nova'),
            'service_user': dict(self._account('nova'),
                                 send_service_user_token=True),
            'placement': self._account('placement'),
            'neutron': self._account('nova'),
            'glance': {'api_servers': places_mod.url('glance')},
            'cinder': self._account('nova'),
            'vnc': {'enabled': False},
            'spice': {'enabled': False},
            'nova_sys_admin': {'helper_command': helper},
            'privsep_osbrick': {'helper_command': helper},
            'conductor': {'workers': 1},
            'scheduler': {'workers': 1},
            'filter_scheduler': {
                'enabled_filters': 'ComputeFilter,ComputeCapabilitiesFilter,'
                                   'ImagePropertiesFilter'},
            'libvirt': {
                'virt_type': 'kvm' if self._kvm else 'qemu',
                'cpu_mode': 'none',
                'hw_machine_type': 'x86_64=pc',
                # what the guest has written is in the file at once; a qcow2
                # image has it only once the guest flushes its disk
                'images_type': 'raw',
                'live_migration_scheme': 'tcp',
                'live_migration_inbound_addr': places_mod.ADDRESSES[node],
                'live_migration_bandwidth': self.options.bandwidth},
            # both hosts are this machine; some nested KVMs fail the check
            'workarounds': {'skip_cpu_compare_on_dest': True}}
        if node == places_mod.CONTROLLER:
            found['api_database'] = {'connection': self.database('nova_api')}
            found['database'] = {'connection': self.database('nova_cell1')}
        return found
