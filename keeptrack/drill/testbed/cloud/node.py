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

"""A node of the cloud: the controller or a host, each in its namespaces.

Everything that runs on a node is in its PID namespace and ends with it.
"""

import ctypes
import glob
import os
import subprocess

from keeptrack.drill.testbed.cloud import places as places_mod
from keeptrack.drill.testbed.cloud import settings
from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import guest
from keeptrack.drill.testbed import host
from keeptrack.drill.testbed import namespaces
from keeptrack.drill.testbed import processes
from keeptrack.drill.testbed import writing_guest

# Says its process id in the node before it becomes the service.
_BECOME = 'echo $$; log=$1; shift; exec "$@" >>"$log" 2>&1 </dev/null'

# ps and libvirtd look their processes up there.
_MOUNT_PROC = 'mount -t proc proc /proc'

# In the place of QEMU on a host: it adds to a guest what the drill needs, its
# firmware (see writing_guest.S) and a monitor of its own, as testbed/guest.py
# does.  Nova has no option for either.  A QEMU that lies elsewhere is told
# where its files are.
_QEMU = '/usr/bin/qemu-system-x86_64'
_EMULATOR = '''\
#!/bin/sh
export QEMU_MODULE_DIR={modules}
for word; do
    case "$word" in guest=*) name=${{word#guest=}} name=${{name%%,*}};; esac
done
socket=/run/keeptrack/$name.qmp
[ -n "$name" ] || exec /run/keeptrack/qemu-system-x86_64 {data} "$@"
exec /run/keeptrack/qemu-system-x86_64 {data} "$@" {cpu} \\
    -bios /{firmware} \\
    -chardev "socket,id=drill,path=$socket,server=on,wait=off" \\
    -mon chardev=drill,mode=control
'''
_MODULES = '/usr/lib*/*/qemu/accel-tcg-x86_64.so'

# /proc/PID/net/tcp
_LISTENING = '0A'


