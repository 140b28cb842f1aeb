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
its version does not tell of, and a tree may have a half of something.  What is
looked for:

- ours: what the series adds and calls, see keeptrack/series/current_series.py;
- upstream's ``loop``: commit 584a44f0157e (6833176b56ec on stable/juno), which
  removed the looping call and its nested function from ``_live_migration``;
- upstream's ``monitor``: commit 7dd6a4a19311, a method that
  ``_live_migration`` calls.  It *guesses*: where libvirt tells nothing more,
  it makes "completed" or "failed" of whether the source still runs the guest,
  since 66b7771ce959 (2016) in a function of nova/virt/libvirt/migration.py.
  One that does not is ours;
- upstream's ``events``, ``guard`` and ``start``: no release has them, and what
  they will look like is not known.  Since Train there is an event for a
  *completed* migration, but a stop is still taken for a stop whatever its
  reason (nova/virt/libvirt/host.py of 34.0.0).  A driver that looks at the
  reason of a stop has to spell out libvirt's name of it; that is a note.
"""

import dataclasses

from keeptrack import errors
from keeptrack.series import current_series
from keeptrack.series import source

DRIVER = current_series.DRIVER
HOST = current_series.HOST
MANAGER = current_series.MANAGER

OURS = 'keeptrack'
UPSTREAM = 'upstream'

NAMES = ('loop', 'monitor', 'events', 'guard', 'start')

# loop is upstream's clean-up: with a monitor there is nothing left to wait in
NEEDED = frozenset(NAMES) - {'loop'}

_WATCHED = ('_live_migration', '_live_migration_operation')
_STOP_REASON = 'VIR_DOMAIN_EVENT_STOPPED_MIGRATED'


class StrangeTree(errors.KeeptrackError):
    """A tree whose driver or manager cannot be told anything of."""


@dataclasses.dataclass(frozen=True)
class Findings(object):
    """What a tree has.

    :ivar origins: the parts that are there with their origin, in the order of
        NAMES; ours where both are, since ours is then the one that decides
        (dict of str)
    :ivar upstream: the parts that upstream has put there, below ours or not
        (frozenset of str)
    :ivar guesses: the monitor makes up how a migration has ended; None where
        there is no monitor (bool)
    :ivar notes: what is there by half, in words (tuple of str)
    """

    origins: dict
    upstream: frozenset
    guesses: bool
    notes: tuple

    @property
    def missing(self):
        """The parts that are not there, in the order of NAMES (list)."""
        return missing(self.origins)

    @property
    def vulnerable(self):
        """Whether a tree with these parts can lose a guest (bool).

        What is there by half is not relied on.
        """
        return bool(self.guesses or self.notes) or (
            not NEEDED <= set(self.origins))


def examine(read):
    """Look at a tree.

    :param read: called with a path, returns the file's text or None
    :returns: Findings
    :raises StrangeTree: when it holds no driver and manager to look at
    """
    files = source.Files(read)
    _refuse_strange(files)
    upstream = _upstream(files)
    origins = {name: UPSTREAM for name in upstream}
    notes = []
    for name in current_series.PARTS:
        trace, lacks = current_series.look(name, files)
        if trace and not lacks:
            origins[name] = OURS
        elif trace:
            notes += ['%s: %s' % (name, lack) for lack in lacks]
    guesses = None
    if 'monitor' in origins:
        guesses = origins['monitor'] == UPSTREAM
    if 'events' not in origins:
        notes += _events_of_somebody(files)
    if 'loop' not in origins and not _watched(files):
        notes.append('loop: %s has no _live_migration' % DRIVER)
    return Findings({name: origins[name] for name in NAMES
                     if name in origins}, frozenset(upstream), guesses,
                    tuple(dict.fromkeys(notes)))


def detect(read):
    """Which parts a tree has, and from whom; see Findings.origins."""
    return examine(read).origins


def missing(found):
    """The parts that are not there, in the order of NAMES (list of str)."""
    return [name for name in NAMES if name not in found]


def _refuse_strange(files):
    for path, name in ((DRIVER, 'LibvirtDriver'), (MANAGER, 'ComputeManager')):
        file = files.get(path)
        if file is None or not file.has_class(name):
            raise StrangeTree(
                '%s has no class %s: that is no Nova which keeptrack knows, '
                'or a damaged one' % (path, name))
    for path in (DRIVER, MANAGER, HOST):
        file = files.get(path)
        damage = file and file.damage()
        if damage:
            raise StrangeTree('%s: %s' % (path, damage))


def _upstream(files):
    found = []
    bodies = _watched(files)
    # what is left of the old body, wherever ours has moved it to
    if bodies and not any(map(_loops, bodies)):
        found.append('loop')
    if files.get(DRIVER).function('_live_migration_monitor',
                                  'LibvirtDriver') is not None and any(
            'self._live_migration_monitor' in body.calls for body in bodies):
        found.append('monitor')
    return found


def _events_of_somebody(files):
    for path, owner in ((HOST, 'Host'), (DRIVER, 'LibvirtDriver')):
        file = files.get(path)
        callback = file and file.function('_event_lifecycle_callback', owner)
        if callback and any(name.split('.')[-1] == _STOP_REASON
                            for name in callback.names):
            return ['events: %s asks for %s: see what it makes of that'
                    % (path, _STOP_REASON)]
    return []


def _watched(files):
    driver = files.get(DRIVER)
    found = [driver.function(name, 'LibvirtDriver') for name in _WATCHED]
    return [body for body in found if body is not None]


def _loops(body):
    return 'wait_for_live_migration' in body.nested or any(
        call.split('.')[-1].endswith('LoopingCall') for call in body.calls)
