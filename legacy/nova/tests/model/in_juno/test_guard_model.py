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

"""The real guard and monitor against a model of libvirt, step by step.

Hypothesis chooses what happens; after every step the invariants hold:

I1  A host is torn down only where the guest was seen not to run.
I2  With no task, the database names the host on which the guest runs.
I3  Whatever a user may do never makes a second copy.
I4  Once the faults are over, every instance is free, or parked with a reason
    that only a human can resolve.
"""

import os
import unittest

import eventlet
from eventlet import event
from hypothesis import Phase
from hypothesis import settings
from hypothesis import stateful
from hypothesis import strategies
import mock

from nova.compute import guest_location as where
from nova.compute import migration_attempt
from nova.compute import migration_guard
from nova.compute import migration_keeper
from nova.compute import migration_notice
from nova.compute import migration_record
from nova.compute import migration_settlement
from nova import objects
from nova.tests.model import libvirt_model as model
from nova.tests.unit.compute import guard_fakes as fakes
from nova.tests.unit.compute import guard_manager
from nova.virt.libvirt import migration_monitor

EXAMPLES = int(os.environ.get('KEEPTRACK_EXAMPLES', 800))

_GRAVES = []

OUTCOMES = strategies.sampled_from(['succeeds', 'succeeds', 'fails',
                                    'is lost'])


def run_threads():
    """Let every green thread that can run do so."""
    for _ in range(10):
        eventlet.sleep(0)


class ModelClock(object):
    """A module time whose sleepers wait until the model lets time pass."""

    def __init__(self):
        self.now = 1000.0
        self._sleepers = []

    def time(self):
        return self.now

    def sleep(self, seconds):
        wakes = event.Event()
        self._sleepers.append((self.now + seconds, wakes))
        wakes.wait()

    def pass_time(self, seconds):
        ends = self.now + seconds
        while True:
            due = sorted((at, number) for number, (at, _)
                         in enumerate(self._sleepers) if at <= ends)
            if not due:
                break
            at, number = due[0]
            wakes = self._sleepers.pop(number)[1]
            self.now = max(self.now, at)
            wakes.send()
            run_threads()
        self.now = ends

    def forget_sleepers(self):
        """Their process has ended."""
        sleepers, self._sleepers = self._sleepers, []
        return sleepers


class ModelWorld(fakes.World):
    """Sightings as the model's two hosts would give them."""

    def __init__(self, hosts):
        super(ModelWorld, self).__init__()
        self.hosts = hosts
        self.rpc_works = True
        self.may_connect = True
        # What happens between two looks, or a look and the deed
        self.surprises = []
        self.surprised = False
        self.seen = {}

    def host(self, name):
        return (self.hosts.source if name == fakes.SOURCE
                else self.hosts.destination)

    def reaches(self, name):
        return name == fakes.SOURCE or (self.hosts.link and self.may_connect)

    def sighting(self, name):
        sighting = self._sighting(name)
        self.seen[name] = sighting.presence
        if self.surprises:
            self.surprised = True
            self.surprises.pop(0)()
        return sighting

    def _sighting(self, name):
        host = self.host(name)
        if not self.reaches(name) or host.daemon != model.UP:
            return where.Sighting(where.UNKNOWN, 'no answer')
        presence = {model.SHELL: where.PAUSED}.get(host.copy, host.copy)
        return where.Sighting(
            presence, 'libvirt',
            moving=(name == fakes.SOURCE and self.hosts.has_job and
                    host.copy != model.ABSENT),
            diverged=name != fakes.SOURCE and host.copy == model.PAUSED)


class ModelDriver(fakes.FakeDriver):

    def __init__(self, world):
        super(ModelDriver, self).__init__(world)
        self.guest_finder.suspend = self._suspend
        self.guest_finder.end_paused = self._end_paused

    def _suspend(self, instance, name):
        host = self._world.host(name)
        if not self._world.reaches(name) or host.daemon != model.UP:
            raise IOError('no answer')
        if host.runs:
            host.copy = model.PAUSED

    def _end_paused(self, instance):
        source = self._world.hosts.source
        if source.daemon != model.UP or source.runs:
            raise IOError('no answer, or it runs')
        source.copy = model.ABSENT


