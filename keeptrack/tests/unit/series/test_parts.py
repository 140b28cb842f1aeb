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

import re

from keeptrack.series import parts
from keeptrack.tests import synthetic


class DamageTestCase(synthetic.NovaTestCase):
    """A tree that has all of it, in memory, to be damaged."""

    def setUp(self):
        super().setUp()
        self.keeptrack('apply', str(self.clone))
        self.reload()

    def reload(self):
        self.files = {}
        for path in self.clone.rglob('*.py'):
            self.files[str(path.relative_to(self.clone))] = path.read_text()

    def look(self):
        return parts.examine(self.files.get)

    def damage(self, path, old, new=''):
        self.assertIn(old, self.files[path])
        self.files[path] = self.files[path].replace(old, new)

    def assertLost(self, name, *notes):
        """One part is gone, and the notes say why."""
        found = self.look()
        self.assertEqual([name], found.missing, found.notes)
        self.assertTrue(found.vulnerable)
        for note in notes:
            self.assertIn(note, ' '.join(found.notes))


class OursTestCase(DamageTestCase):

    def test_every_place_counts(self):
        for name, way in (('monitor', 1), ('events', 1), ('guard', 1),
                          ('start', 0)):
            for place in parts.PARTS[name][way]:
                self.reload()
                text = self.files[place.path]
                at = 0
                if place.method is not None:
                    at = text.index('    def %s(' % place.method)
                    if place.text.startswith('periodic'):
                        at -= 40
                at = text.index(place.text, at)
                self.files[place.path] = (
                    text[:at] + 'something' + text[at + len(place.text):])
                found = self.look()
                self.assertIn(name, found.missing, place)
                self.assertTrue(found.vulnerable)

    def test_a_rollback_that_goes_on(self):
        self.damage(parts.MANAGER, 'recover():\n            return\n',
                    'recover():\n            pass\n')
        self.assertLost('guard', 'self._live_migration_recovery.recover')

    def test_nothing_damaged(self):
        found = self.look()
        self.assertEqual(list(parts.NAMES), list(found.origins))
        self.assertEqual(({'loop'}, False, (), False), (
            found.upstream, found.guesses, found.notes, found.vulnerable))

    def test_the_syntax_of_python_2(self):
        # in every method that is looked at
        for path in (parts.MANAGER, parts.DRIVER):
            self.files[path] = re.sub(
                r'( def .*\n)', r'\1        raise a, b, "c"\n',
                self.files[path])
        found = self.look()
        self.assertEqual(({'loop'}, [], False), (
            found.upstream, found.missing, found.vulnerable))
        self.damage(parts.MANAGER, 'self._live_migration_recovery.recover',
                    '"self._live_migration_recovery.recover"')
        self.assertLost('guard')

    def test_a_conflict_that_was_not_resolved(self):
        self.damage(parts.MANAGER, synthetic.INIT,
                    '<<<<<<< HEAD\n' + synthetic.INIT)
        self.assertIn('has a conflict', str(self.assertRaises(
            parts.StrangeTree, self.look)))

    def test_markers_of_a_conflict_in_a_string(self):
        self.files[parts.MANAGER] += 'x = """\n<<<<<<< HEAD\n"""\n'
        self.assertFalse(self.look().vulnerable)

    def test_files_that_are_empty_or_gone(self):
        for path in (parts.DRIVER, parts.MANAGER):
            self.reload()
            self.files[path] = ''
            self.assertIn('has no class', str(self.assertRaises(
                parts.StrangeTree, self.look)))
            del self.files[path]
            self.assertRaises(parts.StrangeTree, self.look)


