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

A tree is searched, not believed: a stable branch may carry a backport that
its version does not show, and a tree may have a half of something.  What is
looked for:

- ours: the modules of the series, and the calls that Nova makes to them.  The
  table lists both: for current Nova, and where the series for 2014 and 2015
  does it in another way;
- upstream's ``loop``: commit 584a44f0157e (6833176b56ec on stable/juno), which
  removed the looping call and its nested function from ``_live_migration``;
- upstream's ``monitor``: commit 7dd6a4a19311, a method that
  ``_live_migration`` calls.  It *guesses*: where libvirt reports nothing more,
  it derives "completed" or "failed" from whether the source still runs the
  guest, since 66b7771ce959 (2016) in nova/virt/libvirt/migration.py.  Ours
  does not;
- upstream's ``events``, ``guard`` and ``start``: no release has them.  A
  driver that reads the reason of a stop has to spell out libvirt's name of
  it; that is a note.
"""

import dataclasses
import re
import typing

from keeptrack import errors
from keeptrack.series import source

DRIVER = 'nova/virt/libvirt/driver.py'
HOST = 'nova/virt/libvirt/host.py'
MANAGER = 'nova/compute/manager.py'
EVENT = 'nova/virt/event.py'
API = 'nova/compute/api.py'
LOCATION = 'nova/compute/guest_location.py'
RECOVERY = 'nova/compute/live_migration_recovery.py'
OBSERVER = 'nova/virt/libvirt/guest_observer.py'
MONITOR = 'nova/virt/libvirt/migration_monitor.py'
JOB = 'nova/virt/libvirt/migration_job.py'

OURS = 'keeptrack'
UPSTREAM = 'upstream'

NAMES = ('loop', 'monitor', 'events', 'guard', 'start')

# loop is upstream's clean-up: with a monitor there is nothing left to wait in
NEEDED = frozenset(NAMES) - {'loop'}

_OWNERS = {DRIVER: 'LibvirtDriver', HOST: 'Host', MANAGER: 'ComputeManager',
           API: 'API', RECOVERY: 'LiveMigrationRecovery'}
_STOP_REASON = 'VIR_DOMAIN_EVENT_STOPPED_MIGRATED'


class StrangeTree(errors.KeeptrackError):
    """A tree whose driver or manager cannot be searched."""


class Place(typing.NamedTuple):
    """Code that a part needs at one place.

    :ivar path: the file (str)
    :ivar text: the code, at the start of a line unless there is a method
    :ivar method: the method that holds it; None where the module does (str)
    :ivar pattern: regular expression to look for instead of the text (str)
    """

    path: str
    text: str
    method: str = None
    pattern: str = None

    def lack(self, get):
        """Compare a tree with this place.

        :param get: called with a path, returns a source.Source or None
        :returns: what is missing, in words; None where nothing is (str)
        """
        file = get(self.path)
        if file is None:
            return f'{self.path} is missing'
        if self._found(file):
            damage = file.damage()
            return damage and f'{self.path}: {damage}'
        return '%s lacks "%s"' % (
            f'{self.method} of {self.path}' if self.method else self.path,
            self.text)

    def _found(self, file):
        if self.text not in file.text:
            return False
        # what is said of a string is looked for in the text
        code = file.text if '"' in (self.pattern or '') else file.code
        start = '^'
        if self.method is not None:
            code = file.method_code(_OWNERS[self.path], self.method) or ''
            start = r'(?<![\w.])'
        return re.search(self.pattern or f'{start}{re.escape(self.text)}\\b',
                         code, re.MULTILINE) is not None


def _returns(call):
    """A pattern for a method that ends where a call of ours says so."""
    return r'^ *if %s\([^)]*\):\s+return\b' % re.escape(call)


_AWAY = 'EVENT_LIFECYCLE_MIGRATED_AWAY'
_CALLS = 'self._live_migration_recovery.'
_IMPORT_OBSERVER = Place(DRIVER,
                         'from nova.virt.libvirt import guest_observer')
_IMPORT_RECOVERY = 'from nova.compute import live_migration_recovery'
_OPERATION = Place(DRIVER, 'def _live_migration_operation',
                   '_live_migration_operation')


def _events(path):
    return (
        Place(EVENT, _AWAY),
        # of the names; without one, the event's get_name() raises
        Place(EVENT, _AWAY + ':', pattern=rf'^ +{_AWAY}:'),
        Place(path, 'virtevent.' + _AWAY, '_event_lifecycle_callback'),
        Place(MANAGER, 'virtevent.' + _AWAY, 'handle_lifecycle_event'))


def _guard(*places):
    """What both series need for the guard, and what one of them needs."""
    return (
        Place(LOCATION, 'class Observation'),
        Place(LOCATION, 'def decide'),
        Place(OBSERVER, 'class GuestObserver'),
        Place(RECOVERY, 'class LiveMigrationRecovery'),
        _IMPORT_OBSERVER,
        Place(DRIVER, 'guest_observer.GuestObserver', '__init__'),
        Place(MANAGER, _IMPORT_RECOVERY),
        Place(MANAGER, 'live_migration_recovery.LiveMigrationRecovery',
              '__init__'),
        *places,
        # the checks afterwards
        Place(MANAGER, 'periodic_task.periodic_task',
              '_check_live_migrations'),
        Place(MANAGER, _CALLS + 'check_all', '_check_live_migrations'),
        # the refusals
        Place(RECOVERY, 'def refuse_in_doubt'),
        Place(API, _IMPORT_RECOVERY),
        Place(API, 'live_migration_recovery.refuse_in_doubt', 'evacuate'),
        Place(API, 'live_migration_recovery.refuse_in_doubt', 'restore'))


# the ways in which a part of ours can be there: current Nova's, then older
PARTS = {
    'monitor': (
        (Place(OBSERVER, 'def read_job'),
         _IMPORT_OBSERVER,
         # its answer leaves Nova's own guess, find_job_type, without a case;
         # there are two calls, and without one Nova guesses there
         Place(DRIVER, 'guest_observer.read_job', '_live_migration_monitor',
               r'(?s)(?<![\w.])guest_observer\.read_job\('
               r'.*(?<![\w.])guest_observer\.read_job\(')),
        (Place(MONITOR, 'def monitor'),
         Place(DRIVER, 'from nova.virt.libvirt import migration_monitor'),
         Place(DRIVER, 'migration_monitor.monitor', '_live_migration'),
         _OPERATION),
        # Kilo has upstream's
        (Place(JOB, 'def read_job'),
         Place(DRIVER, 'from nova.virt.libvirt import migration_job'),
         Place(DRIVER, 'migration_job.read_job', '_live_migration_monitor'),
         Place(DRIVER, 'migration_job.outcome', '_live_migration'))),
    # Juno's driver has the callback
    'events': (_events(HOST), _events(DRIVER)),
    'guard': (
        _guard(
            Place(DRIVER, 'supports_guest_observation',
                  pattern=r'^ *"supports_guest_observation": *True'),
            Place(DRIVER, 'self._guest_observer.observe', 'observe_guest'),
            Place(MANAGER, _CALLS + 'begin', '_do_live_migration'),
            Place(MANAGER, _CALLS + 'recover', '_do_live_migration'),
            Place(MANAGER, _CALLS + 'end', '_do_live_migration'),
            Place(MANAGER, 'self._check_live_migrations',
                  'post_start_hook')),
        _guard(
            Place(MANAGER, _CALLS + 'begin', 'live_migration'),
            Place(MANAGER, _CALLS + 'finish', 'live_migration'),
            Place(MANAGER, _CALLS + 'recover', '_rollback_live_migration',
                  _returns(_CALLS + 'recover')),
            Place(MANAGER, _CALLS + 'is_here',
                  'rollback_live_migration_at_destination'))),
    'start': (
        (Place(RECOVERY, 'def defer_start', 'defer_start'),
         Place(MANAGER, _CALLS + 'defer_start', '_init_instance',
               _returns(_CALLS + 'defer_start'))),),
}

# of several parts or of both series, or upstream's, too: no trace of one
_NO_TRACE = (Place(LOCATION, 'def decide'), _IMPORT_OBSERVER, _OPERATION)

# the files that a part is in (dict of list of str)
PATHS = {name: list(dict.fromkeys(place.path for way in ways for place in way))
         for name, ways in PARTS.items()}


@dataclasses.dataclass(frozen=True)
class Findings:
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
        return [name for name in NAMES if name not in self.origins]

    @property
    def vulnerable(self):
        """Whether a tree with these parts can lose a guest (bool).

        What is there by half is not relied on.
        """
        return bool(self.guesses or self.notes) or (
            not NEEDED <= set(self.origins))


def examine(read):
    """Search a tree.

    :param read: called with a path, returns the file's text or None
    :returns: Findings
    :raises StrangeTree: when it holds no driver and manager to search
    """
    def get(path):
        text = read(path)
        return None if text is None else source.of(text)

    _refuse_strange(get)
    watched = [code for code in (
        get(DRIVER).method_code('LibvirtDriver', name)
        for name in ('_live_migration', '_live_migration_operation')) if code]
    upstream = _upstream(get(DRIVER), '\n'.join(watched))
    origins, notes = dict.fromkeys(upstream, UPSTREAM), []
    for name in PARTS:
        trace, lacks = _look(name, get)
        if trace and not lacks:
            origins[name] = OURS
        elif trace:
            notes += ['%s: %s' % (name, lack) for lack in lacks]
    if 'events' not in origins:
        notes += _events_of_somebody(get)
    if 'loop' not in origins and not watched:
        notes.append('loop: %s has no _live_migration' % DRIVER)
    return Findings(
        {name: origins[name] for name in NAMES if name in origins},
        frozenset(upstream), (origins['monitor'] == UPSTREAM
                              if 'monitor' in origins else None),
        tuple(dict.fromkeys(notes)))


def _refuse_strange(get):
    for path in (DRIVER, MANAGER):
        file, name = get(path), _OWNERS[path]
        if file is None or not file.class_code(name):
            raise StrangeTree(
                '%s has no class %s: that is no Nova which keeptrack knows, '
                'or a damaged one' % (path, name))
    for path in (DRIVER, MANAGER, HOST):
        damage = get(path) and get(path).damage()
        if damage:
            raise StrangeTree('%s: %s' % (path, damage))


def _upstream(driver, watched):
    """The parts that upstream has put into a driver (list of str).

    :param watched: the code that starts a live migration, wherever the series
        has moved it to (str)
    """
    found = []
    if watched and not re.search(
            r'\bdef +wait_for_live_migration\b|LoopingCall *\(', watched):
        found.append('loop')
    if driver.method_code('LibvirtDriver', '_live_migration_monitor') and (
            re.search(r'(?<![\w.])self\._live_migration_monitor *\(',
                      watched)):
        found.append('monitor')
    return found


def _events_of_somebody(get):
    for path in (HOST, DRIVER):
        callback = get(path) and get(path).method_code(
            _OWNERS[path], '_event_lifecycle_callback')
        if callback and _STOP_REASON in callback:
            return ['events: %s asks for %s: see what it makes of that'
                    % (path, _STOP_REASON)]
    return []


def _look(name, get):
    """Look for a part of ours.

    :returns: bool, there is a trace of it; what is missing (list of str), of
        the way in which most of it is there
    """
    trace, nearest = False, None
    for way in PARTS[name]:
        lacks = {place: place.lack(get) for place in way}
        missing = list(dict.fromkeys(filter(None, lacks.values())))
        trace |= any(lack is None for place, lack in lacks.items()
                     if place not in _NO_TRACE)
        if nearest is None or len(missing) < len(nearest):
            nearest = missing
    return trace, nearest
