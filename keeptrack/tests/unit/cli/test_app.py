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

import contextlib
import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from unittest import mock

from cliff import lister as cliff_lister

from keeptrack import __main__
from keeptrack.cli import app as app_mod
from keeptrack.cli import progress
from keeptrack import errors
from keeptrack.series import git
from keeptrack.series import nova_release
from keeptrack.series import parts
from keeptrack.series import pip_output
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
        with mock.patch('keeptrack.series.parts.examine',
                        side_effect=ValueError('x')):
            self.assertEqual('x', self.refusal('status', str(self.clone)))

    def test_an_unknown_command(self):
        self.assertEqual(2, self.run_keeptrack('nothing-like-it')[0])

    def test_help_and_version(self):
        self.assertEqual(0, self.run_keeptrack('help', 'apply')[0])
        for argv in ((), ('--help',)):
            done = subprocess.run(
                [sys.executable, '-m', 'keeptrack'] + list(argv),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True)
            self.assertEqual((0, ''), (done.returncode, done.stderr))
            self.assertIn('verify', done.stdout)


class OutputTestCase(synthetic.NovaTestCase):
    """What the options for output and names do, in a process of its own."""

    def run_process(self, *argv, **variables):
        return subprocess.run(
            [sys.executable, '-m', 'keeptrack', '--patches',
             str(self.nova.patches), *argv], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, **variables))

    def test_quiet_and_a_log_file(self):
        log = self.folder / 'log'
        done = self.run_process('-q', '--log-file', str(log), 'apply',
                                '--dry-run', str(self.clone))
        self.assertEqual((0, b''), (done.returncode, done.stderr))
        self.assertIn('patch 1 of 4: libvirt: monitor', log.read_text())
        self.assertIn('am --quiet', log.read_text())
        done = self.run_process('-q', 'status', '/')
        self.assertEqual((2, 1), (done.returncode,
                                  len(done.stderr.splitlines())))

    def test_quiet_and_verbose_are_explained(self):
        out = self.run_process('--help').stdout
        self.assertRegex(out, rb'--verbose +show more')
        self.assertRegex(out, rb'--quiet +show no progress')

    def test_a_log_file_that_cannot_be_written(self):
        done = self.run_process('--log-file', '/no/where', 'targets')
        self.assertEqual(2, done.returncode)
        self.assertIn(b'/no/where cannot be written', done.stderr)

    def test_verbose_shows_the_commands(self):
        for option in ('-v', '--debug'):
            done = self.run_process(option, 'status', str(self.clone))
            self.assertIn(b'keeptrack: git rev-parse', done.stderr)
        done = self.run_process('status', str(self.clone))
        self.assertNotIn(b'git rev-parse', done.stderr)

    def test_a_path_that_is_not_utf_8(self):
        name = os.fsencode(self.unpack('1.1')) + b'-\xff'
        shutil.copytree(self.folder / 'nova-1.1', os.fsdecode(name))
        for argv in (('status',), ('status', '-f', 'json'),
                     ('apply', '--dry-run'), ('apply',)):
            done = self.run_process(*argv, name,
                                    PYTHONIOENCODING='utf-8:strict')
            self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn(name, done.stdout)
        done = self.run_process('status', b'/no-\xff')
        self.assertEqual(2, done.returncode)
        self.assertIn(b'/no-\xff is no', done.stderr)


class ArgumentsTestCase(synthetic.NovaTestCase):

    def test_an_empty_name(self):
        for argv in (('--release', ''), ('',)):
            exc = self.assertRaises(SystemExit, self.keeptrack, 'status',
                                    *argv)
            self.assertEqual(2, exc.code)

    def test_a_folder_without_targets(self):
        self.assertIn('name %s with --patches' % self.nova.patches,
                      self.refused('--patches', str(self.nova.project),
                                   'targets'))
        self.assertIn('holds no target', self.refused(
            '--patches', str(self.folder / 'home'), 'targets'))

    def test_a_trial_on_a_tree_that_is_read_only(self):
        with mock.patch('keeptrack.series.preflight.writable',
                        side_effect=errors.KeeptrackError('read-only')):
            for tree in (self.clone, self.unpack('1.1')):
                self.assertEqual('read-only',
                                 self.refusal('apply', str(tree)))
                self.assertEqual(0, self.keeptrack(
                    'apply', '--dry-run', str(tree))[0])

    def test_a_command_is_imported_without_the_others(self):
        done = subprocess.run(
            [sys.executable, '-X', 'importtime', '-m', 'keeptrack', 'audit',
             'logs', '--help'], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, check=True)
        self.assertIn('keeptrack.cli.audit_output', done.stderr)
        self.assertNotIn('keeptrack.drill', done.stderr)

    def test_every_help(self):
        app = app_mod.KeeptrackApp()
        for name, _ in app.command_manager:
            factory, found, _ = app.command_manager.find_command(name.split())
            text = factory(app, None, found).get_parser(found).format_help()
            self.assertNotIn('option_strings', text)
            if issubclass(factory, cliff_lister.Lister):
                self.assertIn('columns:\n', text, name)

    def test_csv_holds_text_only(self):
        _, out, _ = self.keeptrack('targets', '-f', 'csv')
        self.assertEqual(['Name', 'Releases', 'Patches', 'Python'],
                         next(csv.reader([out.splitlines()[0]])))
        self.assertEqual(['juno', '1.0 1.1', '4', '2.7'],
                         next(csv.reader([out.splitlines()[1]])))
        _, out, _ = self.keeptrack('status', '-f', 'csv', str(self.clone))
        self.assertIn('yes', out)
        self.assertRegex(out, 'loop=upstream,[0-9a-f]{40} monitor= ')
        for word in ('True', 'None', '[', '{'):
            self.assertNotIn(word, out)

    def test_completion(self):
        _, out, _ = self.keeptrack('complete')
        self.assertIn('--target) names=$(keeptrack targets', out)
        # bash reads it
        self.assertEqual(0, subprocess.run(['bash', '-n'], input=out,
                                           text=True).returncode)


