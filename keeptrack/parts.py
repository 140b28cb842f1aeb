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

"""The parts of the fix, and how to tell that a tree has one.

A tree is looked at, not believed: a stable branch may carry a backport that
its version does not tell of.  Where the markers come from:

- ours: the modules and calls that the series adds;
- upstream's ``loop``: commit 584a44f0157e (6833176b56ec on stable/juno), which
  removed a nested function of that name;
- upstream's ``monitor``: commit 7dd6a4a19311; it guesses how a migration has
  ended, and ours, where it is there, keeps it from doing so;
- upstream's ``events``: no release has it.  Since Train there is an event for
  a *completed* migration, but a stop is still taken for a stop whatever its
  reason (nova/virt/libvirt/host.py of 34.0.0).  The marker is the name of the
  reason, which a driver that looks at it has to spell out;
- upstream's ``guard`` and ``start``: no release has them, and what they will
  look like is not known.
"""

import dataclasses
import re

DRIVER = 'nova/virt/libvirt/driver.py'
HOST = 'nova/virt/libvirt/host.py'
MANAGER = 'nova/compute/manager.py'
MONITOR = 'nova/virt/libvirt/migration_monitor.py'
END = 'nova/virt/libvirt/migration_end.py'

OURS = 'keeptrack'
UPSTREAM = 'upstream'

NAMES = ('loop', 'monitor', 'events', 'guard', 'start')

# loop is upstream's clean-up: with a monitor there is nothing left to wait in
NEEDED = frozenset(NAMES) - {'loop'}


@dataclasses.dataclass(frozen=True)
class Marker(object):
    """One way to tell a part.

    :ivar part: its name (str)
    :ivar origin: who made it: OURS or UPSTREAM (str)
    :ivar files: the part is there when one of these matches (tuple of str)
    :ivar pattern: a regular expression, MULTILINE (str)
    :ivar absent: the pattern tells that the part is *not* there (bool)
    :ivar also: a file that has to exist besides (str or None)
    """

    part: str
    origin: str
    files: tuple
    pattern: str
    absent: bool = False
    also: str = None

    def found(self, read):
        """Tell whether a tree has the part.

        :param read: called with a path, returns the file's text or None
        :returns: bool
        """
        if self.also is not None and read(self.also) is None:
            return False
        texts = [text for text in map(read, self.files) if text is not None]
        hit = any(re.search(self.pattern, text, re.MULTILINE)
                  for text in texts)
        return bool(texts) and hit != self.absent


MARKERS = (
    Marker('loop', UPSTREAM, (DRIVER,), r'def wait_for_live_migration\b',
           absent=True),
    Marker('monitor', OURS, (DRIVER,), r'\bmigration_monitor\.',
           also=MONITOR),
    Marker('monitor', OURS, (DRIVER,), r'@migration_end\.', also=END),
    Marker('monitor', UPSTREAM, (DRIVER,), r'def _live_migration_monitor\b'),
    Marker('events', OURS, (DRIVER, HOST, MANAGER), r'\bmigration_event'),
    Marker('events', UPSTREAM, (DRIVER, HOST),
           r'\bVIR_DOMAIN_EVENT_STOPPED_MIGRATED\b'),
    Marker('guard', OURS, (MANAGER,),
           r'^[^#\n]*\bmigration_guard\.find_guest_first\b'),
    Marker('start', OURS, (MANAGER,),
           r'^[^#\n]*\bmigration_guard\.find_guest_at_start\b'),
)


def detect(read):
    """Which parts a tree has, and from whom.

    :param read: called with a path, returns the file's text or None
    :returns: dict of str: the parts that are there, in the order of NAMES,
              with their origin; ours where both match, since ours is then
              the one that decides
    """
    found = {}
    for marker in MARKERS:
        if marker.part not in found and marker.found(read):
            found[marker.part] = marker.origin
    return {name: found[name] for name in NAMES if name in found}


def from_upstream(read):
    """Which parts a tree has from upstream, be ours beside them or not.

    What tells trees of one version apart does not change when the series is
    applied.

    :param read: called with a path, returns the file's text or None
    :returns: set of str
    """
    return {marker.part for marker in MARKERS
            if marker.origin == UPSTREAM and marker.found(read)}


def missing(found):
    """The parts that are not there, in the order of NAMES (list of str)."""
    return [name for name in NAMES if name not in found]


def vulnerable(found):
    """Tell whether a tree with these parts can lose a guest (bool)."""
    return not NEEDED <= set(found)
