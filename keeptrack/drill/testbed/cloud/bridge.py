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

A cut is silent, as in a drill: the hosts send to a hardware address that
nobody has.  The controller is reached all the same.
"""

from keeptrack.drill.testbed.cloud import places

_BRIDGE = 'lan'
_DEVICE = 'lan0'
_HARDWARE = {'host1': '02:6b:74:63:6c:01', 'host2': '02:6b:74:63:6c:02'}
_NOBODY = '02:6b:74:63:6c:ff'
_PEER = {'host1': 'host2', 'host2': 'host1'}


class Bridge:
    """The network of a cloud.

    :param nodes: dict of name to node.Node
    """

    def __init__(self, nodes):
        self._nodes = nodes

    def open(self):
        """Connect all nodes.

        :raises CloudError: when that does not work
        """
        controller = self._nodes[places.CONTROLLER]
        self._ip(controller, f'link add {_BRIDGE} type bridge')
        self._address(controller, _BRIDGE)
        for name in places.HOSTS:
            host = self._nodes[name]
            controller.connect(host, f'to-{name}', _DEVICE, _HARDWARE[name])
            self._ip(controller, f'link set to-{name} master {_BRIDGE} up')
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

    def cut(self):
        """Drop every packet between the hosts, silently."""
        self._send_to({name: _NOBODY for name in _PEER})

    def heal(self):
        """Let packets through again."""
        self._send_to({name: _HARDWARE[_PEER[name]] for name in _PEER})

    def _send_to(self, hardware):
        for name, address in hardware.items():
            self._ip(self._nodes[name],
                     f'neighbour replace {places.ADDRESSES[_PEER[name]]} '
                     f'lladdr {address} nud permanent dev {_DEVICE}')
