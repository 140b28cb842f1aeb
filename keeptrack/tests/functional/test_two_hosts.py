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

"""The testbed itself, with real libvirtd and real QEMU and without Nova."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import uuid

import testtools

from keeptrack.drill import history
from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import guest as guest_mod
from keeptrack.drill.testbed import libvirtd
from keeptrack.drill.testbed import testbed as testbed_mod
from keeptrack.tests.functional import moving_guest

ROLES = moving_guest.ROLES
ROOT = pathlib.Path(__file__).parents[3]


def machine():
    """What a testbed could leave on the machine, beside processes."""
    names = pathlib.Path('/etc/netns'), pathlib.Path('/run/netns')
    return (pathlib.Path('/proc/self/mounts').read_text(),
            sorted(name for _, name in socket.if_nameindex()),
            sorted(str(path) for folder in names if folder.exists()
                   for path in folder.iterdir()), socket.gethostname())


def namespaces(pids):
    """The namespaces of processes, as the kernel numbers them (set)."""
    return {os.stat('/proc/%d/ns/%s' % (pid, kind)).st_ino
            for pid in pids for kind in ('mnt', 'net', 'pid', 'uts')}


def now():
    """Seconds since the machine has started (float)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def began(pid):
    """When a process began, in the seconds of now()."""
    fields = pathlib.Path('/proc', str(pid), 'stat').read_text()
    return int(fields.rpartition(')')[2].split()[19]) / os.sysconf(
        'SC_CLK_TCK')


def inhabitants(numbers, until=None):
    """The processes in any of some namespaces (set of int).

    :param until: leave out what began after it: another namespace, of a test
                  beside this one, may have the number since (see now())
    """
    found = set()
    until = now() if until is None else until
    for path in pathlib.Path('/proc').glob('[0-9]*/ns/*'):
        try:
            pid = int(path.parts[2])
            if path.stat().st_ino in numbers and began(pid) <= until:
                found.add(pid)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue    # it has ended, or is not ours to look at
    return found


class TestbedTestCase(testtools.TestCase):
    """A testbed on its own: what it makes, and what it leaves."""

    def setUp(self):
        super().setUp()
        moving_guest.skip_without_hosts(self)
        self.before = machine()
        folder = tempfile.TemporaryDirectory(prefix='kt')
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def own(self, testbed):
        """The namespaces that are the testbed's only (set of int)."""
        pids = [pid for host in testbed.hosts.values()
                for pid in [host.pid, host.libvirtd.pid] + host.qemu_pids()]
        self.assertEqual(5, len(pids))
        return namespaces(pids) - namespaces([os.getpid()])

    def test_leaves_the_machine_as_it_was(self):
        testbed = testbed_mod.Testbed(self.folder / 'l', 0)
        with testbed:
            guest_mod.Guest(str(uuid.uuid4()), 'g').boot(
                testbed.hosts['source'])
            stray = testbed.hosts['source'].popen(['sleep', '100'])
            own = self.own(testbed)
            self.assertIn(stray.pid, inhabitants(own))
            testbed.hosts['destination'].libvirtd.stall()
            self.assertEqual(self.before, machine())
            until = now()
        testbed.stop()
        self.assertEqual(-signal.SIGKILL, stray.wait())
        self.assertEqual(set(), inhabitants(own, until))
        self.assertEqual(self.before, machine())
        self.assertEqual([], list(self.folder.iterdir()))

    def test_leaves_nothing_of_one_that_does_not_come_up(self):
        own = set()
        until = []
        case = self

        class Interrupted(testbed_mod.Testbed):

            def _both(self, work):
                super()._both(work)
                if self.network is not None:
                    guest_mod.Guest(str(uuid.uuid4()), 'g').boot(
                        self.hosts['destination'])
                    own.update(case.own(self))
                    until.append(now())
                    raise KeyboardInterrupt()

        self.assertRaises(KeyboardInterrupt,
                          Interrupted(self.folder / 'l', 0).start)
        self.assertEqual((10, set()),
                         (len(own), inhabitants(own, until[0])))
        self.assertEqual(self.before, machine())
        self.assertEqual([], list(self.folder.iterdir()))

    def test_only_the_folder_is_left_of_a_kit_that_is_killed(self):
        script = textwrap.dedent("""\
            import pathlib, sys, time, uuid
            from keeptrack.drill.testbed import guest, testbed
            found = testbed.Testbed(pathlib.Path(sys.argv[1]), 0)
            found.start()
            guest.Guest(str(uuid.uuid4()), 'g').boot(found.hosts['source'])
            for host in found.hosts.values():
                print(host.pid, host.libvirtd.pid, *host.qemu_pids(), end=' ')
            print(flush=True)
            time.sleep(100)
        """)
        kit = subprocess.Popen(
            [sys.executable, '-c', script, str(self.folder / 'l')], cwd=ROOT,
            stdout=subprocess.PIPE, text=True)
        with kit:
            pids = [int(word) for word in kit.stdout.readline().split()]
            self.assertEqual(5, len(pids))
            own = namespaces(pids) - namespaces([os.getpid()])
            until = now()
            kit.kill()
        while inhabitants(own, until) and now() < until + 5:
            time.sleep(0.05)
        self.assertEqual(set(), inhabitants(own, until))
        self.assertEqual(self.before, machine())

    def test_several_beside_each_other(self):
        testbeds = [testbed_mod.Testbed(self.folder / str(number), number)
                    for number in range(3)]
        for testbed in testbeds:
            self.addCleanup(testbed.stop)
        threads = [threading.Thread(target=testbed.start)
                   for testbed in testbeds]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for testbed in testbeds:
            guest_mod.Guest(str(uuid.uuid4()), 'g').boot(
                testbed.hosts['source'])
        testbeds[0].stop()
        for testbed in testbeds[1:]:
            self.assertEqual(1, len(testbed.hosts['source'].qemu_pids()))
            self.assertEqual(1, len(testbed.hosts['source'].domains()))

    def test_a_thread_that_ends_takes_nothing_with_it(self):
        testbed = testbed_mod.Testbed(self.folder / 'l', 0)
        self.addCleanup(testbed.stop)
        thread = threading.Thread(target=testbed.start)
        thread.start()
        thread.join()
        for role in ROLES:
            testbed.hosts[role].libvirtd.wait_ready(5)


