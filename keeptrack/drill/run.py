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
import resource
import threading
import time
import uuid

from keeptrack.drill import faults
from keeptrack.drill import guest as guest_mod
from keeptrack.drill import history
from keeptrack.drill import timeline as timeline_mod
from keeptrack.drill import truth
from keeptrack.drill import verdict
from keeptrack import errors

# What a fault needs hours for in a cloud has to show in seconds here.  Where a
# tree has no such option, it is left out.
CONFIG = {
    'DEFAULT': {
        'live_migration_park_after': 8,
        'live_migration_rpc_timeout': 2,
        'rpc_response_timeout': 4,
    },
    'libvirt': {
        'live_migration_bandwidth': 2,
        'live_migration_ask_timeout': 2,
    },
}

# seconds
BEGINS_WITHIN = 30      # from the request to the fault's moment
DECIDES_WITHIN = 20     # until a fault that lasts is taken away at the latest
SETTLES_WITHIN = 45     # from the end of the fault, where Nova looks again
STAYS_WITHIN = 20       # the same where it does not
SUSPENDS_WITHIN = 20    # from the end of the fault, one of two copies
QUIET = 3.5             # without a change of record: delayed events are over
POLL = 0.05             # between two readings of the record
COPY_TAKES = 2.2        # memory of a guest, at the bandwidth of CONFIG

# QEMU's address space while the destination has no memory, bytes
NO_MEMORY = 2 * 1024 ** 3


class Scene(object):
    """What a fault can lay hands on.

    :ivar lab: the lab.Lab
    :ivar computes: the computes.Computes
    """

    def __init__(self, lab, computes, guest, timeline):
        self.lab = lab
        self.computes = computes
        self.guest = guest
        self._timeline = timeline
        self._undo = contextlib.ExitStack()

    def abort_job(self):
        """Abort the migration's job, as an admin does with virsh."""
        result = self.lab.hosts['source'].run(
            ['virsh', 'domjobabort', self.guest.name], capture_output=True,
            text=True, timeout=20)
        self._timeline.note('source', 'fault', 'domjobabort',
                            'virsh domjobabort: %s' % (
                                result.stderr.strip() or 'done'))

    def occupy_name(self):
        """Define another guest of the same name on the destination."""
        twin = guest_mod.Guest(str(uuid.uuid4()), self.guest.name)
        self.lab.hosts['destination'].run(
            ['virsh', 'define', '/dev/stdin'], input=twin.xml, text=True,
            check=True, capture_output=True, timeout=20)
        self._undo.callback(
            self.lab.hosts['destination'].run,
            ['virsh', 'undefine', twin.uuid], capture_output=True,
            timeout=20)

    def limit_memory(self):
        """Leave the destination's QEMU less memory than the guest has."""
        self._limit(NO_MEMORY)
        self._undo.callback(self._limit,
                            resource.RLIM_INFINITY)

    def _limit(self, most):
        # what libvirtd starts has the limits of libvirtd
        resource.prlimit(self.lab.hosts['destination'].daemon.pid,
                         resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))

    def end_copy(self, role):
        """Destroy the guest's copy on a host, as an operator decides."""
        self.lab.hosts[role].run(
            ['virsh', 'destroy', self.guest.name], capture_output=True,
            timeout=20)

    def tidy(self):
        """Take back what was prepared."""
        self._undo.close()


