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


"""The two nova-computes of a drill: real processes of a Nova tree."""

import pathlib
import shutil
import sqlite3
import threading
from xml.etree import ElementTree

from keeptrack.drill import history
from keeptrack.drill.recorders import instance_record
from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import fork_client
from keeptrack.drill.testbed import message_broker
from keeptrack.drill.testbed import runtime as runtime_mod
from keeptrack.drill.testbed import waiting

#: seconds between two runs of the periodic tasks of a nova-compute that run
#: (the last one is the series' check of parked instances)
PERIODIC = {'_sync_power_states': 1, '_check_live_migrations': 1}

#: seconds for which the driver holds back that a guest has stopped; Nova's
#: own 15 are for the seconds between a reboot's stop and start
LIFECYCLE_DELAY = 2

#: seconds, by module and constant; modules that a tree lacks are skipped.
#: The series has no option for them, since no operator has a reason to set
#: one; without these, each run whose host does not answer takes minutes.
CLOCKS = {
    # until the answer of a host counts as missing: 5
    'nova.virt.libvirt.guest_observer': {'TIMEOUT': 2},
    'nova.compute.live_migration_recovery': {'TIMEOUT': 2},
}

# seconds from the fork of a process to its line
_COMES_WITHIN = 10

# seconds from the end of a process to the end of its line
_GOES_WITHIN = 5


