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

"""Where the disk of a drill's guest is.

Every kind of storage gives the guest a fresh disk before a run, and says what
Nova has to know of it.  What lies in the folder of the testbed is seen from
both hosts; what lies in a host's own folders, from that host only.
"""

import dataclasses
import pathlib
import shutil

from keeptrack.drill.agent import fake_services
from keeptrack.drill import history
from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import processes
from keeptrack.drill.testbed import waiting
from keeptrack.drill.testbed import writing_guest

# the disk, to libvirt and to Nova
DEVICE, BUS = 'hda', 'ide'

# a host's own folder for instances, from its / and from its folder
_OWN, _OWN_OUTSIDE = '/var/lib/libvirt/instances', 'lib/instances'

_SOCKET = 'run/keeptrack/nbd.sock'
_EXPORT = 'disk'

# seconds
_SERVES_WITHIN = 5

_FILE_XML = """\
<disk type='file' device='disk'>
      <driver name='qemu' type='raw' cache='none'/>
      <source file='%s'/>
      <target dev='%s' bus='%s'/>
    </disk>"""

_NETWORK_XML = """\
<disk type='network' device='disk'>
      <driver name='qemu' type='raw' cache='none'/>
      <source protocol='nbd' name='%s'>
        <host transport='unix' socket='/%s'/>
      </source>
      <target dev='%s' bus='%s'/>
      <serial>%s</serial>
    </disk>""" % (_EXPORT, _SOCKET, DEVICE, BUS, fake_services.VOLUME)


@dataclasses.dataclass(frozen=True)
class NovaSettings:
    """What Nova's processes have to know of a storage.

    :ivar instances: role to the folder for instances: from the host's / and
        from here (dict of tuple of str and pathlib.Path); None where no
        instance has a file
    :ivar disk: what differs from a volume that no guest uses: see
        database_rows_current and adapter_current (dict), or None
    """

    instances: dict = None
    disk: dict = None


class Storage:
    """A guest without a disk.

    :param testbed: a testbed.Testbed that is up
    :cvar name: as the command line has it (str)
    :cvar title: for people (str)
    :cvar writes: there is a disk (bool)
    :cvar one_disk: both hosts see one disk (bool)
    :cvar shared: both hosts have one folder for instances (bool); None where
        either will do
    """

    name = 'none'
    title = 'no disk'
    writes = False
    one_disk = False
    shared = None

    def __init__(self, testbed):
        self._testbed = testbed

    def prepare(self, instance):
        """Make a fresh disk.

        :param instance: the id of the instance (str)
        :returns: the disk for libvirt (str of XML), or ''
        :raises TestbedError: when that does not work
        """
        return ''

    def nova_settings(self):
        """What Nova has to know: NovaSettings; once it is prepared."""
        return NovaSettings()

    def disks(self):
        """Read the disk as each host sees it.

        :returns: dict of role to what writing_guest.records() returns
        """
        return {}

    def take(self, event):
        """Do to the disk what a nova-compute does to a volume.

        :param event: of the time line (dict)
        """

    def close(self):
        """Take down what serves the disk."""


class Shared(Storage):
    """A file in a folder that both hosts share.

    Locks on files work from host to host, as on a file server.
    """

    name = 'shared'
    title = 'a file that both hosts share'
    writes = True
    one_disk = True
    shared = True

    def prepare(self, instance):
        folder = self._testbed.folder / 'shared'
        shutil.rmtree(folder, ignore_errors=True)
        self._folder = folder
        self._path = folder / instance / 'disk'
        writing_guest.make_disk(self._path)
        return _FILE_XML % (self._path, DEVICE, BUS)

    def nova_settings(self):
        return NovaSettings({
            role: (str(self._folder), self._folder) for role in
            history.ROLES}, {
                'device': DEVICE, 'bus': BUS, 'local': True,
                # libvirt takes no folder for shared that is no file server's
                'unsafe': True})

    def disks(self):
        return dict.fromkeys(history.ROLES, writing_guest.records(self._path))


class Copied(Storage):
    """A file on each host: migrations copy it."""

    name = 'copied'
    title = 'a file on each host, copied by the migration'
    writes = True
    shared = False

    def prepare(self, instance):
        for role in history.ROLES:
            shutil.rmtree(self._folder(role), ignore_errors=True)
            self._folder(role).mkdir()
        self._instance = instance
        writing_guest.make_disk(self._folder('source') / instance / 'disk')
        return _FILE_XML % (pathlib.Path(_OWN, instance, 'disk'), DEVICE, BUS)

    def _folder(self, role):
        return self._testbed.hosts[role].folder / _OWN_OUTSIDE

    def nova_settings(self):
        return NovaSettings({role: (_OWN, self._folder(role))
                             for role in history.ROLES},
                            {'device': DEVICE, 'bus': BUS, 'local': True})

    def disks(self):
        return {role: writing_guest.records(
            self._folder(role) / self._instance / 'disk')
            for role in history.ROLES}


class Network(Storage):
    """A volume on a network block device, which nothing locks.

    Each host has a server of its own (qemu-nbd) for the one volume, and
    reaches it also while the network between the hosts is cut.  A host whose
    nova-compute gives the volume up loses its server.
    """

    name = 'network'
    title = 'a network block device without locks'
    writes = True
    one_disk = True

    def __init__(self, testbed):
        super().__init__(testbed)
        self._servers = {}

    def prepare(self, instance):
        self.close()
        self._path = self._testbed.folder / 'volume'
        self._path.unlink(missing_ok=True)
        writing_guest.make_disk(self._path)
        for role in history.ROLES:
            self._serve(role)
        waiting.until(
            _SERVES_WITHIN, 'qemu-nbd does not serve the volume', lambda: all(
                self._socket(role).exists() for role in history.ROLES), 0.01)
        return _NETWORK_XML

    def _socket(self, role):
        return self._testbed.hosts[role].folder / _SOCKET

    def _serve(self, role):
        self._socket(role).unlink(missing_ok=True)
        self._servers[role] = self._testbed.hosts[role].space.spawn(
            ['qemu-nbd', '--persistent', '--shared=0', '--cache=none',
             '--export-name', _EXPORT, '--socket', '/' + _SOCKET,
             '--image-opts', 'driver=raw,file.driver=file,file.locking=off,'
             'file.filename=%s' % self._path],
            '/run/keeptrack/nbd.log')

    def nova_settings(self):
        return NovaSettings(disk={
            'device': DEVICE, 'bus': BUS, 'local': False,
            'xml': _NETWORK_XML})

    def disks(self):
        return dict.fromkeys(history.ROLES, writing_guest.records(self._path))

    def take(self, event):
        role = event['where']
        if role not in history.ROLES or event.get('data', {}).get(
                'volume') != fake_services.VOLUME:
            return
        if (event['lane'], event['what']) == ('setup', 'volume-connected'):
            if role not in self._servers:
                self._serve(role)
        elif event['lane'] == 'teardown' and event['what'] in (
                'volume-disconnected', 'volume-detached'):
            self._stop(role)

    def _stop(self, role):
        server = self._servers.pop(role, None)
        if server is not None:
            left = processes.kill([server.pid])
            server.close()
            if left:
                raise errors.TestbedError(
                    "the %s's qemu-nbd does not end" % role)

    def close(self):
        for role in list(self._servers):
            self._stop(role)


KINDS = {kind.name: kind for kind in (Storage, Shared, Copied, Network)}
