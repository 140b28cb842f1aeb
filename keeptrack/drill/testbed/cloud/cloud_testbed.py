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

"""The cloud as a testbed: two hosts in it, and Nova as its users see it.

The roles of a drill are nodes: host1 is the source, host2 the destination.
"""

import pathlib
import shutil
import signal
import tempfile
import threading
import time

from keeptrack.drill.recorders import instance_record
from keeptrack.drill.testbed.cloud import api
from keeptrack.drill.testbed.cloud import cloud as cloud_mod
from keeptrack.drill.testbed.cloud import places as places_mod
from keeptrack.drill.testbed.cloud import volumes
from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import host
from keeptrack.drill.testbed import libvirtd
from keeptrack.drill.testbed import processes
from keeptrack.drill.testbed import waiting
from keeptrack.drill.testbed import writing_guest

ROLES = places_mod.ROLES
_NODES = {node: role for role, node in ROLES.items()}

# the name of a drill's server, and of its image, flavor and network
_SERVER = 'drill'
_IMAGE, _FLAVOR, _NETWORK = 'writer', 'writer', 'net'

# seconds
_BOOTS_WITHIN = 120
_GONE_WITHIN = 60
_READY_WITHIN = 300
_POLL = 0.5


class _Spawner:
    """Starts a host's libvirtd as a service of the cloud."""

    def __init__(self, cloud, node, service):
        self._cloud = cloud
        self._service = service
        self.run = node.run

    def spawn(self, command, log):
        self._cloud.start(self._service)
        return processes.Handle(self._cloud.process(self._service).pid)


class CloudHost(host.Host):
    """A host of the cloud, with what faults do to one.

    :param role: 'source' or 'destination'
    :param cloud: the cloud.Cloud, attached
    :param places: its places.Places
    """

    def __init__(self, role, cloud, places):
        self.role = role
        self.name = ROLES[role]
        self.space = node = cloud.nodes[self.name]
        # as the host sees it; paths of UNIX sockets in it are short
        self.folder = pathlib.Path(f'/proc/{node.holder}/root')
        service = f'libvirtd-{self.name}'
        self.libvirtd = libvirtd.Libvirtd(
            role, _Spawner(cloud, node, service),
            places.log / f'{service}.log')
        process = cloud.process(service)
        if process is not None:
            self.libvirtd.adopt(process.pid)


class CloudTestbed:
    """Two hosts of a cloud that is up, and all its services.

    :param cloud: the cloud.Cloud, attached
    :param places: its places.Places
    :ivar hosts: dict of role to CloudHost
    :ivar network: the bridge.Bridge
    """

    def __init__(self, cloud, places):
        self.cloud = cloud
        self.places = places
        self.network = cloud.network
        self.api = api.Api()
        self.hosts = {role: CloudHost(role, cloud, places) for role in ROLES}

    def reset(self):
        """Bring everything back, and remove earlier servers and the rest.

        :returns: what Nova has left behind of them (list of str)
        :raises TestbedError: when the cloud is not as it was
        """
        self.restore()
        left = []
        for server in self.api.get(
                'nova-api', f'/servers?name=^{_SERVER}$')['servers']:
            left += Server(self, uuid=server['id']).remove()
        if self.has_volumes:
            left += [f'volume {each.uuid}' for each in
                     volumes.named(self.api, _SERVER) if each.remove()]
        for each in self.hosts.values():
            if not each.is_clean():
                left.append(f'domains or QEMUs on {each.name}')
                each.clean()
        return left

    @property
    def has_volumes(self):
        """Whether the cloud has a Cinder (bool)."""
        return self.cloud.settings.options.volumes

    def restore(self):
        """Bring all services back.

        :raises TestbedError: when one does not come back
        """
        for gate in self.places.run.glob('*.unavailable'):
            gate.unlink()
        self.network.heal()
        for each in self.hosts.values():
            each.libvirtd.resume()
            each.libvirtd.start()
        for name in self.cloud.services.all():
            if self.cloud.state(name) == cloud_mod.STALLED:
                self.cloud.signal(name, signal.SIGCONT)
            elif self.cloud.state(name) == cloud_mod.DOWN:
                self.cloud.start(name)
        waiting.until(_READY_WITHIN, 'the services do not come back',
                      self._all_up, _POLL)

    def _all_up(self):
        try:
            told = self.api.get('nova-api', '/os-services')['services']
        except api.Refused:
            return False
        return all(each['state'] == 'up' for each in told)


