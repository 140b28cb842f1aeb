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

import os
import shutil
import signal
import subprocess
import sys
import time
from unittest import mock

from keeptrack import errors
from keeptrack import nova_release
from keeptrack import parts
from keeptrack.tests import base
from keeptrack.tests import synthetic


class ExitStatusTestCase(synthetic.NovaTestCase):

    def test_a_refusal_is_one_line_and_status_2(self):
        line = self.refused('--patches', str(self.nova.patches), 'status', '/')
        self.assertNotIn('Traceback', line)

    def test_debug_shows_where_it_came_from(self):
        status, _, err = self.run_keeptrack('--debug', 'status', '/')
        self.assertEqual(2, status)
        self.assertIn('Traceback', err)

    def test_a_fault_of_the_kit_is_status_2_as_well(self):
        with mock.patch('keeptrack.parts.examine',
                        side_effect=ValueError('x')):
            self.assertEqual('x', self.refusal('status', str(self.clone)))

    def test_an_unknown_command(self):
        self.assertEqual(2, self.run_keeptrack('nothing-like-it')[0])

    def test_help_and_version(self):
        self.assertEqual(0, self.run_keeptrack('help', 'apply')[0])
        for argv in ((), ('--help',)):
            done = subprocess.run(
                [sys.executable, '-m', 'keeptrack.cli'] + list(argv),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True)
            self.assertEqual((0, ''), (done.returncode, done.stderr))
            self.assertIn('verify', done.stdout)


class NoTreeTestCase(synthetic.NovaTestCase):
    """What apply does when the user names no tree."""

    def setUp(self):
        super().setUp()
        self.here = self.folder / 'here'
        self.here.mkdir()
        before = os.getcwd()
        os.chdir(self.here)
        self.addCleanup(os.chdir, before)

    def release(self, version):
        folder = self.unpack('1.1')
        synthetic.write(folder, {'PKG-INFO': 'Version: %s\n' % version})

        class Unpacked(object):
            def __enter__(self):
                return folder

            def __exit__(self, *exc):
                pass

        patch = mock.patch('keeptrack.nova_release.unpacked',
                           lambda release, report: Unpacked())
        patch.start()
        self.addCleanup(patch.stop)

    def test_a_release_without_target(self):
        self.release('34.0.0')
        for argv in ((), ('--dry-run',)):
            self.assertIn('no target yet for Nova 34.0.0',
                          self.refusal('apply', *argv))
        self.assertEqual([], os.listdir('.'))

    def test_a_release_with_a_target(self):
        self.release('1.1')
        self.assertEqual(0, self.keeptrack('apply', '--dry-run')[0])
        self.assertEqual([], os.listdir('.'))
        self.assertEqual(0, self.keeptrack('apply')[0])
        self.assertTrue(os.path.exists('nova-1.1/' + parts.MONITOR))
        before = base.snapshot('.')
        self.assertIn('exists already', self.refusal('apply'))
        self.assertEqual(before, base.snapshot('.'))

    def test_nova_repo_is_cloned_and_left_alone(self):
        before = base.snapshot(self.clone)
        argv = ('apply', '--release', 'juno')
        self.assertIn('set NOVA_REPO', self.refusal(*argv))
        with mock.patch.dict(os.environ, NOVA_REPO=str(self.clone)):
            self.assertEqual(0, self.keeptrack(*argv, '--dry-run')[0])
            self.assertEqual([], os.listdir('.'))
            status, out, err = self.keeptrack(*argv)
            self.assertEqual((0, ''), (status, err))
            self.assertIn('commits on branch keeptrack/juno', out)
            self.assertIn('exists already', self.refusal(*argv))
        self.assertEqual(before, base.snapshot(self.clone))
        self.assertEqual(['nova-juno'], os.listdir('.'))

    def test_nova_repo_at_another_release(self):
        with mock.patch.dict(os.environ, NOVA_REPO=str(self.clone)):
            self.assertEqual(0, self.keeptrack('apply', '--release',
                                               '1.0')[0])
        self.assertIn('version = 1.0', (
            self.here / 'nova-juno' / 'setup.cfg').read_text())

    def test_nothing_is_left_of_a_clone_that_fails(self):
        path = next(self.nova.target.glob('0003-*.patch'))
        path.write_text(path.read_text().replace(
            ' def _rollback', ' def no'))
        with mock.patch.dict(os.environ, NOVA_REPO=str(self.clone)):
            self.assertIn('does not go on',
                          self.refusal('apply', '--release', 'juno'))
        self.assertEqual([], os.listdir('.'))

    def test_a_repo_without_the_base(self):
        synthetic.replace(self.nova.target, 'target.toml', self.nova.new,
                          '1' * 40)
        with mock.patch.dict(os.environ, NOVA_REPO=str(self.clone)):
            self.assertIn('does not hold 1.1',
                          self.refusal('apply', '--release', '1.1'))
        self.assertEqual([], os.listdir('.'))


