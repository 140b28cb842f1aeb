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
from unittest import mock

from keeptrack.drill.testbed.cloud import places
from keeptrack.drill.testbed import prerequisites
from keeptrack.tests import base


class CloudCommandsTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        patcher = mock.patch.object(os, 'geteuid', return_value=0)
        self.uid = patcher.start()
        self.addCleanup(patcher.stop)
        self.places = places.Places.default()

    def test_only_root(self):
        self.uid.return_value = 1000
        for words in (['install'], ['up'], ['down'], ['status'],
                      ['os', 'server', 'list']):
            self.assertIn('needs root', self.refused('cloud', *words))

    def test_no_installation(self):
        self.assertIn('run keeptrack cloud install',
                      self.refused('cloud', 'up'))

    def test_an_installation_of_another_version(self):
        self.places.top.mkdir(parents=True)
        self.places.installed.write_text('{"requirements": "nova==33"}')
        self.assertIn('run keeptrack cloud install',
                      self.refused('cloud', 'up'))

    def test_a_cloud_that_is_down(self):
        for words in (['status'], ['os', 'server', 'list', '--long']):
            self.assertIn('the cloud is down', self.refused('cloud', *words))

    def test_no_such_node(self):
        self.assertIn('no node host3', self.refused('cloud', 'on', 'host3'))

    def test_numbers(self):
        for option in ('--bandwidth', '--power-sync', '--recovery'):
            self.assertIn(f'{option} needs a number',
                          self.refused('cloud', 'up', option, '0'))

    def test_nothing_to_end(self):
        status, _out, err = self.run_keeptrack('cloud', 'down')
        self.assertEqual((0, ''), (status, err))
        self.assertIn('no cloud to end', self.progress)

    def test_what_a_killed_cloud_has_left_is_removed(self):
        self.places.log.mkdir(parents=True)
        self.places.lock.write_text('1')
        (self.places.run / 'keeper.json').write_text('{"ctl": 999999999}')
        self.assertEqual(0, self.run_keeptrack('cloud', 'down')[0])
        self.assertFalse(self.places.run.exists())

    def test_a_folder_that_settings_do_not_take(self):
        with mock.patch.dict(os.environ, XDG_CACHE_HOME='/tmp/a b'):
            self.assertIn('set XDG_CACHE_HOME', self.refused('cloud', 'up'))

    def test_the_environment_of_a_client(self):
        status, out, _err = self.run_keeptrack('cloud', 'openrc')
        self.assertEqual(0, status)
        self.assertIn('export OS_AUTH_URL=http://192.0.2.10:5000/v3\n', out)

    def test_a_missing_program_is_named_with_its_package(self):
        with mock.patch.object(prerequisites, 'CLOUD',
                               (('no-such', 'package'),)):
            self.assertIn('there is no no-such (Debian: package)',
                          prerequisites.missing(cloud=True))
