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

"""A testbed: two hosts on one machine, with a network between them."""

import concurrent.futures
import contextlib
import shutil
import subprocess
import time

from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import host
from keeptrack.drill.testbed import libvirtd
from keeptrack.drill.testbed import network
from keeptrack.drill.testbed import prerequisites
from keeptrack import signals

TestbedError = errors.TestbedError

# What each host is called: UNIX sockets leave little room for more.
_LETTERS = {'source': 'a', 'destination': 'b'}

# A path of libvirt's below a host's folder, the longest of a UNIX socket, and
# what the kernel takes.
_LONGEST = 'a/lib/qemu/domain-9999-instance-00000001/monitor.sock'
_SOCKET_PATH = 107

# seconds
_READY_WITHIN = 20
_RESETS_WITHIN = 15


class Testbed:
    """Two hosts, 'source' and 'destination'.

    :param folder: for all that the hosts write; short, and made by start
        (pathlib.Path)
    :param number: tells testbeds that are up together apart (int)
    :ivar hosts: dict of role to host.Host
    :ivar network: the network.Network between them
    :ivar folder: see above
    """

    def __init__(self, folder, number):
        self.folder = self._folder = folder
        self._number = number
        self._made = False
        self.hosts = {}
        self.network = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc_info):
        self.stop()

    def start(self):
        """Bring both hosts up.

        :raises TestbedError: when that does not work; nothing is left
        """
        prerequisites.refuse_without()
        if len(str(self._folder / _LONGEST)) > _SOCKET_PATH:
            raise TestbedError('%s is too long for UNIX sockets below it' %
                               self._folder)
        try:
            self._folder.mkdir()
        except OSError as exc:
            raise TestbedError('the folder %s cannot be made: %s' % (
                self._folder, exc.strerror))
        self._made = True
        try:
            self._start()
        except BaseException as exc:
            self.stop()
            if isinstance(exc, (OSError, subprocess.SubprocessError)):
                raise TestbedError('the testbed cannot be made: %s' % exc)
            raise

    def _start(self):
        addresses = {}
        for role, letter in _LETTERS.items():
            name = 'kt%d-%s' % (self._number, letter)
            addresses[name] = network.ADDRESSES[role]
            self.hosts[role] = host.Host(role, name, self._folder / letter)
        self._both(lambda each: each.open(addresses))
        self.network = network.Network(self.hosts)
        self.network.open()
        self._both(lambda each: each.bring_up(_READY_WITHIN))

    def _both(self, work):
        """Do something for both hosts at the same time.

        :raises: what it raised for one of them, once it is over for both
        """
        with concurrent.futures.ThreadPoolExecutor(len(self.hosts)) as pool:
            futures = [pool.submit(work, each)
                       for each in self.hosts.values()]
        for future in futures:
            future.result()

    def stop(self):
        """Take everything down; a second time does nothing.

        A kit that is killed leaves the folder and nothing else: the kernel
        takes down the rest when the hosts' processes lose it.

        :raises TestbedError: when a process does not end
        """
        with signals.held() as state, contextlib.ExitStack() as stack:
            # whatever fails, the other steps are taken
            if self._made:
                stack.callback(shutil.rmtree, self._folder)
                self._made = False
            left = []
            for each in self.hosts.values():
                stack.callback(lambda each=each: left.extend(each.close()))
            self.hosts = {}
            self.network = None
        state.check()
        if left:
            raise TestbedError(
                'process %d of the testbed does not end' % left[0])

    def reset(self):
        """Go back to the beginning: nothing of a guest, and all is whole.

        :raises TestbedError: when that does not work
        """
        try:
            self._reset()
        except (OSError, subprocess.SubprocessError) as exc:
            raise TestbedError('the testbed cannot be reset: %s' % exc)

    def _reset(self):
        whole = self.network.is_whole
        self.network.heal()
        if whole and all(each.libvirtd.state == libvirtd.UP
                         for each in self.hosts.values()):
            try:
                self._both(lambda each: each.clean())
                if self._is_clean():
                    return
            except TestbedError:
                # what libvirtd cannot put right, its end does
                pass
        self._renew()

    def _is_clean(self):
        return all(each.is_clean() for each in self.hosts.values())

    def _renew(self):
        """Start both libvirtd anew, with nothing to remember."""
        until = time.monotonic() + _RESETS_WITHIN
        while True:
            self._both(lambda each: each.renew())
            self._both(lambda each: each.bring_up(_READY_WITHIN))
            if self._is_clean():
                return
            if time.monotonic() > until:
                raise TestbedError('the testbed cannot be reset: domains stay')
