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
"""Judges a run: what Nova's record says beside where the guest was.

Pure: it reads a run's time line and knows neither Nova nor libvirt.  What may
never happen has the names of the design: I1 to I4.
"""

import dataclasses

from keeptrack.drill.checker import data_checker
from keeptrack.drill import history

RIGHT = 'right'
PARKED = 'parked'
WRONG = 'wrong'
LOST = 'lost'
SPLIT_BRAIN = 'split brain'    # both hosts ran the guest
NOT_RUN = 'not run'

# the parts of a cloud that may disagree with the guest in the end
PARTS = ('host', 'state', 'allocation', 'binding', 'attachment', 'disk',
         'data')

# what the services around Nova hold (see InstanceRecord.services): its part
_PART_OF = {'allocations': 'allocation', 'active port': 'binding',
            'port bindings': 'binding', 'volume attachments': 'attachment',
            'block device mapping': 'attachment'}

# Nova's record of an instance that it has deleted, as its API tells it
DELETED = 'deleted'

VERDICTS = (RIGHT, PARKED, SPLIT_BRAIN, WRONG, LOST, NOT_RUN)

# seconds that a record may lag behind the truth, or be read late
TOLERANCE = 0.3

# A user may start what is recorded so, if no task says that Nova is at it.
STARTABLE = ('stopped', 'error', 'shutoff')

# what Nova logs, or writes to the instance's fault, when both hosts ran the
# guest
SAID = ('split brain',)

# Migration.status while Nova still has to do something; "reverted": the source
# was rolled back, the destination could not be reached and is cleaned up later
NOT_ENDED = ('accepted', 'queued', 'preparing', 'pre-migrating', 'running',
             'running (post-copy)', 'post-migrating', 'reverted')

# What is done to a domain: nothing of these takes anything away from it, ...
SPARES = ('domain-suspended', 'domain-undefined')
# ... and these end it.
ENDS = ('domain-destroyed',)

# Reserved for a host, and not used by the copy there.  Nova gives it back when
# the other host, which runs the guest too, gets its instance back.
RESERVED = ('allocation-removed', 'port-unbound')


@dataclasses.dataclass
class Verdict:
    """What came of a run.

    :ivar verdict: one of VERDICTS
    :ivar why: a line for people (str)
    :ivar broken: what happened of what may never happen (list of str)
    :ivar overlap: seconds that both hosts ran the guest, or None
    :ivar unseen: a split brain that Nova has not reported (bool)
    :ivar leftover: what is left that has to be looked after, though the record
        is right (str), or None
    :ivar parts: what is wrong in the end, by the part of the cloud: one of
        PARTS to what it is (dict of str)
    :ivar data: what became of the guest's data (data_checker.Data), or None
    :ivar suspended: when one of the copies stopped running, seconds from the
        begin of the overlap (float), or None
    """

    verdict: str
    why: str
    broken: list
    overlap: float
    unseen: bool
    leftover: str = None
    suspended: float = None
    parts: dict = dataclasses.field(default_factory=dict)
    data: data_checker.Data = None


def is_parked(record):
    """Tell whether a record is that of a parked instance, with a reason."""
    return (record['vm_state'] == 'error' and
            record['task_state'] == 'migrating' and bool(record['fault']))


def is_settled(record):
    """Tell whether nothing is under way for the instance."""
    return record['task_state'] is None


def is_ended(record):
    """Tell whether the migration of a record has ended (bool)."""
    return record.get('migration') not in NOT_ENDED


def parking(past):
    """When the instance was parked.

    :param past: a history.Past
    :returns: list of tuples: begin, end (seconds, float); the last one's end
        is None where the instance still is
    """
    found = []
    for begins, ends, record in past.records():
        if not is_parked(record):
            continue
        if found and found[-1][1] == begins:
            begins = found.pop()[0]
        found.append((begins, ends))
    if found and found[-1][1] == past.ends:
        found[-1] = (found[-1][0], None)
    return found


def expected(home, state, paused=False):
    """What the record may say once all is over.

    :param home: the role of the host that holds the guest, or None
    :param state: the guest's there: "running" or "paused"
    :param paused: its user had paused the guest before (bool)
    :returns: dict: field to the tuple of values that are right
    """
    if home is None:
        return {'vm_state': ('stopped',), 'power_state': ('shutdown',),
                'task_state': (None,)}
    if state == history.RUNNING:
        return {'host': (home,), 'vm_state': ('active',),
                'power_state': ('running',), 'task_state': (None,)}
    # One that libvirt has left paused is Nova's to report, not to resume; and
    # Nova's own post_live_migration_at_destination of Juno makes one that its
    # user has paused active, with its power state paused.
    states = ('active', 'paused') if paused else ('active',)
    return {'host': (home,), 'vm_state': states, 'power_state': ('paused',),
            'task_state': (None,)}


