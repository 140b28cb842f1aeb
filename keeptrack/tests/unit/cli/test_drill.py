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
from unittest import mock

from keeptrack.cli import drill
from keeptrack.drill import drilled_trees
from keeptrack.drill import faults
from keeptrack.drill.report import table
from keeptrack.drill.runner import campaign
from keeptrack.drill.testbed import prerequisites
from keeptrack import errors
from keeptrack.tests import base
from keeptrack.tests.unit.drill import sample


class DrillCommandTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.results = self.folder / 'results.json'
        self.results.write_text(json.dumps(sample.results(2)))
        self.output = self.folder / 'new' / 'output'

    def drill(self, *words):
        return self.run_keeptrack('drill', '--output', str(self.output),
                                  *words)

    def assert_refused(self, told, *words):
        status, out, err = self.drill(*words)
        self.assertEqual((2, '', 1), (status, out, err.count('\n')), err)
        self.assertIn(told, err)
        self.assertFalse(self.output.exists())

    def test_faults_are_listed(self):
        status, out, _err = self.run_keeptrack('drill', '--list', '-f', 'json')
        self.assertEqual(0, status)
        self.assertIn('network-cut', [row['Fault'] for row in json.loads(out)])

    def test_a_report_on_results(self):
        status, out, _err = self.drill('--from', str(self.results), '-f',
                                       'json')
        rows = json.loads(out)
        self.assertEqual(1 if any(row['Lost'] or row['Wrong'] for row in rows
                                  if row['Tree'] == rows[0]['Tree']) else 0,
                         status)
        self.assertTrue((self.output / 'report.html').exists())

    def test_a_report_on_one_fault(self):
        _status, out, _err = self.drill('--from', str(self.results),
                                        '--fault', 'network-cut', '-f', 'json')
        self.assertEqual({'network-cut'},
                         {row['Fault'] for row in json.loads(out)})

    def test_the_lag_keeps_all_its_columns(self):
        _status, out, _err = self.drill('--from', str(self.results),
                                        '--callback-delay', '-f', 'json')
        self.assertEqual({9}, {len(row) for row in json.loads(out)})

    def test_results_are_not_chosen_from(self):
        results = ('--from', str(self.results))
        for words, told in (
                (('--runs', '3'), '--runs'), (('--seed', 'x'), '--seed'),
                (('--runs', '0'), '--runs'), (('--release', '1'), '--release'),
                (('--python', 'x'), '--python'),
                (('--testbeds', '1'), '--testbeds'), (('tree',), 'TREE'),
                (('--against', 'x'), '--against'),
                (('--keep-logs',), '--keep-logs')):
            self.assert_refused('leave out ' + told, *results + words)

    def test_the_same_results_twice(self):
        self.assert_refused('more than one', '--from', str(self.results),
                            '--from', str(self.results))

    def test_numbers(self):
        for name in ('--runs', '--testbeds'):
            self.assert_refused('needs a number from 1 on', 'x', name, '0')

    def test_no_such_fault(self):
        self.assert_refused('no fault rain', 'x', '--fault', 'rain')

    def test_a_fault_that_the_results_do_not_have(self):
        self.results.write_text(json.dumps(sample.results(
            1, faults=faults.FAULTS[:2])))
        self.assert_refused(
            'no fault network-cut in these results: they have none, error',
            '--from', str(self.results), '--fault', 'network-cut')

    def test_an_empty_folder_of_the_users_stays(self):
        self.output.mkdir(parents=True)
        self.assertEqual(2, self.drill('x')[0])
        self.assertTrue(self.output.exists())

    def test_output_that_is_there(self):
        self.output.mkdir(parents=True)
        (self.output / 'mine').write_text('x')
        status, _out, err = self.drill('x')
        self.assertEqual(2, status)
        self.assertIn('exists already', err)
        self.assertEqual('x', (self.output / 'mine').read_text())

    def test_output_that_cannot_be_made(self):
        (self.folder / 'new').write_text('a file')
        status, _out, err = self.drill('x')
        self.assertEqual((2, 1), (status, err.count('\n')))
        self.assertIn('cannot be made', err)

    def test_nothing_is_left_of_a_drill_that_did_not_begin(self):
        with mock.patch.object(prerequisites, 'refuse_without'):
            self.assert_refused('', str(self.folder / 'no-tree'))
        self.assertFalse(self.output.parent.exists())

    def test_a_tree_whose_guests_can_have_no_disk(self):
        tree = mock.Mock()
        tree.name = 'juno-eol'
        tree.runtime.generation.name = 'juno'
        with mock.patch.object(prerequisites, 'refuse_without') as refuse, \
                mock.patch.object(drill.writing_guest, 'firmware'), \
                mock.patch.object(drilled_trees, 'named',
                                  return_value=[tree]), \
                mock.patch.object(drill.tree_mod, 'Tree'):
            self.assert_refused('juno-eol: guests with a disk need Nova 31',
                                'x', '--storage', 'copied')
        refuse.assert_called_once_with(True)

    def test_storage_is_for_runs(self):
        self.assert_refused('leave out --storage', '--from',
                            str(self.results), '--storage', 'copied')

    def test_the_data_decides_too(self):
        results = sample.results(1)
        for run in results['runs']:
            run.update(verdict='right', storage='copied', data={
                'verdict': 'kept', 'lost': 0, 'doubled': 0, 'broken': []})
        self.results.write_text(json.dumps(results))
        self.assertEqual(0, self.drill('--from', str(self.results))[0])
        results['runs'][0]['tree'] = results['trees'][0]['name']
        results['runs'][0]['data']['broken'] = ['3 records are lost']
        self.results.write_text(json.dumps(results))
        self.assertEqual(1, self.run_keeptrack(
            'drill', '--output', str(self.folder / 'other'), '--from',
            str(self.results))[0])

    def test_what_was_run_stays(self):
        def run(made):
            (made._output / 'results.json').write_text('{}')
            raise errors.KeeptrackError('the testbed does not come up')
        with mock.patch.object(prerequisites, 'refuse_without'), \
                mock.patch.object(drilled_trees, 'named', lambda *args: []), \
                mock.patch.object(drill.tree_mod, 'Tree'), \
                mock.patch.object(campaign.Campaign, 'run', run):
            status, _out, err = self.drill('x')
        self.assertEqual(2, status)
        self.assertIn('does not come up', err)
        self.assertTrue((self.output / 'results.json').exists())


