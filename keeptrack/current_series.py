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

"""Recognize the series for current Nova in a tree.

A part of the fix is there when the modules that it needs are, and when Nova
calls them.  The table lists both.  keeptrack/hooks.py does the same for the
series for 2014 and 2015.
"""

import dataclasses
import re

from keeptrack import hooks

API = 'nova/compute/api.py'
LOCATION = 'nova/compute/guest_location.py'
RECOVERY = 'nova/compute/live_migration_recovery.py'
OBSERVER = 'nova/virt/libvirt/guest_observer.py'


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

        :param files: a hooks.Files
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
    return Place(hooks.DRIVER, text, ('LibvirtDriver', method))


def _manager(method, text, pattern=None):
    return Place(hooks.MANAGER, text, ('ComputeManager', method), pattern)


_IMPORT_OBSERVER = Place(hooks.DRIVER,
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
        Place(hooks.EVENT, 'EVENT_LIFECYCLE_MIGRATED_AWAY'),
        # of the names; without one, the event's get_name() raises
        Place(hooks.EVENT, 'EVENT_LIFECYCLE_MIGRATED_AWAY:',
              pattern=r'^ +EVENT_LIFECYCLE_MIGRATED_AWAY:'),
        Place(hooks.HOST, _MIGRATED_AWAY,
              ('Host', '_event_lifecycle_callback')),
        _manager('handle_lifecycle_event', _MIGRATED_AWAY),
    ),
    'guard': (
        Place(LOCATION, 'class Observation'),
        Place(LOCATION, 'def decide'),
        Place(OBSERVER, 'class GuestObserver'),
        Place(RECOVERY, 'class LiveMigrationRecovery'),
        _IMPORT_OBSERVER,
        Place(hooks.DRIVER, 'supports_guest_observation', in_strings=True,
              pattern=r'^ *"supports_guest_observation": *True'),
        _driver('__init__', 'guest_observer.GuestObserver'),
        _driver('observe_guest', 'self._guest_observer.observe'),
        Place(hooks.MANAGER, _IMPORT_RECOVERY),
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

# in the series for 2014 and 2015, too, or of several parts: no trace of one
_NO_TRACE = (Place(LOCATION, 'def decide'), _IMPORT_OBSERVER)

PATHS = tuple(dict.fromkeys(
    place.path for places in PARTS.values() for place in places))


def paths(name):
    """The files that a part is in (list of str)."""
    return list(dict.fromkeys(place.path for place in PARTS[name]))


def look(name, files):
    """Look for a part.

    :param name: one of PARTS (str)
    :param files: a hooks.Files
    :returns: bool, there is a trace of it; what is missing (list of str)
    """
    lacks = {place: place.lack(files) for place in PARTS[name]}
    trace = any(lack is None for place, lack in lacks.items()
                if place not in _NO_TRACE)
    return trace, list(dict.fromkeys(filter(None, lacks.values())))
