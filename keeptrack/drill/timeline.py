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
"""A time line that several threads write and one waits on."""

import threading
import time


class Timeline(object):
    """What happened in one run, as it happens."""

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
