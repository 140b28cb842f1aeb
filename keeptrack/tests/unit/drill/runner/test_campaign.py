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
import itertools
import json
import subprocess
from unittest import mock

from keeptrack.drill import drilled_trees
from keeptrack.drill import faults
from keeptrack.drill import generator
from keeptrack.drill.runner import campaign
from keeptrack import errors
from keeptrack.tests import base

MACHINE = campaign.machine


class FakeTestbed:

    started = []
    broken = False

    def __init__(self, folder, number):
        self.number = number

    def start(self):
        if self.broken:
            raise errors.KeeptrackError('no namespaces here')
        self.started.append(self.number)

    def stop(self):
        if self.number in self.started:
            self.started.remove(self.number)


class FakeComputes:

    open_now = 0
    fail = 0

    def __init__(self, runtime, folder, testbed, on_event):
        self._folder = folder
        self._runs = 0

    @property
    def logs(self):
        return self._folder / str(self._runs) if self._runs else None

    def prepare(self):
        self._runs += 1
        self.logs.mkdir(parents=True)
        (self.logs / 'source.log').write_text('what nova-compute said')

    def open(self):
        FakeComputes.open_now += 1
        if FakeComputes.fail:
            FakeComputes.fail -= 1
            raise errors.KeeptrackError('Nova cannot be imported')

    def close(self):
        FakeComputes.open_now -= 1


class FakeRun:

    verdicts = {}
    data = {}
    missed = False
    # faults whose runs fail before the computes are prepared
    early = ()

    def __init__(self, testbed, computes, draw, parks, storage):
        self._storage = storage
        self._computes = computes
        self._draw = draw
        self._parks = parks

    def go(self):
        if self._draw.fault.name not in self.early:
            self._computes.prepare()
        wanted = self.verdicts.get(self._draw.fault.name, 'right')
        return {'fault': self._draw.fault.name, 'seed': self._draw.seed,
                'moment': self._draw.moment, 'delay': self._draw.delay,
                'verdict': wanted, 'why': 'because', 'parks': self._parks,
                'missed': self.missed, 'storage': self._storage,
                'data': self.data.get(self._storage)}


class CampaignTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.lines = []
        self.output = self.folder / 'output'
        self.output.mkdir()
        FakeTestbed.started = []
        for name, fake in (('testbed_mod.Testbed', FakeTestbed),
                           ('nova_computes_mod.NovaComputes', FakeComputes),
                           ('run_mod.Run', FakeRun)):
            patcher = mock.patch(
                'keeptrack.drill.runner.campaign.' + name, fake)
            patcher.start()
            self.addCleanup(patcher.stop)
        for target, name, value in (
                (FakeTestbed, 'broken', False), (FakeRun, 'verdicts', {}),
                (FakeRun, 'early', ()), (FakeComputes, 'open_now', 0),
                (campaign, 'machine', lambda: {'cpus': 2})):
            patcher = mock.patch.object(target, name, value)
            patcher.start()
            self.addCleanup(patcher.stop)

    def run_campaign(self, names=('none', 'network-cut'), runs=2, testbeds=2,
                     storages=('none',), **kwargs):
        found = [drilled_trees.DrilledTree(
            name, self.folder, '1', None, series, 'd', None)
            for name, series in (('ours', True), ('stock', False))]
        plan = generator.Plan(found, [faults.BY_NAME[name] for name in names],
                              runs, 's', testbeds, storages)
        return campaign.Campaign(plan, self.output, self.lines.append,
                                 **kwargs).run()

    def test_every_storage_with_the_same_chance(self):
        data = {'verdict': 'lost', 'why': '3 records', 'lost': 3,
                'doubled': 0}
        with mock.patch.object(FakeRun, 'data', {'copied': data}):
            results = self.run_campaign(['none'], 1,
                                        storages=('shared', 'copied'))
        self.assertEqual(['shared', 'copied'], results['storages'])
        self.assertEqual(
            [('copied', 's/none/0'), ('shared', 's/none/0')] * 2,
            [(run['storage'], run['seed']) for run in results['runs']])
        # what has lost data is worth its logs
        self.assertEqual(
            ['ours-none-copied-0', 'stock-none-copied-0'],
            sorted(path.name for path in (self.output / 'logs').iterdir()))
        self.assertIn('data on copied: LOST (3 records)',
                      ' '.join(self.lines))

    def test_every_fault_on_every_tree_with_the_same_chance(self):
        results = self.run_campaign()
        runs = results['runs']
        self.assertEqual(8, len(runs))
        for tree in ('ours', 'stock'):
            self.assertEqual(
                [('network-cut', 's/network-cut/0'),
                 ('network-cut', 's/network-cut/1'),
                 ('none', 's/none/0'), ('none', 's/none/1')],
                [(run['fault'], run['seed']) for run in runs
                 if run['tree'] == tree])
        self.assertEqual({True}, {run['parks'] for run in runs
                                  if run['tree'] == 'ours'})
        self.assertEqual(8, len(self.lines))
        self.assertEqual(results['runs'], json.loads(
            (self.output / 'results.json').read_text())['runs'])

    def test_testbeds_and_computes_are_taken_down(self):
        self.run_campaign()
        self.assertEqual(([], 0), (FakeTestbed.started, FakeComputes.open_now))

    def test_logs_of_what_came_out_wrong_are_kept(self):
        FakeRun.verdicts = {'none': 'lost'}
        self.run_campaign(runs=1)
        self.assertEqual(
            ['ours-none-0', 'stock-none-0'],
            sorted(path.name for path in (self.output / 'logs').iterdir()))

    def test_all_logs_are_kept_if_asked_for(self):
        self.run_campaign(runs=1, keep_logs=True)
        self.assertEqual(4, len(list((self.output / 'logs').iterdir())))

    def test_a_run_that_fails_early_has_no_logs(self):
        FakeRun.verdicts, FakeRun.early = {'none': 'not run'}, ('none',)
        # of a testbed that is new, and of one that has run something
        for names in (('none', 'network-cut'), ('network-cut', 'none')):
            self.assertEqual(4, len(self.run_campaign(
                names, runs=1, testbeds=1)['runs']))
            self.assertFalse((self.output / 'logs').exists())

    def test_a_testbed_that_works_in_between_is_borne(self):
        opens = itertools.cycle([None, errors.KeeptrackError('x')])
        with mock.patch.object(FakeComputes, 'open', mock.Mock(
                side_effect=opens)):
            self.assertEqual(8, len(self.run_campaign(testbeds=1)['runs']))

    def test_nothing_is_stored_of_no_run(self):
        FakeTestbed.broken = True
        self.assertRaises(errors.KeeptrackError, self.run_campaign)
        self.assertEqual([], list(self.output.iterdir()))

    def test_a_run_that_could_not_begin_is_made_later(self):
        FakeComputes.fail = 1
        self.assertEqual(8, len(self.run_campaign()['runs']))

    def test_what_was_run_is_stored_when_something_breaks(self):
        broken = mock.Mock(side_effect=[OSError('no room'), OSError()])
        go = FakeRun.go
        with mock.patch.object(FakeRun, 'go', lambda run: (
                go(run) if run._draw.fault.name == 'none' else broken())):
            self.assertRaises(OSError, self.run_campaign)
        self.assertIn('runs', json.loads(
            (self.output / 'results.json').read_text()))

    def test_no_testbed_comes_up(self):
        FakeTestbed.broken = True
        self.assertIn('no namespaces', str(self.assertRaises(
            errors.KeeptrackError, self.run_campaign)))

    def test_a_machine_that_does_not_tell(self):
        for exc in (FileNotFoundError('libvirtd'),
                    subprocess.CalledProcessError(1, 'libvirtd')):
            with mock.patch('subprocess.run', side_effect=exc):
                self.assertIsNone(MACHINE()['libvirt'])

    def test_faults_that_come_too_late_do_not(self):
        FakeRun.verdicts = {'none': 'not run', 'network-cut': 'not run'}
        with mock.patch.object(FakeRun, 'missed', True):
            self.assertEqual(36, len(self.run_campaign(runs=9)['runs']))

    def test_runs_that_do_not_run_end_it(self):
        FakeRun.verdicts = {'none': 'not run', 'network-cut': 'not run'}
        self.assertRaises(errors.KeeptrackError, self.run_campaign, runs=9)
        self.assertEqual(([], 0), (FakeTestbed.started, FakeComputes.open_now))
