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

"""The recovery of 2014's series against a model of libvirt, fault by fault.

Hypothesis chooses what happens. After every step:

I1  a host on which the guest runs is not torn down, nor a second copy resumed;
I2  without a task, the database does not name the host that the guest left;
I3  what a user may start or evacuate does not run on the destination;
I5  the answer of another host counts for nothing (it makes I1 to I3 fail).

I4  Once all faults are over, the instance has no task, or is parked and still
    checked, for a reason that a human has to resolve.
"""

import contextlib
import logging
import unittest

import hypothesis
from hypothesis import stateful
from hypothesis import strategies

from keeptrack.tests.unit.protocol import libvirt_model as libvirt
from keeptrack.tests.unit.protocol import nova_of_2014 as nova

OUTCOMES = strategies.sampled_from(
    ('succeeds', 'succeeds', 'fails', 'is lost'))
HOSTS = strategies.sampled_from(('dest', 'dest', 'source', 'other'))
EVENTS = ('kill_source_libvirtd', 'start_source_libvirtd',
          'kill_destination_libvirtd', 'start_destination_libvirtd',
          'stall_destination_libvirtd', 'kill_source_guest',
          'kill_destination_guest', 'lose_peer')
FAULTS = ('database', 'cinder', 'neutron', 'token', 'destination rpc')
# Nothing but a human can say which copy is the right one, or revive a guest.
_FOR_A_HUMAN = ((libvirt.PAUSED, libvirt.PAUSED),
                (libvirt.PAUSED, libvirt.INCOMING),
                (libvirt.ABSENT, libvirt.INCOMING))


