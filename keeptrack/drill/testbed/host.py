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

"""One of the two hosts: its folders, its libvirtd, its QEMUs."""

import shutil
import subprocess
import time

from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import guest
from keeptrack.drill.testbed import libvirtd
from keeptrack.drill.testbed import namespaces
from keeptrack.drill.testbed import processes

# What a host has for itself: its folder's to the machine's.
MOUNTS = {'run': '/run', 'etc': '/etc/libvirt', 'lib': '/var/lib/libvirt',
          'log': '/var/log/libvirt', 'cache': '/var/cache/libvirt'}

# In a mount namespace of our own.  /sys is mounted anew: the network in it is
# that of whoever mounts it, and without cgroups in it libvirt makes none.
# Huge pages go, since libvirt would make folders among them.
PREPARE = """\
umount --recursive --lazy /sys
mount -t sysfs sysfs /sys
awk '$3 == "hugetlbfs" { print $2 }' /proc/mounts | while read -r point; do
    umount --lazy "$point"
done
mount --bind "$1/hosts" /etc/hosts
while read -r own point; do
    mount --bind "$1/$own" "$point"
done
hostname "$2"
ip link set lo up
"""

# Seconds, and how often nothing may be heard in that time: a lost peer shows
# within seconds.
_KEEPALIVE = 1, 2

# No two hosts of one testbed may have the same, or libvirt refuses to migrate.
_UUIDS = {'source': '6b657074-7261-436b-8000-00000000000a',
          'destination': '6b657074-7261-436b-8000-00000000000b'}

_LIBVIRTD = """\
host_uuid = "%s"
listen_tls = 0
listen_tcp = 1
auth_tcp = "none"
auth_unix_ro = "none"
auth_unix_rw = "none"
keepalive_interval = %d
keepalive_count = %d
"""

# Nothing that reaches beyond the host: no cgroups, no labels, no virtlogd.
_QEMU = """\
user = "root"
group = "root"
dynamic_ownership = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
keepalive_interval = %d
keepalive_count = %d
"""

# seconds
_ASK = 10    # virsh takes a tenth of a second unless much else runs
_CLEAN_WITHIN = 2
_POLL = 0.03


def libvirt_files(role):
    """The files of /etc/libvirt that say what a host's libvirt does.

    :param role: the host's (str)
    :returns: dict of name to content (str)
    """
    return {'libvirtd.conf': _LIBVIRTD % ((_UUIDS[role],) + _KEEPALIVE),
            'qemu.conf': _QEMU % _KEEPALIVE}


