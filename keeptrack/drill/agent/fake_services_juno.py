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


"""What stands in for the services around Nova of 2014 and 2015."""

from agent import fake_services

_tell = fake_services.tell


class Network(fake_services.Network):
    """In the place of nova.network.api.API."""

    def __init__(self, *args, **kwargs):
        """Nothing of what the real one needs is needed."""

    def setup_networks_on_host(self, context, instance, host=None,
                               teardown=False):
        if teardown:
            _tell('teardown', 'network-torn-down',
                  'network of %s torn down' % host, host=host)
        else:
            _tell('setup', 'network-set-up',
                  'network of %s set up' % host, host=host)

    def migrate_instance_start(self, context, instance, migration):
        _tell('teardown', 'network-left',
              'addresses taken from %s' % migration['source_compute'],
              host=migration['source_compute'])

    def migrate_instance_finish(self, context, instance, migration):
        _tell('setup', 'network-moved',
              'addresses given to %s' % migration['dest_compute'],
              host=migration['dest_compute'])

    def allocate_for_instance(self, context, instance, **kwargs):
        _tell('setup', 'network-allocated', 'network allocated')
        return fake_services.hydrated()


class Volume(fake_services.Volume):
    """In the place of nova.volume.cinder.API."""

    def initialize_connection(self, context, volume, connector):
        _tell('setup', 'volume-initialized', 'volume offered to %s' %
              connector['host'], volume=volume, host=connector['host'])
        return fake_services.connection_info(volume)

    def terminate_connection(self, context, volume, connector):
        _tell('teardown', 'volume-terminated', 'volume withdrawn from %s' %
              connector['host'], volume=volume, host=connector['host'])

    def get_volume_encryption_metadata(self, context, volume):
        return {}

    def check_attach(self, context, volume, instance=None):
        """It may."""

    def attach(self, context, volume, instance_uuid, mountpoint, mode='rw'):
        _tell('setup', 'volume-attached', 'volume attached', volume=volume)

    def detach(self, context, volume):
        _tell('teardown', 'volume-detached', 'volume detached',
              volume=volume)


class VolumeDriver(fake_services.VolumeDriver):
    """In the place of one of the libvirt driver's volume drivers."""

    def connect_volume(self, connection, disk_info):
        super(VolumeDriver, self).connect_volume(connection)
        return self.get_config(connection, disk_info)


class Firewall(object):
    """In the place of nova.virt.firewall's drivers."""

    def __init__(self, *args, **kwargs):
        """Nothing of what the real ones need is needed."""

    def prepare_instance_filter(self, instance, network_info):
        _tell('setup', 'filters-prepared', 'packet filters prepared')

    def setup_basic_filtering(self, instance, network_info):
        _tell('setup', 'filters-set-up', 'packet filters set up')

    def apply_instance_filter(self, instance, network_info):
        _tell('setup', 'filters-applied', 'packet filters applied')

    def unfilter_instance(self, instance, network_info):
        _tell('teardown', 'filters-removed', 'packet filters removed')

    def instance_filter_exists(self, instance, network_info):
        return True

    def filter_defer_apply_on(self):
        """Nothing is deferred."""

    def filter_defer_apply_off(self):
        """Nothing was deferred."""