class Computes:
    """The nova-computes of the cloud, as faults and runs use them.

    :param testbed: a CloudTestbed
    :param history: the run's history.History
    :param server: the run's Server
    """

    def __init__(self, testbed, history, server):
        self._cloud = testbed.cloud
        self._history = history
        self._server = server
        self.services = server.services

    def migrate(self):
        """Ask Nova to live-migrate the server.

        :raises CloudError: when Nova refuses
        """
        try:
            self._server.migrate()
        except api.Refused as exc:
            raise errors.CloudError(f'Nova does not migrate: {exc}')

    def kill(self, role):
        """End the nova-compute of a host with SIGKILL."""
        self._cloud.kill(f'nova-compute-{ROLES[role]}')
        self._history.note(role, 'compute', 'gone', 'nova-compute has ended')

    def start(self, role):
        """Start it; it is up with the event "initialized"."""
        since = self._cloud.now()
        self._cloud.start(f'nova-compute-{ROLES[role]}')
        self._history.note(role, 'compute', 'up', 'nova-compute starts')
        threading.Thread(target=self._await, args=(role, since),
                         daemon=True).start()

    def restart_failed(self):
        """Start each that is down, as a service manager does."""
        for role, name in ROLES.items():
            if self._cloud.process(f'nova-compute-{name}') is None:
                self.start(role)

    def _await(self, role, since):
        ends = time.monotonic() + _READY_WITHIN
        while not self._cloud.reports(ROLES[role], since):
            if time.monotonic() > ends:
                return
            time.sleep(_POLL)
        self._history.note(role, 'compute', 'initialized',
                           'nova-compute is up')