class ModelRPC(fakes.FakeRPC):

    def get_instance_diagnostics(self, context, instance):
        host = self._world.host(instance.host)
        if not self._world.rpc_works or host.daemon != model.UP:
            raise IOError('no answer')
        self._world.rpc[instance.host] = host.copy
        try:
            return super(ModelRPC, self).get_instance_diagnostics(context,
                                                                  instance)
        except Exception:
            self._world.seen[instance.host] = where.ABSENT
            raise

    def rollback_live_migration_at_destination(
            self, context, instance, host, destroy_disks=True,
            migrate_data=None):
        assert not destroy_disks and not migrate_data
        self._world.tear_down(self._world.hosts.destination, host)


class ModelManager(guard_manager.FakeManager):

    def __init__(self, world):
        super(ModelManager, self).__init__(world)
        self.driver = ModelDriver(world)
        self.compute_rpcapi = ModelRPC(world)


class Migration(stateful.RuleBasedStateMachine):

    def __init__(self):
        super(Migration, self).__init__()
        self.hosts = model.TwoHosts()
        self.world = ModelWorld(self.hosts)
        self.world.done = Deeds(self)
        self.world.tear_down = self.tear_down
        self.clock = ModelClock()
        self.ends = None
        self.broken = []
        self._patch(migration_settlement, 'time', self.clock)
        self._patch(migration_keeper, 'time', self.clock)
        self._patch(migration_attempt, 'time', self.clock)
        self._patch(migration_monitor, 'time', self.clock)
        # The progress is not looked at here, and threads of processes that
        # have ended would go on looking at it.
        self._patch(migration_monitor.JobWatch, 'until', mock.Mock())
        for module in (migration_notice, migration_keeper, migration_guard,
                       migration_monitor):
            self._patch(module, 'LOG', mock.Mock())
        self._patch(migration_notice.compute_utils,
                    'add_instance_fault_from_exc', mock.Mock())
        self._patch(migration_keeper.Keeper, '_is_untouched',
                    staticmethod(lambda instance: True))
        self._patch(objects.InstanceList, 'get_by_filters',
                    lambda *args, **kwargs: self.migrating())
        self._new_process()

    def _patch(self, where_, name, value):
        patcher = mock.patch.object(where_, name, value)
        patcher.start()
        if not hasattr(self, '_patchers'):
            self._patchers = []
        self._patchers.append(patcher)

    def _new_process(self):
        """The threads of the old one never wake again.

        What they wait for is kept: a green thread that is collected would
        run to its end.
        """
        _GRAVES.append((self.clock.forget_sleepers(), self.ends))
        self.ends = None
        self.manager = ModelManager(self.world)
        self.manager.migrate = self.call_libvirt

    @property
    def row(self):
        return self.world.row

    def migrating(self):
        return ([fakes.FakeInstance(self.world)]
                if self.row['task_state'] == 'migrating' and
                self.row['host'] == fakes.SOURCE else [])

    def instance(self):
        return fakes.FakeInstance(self.world)

    # What Nova does to the hosts.

    def tear_down(self, host, name):
        try:
            self._tear_down(host, name)
        except AssertionError as error:
            # Raised in a thread of nova-compute's, where nobody sees it.
            self.broken.append(error)
            raise

    def _tear_down(self, host, name):
        seen = self.world.seen.get(name)
        assert seen in (where.PAUSED, where.ABSENT), (
            'I1: %s torn down, seen there: %s' % (name, seen))
        if not self.world.surprised:
            assert not host.runs, 'I1: the guest runs on %s' % name
        if host.runs:
            assert self.hosts.copies > 1, 'I1: the only copy is torn down'
        host.copy = model.ABSENT

    def call_libvirt(self, context, instance, dest, block_migration,
                     migrate_data):
        """The driver's live_migration: its own thread, the real monitor."""
        self.hosts.migrate()
        self.ends = event.Event()
        ends = self.ends

        def operate(*args):
            if ends.wait() == "raised":
                raise model.Refused()
        eventlet.spawn_n(
            self._quietly, migration_monitor.follow, operate,
            self._find_domain, mock.Mock(libvirtError=model.Refused),
            self.manager._post_live_migration,
            self.manager._rollback_live_migration, context, instance, dest,
            block_migration, migrate_data)
        run_threads()

    @staticmethod
    def _quietly(follow, *args):
        try:
            follow(*args)
        except model.Refused:
            """As in a green thread that nobody waits for."""

    def _find_domain(self):
        if self.hosts.source.daemon != model.UP:
            raise model.Refused()
        domain = mock.Mock(spec=['jobStats'])
        domain.jobStats.side_effect = lambda: {
            'type': 2 if self.hosts.has_job else 0}
        return domain

    def settle(self):
        """Tell nova-compute how its call has ended, and let it think."""
        if (self.ends is not None and not self.ends.ready() and
                self.hosts.call in ('returned', 'raised')):
            self.ends.send(self.hosts.call)
        run_threads()

    # What happens.

    @stateful.precondition(lambda self: self.hosts.call is None)
    @stateful.rule(prepares=strategies.sampled_from([True, True, True,
                                                     False]))
    def migrate(self, prepares):
        if not prepares:
            self.hosts.call = 'never made'
            self.manager.prepare = mock.Mock(side_effect=model.Refused())
        try:
            self.manager.live_migration('context', fakes.DESTINATION,
                                        self.instance(), False, {})
        except model.Refused:
            assert not prepares
        self.settle()

    @stateful.precondition(lambda self: self.hosts.has_job)
    @stateful.rule(outcome=OUTCOMES)
    def step(self, outcome):
        self.hosts.step(outcome)
        self.settle()

    @stateful.precondition(lambda self: self.hosts.has_job)
    @stateful.rule(steps=strategies.integers(2, 5), outcome=OUTCOMES)
    def steps(self, steps, outcome):
        for _ in range(steps - 1):
            if self.hosts.has_job:
                self.hosts.step('succeeds')
        if self.hosts.has_job:
            self.hosts.step(outcome)
        self.settle()

    @stateful.precondition(lambda self: self.hosts.call is not None)
    @stateful.rule(fault=strategies.sampled_from([
        'lose_client', 'kill_source_daemon', 'start_source_daemon',
        'kill_destination_daemon', 'start_destination_daemon',
        'stall_destination_daemon', 'wake_destination_daemon', 'cut_link',
        'mend_link', 'kill_source_guest', 'kill_destination_guest']))
    def fault(self, fault):
        if self.fits(fault):
            getattr(self.hosts, fault)()
        self.settle()

    def fits(self, fault):
        """A daemon that is down neither stalls nor wakes, and so on."""
        needed = {
            'kill_source_daemon': ('source', (model.UP,)),
            'start_source_daemon': ('source', (model.DOWN,)),
            'kill_destination_daemon': ('destination',
                                        (model.UP, model.STALLED)),
            'start_destination_daemon': ('destination', (model.DOWN,)),
            'stall_destination_daemon': ('destination', (model.UP,)),
            'wake_destination_daemon': ('destination', (model.STALLED,)),
        }.get(fault)
        return needed is None or (
            getattr(self.hosts, needed[0]).daemon in needed[1])

    @stateful.precondition(lambda self: self.hosts.call is not None)
    @stateful.rule(outcome=OUTCOMES)
    def surprise(self, outcome):
        """Something happens between two looks of the guard's."""
        def happens():
            if self.hosts.has_job:
                self.hosts.step(outcome)
        self.world.surprises.append(happens)

    @stateful.rule(works=strategies.booleans())
    def rpc(self, works):
        self.world.rpc_works = works

    @stateful.initialize(may=strategies.booleans())
    def right_to_connect(self, may):
        self.world.may_connect = may

    @stateful.rule(seconds=strategies.integers(1, 100),
                   late=strategies.integers(0, 4))
    def time(self, seconds, late):
        # A daemon that has just woken may be asked before it works.
        self.clock.pass_time(late)
        self.hosts.work_off()
        self.clock.pass_time(seconds)
        self.settle()

    @stateful.precondition(lambda self: self.hosts.call is not None)
    @stateful.rule()
    def periodic_task(self):
        migration_guard.look_again(self.manager, 'admin')
        self.settle()

    @stateful.precondition(lambda self: self.hosts.call is not None)
    @stateful.rule()
    def restart_compute(self):
        self._new_process()
        row = self.row
        if row['host'] == fakes.SOURCE:
            self.manager._init_instance('admin', self.instance())
            if self.manager.started:
                self._resume_on_boot()
        run_threads()

    def _resume_on_boot(self):
        """resume_guests_state_on_host_boot, as in Nova's _init_instance."""
        if (self.row['power_state'] == 1 and
                self.hosts.source.copy == model.ABSENT):
            self._start_copy(self.hosts.source)

    @stateful.precondition(lambda self: self.row['task_state'] is None)
    @stateful.rule()
    def user_reboots(self):
        """Allowed for an instance that is active or in error."""
        self._start_copy(self.world.host(self.row['host']))

    def _start_copy(self, host):
        if host.daemon != model.UP:
            return
        other = ({self.hosts.source, self.hosts.destination} -
                 {host}).pop()
        assert not other.runs, 'I3: a second copy is started'
        host.copy = model.RUNNING

    @stateful.precondition(lambda self: (
        migration_record.has_two_copies(self.instance())))
    @stateful.rule(here=strategies.booleans())
    def human_destroys_one(self, here):
        host = self.hosts.source if here else self.hosts.destination
        host.copy = model.ABSENT
        self.settle()

    # What must hold.

    @stateful.invariant()
    def nothing_is_broken_in_a_thread(self):
        assert not self.broken, self.broken

    @stateful.invariant()
    def database_is_right_where_nobody_works(self):
        if self.row['task_state'] is not None:
            return
        host = self.world.host(self.row['host'])
        other = ({self.hosts.source, self.hosts.destination} -
                 {host}).pop()
        assert not (other.runs and not host.runs), (
            'I2: %s recorded, but the guest runs on the other host' %
            self.row['host'])
        if not self.world.surprised:
            assert not (other.runs and host.runs), (
                'I3: two copies run, and a user may do as he likes')

    @stateful.invariant()
    def parked_is_parked(self):
        if self.row['vm_state'] == 'error':
            assert self.row['task_state'] == 'migrating', (
                'I3: a user may reboot what is parked')
            assert migration_record.why(self.instance()), 'I4: no reason'
            assert migration_attempt.Attempt.remembered(
                'context', self.instance()).dest, (
                'I4: nobody knows where to look')

    def teardown(self):
        try:
            if self.hosts.call is not None:
                self._heal()
                self._must_settle()
        finally:
            _GRAVES.append((self.clock.forget_sleepers(), self.ends))
            for patcher in self._patchers:
                patcher.stop()

    def _heal(self):
        hosts = self.hosts
        for fault in ('start_source_daemon', 'start_destination_daemon',
                      'wake_destination_daemon', 'mend_link'):
            if self.fits(fault):
                getattr(hosts, fault)()
        self.world.rpc_works = self.world.may_connect = True
        self.world.surprises = []
        hosts.work_off()
        while hosts.has_job:
            hosts.step('succeeds')
        self.settle()

    def _must_settle(self):
        for _ in range(80):
            if self.row['task_state'] is None:
                break
            self.clock.pass_time(60)
            migration_guard.look_again(self.manager, 'admin')
            self.settle()
            self.database_is_right_where_nobody_works()
            self.parked_is_parked()
        self.nothing_is_broken_in_a_thread()
        if self.row['task_state'] is None:
            return
        copies = (self.hosts.source.copy, self.hosts.destination.copy)
        assert self.row['vm_state'] == 'error', 'I4: forgotten: %s, %s' % (
            self.row, copies)
        # All hosts answer: only two copies, neither of which is to be lost,
        # are a human's to decide.
        assert model.ABSENT not in copies and model.SHELL not in copies, (
            'I4: parked for ever: %s, %s' % (self.row, copies))


class Deeds(list):
    """What the fakes do to a host happens to the model's host."""

    def __init__(self, machine):
        super(Deeds, self).__init__()
        self._machine = machine

    def append(self, deed):
        if deed[0] == 'tear down':
            hosts = self._machine.hosts
            host = (hosts.source if deed[1] == fakes.SOURCE
                    else hosts.destination)
            if deed[1] == fakes.SOURCE and hosts.call == 'returned':
                assert not host.runs, 'I1: the guest runs on the source'
            elif hosts.call == 'never made':
                assert not host.runs
            else:
                self._machine.tear_down(host, deed[1])
        super(Deeds, self).append(deed)


Migration.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=25, deadline=None,
    phases=[Phase.generate, Phase.shrink],
    derandomize='KEEPTRACK_EXAMPLES' not in os.environ)
GuardModelTestCase = Migration.TestCase


if __name__ == '__main__':
    unittest.main()