class ReleaseTestCase(base.TestCase):

    def test_what_pip_says_is_told(self):
        failed = subprocess.CompletedProcess(
            [], 1, stderr='noise\nERROR: No matching distribution\n')
        with mock.patch('subprocess.run', return_value=failed):
            exc = self.assertRaises(
                errors.KeeptrackError,
                nova_release.unpacked('0.1').__enter__)
        self.assertIn('could not get Nova 0.1 (ERROR: No matching', str(exc))

    def test_the_newest_of_some(self):
        versions = subprocess.CompletedProcess(
            [], 0, stdout='nova (3.0)\n'
            'Available versions: 3.0, 1.10, 1.9, 1.0\n', stderr='')
        with mock.patch('subprocess.run', return_value=versions):
            self.assertEqual('1.10', nova_release.newest('>=1.0,<2'))
            self.assertIn('has no Nova >=4', str(self.assertRaises(
                errors.KeeptrackError, nova_release.newest, '>=4')))


class InterruptTestCase(synthetic.NovaTestCase):
    """A real process, stopped in the middle of git am."""

    def setUp(self):
        super().setUp()
        self.tmp = self.folder / 'tmp'
        self.tmp.mkdir()
        # a git that stands still in the middle of the third patch
        self.mark = self.folder / 'mark'
        wrapper = self.folder / 'bin' / 'git'
        wrapper.parent.mkdir()
        wrapper.write_text(
            '#!/bin/sh\n'
            'case " $* " in *" am "*)\n'
            '    echo >> %s\n'
            '    [ $(wc -l < %s) -lt 3 ] || exec sleep 600;;\n'
            'esac\nexec %s "$@"\n' % (self.mark, self.mark,
                                      shutil.which('git')))
        wrapper.chmod(0o755)

    def stop(self, number):
        before = base.snapshot(self.clone)
        process = subprocess.Popen(
            [sys.executable, '-m', 'keeptrack.cli', '--patches',
             str(self.nova.patches), 'apply', str(self.clone)],
            env=dict(os.environ, TMPDIR=str(self.tmp), PATH='%s:%s' % (
                self.folder / 'bin', os.environ['PATH'])),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            # whoever runs the tests in the background may ignore it
            preexec_fn=lambda: signal.signal(signal.SIGINT,
                                             signal.default_int_handler))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (
                self.mark.exists() and
                len(self.mark.read_text().split('\n')) > 3):
            time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        self.assertEqual(130, process.returncode, err)
        self.assertEqual('', out)
        self.assertEqual('interrupted: the tree is as it was',
                         err.splitlines()[-1])
        self.assertNotIn('Traceback', err)
        self.assertEqual(before, base.snapshot(self.clone))
        self.assertEqual([], os.listdir(self.tmp))

    def test_interrupt(self):
        self.stop(signal.SIGINT)

    def test_terminate(self):
        self.stop(signal.SIGTERM)