class Server:
    """A server of the cloud, whose guest writes; the instance of a run.

    :param testbed: a CloudTestbed
    :param uuid: that of a server that is there (str), or None
    :ivar uuid: the server's (str)
    :ivar name: the guest's, for libvirt (str)
    :ivar socket: of its QEMU's monitor for the drill, from a host's / (str)
    """

    # how a run's results name its storage, and whether both hosts see one disk
    storage = 'copied'
    one_disk = False

    def __init__(self, testbed, uuid=None):
        self._testbed = testbed
        self._api = testbed.api
        self.uuid = uuid
        self.name = None
        self._port = None

    @property
    def socket(self):
        return f'run/keeptrack/{self.name}.qmp'

    def boot(self, source):
        """Have Nova start it on a host.

        :param source: a CloudHost
        :raises TestbedError: when it does not start
        """
        told = self._api.post('nova-api', '/servers', {'server': {
            'name': _SERVER, 'flavorRef': self._flavor(), 'host': source.name,
            'networks': [{'uuid': self._find('neutron', 'networks',
                                             _NETWORK)}],
            **self._disk(self._find('glance', 'images', _IMAGE))}})
        self.uuid = told['server']['id']
        self._await_state('active')
        self.name = self._ask()['OS-EXT-SRV-ATTR:instance_name']
        ports = self._api.get('neutron',
                              f'/ports?device_id={self.uuid}')['ports']
        self._port = ports[0]['id']

    def _disk(self, image):
        """What Nova is asked for as its disk.

        :param image: the image's id (str)
        :returns: dict
        """
        return {'imageRef': image}

    def _await_state(self, wanted):
        def ready():
            record = self.record()
            if record['vm_state'] == 'error':
                raise errors.CloudError(
                    f'the server does not start: {record["fault"]}')
            return (record['vm_state'] == wanted and
                    record['task_state'] is None)
        waiting.until(_BOOTS_WITHIN, f'the server is not {wanted}', ready,
                      _POLL)

    def _flavor(self):
        """The id of a flavor whose disk is no larger than the image."""
        for each in self._api.get('nova-api', '/flavors')['flavors']:
            if each['name'] == _FLAVOR:
                return each['id']
        return self._api.post('nova-api', '/flavors', {'flavor': {
            'name': _FLAVOR, 'ram': 256, 'vcpus': 1, 'disk': 0}})[
                'flavor']['id']

    def _find(self, service, kind, name):
        for each in self._api.get(service, f'/{kind}')[kind]:
            if each['name'] == name:
                return each['id']
        raise errors.CloudError(f'there is no {name} among the {kind}')

    # what users and operators do

    def pause(self):
        """Pause the guest."""
        self._act({'pause': None})
        self._await_state('paused')

    def migrate(self):
        """Ask Nova to live-migrate it to the destination."""
        self._act({'os-migrateLive': {'host': ROLES['destination'],
                                      'block_migration': 'auto'}})

    def evacuate(self):
        """Ask Nova to rebuild it on the destination."""
        self._act({'evacuate': {'host': ROLES['destination']}})

    def abort(self):
        """Ask Nova to abort the migration."""
        newest = self._migrations()[0]['id']
        self._api.delete(
            'nova-api', f'/servers/{self.uuid}/migrations/{newest}')

    def delete(self):
        """Ask Nova to delete it."""
        self._api.delete('nova-api', f'/servers/{self.uuid}')

    def _act(self, body):
        self._api.post('nova-api', f'/servers/{self.uuid}/action', body)

    # what is known about it

    def _ask(self):
        try:
            return self._api.get('nova-api', f'/servers/{self.uuid}')['server']
        except api.Refused as exc:
            if exc.status == 404:
                return None
            raise

    def _migrations(self):
        told = self._api.get('nova-api',
                             f'/os-migrations?instance_uuid={self.uuid}')
        return sorted(told['migrations'], key=lambda each: -each['id'])

    def record(self):
        """What Nova's API says of it.

        :returns: dict, see instance_record.InstanceRecord.read; vm_state is
            "deleted" where Nova has no such server
        :raises Refused: when Nova cannot answer
        """
        told = self._ask()
        if told is None:
            return {'host': None, 'node': None, 'vm_state': 'deleted',
                    'task_state': None, 'power_state': None, 'fault': None,
                    'migration': None}
        migrations = self._migrations()
        host = told['OS-EXT-SRV-ATTR:host']
        node = told['OS-EXT-SRV-ATTR:hypervisor_hostname']
        return {
            'host': _NODES.get(host, host), 'node': _NODES.get(node, node),
            'vm_state': told['OS-EXT-STS:vm_state'],
            'task_state': told['OS-EXT-STS:task_state'],
            'power_state': instance_record.POWER_STATES.get(
                told['OS-EXT-STS:power_state'], 'nostate'),
            'fault': told.get('fault', {}).get('message'),
            'migration': migrations[0]['status'] if migrations else None}

    def services(self):
        """Ask placement and Neutron for which hosts they hold it.

        :returns: dict, see instance_record.InstanceRecord.services
        :raises Refused: when one cannot answer
        """
        names = {each['id']: each['hypervisor_hostname'] for each in
                 self._api.get('nova-api', '/os-hypervisors')['hypervisors']}
        allocated = [
            names.get(provider, provider) for consumer in self._consumers()
            for provider in self._api.get(
                'placement', f'/allocations/{consumer}')['allocations']]
        try:
            bindings = self._api.get(
                'neutron', f'/ports/{self._port}/bindings')['bindings']
        except api.Refused as exc:
            if exc.status != 404:
                raise
            bindings = []
        held = {'active port': [each['host'] for each in bindings
                                if each['status'] == 'ACTIVE'],
                'port bindings': [each['host'] for each in bindings],
                'allocations': allocated}
        return {name: sorted(_NODES.get(each, each) for each in hosts)
                for name, hosts in held.items()}

    def _consumers(self):
        return [self.uuid] + [each['uuid'] for each in self._migrations()]

    def _folder(self, role):
        return self._testbed.places.instances(ROLES[role]) / self.uuid

    def serial_paths(self):
        """Where its serial port is recorded: dict of role to pathlib.Path."""
        return {role: self._folder(role) / 'console.log' for role in ROLES}

    def disks(self):
        """Read its disk on each host.

        :returns: dict of role to what writing_guest.records() returns
        :raises CloudError: when one cannot be read
        """
        return {role: self._records(role) for role in ROLES}

    def _records(self, role):
        if not (self._folder(role) / 'disk').exists():
            return None
        places = self._testbed.places
        # the disk's backing file is known by its name on the host
        return self._read(
            ROLES[role], f'{places.nova_state}/instances/{self.uuid}/disk')

    def _read(self, node, disk, *words):
        """Read the records of a disk.

        :param node: where it is seen: one of places.NODES (str)
        :param disk: as QEMU names it (str)
        :param words: options of qemu-img dd (str)
        :returns: what writing_guest.records() returns
        :raises CloudError: when it cannot be read
        """
        with tempfile.NamedTemporaryFile(
                dir=self._testbed.places.run) as raw:
            self._testbed.cloud.nodes[node].check(
                ['qemu-img', 'dd', '-U', *words, '-O', 'raw', 'bs=1M',
                 f'count={writing_guest.SECTORS // 2048}', f'if={disk}',
                 f'of={raw.name}'], what='reading the disk')
            return writing_guest.records(pathlib.Path(raw.name))

    # the end

    def remove(self):
        """Have Nova delete it, and remove what that leaves.

        :returns: what Nova has left behind (list of str)
        :raises TestbedError: when a service cannot answer
        """
        left = []
        consumers = self._consumers()
        if not self._is_deleted():
            # a task that hangs keeps Nova from it
            left.append('the server, until its state was reset')
            self._act({'os-resetState': {'state': 'active'}})
            if not self._is_deleted():
                left.append('the server')
        for consumer in consumers:
            path = f'/allocations/{consumer}'
            if self._api.get('placement', path)['allocations']:
                left.append(f'allocation of {consumer}')
                self._api.delete('placement', path)
        for each in self._testbed.hosts.values():
            left += self._clear(each)
        return left

    def _is_deleted(self):
        """Delete the server, and wait until it is gone (bool)."""
        try:
            self.delete()
        except api.Refused:
            # it is gone, or going
            pass
        try:
            waiting.until(_GONE_WITHIN, 'the server is not deleted',
                          lambda: self._ask() is None, _POLL)
        except api.Refused:
            raise
        except errors.TestbedError:
            return False
        return True

    def _clear(self, each):
        left = []
        if self.uuid in each.domains():
            left.append(f'a domain on {each.name}')
        if each.qemu_pids():
            left.append(f'a QEMU on {each.name}')
        each.clean()
        for path in self._testbed.places.instances(each.name).glob(
                f'{self.uuid}*'):
            left.append(f'{path.name} on {each.name}')
            shutil.rmtree(path)
        return left