def judge(timeline, ends, parks=True, paused=False, services=None,
          writes=None, disks=None, one_disk=False):
    """Judge a run.

    :param timeline: the run's events (list of dict)
    :param ends: when the run ended, in the time line's seconds (float)
    :param parks: the tree looks at parked instances again (bool)
    :param paused: the guest's user had paused it before (bool)
    :param services: what the services around Nova hold in the end, see
        instance_record.InstanceRecord.services (dict), or None
    :param writes: what a guest that writes has printed: list of
        serial_port.Line, their times in the time line's seconds; None of
        another guest
    :param disks: its disk as each host sees it in the end, see
        data_checker.check (dict)
    :param one_disk: both hosts see one disk (bool)
    :returns: a Verdict
    """
    past = history.Past(timeline, ends)
    record = past.record(ends)
    data = None
    if writes is not None and record and record['vm_state'] != DELETED:
        data = data_checker.check(writes, disks, record['host'], timeline,
                                  ends, one_disk)
    overlap = past.both_ran()
    unseen = bool(overlap) and not _said(timeline)
    broken = (_torn_down(past) + _misplaced(past) + _startable(past) +
              _stuck(past, parks) + _still_two(past))
    if unseen:
        broken.append('a split brain of %.1f s that Nova has not reported'
                      % overlap)
    verdict, why = _final(past, overlap, parks, paused)
    if verdict in (RIGHT, PARKED, SPLIT_BRAIN) and broken:
        verdict, why = WRONG, broken[0]
    if unseen or _ended_by_nova(past):
        verdict = LOST
    if broken and why not in broken:
        why = '%s; %s' % (broken[0], why)
    return Verdict(verdict, why, broken, overlap or None, unseen,
                   _leftover(past, paused, services), past.overlap_ended(),
                   _parts(past, overlap, parks, paused, services, data), data)


def _said(timeline):
    return any(said in (event.get('text') or '').lower() for said in SAID
               for event in timeline if event['lane'] in ('log', 'record'))


def _final(past, overlap, parks, paused):
    """The verdict on the last record alone."""
    record = past.record(past.ends)
    if record is None:
        return NOT_RUN, 'no record of the instance was read'
    homes = past.homes(past.ends)
    if record['vm_state'] == DELETED:
        return (WRONG, 'the guest is %s on the %s; deleted' % (
            past.guest(homes[0], past.ends), homes[0])) if homes else (
                RIGHT, 'deleted')
    told = '%s, task %s, power %s on the %s' % (
        record['vm_state'], record['task_state'], record['power_state'],
        record['host'])
    if parks and is_parked(record):
        return (SPLIT_BRAIN if overlap else PARKED,
                'parked: %s' % record['fault'])
    if len(homes) > 1:
        return WRONG, 'a copy on each host; recorded as %s' % told
    home = homes[0] if homes else None
    state = past.guest(home, past.ends) if home else 'nowhere'
    if paused and state == history.RUNNING:
        return WRONG, ('its user had paused the guest, and it runs on the %s; '
                       'recorded as %s' % (home, told))
    wanted = expected(home, state, paused)
    for field, values in wanted.items():
        if record[field] not in values:
            where = '%s on the %s' % (state, home) if home else 'nowhere'
            lost = home is not None and (
                field == 'host' or record['vm_state'] in STARTABLE[::2])
            return (LOST if lost else WRONG), (
                'the guest is %s; recorded as %s' % (where, told))
    return (SPLIT_BRAIN if overlap else RIGHT), told


