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

"""One instance's events in order, over all hosts, cut into migrations.

A migration is recognized on its source host: by what Nova logs there about its
end, or by a nova-compute that starts during it.  All that the
rules of judgement.py ask is answered here as a fact.
"""

import dataclasses
import math

from keeptrack.audit import host_name
from keeptrack.audit.logs import event_list
from keeptrack.audit.logs import languages

# seconds that messages of one end may be apart: libvirt's error, Nova's words,
# a rollback with slow volumes
TOGETHER = 120

# seconds before the first word of an end in which the guest may have moved:
# keepalives of the default length take 30
BEFORE = 120

# seconds after it in which a copy may begin to run, or Nova finish
AFTER = 180

# seconds after it in which a guest leaves its source that has moved: libvirt's
# event of that is held back for 15
SOON = 60

# seconds after it in which a power-state sync (every ten minutes) is of it
LATER = 1500

# seconds in which a finish has to follow where nothing has failed: less says
# nothing, and after the second it is no longer slow volumes
SLOW = 30
VERY_SLOW = 120

# seconds that a migration may last; longer ones are not compared in detail
LONGEST = 36 * 3600

# seconds by which time zones differ, and that two hosts may take to log the
# begin of one migration
QUARTER = 900
FARTHEST = 26 * 3600
NEAR = 30

# seconds before Nova says that it has ended a guest, and after it, in which
# libvirt's event of that is logged: it is held back for 15
STOP_BEFORE = 2
STOP_AFTER = 20

# seconds in which an evacuation or a rebuild starts the guest
REBUILD = 1800

