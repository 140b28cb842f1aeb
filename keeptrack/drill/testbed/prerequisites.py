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

from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import namespaces

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


def missing(writes=False):
    """Tell what this machine lacks for a testbed.

    :param writes: guests write to disks (bool)
    :returns: reasons for people (list of str), empty when nothing is missing
    """
    reasons = []
    if os.geteuid() != 0:
        reasons.append('it needs root')
    path = namespaces.environment()['PATH']
    commands = COMMANDS + (WRITES if writes else ())
    lacks = [(name, package) for name, package in commands
             if shutil.which(name, path=path) is None]
    lacks += [(os.path.basename(places[0]) if places[0].endswith('.so')
               else places[0], package) for places, package in FILES
              if not any(glob.glob(place) for place in places)]
    return reasons + ['there is no %s (Debian: %s)' % lack for lack in lacks]


def refuse_without(writes=False):
    """Refuse when this machine lacks something for a testbed.

    :param writes: guests write to disks (bool)
    :raises TestbedError: with all that is missing
    """
    reasons = missing(writes)
    if reasons:
        raise errors.TestbedError(
            'no testbed can be made on this machine: %s' % '; '.join(reasons))
