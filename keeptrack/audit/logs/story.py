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

"""One instance's signs in order, over all hosts, cut into migrations.

A migration is told by its source host: by what Nova says there of how it
ended, or by a nova-compute that starts in the middle of it.  All that the
rules of judgement.py ask is answered here as a fact.
"""

import dataclasses
import math

from keeptrack.audit import host_name
from keeptrack.audit.logs import timeline

# seconds that signs of one end may be apart: libvirt's error, Nova's words,
# a rollback with slow volumes
TOGETHER = 120

# seconds before the first word of an end in which the guest may have moved:
# keepalives of the default length take 30
BEFORE = 120

# seconds after it in which a copy may begin to run, or Nova finish
AFTER = 180

# seconds after it in which a power-state sync (every ten minutes) is of it
LATER = 1500

# seconds in which a finish has to follow where nothing has failed: less says
# nothing, and after the second it is no longer slow volumes
SLOW = 30
VERY_SLOW = 120

# seconds before Nova says that it has ended a guest, and after it, in which
# libvirt's event of that is told: it is held back for 15
STOP_BEFORE = 2
STOP_AFTER = 20

ENDS = ('failed', 'cancelled', 'reset', 'pre-failed')
LIFECYCLE = ('started', 'resumed', 'paused', 'stopped', 'left')


@dataclasses.dataclass
class Migration:
    """One migration that did not simply go well, and its facts.

    :ivar source: host (str)
    :ivar destination: host where a copy was seen, or that Nova names (str),
                       or None
    :ivar first: time of the first word of its end (float)
    :ivar last: and of the last (float)
    :ivar facts: what holds, as judgement.py names it (set of str)
    :ivar events: what shows it, in order (list of scanning.Event)
    """

    source: str
    destination: str | None
    first: float
    last: float
    facts: set
    events: list


