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

"""The events of one instance, over all hosts, in their order.

A guest that has been migrated for years has tens of thousands: every question
is answered from lists by host and name, which are in order, too.
"""

import bisect
import collections
import math


class EventList:
    """Events in order.

    :param events: event_store.Event of one instance (iterable)
    :ivar hosts: where they are from (set of str)
    """

    def __init__(self, events):
        self._all = sorted(events, key=lambda one: one.when)
        self._times = [one.when for one in self._all]
        self._places = {one: place for place, one in enumerate(self._all)}
        self._lists = collections.defaultdict(list)
        for place, one in enumerate(self._all):
            for host in (one.host, None):
                self._lists[host, one.sign].append(place)
        self.hosts = {one.host for one in self._all}

    def __iter__(self):
        return iter(self._all)

    def between(self, early, late):
        """All within two times, both included (list of event_store.Event)."""
        return self._all[bisect.bisect_left(self._times, early):
                         bisect.bisect_right(self._times, late)]

    def of(self, host, names, early=-math.inf, late=math.inf):
        """Some within two times, both included.

        :param host: whose (str), or None for all hosts
        :param names: their names (tuple of str)
        :param early: seconds since the epoch (float)
        :param late: seconds since the epoch (float)
        :returns: list of event_store.Event
        """
        first = bisect.bisect_left(self._times, early)
        end = bisect.bisect_right(self._times, late)
        found = []
        for sign in names:
            places = self._lists.get((host, sign), ())
            found += places[bisect.bisect_left(places, first):
                            bisect.bisect_left(places, end)]
        return [self._all[place] for place in sorted(found)]

    def last(self, host, names, before=None):
        """The last of some.

        :param host: whose (str), or None for all hosts
        :param names: their names (tuple of str)
        :param before: one that it has to come before (event_store.Event)
        :returns: event_store.Event, or None
        """
        end = len(self._all) if before is None else self._places[before]
        found = []
        for sign in names:
            places = self._lists.get((host, sign), ())
            at = bisect.bisect_left(places, end)
            if at:
                found.append(places[at - 1])
        return self._all[max(found)] if found else None
