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

from keeptrack.drill.report import results_file
from keeptrack import errors
from keeptrack.tests import base
from keeptrack.tests.unit.drill import sample


class LoadTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.path = self.folder / 'results.json'
        self.results = sample.results(1, sample.TREES[:2])

    def write(self, text=None):
        self.path.write_text(json.dumps(self.results)
                             if text is None else text)

    def assertRefused(self, *words):
        exc = self.assertRaises(errors.KeeptrackError, results_file.load,
                                self.path)
        for word in (str(self.path),) + words:
            self.assertIn(word, str(exc))
        self.assertNotIn('\n', str(exc))

    def test_results_are_read(self):
        self.write()
        self.assertEqual(self.results, results_file.load(self.path))
        self.assertEqual(self.results, results_file.load(str(self.path)))

    def test_results_of_the_first_drills(self):
        self.results['runs'][0]['verdict'] = 'two copies'
        self.write()
        self.assertEqual('split brain',
                         results_file.load(self.path)['runs'][0]['verdict'])

    def test_what_may_be_missing_may_be_null(self):
        for run in self.results['runs']:
            for key in ('why', 'broken', 'parked', 'record', 'shared'):
                run[key] = None
            del run['moment']
        self.write()
        self.assertEqual(self.results, results_file.load(self.path))

    def test_data(self):
        run = self.results['runs'][0]
        run.update(storage='copied', data={'verdict': 'lost', 'lost': 1,
                                           'doubled': 0, 'downtime': None})
        self.write()
        self.assertEqual(self.results, results_file.load(self.path))
        for key, value, word in (('verdict', 'gone', 'none of them'),
                                 ('lost', 'x', 'not a number'),
                                 ('downtime', 'x', 'not a number')):
            before, run['data'][key] = run['data'][key], value
            self.write()
            self.assertRefused("run 1's data", word)
            run['data'][key] = before
        del run['storage']
        self.write()
        self.assertRefused("'storage'")

    def test_no_file(self):
        self.assertRefused('cannot read', 'No such file')

    def test_a_folder(self):
        self.path.mkdir()
        self.assertRefused('cannot read')

    def test_no_text(self):
        self.path.write_bytes(b'\x93\xff\x00')
        self.assertRefused('no JSON')

    def test_no_json(self):
        for text in ('', 'verdict: right', '{"schema":', '[NaN]',
                     '{"schema": Infinity}'):
            self.write(text)
            self.assertRefused('is no JSON')

    def test_nested_too_deep(self):
        self.write('[' * 200000 + ']' * 200000)
        self.assertRefused('nested too deep')

    def test_other_json(self):
        for text, words in (('[]', 'it is [], not an object'),
                            ('{}', 'its schema is null'),
                            ('{"schema": "keeptrack-drill/2"}',
                             'keeptrack-drill/2')):
            self.write(text)
            self.assertRefused('no results of drills', words)

    def test_what_every_file_has(self):
        for key in ('made', 'machine', 'trees', 'faults', 'runs'):
            results = dict(self.results)
            del results[key]
            self.write(json.dumps(results))
            self.assertRefused("it has no '%s'" % key)
            results[key] = 7
            self.write(json.dumps(results))
            self.assertRefused("it's %s is 7" % key)

    def test_a_tree_twice(self):
        self.results['trees'] *= 2
        self.write()
        self.assertRefused('trees holds "juno-eol" twice')

    def test_a_run_that_does_not_belong(self):
        for key, value in (('tree', 'kilo'), ('fault', 'flood'),
                           ('verdict', 'fine')):
            run = dict(self.results['runs'][3], **{key: value})
            self.results['runs'][3] = run
            self.write()
            self.assertRefused('run 4 has the %s "%s"' % (key, value))
            self.results['runs'][3] = self.results['runs'][2]

    def test_values_of_another_kind(self):
        for key, value, words in (
                ('parked', '3', 'a number'), ('free', True, 'a number'),
                ('broken', 'I1', 'a list'), ('truth', [], 'an object'),
                ('shared', 1, 'true or false'), ('why', 3, 'text'),
                ('struck', '1', 'a number'), ('suspended', '1', 'a number'),
                ('leftover', 1, 'text'), ('seed', [5], 'text')):
            run = self.results['runs'][0]
            kept, run[key] = run.get(key), value
            self.write()
            self.assertRefused("run 1's %s is" % key, 'not ' + words)
            run[key] = kept

    def test_an_event_that_is_none(self):
        events = self.results['runs'][1]['timeline']
        kept = events[2]
        for event, words in (
                ('up', 'run 2, event 3 is "up"'),
                (dict(kept, t='0'), "run 2, event 3's t is"),
                (dict(kept, lane=None), "run 2, event 3's lane is null"),
                (dict(kept, data=[]), "run 2, event 3's data is"),
                (dict(kept, text=None), "run 2, event 3's text is null"),
                ({'t': 1}, "run 2, event 3 has no 'where'")):
            events[2] = event
            self.write()
            self.assertRefused(words)

    def test_a_number_without_end(self):
        self.results['runs'][0]['timeline'][0]['t'] = 17
        self.write(json.dumps(self.results).replace('"t": 17', '"t": 1e999'))
        self.assertRefused('is no finite number')

    def test_numbers_that_nothing_can_reckon_with(self):
        self.results['runs'][0]['parked'] = 10 ** 400
        self.write()
        self.assertRefused("run 1's parked is no finite number")

    def test_a_number_without_end_in_what_is_only_passed_on(self):
        self.results['runs'][0]['timeline'][0]['data'] = {'x': 171717}
        self.write(json.dumps(self.results).replace('171717', '1e999'))
        self.assertRefused('1e999 is no finite number')

    def test_what_a_report_and_a_merge_rely_on(self):
        for holder, key, value, words in (
                (self.results, 'seed', [1], 'its seed is [1]'),
                (self.results['machine'], 'cpus', [2], "machine's cpus is"),
                (self.results['faults'][0], 'title', 3, "title is 3"),
                (self.results['runs'][0]['timeline'][0], 'data',
                 {'calls': 'x'}, "event 1's data's calls is")):
            kept = holder.get(key)
            holder[key] = value
            self.write()
            self.assertRefused(words)
            holder[key] = kept

    def test_long_values_are_cut(self):
        self.results['runs'][0]['fault'] = 'x' * 5000
        self.write()
        exc = self.assertRaises(errors.KeeptrackError, results_file.load,
                                self.path)
        self.assertLess(len(str(exc)), 300 + len(str(self.path)))
