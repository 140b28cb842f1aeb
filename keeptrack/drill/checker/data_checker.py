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

"""Checks what became of a guest's data in a run.

Pure: it compares the records that the guest was told are on its disk with
what the disks hold in the end, and knows neither Nova nor libvirt.  It judges
by them alone; what Nova's record says beside where the guest was is the
business of verdict.py.
"""

import collections
import dataclasses

from keeptrack.drill import history
from keeptrack.drill.recorders import serial_port

KEPT = 'kept'
DOUBLED = 'doubled'      # both copies wrote
BROKEN = 'broken off'    # a running guest lost its disk, or was ended
LOST = 'lost'

#: from good to bad
VERDICTS = (KEPT, DOUBLED, BROKEN, LOST)

# seconds: a copy that has written so long ago still writes ...
_WRITES = 1.0
# ... and one whose last record is so old may have been ended by what came then
_ENDED = 0.3

#: seconds without a record that end a stretch of the time line
PAUSE = 0.25


@dataclasses.dataclass
class Data:
    """What became of the data.

    :ivar verdict: one of VERDICTS
    :ivar why: a line for people (str)
    :ivar broken: what happened of what may never happen (list of str)
    :ivar acknowledged: records, those of both copies (int)
    :ivar lost: acknowledged records of the copy that Nova records, which its
        disk does not hold (int)
    :ivar overwritten: the same, where it holds what the other copy wrote (int)
    :ivar given_up: records that only the other copy has acknowledged, which
        went with it (int)
    :ivar doubled: sequence numbers acknowledged with two nonces (int)
    :ivar doubled_for: seconds that both copies went on so (float), or None
    :ivar one_disk: and that was one disk (bool)
    :ivar failed: writes that the disk refused (int)
    :ivar downtime: the longest silence between two records, seconds (float),
        or None
    :ivar left: disks that are left on a host without the guest (list of
        roles)
    """

    verdict: str
    why: str
    broken: list
    acknowledged: int
    lost: int
    overwritten: int
    given_up: int
    doubled: int
    doubled_for: float
    one_disk: bool
    failed: int
    downtime: float
    left: list

    def as_dict(self):
        """What results say of it (dict)."""
        return dataclasses.asdict(self)


def check(lines, disks, host, timeline, ends, one_disk=False):
    """Check the data of a run.

    :param lines: what the guest has printed: list of serial_port.Line, their
        times in the time line's seconds
    :param disks: the disk of the instance as each host sees it in the end:
        dict of role to records, see writing_guest.records()
    :param host: the role of the host that Nova records
    :param timeline: the run's events (list of dict)
    :param ends: when the disks were read, in the time line's seconds (float)
    :param one_disk: both hosts see one disk (bool)
    :returns: a Data
    """
    lines = sorted(lines, key=lambda line: line.when)
    written = [line for line in lines if line.kind == serial_port.ACKNOWLEDGED]
    twice = _doubled(written)
    fork = min(twice, default=None)
    disk = disks.get(host)
    lost, overwritten = _missing(written, disk or {}, host, fork)
    others = {(line.number, line.nonce) for line in written
              if fork is not None and line.role != host and
              line.number >= fork and
              (disk or {}).get(line.number) != line.nonce}
    failed = [line for line in lines if line.kind == serial_port.FAILED]
    broken = (_lost(lost, disk, host) + _deleted(written, disks, host) +
              _failed(failed) + _memory(lines) +
              _ended(written, timeline) + _silent(written, timeline, ends) +
              _until_operator(written, twice, timeline))
    doubled_for = _together(written, fork)
    verdict, why = _verdict(lost, broken, twice, doubled_for, one_disk,
                            overwritten, len(written))
    return Data(verdict, why, broken, len(written), lost, overwritten,
                len(others), len(twice), doubled_for,
                one_disk and bool(twice), len(failed), _downtime(written),
                [] if one_disk else
                [role for role in history.ROLES
                 if role != host and disks.get(role) is not None])


def _doubled(written):
    """The sequence numbers acknowledged with more than one nonce (set)."""
    nonces = collections.defaultdict(set)
    for line in written:
        nonces[line.number].add(line.nonce)
    return {number for number, found in nonces.items() if len(found) > 1}


def _missing(written, disk, host, fork):
    """The records of the recorded copy that its disk does not hold.

    :returns: how many are lost, and how many hold what the other copy has
        written there (tuple of int)
    """
    wanted = {line.number: line.nonce for line in written
              if fork is None or line.number < fork or line.role == host}
    lost = overwritten = 0
    for number, nonce in wanted.items():
        found = disk.get(number)
        if found == nonce:
            continue
        # one that was written and not acknowledged yet is the other copy's too
        if found is not None and fork is not None and number >= fork:
            overwritten += 1
        else:
            lost += 1
    return lost, overwritten


def _lost(lost, disk, host):
    if not lost:
        return []
    return ['%d acknowledged records are lost: %s' % (
        lost, 'there is no disk on the %s' % host if disk is None else
        'the disk on the %s does not hold them' % host)]


