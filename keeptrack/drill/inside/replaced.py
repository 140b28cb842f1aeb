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


"""What stands in for networks and volumes, at Nova's own interfaces to them.

Nova loads some of these by the names of its options, so what they need is
set for the module, once in a process.
"""

import uuid

_VOLUME_TYPE = 'keeptrack'
_NAMESPACE = uuid.UUID('5c1c7a9e-2a55-4a9b-8a43-0c9b0f1d3f6e')


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


def volume_id(number):
    """The id of an instance's volume (str).

    :param number: from 0 (int)
    """
    return str(uuid.uuid5(_NAMESPACE, 'volume %d' % number))


def connection_info(volume):
    """How to connect to a volume, as the volume service says it (dict)."""
    return {'driver_volume_type': _VOLUME_TYPE, 'serial': volume,
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


class Network(object):
    """In the place of nova.network.api.API."""

    def __init__(self, *args, **kwargs):
        """Nothing of what the real one needs is needed."""

    def get_instance_nw_info(self, context, instance, *args, **kwargs):
        return hydrated()

    def setup_networks_on_host(self, context, instance, host=None,
                               teardown=False):
        if teardown:
            tell('teardown', 'network-torn-down',
                 'network of %s torn down' % host, host=host)
        else:
            tell('setup', 'network-set-up',
                 'network of %s set up' % host, host=host)

    def migrate_instance_start(self, context, instance, migration):
        tell('teardown', 'network-left',
             'addresses taken from %s' % migration['source_compute'],
             host=migration['source_compute'])

    def migrate_instance_finish(self, context, instance, migration):
        tell('setup', 'network-moved',
             'addresses given to %s' % migration['dest_compute'],
             host=migration['dest_compute'])

    def deallocate_for_instance(self, context, instance, **kwargs):
        tell('teardown', 'network-deallocated', 'network given back')

    def allocate_for_instance(self, context, instance, **kwargs):
        tell('setup', 'network-allocated', 'network allocated')
        return hydrated()


class Volume(object):
    """In the place of nova.volume.cinder.API."""

    def get(self, context, volume):
        return {'id': volume, 'status': 'in-use', 'size': 1,
                'attach_status': 'attached', 'bootable': True,
                'volume_image_metadata': {}, 'display_name': 'drill'}

    def initialize_connection(self, context, volume, connector):
        tell('setup', 'volume-initialized', 'volume offered to %s' %
             connector['host'], volume=volume, host=connector['host'])
        return connection_info(volume)

    def terminate_connection(self, context, volume, connector):
        tell('teardown', 'volume-terminated', 'volume withdrawn from %s' %
             connector['host'], volume=volume, host=connector['host'])

    def roll_detaching(self, context, volume):
        """It was not about to be detached."""

    def get_volume_encryption_metadata(self, context, volume):
        return {}

    def check_attach(self, context, volume, instance=None):
        """It may."""

    def attach(self, context, volume, instance_uuid, mountpoint, mode='rw'):
        tell('setup', 'volume-attached', 'volume attached', volume=volume)

    def detach(self, context, volume):
        tell('teardown', 'volume-detached', 'volume detached',
             volume=volume)


class VolumeDriver(object):
    """In the place of one of the libvirt driver's volume drivers.

    :param make_config: makes what describes a disk to libvirt, of a
        connection's and a disk's info
    """

    def __init__(self, make_config):
        self.get_config = make_config

    @classmethod
    def register(cls, drivers, make_config):
        """Put it among a driver's volume drivers (dict)."""
        drivers[_VOLUME_TYPE] = cls(make_config)

    def connect_volume(self, connection, disk_info):
        tell('setup', 'volume-connected', 'volume connected',
             volume=connection['serial'])
        # only the older ones expect it
        return self.get_config(connection, disk_info)

    def disconnect_volume(self, connection, disk_dev):
        tell('teardown', 'volume-disconnected', 'volume disconnected',
             volume=connection['serial'])


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


class Firewall(object):
    """In the place of nova.virt.firewall's drivers."""

    def __init__(self, *args, **kwargs):
        """Nothing of what the real ones need is needed."""

    def prepare_instance_filter(self, instance, network_info):
        tell('setup', 'filters-prepared', 'packet filters prepared')

    def setup_basic_filtering(self, instance, network_info):
        tell('setup', 'filters-set-up', 'packet filters set up')

    def apply_instance_filter(self, instance, network_info):
        tell('setup', 'filters-applied', 'packet filters applied')

    def unfilter_instance(self, instance, network_info):
        tell('teardown', 'filters-removed', 'packet filters removed')

    def instance_filter_exists(self, instance, network_info):
        return True

    def filter_defer_apply_on(self):
        """Nothing is deferred."""

    def filter_defer_apply_off(self):
        """Nothing was deferred."""
