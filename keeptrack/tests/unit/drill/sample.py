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

"""Fabricated results of drills: made up, and the same on every call."""

import random

from keeptrack.drill.checker import verdict
from keeptrack.drill import faults as faults_mod

TREES = (
    {'name': 'juno-eol', 'release': '2014.2.4', 'series': False,
     'commit': '1111111111111111111111111111111111111111'},
    {'name': 'juno-eol + series', 'release': '2014.2.4', 'series': True,
     'commit': '1111111111111111111111111111111111111111'},
    {'name': '7dd6a4a', 'release': '2015.1.0', 'series': False,
     'commit': '7dd6a4a193110000000000000000000000000000'},
)

_OTHER = {'source': 'destination', 'destination': 'source'}


def results(runs=4, trees=TREES, faults=faults_mod.FAULTS, noise=30):
    """Make results up.

    :param runs: of each fault on each tree (int)
    :param trees: the trees, as the schema has them
    :param faults: the faults (faults.Fault)
    :param noise: lines of log in each run (int)
    """
    made = {
        'schema': 'keeptrack-drill/1', 'made': '2026-11-23T22:00:00Z',
        'machine': {'kvm': True, 'libvirt': '9.0.0', 'qemu': '7.2.9',
                    'cpus': 2},
        'trees': [dict(tree) for tree in trees],
        'faults': [{'name': fault.name, 'title': fault.title}
                   for fault in faults],
        'runs': []}
    for fault in faults:
        for tree in trees:
            for number in range(runs):
                made['runs'].append(_Run(fault, tree, number, noise).made())
    return made


def _outcome(fault, series, number, chance):
    """What comes of a run: the name of one of _Run's endings."""
    if fault.name == 'source-qemu-killed':
        return 'nowhere'
    if fault.name in ('none', 'paused-guest'):
        return 'finish'
    if fault.name == 'destination-libvirtd-stalled' and number % 3:
        return 'double'
    if fault.name in ('job-aborted', 'destination-refuses',
                      'destination-qemu-killed'):
        return 'stay'
    if series:
        return chance.choice(('finish', 'finish', 'stay', 'park'))
    return chance.choice(('finish', 'misplace', 'misplace', 'stay'))