class VolumeServer(Server):
    """A server whose disk is a volume of Cinder's."""

    storage = 'volume'
    one_disk = True

    def __init__(self, testbed, uuid=None):
        super().__init__(testbed, uuid)
        self._volume = None

    def _disk(self, image):
        self._volume = volumes.create(self._api, _SERVER, image)
        return {'block_device_mapping_v2': [{
            'source_type': 'volume', 'destination_type': 'volume',
            'uuid': self._volume.uuid, 'boot_index': 0,
            'delete_on_termination': True}]}

    def services(self):
        attached = self._volume.attachments()
        try:
            mapped = self._api.get(
                'nova-api', f'/servers/{self.uuid}/os-volume_attachments')[
                    'volumeAttachments']
        except api.Refused as exc:
            if exc.status != 404:
                raise
            mapped = []
        held = {'volume attachments': attached.values(),
                'block device mapping': [
                    attached.get(each['attachment_id'], 'nowhere')
                    for each in mapped]}
        return dict(super().services(), **{
            name: sorted(_NODES.get(each, each) for each in hosts)
            for name, hosts in held.items()})

    def disks(self):
        records = None
        if self._volume.status() is not None:
            records = self._read(places_mod.CONTROLLER, self._volume.disk,
                                 '-f', 'raw')
        return dict.fromkeys(ROLES, records)

    def remove(self):
        left = super().remove()
        return left if self._volume is None else left + self._volume.remove()


SERVERS = {kind.storage: kind for kind in (Server, VolumeServer)}