class HostsTestCase(moving_guest.TestCase):
    """The hosts of one testbed."""

    def test_names(self):
        for role in ROLES:
            host = self.testbed.hosts[role]
            for other in self.testbed.hosts.values():
                host.run(['getent', 'hosts', other.name], check=True,
                         capture_output=True)
            name = host.run(['hostname'], check=True, capture_output=True)
            self.assertEqual(host.name, name.stdout.decode().strip())

    def test_daemon(self):
        daemon, told = self.source.libvirtd, []
        guest = self.boot()
        daemon.on_change = lambda *change: told.append(change[1:])
        daemon.kill()
        self.assertEqual((libvirtd.DOWN, None), (daemon.state, daemon.pid))
        self.assertEqual(libvirtd.UP, self.destination.libvirtd.state)
        self.assertRaises(errors.TestbedError, daemon.wait_ready)
        daemon.start()
        daemon.wait_ready()
        self.assertEqual([guest.uuid], self.source.domains())
        daemon.stall()
        self.assertEqual(libvirtd.STALLED, daemon.state)
        self.assertRaises(errors.TestbedError, self.source.domains)
        daemon.resume()
        daemon.kill()
        daemon.start()
        daemon.wait_ready()
        self.assertEqual([guest.uuid], self.source.domains())
        self.assertEqual([('source', state) for state in (
            libvirtd.DOWN, libvirtd.UP, libvirtd.STALLED, libvirtd.UP,
            libvirtd.DOWN, libvirtd.UP)], told)
        self.assertEqual([history.RUNNING], self.states('source'))

    def test_cut_is_silent(self):
        listener = self.destination.popen(
            [sys.executable, '-c', textwrap.dedent("""\
                import socket
                server = socket.create_server(('', 5000))
                print('up', flush=True)
                peer = server.accept()[0]
                print(peer.recv(10), flush=True)
                print(peer.recv(10), flush=True)
            """)], stdout=subprocess.PIPE, text=True)
        self.addCleanup(listener.kill)
        listener.stdout.readline()
        speaker = self.source.popen(
            [sys.executable, '-c', textwrap.dedent("""\
                import socket, sys
                peer = socket.create_connection((sys.argv[1], 5000))
                peer.sendall(b'one')
                sys.stdin.readline()
                peer.sendall(b'two')
                peer.settimeout(1.5)
                try:
                    print(peer.recv(10), flush=True)
                except TimeoutError:
                    print('silence', flush=True)
                print(peer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR),
                      flush=True)
                sys.stdin.readline()
            """), self.destination.name], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, bufsize=1)
        self.addCleanup(speaker.kill)
        self.assertEqual("b'one'\n", listener.stdout.readline())
        self.testbed.network.cut()
        speaker.stdin.write('go on\n')
        self.assertEqual('silence\n', speaker.stdout.readline())
        self.assertEqual('0\n', speaker.stdout.readline())
        self.testbed.network.heal()
        self.assertEqual("b'two'\n", listener.stdout.readline())
        speaker.communicate('end\n', timeout=5)
        listener.communicate(timeout=5)

    def test_a_refusal_comes_from_a_daemon_that_is_down_only(self):
        self.destination.libvirtd.kill()
        command = ['virsh', '-c', 'qemu+tcp://%s/system' %
                   self.destination.name, 'uri']
        result = self.source.run(command, capture_output=True, text=True,
                                 timeout=5)
        self.assertIn('Connection refused', result.stderr)
        self.testbed.network.cut()
        self.assertRaises(errors.TestbedError, self.source.run, command,
                          capture_output=True, timeout=2)
