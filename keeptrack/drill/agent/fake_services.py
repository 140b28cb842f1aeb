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


"""What the stand-ins for Neutron, Cinder and placement have in common.

Nova loads some of them by the names of its options, so what they need is set
for the module, once in a process.
"""

import uuid

VOLUME_TYPE = 'keeptrack'
_NAMESPACE = uuid.UUID('5c1c7a9e-2a55-4a9b-8a43-0c9b0f1d3f6e')

#: the id of the instance's volume (str)
VOLUME = str(uuid.uuid5(_NAMESPACE, 'volume 0'))


class _Needs(object):
    recorder = None
    hydrate = None
    roles = {}


def use(recorder, hydrate, hosts):
    """Say what the stand-ins of this process need.

    :param recorder: recorder.Recorder
    :param hydrate: makes Nova's network info of a list of dict
    :param hosts: role to the host's name (dict of str)
    """
    _Needs.recorder = recorder
    _Needs.hydrate = staticmethod(hydrate)
    _Needs.roles = {name: role for role, name in hosts.items()}


def tell(lane, what, text, **data):
    """Tell what was done, as done to the host that it names.

    :param lane: 'setup' or 'teardown' (str)
    :param what: short id (str)
    :param text: for people (str)
    :param data: what JSON can hold; host is the name of the host that it was
        done to, where that may be another than this process'
    """
    _Needs.recorder.tell(lane, what, text, data,
                         where=_Needs.roles.get(data.get('host')))


def hydrated():
    """The one interface of an instance, as Nova's own network info."""
    return _Needs.hydrate(network_info())


def connection_info(volume):
    """How to connect to a volume, as the volume service says it (dict)."""
    return {'driver_volume_type': VOLUME_TYPE, 'serial': volume,
            'data': {'volume_id': volume, 'access_mode': 'rw',
                     'device_path': '/dev/keeptrack/' + volume}}


def network_info():
    """The one interface of an instance (list of dict)."""
    return [{
        'id': str(uuid.uuid5(_NAMESPACE, 'vif')), 'type': 'bridge',
        'address': '52:54:00:6b:74:01', 'devname': 'tapkt0',
        'active': True, 'ovs_interfaceid': None, 'details': {},
        'network': {'id': str(uuid.uuid5(_NAMESPACE, 'network')),
                    'bridge': 'brkt0', 'label': 'drill', 'subnets': [],
                    'meta': {'injected': False}},
    }]


class Vif(object):
    """In the place of the libvirt driver's vif driver.

    :param make_config: makes what describes an interface to libvirt
    """

    def __init__(self, make_config):
        self._make_config = make_config

    def get_config(self, instance, vif, *args, **kwargs):
        return self._make_config(vif)

    def get_vif_model(self, image_meta=None, vif_model=None):
        return 'virtio'

    def plug(self, instance, vif):
        tell('setup', 'vif-plugged', 'interface plugged', vif=vif['id'])

    def unplug(self, instance, vif):
        tell('teardown', 'vif-unplugged', 'interface unplugged',
             vif=vif['id'])


class Network(object):
    """What Nova of all releases asks of Neutron."""

    def get_instance_nw_info(self, context, instance, *args, **kwargs):
        return hydrated()

    def deallocate_for_instance(self, context, instance, **kwargs):
        tell('teardown', 'network-deallocated', 'network given back')


class Volume(object):
    """What Nova of all releases asks of Cinder."""

    def get(self, context, volume, microversion=None):
        return {'id': volume, 'status': 'in-use', 'size': 1,
                'attach_status': 'attached', 'bootable': True,
                'encrypted': False, 'multiattach': False,
                'volume_image_metadata': {}, 'display_name': 'drill'}

    def roll_detaching(self, context, volume):
        """It was not about to be detached."""


class VolumeDriver(object):
    """In the place of the libvirt driver's volume drivers.

    :param make_config: makes what describes a disk to libvirt, of a
        connection's and a disk's info
    """

    def __init__(self, make_config):
        self.get_config = make_config

    def connect_volume(self, connection, *args):
        tell('setup', 'volume-connected', 'volume connected',
             volume=connection['serial'])

    def disconnect_volume(self, connection, *args, **kwargs):
        tell('teardown', 'volume-disconnected', 'volume disconnected',
             volume=connection['serial'])
