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
"""What happened in a run: a history that is only added to, and its reading.

An event is a dict: t (seconds), where (the role of a host, or "drill"), lane
(its kind), what (a short id), text (for people) and data (dict).
"""

import threading
import time

ROLES = ('source', 'destination')

ABSENT = 'absent'
INCOMING = 'incoming'
RUNNING = 'running'
PAUSED = 'paused'

# seconds by which two clocks' readings of one moment may differ
JITTER = 0.05


def other(role):
    """The other host's role."""
    return ROLES[1 - ROLES.index(role)]


def event_is(lane, where=None, *whats):
    """A test for events.

    :param lane: str
    :param where: the role of a host (str); None for any
    :param whats: short ids, of which it has to have one; none for any (str)
    :returns: called with an event (dict), tells whether it is such a one
    """
    return lambda event: (event['lane'] == lane and
                          where in (None, event['where']) and
                          (not whats or event['what'] in whats))


class History:
    """What happens in one run, as it happens: events are added, no more."""

    def __init__(self):
        self._events = []
        self._changed = threading.Condition()

    def add(self, event):
        """Add an event that has its time (dict)."""
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()

    def note(self, where, lane, what, text, data=None, when=None):
        """Add an event.

        :param when: seconds since the epoch (float); None for now
        """
        self.add({'t': time.time() if when is None else when, 'where': where,
                  'lane': lane, 'what': what, 'text': text,
                  'data': data or {}})

    def wait(self, is_it, until):
        """Wait for an event, past or to come.

        :param is_it: called with an event; tells whether it is the one
        :param until: seconds since the epoch (float)
        :returns: the event (dict), or None when it did not come in time
        """
        seen = 0
        with self._changed:
            while True:
                for event in self._events[seen:]:
                    if is_it(event):
                        return event
                seen = len(self._events)
                left = until - time.time()
                if left <= 0:
                    return None
                self._changed.wait(left)

    def events(self, lane):
        """What has happened in a lane by now (list of dict)."""
        with self._changed:
            return [event for event in self._events if event['lane'] == lane]

    def last(self, lane):
        """When something happened last in a lane, or None (float, s)."""
        return max((event['t'] for event in self.events(lane)), default=None)

    def since(self, zero):
        """The events in order, their times counted from a moment.

        :param zero: seconds since the epoch (float)
        :returns: list of dict
        """
        with self._changed:
            events = sorted(self._events, key=lambda event: event['t'])
        return [dict(event, t=round(event['t'] - zero, 4))
                for event in events]


class Past:
    """The past of one run.

    :param timeline: events (list of dict), in any order
    :param ends: the end of the run, in the time line's seconds (float)
    """

    def __init__(self, timeline, ends):
        self.ends = ends
        self._timeline = sorted(timeline, key=lambda event: event['t'])
        self._guests = {role: [(event['t'], event['what'])
                               for event in self.events('guest')
                               if event['where'] == role] for role in ROLES}
        self._records = [(event['t'], event['data'])
                         for event in self.events('record')]

    def events(self, lane):
        """The events of one lane, in order (list of dict)."""
        return [event for event in self._timeline if event['lane'] == lane]

    def guest(self, role, when):
        """The guest's state on a host at a time (str)."""
        state = ABSENT
        for began, what in self._guests[role]:
            if began > when:
                break
            state = what
        return state

    def record(self, when):
        """The record at a time (dict), or None before the first."""
        found = None
        for began, record in self._records:
            if began > when:
                break
            found = record
        return found

    def records(self):
        """The records with the time that each was in force.

        :returns: list of tuples: begin, end (float, s), record (dict)
        """
        ends = [began for began, _ in self._records[1:]] + [self.ends]
        return [(began, end, record) for (began, record), end in
                zip(self._records, ends)]

    def homes(self, when):
        """The hosts that hold a copy of the guest (list of roles).

        What waits for a migration holds none.  A paused copy is none either
        while the other one runs, unless both have run at the same time.
        """
        there = [role for role in ROLES
                 if self.guest(role, when) in (RUNNING, PAUSED)]
        if len(there) < 2 or self.both_ran(when):
            return there
        running = [role for role in there
                   if self.guest(role, when) == RUNNING]
        return running or there

    def holds(self, role, when):
        """Tell whether a host holds the guest at a time (bool).

        A copy that waits, paused, for the other to go on does not count; the
        only one does, also while the other host is still to get it.
        """
        state = self.guest(role, when)
        return state == RUNNING or (
            state == PAUSED and
            self.guest(other(role), when) in (ABSENT, INCOMING))

    def lives(self, role, when, later=JITTER):
        """Tell whether a host certainly holds the guest at a time (bool).

        :param later: it has to be there so much longer, s (float): 0 for what
            ends it
        """
        return all(self.holds(role, moment)
                   for moment in (when - JITTER, when, when + later))

    def _spans(self, begins, ends):
        """The stretches of time in which neither guest's state changes."""
        marks = sorted({begins, ends} | {
            when for role in ROLES for when, _ in self._guests[role]
            if begins < when < ends})
        return zip(marks, marks[1:])

    def _time(self, begins, ends, is_so):
        return sum(end - began for began, end in self._spans(begins, ends)
                   if is_so((began + end) / 2))

    def both_ran(self, until=None):
        """Seconds that both hosts ran the guest (float)."""
        begins = min([when for role in ROLES
                      for when, _ in self._guests[role]] or [self.ends])
        return self._time(
            begins, self.ends if until is None else until,
            self._both_run)

    def _both_run(self, when):
        return all(self.guest(role, when) == RUNNING for role in ROLES)

    def overlap_ended(self):
        """How long it took until one host ran the guest no longer.

        :returns: seconds since both began to run (float); None where they
            never did, or still do
        """
        both = [(began, end) for began, end in self._spans(-1e9, self.ends)
                if self._both_run((began + end) / 2)]
        if not both or both[-1][1] >= self.ends:
            return None
        return round(both[-1][1] - both[0][0], 2)

    def alone(self, role, begins, ends):
        """Seconds that a host had the guest and the other had not (float)."""
        return self._time(
            begins, ends,
            lambda when: self.holds(role, when) and
            self.guest(other(role), when) in (ABSENT, INCOMING))

    def held(self, role, begins, ends):
        """Seconds that a host held the guest (float)."""
        return self._time(begins, ends,
                          lambda when: self.holds(role, when))
