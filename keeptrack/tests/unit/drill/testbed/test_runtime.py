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
import sys
from unittest import mock

import fixtures

from keeptrack.drill.testbed import generations
from keeptrack.drill.testbed import runtime
from keeptrack import errors
from keeptrack.series import tree
from keeptrack.tests import base
from keeptrack.tests import synthetic
from keeptrack.verify import environment

SETUP = '''\
[metadata]
name = nova
version = %s

[entry_points]
nova.ipv6_backend =
    rfc2462 = nova.ipv6.rfc2462
    account_identifier = nova.ipv6.account_identifier
console_scripts =
    nova-all = nova.cmd.all:main
'''

ENTRY_POINTS = '''\
[nova.ipv6_backend]
rfc2462 = nova.ipv6.rfc2462
account_identifier = nova.ipv6.account_identifier

[console_scripts]
nova-all = nova.cmd.all:main

'''


class GenerationTestCase(base.TestCase):

    def of(self, release):
        found = mock.Mock(path='/nova', spec=tree.Tree)
        found.release.return_value = release
        return generations.of(found).name

    def test_by_release(self):
        for release in ('2014.2', '2014.2.4', '2014.2.1.dev5'):
            self.assertEqual('juno', self.of(release))
        for release in ('2015.1', '2015.1.0b1', '2015.1.4'):
            self.assertEqual('kilo', self.of(release))
        for release, name in (
                ('20.6.1', 'train'), ('21.2.4', 'ussuri'),
                ('22.4.0', 'victoria'), ('23.2.2', 'wallaby'),
                ('24.2.1', 'xena'), ('25.2.1', 'yoga'), ('26.2.2', '2024.1'),
                ('29.4.0', '2024.1')):
            self.assertEqual(name, self.of(release))
        for release in ('31.0.0', '32.2.1', '33.0.2.dev4', '34.0.0'):
            self.assertEqual('current', self.of(release))

    def test_the_constraints_of_the_users_targets(self):
        found = mock.Mock(path='/nova', spec=tree.Tree)
        found.release.return_value = '2014.2'
        self.assertEqual(self.folder / 'juno',
                         generations.of(found, self.folder).folder)

    def test_the_users_targets_reach_the_environment(self):
        found = mock.Mock(path='/nova', spec=tree.Tree)
        found.release.return_value = '2014.2'
        with mock.patch.object(environment, 'find_python',
                               lambda *args: '/python'), \
                mock.patch.object(runtime.libvirt_python, 'Binding',
                                  lambda version: mock.Mock(told=b'')):
            exc = self.assertRaises(errors.KeeptrackError, runtime.Runtime,
                                    found, patches=self.folder)
        self.assertIn(str(self.folder / 'juno' / 'constraints.txt'), str(exc))

    def test_none(self):
        for release in ('2014.1.5', '12.0.0', '30.0.0', '35.0.0', None,
                        'what'):
            exc = self.assertRaises(errors.KeeptrackError, self.of, release)
            self.assertIn('which no drill can run: it can run Nova 2014.2',
                          str(exc))

    def test_all_have_constraints_and_an_adapter(self):
        for each in generations.GENERATIONS:
            self.assertTrue((each.folder / 'constraints.txt').is_file())
            module, _, name = each.adapter.partition('.')
            self.assertIn('class %s(' % name, (
                runtime.AGENT / (module + '.py')).read_text())


class RuntimeTestCase(synthetic.NovaTestCase):

    def setUp(self):
        super().setUp()
        self.cache = self.folder / 'cache'
        self.useFixture(fixtures.MonkeyPatch(
            'keeptrack.drill.testbed.libvirt_python.installed_libvirt',
            lambda: '9.0.0'))
        self.useFixture(fixtures.MonkeyPatch(
            'keeptrack.verify.environment.find_python',
            lambda wanted, given=None: given or sys.executable))

    def make(self, release='2014.2.4', python=None):
        top = self.nova.clone
        (top / 'setup.cfg').write_text(SETUP % release)
        return runtime.Runtime(tree.Tree(top), python=python,
                               cache=self.cache)

    def test_python_of_the_generation(self):
        juno, kilo = self.make(), self.make('2015.1')
        self.assertIn('/juno-', juno.python)
        self.assertIn('/kilo-', kilo.python)
        self.assertNotEqual(self.make(python='/bin/sh').python, juno.python)

    def test_another_environment_than_that_of_verify(self):
        plain = environment.Environment(generations.GENERATIONS[0],
                                        sys.executable, self.cache)
        self.assertNotEqual(plain.python, self.make().python)

    def test_ensure_writes_metadata_beside_the_tree(self):
        made = self.make()
        with mock.patch.object(environment.Environment, 'ensure'):
            self.cache.mkdir()
            made.ensure()
            made.ensure()
        folder = made.variables['PYTHONPATH']
        with open(os.path.join(folder, 'nova.egg-info/entry_points.txt')) as (
                found):
            self.assertEqual(ENTRY_POINTS, found.read())
        self.assertEqual('2014.2.4', made.variables['PBR_VERSION'])
        self.assertEqual([os.path.basename(folder)], os.listdir(self.cache))

    def test_entry_points_of_today(self):
        (self.nova.clone / 'pyproject.toml').write_text(
            '[project.entry-points."nova.compute.monitors.cpu"]\n'
            'virt_driver = "nova.compute.monitors.cpu.virt_driver:Monitor"\n')
        made = self.make()
        with mock.patch.object(environment.Environment, 'ensure'):
            self.cache.mkdir()
            made.ensure()
        with open(os.path.join(made.variables['PYTHONPATH'],
                               'nova.egg-info/entry_points.txt')) as found:
            self.assertEqual(
                ENTRY_POINTS + '[nova.compute.monitors.cpu]\nvirt_driver = '
                'nova.compute.monitors.cpu.virt_driver:Monitor\n\n',
                found.read())

    def test_the_users_choice_of_threads_is_passed_on(self):
        name = 'OS_NOVA_DISABLE_EVENTLET_PATCHING'
        for variable in (name, 'OS_OTHER'):
            self.useFixture(fixtures.EnvironmentVariable(variable, '1'))
        found = self.make().variables
        self.assertEqual('1', found[name])
        self.assertNotIn('OS_OTHER', found)

    def test_database_is_made_once(self):
        made = self.make()
        script = self.folder / 'fake'
        script.write_text('#!/bin/sh\necho schema > "$5"\n')
        script.chmod(0o755)
        with mock.patch.object(runtime.Runtime, 'python', str(script)):
            path = made.databases() / runtime.DATABASE
            self.assertEqual('schema\n', path.read_text())
            path.write_text('kept')
            self.assertEqual('kept', (
                made.databases() / runtime.DATABASE).read_text())

    def test_database_that_cannot_be_made(self):
        made = self.make()
        script = self.folder / 'fake'
        script.write_text('#!/bin/sh\necho trace\necho No such thing\nexit 1')
        script.chmod(0o755)
        with mock.patch.object(runtime.Runtime, 'python', str(script)):
            exc = self.assertRaises(errors.KeeptrackError, made.databases)
        self.assertIn('cannot be made: No such thing', str(exc))
        self.assertEqual([], os.listdir(self.cache))
