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
import sqlite3
import subprocess
import sys
from unittest import mock

from keeptrack import errors
from keeptrack.series import targets
from keeptrack.tests import base
from keeptrack.tests import synthetic
from keeptrack.verify import environment


class FindPythonTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.path = self.folder / 'bin'
        self.path.mkdir()
        self.pyenv = self.folder / 'pyenv'
        patch = mock.patch.dict(os.environ, PATH=str(self.path),
                                PYENV_ROOT=str(self.pyenv))
        patch.start()
        self.addCleanup(patch.stop)

    def python(self, folder, script, name='python2.7'):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        path.write_text('#!/bin/sh\n%s\n' % script)
        path.chmod(0o755)
        return str(path)

    def test_a_shim_that_fails_is_passed_over(self):
        self.python(self.path, 'echo no such version >&2; exit 127')
        good = self.python(self.pyenv / 'versions' / '2.7.18' / 'bin',
                           'echo Python 2.7.18 >&2')
        self.assertEqual(good, environment.find_python('2.7'))

    def test_a_name_that_lies_is_passed_over(self):
        self.python(self.path, 'echo Python 3.11.2')
        exc = self.assertRaises(errors.KeeptrackError,
                                environment.find_python, '2.7')
        self.assertIn('no Python 2.7 that runs', str(exc))
        self.assertEqual(1, len(str(exc).splitlines()))

    def test_the_order(self):
        last = self.python(self.pyenv / 'versions' / '2.7.9' / 'bin',
                           'echo Python 2.7.9')
        self.assertEqual(last, environment.find_python('2.7'))
        third = self.python(self.path, 'echo Python 2.7.1')
        self.assertEqual(third, environment.find_python('2.7'))
        second = self.python(self.folder / 'own', 'echo Python 2.7.2')
        with mock.patch.dict(os.environ, KEEPTRACK_PYTHON=second):
            self.assertEqual(second, environment.find_python('2.7'))
            first = self.python(self.folder / 'given', 'echo Python 2.7.3')
            self.assertEqual(first, environment.find_python('2.7', first))

    def test_what_the_user_gives_is_not_replaced(self):
        self.python(self.path, 'echo Python 2.7.1')
        for given in ('/no/where', self.python(self.folder / 'x', 'exit 1')):
            exc = self.assertRaises(errors.KeeptrackError,
                                    environment.find_python, '2.7', given)
            self.assertIn('%s is not a Python 2.7 that runs' % given, str(exc))

    def test_a_newer_python_does_from_3_11_on(self):
        newer = self.python(self.folder / 'own', 'echo Python 3.14.1')
        with mock.patch.dict(os.environ, KEEPTRACK_PYTHON=newer):
            self.assertEqual(newer, environment.find_python('3.11'))
            exact = self.python(self.path, 'echo Python 3.8.20', 'python3.8')
            self.assertEqual(exact, environment.find_python('3.8'))
            self.assertRaises(errors.KeeptrackError, environment.find_python,
                              '3.6')
        self.assertEqual(sys.executable, environment.find_python('3.11'))
        self.assertRaises(errors.KeeptrackError, environment.find_python,
                          '3.8', sys.executable)

    def test_an_older_python_3_does_not(self):
        older = self.python(self.path, 'echo Python 3.8.20', 'python3.9')
        self.assertRaises(errors.KeeptrackError, environment.find_python,
                          '3.9', older)
        self.assertRaises(errors.KeeptrackError, environment.find_python,
                          '3.99')

    def test_a_name_is_looked_up_on_path(self):
        good = self.python(self.path, 'echo Python 2.7.1', 'py')
        self.assertEqual(good, environment.find_python('2.7', 'py'))


class EnvironmentTestCase(synthetic.NovaTestCase):

    def environment(self, python=sys.executable):
        return environment.Environment(targets.load(self.nova.target), python,
                                       self.folder / 'cache')

    def use_this_python(self):
        synthetic.replace(self.nova.target, 'target.toml', 'python = "2.7"',
                          'python = "%d.%d"' % sys.version_info[:2])

    def test_is_made_once(self):
        self.use_this_python()
        env = self.environment()
        lines = []
        env.ensure(lines.append)
        self.assertIn('making', lines[0])
        subprocess.run([env.python, '-c', 'pass'], check=True)
        lines.clear()
        self.environment().ensure(lines.append)
        self.assertEqual([], lines)

    def test_another_for_other_constraints_and_another_python(self):
        first = self.environment().path
        self.assertEqual(first, self.environment().path)
        other = self.environment('/bin/sh').path
        (self.nova.target / 'constraints.txt').write_text('six==1.9.0\n')
        self.assertEqual(3, len({first, other, self.environment().path}))

    def test_nothing_is_left_of_one_that_cannot_be_made(self):
        self.use_this_python()
        (self.nova.target / 'constraints.txt').write_text('./no-such-thing\n')
        env = self.environment()
        exc = self.assertRaises(errors.KeeptrackError, env.ensure)
        self.assertIn('log: %s.log' % env.path, str(exc))
        self.assertFalse(env.path.exists())

    def test_without_constraints(self):
        (self.nova.target / 'constraints.txt').unlink()
        self.assertRaises(errors.KeeptrackError, self.environment)

    def test_sitecustomize(self):
        folder = self.folder / 'site'
        folder.mkdir()
        (folder / 'sitecustomize.py').write_text(environment._SITECUSTOMIZE)
        out = subprocess.run(
            [sys.executable, '-c',
             'import ssl, sqlite3; print(hasattr(ssl, "PROTOCOL_SSLv3"), '
             'sqlite3.connect(":memory:").execute('
             '"PRAGMA legacy_alter_table").fetchone())'],
            env=dict(os.environ, PYTHONPATH=str(folder)), check=True,
            stdout=subprocess.PIPE, text=True).stdout
        wanted = '(1,)' if sqlite3.sqlite_version_info >= (3, 26) else 'None'
        self.assertEqual('True %s\n' % wanted, out)
