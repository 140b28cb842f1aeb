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

"""Asks everybody who knows something about an instance.

The answers become a Snapshot, which the checker judges.
"""

import dataclasses
import subprocess
import tempfile

from keeptrack.cloud import api
from keeptrack.cloud import errors
from keeptrack.cloud import guest
from keeptrack.cloud import places as places_mod

ABSENT = 'absent'
UNKNOWN = 'unknown'

# seconds
_ASK = 8

_STATES = {'running': 'running', 'paused': 'paused', 'shut': 'stopped',
           'crashed': 'crashed', 'in': 'stopping', 'idle': 'running',
           'pmsuspended': 'paused'}


@dataclasses.dataclass
class Snapshot:
    """What was found about an instance at one time.

    :ivar server: of Nova's API: dict of "vm_state", "task_state", "host";
        None when there is no such server
    :ivar migrations: of Nova's API: list of dicts, the newest first
    :ivar allocations: of placement: list of (host, "server" or "migration")
    :ivar bindings: of Neutron: list of (host, status); None when it cannot
        be asked
    :ivar domains: what libvirt has: dict of host to "running", "paused",
        "stopped", ABSENT or UNKNOWN
    :ivar qemus: how many QEMUs run the guest: dict of host to int
    :ivar disks: hosts with a folder of the instance: dict of host to the
        highest count on its disk, or None
    :ivar acknowledged: the last count that the guest has reported as written:
        dict of host to int or None
    """

    server: dict
    migrations: list
    allocations: list
    bindings: list
    domains: dict
    qemus: dict
    disks: dict
    acknowledged: dict


class Recorder:
    """Asks about one instance.

    :param places: the cloud's places.Places
    :param nodes: dict of name to node.Node
    :param client: an api.Api
    :param uuid: the instance's (str)
    :param name: its domain's (str)
    """

    def __init__(self, places, nodes, client, uuid, name):
        self._places = places
        self._nodes = nodes
        self._api = client
        self.uuid = uuid
        self._name = name
        self._port = None

    def server(self):
        """Ask Nova; returns a dict, or None when there is no such server.

        :raises api.Refused: when Nova cannot answer
        """
        try:
            told = self._api.get('nova-api', f'/servers/{self.uuid}')
        except api.Refused as exc:
            if exc.status == 404:
                return None
            raise
        told = told['server']
        return {'status': told['status'],
                'vm_state': told['OS-EXT-STS:vm_state'],
                'task_state': told['OS-EXT-STS:task_state'],
                'host': told['OS-EXT-SRV-ATTR:host'],
                'fault': told.get('fault', {}).get('message')}

    def migrations(self):
        """Ask Nova for the instance's migrations, the newest first."""
        told = self._api.get('nova-api',
                             f'/os-migrations?instance_uuid={self.uuid}')
        return sorted(({'id': each['id'], 'uuid': each['uuid'],
                        'status': each['status'],
                        'source': each['source_compute'],
                        'destination': each['dest_compute']}
                       for each in told['migrations']),
                      key=lambda each: -each['id'])

    def snapshot(self):
        """Ask everybody.

        :returns: a Snapshot
        :raises api.Refused: when Nova or placement cannot answer
        """
        server = self.server()
        migrations = self.migrations()
        acknowledged = {host: self.acknowledged(host)
                        for host in places_mod.HOSTS}
        return Snapshot(
            server=server, migrations=migrations,
            allocations=self._allocations(migrations),
            bindings=self._bindings(),
            domains={host: self.domain(host) for host in places_mod.HOSTS},
            qemus={host: self._qemus(host) for host in places_mod.HOSTS},
            disks=self._disks(), acknowledged=acknowledged)

    def _allocations(self, migrations):
        names = {each['id']: each['hypervisor_hostname'] for each in
                 self._api.get('nova-api', '/os-hypervisors')['hypervisors']}
        found = []
        for kind, uuid in [('server', self.uuid)] + [
                ('migration', each['uuid']) for each in migrations]:
            told = self._api.get('placement', f'/allocations/{uuid}')
            found += [(names.get(provider, provider), kind)
                      for provider in told['allocations']]
        return sorted(found)

    def find_port(self):
        """Ask Neutron for the instance's port, which it may lose later."""
        ports = self._api.get('neutron',
                              f'/ports?device_id={self.uuid}')['ports']
        self._port = ports[0]['id'] if ports else None

    def _bindings(self):
        try:
            told = self._api.get('neutron', f'/ports/{self._port}/bindings')
        except api.Refused as exc:
            return [] if exc.status == 404 else None
        return sorted((each['host'], each['status'])
                      for each in told['bindings'])

    def domain(self, host):
        """Ask libvirt on a host; see Snapshot.domains."""
        try:
            done = self._nodes[host].run(
                ['virsh', 'domstate', self._name], capture_output=True,
                text=True, timeout=_ASK)
        except subprocess.TimeoutExpired:
            return UNKNOWN
        if done.returncode:
            return ABSENT if 'failed to get domain' in done.stderr else UNKNOWN
        return _STATES.get(done.stdout.split()[0], done.stdout.strip())

    def _qemus(self, host):
        return sum(process.is_guest and self.uuid in ' '.join(process.command)
                   for process in self._nodes[host].processes())

    def _folder(self, host):
        return self._places.instances(host) / self.uuid

    def _disks(self):
        return {host: self._written(self._folder(host) / 'disk')
                for host in places_mod.HOSTS if self._folder(host).exists()}

    def _written(self, path):
        if not path.exists():
            return None
        with tempfile.NamedTemporaryFile(dir=self._places.run) as raw:
            # the disk's backing file is known by its name on the host
            done = self._nodes[path.parents[3].name].run(
                ['qemu-img', 'convert', '-U', '-O', 'raw',
                 f'{self._places.nova_state}/instances/{self.uuid}/disk',
                 raw.name], capture_output=True, text=True)
            if done.returncode:
                raise errors.CloudError(
                    f'the disk {path} cannot be read: {done.stderr.strip()}')
            return guest.written(raw.read())

    def acknowledged(self, host):
        """Read the guest's serial port on a host; see Snapshot."""
        try:
            console = (self._folder(host) / 'console.log').read_bytes()
        except FileNotFoundError:
            return None
        return guest.acknowledged(console)
