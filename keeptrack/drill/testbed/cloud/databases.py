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

"""What a cloud has stored before its first server: databases, keys, image."""

import concurrent.futures
import json
import shutil
import socket

from keeptrack.drill.testbed.cloud import places as places_mod
from keeptrack.drill.testbed.cloud import settings as settings_mod

_NAMES = ('keystone', 'placement', 'glance', 'neutron', 'nova_api',
          'nova_cell0', 'nova_cell1', 'cinder')

# user, type of service, service of places.PORTS, path
_ENDPOINTS = (('nova', 'compute', 'nova-api', '/v2.1'),
              ('placement', 'placement', 'placement', ''),
              ('glance', 'image', 'glance', ''),
              ('neutron', 'network', 'neutron', ''),
              ('cinder', 'block-storage', 'cinder', '/v3'))

# of run/: what a seed keeps
_KEPT = ('mysql', 'keys', 'images')


class Databases:
    """The stored state of one cloud.

    :param places: its places.Places
    :param settings: its settings.Settings
    :param controller: its node.Node
    :param variables: what makes a Python import Nova's tree (dict)
    """

    def __init__(self, places, settings, controller, variables):
        self._places = places
        self._settings = settings
        self._node = controller
        self._variables = variables

    @property
    def is_seeded(self):
        """Whether a seed is there to begin with (bool)."""
        return self._places.seed.is_dir()

    def lay_out(self):
        """Make the data folder, from the seed where there is one.

        :raises CloudError: when it cannot be made
        """
        run = self._places.run
        if not self.is_seeded:
            self._node.check(
                ['mariadb-install-db', '--no-defaults', '--user=root',
                 f'--datadir={run}/mysql', '--skip-test-db',
                 '--auth-root-authentication-method=normal'])
            for name in ('keys', 'images'):
                (run / name).mkdir()
            return
        for name in _KEPT:
            shutil.copytree(self._places.seed / name, run / name,
                            symlinks=True)
        for host in places_mod.HOSTS:
            shutil.copy(self._places.seed / f'{host}.compute_id',
                        run / host / 'nova' / 'compute_id')

    def answers(self):
        """Tell whether MariaDB takes connections (bool)."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            try:
                client.connect(f'{self._places.run}/mysql.sock')
                return bool(client.recv(1))
            except OSError:
                return False

    def query(self, statement):
        """Run SQL as root.

        :param statement: one or more statements (str)
        :returns: rows of a query: list of lists of str
        :raises CloudError: when MariaDB refuses it
        """
        out = self._node.check(
            ['mariadb', '--no-defaults', '--user=root', '--batch',
             '--skip-column-names', f'--socket={self._places.run}/mysql.sock',
             '--execute', statement], what='a query')
        return [line.split('\t') for line in out.splitlines()]

    def make(self):
        """Make all databases, and the first account of Keystone.

        :raises CloudError: when a step fails
        """
        self.query(''.join(
            f'CREATE DATABASE {name} CHARACTER SET utf8mb3;'
            for name in _NAMES))
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for done in [pool.submit(self._small), pool.submit(self._neutron),
                         pool.submit(self._nova), pool.submit(self._cinder)]:
                done.result()

    def _manage(self, program, config, *words):
        self._node.check(
            [self._places.program(program), '--config-file',
             str(self._settings.path(config))] + list(words),
            self._variables, what=f'{program} {" ".join(words[:3])}',
            timeout=300)

    def _small(self):
        keystone = 'keystone/keystone.conf'
        self._manage('keystone-manage', keystone, 'db_sync')
        for what in ('fernet_setup', 'credential_setup'):
            self._manage('keystone-manage', keystone, what,
                         '--keystone-user', 'root',
                         '--keystone-group', 'root')
        url = places_mod.url('keystone', '/v3')
        self._manage('keystone-manage', keystone, 'bootstrap',
                     '--bootstrap-password', settings_mod.PASSWORD,
                     '--bootstrap-region-id', settings_mod.REGION,
                     '--bootstrap-public-url', url,
                     '--bootstrap-internal-url', url,
                     '--bootstrap-admin-url', url)
        self._manage('placement-manage', 'placement/placement.conf',
                     'db', 'sync')
        self._manage('glance-manage', 'glance/glance-api.conf', 'db_sync')

    def _neutron(self):
        self._node.check(
            [self._places.program('neutron-db-manage'), '--config-file',
             str(self._settings.path('neutron/neutron.conf')),
             '--config-file', str(self._settings.path(
                 'neutron/ml2_conf.ini')), 'upgrade', 'heads'],
            {'PYTHONPATH': str(self._places.driver)},
            what='neutron-db-manage upgrade', timeout=300)

    def _nova(self):
        config = 'nova/ctl/nova.conf'
        self._manage('nova-manage', config, 'api_db', 'sync')
        self._manage('nova-manage', config, 'cell_v2', 'map_cell0',
                     '--database_connection',
                     self._settings.database('nova_cell0'))
        self._manage('nova-manage', config, 'cell_v2', 'create_cell',
                     '--name', 'cell1', '--database_connection',
                     self._settings.database('nova_cell1'),
                     '--transport-url', settings_mod.BROKER)
        self._manage('nova-manage', config, 'db', 'sync')

    def _cinder(self):
        self._manage('cinder-manage', 'cinder/cinder.conf', 'db', 'sync')

    def discover_hosts(self):
        """Let Nova find its compute hosts.

        :raises CloudError: when that fails
        """
        self._manage('nova-manage', 'nova/ctl/nova.conf', 'cell_v2',
                     'discover_hosts')

    def fill_catalog(self):
        """Make the services' users and endpoints.

        :raises CloudError: when that fails
        """
        self._catalog('accounts', {
            'password': settings_mod.PASSWORD, 'region': settings_mod.REGION,
            'services': [[user, kind, places_mod.url(service, path)]
                         for user, kind, service, path in _ENDPOINTS]})

    def make_things(self):
        """Make what a first server needs: image, flavor, network.

        :raises CloudError: when that fails
        """
        self._catalog('things', {'image': str(self._places.image)})

    def _catalog(self, what, told):
        self._node.check(
            [self._places.python, str(self._places.top / 'catalog.py'), what,
             json.dumps(told)], settings_mod.openrc(),
            what=f'the catalog ({what})')

    def save_seed(self):
        """Keep the stored state for later clouds; MariaDB has to be down."""
        new = self._places.seed.with_suffix('.new')
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        for name in _KEPT:
            shutil.copytree(self._places.run / name, new / name,
                            symlinks=True)
        for host in places_mod.HOSTS:
            shutil.copy(self._places.run / host / 'nova' / 'compute_id',
                        new / f'{host}.compute_id')
        shutil.rmtree(self._places.seed, ignore_errors=True)
        new.rename(self._places.seed)
