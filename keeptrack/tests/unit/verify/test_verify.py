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

import json
import sys
import time
from unittest import mock

from keeptrack import errors
from keeptrack.series import git
from keeptrack.tests import base
from keeptrack.tests import synthetic
from keeptrack.verify import testruns
from keeptrack.verify import verification


class RunnerTestCase(base.TestCase):

    def run_module(self, text, part='1/1', **environment):
        if text is not None:
            (self.folder / 'test_it.py').write_text(text)
        lines = []
        runner = testruns.Runner(sys.executable, environment, 2, lines.append)
        found = runner.run([testruns.Job('x', self.folder, 'test_it', part)])
        return found['x', 'test_it'].by_id

    def test_outcomes(self):
        self.assertEqual(
            {'test_it.T.test_%s' % name: outcome for name, outcome in {
                'error': 'failed', 'fails': 'failed', 'passes': 'passed',
                'skips': 'skipped', 'expected': 'passed',
                'unexpected': 'failed'}.items()},
            self.run_module(
                'import os, unittest\n'
                'class T(unittest.TestCase):\n'
                '    def test_passes(self): os.environ["GIVEN"]\n'
                '    def test_fails(self): self.fail("x")\n'
                '    def test_error(self): raise ValueError("x")\n'
                '    def test_skips(self): self.skipTest("x")\n'
                '    @unittest.expectedFailure\n'
                '    def test_expected(self): self.fail("x")\n'
                '    @unittest.expectedFailure\n'
                '    def test_unexpected(self): pass\n', GIVEN='1'))

    def test_a_module_that_cannot_be_imported_has_failed(self):
        for text in (None, 'import nothing_of_that_name\n', 'def'):
            self.assertEqual({'test_it (import)': 'failed'},
                             self.run_module(text))

    def test_a_module_without_tests_has_failed(self):
        self.assertEqual({'test_it (no tests)': 'failed'},
                         self.run_module('import unittest\n'))

    def test_a_process_that_dies_has_failed(self):
        self.assertEqual(
            {'test_it.T.test_a': 'passed',
             'test_it (process ended with status 7)': 'failed'},
            self.run_module('import os, unittest\n'
                            'class T(unittest.TestCase):\n'
                            '    def test_a(self): pass\n'
                            '    def test_b(self): os._exit(7)\n'))

    def test_a_process_that_stands_still_is_gone_on_with(self):
        text = ('import os, time, unittest\n'
                'class T(unittest.TestCase):\n'
                '    def test_a(self): open("a", "a").write("x")\n' + ''.join(
                    '    def test_%(name)s(self):\n'
                    '        if not os.path.exists("%(name)s"):\n'
                    '            open("%(name)s", "w").close()\n'
                    '            time.sleep(60)\n' % {'name': name}
                    for name in 'bcd'))
        with mock.patch.object(testruns, '_STANDSTILL', 1):
            self.assertEqual({'test_it.T.test_%s' % name: 'passed'
                              for name in 'abcd'}, self.run_module(text))
        # what has an outcome is not run again
        self.assertEqual('x', (self.folder / 'a').read_text())

    def test_a_process_that_stands_still_again_has_failed(self):
        text = ('import time, unittest\n'
                'class T(unittest.TestCase):\n'
                '    def test_a(self): pass\n'
                '    def test_b(self): time.sleep(60)\n')
        with mock.patch.object(testruns, '_STANDSTILL', 1):
            self.assertEqual({'test_it.T.test_a': 'passed',
                              'test_it (no test ended for 1 s)': 'failed'},
                             self.run_module(text))

    def test_parts_make_the_whole(self):
        text = 'import unittest\nclass T(unittest.TestCase):\n' + ''.join(
            '    def test_%d(self): pass\n' % n for n in range(30))
        found = []
        for part in ('1/3', '2/3', '3/3'):
            found += self.run_module(text, part)
        self.assertEqual(30, len(found))
        self.assertEqual(30, len(set(found)))

    def test_an_interrupt_ends_the_processes(self):
        (self.folder / 'test_it.py').write_text(
            'import time\ntime.sleep(600)\n')

        def report(line):
            raise KeyboardInterrupt()

        runner = testruns.Runner(sys.executable, {}, 1, report)
        began = time.monotonic()
        with mock.patch.object(testruns, '_QUIET', 0.5):
            self.assertRaises(KeyboardInterrupt, runner.run, [
                testruns.Job('x', self.folder, 'test_it')] * 3)
        self.assertLess(time.monotonic() - began, 60)


class JobsTestCase(base.TestCase):

    def test_what_may_stand_still_comes_first(self):
        target = mock.Mock(our_modules=[], test_parts={'a.long': 2})
        self.assertEqual(
            [('b.functional.x', '1/1'), ('a.long', '1/2'), ('a.long', '2/2'),
             ('a.short', '1/1')],
            [(job.module, job.part) for job in verification.jobs(
                target, {'unpatched': self.folder},
                ['a.short', 'a.long', 'b.functional.x'])])


