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
import sys
from unittest import mock

from keeptrack.drill import faults
from keeptrack.drill import generator
from keeptrack.drill import history
from keeptrack.drill import nemesis
from keeptrack.drill.recorders import instance_record
from keeptrack.drill.recorders import serial_port
from keeptrack.drill.runner import run
from keeptrack.drill.testbed import storage
from keeptrack import errors
from keeptrack.tests import base
from keeptrack.tests.unit.drill import own_time

INSTANCE = {'host': 'source', 'vm_state': 'active', 'task_state': None,
            'power_state': 'running', 'fault': None}


class FakeLibvirtd:

    on_change = None
    pid = 1
    state = 'up'

    def __init__(self, did):
        for name in ('kill', 'start', 'stall', 'resume'):
            setattr(self, name, lambda name=name: did.append(name))

    def wait_ready(self, timeout):
        """It answers at once."""


class FakeTestbed:

    def __init__(self, did):
        self.did = did
        self.hosts = {role: mock.Mock(libvirtd=FakeLibvirtd(did))
                      for role in ('source', 'destination')}
        self.network = mock.Mock()

    def reset(self):
        self.did.append('reset')


class FakeComputes:
    """Moves the guest, as told by a script of what happens when.

    :param script: list of tuples: seconds, what to do with the world
    """

    def __init__(self, clock, did, script):
        self.clock = clock
        self.did = did
        self.options = None
        self._script = script
        self._record = dict(INSTANCE)
        self.run = None
        self.fails = False

    def prepare(self, options):
        if self.fails:
            raise errors.KeeptrackError('no database')
        self.options = options

    def start(self, role):
        self.tell(role, 'compute', 'initialized')

    def kill(self, role):
        self.did.append('end ' + role)

    def libvirt(self, role, modes):
        self.did.append(modes)

    def record(self):
        return dict(self._record)

    def services(self):
        """The services hold all for where the record has it."""
        return {'active port': [self._record['host']]}

    def migrate(self):
        self.clock.Thread(self._play).start()

    def _play(self):
        began = self.clock.time()
        for when, act in self._script:
            self.clock.sleep(began + when - self.clock.time())
            act(self)

    def tell(self, where, lane, what, **data):
        self.run.on_event({'t': self.clock.time(), 'where': where,
                           'lane': lane, 'what': what, 'text': what,
                           'data': data})

    def set(self, **fields):
        self._record.update(fields)


def tell(*args):
    return lambda computes: computes.tell(*args)


def record(**fields):
    return lambda computes: computes.set(**fields)


MOVES = [
    (0, record(task_state='migrating')),
    (0.05, tell('destination', 'guest', 'incoming')),
    (0.1, tell('source', 'job', 'active')),
    (0.2, tell('source', 'guest', 'paused')),
    (0.21, tell('destination', 'guest', 'running')),
    (0.25, tell('source', 'guest', 'absent')),
    (0.3, tell('source', 'migrate', 'end')),
    (0.3, tell('source', 'callback', 'post')),
    (0.4, record(host='destination', task_state=None)),
]


class RunTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.did = []
        self.clock = own_time.OwnTime()
        for module in (run, nemesis, history, instance_record):
            self.patch(module, 'time', self.clock)
        for module in (history, instance_record):
            self.patch(module, 'threading', self.clock)
        self.patch(run.Run, 'times', run.Times(
            quiet=0.1, settles=1, decides=0.5, recovers=1, begins=0.5))
        self.patch(instance_record, 'POLL', 0.01)
        self.patch(run.guest_mod.Guest, 'boot', lambda *a, **k: None)
        self.patch(run.guest_state, 'Watcher', self.watcher)

    def patch(self, where, name, value):
        patcher = mock.patch.object(where, name, value)
        patcher.start()
        self.addCleanup(patcher.stop)

    def watcher(self, testbed, guest, on_change, on_job):
        on_change(self.clock.time(), 'source', 'running', 'QEMU is running')
        return mock.Mock()

    def go(self, name, script, moment='before', lasts=faults.NEVER,
           parks=True, fails=False):
        draw = generator.Draw(faults.BY_NAME[name], 'seed', moment, 0.01,
                              lasts, False, False)
        self.computes = FakeComputes(self.clock, self.did, script)
        self.computes.fails = fails
        made = run.Run(FakeTestbed(self.did), self.computes, draw, parks)
        self.computes.run = made
        return made.go()

    def order(self, found, *whats):
        """Where these stand in the time line."""
        told = [event['what'] for event in found['timeline']]
        return [told.index(what) for what in whats]

    def test_a_migration(self):
        found = self.go('none', MOVES)
        self.assertEqual(('right', []), (found['verdict'], found['broken']))
        self.assertEqual({'source': 'absent', 'destination': 'running'},
                         found['truth'])
        self.assertEqual('destination', found['record']['host'])
        self.assertEqual(['end source', 'end destination', 'end conductor'],
                         self.did[-3:])

    def test_a_fault_comes_at_its_moment_and_ends(self):
        found = self.go('source-libvirtd-restarted', MOVES, 'after', 0.05)
        self.assertEqual(['reset', 'kill', 'start'], self.did[:3])
        places = self.order(found, 'incoming', 'paused', 'injected', 'healed')
        self.assertEqual(sorted(places), places)
        self.assertIsNone(found['free'])
        self.assertIsNotNone(found['struck'])

    def test_a_fault_that_lasts_is_taken_away_once_nova_has_decided(self):
        found = self.go('source-libvirtd-killed', MOVES, 'end',
                        faults.SETTLED)
        places = self.order(found, 'post', 'injected', 'healed')
        self.assertEqual(sorted(places), places)
        self.assertEqual('right', found['verdict'])

    def test_a_moment_that_does_not_come(self):
        found = self.go('source-libvirtd-killed', MOVES[:1], 'after')
        self.assertEqual(('not run', None),
                         (found['verdict'], found['struck']))
        self.assertIn('did not come', found['why'])
        self.assertNotIn('kill', self.did)

    def test_a_fault_that_hits_nothing(self):
        self.patch(nemesis.Nemesis, 'kill_qemu', lambda nemesis, role: setattr(
            nemesis, 'missed', 'there was none'))
        found = self.go('source-qemu-killed', MOVES, 'copy')
        self.assertEqual(('not run', None),
                         (found['verdict'], found['struck']))
        self.assertIn('there was none', found['why'])

    def test_what_the_end_of_a_fault_brings_about_is_seen(self):
        def kill(role):
            self.computes.tell(role, 'compute', 'gone')

        def start(role):
            self.computes.tell(role, 'compute', 'up')
            later = self.clock.Timer(0.3, lambda: (
                self.computes.tell(role, 'compute', 'initialized'),
                self.computes.set(vm_state='error')))
            later.start()

        def play(computes):
            computes.kill, computes.start = kill, start
        found = self.go('source-compute-killed', MOVES + [(0.4, play)],
                        'end', 0.8)
        self.assertEqual('wrong', found['verdict'], found['why'])

    def test_a_record_that_cannot_be_read(self):
        found = self.go('none', MOVES[:5] + [(0.25, lambda computes: (
            computes._record.clear()))] + MOVES[5:])
        self.assertEqual('not run', found['verdict'])
        self.assertIn('record', found['why'])

    def test_a_migration_that_is_refused_is_no_run_without_a_fault(self):
        found = self.go('none', [
            (0, record(task_state='migrating')),
            (0.1, tell('source', 'call', 'raise')),
            (0.2, record(task_state=None))])
        self.assertEqual('not run', found['verdict'])
        self.assertIn('never asked', found['why'])

    def test_a_migration_that_has_not_begun_is_not_over(self):
        found = self.go('none', [(0.5, tell('source', 'callback', 'post'))])
        self.assertGreater(found['seconds'], 0.9)

    def test_what_is_prepared_comes_first(self):
        self.go('error-after-success', MOVES)
        self.assertEqual(['reset', ['error-after-success']], self.did[:2])

    def test_parked_and_freed(self):
        parked = MOVES[:-1] + [
            (0.4, record(vm_state='error', fault='why')),
            (0.6, record(vm_state='active', task_state=None,
                         host='destination'))]
        found = self.go('none', parked)
        self.assertEqual('right', found['verdict'])
        self.assertEqual(0.2, found['parked'])

    def test_the_destination_is_cleaned_up_after_the_fault(self):
        stays = MOVES[:3] + [
            (0.1, tell('source', 'callback', 'recover')),
            (0.2, record(task_state=None, migration='reverted')),
            (0.2, tell('destination', 'guest', 'absent'))]
        late = [(0.9, record(migration='failed'))]
        found = self.go('network-cut', stays + late, 'copy', faults.SETTLED)
        self.assertEqual(('right', None, 'failed'), (
            found['verdict'], found['leftover'],
            found['record']['migration']))
        healed, = self.order(found, 'healed')
        self.assertLess(found['timeline'][healed]['t'], 0.9)
        found = self.go('network-cut', stays, 'copy', faults.SETTLED)
        self.assertEqual('the migration is reverted', found['leftover'])

    def test_a_late_power_sync_is_waited_for(self):
        dies = MOVES[:-1] + [
            (0.25, tell('destination', 'guest', 'absent')),
            (0.4, record(host='destination', task_state=None,
                         power_state='shutdown'))]
        found = self.go('destination-qemu-killed', dies + [
            (0.9, record(vm_state='stopped'))])
        self.assertEqual('right', found['verdict'], found)
        found = self.go('destination-qemu-killed', dies)
        self.assertEqual('wrong', found['verdict'])

    def test_a_guest_that_is_being_started_is_waited_for(self):
        starts = MOVES[:-1] + [
            (0.4, record(host='destination', task_state=None)),
            (0.45, tell('destination', 'guest', 'paused'))]
        found = self.go('none', starts + [
            (0.9, tell('destination', 'guest', 'running'))])
        self.assertEqual('right', found['verdict'], found)
        found = self.go('none', starts)
        self.assertEqual('the guest is paused', found['leftover'])

    def test_what_another_tree_calls_so_is_not_parked(self):
        parked = MOVES[:-1] + [(0.4, record(vm_state='error', fault='why'))]
        found = self.go('none', parked, parks=False)
        self.assertEqual(('lost', None), (found['verdict'], found['parked']))

    def with_disk(self, lines, disks):
        """Have the guest write these lines, and the disks hold that."""
        told = storage.NovaSettings(instances={}, disk={'device': 'hda'})
        kind = mock.Mock(writes=True, shared=False, one_disk=False)
        kind.name = 'copied'
        kind.nova_settings.return_value = told
        kind.disks.return_value = disks
        kind.prepare.return_value = '<disk/>'
        recorder = mock.Mock(failure=None)
        recorder.lines.return_value = lines
        self.patch(run.storage_mod, 'KINDS', {'none': lambda testbed: kind})
        self.patch(run.serial_port, 'Recorder', lambda paths: recorder)
        self.patch(run.writing_guest, 'firmware', lambda: b'')
        return kind, recorder

    def test_data_is_checked(self):
        lines = [serial_port.Line(0, 'source', 'a', number, number)
                 for number in range(3)]
        kind, recorder = self.with_disk(
            lines, {'source': None, 'destination': {0: 0, 1: 1}})
        with mock.patch.object(FakeComputes, 'logs', 'logs', create=True), \
                mock.patch.object(sys.modules[__name__], 'FakeTestbed',
                                  self.fake_testbed_class()):
            found = self.go('none', MOVES)
        # Nova's record is right, and a record is missing all the same
        self.assertEqual(('right', 'lost', 1, 'copied', False), (
            found['verdict'], found['data']['verdict'],
            found['data']['lost'], found['storage'], found['shared']))
        self.assertEqual('raw', self.computes.options['config']['libvirt'][
            'images_type'])
        self.assertEqual({'device': 'hda'}, self.computes.options['disk'])
        recorder.keep.assert_called_once_with('logs')
        kind.close.assert_called_once_with()

    def fake_testbed_class(self):
        folder = self.folder

        class TestbedWithFolders(FakeTestbed):

            def __init__(self, did):
                super().__init__(did)
                for role, host in self.hosts.items():
                    host.folder = folder / role
                    (host.folder / 'run' / 'keeptrack').mkdir(parents=True)
        return TestbedWithFolders

    def test_a_guest_that_does_not_write(self):
        _kind, recorder = self.with_disk([], {})
        recorder.wait.return_value = False
        with mock.patch.object(sys.modules[__name__], 'FakeTestbed',
                               self.fake_testbed_class()):
            found = self.go('none', MOVES)
        self.assertEqual(('not run', None), (found['verdict'],
                                             found['data']))
        self.assertIn('does not write', found['why'])

    def test_a_run_that_cannot_be_made(self):
        found = self.go('none', MOVES, fails=True)
        self.assertEqual(('not run', 'no database'),
                         (found['verdict'], found['why']))

    def test_a_fault_has_options_of_its_own(self):
        self.go('source-compute-restarted', MOVES, 'copy', 0.1)
        self.assertEqual(1, self.computes.options['config']['libvirt'][
            'live_migration_bandwidth'])
        self.go('none', MOVES)
        self.assertEqual(2, self.computes.options['config']['libvirt'][
            'live_migration_bandwidth'])

    def test_a_paused_guest_is_recorded_as_paused(self):
        def watcher(testbed, guest, on_change, on_job):
            on_change(self.clock.time(), 'source', 'paused',
                      'QEMU is paused')
            return mock.Mock()
        self.patch(run.guest_state, 'Watcher', watcher)
        self.go('paused-guest', MOVES)
        self.assertEqual(('paused', 'paused'), (
            self.computes.options['vm_state'],
            self.computes.options['power_state']))