class UpstreamTestCase(DamageTestCase):
    """A tree with upstream's monitor, in memory."""

    MONITOR = ('    def _live_migration_monitor(self, future):\n'
               '        info.type = migration.find_job_type(guest)\n\n'
               '    def _live_migration(self):\n'
               '        self._live_migration_monitor(1)\n\n')

    def reload(self):
        super().reload()
        whole = (self.clone / parts.DRIVER).read_text()
        at = whole.index('    def _live_migration(')
        del self.files[parts.MONITOR]
        self.files[parts.DRIVER] = whole[:at] + self.MONITOR + whole[
            whole.index('    def last('):]

    def test_nothing_damaged(self):
        found = self.look()
        self.assertEqual('upstream', found.origins['monitor'])
        self.assertEqual({'loop', 'monitor'}, found.upstream)
        self.assertEqual(([], True, True), (
            found.missing, found.guesses, found.vulnerable))

    def test_a_monitor_that_nobody_calls(self):
        self.damage(parts.DRIVER, 'self._live_migration_monitor(1)', 'pass')
        found = self.look()
        self.assertEqual((['monitor'], None), (found.missing, found.guesses))

    def ours(self):
        self.files[parts.JOB] = 'def read_job():\n    pass\n'
        self.damage(parts.DRIVER, 'from nova.virt.libvirt import '
                    'guest_observer\n', 'from nova.virt.libvirt import '
                    'guest_observer\nfrom nova.virt.libvirt import '
                    'migration_job\n')
        self.damage(parts.DRIVER, 'self._live_migration_monitor(1)',
                    'self._live_migration_monitor(\n'
                    '            migration_job.outcome(1))')
        self.damage(parts.DRIVER, 'migration.find_job_type(guest)',
                    'migration_job.read_job(guest)')

    def test_ours_on_top(self):
        self.ours()
        found = self.look()
        self.assertEqual('keeptrack', found.origins['monitor'])
        self.assertEqual({'loop', 'monitor'}, found.upstream)
        self.assertEqual((False, False, ()), (
            found.guesses, found.vulnerable, found.notes))

    def test_ours_by_half(self):
        for old in ('migration_job.read_job', 'migration_job.out'):
            self.reload()
            self.ours()
            self.damage(parts.DRIVER, old, 'something')
            found = self.look()
            self.assertEqual('upstream', found.origins['monitor'], old)
            self.assertIn(old, ' '.join(found.notes))
            self.assertTrue(found.vulnerable)

    def test_a_reason_that_the_driver_reads_is_told(self):
        for path in (parts.DRIVER, parts.MANAGER):
            self.damage(path, 'virtevent.EVENT_LIFECYCLE_MIGRATED_AWAY', '1')
        for line, count in (
                ('if why == libvirt.VIR_DOMAIN_EVENT_STOPPED_MIGRATED: pass',
                 1),
                ('# VIR_DOMAIN_EVENT_STOPPED_MIGRATED\n        pass', 0),
                ('x = "VIR_DOMAIN_EVENT_STOPPED_MIGRATED"', 0)):
            self.files[parts.HOST] = (
                'class Host(object):\n'
                '    def _event_lifecycle_callback(self):\n'
                '        %s\n' % line)
            found = self.look()
            self.assertNotIn('events', found.origins)
            self.assertEqual(count, len([
                note for note in found.notes if 'asks for' in note]), line)

    def test_a_loop(self):
        for line in ('timer = loopingcall.FixedIntervalLoopingCall(f=None)',
                     'def wait_for_live_migration(): pass'):
            self.reload()
            self.damage(parts.DRIVER, 'self._live_migration_monitor(1)',
                        'self._live_migration_monitor(1)\n        ' + line)
            self.assertEqual(['loop'], self.look().missing)
            self.damage(parts.DRIVER, line, '# ' + line)
            self.assertEqual([], self.look().missing)

    def test_no_live_migration_at_all(self):
        self.damage(parts.DRIVER, 'def _live_migration(', 'def _moves(')
        found = self.look()
        self.assertEqual(['loop', 'monitor'], found.missing)
        self.assertIn('has no _live_migration', ' '.join(found.notes))