def _parts(past, overlap, parks, paused, services, data):
    """What is wrong in the end, part by part (dict of str).

    A split brain that Nova has reported waits for an operator: everything of
    both copies has to stay, and only the data can be wrong.
    """
    found = {}
    record = past.record(past.ends)
    if data is not None and data.verdict in (data_checker.BROKEN,
                                             data_checker.LOST):
        found['data'] = data.why
    if record is None or overlap and parks and is_parked(record):
        return found
    homes = past.homes(past.ends)
    home = homes[0] if homes else None
    others = [role for role in history.ROLES if role != record['host'] and
              past.guest(role, past.ends) != history.ABSENT]
    if others:
        found['host'] = '%s on the %s; recorded on the %s' % (
            past.guest(others[0], past.ends), others[0], record['host'])
    wanted = {'vm_state': (DELETED,), 'task_state': (None,)} if (
        record['vm_state'] == DELETED) else expected(
            home, past.guest(home, past.ends) if home else None, paused)
    off = ['%s %s' % (field, record[field])
           for field in ('vm_state', 'task_state', 'power_state')
           if record[field] not in wanted.get(field, (record[field],))]
    if not is_ended(record):
        off.append('the migration is %s' % record['migration'])
    if off:
        found['state'] = ', '.join(off)
    # what serves a guest has to be where it is, whatever the record says
    there = record if len(homes) != 1 or record['vm_state'] == DELETED else (
        dict(record, host=home))
    for misfit in _misfits(there, services or {}):
        part = _PART_OF[misfit.partition(':')[0]]
        found.setdefault(part, misfit)
    if data is not None and data.left and not overlap:
        found['disk'] = 'a disk is left on the %s' % ', '.join(data.left)
    return found


def harms(past):
    """What was taken away from a guest that was there.

    :param past: a history.Past
    :returns: events of its time line (list of dict)
    """
    return [event for event in past.events('teardown')
            if event['what'] not in SPARES and not (
                event['what'] in RESERVED and past.guest(
                    history.other(event['where']), event['t']) ==
                history.RUNNING) and
            past.lives(event['where'], event['t'],
                       *[0] if event['what'] in ENDS else [])]


def _torn_down(past):
    """I1: what a guest uses was taken away while it was there."""
    return ['I1: %s on the %s while the guest was %s there' % (
        event['text'], event['where'],
        past.guest(event['where'], event['t'])) for event in harms(past)][:3]


def _misplaced(past):
    """I2: the record names a host without the guest; another runs it."""
    for begins, ends, record in past.records():
        if record['task_state'] is not None:
            continue
        for role in history.ROLES:
            if role == record['host']:
                continue
            alone = past.alone(role, begins, ends)
            if alone > TOLERANCE:
                return ['I2: the record named the %s and no task for %.1f s '
                        'while the guest was on the %s only' % (
                            record['host'], alone, role)]
    return []


def _startable(past):
    """I3: a user could have made a second copy."""
    for begins, ends, record in past.records():
        if (record['task_state'] is not None or
                record['vm_state'] not in STARTABLE):
            continue
        held = max(past.held(role, begins, ends) for role in history.ROLES
                   if role != record['host'])
        if held > TOLERANCE:
            return ['I3: %s and no task for %.1f s while the guest '
                    'was on the other host: a user could start a second '
                    'copy' % (record['vm_state'], held)]
    return []


def _stuck(past, parks):
    """I4: nothing will look at the instance again."""
    record = past.record(past.ends)
    if record is None or is_settled(record) or (
            parks and is_parked(record)):
        return []
    return ['I4: %s with the task %s, and nothing checks it again' % (
        record['vm_state'], record['task_state'])]


def _still_two(past):
    """Both copies went on running until somebody else ended one."""
    return ['both copies still ran %.1f s after they had begun to, when an '
            'operator came' % past.both_ran(event['t'])
            for event in past.events('fault')
            if event['what'] == 'operator' and
            all(past.guest(role, event['t']) == history.RUNNING
                for role in history.ROLES)]


def _leftover(past, paused, services):
    """What somebody has to look after, though the record may be right."""
    homes = past.homes(past.ends)
    left = ['%s on the %s' % (
        'an empty domain' if past.guest(role, past.ends) == history.INCOMING
        else 'a paused copy', role) for role in history.ROLES
        if role not in homes and
        past.guest(role, past.ends) != history.ABSENT]
    if len(homes) == 1 and not paused and past.guest(
            homes[0], past.ends) == history.PAUSED:
        left.append('the guest is paused')
    record = past.record(past.ends)
    if record is not None:
        if not is_ended(record):
            left.append('the migration is %s' % record['migration'])
        left += _misfits(record, services or {})
    return ', '.join(left) or None


def _misfits(record, services):
    """Say what the services around Nova hold for a host other than Nova's.

    That is a leftover, or what a later operation on the instance fails by.
    """
    wanted = [record['host']] if record['host'] else []
    return ['%s: %s instead of %s' % (name, ', '.join(found) or 'none',
                                      record['host'])
            for name, found in services.items() if found != wanted]


def _ended_by_nova(past):
    """Tell whether Nova has destroyed the only copy."""
    return any(event['what'] in ENDS and
               past.lives(event['where'], event['t'], 0) and
               past.guest(history.other(event['where']), event['t']) !=
               history.RUNNING for event in past.events('teardown'))
