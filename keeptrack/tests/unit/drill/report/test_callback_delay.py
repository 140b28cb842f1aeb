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
from keeptrack.drill.report import callback_delay
from keeptrack.tests import base


def run(tree, running, ended, told, callback='post', calls=(10, 40)):
    events = [('source', 'migrate', 'begin', 0, {'calls': calls[0]}),
              ('destination', 'guest', 'running', running, {}),
              ('source', 'migrate', 'end', ended, {}),
              ('source', 'callback', callback, told, {'calls': calls[1]})]
    return {'tree': tree, 'timeline': [
        {'where': where, 'lane': lane, 'what': what, 't': when, 'data': data,
         'text': ''} for where, lane, what, when, data in events
        if when is not None]}


class LagTestCase(base.TestCase):

    def rows(self, *runs):
        return callback_delay.rows({
            'trees': [{'name': 'ours'}, {'name': 'stock'}],
            'runs': list(runs)})[1]

    def test_medians_and_ratios(self):
        rows = self.rows(run('ours', 0.0, 1.8, 1.801),
                         run('ours', 0.0, 1.8, 1.802),
                         run('ours', 0.0, 1.8, 1.803),
                         run('stock', 0.0, 2.0, 2.004))
        self.assertEqual(['ours', 'stock'], [row[0] for row in rows])
        self.assertEqual((3, 1802.0, 0.9, 2.0, 3.0, 0.5), rows[0][2:8])
        self.assertEqual((1, 2004.0, 1.0, 4.0, 4.0, 1.0), rows[1][2:8])

    def test_calls_a_minute(self):
        row, = self.rows(run('ours', 0.0, 1.9, 2.0, calls=(10, 40)))
        self.assertEqual(900, row[8])

    def test_a_callback_at_once(self):
        row, = self.rows(run('ours', 0.0, 0.0, 0.0))
        self.assertIsNone(row[8])

    def test_every_column_has_a_name_of_its_own(self):
        self.assertEqual(
            len(callback_delay.HEADERS), len(set(callback_delay.HEADERS)))

    def test_results_of_no_tree(self):
        self.assertEqual((callback_delay.HEADERS, []),
                         callback_delay.rows({'trees': [], 'runs': []}))

    def test_callbacks_are_told_apart(self):
        rows = self.rows(run('ours', 0.0, 1.8, 1.9, 'recover'),
                         run('ours', 0.0, 1.8, 1.9))
        self.assertEqual(['post', 'recover'], [row[1] for row in rows])

    def test_a_guest_that_has_not_run_there(self):
        row, = self.rows(run('ours', None, 1.8, 1.9, 'recover'))
        self.assertIsNone(row[3])
        self.assertEqual(100, row[5])

    def test_a_run_without_a_callback_is_left_out(self):
        self.assertEqual([], self.rows(run('ours', 0.0, 1.8, None)))