class CloudDrillTestCase(base.TestCase):
    """keeptrack drill --cloud."""

    def report(self, *runs):
        results = {
            'schema': 'keeptrack-drill/1', 'made': 'now',
            'machine': {'cloud': 'yes'},
            'trees': [{'name': 'ours'}, {'name': 'stock'}],
            'faults': [{'name': 'none'}, {'name': 'deleted'}],
            'runs': [dict({'tree': 'ours', 'fault': 'none', 'timeline': [],
                           'verdict': 'right', 'parts': {}}, **run)
                     for run in runs]}
        path = self.folder / 'results.json'
        path.write_text(json.dumps(results))
        status, out, _err = self.run_keeptrack(
            'drill', '--cloud', '--from', str(path), '--output',
            str(self.folder / 'page'), '-f', 'json')
        return status, {(row['Fault'], row['Tree']): row
                        for row in json.loads(out)}

    def test_the_faults(self):
        status, out, _err = self.run_keeptrack(
            'drill', '--cloud', '--list', '-f', 'value', '-c', 'Fault')
        self.assertEqual((0, [fault.name for fault in faults.OF_CLOUD]),
                         (status, out.split()))

    def test_what_was_wrong_part_by_part(self):
        status, rows = self.report(
            {}, {'fault': 'deleted', 'left_behind': ['a disk']},
            {'tree': 'stock', 'verdict': 'lost', 'overlap': 1.5,
             'parts': {'host': 'x', 'data': 'y'}},
            {'verdict': 'not run'})
        self.assertEqual(1, status)
        row = rows['none', 'stock']
        self.assertEqual(
            (1, 1, 0, 1, 0, 1),
            tuple(row[name] for name in (
                'Runs', 'Host wrong', 'Disk wrong', 'Data wrong', 'All right',
                'Split brain')))
        row = rows['none', 'ours']
        self.assertEqual((1, 1, 1), tuple(row[name] for name in (
            'Runs', 'All right', 'Not run')))
        self.assertEqual(1, rows['deleted', 'ours']['Left behind'])

    def test_a_row_for_each_storage(self):
        _status, rows = self.report({'storage': 'volume'})
        self.assertNotIn('Storage', rows['none', 'ours'])
        path = self.folder / 'results.json'
        results = json.loads(path.read_text())
        results['runs'].append(dict(
            results['runs'][0], storage='copied',
            parts={'attachment': 'x'}))
        headers, found = table.parts_rows(results)
        where = headers.index('Attachment wrong')
        self.assertEqual([('copied', 1), ('volume', 0)],
                         [(row[2], row[where]) for row in found])

    def test_what_does_not_fit(self):
        for words, told in (
                (('drill', '--keep'), '--keep needs --cloud'),
                (('drill', '--nova', 'stock'), '--nova needs --cloud'),
                (('drill', '--cloud', '--keep'), '--keep needs one'),
                (('drill', '--cloud', 'tree'), 'leave out TREE'),
                (('drill', '--cloud', '--storage', 'shared'),
                 'take one of copied, volume'),
                (('drill', '--storage', 'volume'),
                 '--storage volume needs --cloud'),
                (('drill', '--cloud', '--fault', 'rpc-silent'),
                 'drill --list --cloud names them')):
            self.assertIn(told, self.refused(
                *words, *() if '--fault' in words else
                ('--output', str(self.folder / 'out'))))

    def test_a_cloud_without_volumes(self):
        with mock.patch.object(drill.cloud, 'Cloud') as cloud:
            cloud.return_value.attach.return_value.settings.options = (
                mock.Mock(volumes=False))
            self.assertIn('keeptrack cloud up --volumes', self.refused(
                'drill', '--cloud', '--storage', 'volume',
                '--output', str(self.folder / 'out')))

    def test_a_cloud_that_is_down(self):
        with mock.patch('os.geteuid', return_value=0):
            self.assertIn('the cloud is down', self.refused(
                'drill', '--cloud', '--output', str(self.folder / 'out')))
