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

from keeptrack.drill import faults
from keeptrack.drill.report import html_page
from keeptrack.drill.report import results_file
from keeptrack.drill.report import table
from keeptrack import errors
from keeptrack.tests import base
from keeptrack.tests.unit.drill import sample

TWO = sample.TREES[:2]


class RowsTestCase(base.TestCase):

    def results(self, *runs):
        made = sample.results(1, TWO, faults.FAULTS[:2])
        made['runs'] = [dict({'tree': 'juno-eol', 'fault': 'none',
                              'timeline': []}, **run) for run in runs]
        return made

    def rows(self, *runs):
        headers, rows = table.rows(self.results(*runs))
        return [dict(zip(headers, row, strict=True)) for row in rows]

    def test_a_row_for_each_fault_on_each_tree(self):
        rows = self.rows({'verdict': 'right'})
        self.assertEqual(
            [('none', 'juno-eol', 1), ('none', 'juno-eol + series', 0),
             ('error-after-success', 'juno-eol', 0),
             ('error-after-success', 'juno-eol + series', 0)],
            [(row['Fault'], row['Tree'], row['Runs']) for row in rows])

    def test_verdicts_are_counted(self):
        verdicts = ['right'] * 6 + ['parked'] * 5 + ['wrong'] * 4 + [
            'lost'] * 3 + ['split brain'] * 2 + ['not run']
        row = self.rows(*({'verdict': verdict, 'unseen': verdict == 'lost'}
                          for verdict in verdicts))[0]
        self.assertEqual(
            (21, 6, 5, 4, 3, 2, 1, 3),
            tuple(row[name] for name in (
                'Runs', 'Right', 'Parked', 'Wrong', 'Lost', 'Split brain',
                'Not run', 'Unseen')))

    def test_seconds_of_those_that_have_some(self):
        first, second = self.rows(
            {'verdict': 'right', 'parked': 1.0, 'free': 0},
            {'verdict': 'right', 'parked': 9.0, 'free': None},
            {'verdict': 'right', 'parked': 2.0}, {'verdict': 'right'})[:2]
        names = ('Parked s, median', 'Parked s, max', 'Free s, median',
                 'Free s, max')
        self.assertEqual([2.0, 9.0, 0, 0], [
            first[name].machine_readable() for name in names])
        self.assertEqual(['2.0', '9.0', '0.0', '0.0'], [
            first[name].human_readable() for name in names])
        self.assertEqual([(None, '-')] * 4, [
            (second[name].machine_readable(), second[name].human_readable())
            for name in names])

    def test_data_by_storage(self):
        def run(storage, verdict, **data):
            return {'verdict': 'right', 'storage': storage, 'data': dict({
                'verdict': verdict, 'lost': 0, 'doubled': 0}, **data)}
        made = self.results(
            run('copied', 'kept', downtime=0.2),
            run('copied', 'lost', lost=7, downtime=0.6),
            run('network', 'doubled', doubled=5, doubled_for=1.5),
            {'verdict': 'not run', 'storage': 'network', 'data': None})
        headers, rows = table.rows(made)
        first, second = [dict(zip(headers, row, strict=True))
                         for row in rows[:2]]
        self.assertEqual(('copied', 2, 1, 0, 1, 7, 0), tuple(
            first[name] for name in (
                'Storage', 'Runs', 'Data kept', 'Data doubled', 'Data lost',
                'Records lost', 'Records doubled')))
        self.assertEqual(('0.4', '0.6', '-'), tuple(
            first[name].human_readable() for name in (
                'Downtime s, median', 'Downtime s, max', 'Doubled s, max')))
        self.assertEqual(('network', 2, 1, 1, 5), tuple(
            second[name] for name in ('Storage', 'Runs', 'Not run',
                                      'Data doubled', 'Records doubled')))
        headers, rows = table.data_rows(made)
        self.assertEqual([('copied', 'juno-eol', 2), ('network', 'juno-eol',
                                                      1)],
                         [row[:3] for row in rows])
        path = self.folder / 'page.html'
        html_page.write_html(made, path)
        page = path.read_text()
        self.assertIn('What became of the data', page)
        self.assertIn('data lost: 1', page)

    def test_no_table_of_data_where_there_is_none(self):
        made = self.results({'verdict': 'right'})
        self.assertEqual([], table.data_rows(made)[1])
        self.assertNotIn('Storage', table.rows(made)[0])


class MergeTestCase(base.TestCase):

    def test_one_stays_as_it_is(self):
        results = sample.results(1, TWO)
        self.assertEqual(results, results_file.merge([results]))

    def test_trees_faults_and_runs_come_together(self):
        one = sample.results(1, TWO, faults.FAULTS[:2])
        two = sample.results(2, sample.TREES[1:], faults.FAULTS[1:3])
        two.update(made='2026-11-24T08:00:00Z', seed='6',
                   machine=dict(two['machine'], cpus=8, kernel='6.1'))
        for run in two['runs']:
            run['seed'] = '6' + run['seed'][1:]
        merged = results_file.merge([one, two])
        self.assertEqual(list(sample.TREES), merged['trees'])
        self.assertEqual([fault.name for fault in faults.FAULTS[:3]],
                         [fault['name'] for fault in merged['faults']])
        self.assertEqual(one['runs'] + two['runs'], merged['runs'])
        self.assertEqual(
            ('2026-11-23T22:00:00Z, 2026-11-24T08:00:00Z', '6'),
            (merged['made'], merged['seed']))
        self.assertEqual({'kvm': True, 'libvirt': '9.0.0', 'qemu': '7.2.9',
                          'cpus': '2, 8', 'kernel': '6.1'},
                         merged['machine'])
        path = self.folder / 'page.html'
        html_page.write_html(merged, path)
        self.assertIn('2, 8', path.read_text())

    def test_one_run_twice(self):
        results = sample.results(1, TWO)
        exc = self.assertRaises(errors.KeeptrackError, results_file.merge,
                                [results, results])
        self.assertIn('in more than one', str(exc))

    def test_two_trees_of_one_name(self):
        one, two = sample.results(1, TWO), sample.results(1, TWO)
        two['trees'][0]['commit'] = '2' * 40
        exc = self.assertRaises(errors.KeeptrackError, results_file.merge,
                                [one, two])
        self.assertIn('two trees are called juno-eol', str(exc))
