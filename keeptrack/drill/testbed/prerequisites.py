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

"""What a testbed needs of the machine."""

import glob
import os
import shutil
import sys

from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import namespaces

_PYTHON = '%d%d' % sys.version_info[:2]

# Programs, and the Debian packages that bring them.
COMMANDS = (
    ('libvirtd', 'libvirt-daemon'),
    ('virsh', 'libvirt-clients'),
    ('qemu-system-x86_64', 'qemu-system-x86'),
    ('ip', 'iproute2'),
    ('unshare', 'util-linux'),
    ('nsenter', 'util-linux'),
)

# Files and folders, each with the places (patterns) that it may have.
FILES = (
    (('/usr/lib/*/libvirt/connection-driver/libvirt_driver_qemu.so',
      '/usr/lib*/libvirt/connection-driver/libvirt_driver_qemu.so'),
     'libvirt-daemon-driver-qemu'),
    # every host has its own on top of these
    (('/etc/libvirt',), 'libvirt-daemon-system'),
    (('/var/lib/libvirt',), 'libvirt-daemon-system'),
    (('/var/log/libvirt',), 'libvirt-daemon-system'),
    (('/var/cache/libvirt',), 'libvirt-daemon-system'),
)


# what a guest that writes to a disk needs besides
WRITES = (
    ('as', 'binutils'),
    ('ld', 'binutils'),
    ('qemu-nbd', 'qemu-utils'),
)


# Programs of a cloud, beside those of guests that write ...
CLOUD = (
    ('mariadbd', 'mariadb-server'),
    ('mariadb', 'mariadb-client'),
    ('rabbitmq-server', 'rabbitmq-server'),
    ('memcached', 'memcached'),
    ('qemu-img', 'qemu-utils'),
    ('setpriv', 'util-linux'),
)

# ... those of a cloud with volumes ...
VOLUMES = (
    ('ceph-mon', 'ceph-mon'),
    ('ceph-osd', 'ceph-osd'),
    ('ceph', 'ceph-common'),
    ('rbd', 'ceph-common'),
)
# (Cinder runs on the Python that runs this)
VOLUME_FILES = tuple(
    ((place,), package) for place, package in (
        ('/usr/lib/*/qemu/block-rbd.so', 'qemu-block-extra'),
        (f'/usr/lib/python3/dist-packages/rados.cpython-{_PYTHON}-*.so',
         'python3-rados'),
        (f'/usr/lib/python3/dist-packages/rbd.cpython-{_PYTHON}-*.so',
         'python3-rbd')))

# ... and those that only its installation needs.
CLOUD_BUILD = (
    ('gcc', 'gcc'),
    ('pkg-config', 'pkg-config'),
)

# packages that bring the rest of what a cloud needs
_CLOUD_PACKAGES = (
    'libvirt-daemon-system', 'libvirt-daemon-driver-qemu', 'libvirt-clients',
    'libvirt-dev', 'qemu-system-x86', 'iproute2', 'gcc', 'libc6-dev',
    'python3-dev', 'python3-venv')


def packages():
    """Return the Debian packages that a cloud needs (list of str)."""
    return sorted({package for _, package in WRITES + CLOUD + VOLUMES +
                   VOLUME_FILES + CLOUD_BUILD} | set(_CLOUD_PACKAGES))


def missing(writes=False, cloud=False, build=False, volumes=False):
    """Tell what this machine lacks for a testbed.

    :param writes: guests write to disks (bool)
    :param cloud: it is a cloud (bool)
    :param build: it is to be installed, too (bool)
    :param volumes: it has volumes (bool)
    :returns: reasons for people (list of str), empty when nothing is missing
    """
    reasons = [] if os.geteuid() == 0 else ['it needs root']
    lacks = _without(COMMANDS + (WRITES if writes or cloud else ()))
    lacks += [(os.path.basename(places[0]) if places[0].endswith('.so')
               else places[0], package) for places, package in
              FILES + (VOLUME_FILES if volumes else ())
              if not any(glob.glob(place) for place in places)]
    lacks += _without((CLOUD if cloud else ()) + (
        CLOUD_BUILD if build else ()) + (VOLUMES if volumes else ()))
    return reasons + ['there is no %s (Debian: %s)' % lack for lack in lacks]


def _without(commands):
    """The programs that are not there: list of (program, package)."""
    path = namespaces.environment()['PATH']
    return [(name, package) for name, package in commands
            if shutil.which(name, path=path) is None]


def refuse_without(writes=False):
    """Refuse when this machine lacks something for a testbed.

    :param writes: guests write to disks (bool)
    :raises TestbedError: with all that is missing
    """
    reasons = missing(writes)
    if reasons:
        raise errors.TestbedError(
            'no testbed can be made on this machine: %s' % '; '.join(reasons))


def refuse_without_cloud(volumes=False):
    """Refuse when this machine lacks something for a cloud.

    :param volumes: it has volumes (bool)
    :raises CloudError: with all that is missing, in one line
    """
    reasons = missing(cloud=True, volumes=volumes)
    if reasons:
        raise errors.CloudError('no cloud can be made on this machine: ' +
                                '; '.join(reasons))


def refuse_other_users():
    """Refuse anybody but root.

    :raises CloudError: when this process is not root's
    """
    if os.geteuid():
        raise errors.CloudError('a cloud needs root: its nodes are '
                                'namespaces of this machine')