class CacheTestCase(synthetic.NovaTestCase):

    def setUp(self):
        super().setUp()
        self.cache = self.folder / 'home' / 'cache' / 'keeptrack'
        synthetic.write(self.cache, {
            'juno-1/bin/python': 'x' * 3000000, 'juno-1.log': 'y',
            'zed-2/file': 'z'})

    def rows(self):
        _, out, _ = self.keeptrack('cache', 'show', '-f', 'json')
        return {row['Name']: row['MiB'] for row in json.loads(out)}

    def test_show(self):
        rows = self.rows()
        self.assertEqual({'juno-1', 'zed-2'}, set(rows))
        self.assertIn(rows['juno-1'], (2, 3))

    def test_clear(self):
        self.assertIn('has no kilo', self.refusal('cache', 'clear', 'kilo'))
        self.keeptrack('cache', 'clear', 'juno-1')
        self.assertEqual(['zed-2'], os.listdir(self.cache))
        self.keeptrack('cache', 'clear')
        self.assertEqual({}, self.rows())

    def test_no_cache(self):
        shutil.rmtree(self.cache)
        self.assertEqual({}, self.rows())
        self.assertEqual(0, self.keeptrack('cache', 'clear')[0])


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

        patch = mock.patch('keeptrack.series.nova_release.unpacked',
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
            self.assertIn('does not apply',
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
            [], 1, stderr='ERROR: noise\n')
        with mock.patch('subprocess.run', return_value=failed):
            exc = self.assertRaises(
                errors.KeeptrackError,
                nova_release.unpacked('0.1').__enter__)
        self.assertIn('cannot download Nova 0.1: noise', str(exc))

    def test_the_newest_of_some(self):
        versions = subprocess.CompletedProcess(
            [], 0, stdout='nova (3.0)\n'
            'Available versions: 3.0, 1.10, 1.9, 1.0\n', stderr='')
        with mock.patch('subprocess.run', return_value=versions):
            self.assertEqual('1.10', nova_release.newest('>=1.0,<2'))
            exc = self.assertRaises(errors.KeeptrackError,
                                    nova_release.newest, '>=4')
            self.assertIn('cannot find Nova >=4: the package', str(exc))


class PipOutputTestCase(base.TestCase):

    def test_causes(self):
        for output, words in (
                ('WARNING: Retrying (NewConnectionError: Connection refused)\n'
                 'ERROR: No matching distribution found for nova\n',
                 'cannot be reached'),
                ('ERROR: No matching distribution found for nova==99\n',
                 'has no nova==99'),
                ('ERROR: Could not install: [Errno 28] No space left on '
                 'device\n', 'the disk is full'),
                ('ERROR: Failed building wheel for lxml\n',
                 'has to be compiled'),
                ('more\nERROR: strange\nhint\n', 'strange'),
                ('', 'gives no reason')):
            self.assertIn(words, pip_output.explain(output))


class ProgressTestCase(base.TestCase):

    def steps(self, terminal, **kwargs):
        err = io.StringIO()
        err.isatty = lambda: terminal
        with mock.patch('sys.stderr', err), mock.patch(
                'time.monotonic', side_effect=[0, 10, 200, 201]), mock.patch(
                    'keeptrack.cli.progress.LOG.info') as info:
            far = progress.Progress('reading', **kwargs)
            for done in (1, 2, 3):
                far.step(done, 3, 'a file')
        return err.getvalue(), [call[0][0] % call[0][1:]
                                for call in info.call_args_list]

    def test_a_terminal_has_one_line(self):
        line, lines = self.steps(True)
        self.assertIn('keeptrack: reading: 2 of 3, 3 min 20 s: a file', line)
        self.assertEqual(([], 0), (lines, line.count('\n')))

    def test_a_file_has_a_line_now_and_then(self):
        self.assertEqual(('', ['reading: 2 of 3, 3 min 20 s: a file']),
                         self.steps(False))

    def test_quiet(self):
        self.assertEqual(('', []), self.steps(True, quiet=True))

    def test_durations(self):
        self.assertEqual(['0 s', '59 s', '1 min 0 s', '2 h 5 min'],
                         [progress.duration(seconds) for seconds in
                          (0, 59.9, 60, 7530)])


class GitTestCase(base.TestCase):

    def test_an_interrupt_when_git_has_just_ended(self):
        def communicate(process, stdin):
            process.wait()
            raise KeyboardInterrupt()

        with mock.patch('subprocess.Popen.communicate', communicate):
            self.assertRaises(KeyboardInterrupt, git.run, self.folder,
                              '--version')


class StartTestCase(base.TestCase):

    def test_an_interrupt(self):
        with mock.patch.object(app_mod, 'main',
                               side_effect=KeyboardInterrupt), \
                contextlib.redirect_stderr(io.StringIO()) as err:
            self.assertEqual(130, __main__.main())
        self.assertEqual('interrupted\n', err.getvalue())


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
            [sys.executable, '-m', 'keeptrack', '--patches',
             str(self.nova.patches), 'apply', str(self.clone)],
            env=dict(os.environ, TMPDIR=str(self.tmp), PATH='%s:%s' % (
                self.folder / 'bin', os.environ['PATH'])),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            # whoever runs the tests in the background may ignore it
            preexec_fn=lambda: signal.signal(signal.SIGINT,
                                             signal.default_int_handler))
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline and not (
                self.mark.exists() and
                len(self.mark.read_text().split('\n')) > 3):
            time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=600)
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