def _deleted(written, disks, host):
    """A disk is gone that alone held acknowledged records."""
    found = []
    for role, disk in disks.items():
        if disk is not None or role == host:
            continue
        alone = {(line.number, line.nonce) for line in written
                 if line.role == role and
                 (disks.get(host) or {}).get(line.number) != line.nonce}
        if alone:
            found.append('the disk on the %s was deleted, which alone held '
                         '%d acknowledged records' % (role, len(alone)))
    return found


def _failed(failed):
    return ['%d writes have failed on the %s' % (count, role)
            for role, count in sorted(collections.Counter(
                line.role for line in failed).items())]


def _memory(lines):
    bad = sum(line.kind == serial_port.MEMORY for line in lines)
    return ['%d pages of memory were not as the guest left them' % bad
            ] if bad else []


def _writes(written, role, when, within=_WRITES):
    """Tell whether a copy has written within some seconds before (bool)."""
    return any(line.role == role and when - within <= line.when <= when
               for line in written)


def _ended(written, timeline):
    """Nova has ended a copy that wrote, and no other one did."""
    return ['the only copy that wrote was ended on the %s' % event['where']
            for event in timeline
            if event['lane'] == 'teardown' and
            event['what'] == 'domain-destroyed' and
            _writes(written, event['where'], event['t'], _ENDED) and
            not _writes(written, history.other(event['where']), event['t'])]


def _silent(written, timeline, ends):
    """A guest that runs writes."""
    past = history.Past(timeline, ends)
    running = [role for role in history.ROLES
               if all(past.guest(role, when) == history.RUNNING
                      for when in (ends - 2 * _WRITES, ends))]
    return ['the guest runs on the %s and writes nothing' % role
            for role in running
            if not _writes(written, role, ends, 2 * _WRITES)]


def _until_operator(written, twice, timeline):
    """Both copies went on until somebody else ended one."""
    return ['both copies wrote until an operator came'
            for event in timeline
            if twice and event['lane'] == 'fault' and
            event['what'] == 'operator' and
            all(_writes(written, role, event['t'])
                for role in history.ROLES)]


def _together(written, fork):
    """Seconds that both hosts acknowledged records since they parted."""
    if fork is None:
        return None
    spans = []
    for role in history.ROLES:
        times = [line.when for line in written
                 if line.role == role and line.number >= fork]
        if not times:
            # one host has written them twice
            return None
        spans.append((times[0], times[-1]))
    return round(max(0, min(last for _, last in spans) -
                     max(first for first, _ in spans)), 2)


def _downtime(written):
    times = [line.when for line in written]
    gaps = [after - before for before, after in zip(times, times[1:])
            if after >= 0]
    return round(max(gaps), 3) if gaps else None


def _verdict(lost, broken, twice, doubled_for, one_disk, overwritten, count):
    if lost or any('deleted' in what for what in broken):
        return LOST, broken[0]
    if any('failed' in what or 'memory' in what or 'ended' in what or
           'nothing' in what for what in broken):
        return BROKEN, broken[0]
    if twice:
        return DOUBLED, '%d records twice in %.1f s, on %s%s' % (
            len(twice), doubled_for or 0,
            'one disk' if one_disk else 'two disks',
            ', %d overwritten' % overwritten if overwritten else '')
    return KEPT, '%d records' % count


def events(lines):
    """What the time line shows of the lines of a run.

    :param lines: list of serial_port.Line, their times in the time line's
        seconds
    :returns: list of dict: when each host's copy wrote, from and to, and what
        else the guest has said
    """
    found = []
    lines = sorted(lines, key=lambda line: line.when)
    for role in history.ROLES:
        mine = [line for line in lines if line.role == role]
        found += _stretches(role, [line for line in mine
                                   if line.kind == serial_port.ACKNOWLEDGED])
        found += _remarks(role, mine)
    seen = {}
    for line in lines:
        if line.kind != serial_port.ACKNOWLEDGED:
            continue
        if seen.setdefault(line.number, line.nonce) != line.nonce:
            found.append(_event(line, 'doubled', 'the second copy has '
                                'written record %d' % line.number))
            break
    return found


def _stretches(role, written):
    found, last = [], None
    for line in written:
        if last is None or line.when - last.when > PAUSE:
            if last is not None:
                found.append(_event(last, 'end', '', phase='end'))
            found.append(_event(line, 'begin', '', phase='begin'))
        last = line
    if last is not None:
        found.append(_event(last, 'end', '', phase='end'))
    return found


# what a line says beside a record, once a second
_TEXTS = {serial_port.BOOTED: ('booted', 'the guest boots'),
          serial_port.FAILED: ('failed', 'a write has failed'),
          serial_port.MEMORY: ('memory', 'a page of memory has changed'),
          serial_port.FULL: ('full', 'the disk is full')}


def _remarks(role, lines):
    found, said = [], {}
    for line in lines:
        if line.kind not in _TEXTS or line.when - said.get(
                line.kind, -1e9) < 1:
            continue
        said[line.kind] = line.when
        what, text = _TEXTS[line.kind]
        found.append(_event(
            line, what, '%s: record %d' % (text, line.number)))
    return found


def _event(line, what, text, **data):
    if data:
        data = dict(data, method='writes', number=line.number)
        text = 'record %d acknowledged' % line.number
    return {'t': round(line.when, 4), 'where': line.role, 'lane': 'writes',
            'what': what, 'text': text, 'data': data}
