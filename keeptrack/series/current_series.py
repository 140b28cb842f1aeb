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

"""Recognize the series in a tree.

A part of the fix is there when the modules that it needs are, and when Nova
calls them.  The tables list both: for current Nova, and for what the series
for 2014 and 2015 does in another way.
"""

import dataclasses
import re

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


@dataclasses.dataclass(frozen=True)
class Place:
    """Code that a part needs at one place.

    :ivar path: the file (str)
    :ivar text: the code, at the start of a line unless there is a method
    :ivar method: the class and the method that hold it; None where the module
        holds it (tuple of str)
    :ivar pattern: regular expression to look for instead of the text (str)
    :ivar in_strings: the text is a string's (bool)
    """

    path: str
    text: str
    method: tuple = None
    pattern: str = None
    in_strings: bool = False

    def lack(self, files):
        """Compare a tree with this place.

        :param files: a source.Files
        :returns: what is missing, in words; None where nothing is (str)
        """
        file = files.get(self.path)
        if file is None:
            return f'{self.path} is missing'
        if self._found(file):
            damage = file.damage()
            return damage and f'{self.path}: {damage}'
        if self.method is None:
            return f'{self.path} lacks "{self.text}"'
        return f'{self.method[1]} of {self.path} lacks "{self.text}"'

    def _found(self, file):
        code = file.text if self.in_strings else file.code
        if self.text.split('.')[-1] not in code:
            # as in every tree without the series; cutting functions is slow
            return False
        if self.method is not None:
            owner, name = self.method
            function = file.function(name, owner)
            if function is None or function.broken:
                return False
            code = function.code
        start = '^' if self.method is None else r'(?<![\w.])'
        return re.search(self.pattern or f'{start}{re.escape(self.text)}\\b',
                         code, re.MULTILINE) is not None


def _driver(method, text):
    return Place(DRIVER, text, ('LibvirtDriver', method))


def _manager(method, text, pattern=None):
    return Place(MANAGER, text, ('ComputeManager', method), pattern)


_IMPORT_OBSERVER = Place(DRIVER,
                         'from nova.virt.libvirt import guest_observer')
_IMPORT_RECOVERY = 'from nova.compute import live_migration_recovery'
_MIGRATED_AWAY = 'virtevent.EVENT_LIFECYCLE_MIGRATED_AWAY'

PARTS = {
    'monitor': (
        Place(OBSERVER, 'def read_job'),
        _IMPORT_OBSERVER,
        # its answer leaves Nova's own guess, find_job_type, without a case
        _driver('_live_migration_monitor', 'guest_observer.read_job'),
    ),
    'events': (
        Place(EVENT, 'EVENT_LIFECYCLE_MIGRATED_AWAY'),
        # of the names; without one, the event's get_name() raises
        Place(EVENT, 'EVENT_LIFECYCLE_MIGRATED_AWAY:',
              pattern=r'^ +EVENT_LIFECYCLE_MIGRATED_AWAY:'),
        Place(HOST, _MIGRATED_AWAY,
              ('Host', '_event_lifecycle_callback')),
        _manager('handle_lifecycle_event', _MIGRATED_AWAY),
    ),
    'guard': (
        Place(LOCATION, 'class Observation'),
        Place(LOCATION, 'def decide'),
        Place(OBSERVER, 'class GuestObserver'),
        Place(RECOVERY, 'class LiveMigrationRecovery'),
        _IMPORT_OBSERVER,
        Place(DRIVER, 'supports_guest_observation', in_strings=True,
              pattern=r'^ *"supports_guest_observation": *True'),
        _driver('__init__', 'guest_observer.GuestObserver'),
        _driver('observe_guest', 'self._guest_observer.observe'),
        Place(MANAGER, _IMPORT_RECOVERY),
        _manager('__init__', 'live_migration_recovery.LiveMigrationRecovery'),
        # recovery before a rollback
        _manager('_do_live_migration', 'self._live_migration_recovery.begin'),
        _manager('_do_live_migration',
                 'self._live_migration_recovery.recover'),
        _manager('_do_live_migration', 'self._live_migration_recovery.end'),
        # the checks afterwards
        _manager('_check_live_migrations', 'periodic_task.periodic_task'),
        _manager('_check_live_migrations',
                 'self._live_migration_recovery.check_all'),
        _manager('post_start_hook', 'self._check_live_migrations'),
        # the refusals
        Place(RECOVERY, 'def refuse_in_doubt'),
        Place(API, _IMPORT_RECOVERY),
        Place(API, 'live_migration_recovery.refuse_in_doubt',
              ('API', 'evacuate')),
        Place(API, 'live_migration_recovery.refuse_in_doubt',
              ('API', 'restore')),
    ),
    'start': (
        Place(RECOVERY, 'def defer_start',
              ('LiveMigrationRecovery', 'defer_start')),
        _manager('_init_instance', 'self._live_migration_recovery.defer_start',
                 r'^ *if self\._live_migration_recovery\.defer_start\('
                 r'[^)]*\):\s+return\b'),
    ),
}

