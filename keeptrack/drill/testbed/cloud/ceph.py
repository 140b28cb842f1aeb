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

"""Ceph, where the volumes are: one monitor and one disk on the controller.

The disk is a file.  There is no manager: nothing that clients do needs one.
"""

import glob
import pathlib
import uuid

from keeptrack.drill.testbed.cloud import settings
from keeptrack.drill.testbed import prerequisites

# placement groups of the pool
_GROUPS = 8

# seconds
_ANSWERS_WITHIN = 240


def modules_folder(places):
    """Return the folder that Cinder finds Debian's Python modules in.

    :param places: the cloud's places.Places
    :returns: pathlib.Path
    """
    return places.run / 'ceph-modules'


class Ceph:
    """The Ceph of one cloud.

    Its daemons are services of the cloud: what is made here, they need before.

    :param places: the cloud's places.Places
    :param controller: its node.Node
    """

    def __init__(self, places, controller):
        self._places = places
        self._node = controller

    def make_monitor(self):
        """Make what the monitor needs.

        :raises CloudError: when that fails
        """
        modules = modules_folder(self._places)
        modules.mkdir()
        # the virtualenv of Cinder must not see Debian's other modules
        for (place,), _ in prerequisites.VOLUME_FILES:
            for path in map(pathlib.Path, glob.glob(place)):
                if 'python' in str(path.parent):
                    (modules / path.name).symlink_to(path)
        for name in ('mon', 'osd'):
            (self._places.ceph / name).mkdir(parents=True)
        self._node.check(['ceph-mon', '--mkfs', '--id', 'a'])

    def make_disk(self):
        """Make the disk; the monitor has been started.

        :raises CloudError: when that fails
        """
        name = str(uuid.uuid4())
        self._run('ceph', 'osd', 'new', name, '0')
        self._run('ceph-osd', '--mkfs', '--id', '0', '--osd-uuid', name)

    def make_pool(self):
        """Make the pool, and wait for the disk, which has been started.

        :raises CloudError: when that fails
        """
        self._run('ceph', 'osd', 'pool', 'create', settings.POOL,
                  str(_GROUPS))
        # it writes to the disk
        self._run('rbd', 'pool', 'init', settings.POOL)

    def _run(self, *command):
        self._node.check(list(command), what=' '.join(command[:3]),
                         timeout=_ANSWERS_WITHIN)