class Story:
    """What the logs tell of one instance.

    :param events: list of scanning.Event of one instance
    :param covered: dict of host to list of (first, last): the time that its
                    logs cover
    :param allowance: seconds that clocks of two hosts may be apart (float)
    """

    def __init__(self, events, covered, allowance):
        self._events = timeline.Timeline(dict.fromkeys(events))
        self._covered, self._allowance = covered, allowance

    def migrations(self):
        """Those that have to be judged (list of Migration)."""
        found = [self._migration(group) for group in self._groups()]
        for one in self._finished_badly() + self._silent():
            if all(abs(one.first - other.first) > BEFORE + AFTER
                   for other in found):
                found.append(one)
        return found

    def _groups(self):
        """Words of an end that belong together, by source host."""
        groups, newest = [], {}
        for event in self._events:
            if event.sign not in ENDS:
                continue
            group = newest.get(event.host)
            if group is None or event.when - group[-1].when > TOGETHER:
                group = newest[event.host] = []
                groups.append(group)
            group.append(event)
        return groups

    def _migration(self, group):
        source, first, last = group[0].host, group[0].when, group[-1].when
        early, late = first - BEFORE, last + AFTER
        named = self._named(source, late)
        ended = self._ended_by_nova(source, first, late)
        until = min(ended, default=math.inf)
        arrived = self._arrival(source, early, late, until)
        destination = arrived.host if arrived else self._started(
            source, early, min(late, until)) or named
        facts = {event.sign for event in group}
        facts |= self._here(source, first, early, late, ended)
        facts |= self._there(source, destination, arrived, late)
        if any(begin <= first <= end for host, times in self._covered.items()
               if host != source for begin, end in times):
            facts.add('others-read')
        facts |= self._taken_over(source, destination, early, late)
        return Migration(source, destination, first, last, facts,
                         self._between(early, last + LATER,
                                       {source, destination}))

    def _finished_badly(self):
        """Nothing has failed, but the last finish was not all of it."""
        event = self._events.last(None, ('posted',))
        if event is None:
            return []
        migration = self._migration([event])
        return [migration] if migration.facts & {
            'unfinished', 'not-taken-over', 'still-migrating'} else []

    def _silent(self):
        """A guest that has arrived, and a source that says nothing of it."""
        for event in self._events.of(None, ('resumed',)):
            for source in self._events.hosts - {event.host}:
                arrived = self._arrival(source, event.when, event.when)
                if arrived is None or not self._has_left(source, event):
                    continue
                facts = {'silent', 'covered'} | self._here(
                    source, event.when, event.when - BEFORE,
                    event.when + AFTER, []) | self._there(
                        source, event.host, arrived, event.when + AFTER)
                return [Migration(
                    source, event.host, event.when, event.when, facts,
                    self._between(event.when - BEFORE, event.when + LATER,
                                  {source, event.host}))]
        return []

    def _has_left(self, source, arrived):
        """Whether it was here that a guest has left which runs elsewhere.

        Nova says so itself where the record was never moved: it misses the
        guest, or starts it again. One that had stopped there before that was
        brought here in another way.
        """
        when = arrived.when
        missed = self._events.of(source, ('absent', 'restarted'), when,
                                 when + LATER)
        if missed and not self._events.of(
                arrived.host, ('stopped', 'destroyed'), when, missed[0].when):
            return True
        near = 15 + self._allowance
        # one that only stops may be resized, and starts there again
        left = self._events.of(source, ('paused', 'left', 'began'),
                               when - near, when + near)
        watched = self._events.of(source, ('watched',), when - BEFORE,
                                  when + near)
        return bool((left or watched) and
                    self._last_seen(source) - when >= SLOW)

    def _between(self, early, late, hosts):
        return [one for one in self._events.between(
            early - self._allowance, late + self._allowance)
            if one.host in hosts]

    def _named(self, source, late):
        """The destination that Nova names on the source, as a host of ours."""
        for event in reversed(self._events.of(
                source, ('began', 'finished', 'pre-failed'), late=late)):
            for host in self._covered:
                if host != source and event.detail and (
                        host_name.short(host) ==
                        host_name.short(event.detail)):
                    return host
        return None

    def _ended_by_nova(self, source, first, late):
        """When Nova itself has ended the guest on the source (list of float).

        A user's stop, a shelve or a cold migration: where the guest runs
        afterwards, nothing has lost it. After a power-state sync it was
        nobody's will, and a guest that starts here again may still be lost.
        """
        return [one.when for one in self._events.of(
            source, ('destroyed',), first, late) if not self._events.of(
                source, ('sync-stop', 'restarted', 'posted'), first, one.when)
            and not self._events.of(source, ('started',), one.when, late)]

    def _started(self, source, early, late):
        return next((one.host for one in self._events.of(
            None, ('started',), early, late) if one.host != source), None)

    def _arrival(self, source, early, late, until=math.inf):
        """The guest began to run elsewhere, and nobody has said it may."""
        for event in self._events.of(None, ('resumed',),
                                     early - self._allowance,
                                     late + self._allowance):
            if event.host == source or event.when > until:
                continue
            before = self._events.last(event.host, LIFECYCLE, event)
            if before and before.sign not in ('started', 'resumed'):
                # paused and resumed there, by a user or on an error
                continue
            if not self._is_finished(event):
                return event
        return None

    def _is_finished(self, arrival):
        late = arrival.when + AFTER + self._allowance
        early = arrival.when - self._allowance - 10
        if self._events.of(None, ('finished', 'posted-there'), early, late):
            return True
        # a nova-compute that was ended in the middle finishes nothing
        return any(not self._events.of(event.host, ('reset',), event.when,
                                       late)
                   for event in self._events.of(None, ('posted',), early,
                                                late))

    def _here(self, source, first, early, late, ended):
        """Facts of the source."""
        facts = set()
        # what Nova's own end of the guest has brought about is no sign
        states = [one for one in self._events.of(
            source, LIFECYCLE, early, late) if one.sign != 'stopped' or all(
                not -STOP_BEFORE <= one.when - when <= STOP_AFTER
                for when in ended)]
        gone = [one for one in states if one.sign in ('paused', 'left',
                                                      'stopped')]
        if gone:
            facts.add('source-left')
        if any(one.sign != 'stopped' for one in gone):
            facts.add('source-paused')
        back = [one for one in states if one.sign == 'resumed' and (
            not gone or one.when >= gone[0].when)]
        if back or any(one.detail == '1' for one in self._events.of(
                source, ('power',), first, late)):
            facts.add('source-back')
        if any(one.sign == 'stopped' for one in states) or any(
                one.sign == 'absent' or one.detail in ('0', '4') for one in
                self._events.of(source, ('power', 'absent'), first, late)):
            facts.add('source-stopped')
        if self._events.of(source, ('sync-stop',), early, first + LATER):
            facts.add('sync-stop')
        if self._events.of(source, ('restarted',), first - 5, first + AFTER):
            facts.add('restarted')
        if self._events.of(source, ('posted', 'finished'), early, late):
            facts.add('posted')
        for sign in ('two-copies', 'parked', 'settled'):
            if self._events.of(source, (sign,), early, late):
                facts.add(sign)
        told = self._events.last(source, ('parked', 'settled', 'posted',
                                          'finished'))
        if told and told.when >= early and told.sign == 'parked':
            facts.add('still-parked')
        return facts | self._unfinished(source, early, late)

    def _unfinished(self, source, early, late):
        """A finish that has begun and not ended, though the log goes on."""
        begun = self._events.of(source, ('posted',), early, late)
        if not begun or self._events.of(source, ('finished',),
                                        begun[-1].when):
            return set()
        waited = self._last_seen(source) - begun[-1].when
        return {name for name, seconds in (
            ('unfinished', SLOW), ('unfinished-long', VERY_SLOW))
            if waited > seconds}

    def _taken_over(self, source, destination, early, late):
        """Whether the destination has done its part once the source had."""
        done = self._events.of(source, ('finished',), early, late)
        if not done:
            return set()
        when, facts = done[-1].when, set()
        # once it has come back, its record is there for good reason
        back = self._events.of(source, ('posted-there',), when)
        pending = self._events.of(source, ('pending',), when, min(
            [when + LATER] + [one.when for one in back[:1]]))
        if pending and not self._events.of(
                None, ('posted-there',), pending[-1].when - self._allowance):
            waited = pending[-1].when - when
            facts |= {name for name, seconds in (
                ('still-migrating', SLOW),
                ('still-migrating-long', VERY_SLOW)) if waited > seconds}
        if destination is not None and (
                self._last_seen(destination) - when > SLOW and
                not self._events.of(destination, ('posted-there',),
                                    early - self._allowance)):
            facts.add('not-taken-over')
        return facts

    def _there(self, source, destination, arrived, late):
        """Facts of the destination."""
        facts = set()
        if destination is not None:
            if any(begin - 60 <= late - AFTER <= end + 60 for begin, end in
                   self._covered.get(destination, ())):
                facts.add('covered')
            states = self._events.of(destination, LIFECYCLE,
                                     late - AFTER - BEFORE - 60, late)
            if states and states[-1].sign in ('resumed', 'paused'):
                facts.add('copy-there')
        if arrived is not None:
            facts |= {'arrived', 'covered'}
            ended = self._events.of(destination, ('stopped', 'destroyed'),
                                    arrived.when, late)
            if ended:
                facts.add('ended-there')
        return facts

    def _last_seen(self, host):
        return max((end for begin, end in self._covered.get(host, ())),
                   default=0)
