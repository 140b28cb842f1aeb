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
import types
from unittest import mock

from keeptrack.drill import faults
from keeptrack.drill import generator
from keeptrack.drill import history
from keeptrack.drill.recorders import instance_record
from keeptrack.drill.recorders import serial_port
from keeptrack.drill.runner import cloud_run
from keeptrack.drill.runner import run
from keeptrack.drill.testbed.cloud import api
from keeptrack.tests import base
from keeptrack.tests.unit.drill import own_time

ACTIVE = {'host': 'source', 'node': 'source', 'vm_state': 'active',
          'task_state': None, 'power_state': 'running', 'fault': None,
          'migration': None}
HELD = {'active port': ['destination'], 'port bindings': ['destination'],
        'allocations': ['destination']}


class FakeServer:
    """A server that migrates by a script of what happens when.

    :param script: list of tuples: seconds, the record's new fields (dict) or
        an event (role, lane, what)
    """

    storage = 'copied'
    one_disk = False

    def __init__(self, clock, script):
        self.clock = clock
        self.uuid = 'u'
        self.name = 'g'
        self.now = dict(ACTIVE)
        self.held = HELD
        self.history = None
        self.refuses = ()
        self._script = script

    def boot(self, source):
        """It is there."""

    def serial_paths(self):
        return {}

    def record(self):
        return dict(self.now)

    def services(self):
        return self.held

    def disks(self):
        return {'source': None, 'destination': {1: 5}}

    def migrate(self):
        self.clock.Thread(self._play).start()

    def _play(self):
        began = self.clock.time()
        for when, what in self._script:
            self.clock.sleep(began + when - self.clock.time())
            if isinstance(what, dict):
                self.now.update(what)
            else:
                self.history.note(*what, '')

    def delete(self):
        if 'delete' in self.refuses:
            raise api.Refused(409, 'in doubt')
        self.now = dict(ACTIVE, host=None, node=None, vm_state='deleted')

    def remove(self):
        return ['a disk']


MOVES = [(0, {'task_state': 'migrating', 'migration': 'running'}),
         (0.1, ('source', 'job', 'active')),
         (0.15, ('source', 'guest', 'paused')),
         (0.2, ('destination', 'guest', 'running')),
         (0.25, ('source', 'guest', 'absent')),
         (0.4, dict(ACTIVE, host='destination', migration='completed'))]


class CloudRunTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.clock = own_time.OwnTime()
        for module in (run, history, instance_record, cloud_run):
            self.patch(module, 'time', self.clock)
        for module in (history, instance_record):
            self.patch(module, 'threading', self.clock)
        self.patch(instance_record, 'POLL', 0.01)
        self.patch(cloud_run.CloudRun, 'times', run.Times(
            quiet=0.2, settles=2, decides=0.5, recovers=1, begins=0.5))
        recorder = mock.Mock(failure=None)
        recorder.lines.return_value = [serial_port.Line(
            self.clock.time(), 'source', 'a', 1, 5)]
        self.patch(run.serial_port, 'Recorder', lambda paths: recorder)
        self.patch(run.guest_state, 'Watcher', self.watcher)
        self.testbed = mock.MagicMock(hosts={
            role: mock.Mock(libvirtd=mock.Mock(state='up'))
            for role in history.ROLES})

    def patch(self, where, name, value):
        patcher = mock.patch.object(where, name, value)
        patcher.start()
        self.addCleanup(patcher.stop)

    def watcher(self, testbed, guest, on_change, on_job):
        on_change(self.clock.time(), 'source', 'running', 'QEMU is running')
        return mock.Mock()

    def go(self, name, script, moment='before', lasts=faults.NEVER, **more):
        self.server = FakeServer(self.clock, script)
        vars(self.server).update(more)
        self.patch(cloud_run.cloud_testbed, 'SERVERS', dict.fromkeys(
            ('copied', 'volume'), lambda testbed: self.server))
        draw = generator.Draw(faults.BY_NAME_OF_CLOUD[name], 'seed', moment,
                              0.01, lasts, False, False)
        made = cloud_run.CloudRun(self.testbed, draw, True,
                                  self.server.storage)
        self.server.history = made._history
        return made.go()

    def test_a_migration(self):
        found = self.go('none', MOVES)
        self.assertEqual(('right', {}, ['a disk'], 'kept', 'copied'), (
            found['verdict'], found['parts'], found['left_behind'],
            (found['data'] or {}).get('verdict'), found['storage']),
            found['why'])

    def test_a_service_that_holds_it_for_another_host(self):
        found = self.go('none', MOVES, held=dict(
            HELD, allocations=['destination', 'source']))
        self.assertEqual(['allocation'], list(found['parts']))
        self.assertIn('allocations', found['leftover'])

    def test_a_volume(self):
        held = dict(HELD, **{'volume attachments': ['destination', 'source'],
                             'block device mapping': ['destination']})
        found = self.go('none', MOVES, held=held, storage='volume',
                        one_disk=True)
        self.assertEqual((['attachment'], 'volume', 'volume'), (
            list(found['parts']), found['storage'], self.server.storage))

    def test_a_deleted_server(self):
        stays = MOVES[:2] + [(0.3, ('source', 'guest', 'absent'))]
        found = self.go('deleted', stays, 'copy', held={
            'active port': [], 'port bindings': [], 'allocations': []})
        self.assertEqual(('right', 'deleted'),
                         (found['verdict'], found['record']['vm_state']))
        self.assertEqual(({}, None), (found['parts'], found['data']))

    def test_what_a_user_is_refused(self):
        found = self.go('deleted', MOVES, 'copy', refuses=('delete',))
        self.assertEqual(['delete is refused: in doubt'], [
            event['text'] for event in found['timeline']
            if event['what'] == 'refused'])

    def test_a_service_that_is_killed_is_started_again(self):
        self.testbed.cloud.databases.answers.return_value = True
        found = self.go('database-killed', MOVES, 'after', 0.1)
        self.testbed.cloud.kill.assert_called_once_with('mariadb')
        self.testbed.cloud.start.assert_called_once_with('mariadb')
        self.assertEqual('right', found['verdict'], found['why'])

    def test_the_end_is_the_end_of_the_source(self):
        found = self.go('network-cut-briefly', MOVES, 'end', 0.1)
        self.testbed.network.cut.assert_called_once_with()
        whats = [event['what'] for event in found['timeline']]
        self.assertLess(whats.index('absent'), whats.index('injected'))


class CloudBenchTestCase(base.TestCase):

    def test_the_other_nova_and_its_logs(self):
        log = self.folder / 'nova-compute-host1.log'
        log.write_text('before\n')
        cloud = mock.Mock(nova='stock')
        bench = cloud_run.CloudBench(
            cloud, types.SimpleNamespace(log=self.folder), lambda line: None)
        tree = mock.Mock(path=self.folder / 'nova-patched', series=True)
        with contextlib.ExitStack() as stack:
            made = stack.enter_context(
                mock.patch.object(cloud_run, 'CloudRun'))
            stack.enter_context(mock.patch.object(
                cloud_run.cloud_testbed, 'CloudTestbed'))
            made.return_value.go.side_effect = lambda: log.write_text(
                'before\nafter\n')
            draw = mock.Mock()
            bench.run(tree, draw, 'volume')
            made.assert_called_once_with(mock.ANY, draw, True, 'volume',
                                         False)
        cloud.change_nova.assert_called_once_with('patched')
        bench.keep_logs(self.folder / 'kept')
        self.assertEqual('after\n', (self.folder / 'kept' / log.name)
                         .read_text())