class Host:
    """A host.

    :param role: 'source' or 'destination'
    :param name: its hostname (str)
    :param folder: what it has for itself, to be made (pathlib.Path)
    :ivar space: its namespaces.Namespaces
    :ivar libvirtd: its libvirtd.Libvirtd
    """

    def __init__(self, role, name, folder):
        self.role = role
        self.name = name
        self.folder = folder
        self.space = namespaces.Namespaces()
        self.libvirtd = libvirtd.Libvirtd(role, self.space,
                                          folder / 'log' / 'libvirtd.log')

    @property
    def pid(self):
        """A process that is in the host's namespaces (int)."""
        return self.space.pid

    def open(self, addresses):
        """Make it, without network and with its libvirtd down.

        :param addresses: of all hosts: dict of name to address (str)
        :raises TestbedError: when it cannot be made
        """
        for name in MOUNTS:
            (self.folder / name).mkdir(parents=True)
        (self.folder / 'run' / 'keeptrack').mkdir()
        (self.folder / 'run' / 'lock').mkdir()
        (self.folder / guest.FIRMWARE_FILE).write_bytes(guest.FIRMWARE)
        (self.folder / 'hosts').write_text('127.0.0.1 localhost\n' + ''.join(
            '%s %s\n' % (address, name)
            for name, address in addresses.items()))
        for name, text in libvirt_files(self.role).items():
            (self.folder / 'etc' / name).write_text(text)
        self.space.open()
        # /run last: the kit's folder may lie in it
        points = ''.join('%s %s\n' % item
                         for item in reversed(MOUNTS.items()))
        result = self.run(
            ['sh', '-euc', PREPARE, 'prepare', str(self.folder), self.name],
            input=points, capture_output=True, text=True)
        if result.returncode:
            raise errors.TestbedError("the %s's mounts cannot be made: %s" % (
                self.role, result.stderr.strip()))

    def bring_up(self, timeout):
        """Start its libvirtd, and wait until it knows what its QEMU can.

        :param timeout: seconds (float)
        :raises TestbedError: when it is not ready in time
        """
        self.libvirtd.start()
        self.libvirtd.wait_ready(timeout)
        # kept on disk, so that no later start takes as long as the first
        self.virsh('capabilities', timeout=timeout)

    def close(self):
        """End everything on it; what the host wrote stays in its folder.

        :returns: the ids of processes that do not end (list of int)
        """
        left = self.space.close()
        self.libvirtd.forget()
        return left

    def run(self, command, **kwargs):
        """Run a command on the host.

        :param command: list of str
        :param kwargs: what subprocess.run takes
        :returns: a subprocess.CompletedProcess
        :raises TestbedError: when it takes longer than the given timeout
        """
        try:
            return self.space.run(command, **kwargs)
        except subprocess.TimeoutExpired:
            raise errors.TestbedError('%s on the %s took longer than %s s' % (
                ' '.join(word for word in command[:3] if word[0] != '-'),
                self.role, kwargs['timeout']))

    def popen(self, command, **kwargs):
        """Begin a command on the host; returns a subprocess.Popen."""
        return self.space.popen(command, **kwargs)

    def virsh(self, *words, stdin=None, timeout=_ASK):
        """Run virsh.

        :param words: its arguments (str)
        :param stdin: what it reads (str), or None
        :param timeout: seconds (float)
        :returns: what it printed (str)
        :raises TestbedError: when it fails, or takes too long
        """
        result = self.run(('virsh', '--quiet') + words, input=stdin or '',
                          capture_output=True, text=True, timeout=timeout)
        if result.returncode:
            raise errors.TestbedError('virsh %s on the %s: %s' % (
                words[0], self.role, ' '.join(result.stderr.split())))
        return result.stdout

    def qemu_pids(self):
        """The QEMUs that run guests on this host (list of int)."""
        return [found.pid for found in self.space.processes()
                if found.is_guest]

    def kill_qemu(self):
        """End all guests' QEMUs with SIGKILL.

        :raises TestbedError: when one does not end
        """
        left = processes.kill(self.qemu_pids())
        if left:
            raise errors.TestbedError("the %s's QEMU %d does not end" % (
                self.role, left[0]))

    def domains(self):
        """The domains that libvirt knows, running or not (list of uuids)."""
        return self.virsh('list', '--all', '--uuid').split()

    def is_clean(self):
        """Tell whether there is neither domain nor QEMU."""
        return not self.domains() and not self.qemu_pids()

    def clean(self):
        """Remove every domain, asking libvirt.

        :raises TestbedError: when that does not work
        """
        until = time.monotonic() + _CLEAN_WITHIN
        self.kill_qemu()
        while not self.is_clean():
            if time.monotonic() > until:
                raise errors.TestbedError('the %s has domains that stay' %
                                          self.role)
            self.kill_qemu()
            for uuid in self.domains():
                # one that is in a job, or was transient, goes by itself
                self.run(['virsh', 'undefine', uuid], capture_output=True,
                         timeout=_ASK)
            time.sleep(_POLL)

    def lose_power(self):
        """End libvirtd and all guests; what is on disk stays.

        :raises TestbedError: when a process does not end
        """
        self.libvirtd.kill()
        self.kill_qemu()
        # /run is empty when a host starts
        shutil.rmtree(self.folder / 'run' / 'libvirt' / 'qemu',
                      ignore_errors=True)

    def renew(self):
        """Remove every domain and what libvirtd remembers.

        It is down afterwards.
        """
        self.libvirtd.kill()
        self.kill_qemu()
        for path in (self.folder / 'run' / 'libvirt' / 'qemu',
                     self.folder / 'etc' / 'qemu',
                     self.folder / 'lib' / 'qemu'):
            if path.exists():
                shutil.rmtree(path)
        for path in (self.folder / 'run' / 'keeptrack').glob('*.qmp'):
            path.unlink()