class _Run:
    """One run, made up step by step."""

    def __init__(self, fault, tree, number, noise):
        self._chance = random.Random('%s/%s/%d' % (
            fault.name, tree['name'], number))
        same = random.Random('%s/%d' % (fault.name, number))
        self._fault, self._tree = fault, tree
        self._series = tree['series']
        self._events = []
        self._record = {'host': 'source', 'node': 'kt0-a',
                        'vm_state': 'active', 'task_state': None,
                        'power_state': 'running', 'fault': None}
        self._now = {'source': 'running', 'destination': 'absent'}
        self._noise = noise
        self._made = {
            'tree': tree['name'], 'fault': fault.name,
            'moment': same.choice(fault.moments),
            'delay': round(same.uniform(0, 2), 3),
            'seed': '5/%s/%d' % (fault.name, number),
            'shared': same.random() < 0.5, 'verdict': verdict.RIGHT,
            'unseen': False, 'broken': [], 'why': '', 'parked': None,
            'free': None, 'overlap': None}
        self._number = number

    def made(self):
        """The run (dict)."""
        ending = _outcome(self._fault, self._series, self._number,
                          self._chance)
        self._begin()
        switch = round(self._chance.uniform(2.2, 2.9), 4)
        strike = switch + self._chance.choice((-1.3, -0.05, 0.9))
        ends = getattr(self, '_' + ending)(switch, strike)
        for _ in range(self._noise):
            when = self._chance.uniform(0, ends)
            self._add(when, self._chance.choice(tuple(_OTHER)), 'log',
                      'warning', 'Made-up warning number %d of the driver'
                      % self._chance.randrange(90))
        self._events.sort(key=lambda event: event['t'])
        self._made.update(
            seconds=round(ends + 3.1, 2), truth=dict(self._now),
            record=dict(self._record), timeline=self._events,
            why=self._made['why'] or '%(vm_state)s, task %(task_state)s, '
            'power %(power_state)s on the %(host)s' % self._record)
        return self._made

    # single events

    def _add(self, when, where, lane, what, text, **data):
        self._events.append({'t': round(when, 4), 'where': where,
                             'lane': lane, 'what': what, 'text': text,
                             'data': data})

    def _guest(self, when, where, what, text=''):
        self._now[where] = what
        self._add(when, where, 'guest', what, text or what)

    def _say(self, when, **changes):
        self._record.update(changes)
        self._add(when, 'drill', 'record', 'record', ', '.join(
            '%s %s' % item for item in self._record.items()), **self._record)

    def _call(self, when, ends, where, method, error=None, lane='call'):
        self._add(when, where, lane, 'begin', '%s begins' % method,
                  method=method, phase='begin')
        if ends is not None:
            phase = 'raise' if error else 'end'
            self._add(ends, where, lane, phase, '%s: %s' % (method, phase),
                      method=method, phase=phase,
                      **({'error': error} if error else {}))

    def _strike(self, when, lasts, role=None):
        self._add(when, 'drill', 'fault', 'injected', self._fault.title)
        if lasts:
            self._add(when + lasts, 'drill', 'fault', 'healed',
                      'over: %s' % self._fault.title)
        name = self._fault.name
        for host in _OTHER:
            if not name.startswith((host, 'both')) or role not in (None,
                                                                   host):
                continue
            down = 'stalled' if 'stalled' in name else 'down'
            lane = 'compute' if 'compute' in name else 'daemon'
            self._add(when + 0.002, host, lane,
                      'gone' if lane == 'compute' else down, '')
            if lasts:
                self._add(when + lasts, host, lane, 'up', '')
                if lane == 'compute':
                    self._add(when + lasts + 0.2, host, lane, 'initialized',
                              '')

    # the parts of a run

    def _begin(self):
        for host in _OTHER:
            self._add(-0.9, host, 'daemon', 'up', 'libvirtd answers')
            self._add(-0.8, host, 'compute', 'up', 'nova-compute begins')
            self._add(-0.5, host, 'compute', 'initialized', 'init_host over')
        self._guest(-1.0, 'source', 'running')
        self._guest(-1.0, 'destination', 'absent')
        self._say(-0.4)
        self._say(-0.02, task_state='migrating')
        self._add(-0.01, 'drill', 'migrate', 'asked', 'Nova is asked')
        self._add(0.0, 'source', 'call', 'begin', 'live_migration begins',
                  method='live_migration', phase='begin')
        self._call(0.02, 0.3, 'source', 'pre_live_migration', lane='rpc')
        self._call(0.03, 0.29, 'destination', 'pre_live_migration')
        for at, what in enumerate(('volume', 'network', 'vif')):
            self._add(0.05 + at * 0.07, 'destination', 'setup', what,
                      '%s connected' % what)
        self._add(0.32, 'source', 'migrate', 'begin', 'migrateToURI2')
        self._guest(0.5, 'destination', 'incoming')
        for host in _OTHER:
            for at, what in enumerate(('setup', 'active')):
                self._add(0.52 + at / 20, host, 'job', what,
                          'migration: %s' % what)

    def _switch(self, when):
        self._guest(when, 'source', 'paused', 'switching over')
        self._guest(when + 0.033, 'destination', 'running')
        for host in _OTHER:
            self._add(when + 0.03, host, 'job', 'completed',
                      'migration: completed')
        self._event(when + 0.04, 'source', 'paused')
        self._event(when + 0.06, 'destination', 'resumed')

    def _event(self, when, where, what):
        self._add(when, where, 'event', what, '%s (migrated)' % what,
                  reason='migrated')
        self._call(when + 0.001, when + 0.02, where,
                   'handle_lifecycle_event')

    def _leave(self, when, error=None):
        self._guest(when, 'source', 'absent')
        self._event(when + 0.01, 'source', 'stopped')
        self._add(when + 0.02, 'source', 'migrate',
                  'raise' if error else 'end', error or 'returned',
                  **({'error': error} if error else {}))

    def _take_down(self, when, where, **data):
        for at, what in enumerate(('volume', 'network', 'vif')):
            self._add(when + at * 0.05, where, 'teardown',
                      what + '-disconnected', '%s disconnected' % what,
                      **data)

    def _struck(self, strike, lasts):
        if self._fault.strike is not faults_mod.nothing:
            self._strike(strike, lasts)

    # endings; each returns when the last thing happens

    def _finish(self, switch, strike):
        self._struck(strike, 1.1)
        self._switch(switch)
        over = switch + 1.83
        self._leave(over)
        self._add(over + 0.025, 'source', 'callback', 'post', 'post_method')
        self._call(over + 0.03, over + 0.6, 'source', '_post_live_migration')
        self._take_down(over + 0.05, 'source')
        self._call(over + 0.3, over + 0.58, 'source',
                   'post_live_migration_at_destination', lane='rpc')
        self._call(over + 0.31, over + 0.57, 'destination',
                   'post_live_migration_at_destination')
        self._say(over + 0.5, host='destination', task_state=None)
        self._add(over + 0.62, 'source', 'call', 'end', '',
                  method='live_migration', phase='end')
        return over + 4

    def _roll_back(self, when, error, raised=False):
        if not raised:
            self._add(when, 'source', 'migrate', 'raise', error, error=error)
        self._add(when + 0.01, 'source', 'callback', 'recover',
                  'recover_method')
        self._call(when + 0.02, when + 0.7, 'source',
                   '_rollback_live_migration')
        self._call(when + 0.2, when + 0.6, 'destination',
                   'rollback_live_migration_at_destination')
        self._add(when + 0.19, 'source', 'rpc', 'begin',
                  'rollback_live_migration_at_destination is cast',
                  method='rollback_live_migration_at_destination',
                  phase='begin', call=False)
        # as the verdict marks it
        harm = self._now['destination'] == 'running'
        self._take_down(when + 0.25, 'destination',
                        **({'harm': 'I1'} if harm else {}))
        self._add(when + 0.72, 'source', 'call', 'raise', error,
                  method='live_migration', phase='raise', error=error)

    def _stay(self, switch, strike):
        self._struck(switch - 0.8, 1.5)
        self._guest(switch - 0.6, 'destination', 'absent')
        self._add(switch - 0.6, 'source', 'job', 'failed', '')
        self._roll_back(switch - 0.5, 'operation failed: job: unexpected')
        self._say(switch + 0.1, task_state=None)
        return switch + 3.5

    def _misplace(self, switch, strike):
        self._struck(strike, None)
        self._switch(switch)
        over = switch + 1.83
        self._leave(over, 'Unable to read from monitor')
        self._roll_back(over + 0.03, 'Unable to read from monitor', True)
        self._say(over + 0.6, task_state=None)
        self._say(over + 1.9, vm_state='stopped', power_state='shutdown')
        broken = ['I1: %s disconnected on the destination while the guest '
                  'was running there' % what for what in ('volume', 'network')]
        self._made.update(
            verdict=verdict.LOST, broken=broken + [
                'I2: the record named the source and no task for 3.4 s while '
                'the guest was on the destination only'],
            why='the guest is running on the destination; recorded as '
                'stopped, task None, power shutdown on the source')
        return over + 4

    def _park(self, switch, strike):
        self._strike(strike, 5.2)
        self._switch(switch)
        over = switch + 1.83
        self._leave(over, 'Cannot recv data: Connection reset by peer')
        self._add(over + 0.03, 'source', 'callback', 'recover', '')
        reason = 'the destination cannot be asked where the guest is'
        self._say(over + 2.1, vm_state='error', fault=reason)
        if self._chance.random() < 0.3:
            self._made.update(verdict=verdict.PARKED, parked=9.4,
                              why='parked: %s' % reason)
            return over + 11
        free = strike + 5.2 + round(self._chance.uniform(0.4, 1.9), 2)
        free = max(free, over + 2.6)
        self._call(free - 0.2, free + 0.1, 'source', '_look_for_parked_guests')
        self._say(free, host='destination', vm_state='active',
                  task_state=None)
        self._made.update(parked=round(free - over - 2.1, 2),
                          free=round(free - strike - 5.2, 2))
        return free + 3.5

    def _double(self, switch, strike):
        self._strike(switch - 0.02, 4.0, 'destination')
        self._guest(switch, 'source', 'paused', 'switching over')
        self._guest(switch + 0.03, 'destination', 'paused')
        self._guest(switch + 2.1, 'source', 'running', 'canceled')
        self._guest(switch + 4.01, 'destination', 'running')
        self._add(switch + 2.11, 'source', 'migrate', 'raise', '',
                  error='operation failed: lost connection')
        if not self._series:
            self._roll_back(switch + 2.12, 'lost connection', True)
            self._say(switch + 2.8, task_state=None)
            self._made.update(
                verdict=verdict.LOST, unseen=True, overlap=4.1,
                broken=['a split brain of 4.1 s that Nova has not reported'],
                why='a split brain of 4.1 s that Nova has not reported')
            return switch + 8.1
        self._say(switch + 2.2, vm_state='error', fault='being looked at')
        self._add(switch + 4.4, 'source', 'log', 'error',
                  'Two copies of the guest run: suspending the one on the '
                  'destination')
        self._guest(switch + 4.5, 'destination', 'paused', 'suspended')
        self._add(switch + 4.5, 'destination', 'teardown',
                  'domain-suspended', 'the second copy suspended')
        self._say(switch + 4.6, fault='two copies ran')
        self._made.update(verdict=verdict.SPLIT_BRAIN, overlap=0.49,
                          parked=6.2, why='parked: two copies ran')
        return switch + 8.5

    def _nowhere(self, switch, strike):
        self._struck(switch - 1, None)
        for host in _OTHER:
            self._guest(switch - 0.99, host, 'absent')
        self._event(switch - 0.9, 'source', 'stopped')
        self._roll_back(switch - 0.8, 'Unable to read from monitor')
        self._say(switch, task_state=None, vm_state='stopped',
                  power_state='shutdown')
        return switch + 3.5
