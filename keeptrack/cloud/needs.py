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

"""What a cloud needs of the machine."""

import os
import shutil

from keeptrack.cloud import errors
from keeptrack.drill.testbed import namespaces
from keeptrack.drill.testbed import prerequisites

# Programs, and the Debian packages that bring them, beside those of a drill.
COMMANDS = (
    ('mariadbd', 'mariadb-server'),
    ('mariadb', 'mariadb-client'),
    ('rabbitmq-server', 'rabbitmq-server'),
    ('memcached', 'memcached'),
    ('qemu-img', 'qemu-utils'),
    ('setpriv', 'util-linux'),
)

# Only the installation needs them.
BUILD_COMMANDS = (
    ('as', 'binutils'),
    ('ld', 'binutils'),
    ('gcc', 'gcc'),
    ('pkg-config', 'pkg-config'),
)

# of the drill's files and programs, packages that bring them
PACKAGES = ('libvirt-daemon-system', 'libvirt-daemon-driver-qemu',
            'libvirt-clients', 'libvirt-dev', 'qemu-system-x86', 'iproute2',
            'gcc', 'libc6-dev', 'python3-dev', 'python3-venv')


def packages():
    """Return the Debian packages that a cloud needs (list of str)."""
    return sorted({package for _, package in COMMANDS + BUILD_COMMANDS} |
                  set(PACKAGES))


def missing(commands=COMMANDS):
    """Find what this machine lacks for a cloud.

    :param commands: programs and their packages (tuple of pairs of str)
    :returns: reasons for people (list of str), empty when nothing is missing
    """
    path = namespaces.environment()['PATH']
    return prerequisites.missing() + [
        f'there is no {name} (Debian: {package})'
        for name, package in commands
        if shutil.which(name, path=path) is None]


def refuse_without():
    """Refuse when this machine lacks something for a cloud.

    :raises CloudError: with all that is missing, in one line
    """
    reasons = missing()
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
