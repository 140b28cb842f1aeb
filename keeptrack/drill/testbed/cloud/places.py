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

"""Where a cloud keeps its files, and the addresses that it has."""

from keeptrack.drill import history
from keeptrack.drill.testbed import errors
from keeptrack.verify import environment

CONTROLLER = 'ctl'
HOSTS = ('host1', 'host2')
NODES = (CONTROLLER,) + HOSTS

# the hosts as those of a drill, whose settings of libvirt they have
ROLES = dict(zip(history.ROLES, HOSTS))

# Only the nodes of this cloud can see them (RFC 5737).
ADDRESSES = {'ctl': '192.0.2.10', 'host1': '192.0.2.1', 'host2': '192.0.2.2'}

# Nova trees that the cloud can run
PATCHED = 'patched'
STOCK = 'stock'
NOVAS = (PATCHED, STOCK)

# service: its port on the controller
PORTS = {'keystone': 5000, 'placement': 8778, 'glance': 9292, 'neutron': 9696,
         'nova-api': 8774, 'cinder': 8776}
BROKER_PORT = 5672


def url(service, path=''):
    """Return the address of an API as the service catalog has it (str)."""
    return f'http://{ADDRESSES[CONTROLLER]}:{PORTS[service]}{path}'


class Places:
    """The folders of one cloud.

    :param top: all of it (pathlib.Path); in it are, each a pathlib.Path:
    :ivar env: the virtualenv of all OpenStack services
    :ivar image: the guest's empty disk
    :ivar driver: what Neutron and Cinder load their drivers from
    :ivar seed: what every cloud begins with: databases, keys, image
    :ivar installed: the mark of a complete installation
    :ivar run: what a cloud that is up writes; removed when it goes down
    :ivar log: the services' logs
    :ivar nova_state: Nova's state_path: each host sees its own folder there
    :ivar ceph: what Ceph's monitor and its disk write
    :ivar lock: locked while a keeper runs; outside of run, which is removed
    """

    def __init__(self, top):
        self.top = top
        self.env = top / 'env'
        self.image = top / 'writer.qcow2'
        self.driver = top / 'driver'
        self.seed = top / 'seed'
        self.installed = top / 'installed.json'
        self.run = top / 'run'
        self.log = self.run / 'log'
        self.nova_state = self.run / 'nova'
        self.lock = top / 'lock'
        self.ceph = self.run / 'ceph'

    @classmethod
    def default(cls):
        """Return the places in the user's cache folder.

        :raises CloudError: when its path cannot be used in settings
        """
        top = environment.cache_folder() / 'cloud'
        if any(letter.isspace() or letter in '%$#' for letter in str(top)):
            raise errors.CloudError(
                f'{top} has a character that settings of OpenStack do not '
                'take: set XDG_CACHE_HOME to another folder')
        return cls(top)

    @property
    def python(self):
        """The Python of the virtualenv (str)."""
        return self.program('python')

    def program(self, name):
        """Return the path of a program in the virtualenv (str)."""
        return str(self.env / 'bin' / name)

    def nova(self, which):
        """Return the folder of a Nova tree: PATCHED or STOCK."""
        return self.top / f'nova-{which}'

    def instances(self, host):
        """Return the folder with the instances' disks of a host."""
        return self.run / host / 'nova' / 'instances'
