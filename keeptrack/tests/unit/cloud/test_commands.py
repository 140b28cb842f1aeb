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
import os
from unittest import mock

from keeptrack.cloud import faults
from keeptrack.cloud import needs
from keeptrack.cloud import places
from keeptrack.tests import base
from keeptrack.tests.unit.cloud import sample


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
                      ['os', 'server', 'list'], ['drill']):
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
        for words in (['status'], ['os', 'server', 'list', '--long'],
                      ['drill']):
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
        with mock.patch.object(needs.prerequisites, 'missing',
                               return_value=[]):
            self.assertEqual(['there is no no-such (Debian: package)'],
                             needs.missing((('no-such', 'package'),)))


class CloudDrillTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.results = self.folder / 'results.json'

    def report(self, *results):
        self.results.write_text(json.dumps(results))
        status, out, _err = self.run_keeptrack(
            'cloud', 'drill', '--from', str(self.results), '-f', 'json')
        return status, json.loads(out)

    def test_the_faults(self):
        status, out, _err = self.run_keeptrack('cloud', 'drill', '--list',
                                               '-f', 'value', '-c', 'Fault')
        self.assertEqual((0, [fault.name for fault in faults.FAULTS]),
                         (status, out.split()))

    def test_all_is_right(self):
        status, rows = self.report(sample.result(), sample.result(run=2))
        self.assertEqual((0, 1, 2, 2), (status, len(rows), rows[0]['Runs'],
                                        rows[0]['All right']))

    def test_patched_and_stock_stand_side_by_side(self):
        status, rows = self.report(
            sample.result(), sample.result(fault='deleted'),
            sample.result(nova='stock', wrong={'host': 'x', 'data': 'y'}),
            sample.result(fault='deleted', nova='stock', left=['a disk']))
        self.assertEqual(
            [('none', 'patched', 0, 0), ('none', 'stock', 1, 0),
             ('deleted', 'patched', 0, 0), ('deleted', 'stock', 0, 1)],
            [(row['Fault'], row['Nova'], row['Host wrong'],
              row['Left behind']) for row in rows])
        # the status is that of the first Nova
        self.assertEqual(0, status)

    def test_something_is_wrong(self):
        status, rows = self.report(sample.result(wrong={'disk': 'x'}))
        self.assertEqual((1, 1, 0), (status, rows[0]['Disk wrong'],
                                     rows[0]['All right']))

    def test_a_run_without_its_fault_counts_nowhere(self):
        status, rows = self.report(sample.result(not_run='too late'))
        self.assertEqual((1, 0, 0, 1), (
            status, rows[0]['Runs'], rows[0]['All right'],
            rows[0]['Not run']))

    def test_no_results(self):
        self.assertIn('cannot be read', self.refused(
            'cloud', 'drill', '--from', str(self.folder / 'no')))
        for text in ('no JSON', '[1]', '[{"fault": "none"}]', '3'):
            self.results.write_text(text)
            self.assertIn('has no results', self.refused(
                'cloud', 'drill', '--from', str(self.results)))

    def test_no_such_fault(self):
        self.assertIn('no fault rain', self.refused(
            'cloud', 'drill', '--fault', 'rain'))

    def test_one_server_is_kept(self):
        for words in ((), ('--fault', 'none'),
                      ('--fault', 'none', '--nova', 'stock', '--runs', '2')):
            self.assertIn('--keep needs one', self.refused(
                'cloud', 'drill', '--keep', *words))

    def test_no_run(self):
        self.assertIn('--runs needs', self.refused(
            'cloud', 'drill', '--runs', '0'))