class NovaComputes:
    """The nova-computes of a testbed, for one run after the other.

    :param runtime: runtime.Runtime of the tree, made
    :param folder: for all that the processes write; short, and it exists
        (pathlib.Path)
    :param testbed: a testbed.Testbed that is up
    :param on_event: called with each event (dict), by one thread
    """

    def __init__(self, runtime, folder, testbed, on_event):
        self._runtime = runtime
        self._folder = pathlib.Path(folder)
        self._testbed = testbed
        self._on_event = on_event
        self._lock = threading.Lock()
        self._server = None
        self._broker = None
        self._record = None
        self._pids = {}
        self._modes = {}
        self._runs = 0
        self._run = None
        self._spec = None
        self._folders = None
        self._database_lock = None

    @property
    def logs(self):
        """The folder with the logs of the run (pathlib.Path); None before."""
        return self._run and self._run / 'logs'

    def open(self):
        """Import the tree.

        :raises KeeptrackError: when that fails
        """
        self._runtime.ensure()
        self._server = fork_client.ForkClient(
            self._runtime, self._folder / 'server.log')
        self._server.open()
        self._broker = message_broker.Broker(self._socket, self._on_event)

    @property
    def _socket(self):
        return self._folder / 's'

    def close(self):
        """End every process."""
        self.release_database()
        if self._server is not None:
            for role in list(self._pids):
                self.kill(role)
            self._server.close()
            self._server = None
        if self._record is not None:
            self._record.close()
            self._record = None
        if self._broker is not None:
            self._broker.close()
            self._broker = None
            self._socket.unlink(missing_ok=True)

    def prepare(self, options):
        """Begin a new run, with an instance that is on the source.

        :param options: dict: uuid and name (of the domain); vm_state,
            power_state, shared (both hosts have one folder for instances),
            config (options of Nova: group to option to value), instances and
            disk (see storage.NovaSettings)
        :raises KeeptrackError: when that fails
        """
        self.release_database()
        for role in list(self._pids):
            self.kill(role)
        self._broker.reset()
        self._modes = {role: [] for role in history.ROLES}
        self._new_folder()
        for path in self._runtime.databases().glob('*.sqlite'):
            shutil.copyfile(path, self._run / path.name)
        database = self._run / runtime_mod.DATABASE
        self._spec = self._make_spec(options, database)
        self._make_instances(options)
        self._make_rows(options)
        self._record = instance_record.InstanceRecord(
            database, options['uuid'], {
                host.name: role for role, host in self._testbed.hosts.items()},
            self._run / 'services.json')

    def _new_folder(self):
        if self._record is not None:
            self._record.close()
            self._record = None
        if self._run is not None:
            shutil.rmtree(self._run)
        self._runs += 1
        self._run = self._folder / ('r%d' % self._runs)
        for name in ('logs', 'state'):
            (self._run / name).mkdir(parents=True)

    def _make_spec(self, options, database):
        # the domain as the source's libvirt has it
        xml = self._testbed.hosts['source'].virsh(
            'dumpxml', '--inactive', '--security-info', options['name'])
        return {
            'socket': str(self._socket),
            'folder': str(self._run),
            'database': str(database),
            'uuid': options['uuid'],
            'name': options['name'],
            'xml': xml,
            'virt_type': ElementTree.fromstring(xml).get('type'),
            'config': options['config'],
            'periodic': PERIODIC,
            'lifecycle_delay': LIFECYCLE_DELAY,
            'clocks': CLOCKS,
            'shared': options['shared'],
            'disk': options['disk'],
            'hosts': {role: host.name
                      for role, host in self._testbed.hosts.items()},
        }

    def _instances(self, role):
        """The folder for instances of a host.

        :returns: as the host sees it, and as we do (tuple of pathlib.Path)
        """
        if self._folders is not None:
            return self._folders[role]
        path = self._run / ('instances' if self._spec['shared']
                            else 'instances-' + role)
        return path, path

    def _make_instances(self, options):
        self._folders = options['instances']
        for role in history.ROLES:
            self._instances(role)[1].mkdir(exist_ok=True)
        (self._instances('source')[1] / options['uuid']).mkdir(exist_ok=True)

    def _make_rows(self, options):
        pid = self._fork('rows', {key: options[key]
                                  for key in ('vm_state', 'power_state')})
        if self._server.wait(pid):
            raise errors.TestbedError(
                'the instance cannot be made in the database: %s' %
                self._printed('rows').read_text(errors='replace').strip()
                .split('\n')[-1])

    def _printed(self, role):
        return self.logs / (role + '.out')

    def _fork(self, role, more):
        spec = dict(self._spec, role=role, **more)
        return self._server.fork(spec, self._printed(role))

    def start(self, role):
        """Start the nova-compute of a host.

        It is up with the event 'initialized'.

        :param role: 'source' or 'destination'
        :returns: its process id (int)
        :raises TestbedError: when one runs already, or it cannot be forked
        """
        host = self._testbed.hosts[role]
        with self._lock:
            pid = self._pids.get(role)
            if pid is not None:
                if not (self._broker.has_gone(pid) or
                        self._server.has_ended(pid)):
                    raise errors.TestbedError(
                        'the nova-compute of the %s runs already' % role)
                # its line is closed a moment before it has ended
                self._server.wait(pid)
            self._pids[role] = pid = self._fork(role, {
                'host': host.name,
                'namespaces': host.space.paths,
                'instances': str(self._instances(role)[0]),
                'log': str(self.logs / ('nova-compute-%s.log' % role)),
                'libvirt': self._modes[role]})
        return pid

    def restart_failed(self):
        """Start each nova-compute again that has ended by itself.

        A service manager does that; one that was killed stays down.

        :raises TestbedError: when one cannot be forked
        """
        for role in history.ROLES:
            with self._lock:
                pid = self._pids.get(role)
            if pid is not None and self._server.has_ended(pid):
                self.start(role)

    def kill(self, role):
        """End the nova-compute of a host with SIGKILL; none is no error.

        When it returns the process has ended, and its events are told.

        :param role: 'source' or 'destination'
        """
        with self._lock:
            pid = self._pids.pop(role, None)
        if pid is None:
            return
        peer = self._broker.peer(pid)
        self._server.kill(pid)
        if peer is not None:
            peer.gone.wait(_GOES_WITHIN)
        self._broker.flush()

    def migrate(self):
        """Have a conductor ask for the migration; returns at once.

        :raises TestbedError: when it cannot be forked
        """
        host = self._testbed.hosts['source']
        with self._lock:
            if 'conductor' in self._pids:
                raise errors.TestbedError('one migration in a run')
            self._pids['conductor'] = self._fork('conductor', {
                'host': host.name,
                'destination': self._testbed.hosts['destination'].name,
                'instances': str(self._instances('source')[0]),
                'log': str(self.logs / 'nova-conductor.log')})

    def rpc(self, role, mode):
        """Say what becomes of RPC requests to a host's nova-compute.

        :param role: 'source' or 'destination'
        :param mode: 'normal', or 'silent': they are swallowed
        """
        if mode not in ('normal', 'silent'):
            raise ValueError('no such mode: %s' % mode)
        self._broker.silence(self._testbed.hosts[role].name, mode == 'silent')

    def hold_messages(self):
        """Have no RPC message arrive until release_messages()."""
        self._broker.hold()

    def release_messages(self):
        """Have RPC messages arrive again, those that were held first."""
        self._broker.release()

    def hold_database(self):
        """Have the database take no writes until release_database()."""
        self._database_lock = sqlite3.connect(
            self._run / runtime_mod.DATABASE, timeout=60,
            isolation_level=None)
        self._database_lock.execute('BEGIN IMMEDIATE')

    def release_database(self):
        """Have the database take writes again; a second time does nothing.

        From the thread that has held it.
        """
        if self._database_lock is not None:
            self._database_lock.close()
            self._database_lock = None

    def libvirt(self, role, mode):
        """Say how libvirt fails in a host's nova-compute.

        One that is started later begins with it too.

        :param role: 'source' or 'destination'
        :param mode: 'normal', 'error-after-success', 'no-remote', or a list
        :raises TestbedError: when the process does not obey
        """
        modes = [mode] if isinstance(mode, str) else list(mode)
        self._modes[role] = modes
        if role in self._pids:
            self._peer(role).ask('libvirt', modes)

    def _peer(self, role):
        """The line to a process that was forked a moment ago, or before."""
        return waiting.until(
            _COMES_WITHIN, 'there is no process for the %s' % role,
            lambda: self._broker.peer(self._pids.get(role)), 0.01)

    def record(self):
        """Nova's record of the instance now.

        :returns: dict, see instance_record.InstanceRecord.read
        """
        return self._record.read()

    def services(self):
        """Read for which hosts the services around Nova hold the instance.

        :returns: dict or None, see instance_record.InstanceRecord.services
        """
        return self._record.services()
