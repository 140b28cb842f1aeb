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

from keeptrack import parts
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

    def test_nothing_damaged(self):
        found = self.look()
        self.assertEqual(list(parts.NAMES), list(found.origins))
        self.assertEqual(({'loop'}, False, (), False), (
            found.upstream, found.guesses, found.notes, found.vulnerable))

    def test_a_module_without_its_call(self):
        self.damage(parts.DRIVER, 'migration_monitor.follow(', 'nothing(')
        self.assertLost('monitor', 'does not use migration_monitor.follow')

    def test_a_call_without_its_module(self):
        del self.files[parts.MONITOR]
        self.assertLost('monitor', 'migration_monitor.py is not there')

    def test_a_call_that_is_commented_out(self):
        self.damage(parts.DRIVER, '        migration_monitor.follow(',
                    '        # migration_monitor.follow(')
        self.assertLost('monitor', 'does not use migration_monitor.follow')

    def test_a_call_in_a_docstring(self):
        self.damage(parts.DRIVER,
                    'migration_monitor.follow(self._live_migration_operation)',
                    '"""migration_monitor.follow(\n'
                    'def _live_migration(self): migration_monitor.follow()"""')
        self.assertLost('monitor')

    def test_a_call_that_is_never_reached(self):
        call = ('        migration_monitor.follow('
                'self._live_migration_operation)\n')
        for instead in ('        return\n' + call,
                        '        if False:\n    ' + call,
                        '        while 0:\n    ' + call):
            self.files[parts.DRIVER] = (
                self.clone / parts.DRIVER).read_text()
            self.damage(parts.DRIVER, call, instead)
            self.assertLost('monitor')

    def test_a_call_in_another_method(self):
        self.damage(parts.DRIVER, '    def _live_migration(self):',
                    '    def _live_migration(self):\n        pass\n\n'
                    '    def unused(self):')
        self.assertLost('monitor')

    def test_a_method_that_is_defined_again(self):
        self.damage(parts.MANAGER, synthetic.filler('below', 1),
                    synthetic.ROLL_BACK + '        return 3\n' +
                    synthetic.filler('below', 1))
        self.assertLost('guard', '_rollback_live_migration')

    def test_a_class_that_is_not_nova_s(self):
        self.damage(parts.MANAGER, '    @migration_guard.find_guest_first\n')
        self.files[parts.MANAGER] += (
            '\n\nclass Other(object):\n'
            '    @migration_guard.find_guest_first\n' + synthetic.ROLL_BACK +
            '        return 1\n')
        self.assertLost('guard')

    def test_an_operation_that_is_gone(self):
        self.damage(parts.DRIVER, 'def _live_migration_operation', 'def _op')
        self.assertLost('monitor', 'no _live_migration_operation')

    def test_a_decorator_that_is_gone(self):
        self.damage(parts.MANAGER, '    @migration_guard.find_guest_first\n')
        self.assertLost('guard', 'migration_guard.find_guest_first')
        self.damage(parts.MANAGER, '    @migration_event.tell_migration\n')
        self.assertEqual(['events', 'guard'], self.look().missing)

    def test_every_decorator_that_the_module_defines(self):
        for hook, method in (('park_when_it_fails', '_post_live_migration'),
                             ('refuse_in_doubt', 'restore_instance'),
                             ('remember_destination', 'live_migration')):
            self.reload()
            self.files[synthetic.GUARD] += (
                '\n\ndef %s(call):\n    return call\n' % hook)
            self.assertLost('guard', hook, method)
            self.damage(parts.MANAGER, synthetic.INIT,
                        '    @migration_guard.%s\n    def %s(self):\n'
                        '        pass\n\n' % (hook, method) + synthetic.INIT)
            self.assertFalse(self.look().vulnerable)

    def test_a_decorator_by_another_name(self):
        self.damage(parts.MANAGER,
                    'from nova.compute import migration_guard\n',
                    'from nova.compute import (\n    migration_guard as g)\n')
        self.damage(parts.MANAGER, 'migration_guard.', 'g.')
        self.assertFalse(self.look().vulnerable)

    def test_an_import_that_is_gone(self):
        self.damage(parts.MANAGER,
                    'from nova.compute import migration_guard\n')
        self.assertEqual(['guard', 'start'], self.look().missing)

    def test_the_guard_without_its_finder(self):
        self.damage(parts.DRIVER, '        self.guest_finder = '
                    'guest_presence.GuestFinder()\n')
        found = self.look()
        self.assertEqual(['guard', 'start'], found.missing)
        self.assertIn('no guest_finder', found.notes[0])

    def test_a_finder_without_its_file(self):
        del self.files[synthetic.FINDER]
        self.assertEqual(['guard', 'start'], self.look().missing)

    def test_a_module_that_a_module_needs(self):
        for line, lost in (
                ('from nova.compute import migration_keeper\n', True),
                ('from nova.nowhere import something\n', True),
                ('from nova.compute import manager\n', False),
                ('import os\n', False)):
            self.reload()
            self.files[synthetic.GUARD] = line + self.files[synthetic.GUARD]
            self.assertEqual(lost, 'guard' in self.look().missing, line)

    def test_parked_guests_that_nobody_looks_at(self):
        self.files[synthetic.GUARD] += '\n\ndef look_again(manager):\n    1\n'
        self.assertLost('guard', 'look_again')
        method = ('    def _look_for_parked_guests(self):\n'
                  '        migration_guard.look_again(self)\n\n')
        self.damage(parts.MANAGER, synthetic.INIT, method + synthetic.INIT)
        self.assertLost('guard', 'is no periodic task')
        self.damage(parts.MANAGER, method,
                    '    @periodic_task.periodic_task(spacing=1)\n' + method)
        self.assertFalse(self.look().vulnerable)

    def test_options_that_nobody_registers(self):
        self.files[parts.MANAGER] += 'x = CONF.live_migration_look_interval\n'
        self.assertEqual(['guard', 'start'], self.look().missing)
        self.files['nova/compute/migration_options.py'] = ''
        self.assertFalse(self.look().vulnerable)

    def test_an_answer_at_start_that_nobody_heeds(self):
        head = 'if not migration_guard.find_guest_at_start(self):\n'
        end = '            return\n'
        for instead in ('migration_guard.find_guest_at_start(self)\n',
                        head + end.replace('return', 'pass'),
                        head + end.replace('return', '# return'), head,
                        head.replace('if not', 'if') + end,
                        # too late, or never
                        'start(self)\n        ' + head + end,
                        'def settled():\n            ' + head + '    ' + end):
            self.reload()
            self.damage(parts.MANAGER, head + end, instead)
            self.assertEqual(['start'], self.look().missing, instead)

    def test_modules_that_are_empty(self):
        for path, part in ((parts.MONITOR, 'monitor'),
                           (synthetic.TELL, 'events'),
                           (synthetic.REASON, 'events'),
                           (synthetic.GUARD, 'guard'),
                           (synthetic.FINDER, 'guard')):
            self.reload()
            self.files[path] = ''
            found = self.look()
            self.assertIn(part, found.missing)
            self.assertTrue(found.vulnerable)

    def test_a_conflict_in_a_module_of_ours(self):
        self.files[synthetic.GUARD] += '<<<<<<<\n'
        found = self.look()
        self.assertEqual(['guard', 'start'], found.missing)
        self.assertIn('has a conflict', ' '.join(found.notes))

    def test_a_file_that_no_python_compiles(self):
        for path, old, new in (
                (parts.DRIVER, 'follow(self._live_migration_operation)',
                 'follow(self._live_migration_operation'),
                (parts.DRIVER, 'GuestFinder()', 'GuestFinder('),
                (parts.MANAGER, 'return 0', '"""cut off'),
                (parts.MANAGER, 'return 0', '0\n>>>>>>>')):
            self.reload()
            self.damage(path, old, new)
            self.assertRaises(parts.StrangeTree, self.look)

    def test_a_call_without_what_it_calls(self):
        self.damage(parts.DRIVER, 'follow(self._live_migration_operation)',
                    'follow()')
        self.assertLost('monitor', 'does not pass')

    def test_events_by_half(self):
        for path, old, new, note in (
                (synthetic.EVENT, 'REASON_MIGRATION', 'REASON', 'no REASON'),
                (synthetic.EVENT, ', reason=None', '', 'keeps no reason'),
                (synthetic.EVENT, '        self.reason = reason\n', '',
                 'keeps no reason'),
                (parts.DRIVER, 'reason=event_reason.of(event)', '',
                 'event_reason.of'),
                (parts.DRIVER, 'reason=event_reason.of(event)',
                 'event_reason.of(event)', 'gives LifecycleEvent no reason'),
                (parts.MANAGER, '@migration_event.tell_migration\n    ', '',
                 'tell_migration')):
            self.reload()
            self.damage(path, old, new)
            self.assertLost('events', note)
        for path in (synthetic.TELL, synthetic.REASON):
            self.reload()
            del self.files[path]
            self.assertLost('events', path.split('/')[-1] + ' is not there')

    def test_the_callback_in_the_other_file(self):
        whole = self.files[parts.DRIVER]
        at = whole.index('    def _event_lifecycle_callback')
        end = whole.index('    def _live_migration(')
        self.files[parts.DRIVER] = whole[:at] + whole[end:]
        self.assertLost('events')
        self.files[parts.HOST] = (
            'from nova.virt.libvirt import event_reason\n\n\n'
            'class Host(object):\n' + whole[at:end])
        self.assertFalse(self.look().vulnerable)

    def test_the_syntax_of_python_2(self):
        # in every method that is looked at
        for path in (parts.MANAGER, parts.DRIVER):
            self.files[path] = re.sub(
                r'( def .*\n)', r'\1        raise a, b, "c"\n',
                self.files[path])
        found = self.look()
        self.assertEqual(({'loop'}, [], False), (
            found.upstream, found.missing, found.vulnerable))
        self.damage(parts.MANAGER, '    @migration_guard.find_guest_first\n',
                    '    # @migration_guard.find_guest_first\n')
        self.assertLost('guard')
        self.damage(parts.MANAGER, 'if not migration_guard.find_guest_at',
                    'print "if not migration_guard.find_guest_at_start(x)"\n'
                    '        if not migration_guard.find_at')
        self.assertEqual(['guard', 'start'], self.look().missing)

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
        self.files[parts.END] = (
            'def told_by_the_call(call):\n    return call\n')
        self.damage(parts.DRIVER, 'from nova.virt.libvirt import '
                    'event_reason\n', 'from nova.virt.libvirt import '
                    'event_reason\nfrom nova.virt.libvirt import '
                    'migration_end\n')
        self.damage(parts.DRIVER, '    def _live_migration_monitor',
                    '    @migration_end.told_by_the_call\n'
                    '    def _live_migration_monitor')

    def test_ours_on_top(self):
        self.ours()
        found = self.look()
        self.assertEqual('keeptrack', found.origins['monitor'])
        self.assertEqual({'loop', 'monitor'}, found.upstream)
        self.assertEqual((False, False, ()), (
            found.guesses, found.vulnerable, found.notes))

    def test_ours_by_half(self):
        for path, old, new, note in (
                (parts.DRIVER, '    @migration_end.told_by_the_call\n', '',
                 'does not use migration_end.told_by_the_call'),
                (parts.END, 'def told', 'def keep_error(call):\n    return 1'
                 '\n\n\ndef told', 'keep_error')):
            self.reload()
            self.ours()
            self.damage(path, old, new)
            found = self.look()
            self.assertEqual('upstream', found.origins['monitor'], note)
            self.assertIn(note, ' '.join(found.notes))
            self.assertTrue(found.vulnerable)

    def test_a_reason_that_the_driver_reads_is_told(self):
        self.damage(parts.MANAGER, '    @migration_event.tell_migration\n')
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
        self.assertIn('has no _live_migration', found.notes[0])
