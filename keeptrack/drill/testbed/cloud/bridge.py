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

"""The network of the nodes: a bridge on the controller.

When the hosts are cut from each other, the controller is reached all the same.
"""

from keeptrack.drill.testbed.cloud import places
from keeptrack.drill.testbed import network

_BRIDGE = 'lan'
_DEVICE = 'lan0'
_HARDWARE = {'host1': '02:6b:74:63:6c:01', 'host2': '02:6b:74:63:6c:02'}


class Bridge(network.Network):
    """The network of a cloud.

    :param nodes: dict of name to node.Node
    """

    def __init__(self, nodes):
        super().__init__({name: nodes[name] for name in places.HOSTS},
                         _DEVICE, places.ADDRESSES, _HARDWARE)
        self._controller = nodes[places.CONTROLLER]

    def open(self):
        """Connect all nodes.

        :raises CloudError: when that does not work
        """
        self._ip(self._controller, f'link add {_BRIDGE} type bridge')
        self._address(self._controller, _BRIDGE)
        for name, host in self._hosts.items():
            self._controller.connect(host, f'to-{name}', _DEVICE,
                                     _HARDWARE[name])
            self._ip(self._controller,
                     f'link set to-{name} master {_BRIDGE} up')
            self._address(host, _DEVICE)
        self.heal()

    def _address(self, node, device):
        self._ip(node, f'address add {places.ADDRESSES[node.name]}/24 dev '
                 f'{device}')
        self._ip(node, f'link set {device} up')

    @staticmethod
    def _ip(node, words):
        words = words.split()
        node.check(['ip'] + words, what=f'ip {words[0]} {words[1]}')
