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

"""Recognizing the series for current Nova."""

from keeptrack.series import parts
from keeptrack.tests import base
from keeptrack.tests import synthetic

# a tree with the whole series, as little of it as counts
FILES = {
    synthetic.EVENT:
        'EVENT_LIFECYCLE_MIGRATED_AWAY = 7\n'
        'NAMES = {\n    EVENT_LIFECYCLE_MIGRATED_AWAY: "Migrated away",\n}\n',
    parts.HOST:
        'class Host(object):\n'
        '    def _event_lifecycle_callback(self):\n'
        '        if libvirt.VIR_DOMAIN_EVENT_STOPPED_MIGRATED:\n'
        '            return virtevent.EVENT_LIFECYCLE_MIGRATED_AWAY\n',
    parts.DRIVER:
        'from nova.virt.libvirt import guest_observer\n\n\n'
        'class LibvirtDriver(object):\n'
        '    def __init__(self):\n'
        '        self.capabilities = {\n'
        '            "supports_guest_observation": True,\n        }\n'
        '        self._guest_observer = guest_observer.GuestObserver()\n\n'
        '    def observe_guest(self):\n'
        '        return self._guest_observer.observe()\n\n'
        '    def _live_migration(self):\n'
        '        self._live_migration_monitor()\n\n'
        '    def _live_migration_monitor(self):\n'
        '        info = guest_observer.read_job()\n'
        '        while not info:\n'
        '            info = guest_observer.read_job()\n',
    parts.MANAGER:
        'from nova.compute import live_migration_recovery\n\n\n'
        'class ComputeManager(object):\n'
        '    def __init__(self):\n'
        '        self._live_migration_recovery = (\n'
        '            live_migration_recovery.LiveMigrationRecovery(self))\n\n'
        '    def handle_lifecycle_event(self):\n'
        '        if event == virtevent.EVENT_LIFECYCLE_MIGRATED_AWAY:\n'
        '            return\n\n'
        '    def _init_instance(self, context, instance):\n'
        '        if self._live_migration_recovery.defer_start(instance):\n'
        '            return\n\n'
        '    def _do_live_migration(self):\n'
        '        self._live_migration_recovery.begin(migration)\n'
        '        try:\n'
        '            self.driver.go(self._live_migration_recovery.recover)\n'
        '        finally:\n'
        '            self._live_migration_recovery.end(migration)\n\n'
        '    def post_start_hook(self):\n'
        '        self._check_live_migrations()\n\n'
        '    @periodic_task.periodic_task(spacing=1)\n'
        '    def _check_live_migrations(self):\n'
        '        self._live_migration_recovery.check_all()\n',
    parts.API:
        'from nova.compute import live_migration_recovery\n\n\n'
        'class API:\n'
        '    def restore(self):\n'
        '        live_migration_recovery.refuse_in_doubt()\n\n'
        '    def evacuate(self):\n'
        '        found = live_migration_recovery.refuse_in_doubt()\n',
    parts.LOCATION:
        'class Observation:\n    pass\n\n\ndef decide():\n    pass\n',
    parts.OBSERVER:
        'class GuestObserver:\n    pass\n\n\ndef read_job():\n    pass\n',
    parts.RECOVERY:
        'def refuse_in_doubt():\n    pass\n\n\n'
        'class LiveMigrationRecovery:\n'
        '    def defer_start(self):\n        pass\n',
}


class CurrentSeriesTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.files = dict(FILES)

    def look(self):
        return parts.examine(self.files.get)

    def replace(self, path, old, new=''):
        self.assertIn(old, self.files[path])
        self.files[path] = self.files[path].replace(old, new)

    def assertLost(self, name, note):
        """One part is only there by half, and a note says what is missing."""
        found = self.look()
        self.assertNotEqual(parts.OURS, found.origins.get(name), note)
        self.assertIn(note, '\n'.join(
            words for words in found.notes if words.startswith(name)))
        self.assertTrue(found.vulnerable)

    def test_whole(self):
        found = self.look()
        self.assertEqual(
            {'loop': parts.UPSTREAM, 'monitor': parts.OURS,
             'events': parts.OURS, 'guard': parts.OURS, 'start': parts.OURS},
            found.origins)
        self.assertEqual(({'loop', 'monitor'}, False, (), False), (
            found.upstream, found.guesses, found.notes, found.vulnerable))

    def test_unpatched(self):
        for path in (parts.LOCATION, parts.OBSERVER,
                     parts.RECOVERY, parts.API,
                     synthetic.EVENT):
            del self.files[path]
        self.files[parts.HOST] = 'class Host(object):\n    pass\n'
        self.files[parts.MANAGER] = (
            'class ComputeManager(object):\n    pass\n')
        self.files[parts.DRIVER] = (
            'class LibvirtDriver(object):\n'
            '    def _live_migration(self):\n'
            '        self._live_migration_monitor()\n\n'
            '    def _live_migration_monitor(self):\n'
            '        migration.find_job_type()\n')
        found = self.look()
        self.assertEqual((['events', 'guard', 'start'], True, ()), (
            found.missing, found.guesses, found.notes))

    def test_modules_without_calls(self):
        stock = {path: FILES[path] for path in (
            parts.LOCATION, parts.OBSERVER,
            parts.RECOVERY)}
        stock[parts.DRIVER] = (
            'class LibvirtDriver(object):\n'
            '    def _live_migration(self):\n        pass\n')
        stock[parts.MANAGER] = 'class ComputeManager(object):\n    x = 1\n'
        self.files = stock
        for name in ('monitor', 'guard', 'start'):
            self.assertLost(name, ' lacks ')
        self.assertEqual({'loop': parts.UPSTREAM}, self.look().origins)

    def test_calls_without_a_module(self):
        for path, names in (
                (parts.OBSERVER, ('monitor', 'guard')),
                (parts.RECOVERY, ('guard', 'start')),
                (parts.LOCATION, ('guard',)),
                (synthetic.EVENT, ('events',)),
                (parts.API, ('guard',))):
            self.files = dict(FILES)
            del self.files[path]
            for name in names:
                self.assertLost(name, f'{path} is missing')

    def test_every_place_counts(self):
        for name, ways in parts.PARTS.items():
            for place in ways[0]:
                self.files = dict(FILES)
                self.files[place.path] = _without(FILES[place.path], place)
                self.assertLost(name, place.text)

    def test_only_code_of_the_right_method_counts(self):
        for path, old, new in (
                (parts.MANAGER, 'self._live_migration_recovery.recover',
                 '"self._live_migration_recovery.recover"'),
                (parts.MANAGER, 'def post_start_hook', 'def pre_start_hook'),
                (parts.MANAGER, 'class ComputeManager(object):\n',
                 'class ComputeManager(object):\n    x = 1\n\n\n'
                 'class Other(object):\n'),
                (parts.API, 'def evacuate', 'def rebuild'),
                (parts.DRIVER, '"supports_guest_observation": True',
                 '"supports_guest_observation": False'),
                (parts.DRIVER, '            "supports_guest',
                 '            # "supports_guest')):
            self.files = dict(FILES)
            self.replace(path, old, new)
            self.assertLost('guard', ' lacks ')

    def test_a_start_that_goes_on(self):
        for old, new in (('            return\n\n    def _do_live',
                          '            pass\n\n    def _do_live'),
                         ('if self._live_migration_recovery.defer_start',
                          'if not self._live_migration_recovery.defer_start')):
            self.files = dict(FILES)
            self.replace(parts.MANAGER, old, new)
            self.assertLost('start', 'defer_start')

    def test_a_conflict_in_a_module(self):
        self.files[parts.RECOVERY] += '<<<<<<< HEAD\n'
        self.assertLost('guard', 'has a conflict')


def _without(text, place):
    """A file with something else instead of a place's code."""
    lines = text.split('\n')
    first = 0
    if place.method is not None:
        first = next(at for at, line in enumerate(lines)
                     if f'def {place.method}(' in line)
        if place.text.startswith('periodic'):
            first -= 1
    at = next(number for number in range(first, len(lines))
              if place.text in lines[number])
    lines[at] = lines[at].replace(place.text, 'something')
    return '\n'.join(lines)
