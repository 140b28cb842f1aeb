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

"""The network between the two hosts, and its cut.

A cut must be silent: whoever sends hears nothing, neither that the peer is
unreachable nor that the link is down.  So the link stays up and each host
sends to a hardware address that the other does not have; its kernel drops
what comes.  The entries are permanent and ARP has no part in it.
"""

import subprocess

from keeptrack.drill.testbed import errors

# the same in every testbed: nobody else can see them (RFC 5737)
ADDRESSES = {'source': '192.0.2.1', 'destination': '192.0.2.2'}
_HARDWARE = {'source': '02:6b:65:70:74:0a', 'destination': '02:6b:65:70:74:0b'}
_NOBODY = '02:6b:65:70:74:ff'
_DEVICE = 'lab0'


class Network:
    """A cable between two hosts.

    :param hosts: dict of role, or name, to host.Host
    :param device: what their ends are called (str)
    :param addresses: their IP addresses: dict of str
    :param hardware: their hardware addresses: dict of str
    :ivar is_whole: it is not cut (bool)
    """

    def __init__(self, hosts, device=_DEVICE, addresses=None, hardware=None):
        self._hosts = hosts
        self._device = device
        self._addresses = addresses or ADDRESSES
        self._hardware = hardware or _HARDWARE
        first, second = hosts
        self._other = {first: second, second: first}
        self.is_whole = False

    def open(self):
        """Lay it.

        :raises TestbedError: when that does not work
        """
        self._all({'source': [
            'ip', 'link', 'add', 'name', self._device,
            'address', self._hardware['source'], 'type', 'veth',
            'peer', 'name', self._device,
            'address', self._hardware['destination'],
            'netns', str(self._hosts['destination'].pid)]})
        for words in (['ip', 'address', 'add', '{}/24', 'dev', self._device],
                      ['ip', 'link', 'set', self._device, 'up']):
            self._all({role: [word.format(self._addresses[role])
                              for word in words] for role in self._hosts})
        self.heal()

    def cut(self):
        """Drop every packet, both ways, silently."""
        self.is_whole = False
        self._send_to({role: _NOBODY for role in self._hosts})

    def heal(self):
        """Let packets through again."""
        self._send_to({role: self._hardware[self._other[role]]
                       for role in self._hosts})
        self.is_whole = True

    def _send_to(self, hardware):
        self._all({role: [
            'ip', 'neighbour', 'replace', self._addresses[self._other[role]],
            'lladdr', hardware[role], 'nud', 'permanent', 'dev', self._device]
            for role in self._hosts})

    def _all(self, commands):
        """Run a command on each host, at the same time."""
        started = [self._hosts[role].popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
            for role, command in commands.items()]
        told = [process.communicate()[0] for process in started]
        for process, words in zip(started, told):
            if process.returncode:
                raise errors.TestbedError(
                    'the network between the hosts: %s' % words.strip())
