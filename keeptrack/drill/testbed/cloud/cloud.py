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

"""A cloud: up, down, and its services one by one."""

import dataclasses
import json
import shutil
import signal
import time

from keeptrack.drill.testbed.cloud import bridge
from keeptrack.drill.testbed.cloud import ceph
from keeptrack.drill.testbed.cloud import databases
from keeptrack.drill.testbed.cloud import installation
from keeptrack.drill.testbed.cloud import keeper
from keeptrack.drill.testbed.cloud import places as places_mod
from keeptrack.drill.testbed.cloud import services
from keeptrack.drill.testbed.cloud import settings as settings_mod
from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import host as host_mod
from keeptrack.drill.testbed import prerequisites
from keeptrack.drill.testbed import processes
from keeptrack.drill.testbed import waiting

# seconds; a step takes a tenth of it on an idle machine
_READY_WITHIN = 240
_POLL = 0.2

UP = 'up'
STALLED = 'stalled'
DOWN = 'down'


class Cloud:
    """The cloud of this user: there is one at a time.

    :param places: its places.Places
    :param report: called with a line as the work goes on
    """

    def __init__(self, places, report=lambda line: None):
        self._places = places
        self._report = report
        self._keeping = keeper.KeeperClient(places)
        self._began = time.monotonic()
        self.nodes = {}

    # state

    @property
    def _state_file(self):
        return self._places.run / 'cloud.json'

    def _load(self):
        try:
            return json.loads(self._state_file.read_text())
        except FileNotFoundError:
            return {}

    def _save(self, **told):
        new = self._state_file.with_suffix('.new')
        new.write_text(json.dumps(dict(self._load(), **told)))
        new.rename(self._state_file)

    @property
    def nova(self):
        """The Nova tree that runs (str), or None when the cloud is down."""
        return self._load().get('nova') if self._keeping.is_held() else None

    @property
    def seconds(self):
        """How long this object has worked (float)."""
        return round(time.monotonic() - self._began, 1)

    @property
    def is_complete(self):
        """Whether it has come up completely (bool)."""
        return self._keeping.is_held() and self._load().get('complete', False)

    def attach(self):
        """Find a cloud that is up.

        :returns: itself
        :raises CloudError: when it is not up
        """
        prerequisites.refuse_other_users()
        if not self._keeping.is_held():
            raise errors.CloudError(
                'the cloud is down: keeptrack cloud up starts it')
        if not self.is_complete:
            raise errors.CloudError(
                'the cloud is not complete: wait for keeptrack cloud up, or '
                'run keeptrack cloud down')
        self._bind(self._load()['nova'], settings_mod.Options(
            **self._load()['options']))
        return self

    def _bind(self, nova, options):
        self.nodes = self._keeping.nodes()
        self.settings = settings_mod.Settings(self._places, options)
        self.services = services.Services(self._places, self.settings, nova)
        self.network = bridge.Bridge(self.nodes)
        self.ceph = ceph.Ceph(self._places,
                              self.nodes[places_mod.CONTROLLER])
        self.databases = databases.Databases(
            self._places, self.settings, self.nodes[places_mod.CONTROLLER],
            self.services.nova_variables())

    # up

    def up(self, nova, options=settings_mod.Options()):
        """Bring it up; only change Nova where it is up already.

        :param nova: the Nova tree to run (str)
        :param options: settings.Options
        :returns: seconds after which each step was over: dict of str to float
        :raises CloudError: when it does not come up; it is down then
        """
        prerequisites.refuse_other_users()
        installation.Installation(self._places,
                                  self._report).refuse_without()
        prerequisites.refuse_without_cloud(options.volumes)
        self._began = time.monotonic()
        if self._keeping.is_held():
            self.attach()
            if dataclasses.asdict(options) != self._load()['options']:
                raise errors.CloudError(
                    'the cloud is up with other settings: run keeptrack '
                    'cloud down first')
            if nova != self.nova:
                self.change_nova(nova)
            return {}
        self._keeping.start()
        try:
            self._save(nova=nova, options=dataclasses.asdict(options),
                       steps={}, services={})
            self._bind(nova, options)
            self._come_up()
            self._save(complete=True)
        except BaseException as exc:
            self._keep_logs()
            self._keeping.end()
            if isinstance(exc, KeyboardInterrupt):
                raise KeyboardInterrupt('the cloud is down')
            raise
        return self._load()['steps']

    def _come_up(self):
        for node in self.nodes.values():
            node.prepare()
        self.network.open()
        self._write_files()
        self.databases.lay_out()
        for name in ('mariadb', 'rabbitmq', 'memcached', 'libvirtd-host1',
                     'libvirtd-host2'):
            self.start(name)
        self._wait('mariadb', self.databases.answers)
        self._step('namespaces, MariaDB')
        if not self.databases.is_seeded:
            self.databases.make()
            self._step('databases')
        for name in ('keystone', 'placement', 'neutron'):
            self.start(name)
        if self.settings.options.volumes:
            self._start_ceph()
        self._wait('rabbitmq', lambda: self._listens(places_mod.BROKER_PORT))
        self._step('RabbitMQ')
        for name in ('glance', 'nova-api', 'nova-conductor',
                     'nova-scheduler'):
            self.start(name)
        self._wait_api('keystone')
        self._step('Keystone')
        if not self.databases.is_seeded:
            self.databases.fill_catalog()
            self._step('catalog')
        for name in ('placement', 'neutron', 'glance', 'nova-api'):
            self._wait_api(name)
        self._step('APIs')
        if self.settings.options.volumes:
            self._start_cinder()
        self._start_computes()
        self._step('computes')
        if not self.databases.is_seeded:
            self.databases.discover_hosts()
            self.databases.make_things()
            self._step('hosts, image, network')

    def _start_ceph(self):
        self.ceph.make_monitor()
        self.start('ceph-mon')
        self.ceph.make_disk()
        self.start('ceph-osd')
        self.ceph.make_pool()
        self._step('Ceph')

    def _start_cinder(self):
        began = self.now()
        for name in ('cinder', 'cinder-scheduler', 'cinder-volume'):
            self.start(name)
        self._wait_api('cinder')
        self._wait('cinder-volume', lambda: self._volumes_report(began))
        self._step('Cinder')

    def _start_computes(self):
        began = self.now()
        for host in places_mod.HOSTS:
            self.start(f'nova-compute-{host}')
        for host in places_mod.HOSTS:
            self._wait(f'nova-compute-{host}',
                       lambda host=host: self.reports(host, began))

    def now(self):
        """Return MariaDB's time (str)."""
        return self.databases.query('SELECT UTC_TIMESTAMP()')[0][0]

    def reports(self, host, since):
        """Tell whether a nova-compute has registered, and reported (bool).

        :param host: one of places.HOSTS (str)
        :param since: what now() has returned before its start (str)
        """
        rows = self.databases.query(
            'SELECT COUNT(*) FROM nova_cell1.services s, '
            'nova_cell1.compute_nodes n, placement.inventories i, '
            'placement.resource_providers p WHERE '
            f"s.`binary` = 'nova-compute' AND s.host = '{host}' AND "
            f"COALESCE(s.updated_at, s.created_at) > '{since}' AND "
            's.host = n.host AND n.uuid = p.uuid AND '
            'i.resource_provider_id = p.id')
        return rows[0][0] != '0'

    def _volumes_report(self, since):
        """Tell whether cinder-volume has reported, with its driver ready."""
        return self.databases.query(
            "SELECT COUNT(*) FROM cinder.services WHERE `binary` = "
            f"'cinder-volume' AND updated_at > '{since}'")[0][0] != '0'

    def _write_files(self):
        for name, text in self.settings.files().items():
            path = self.settings.path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for role, host in places_mod.ROLES.items():
            for name, text in host_mod.libvirt_files(role).items():
                (self._places.run / host / 'etc' / name).write_text(text)
        for node in self.nodes.values():
            (node.folder / 'ceph' / 'ceph.conf').write_text(
                self.settings.ceph())
        (self._places.run / 'rabbitmq').mkdir()
        (self._places.run / 'cinder').mkdir()

    def _step(self, name):
        self._save(steps=dict(self._load()['steps'], **{name: self.seconds}))
        self._report(f'{self.seconds:.0f} s: {name}')

    def _listens(self, port):
        return port in self.nodes[places_mod.CONTROLLER].ports()

    def _wait_api(self, name):
        self._wait(name, lambda: self._listens(places_mod.PORTS[name]))

    def _wait(self, name, ready):
        """Wait until a service is ready.

        :param name: the service's (str)
        :param ready: called until it returns True
        :raises CloudError: when it has ended, or is not ready in time
        """
        until = time.monotonic() + _READY_WITHIN
        while not ready():
            log = self._places.log / f'{name}.log'
            if self.state(name) == DOWN and not ready():
                words = [line for line in log.read_text(
                    errors='replace').splitlines() if line.strip()]
                raise errors.CloudError(
                    f'{name} has ended: {words[-1] if words else "no output"}'
                    f' (its log is kept in {self._places.top}/last-log)')
            if time.monotonic() > until:
                raise errors.CloudError(
                    f'{name} is not ready after {_READY_WITHIN} s: see '
                    f'{self._places.top}/last-log')
            time.sleep(_POLL)

    def change_nova(self, nova):
        """Run the other Nova tree: restart all services of Nova.

        :param nova: places.PATCHED or STOCK
        :raises CloudError: when a service does not come back
        """
        for name in services.NOVA:
            self.kill(name)
        self._save(nova=nova, complete=False)
        self._bind(nova, self.settings.options)
        for name in ('nova-api', 'nova-conductor', 'nova-scheduler'):
            self.start(name)
        self._wait_api('nova-api')
        self._start_computes()
        self._save(complete=True)
        self._step(f'Nova ({nova})')

    def make_seed(self):
        """Keep what a first start has made, so that later ones are quick.

        The cloud is down afterwards.

        :raises CloudError: when it does not come up
        """
        self.up(places_mod.STOCK)
        try:
            for name in self.services.all():
                if name != 'mariadb':
                    self.kill(name)
            # it writes all that it has, and ends
            self.databases.query('SHUTDOWN')
            waiting.until(_READY_WITHIN, 'MariaDB does not end',
                          lambda: self.state('mariadb') == DOWN)
            self.databases.save_seed()
        finally:
            self.down()

    # down

    def down(self):
        """End everything, and remove what it has written.

        :returns: whether there was anything (bool)
        :raises CloudError: when a process does not end
        """
        prerequisites.refuse_other_users()
        was = self._keeping.is_held() or self._places.run.exists()
        self._keeping.end()
        return was

    def _keep_logs(self):
        """Keep the logs of a cloud that did not come up."""
        kept = self._places.top / 'last-log'
        if self._places.log.is_dir():
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(self._places.log, kept)

    # services

    def start(self, name):
        """Start a service; it is ready some time later.

        :param name: str
        :raises CloudError: when it cannot be started
        """
        service = self.services.all()[name]
        inner = self.nodes[service.node].spawn(
            service.command, service.variables,
            self._places.log / f'{name}.log')
        self._save(services=dict(self._load()['services'], **{name: inner}))

    def process(self, name):
        """Return the process of a service, or None when it is down.

        :param name: str
        :returns: a processes.Process
        """
        inner = self._load()['services'].get(name)
        node = self.nodes[self.services.all()[name].node]
        return None if inner is None else node.find(inner)

    def state(self, name):
        """Return UP, STALLED or DOWN (str)."""
        process = self.process(name)
        if process is None:
            return DOWN
        return {'t': STALLED, 'T': STALLED, 'X': DOWN}.get(
            processes.state(process.pid), UP)

    def signal(self, name, number):
        """Send a signal to a service that is there.

        :param name: str
        :param number: a signal (int)
        """
        process = self.process(name)
        if process is None:
            return
        try:
            handle = processes.Handle(process.pid)
        except ProcessLookupError:
            # it has ended meanwhile
            return
        handle.send(number)
        if number == signal.SIGKILL:
            handle.wait(10)
        handle.close()

    def kill(self, name):
        """End a service with SIGKILL, with the processes it has started."""
        if name == 'rabbitmq':
            # its process is a shell
            processes.kill([
                process.pid for process in
                self.nodes[places_mod.CONTROLLER].processes()
                if process.command[0].endswith(('beam.smp', 'epmd'))])
        self.signal(name, signal.SIGKILL)

    def client(self, words):
        """Run the openstack client as the administrator.

        :param words: its arguments (list of str)
        :returns: its exit status (int)
        """
        return self.nodes[places_mod.CONTROLLER].run(
            [self._places.program('openstack')] + words,
            env=settings_mod.openrc(), stdin=None).returncode

    def status(self):
        """Return what runs.

        :returns: list of (service, node, state, process id or None, MiB)
        """
        found = []
        for name, service in self.services.all().items():
            process = self.process(name)
            found.append((name, service.node, self.state(name),
                          process and process.pid,
                          process and _memory(process.pid)))
        return found

    def memory(self):
        """Return the memory of all processes on all nodes, in MiB (int)."""
        return sum(_memory(process.pid) or 0 for node in self.nodes.values()
                   for process in node.processes())


def _memory(pid):
    """The memory of a process and its share of the rest, in MiB (int)."""
    try:
        with open(f'/proc/{pid}/smaps_rollup') as file:
            for line in file:
                if line.startswith('Pss:'):
                    return int(line.split()[1]) // 1024
    except OSError:
        pass
    return None