class VerifyTestCase(synthetic.NovaTestCase):

    def setUp(self):
        super().setUp()
        # this Python runs the synthetic tests as they are
        for patch in (
                mock.patch('keeptrack.verify.environment.find_python',
                           return_value=sys.executable),
                mock.patch('keeptrack.verify.environment.Environment.ensure'),
                mock.patch('keeptrack.verify.environment.Environment.python',
                           sys.executable)):
            patch.start()
            self.addCleanup(patch.stop)

    def verify(self, *argv):
        before = base.snapshot(self.clone)
        status, out, err = self.keeptrack('verify', '-f', 'json', *argv)
        self.assertEqual(before, base.snapshot(self.clone))
        return status, json.loads(out) if out else [], err

    def rows(self, rows):
        return [(row['Tree'], row['Whose'], row['Tests'], row['Failed'],
                 row['New failures']) for row in rows]

    def break_patch(self, number):
        """Let a patch break Nova's own test."""
        path = next(self.nova.target.glob('%04d-*.patch' % number))
        path.write_text(path.read_text().replace(
            '+        return None\n', '+        return True\n'))
        self.assertIn('return True', path.read_text())

    def test_a_failure_that_was_there_is_none(self):
        status, rows, err = self.verify(str(self.clone))
        self.assertEqual((0, ''), (status, err))
        self.assertEqual([('unpatched', 'Nova', 2, 1, 0),
                          ('patched', 'ours', 1, 0, 0),
                          ('patched', 'Nova', 2, 1, 0)], self.rows(rows))
        self.assertIn('0 new failures', self.progress)
        self.assertIn('ours: 1 tests, 0 failed', self.progress)

    def test_new_failures_are_named(self):
        self.break_patch(3)
        status, rows, err = self.verify(str(self.clone))
        self.assertEqual(1, status)
        self.assertEqual(('patched', 'Nova', 2, 2, 1), self.rows(rows)[-1])
        self.assertIn('new failure, patched: '
                      'nova.tests.test_old.Old.test_rollback', err)
        self.assertIn('1 != None', err)

    def test_each(self):
        status, rows, _ = self.verify(str(self.clone), '--each', '--jobs', '2')
        self.assertEqual(0, status)
        self.assertEqual(['unpatched', 'patched 1', 'patched 2', 'patched 3',
                          'patched 3', 'patched', 'patched'],
                         [row['Tree'] for row in rows])

    def test_a_failure_in_the_middle_counts(self):
        self.break_patch(3)
        # the last patch puts it right
        path = next(self.nova.target.glob('0004-*.patch'))
        git.run(self.clone, 'checkout', '--quiet', '-b', 'work')
        for name in sorted(self.nova.target.glob('*.patch')):
            git.run(self.clone, 'am', '--quiet', str(name), env={
                'GIT_COMMITTER_NAME': 'c', 'GIT_COMMITTER_EMAIL': 'c@d'})
        synthetic.replace(self.clone, synthetic.GUARD, 'return True',
                          'return None')
        git.run(self.clone, 'commit', '--quiet', '--amend', '--all',
                '--no-edit', env={'GIT_COMMITTER_NAME': 'c',
                                  'GIT_COMMITTER_EMAIL': 'c@d'})
        path.write_bytes(git.run(self.clone, 'format-patch', '-1', '-U1',
                                 '--stdout'))
        git.run(self.clone, 'checkout', '--quiet', 'stable')
        self.assertEqual(0, self.verify(str(self.clone))[0])
        self.assertEqual(1, self.verify(str(self.clone), '--each')[0])

    def test_a_tree_that_has_the_series(self):
        self.keeptrack('apply', str(self.clone))
        status, rows, _ = self.verify(str(self.clone))
        self.assertEqual(0, status)
        self.assertEqual(3, len(rows))

    def test_an_unpacked_tree_and_the_prerequisite(self):
        folder = self.unpack('1.0')
        self.assertIn('NOVA_REPO', self.refusal('verify', str(folder)))
        with mock.patch.dict('os.environ', NOVA_REPO=str(self.clone)):
            before = base.snapshot(folder)
            status, rows, _ = self.verify(str(folder))
            self.assertEqual((0, 3), (status, len(rows)))
            self.assertEqual(before, base.snapshot(folder))
            status, rows, _ = self.verify('--release', 'juno')
            self.assertEqual((0, 3), (status, len(rows)))
            self.assertEqual(0, self.verify('--release', '1.0')[0])

    def test_chosen_modules(self):
        status, rows, _ = self.verify(str(self.clone), '--tests',
                                      'nova.tests.test_guard')
        self.assertEqual([('patched', 'ours', 1, 0, 0)], self.rows(rows))

    def test_an_unknown_module_is_refused_before_anything_is_made(self):
        with mock.patch('keeptrack.verify.environment.Environment.ensure',
                        side_effect=AssertionError):
            for tree in (self.clone, self.unpack('1.1')):
                self.assertIn('there is no no/such.py', self.refusal(
                    'verify', str(tree), '--tests', 'no.such'))

    def test_the_tests_know_the_version_of_a_checkout(self):
        synthetic.replace(
            self.clone, synthetic.OLD_TEST, '        self.fail("as ever")\n',
            '        import os\n'
            '        self.assertEqual("1.1", os.environ["PBR_VERSION"])\n')
        base.git_commit(self.clone, 'look at the version')
        _, rows, _ = self.verify(str(self.clone))
        self.assertEqual(('patched', 'Nova', 2, 0, 0), self.rows(rows)[-1])

    def test_refuses_changes_that_are_not_committed(self):
        (self.clone / 'setup.cfg').write_text('[metadata]\nversion = 1.1\n')
        self.assertIn('not committed', self.refusal('verify',
                                                    str(self.clone)))

    def test_refuses_what_is_no_nova_and_what_has_no_target(self):
        self.assertIn('no Nova tree', self.refusal('verify', '/'))
        (self.clone / 'setup.cfg').write_text('[metadata]\nversion = 3.0\n')
        self.assertIn('no target yet for Nova 3.0', self.refusal(
            'verify', str(self.clone)))

    def test_a_test_that_the_series_takes_away_is_told(self):
        synthetic.replace(self.clone, synthetic.OLD_TEST, 'test_rollback',
                          'test_wait')
        base.git_commit(self.clone, 'renamed')
        patch = next(self.nova.target.glob('0004-*.patch'))
        text = patch.read_text()
        at = text.index('-- \n')
        patch.write_text(
            text[:at] + 'diff --git a/nova/tests/test_old.py '
            'b/nova/tests/test_old.py\n--- a/nova/tests/test_old.py\n'
            '+++ b/nova/tests/test_old.py\n@@ -5,2 +5,2 @@\n'
            '-    def test_wait(self):\n+    def test_rollback(self):\n'
            '         from nova.compute import manager\n' + text[at:])
        status, _, err = self.verify(str(self.clone))
        self.assertEqual(0, status)
        self.assertIn('no longer there, patched: '
                      'nova.tests.test_old.Old.test_wait', err)

    def test_tests_that_cannot_run_without_the_series_prove_nothing(self):
        for name, text in (('import', 'import nothing_of_that_name\n'),
                           ('no tests', 'x = 1\n'),
                           ('status 3', 'import os\nos._exit(3)\n')):
            (self.clone / synthetic.OLD_TEST).write_text(text)
            base.git_commit(self.clone, 'broken')
            line = self.refusal('verify', str(self.clone))
            self.assertIn('nova.tests.test_old (', line)
            self.assertIn(name, line)

    def apply(self):
        return self.keeptrack('apply', '--verify', str(self.clone))

    def test_apply_can_verify(self):
        status, out, err = self.apply()
        self.assertEqual((0, ''), (status, err))
        lines = out.splitlines()
        self.assertIn('commits on branch keeptrack/juno', lines[0])
        self.assertEqual(
            ["Nova's own tests without the series: 2 run, 1 passed, 1 "
             'failed, 0 skipped',
             "Nova's own tests with the series: 2 run, 1 passed, 1 failed, 0 "
             'skipped',
             "the series' own tests: 1 run, 1 passed, 0 failed, 0 skipped",
             'No test fails with the series that passes without it. '
             'The patched Nova is in %s' % self.clone], lines[1:])

    def test_apply_tells_of_new_failures(self):
        self.break_patch(3)
        status, out, err = self.apply()
        self.assertEqual(1, status)
        self.assertIn('FAILED: 1 tests fail with the series', out)
        self.assertIn('test_old.Old.test_rollback', err)

    def test_apply_refuses_before_it_changes_anything(self):
        before = base.snapshot(self.clone)
        self.assertIn('exclude each other', self.refusal(
            'apply', '--verify', '--dry-run', str(self.clone)))
        with mock.patch('keeptrack.verify.environment.find_python',
                        side_effect=errors.KeeptrackError('no Python')):
            self.assertEqual('no Python', self.refusal(
                'apply', '--verify', str(self.clone)))
        self.assertEqual(before, base.snapshot(self.clone))

    def test_apply_stopped_in_the_tests_says_what_is_done(self):
        with mock.patch('keeptrack.verify.verification.run',
                        side_effect=KeyboardInterrupt):
            status, out, err = self.apply()
        self.assertEqual(130, status)
        self.assertIn('commits on branch', out)
        self.assertIn('interrupted: the series is applied, not verified', err)

    def test_refusals(self):
        self.assertIn('--jobs', self.refusal('verify', '--jobs', '0',
                                             str(self.clone)))
        synthetic.replace(self.nova.target, 'target.toml',
                          'nova.tests.test_guard', 'nova.tests.test_gone')
        self.assertIn('nova.tests.test_gone', self.refusal(
            'verify', str(self.clone)))
