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
"""One run: a guest, two nova-computes, a migration and a fault."""

import contextlib
import dataclasses
import time
import uuid

from keeptrack.drill.checker import data_checker
from keeptrack.drill.checker import verdict
from keeptrack.drill import faults
from keeptrack.drill import history
from keeptrack.drill import nemesis as nemesis_mod
from keeptrack.drill.recorders import guest_state
from keeptrack.drill.recorders import instance_record
from keeptrack.drill.recorders import serial_port
from keeptrack.drill.testbed import errors as testbed_errors
from keeptrack.drill.testbed import guest as guest_mod
from keeptrack.drill.testbed import storage as storage_mod
from keeptrack.drill.testbed import writing_guest
from keeptrack import errors

# What a fault needs hours for in a cloud has to show in seconds here.  Where a
# tree has no such option, it is left out.
CONFIG = {
    'DEFAULT': {
        'rpc_response_timeout': 4,
    },
    'libvirt': {
        'live_migration_bandwidth': 2,
    },
}

WRITES_WITHIN = 10      # seconds from its start, a guest with a disk
FIRST_RECORDS = 20      # acknowledged before the migration


@dataclasses.dataclass(frozen=True)
class Times:
    """How long things may take, in seconds.

    :ivar begins: from the request to the fault's moment
    :ivar decides: until a fault that lasts is taken away at the latest
    :ivar recovers: until what was started again is up
    :ivar settles: from the end of the fault
    :ivar suspends: from the end of the fault, one copy
    :ivar quiet: without a change of record: delayed events are over
    :ivar copy: memory of a guest takes, at the bandwidth of CONFIG
    """

    begins: float = 60
    decides: float = 20
    recovers: float = 20
    settles: float = 45
    suspends: float = 20
    quiet: float = 3.5
    copy: float = 2.2


class _Missed(testbed_errors.TestbedError):
    """The fault has hit nothing, though the testbed works."""