_IN_2015 = (
    Place(LOCATION, 'class Observation'),
    Place(LOCATION, 'def decide'),
    Place(OBSERVER, 'class GuestObserver'),
    Place(RECOVERY, 'class LiveMigrationRecovery'),
    _IMPORT_OBSERVER,
    _driver('__init__', 'guest_observer.GuestObserver'),
    Place(MANAGER, _IMPORT_RECOVERY),
    _manager('__init__', 'live_migration_recovery.LiveMigrationRecovery'),
    _manager('live_migration', 'self._live_migration_recovery.begin'),
    _manager('live_migration', 'self._live_migration_recovery.finish'),
    _manager('_rollback_live_migration',
             'self._live_migration_recovery.recover',
             r'^ *if self\._live_migration_recovery\.recover\('
             r'[^)]*\):\s+return\b'),
    _manager('rollback_live_migration_at_destination',
             'self._live_migration_recovery.is_here'),
    _manager('_check_live_migrations', 'periodic_task.periodic_task'),
    _manager('_check_live_migrations',
             'self._live_migration_recovery.check_all'),
    Place(RECOVERY, 'def refuse_in_doubt'),
    Place(API, _IMPORT_RECOVERY),
    Place(API, 'live_migration_recovery.refuse_in_doubt', ('API', 'evacuate')),
    Place(API, 'live_migration_recovery.refuse_in_doubt', ('API', 'restore')),
)

_OPERATION = _driver('_live_migration_operation',
                     'def _live_migration_operation')

# what stands in the series for 2014 and 2015 in place of an entry of PARTS
OLDER = {
    'monitor': (
        (Place(MONITOR, 'def monitor'),
         Place(DRIVER,
               'from nova.virt.libvirt import migration_monitor'),
         _driver('_live_migration', 'migration_monitor.monitor'),
         _OPERATION),
        # Kilo has upstream's
        (Place(JOB, 'def read_job'),
         Place(DRIVER,
               'from nova.virt.libvirt import migration_job'),
         _driver('_live_migration_monitor', 'migration_job.read_job'),
         _driver('_live_migration', 'migration_job.outcome')),
    ),
    # Juno's driver has the callback
    'events': (tuple(
        dataclasses.replace(place, path=DRIVER, method=(
            'LibvirtDriver', '_event_lifecycle_callback'))
        if place.path == HOST else place for place in PARTS['events']),),
    'guard': (_IN_2015,),
    'start': (),
}

# of several parts or of both series: no trace of one
_NO_TRACE = (Place(LOCATION, 'def decide'), _IMPORT_OBSERVER,
             # upstream's has it, too
             _OPERATION)


def ways(name):
    """The ways in which a part can be there (list of tuple of Place)."""
    return [PARTS[name], *OLDER[name]]


def paths(name):
    """The files that a part is in (list of str)."""
    return list(dict.fromkeys(
        place.path for way in ways(name) for place in way))


PATHS = tuple(dict.fromkeys(path for name in PARTS for path in paths(name)))


def look(name, files):
    """Look for a part.

    :param name: one of PARTS (str)
    :param files: a source.Files
    :returns: bool, there is a trace of it; what is missing (list of str), of
        the way in which most of it is there
    """
    trace, nearest = False, None
    for way in ways(name):
        lacks = {place: place.lack(files) for place in way}
        missing = list(dict.fromkeys(filter(None, lacks.values())))
        trace |= any(lack is None for place, lack in lacks.items()
                     if place not in _NO_TRACE)
        if nearest is None or len(missing) < len(nearest):
            nearest = missing
    return trace, nearest
