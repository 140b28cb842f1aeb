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

"""The processes of a cloud: their commands and environment."""

import dataclasses

from keeptrack.drill.testbed.cloud import ceph
from keeptrack.drill.testbed.cloud import places as places_mod

# WSGI application of each API: its module, and threads that serve it
_APPLICATIONS = {
    'keystone': ('keystone.wsgi.api', 6),
    'placement': ('placement.wsgi.api', 4),
    'glance': ('glance.wsgi.api', 4),
    'neutron': ('neutron.wsgi.api', 6),
    'nova-api': ('nova.wsgi.osapi_compute', 8),
    'cinder': ('cinder.wsgi.api', 4),
}
NOVA = ('nova-api', 'nova-conductor', 'nova-scheduler') + tuple(
    f'nova-compute-{host}' for host in places_mod.HOSTS)


@dataclasses.dataclass(frozen=True)
class Service:
    """A process to start.

    :ivar name: of its log, too (str)
    :ivar node: where it runs: one of places.NODES (str)
    :ivar command: list of str
    :ivar variables: environment variables to add (dict)
    """

    name: str
    node: str
    command: list
    variables: dict


class Services:
    """All services of a cloud.

    :param places: its places.Places
    :param settings: its settings.Settings
    :param nova: the Nova tree that it runs: places.PATCHED or STOCK
    """

    def __init__(self, places, settings, nova):
        self._places = places
        self._settings = settings
        self._nova = nova

    def all(self):
        """Return all services (dict of str, as status prints it)."""
        found = [self._mariadb(), self._rabbitmq(), self._memcached()]
        found += [self._libvirtd(host) for host in places_mod.HOSTS]
        found += [self._api(name) for name in _APPLICATIONS
                  if name != 'cinder']
        found += [self._nova_service(places_mod.CONTROLLER, name)
                  for name in ('conductor', 'scheduler')]
        found += [self._nova_service(host, 'compute')
                  for host in places_mod.HOSTS]
        if self._settings.options.volumes:
            found += [self._ceph('mon', 'a'), self._ceph('osd', '0'),
                      self._api('cinder'), self._cinder('scheduler'),
                      self._cinder('volume')]
        return {service.name: service for service in found}

    def gate(self, name):
        """Return the file that makes an API answer 503 (pathlib.Path)."""
        return self._places.run / f'{name}.unavailable'

    def nova_variables(self):
        """Return what makes a Python import the Nova tree (dict)."""
        return {'PYTHONPATH': str(self._places.nova(self._nova)),
                'PATH': f'{self._places.env}/bin:/usr/local/sbin:'
                        '/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'}

    def _mariadb(self):
        run = self._places.run
        return Service('mariadb', places_mod.CONTROLLER, [
            'mariadbd', '--no-defaults', '--user=root', '--skip-networking',
            f'--datadir={run}/mysql', f'--socket={run}/mysql.sock',
            f'--pid-file={run}/mysqld.pid', '--max-connections=400',
            '--innodb-buffer-pool-size=128M', '--default-time-zone=+00:00',
            # the machine may lose power: the cloud is for trials
            '--innodb-flush-log-at-trx-commit=0'], {})

    def _rabbitmq(self):
        home = self._places.run / 'rabbitmq'
        etc = self._settings.path('rabbitmq')
        return Service(
            'rabbitmq', places_mod.CONTROLLER,
            ['/usr/lib/rabbitmq/bin/rabbitmq-server'],
            {'HOME': str(home), 'RABBITMQ_MNESIA_BASE': str(home),
             'RABBITMQ_LOG_BASE': str(home),
             'RABBITMQ_NODENAME': 'rabbit@localhost',
             'RABBITMQ_CONFIG_FILE': f'{etc}/rabbitmq',
             'RABBITMQ_ENABLED_PLUGINS_FILE': f'{etc}/plugins',
             'RABBITMQ_CONF_ENV_FILE': '/dev/null',
             'ERL_EPMD_ADDRESS': '127.0.0.1',
             'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS': '+S 1:1 +sbwt none'})

    @staticmethod
    def _memcached():
        return Service('memcached', places_mod.CONTROLLER, [
            'memcached', '-u', 'root', '-l', '127.0.0.1', '-m', '32'], {})

    @staticmethod
    def _libvirtd(host):
        return Service(f'libvirtd-{host}', host,
                       ['libvirtd', '--listen'], {})

    def _api(self, name):
        module, threads = _APPLICATIONS[name]
        path = self._settings.path
        variables = {
            'keystone': {
                'OS_KEYSTONE_CONFIG_DIR': path('keystone'),
                'OS_KEYSTONE_CONFIG_FILES': path('keystone/keystone.conf')},
            'placement': {'OS_PLACEMENT_CONFIG_DIR': path('placement')},
            'glance': {'OS_GLANCE_CONFIG_DIR': path('glance')},
            'neutron': {
                'OS_NEUTRON_CONFIG_DIR': path('neutron'),
                'OS_NEUTRON_CONFIG_FILES': 'neutron.conf;ml2_conf.ini',
                'PYTHONPATH': self._places.driver},
            'nova-api': {
                'OS_NOVA_CONFIG_DIR': path('nova/ctl'),
                'OS_NOVA_CONFIG_FILES':
                    f'{self._places.env}/etc/nova/api-paste.ini;nova.conf',
                # waitress serves with threads
                'OS_NOVA_DISABLE_EVENTLET_PATCHING': 'true',
                'PYTHONPATH': self._places.nova(self._nova)},
            'cinder': {},
        }[name]
        words = [] if name != 'cinder' else [
            '--config-file', str(path('cinder/cinder.conf'))]
        return Service(name, places_mod.CONTROLLER, [
            self._places.python, str(self._places.top / 'serve.py'),
            places_mod.ADDRESSES[places_mod.CONTROLLER],
            str(places_mod.PORTS[name]), str(threads), module,
            str(self.gate(name))] + words,
            {key: str(value) for key, value in variables.items()})

    @staticmethod
    def _ceph(kind, name):
        return Service(f'ceph-{kind}', places_mod.CONTROLLER,
                       [f'ceph-{kind}', '--foreground', '--id', name], {})

    def _cinder(self, kind):
        return Service(
            f'cinder-{kind}', places_mod.CONTROLLER,
            [self._places.program(f'cinder-{kind}'), '--config-file',
             str(self._settings.path('cinder/cinder.conf'))],
            {'PYTHONPATH': f'{self._places.driver}:'
                           f'{ceph.modules_folder(self._places)}',
             # qemu-img runs in its virtualenv
             'PATH': self.nova_variables()['PATH']})

    def _nova_service(self, node, kind):
        name = f'nova-{kind}'
        return Service(
            name if node == places_mod.CONTROLLER else f'{name}-{node}', node,
            [self._places.program(name), '--config-file',
             str(self._settings.path(f'nova/{node}/nova.conf'))],
            self.nova_variables())