class Run:
    """One run.

    :param testbed: a testbed.Testbed that is up
    :param computes: a nova_computes.NovaComputes of the tree, open
    :param draw: a generator.Draw
    :param parks: the tree looks at parked instances again (bool)
    :param storage: where the guest's disk is, a key of storage.KINDS
    :param record: reads Nova's record, see InstanceRecord.read; None for that
        of the computes
    :cvar times: Times
    """

    times = Times()

    def __init__(self, testbed, computes, draw, parks, storage='none',
                 record=None):
        self._testbed = testbed
        self._computes = computes
        self._draw = draw
        self._parks = parks
        self._history = history.History()
        self._storage = storage_mod.KINDS[storage](testbed)
        self._recorder = None
        self._written = None
        self._disks = None
        self._guest = guest_mod.Guest(str(uuid.uuid4()), 'instance-00000001')
        self._record = instance_record.Recorder(
            self._history, record or computes.record)
        self._struck = None
        self._healed = None
        self._ended = None
        self._services = None

    def on_event(self, event):
        """Take an event of the computes (dict)."""
        self._history.add(event)
        self._storage.take(event)

    # what testbed and recorders call

    def _on_guest(self, when, role, state, why):
        self._history.note(role, 'guest', state, why or state, when=when)

    def _on_daemon(self, when, role, state):
        self._history.note(role, 'daemon', state, 'libvirtd is %s' % state,
                           when=when)

    def _on_job(self, when, role, status):
        self._history.note(role, 'job', status, 'migration: %s' % status,
                           when=when)

    def go(self):
        """Run, and judge.

        :returns: dict, a run as the results have it, without its tree
        """
        began = time.time()
        zero = None
        error = None
        missed = False
        try:
            with contextlib.ExitStack() as stack:
                nemesis = self._set_up(stack)
                zero = time.time()
                self._act(nemesis)
                # what ends with the run is no part of it
                self._ended = time.time()
                self._services = self._computes.services()
                self._read_data()
        except errors.KeeptrackError as exc:
            error = str(exc)
            missed = isinstance(exc, _Missed)
        return dict(self._result(began, zero, error), missed=missed)

    # before

    def _set_up(self, stack):
        self._testbed.reset()
        for host in self._testbed.hosts.values():
            host.libvirtd.on_change = self._on_daemon
        nemesis = self._make_nemesis()
        stack.callback(nemesis.tidy)
        self._boot(stack)
        watcher = guest_state.Watcher(
            self._testbed, self._guest, self._on_guest, self._on_job)
        stack.callback(watcher.stop)
        state = (history.PAUSED if self._draw.fault.paused
                 else history.RUNNING)
        if self._history.wait(history.event_is('guest', None, state),
                              time.time() + 10) is None:
            raise errors.KeeptrackError('the guest has not begun to run')
        self._start_computes(stack)
        self._record.start()
        stack.callback(self._record.stop)
        self._draw.fault.set_up(nemesis)
        return nemesis

    def _make_nemesis(self):
        return nemesis_mod.Nemesis(self._testbed, self._computes,
                                   self._guest, self._history)

    def _start_computes(self, stack):
        self._computes.prepare(self._options())
        stack.callback(self._end_computes)
        for role in history.ROLES:
            self._computes.start(role)
        for role in history.ROLES:
            self._await_compute(role)

    def _boot(self, stack):
        stack.callback(self._storage.close)
        self._guest.disk = self._storage.prepare(self._guest.uuid)
        source = self._testbed.hosts['source']
        if not self._storage.writes:
            self._guest.boot(source, paused=self._draw.fault.paused)
            return
        for host in self._testbed.hosts.values():
            (host.folder / guest_mod.WRITER_FILE).write_bytes(
                writing_guest.firmware())
        paths = self._guest.serial_paths(self._testbed.hosts)
        for path in paths.values():
            path.unlink(missing_ok=True)
        self._guest.boot(source)
        self._record_writes(stack, paths)
        if self._draw.fault.paused:
            # it has had something to lose before
            source.virsh('suspend', self._guest.name)

    def _record_writes(self, stack, paths):
        self._recorder = serial_port.Recorder(paths)
        self._recorder.start()
        stack.callback(self._recorder.stop)
        if not self._recorder.wait(FIRST_RECORDS, WRITES_WITHIN):
            raise testbed_errors.TestbedError(
                'the guest does not write to its disk')

    def _read_data(self):
        """Read what was acknowledged by now, and then what disks hold."""
        if self._recorder is None:
            return
        if self._recorder.failure is not None:
            raise testbed_errors.TestbedError(
                'the serial port cannot be read: %s' % self._recorder.failure)
        self._written = self._recorder.lines()
        self._disks = self._storage.disks()
        self._keep_writes()

    def _keep_writes(self):
        self._recorder.keep(self._computes.logs)

    def _since(self, zero):
        """What the guest has printed, in the time line's seconds, or None."""
        return None if self._written is None else [
            line._replace(when=line.when - zero) for line in self._written]

    def _options(self):
        paused = self._draw.fault.paused
        config = {group: dict(options) for group, options in CONFIG.items()}
        config['DEFAULT']['resume_guests_state_on_host_boot'] = (
            self._draw.resumes)
        for group, options in (self._draw.fault.config or {}).items():
            config.setdefault(group, {}).update(options)
        told = self._storage.nova_settings()
        if self._storage.writes:
            config['libvirt']['images_type'] = 'raw'
        return {'uuid': self._guest.uuid, 'name': self._guest.name,
                'vm_state': 'paused' if paused else 'active',
                'power_state': 'paused' if paused else 'running',
                'shared': self._shared(), 'instances': told.instances,
                'disk': told.disk, 'config': config}

    def _shared(self):
        """Whether both hosts have one folder for instances (bool)."""
        return (self._draw.shared if self._storage.shared is None
                else self._storage.shared)

    def _await_compute(self, role):
        if self._history.wait(
                history.event_is('compute', role, 'initialized'),
                time.time() + 30) is None:
            raise errors.KeeptrackError(
                'nova-compute on the %s does not come up' % role)

    def _end_computes(self):
        for role in history.ROLES + ('conductor',):
            self._computes.kill(role)

    # the migration and the fault

    def _act(self, nemesis):
        self._history.note('drill', 'migrate', 'asked',
                           'Nova is asked to migrate the guest')
        self._computes.migrate()
        self._strike(nemesis)
        self._end_fault(nemesis)
        self._settle(time.time() + self.times.settles)
        if self._draw.fault.strike is faults.nothing and not self._moved():
            # nothing that was done explains that
            raise testbed_errors.TestbedError(
                'libvirt was never asked to migrate')
        if self._has_two():
            self._await_suspension()
            self._tell('operator', "an operator ends the destination's copy")
            self._testbed.hosts['destination'].virsh('destroy',
                                                     self._guest.name)
            self._healed = time.time()
            self._settle(time.time() + self.times.settles)

    def _moved(self):
        """Tell whether libvirt was asked to migrate (bool)."""
        return any(event['where'] != 'drill'
                   for event in self._history.events('migrate'))

    def _strike(self, nemesis):
        """Bring the fault about, when its moment has come.

        :raises _Missed: when it has hit nothing: that would be a run of no
            fault
        """
        due = self._await_moment()
        if due is None:
            raise _Missed('the moment for the fault did not come')
        fault = self._draw.fault
        if fault.strike is not faults.nothing:
            self._tell('injected', fault.title)
            if not nemesis.strike(fault):
                raise _Missed('the fault came too late: %s' % nemesis.missed)
        self._struck = due

    def _await_suspension(self):
        """Give Nova the time to suspend the destination's copy."""
        began = time.time()
        self._history.wait(
            lambda event: event['lane'] == 'guest' and
            event['where'] == 'destination' and event['t'] > began and
            event['what'] != history.RUNNING,
            began + (self.times.suspends if self._both_run() else 0))

    def _both_run(self):
        past = history.Past(self._history.since(0), time.time())
        return all(past.guest(role, past.ends) == history.RUNNING
                   for role in history.ROLES)

    def _tell(self, what, text):
        self._history.note('drill', 'fault', what, text)

    def _await_moment(self):
        """Wait until the fault is due; tell when it was."""
        until = time.time() + self.times.begins
        moment, delay = self._draw.moment, self._draw.delay
        if moment == faults.BEFORE:
            due = time.time() + delay
        else:
            event = self._history.wait(self._begins(moment, delay), until)
            if event is None:
                return None
            due = event['t'] + delay
            if moment == faults.SWITCH and delay < 0:
                due += self.times.copy
        time.sleep(max(0, due - time.time()))
        return time.time()

    @staticmethod
    def _begins(moment, delay):
        """What a moment begins with: a test for events."""
        if moment == faults.COPY or moment == faults.SWITCH and delay < 0:
            return history.event_is('job', 'source', 'active')
        if moment == faults.SWITCH:
            return history.event_is('job', 'source', 'device',
                                    'pre-switchover', 'completed')
        if moment == faults.AFTER:
            return history.event_is('guest', 'destination', 'running',
                                    'paused')
        return history.event_is('migrate', None, 'end', 'raise')

    def _end_fault(self, nemesis):
        fault, lasts = self._draw.fault, self._draw.lasts
        if lasts == faults.SETTLED:
            self._settle(time.time() + self.times.decides, parked_will_do=True)
        elif lasts != faults.NEVER:
            time.sleep(lasts)
        if fault.heal is not faults.nothing:
            nemesis.heal(fault, self.times.recovers)
            # from now on Nova has all that it needs
            self._healed = time.time()

    def _settle(self, until, parked_will_do=False):
        """Wait until the record is settled and nothing happens any more.

        What a fault has kept from happening may begin once it is over: the
        quiet time counts from there too, and what had to end is started.
        """
        looked = time.time()
        while time.time() < until:
            self._record.check()
            if self._healed and time.time() - looked > 1:
                looked = time.time()
                self._computes.restart_failed()
            record = self._record.record
            since = max(self._history.last('record') or 0,
                        self._healed or 0)
            quiet = time.time() - since > self.times.quiet
            if (record is not None and quiet and
                    self._is_over() and
                    (verdict.is_settled(record) and
                     (parked_will_do or
                      not self._is_without_guest(record) and
                      (not self._parks or verdict.is_ended(record))) or
                     (parked_will_do or self._has_two()) and
                     self._parks and verdict.is_parked(record))):
                return
            time.sleep(0.1)

    def _parking(self, past, zero):
        """How long the instance was parked.

        :returns: seconds in all, and seconds from the end of the fault until
            one that was parked then was free (tuple of float or None)
        """
        spans = verdict.parking(past) if self._parks else []
        if not spans:
            return None, None
        parked = sum((past.ends if ends is None else ends) - begins
                     for begins, ends in spans)
        freed = spans[-1][1]
        healed = self._healed and self._healed - zero
        return round(parked, 2), (
            round(freed - healed, 2)
            if freed and healed and freed > healed else None)

    def _is_over(self):
        """Tell whether the migration that was asked for has begun to end.

        It has to have begun: before, the record is settled too.
        """
        if not any(event['data']['task_state'] for event in
                   self._history.events('record')):
            return self._ended_as('raise', 'live_migrate')
        return (bool(self._history.events('callback')) or
                any(event['what'] == 'gone' for event in
                    self._history.events('compute')) or
                any(event['what'] == 'raise' for event in
                    self._history.events('call')) or
                # today's Nova only queues what this one did
                self._ended_as('end', '_do_live_migration' if self._ended_as(
                    'begin', '_do_live_migration') else 'live_migration'))

    def _ended_as(self, phase, method):
        """Tell whether a call of Nova's has begun or ended so."""
        return any(event['data'].get('method') == method and
                   event['data'].get('phase') == phase
                   for event in self._history.events('call'))

    def _is_without_guest(self, record):
        """Tell whether an active instance has no guest that runs (bool).

        Nova's sync of power states, or a nova-compute that starts the guests
        of its host, is still to come then. The QEMU of a guest that is being
        started is paused.
        """
        past = history.Past(self._history.since(0), time.time())
        return record['vm_state'] == 'active' and not any(
            past.guest(role, past.ends) == 'running'
            for role in history.ROLES)

    def _has_two(self):
        past = history.Past(self._history.since(0), time.time())
        return (bool(past.both_ran()) and
                all(past.guest(role, past.ends) in ('running', 'paused')
                    for role in history.ROLES))

    # after

    def _result(self, began, zero, error):
        now = self._ended or time.time()
        zero = now if zero is None else zero
        events = [event for event in self._history.since(zero)
                  if event['t'] <= now - zero]
        past = history.Past(events, now - zero)
        if error is None:
            found = verdict.judge(
                events, now - zero, self._parks, self._draw.fault.paused,
                self._services, self._since(zero), self._disks,
                self._storage.one_disk)
        else:
            found = verdict.Verdict(verdict.NOT_RUN, error, [], None, False)
        events = sorted(events + data_checker.events(self._since(zero) or ()),
                        key=lambda event: event['t'])
        for event in verdict.harms(past):
            event['data'] = dict(event['data'], harm='I1')
        parked, freed = self._parking(past, zero)
        return {
            'fault': self._draw.fault.name, 'moment': self._draw.moment,
            'delay': round(self._draw.delay, 3), 'seed': self._draw.seed,
            'lasts': (self._draw.lasts if isinstance(self._draw.lasts, str)
                      else round(self._draw.lasts, 3)),
            'shared': self._shared(), 'resumes': self._draw.resumes,
            'storage': self._storage.name,
            'data': found.data and found.data.as_dict(),
            'struck': self._struck and round(self._struck - zero, 3),
            'verdict': found.verdict, 'unseen': found.unseen,
            'broken': found.broken, 'why': found.why,
            'leftover': found.leftover, 'suspended': found.suspended,
            'parts': found.parts,
            'parked': parked, 'free': freed,
            'seconds': round(time.time() - began, 2),
            'overlap': found.overlap and round(found.overlap, 2),
            'truth': {role: past.guest(role, past.ends)
                      for role in history.ROLES},
            'record': self._record.record, 'services': self._services,
            'timeline': events,
        }