ENDS = ('failed', 'cancelled', 'reset', 'pre-failed', 'post-failed')
# Nova's name of the lifecycle event of a source that switches to post-copy
POST_COPY = 'Postcopy started'
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
    :ivar events: what shows it, in order (list of event_store.Event)
    :ivar third: host where Nova has started the guest once more (str), or None
    """

    source: str
    destination: str | None
    first: float
    last: float
    facts: set
    events: list
    third: str | None = None


def _resolved(events):
    """Tell paused from stopped where a language has one word for both.

    A guest that runs on, or stops next, was paused; one that was paused
    already, starts next, or that Nova has ended, has stopped.

    :param events: event_store.Event of one instance (iterable)
    :returns: list of them, and a list of those that may be the other
    """
    found, unsure, newest = [], [], {}
    events = sorted(events, key=lambda one: one.when)
    for place, event in enumerate(events):
        if event.sign == languages.HALTED:
            later = next((one.sign for one in events[place + 1:]
                          if one.host == event.host and one.sign in (
                              *LIFECYCLE, languages.HALTED, 'destroyed',
                              'deleted', 'sync-stop')), None)
            sign = 'stopped'
            if newest.get(event.host) != 'paused':
                if later in ('resumed', languages.HALTED):
                    sign = 'paused'
                elif later is None:
                    unsure.append(event)
            event = event._replace(sign=sign)
        if event.sign in LIFECYCLE:
            newest[event.host] = event.sign
        found.append(event)
    return found, unsure


class InstanceHistory:
    """What the logs say about one instance.

    :param events: list of event_store.Event of one instance
    :param covered: dict of host to list of (first, last): the time that its
                    logs cover
    :param allowance: seconds that clocks of two hosts may be apart (float)
    :ivar events: in order (event_list.EventList)
    :ivar is_unclear: whether a state after a migration is not known (bool)
    :ivar mixed: hosts whose log has lines of both ends of one migration, as
                 two logs in one file have (set of str)
    :ivar zones: hosts whose times differ by quarters of an hour, as logs in
                 two time zones have (set of (str, str, int): seconds)
    """

    def __init__(self, events, covered, allowance):
        self._covered, self._allowance = covered, allowance
        # a line may be in two logs of one host
        events, unsure = _resolved({
            (one.when, one.host, one.sign, one.text): one
            for one in events}.values())
        self.events = self._events = event_list.EventList(events)
        self.is_unclear = any(self._events.of(
            None, ENDS + ('posted',), one.when - AFTER, one.when + AFTER)
            for one in unsure)
        self.mixed = {host for host in self._events.hosts
                      if self._has_both_ends(host)}
        self.zones = set(self._in_other_zones())

    def _in_other_zones(self):
        """Find destinations that seem to take part hours before or later."""
        for began in self._events.of(None, ('began', 'watched')):
            paused = self._events.of(began.host, ('paused',), began.when,
                                     began.when + LONGEST)[:1]
            if not paused or (began.sign == 'watched' and
                              'for 0 sec' not in began.text):
                continue
            if any(one.host != began.host for one in self._events.of(
                    None, ('started',), began.when - BEFORE,
                    paused[0].when + BEFORE)):
                # it has a destination at its own time
                continue
            took = paused[0].when - began.when
            for start in self._events.of(None, ('started',),
                                         began.when - FARTHEST,
                                         began.when + FARTHEST):
                apart = start.when - began.when
                zone = round(apart / QUARTER) * QUARTER
                if start.host != began.host and zone and (
                        abs(apart - zone) <= NEAR) and self._events.of(
                            start.host, ('resumed',),
                            start.when + took - NEAR / 6,
                            start.when + took + NEAR / 6):
                    yield began.host, start.host, zone

    def _has_both_ends(self, host):
        """Whether a host seems to be source and destination at once (bool)."""
        for event in self._events.of(host, ('began', 'watched')):
            over = self._events.of(host, (
                *ENDS, 'completed', 'posted', 'stopped', 'destroyed',
                'restarted'), event.when, event.when + LONGEST)
            if self._events.of(host, ('started',), event.when,
                               over[0].when if over else event.when + AFTER):
                return True
        for event in self._events.of(host, ('posted',)):
            over = self._events.of(host, ('finished',), event.when,
                                   event.when + AFTER)
            if over and self._events.of(host, ('posted-there',), event.when,
                                        over[0].when):
                return True
        return False

    def migrations(self):
        """Those that have to be judged (list of Migration)."""
        found = [self._migration(group) for group in self._groups()]
        for one in (self._finished_badly() + self._silent() +
                    self._recorded_elsewhere()):
            if all(abs(one.first - other.first) > BEFORE + AFTER
                   for other in found):
                found.append(one)
        return found

    def _groups(self):
        """Words of an end that belong together, by source host."""
        groups, newest = [], {}
        for event in self._events:
            group = newest.get(event.host)
            if event.sign not in ENDS and not (
                    # the series parks after a restart, and sees a split
                    # brain when a host returns
                    event.sign == 'parked' and group is None or
                    event.sign == 'two-copies'):
                continue
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
        # a guest that starts here again may still be lost
        until = min((when for when in ended if not self._events.of(
            source, ('started',), when, late)), default=math.inf)
        arrived = self._arrival(source, early, late, until)
        destination = arrived.host if arrived else (
            self._named(source, late, early) or
            self._started(source, early, min(late, until)) or named)
        facts = {event.sign for event in group}
        facts |= self._here(source, first, early, late, ended, arrived)
        facts |= self._there(source, destination, arrived, late)
        facts |= self._record(source, destination, group[0])
        if any(begin <= first <= end for host, times in self._covered.items()
               if host != source for begin, end in times):
            facts.add('others-read')
        facts |= self._taken_over(source, destination, early, late)
        again = self._again(source, arrived)
        if again:
            facts.add('started-again')
        facts |= self._may_be_one(source, destination)
        return Migration(source, destination, first, last, facts,
                         self._shown(early, last + LATER, again,
                                     {source, destination}),
                         again and again.host)

    def _finished_badly(self):
        """Nothing has failed, but the last finish was not all of it."""
        event = self._events.last(None, ('posted',))
        if event is None:
            return []
        migration = self._migration([event])
        return [migration] if migration.facts & {
            'unfinished', 'not-taken-over', 'still-migrating',
            'never-ran'} else []

    def _silent(self):
        """A guest that has arrived, and a source that says nothing of it."""
        for event in self._events.of(None, ('resumed',)):
            for source in self._events.hosts - {event.host}:
                arrived = self._arrival(source, event.when, event.when)
                if arrived is None:
                    continue
                again = self._again(source, arrived)
                if not self._has_left(source, event, again):
                    continue
                facts = {'silent', 'covered'} | self._here(
                    source, event.when, event.when - BEFORE,
                    event.when + AFTER, [], arrived)
                facts |= self._there(source, event.host, arrived,
                                     event.when + AFTER)
                facts |= self._record(source, event.host, event)
                facts |= self._may_be_one(source, event.host)
                if again:
                    facts.add('started-again')
                return [Migration(
                    source, event.host, event.when, event.when, facts,
                    self._shown(event.when - BEFORE, event.when + LATER,
                                again, {source, event.host}),
                    again and again.host)]
        return []

    def _recorded_elsewhere(self):
        """A guest that has arrived, and a record on a host without a log."""
        for event in self._events.of(None, ('resumed',)):
            said = [one for one in self._events.of(
                event.host, ('record-at',), event.when + VERY_SLOW)
                if one.detail]
            if not said:
                continue
            source = said[-1].detail
            if any(host_name.short(source) == host_name.short(host)
                   for host in (*self._covered, *self._events.hosts)):
                continue
            if self._arrival(source, event.when, event.when) is event and (
                    not self._events.of(event.host, (
                        'stopped', 'destroyed', 'deleted', 'posted-there'),
                        event.when)):
                return [Migration(
                    source, event.host, event.when, event.when,
                    {'arrived', 'covered', 'recorded-elsewhere'},
                    self._shown(event.when - BEFORE, said[-1].when, None,
                                {event.host}))]
        return []

    def _has_left(self, source, arrived, again):
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
        if 'record-stayed' in self._record(source, arrived.host, arrived):
            return True
        near = 15 + self._allowance
        # one that only stops may be resized, and starts there again
        left = self._events.of(source, ('paused', 'left', 'began'),
                               when - near, when + near)
        watched = self._events.of(source, ('watched',), when - BEFORE,
                                  when + near)
        return bool((left or watched) and (
            again or self._last_seen(source) - when >= SLOW))

    def _again(self, source, arrived):
        """Nova has started the guest again while it ran where it went.

        By an evacuation, or by a start or a reboot on the record's host.

        :returns: event_store.Event, or None
        """
        if arrived is None:
            return None
        host = arrived.host
        for event in self._events.of(None, ('rebuilt', 'started'),
                                     arrived.when + self._allowance):
            if self._events.of(
                    host, ('stopped', 'destroyed', 'left', 'paused', 'posted',
                           'rebuilt', 'deleted', 'qemu-ended'), arrived.when,
                    event.when):
                return None
            if event.host == host:
                continue
            if self._last_seen(host) < event.when:
                return None
            if event.sign == 'rebuilt':
                if self._events.of(event.host, ('started', 'resumed'),
                                   event.when, event.when + REBUILD):
                    return event
            elif event.host == source and event.when > (
                    arrived.when + AFTER) and not self._events.of(
                    None, ('began', 'watched', 'completed', 'posted-there') +
                    ENDS, event.when - BEFORE, event.when + AFTER):
                return event
        return None

    def _record(self, source, destination, since):
        """Where the record is, as Nova says it afterwards."""
        facts = set()
        said = [event for event in self._events.of(
            None, ('record-at',), since.when + SLOW) if event.detail]
        named = host_name.short(said[-1].detail) if said else None
        if named and named == host_name.short(source) or any(
                event.host == destination and destination is not None
                and named not in (None, host_name.short(destination))
                for event in said[-1:]):
            facts.add('record-stayed')
        if destination is None:
            return facts
        if named == host_name.short(destination) or self._events.of(
                destination, ('posted-there', 'deleted'),
                since.when + 2 * self._allowance + 1):
            facts.add('record-moved')
        return facts

    def _is_home(self, event):
        """Whether Nova had the instance here, and it has not left since."""
        came = self._events.last(None, ('posted-there', 'rebuilt'), event)
        return (came is not None and came.host == event.host and
                not self._events.of(event.host, ('posted',), came.when,
                                    event.when) and
                all(one.host == event.host for one in self._events.of(
                    None, ('started',), came.when, event.when)))

    def _shown(self, early, late, again, hosts):
        found = self._between(early, late, hosts)
        return found + [again] if again and again not in found else found

    def _between(self, early, late, hosts):
        return [one for one in self._events.between(
            early - self._allowance, late + self._allowance)
            if one.host in hosts or one.sign in (
                'asked', 'conductor-failed')]

    def _named(self, source, late, early=-math.inf):
        """The destination that Nova names on the source, as a host of ours."""
        for event in reversed(self._events.of(
                source, ('began', 'finished', 'pre-failed'), early, late)):
            for host in self._covered:
                if host != source and event.detail and (
                        host_name.short(host) ==
                        host_name.short(event.detail)):
                    return host
        return None

    def _ended_by_nova(self, source, first, late):
        """When Nova itself has ended the guest on the source (list of float).

        A user's stop or reboot, a shelve or a cold migration: where the guest
        runs afterwards, nothing has lost it. After a power-state sync nobody
        has asked for it.
        """
        return [one.when for one in self._events.of(
            source, ('destroyed',), first, late) if not self._events.of(
                source, ('sync-stop', 'restarted', 'posted'), first,
                one.when)]

    def _started(self, source, early, late):
        return next((one.host for one in self._events.of(
            None, ('started', 'guest-here'), early, late)
            if one.host != source and not self._is_home(one)), None)

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
            if self._is_home(event):
                # rebooted, resumed or evacuated there
                continue
            home = self._events.last(None, ('posted-there',), event)
            if home and home.when >= early and (
                    home.host not in (source, event.host)):
                # it has left the source, and a third host since
                continue
            if not self._is_finished(event):
                return event
        return None

    def _is_finished(self, arrival):
        late = arrival.when + AFTER + self._allowance
        early = arrival.when - self._allowance - 10
        # not by its next migration, away from there
        if self._events.of(arrival.host, ('posted-there',), early, late) or (
                any(one.host != arrival.host for one in self._events.of(
                    None, ('finished',), early, late))):
            return True
        # a nova-compute that was ended in the middle finishes nothing
        return any(event.host != arrival.host and not self._events.of(
            event.host, ('reset',), event.when, late)
            for event in self._events.of(None, ('posted',), early, late))

    def _here(self, source, first, early, late, ended, arrived):
        """Facts of the source."""
        facts = set()
        deleted = self._events.of(source, ('deleted',), first, late)
        # what Nova's own end of the guest has brought about is no sign
        states = [one for one in self._events.of(
            source, LIFECYCLE, early, late) if one.sign != 'stopped' or all(
                not -STOP_BEFORE <= one.when - when <= STOP_AFTER
                for when in ended) and not (
                    deleted and one.when > deleted[0].when)]
        gone = [one for one in states if one.sign in ('paused', 'left',
                                                      'stopped')]
        if gone:
            facts.add('source-left')
        if any(one.when <= late - AFTER + SOON for one in gone):
            facts.add('source-left-then')
        if any(one.sign != 'stopped' for one in gone):
            facts.add('source-paused')
        if any(one.detail == POST_COPY for one in gone):
            facts.add('post-copy')
        # of a start before it moved, and of a copy that is paused, no sign
        since = gone[0].when if gone else (
            arrived.when - self._allowance if arrived else early)
        back = [one for one in states
                if one.sign == 'resumed' and one.when >= since]
        power = self._events.of(source, ('power',), first, late)
        if back or power and power[-1].detail == '1':
            facts.add('source-back')
        if any(one.sign == 'stopped' for one in states) or any(
                one.sign == 'absent' or one.detail in ('0', '4') for one in
                self._events.of(source, ('power', 'absent'), first, late)):
            facts.add('source-stopped')
        if self._events.of(source, ('sync-stop',), early, first + LATER):
            facts.add('sync-stop')
        facts |= {'qemu-migrated' if one.detail == 'migrated' else 'qemu-ended'
                  for one in self._events.of(source, ('qemu-ended',), early,
                                             late)}
        if self._events.of(source, ('sync-stop',), first, late):
            facts.add('source-stopped')
        if self._events.of(source, ('restarted',), first - 5, first + AFTER):
            facts.add('restarted')
        posted = self._events.of(source, ('posted', 'finished'), early, late)
        if posted:
            facts.add('posted')
            # an error after it: from Wallaby on Nova moves the record; before,
            # an error of the destination's part did not end the finish
            failed = self._events.of(source, ('failed',), posted[0].when, late)
            post_failed = self._events.of(source, ('post-failed',), early,
                                          late)
            if any(one.is_recent or post_failed and
                   post_failed[-1].when <= one.when for one in failed) and (
                       posted[-1].sign != 'finished'):
                facts.add('recorded-there')
        for one in self._events.of(source, ('post-failed',), early, late):
            facts |= {name for name, text in (
                ('post-absent', 'InstanceNotFound'),
                ('post-timeout', 'Timeout'), ('post-timeout', 'imed out'),
                # it has done its part in an earlier call
                ('record-moved', 'UnexpectedTaskState'))
                if text in one.text}
        for sign in ('two-copies', 'parked', 'settled'):
            if self._events.of(source, (sign,), early, late):
                facts.add(sign)
        told = self._events.last(source, (
            'parked', 'settled', 'posted', 'finished', 'rolled-back',
            'deleted'))
        if told and told.when >= early:
            if told.sign == 'parked':
                facts.add('still-parked')
            elif 'parked' in facts and told.sign != 'rolled-back':
                # the series has freed it later
                facts.add('settled')
        return facts | self._unfinished(source, early, late)

    def _unfinished(self, source, early, late):
        """A finish that has begun and not ended, though the log goes on."""
        begun = self._events.of(source, ('posted',), early, late)
        if not begun or self._events.of(source, ('finished', 'post-failed'),
                                        begun[-1].when):
            return set()
        waited = self._last_seen(source) - begun[-1].when
        return {name for name, seconds in (
            ('unfinished', SLOW), ('unfinished-long', VERY_SLOW))
            if waited > seconds}

    def _taken_over(self, source, destination, early, late):
        """Whether the destination has done its part once the source had."""
        done = self._events.of(source, ('finished',), early, late)
        if not done and self._unfinished(source, early, late):
            # where the destination began, and may have failed in between
            done = self._events.of(destination, ('posted-there',), early,
                                   late) if destination else []
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
                not self._events.of(destination, ('posted-there', 'deleted'),
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
            early = late - AFTER - BEFORE - 60
            states = self._events.of(destination, LIFECYCLE, early, late)
            if states and states[-1].sign in ('resumed', 'paused'):
                facts.add('copy-there')
            if states and states[-1].sign == 'paused':
                facts.add('paused-there')
            # without any event libvirtd was down there, and Nova missed it
            ended = (states[-1].sign == 'stopped' if states else
                     self._events.of(destination, ('sync-stop',), early, late))
            if ended and not any(
                    one.sign in ('resumed', 'paused') for one in states):
                facts.add('never-ran')
            facts |= {fact for fact, sign in (
                ('taken-over', 'posted-there'), ('post-error', 'post-error'),
                ('post-absent', 'missing'), ('guest-here', 'guest-here'))
                if self._events.of(destination, (sign,), early, late)}
        if arrived is not None:
            facts |= {'arrived', 'covered'}
            ended = self._events.of(destination, ('stopped', 'destroyed'),
                                    arrived.when, late)
            if ended:
                facts.add('ended-there')
        return facts

    def _may_be_one(self, source, destination):
        """Names that never write at one time may be those of one host."""
        if destination is None or any(
                begin <= end_there + self._allowance and
                begin_there <= end + self._allowance
                for begin, end in self._covered.get(source, ())
                for begin_there, end_there in self._covered.get(
                    destination, ())):
            return set()
        return {'one-host'}

    def _last_seen(self, host):
        return max((end for begin, end in self._covered.get(host, ())),
                   default=0)