class RecoveryMachine(stateful.RuleBasedStateMachine):

    modules = None

    @stateful.initialize(
        user_paused=strategies.booleans(), copied=strategies.booleans(),
        volume=strategies.booleans(), host=HOSTS,
        broken=strategies.sets(strategies.sampled_from(FAULTS), max_size=1),
        steps=strategies.integers(0, 4), outcome=OUTCOMES,
        call_fails=strategies.booleans(), cut_off=strategies.booleans(),
        ends_well=strategies.booleans())
    def begin(self, user_paused, copied, volume, host, broken, steps, outcome,
              call_fails, cut_off, ends_well):
        """Begin a migration, and let it come to any point."""
        if ends_well:
            steps, outcome = len(libvirt.STEPS), 'succeeds'
            cut_off = call_fails = False
        self.cloud = nova.Cloud(self.modules, user_paused, copied, volume)
        self.truth = self.cloud.truth
        self.data = dict(self.cloud.shared)
        self.instance = self.cloud.instance()
        self.split = self.reset = self.returned = self.restarted = False
        self.cloud.source.recovery.begin(
            self.cloud.context, self.instance, 'dest', copied, self.data)
        self.driving = True
        for step in range(steps):
            self.truth.go_on('succeeds' if step + 1 < steps else outcome)
        self.cloud.reached = host
        self.cloud.broken |= broken
        if cut_off:
            self.destination_is_cut_off()
        if call_fails:
            # As bug 1414065 has it, also if the migration has succeeded.
            self.truth.call = 'raised'

    @stateful.rule(outcome=OUTCOMES)
    def libvirt_goes_on(self, outcome):
        self.truth.go_on(outcome)

    @stateful.rule()
    def client_loses_its_connection(self):
        self.truth.end('raised')

    @stateful.precondition(lambda self: (
        self.driving and self.truth.call != 'on'))
    @stateful.rule()
    def call_ends(self):
        self.driving = False
        manager = self.cloud.source
        end = manager._rollback_live_migration
        if self.truth.call == 'returned':
            end = manager.recovery.finish
        with contextlib.suppress(nova.NovaException, nova.DBError):
            end(self.cloud.context, self.instance, 'dest', self.cloud.copied,
                self.data)

    @stateful.rule()
    def check(self):
        self.cloud.source.recovery.check_all(self.cloud.context.elevated())

    @stateful.rule(event=strategies.sampled_from(EVENTS))
    def host_fails_or_recovers(self, event):
        getattr(self.truth, event)()

    @stateful.rule()
    def destination_is_cut_off(self):
        self.truth.kill_destination_libvirtd()
        self.cloud.broken |= {'destination rpc'}

    @stateful.rule()
    def destination_loses_power(self):
        self.truth.kill_destination_guest()
        self.destination_is_cut_off()

    @stateful.rule(what=strategies.sampled_from(FAULTS))
    def service_fails_or_recovers(self, what):
        self.cloud.broken ^= {what}

    @stateful.precondition(lambda self: (
        self.cloud.row and self.driving and not self.reset and
        self.truth.call == 'returned' and
        self.cloud.domains() == (libvirt.ABSENT, libvirt.RUNNING)))
    @stateful.rule(
        checked=strategies.booleans(), stopped=strategies.booleans(),
        restarted=strategies.booleans())
    def guest_comes_back(self, checked, stopped, restarted):
        """Another migration brings it; its user may stop it then."""
        self.call_ends()
        while self.cloud.messages:
            self.cloud.deliver(0)
        row = self.cloud.row
        if row['host'] == 'source' or not (checked or restarted):
            # Not taken over, or the source has noticed nothing.
            return
        if checked:
            row['task_state'] = nova.MIGRATING
            self.check()
        self.returned = True
        self.truth.destination.domain = libvirt.ABSENT
        if not stopped:
            self.truth.source.domain = libvirt.RUNNING
        row.update(host='source', node='source.node', task_state=None,
                   vm_state='stopped' if stopped else 'active')
        if restarted:
            self.compute_restarts()

    @stateful.rule(host=HOSTS)
    def address_leads_to(self, host):
        self.cloud.reached = host

    @stateful.rule()
    def compute_restarts(self):
        self.driving, self.restarted = False, True
        self.cloud.source.start()
        row = self.cloud.row
        if row is not None and row['host'] == 'source':
            with contextlib.suppress(nova.DBError, nova.LibvirtError):
                self.cloud.source._init_instance(self.cloud.context,
                                                 self.cloud.instance())

    @stateful.precondition(lambda self: self.cloud.messages)
    @stateful.rule()
    def destination_serves_a_request(self):
        self.cloud.deliver(0)

    @stateful.precondition(lambda self: self.cloud.row)
    @stateful.rule()
    def administrator_resets_the_state(self):
        self.reset = True
        self.cloud.row.update(task_state=None, vm_state='active')

    @stateful.precondition(lambda self: self.cloud.row)
    @stateful.rule()
    def user_deletes(self):
        self.cloud.row = None

    @stateful.precondition(lambda self: (
        self.cloud.row and self.cloud.row['host'] == 'source'))
    @stateful.rule()
    def administrator_resets_the_state_and_evacuates(self):
        self.administrator_resets_the_state()
        status = self.cloud.row['system_metadata'].get('live_migration_status')
        if status not in ('running', 'post-migrating'):
            return
        try:
            self.modules[2].refuse_in_doubt(
                self.cloud.source.compute_rpcapi, self.cloud.context,
                self.cloud.instance(), 'evacuate')
        except nova.InstanceInvalidState:
            return
        self.assert_not_there()

    def assert_not_there(self):
        assert self.truth.destination.domain != libvirt.RUNNING, (
            'a user may make a second copy')

    @stateful.invariant()
    def nothing_wrong_was_done(self):
        if hasattr(self, 'cloud'):
            assert not self.cloud.wrongs, self.cloud.wrongs

    @stateful.invariant()
    def record_is_right(self):
        if not hasattr(self, 'cloud'):
            return
        source, destination = self.cloud.domains()
        self.split |= self.truth.destination.finish_queued or (
            source == destination == libvirt.RUNNING)
        row = self.cloud.row
        if row is None or row['task_state'] or self.reset or self.split:
            return
        if row['host'] == 'source':
            assert destination != libvirt.RUNNING or (
                source == libvirt.RUNNING), 'it runs on the destination'
            if row['vm_state'] == 'stopped':
                self.assert_not_there()
        else:
            assert source != libvirt.RUNNING or (
                destination == libvirt.RUNNING), 'it runs on the source'

    def teardown(self):
        if not hasattr(self, 'cloud'):
            return
        if self.driving and self.truth.call != 'on':
            self.call_ends()
        for _round in range(6):
            self.nothing_wrong_was_done()
            self.record_is_right()
            self.check()
        # A token does not become valid again.
        self.cloud.broken &= {'token'}
        self.cloud.reached = 'dest'
        self.truth.start_source_libvirtd()
        self.truth.start_destination_libvirtd()
        while self.truth.has_job:
            self.truth.go_on('succeeds')
        self.truth.end('raised')
        if self.driving:
            self.call_ends()
        for _round in range(80):
            self.check()
            while self.cloud.messages:
                self.cloud.deliver(0)
            self.nothing_wrong_was_done()
            self.record_is_right()
        self.assert_ended()

    def assert_ended(self):
        row, tasks = self.cloud.row, self.cloud.source.recovery._tasks
        if row is None:
            assert not tasks, 'a deleted instance is checked for ever'
            return
        domains = self.cloud.domains()
        assert not self.returned or self.reset or row['host'] == 'source', (
            'an earlier migration takes the instance away')
        if tasks and (self.split or domains in _FOR_A_HUMAN):
            return
        if tasks and self.reset and self.restarted and (
                domains == ('absent', 'paused')):
            # Nobody knows any more that its user has paused it.
            return
        record = [name for name, value in row['system_metadata'].items()
                  if name.startswith('live_migration') and value]
        if row['host'] == 'dest' and self.restarted:
            # It stays until the instance comes back.
            record = []
        assert (row['task_state'], tasks, record) == (None, {}, []), (
            row, tasks, domains)
        if not self.split and libvirt.RUNNING in domains:
            assert row['host'] == (
                'source', 'dest')[domains.index(libvirt.RUNNING)], (
                    row, domains)
            assert row['vm_state'] != 'error', row


class RecoveryProtocolTestCase(unittest.TestCase):

    def test_faults(self):
        if not nova.FOLDER.exists():
            self.skipTest(
                'NOT TESTED: %s is in a source checkout only' % nova.FOLDER)
        RecoveryMachine.modules = nova.load()
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        stateful.run_state_machine_as_test(
            RecoveryMachine, settings=hypothesis.settings(
                max_examples=250, stateful_step_count=20, deadline=None,
                suppress_health_check=list(hypothesis.HealthCheck)))