class Node(namespaces.Enterable):
    """A node that a keeper holds.

    :param name: one of places.NODES (str)
    :param holder: the process that holds its namespaces (int)
    :param places: the cloud's places.Places
    :ivar name: see above
    :ivar holder: see above
    """

    def __init__(self, name, holder, places):
        self.name = name
        self.folder = places.run / name
        self.holder = holder
        self._places = places

    @property
    def _pid_namespace(self):
        return f'/proc/{self.holder}/ns/pid_for_children'

    def _enter(self, command):
        return ['nsenter', f'--target={self.holder}', '--mount', '--net',
                '--uts', f'--pid={self._pid_namespace}', '--',
                # or what takes too long would go on behind nsenter's back
                'setpriv', '--pdeathsig', 'KILL', '--'] + list(command)

    def check(self, command, variables=None, what=None, timeout=120):
        """Run a command that has to succeed.

        :param command: list of str
        :param variables: environment variables to add (dict)
        :param what: what it does, for the error (str)
        :param timeout: seconds (float)
        :returns: its stdout (str)
        :raises CloudError: when it fails or takes too long
        """
        what = what or os.path.basename(command[0])
        try:
            done = self.run(command, env=variables, capture_output=True,
                            text=True, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise errors.CloudError(
                f'{what} on {self.name} took longer than {timeout} s')
        if done.returncode:
            log = self._places.log / 'failed.log'
            with open(log, 'a') as file:
                file.write(f'{command}\n{done.stdout}{done.stderr}\n')
            words = (done.stderr or done.stdout).strip().splitlines()
            raise errors.CloudError(
                f'{what} on {self.name} failed (status {done.returncode}): '
                f'{words[-1] if words else "no output"} (see {log})')
        return done.stdout

    def spawn(self, command, variables, log):
        """Start a process that lives until it or the node ends.

        :param command: list of str
        :param variables: environment variables to add (dict)
        :param log: the file that its output is added to (pathlib.Path)
        :returns: its id in the node's PID namespace (int)
        :raises CloudError: when it cannot be started
        """
        done = subprocess.run(
            ['nsenter', f'--target={self.holder}', '--mount', '--net',
             '--uts', f'--pid={self._pid_namespace}', '--', 'setsid',
             '--fork', 'sh', '-c', _BECOME, 'sh', str(log)] + list(command),
            env=dict(namespaces.environment(), **variables),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd='/')
        if not done.stdout.strip().isdigit():
            raise errors.CloudError(
                f'{command[0]} cannot be started on {self.name}: '
                f'{done.stderr.strip()}')
        return int(done.stdout)

    def processes(self):
        """Return what runs on the node (list of processes.Process)."""
        try:
            held = os.open(self._pid_namespace, os.O_RDONLY)
        except OSError:
            return []
        try:
            return processes.of_namespace('pid', os.fstat(held))
        finally:
            os.close(held)

    def find(self, inner):
        """Find a process by its id in the node's PID namespace.

        :param inner: int
        :returns: a processes.Process, or None
        """
        for process in self.processes():
            if process.inner == inner:
                return process
        return None

    def ports(self):
        """Return the TCP ports that something listens on (set of int)."""
        found = set()
        for name in ('tcp', 'tcp6'):
            try:
                with open(f'/proc/{self.holder}/net/{name}') as table:
                    rows = [line.split() for line in table][1:]
            except OSError:
                return set()
            found |= {int(row[1].rpartition(':')[2], 16) for row in rows
                      if row[3] == _LISTENING}
        return found

    def connect(self, other, device, peer, address):
        """Lay a cable to another node.

        :param other: the other Node
        :param device: this node's end (str)
        :param peer: the other node's end (str)
        :param address: the hardware address of the other's end (str)
        :raises CloudError: when it cannot be made
        """
        # a process id means another process inside of a PID namespace
        done = subprocess.run(
            ['nsenter', f'--target={self.holder}', '--net', '--', 'ip',
             'link', 'add', device, 'type', 'veth', 'peer', 'name', peer,
             'address', address, 'netns', str(other.holder)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise errors.CloudError(
                f'{self.name} cannot be connected with {other.name}: '
                f'{done.stderr.strip()}')

    def enter_network(self):
        """Move this thread, and those it starts, into the node's network.

        :raises CloudError: when that is not possible
        """
        libc = ctypes.CDLL(None, use_errno=True)
        with open(f'/proc/{self.holder}/ns/net') as held:
            if libc.setns(held.fileno(), 0):
                raise errors.CloudError(
                    f'the network of {self.name} cannot be entered: '
                    f'{os.strerror(ctypes.get_errno())}')

    def prepare(self):
        """Give it folders, mounts and a name of its own.

        :raises CloudError: when a mount cannot be made
        """
        for name in host.MOUNTS:
            (self.folder / name).mkdir(parents=True)
        (self.folder / 'run' / 'lock').mkdir()
        (self.folder / 'nova' / 'instances').mkdir(parents=True)
        (self.folder / 'ceph').mkdir()
        self._places.nova_state.mkdir(exist_ok=True)
        (self.folder / 'hosts').write_text('127.0.0.1 localhost\n' + ''.join(
            f'{address} {name}\n'
            for name, address in places_mod.ADDRESSES.items()))
        # no name server can be reached from a node
        (self.folder / 'resolv.conf').touch()
        points = ['resolv.conf /etc/resolv.conf\n',
                  f'nova {self._places.nova_state}\n'] + [
            f'{own} {point}\n' for own, point in
            [('ceph', os.path.dirname(settings.CEPH_CONF)),
             *reversed(host.MOUNTS.items())] if os.path.isdir(point)]
        done = self.run(['sh', '-euc', host.PREPARE + _MOUNT_PROC, 'prepare',
                         str(self.folder), self.name],
                        input=''.join(points),
                        capture_output=True, text=True)
        if done.returncode:
            raise errors.CloudError(
                f'the mounts of {self.name} cannot be made: '
                f'{done.stderr.strip()}')
        if self.name in places_mod.HOSTS:
            self._wrap_qemu()

    def _wrap_qemu(self):
        folder = self.folder / 'run' / 'keeptrack'
        folder.mkdir()
        (self.folder / guest.WRITER_FILE).write_bytes(
            writing_guest.firmware())
        folders = self.check([_QEMU, '-L', 'help']).split()
        modules = glob.glob(_MODULES)
        wrapper = folder / 'emulator'
        wrapper.write_text(_EMULATOR.format(
            modules=os.path.dirname(''.join(modules[:1])),
            data=' '.join(f'-L {each}' for each in folders),
            cpu='' if guest.kvm_available() else '-cpu qemu64,apic=off',
            firmware=guest.WRITER_FILE))
        wrapper.chmod(0o755)
        real = folder / 'qemu-system-x86_64'
        real.touch()
        for source, target in ((_QEMU, '/run/keeptrack/' + real.name),
                               ('/run/keeptrack/' + wrapper.name, _QEMU)):
            self.check(['mount', '--bind', source, target])