class Run(object):
    """One run.

    :param lab: a lab.Lab that is up
    :param computes: a computes.Computes of the tree, open
    :param draw: a faults.Draw
    :param parks: the tree looks at parked instances again (bool)
    :param config: options beside CONFIG: dict of group to dict, or None
    """

    def __init__(self, lab, computes, draw, parks, config=None):
        self._lab = lab
        self._computes = computes
        self._draw = draw
        self._parks = parks
        self._patience = SETTLES_WITHIN if parks else STAYS_WITHIN
        self._config = config or {}
        self._timeline = timeline_mod.Timeline()
        self._guest = guest_mod.Guest(str(uuid.uuid4()), 'instance-00000001')
        self._stopped = threading.Event()
        self._record = None
        self._parked = []
        self._healed = None

    def on_event(self, event):
        """Take an event of the computes (dict)."""
        self._timeline.add(event)

    def go(self):
        """Run, and judge.

        :returns: dict, a run as the results have it, without its tree
        """
        began = time.time()
        zero = None
        error = None
        try:
            with contextlib.ExitStack() as stack:
                scene = self._set_up(stack)
                zero = time.time()
                self._act(scene)
        except errors.KeeptrackError as exc:
            error = str(exc)
        return self._result(began, zero, error)

    # before

    def _set_up(self, stack):
        self._lab.reset()
        for host in self._lab.hosts.values():
            host.daemon.on_change = self._on_daemon
        scene = Scene(self._lab, self._computes, self._guest, self._timeline)
        stack.callback(scene.tidy)
        self._guest.boot(self._lab.hosts['source'],
                         paused=self._draw.fault.paused)
        watcher = truth.Watcher(self._lab, self._guest, self._on_guest,
                                self._on_job)
        stack.callback(watcher.stop)
        state = (history.PAUSED if self._draw.fault.paused
                 else history.RUNNING)
        if self._timeline.wait(
                lambda event: event['lane'] == 'guest' and
                event['what'] == state, time.time() + 10) is None:
            raise errors.KeeptrackError('the guest has not begun to run')
        self._computes.prepare(self._options())
        stack.callback(self._end_computes)
        for role in history.ROLES:
            self._computes.start(role)
        for role in history.ROLES:
            self._await_compute(role)
        poller = threading.Thread(target=self._poll, daemon=True)
        poller.start()
        stack.callback(poller.join)
        stack.callback(self._stopped.set)
        self._draw.fault.before(scene)
        return scene

    def _options(self):
        paused = self._draw.fault.paused
        config = {group: dict(options) for group, options in CONFIG.items()}
        config['DEFAULT']['resume_guests_state_on_host_boot'] = (
            self._draw.resumes)
        for group, options in self._config.items():
            config.setdefault(group, {}).update(options)
        return {'uuid': self._guest.uuid, 'name': self._guest.name,
                'vm_state': 'paused' if paused else 'active',
                'power_state': 'paused' if paused else 'running',
                'shared': self._draw.shared, 'config': config, 'volumes': 1}

    def _await_compute(self, role):
        if self._timeline.wait(
                lambda event: event['lane'] == 'compute' and
                event['where'] == role and event['what'] == 'initialized',
                time.time() + 30) is None:
            raise errors.KeeptrackError(
                'nova-compute on the %s does not come up' % role)

    def _end_computes(self):
        for role in history.ROLES:
            self._computes.kill(role)

    # what is seen

    def _on_guest(self, when, role, state, why):
        self._timeline.note(role, 'guest', state, why or state, when=when)

    def _on_daemon(self, when, role, state):
        self._timeline.note(role, 'daemon', state,
                            'libvirtd is %s' % state, when=when)

    def _on_job(self, when, role, status):
        self._timeline.note(role, 'job', status, 'migration: %s' % status,
                            when=when)

    def _poll(self):
        while not self._stopped.wait(POLL):
            record = self._computes.record()
            if record == self._record:
                continue
            now = time.time()
            self._note_parking(record, now)
            self._record = record
            self._timeline.note('drill', 'record', 'record', ', '.join(
                '%s %s' % (name, record[name]) for name in
                ('host', 'vm_state', 'task_state', 'power_state')) + (
                    '; fault: %s' % record['fault'] if record['fault']
                    else ''), record, when=now)

    def _is_parked(self, record):
        return self._parks and verdict.is_parked(record)

    def _note_parking(self, record, now):
        was = self._record is not None and self._is_parked(self._record)
        if self._is_parked(record) and not was:
            self._parked.append([now, None])
        elif was and not self._is_parked(record):
            self._parked[-1][1] = now

    # the migration and the fault

    def _act(self, scene):
        self._timeline.note('drill', 'migrate', 'asked',
                            'Nova is asked to migrate the guest')
        self._computes.migrate()
        struck = self._await_moment()
        fault = self._draw.fault
        if struck is not None and fault.inject is not faults.nothing:
            self._tell('injected', fault.title)
            fault.inject(scene)
        self._end_fault(scene, struck)
        self._settle(time.time() + self._patience)
        if self._has_two():
            self._await_suspension()
            self._tell('operator', "an operator ends the destination's copy")
            scene.end_copy('destination')
            self._healed = time.time()
            self._settle(time.time() + self._patience)

    def _await_suspension(self):
        """Give Nova the time to suspend the destination's copy."""
        began = time.time()
        self._timeline.wait(
            lambda event: event['lane'] == 'guest' and
            event['where'] == 'destination' and event['t'] > began and
            event['what'] != history.RUNNING,
            began + (SUSPENDS_WITHIN if self._both_run() else 0))

    def _both_run(self):
        past = history.History(self._timeline.since(0), time.time())
        return all(past.guest(role, past.ends) == history.RUNNING
                   for role in history.ROLES)

    def _tell(self, what, text):
        self._timeline.note('drill', 'fault', what, text)

    def _await_moment(self):
        """Wait until the fault is due; tell when it was."""
        until = time.time() + BEGINS_WITHIN
        moment, delay = self._draw.moment, self._draw.delay
        if moment == faults.BEFORE:
            due = time.time() + delay
        else:
            event = self._timeline.wait(self._begins(moment, delay), until)
            if event is None:
                return None
            due = event['t'] + delay
            if moment == faults.SWITCH and delay < 0:
                due += COPY_TAKES
        time.sleep(max(0, due - time.time()))
        return time.time()

    @staticmethod
    def _begins(moment, delay):
        """What a moment begins with: a test for events."""
        if moment == faults.COPY or moment == faults.SWITCH and delay < 0:
            return lambda event: (event['lane'] == 'job' and
                                  event['where'] == 'source' and
                                  event['what'] == 'active')
        if moment == faults.SWITCH:
            return lambda event: (event['lane'] == 'job' and
                                  event['where'] == 'source' and
                                  event['what'] in ('device', 'pre-switchover',
                                                    'completed'))
        if moment == faults.AFTER:
            return lambda event: (event['lane'] == 'guest' and
                                  event['where'] == 'destination' and
                                  event['what'] in ('running', 'paused'))
        return lambda event: (event['lane'] == 'migrate' and
                              event['what'] in ('end', 'raise'))

    def _end_fault(self, scene, struck):
        fault, lasts = self._draw.fault, self._draw.lasts
        if struck is None:
            self._tell('missed', 'the moment for the fault did not come')
        elif lasts == faults.SETTLED:
            self._settle(time.time() + DECIDES_WITHIN, parked_will_do=True)
        elif lasts != faults.NEVER:
            time.sleep(lasts)
        if struck is not None and fault.heal is not faults.nothing:
            fault.heal(scene)
            self._tell('healed', 'over: %s' % fault.title)
            self._healed = time.time()

    def _settle(self, until, parked_will_do=False):
        """Wait until the record is settled and has not changed for a time."""
        while time.time() < until:
            record = self._record
            changed = self._timeline.last('record') or 0
            if (record is not None and time.time() - changed > QUIET and
                    self._is_over() and
                    (verdict.is_settled(record) or
                     (parked_will_do or self._has_two()) and
                     self._is_parked(record))):
                return
            time.sleep(0.1)

    def _is_over(self):
        """Tell whether the migration that was asked for has begun to end."""
        return self._timeline.wait(
            lambda event: event['lane'] == 'callback' or
            event['lane'] in ('call', 'compute') and
            event['what'] in ('raise', 'gone') or
            event['lane'] == 'call' and
            event['data'].get('method') == 'live_migration' and
            event['data'].get('phase') == 'end', 0) is not None

    def _has_two(self):
        past = history.History(self._timeline.since(0), time.time())
        return (bool(past.both_ran()) and
                all(past.guest(role, past.ends) in ('running', 'paused')
                    for role in history.ROLES))

    # after

    def _result(self, began, zero, error):
        now = time.time()
        zero = now if zero is None else zero
        events = self._timeline.since(zero)
        past = history.History(events, now - zero)
        if error is None:
            found = verdict.judge(events, now - zero, self._parks)
        else:
            found = verdict.Verdict(verdict.NOT_RUN, error, [], None, False)
        free = None
        settled = self._timeline.last('record')
        if self._healed and found.verdict != verdict.PARKED and settled:
            free = round(max(0, settled - self._healed), 2)
        return {
            'fault': self._draw.fault.name, 'moment': self._draw.moment,
            'delay': round(self._draw.delay, 3), 'seed': self._draw.seed,
            'lasts': (self._draw.lasts if isinstance(self._draw.lasts, str)
                      else round(self._draw.lasts, 3)),
            'shared': self._draw.shared, 'resumes': self._draw.resumes,
            'verdict': found.verdict, 'unseen': found.unseen,
            'broken': found.broken, 'why': found.why,
            'parked': self._parked_seconds(now), 'free': free,
            'seconds': round(now - began, 2),
            'overlap': found.overlap and round(found.overlap, 2),
            'truth': {role: past.guest(role, past.ends)
                      for role in history.ROLES},
            'record': self._record, 'timeline': events,
        }

    def _parked_seconds(self, now):
        if not self._parked:
            return None
        return round(sum((ends or now) - begins
                         for begins, ends in self._parked), 2)
