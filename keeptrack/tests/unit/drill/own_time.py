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

"""A time that passes only while everybody waits.

A test whose parts wait for each other in it comes out the same on a machine
that stands still in between, and takes no time.
"""

import heapq
import itertools

import greenlet

FOREVER = float('inf')


class OwnTime:
    """Stands in for the modules time and threading.

    Its threads are greenlets, and one runs until it waits.
    """

    def __init__(self):
        self._now = 1e9
        self._due = []
        self._order = itertools.count()
        self._hub = greenlet.greenlet(self._go_on)

    # as in time

    def time(self):
        return self._now

    def sleep(self, seconds):
        self.wait_for(set(), seconds)

    # as in threading

    def Thread(self, target, args=(), daemon=None):
        return _Thread(self, 0, target, args)

    def Timer(self, interval, function):
        return _Thread(self, interval, function, ())

    def Event(self):
        return _Event(self)

    def Condition(self):
        return _Condition(self)

    # what these are made of

    def start(self, function, after):
        """Let a function run beside all others.

        :param after: seconds from now
        """
        self._add(greenlet.greenlet(function, self._hub), after)

    def wait_for(self, waiting, seconds):
        """Wait until woken.

        :param waiting: the set in which wake() finds whoever waits
        :param seconds: at most so long; None for ever
        """
        mine = self._add(greenlet.getcurrent(),
                         FOREVER if seconds is None else max(0, seconds))
        waiting.add(mine)
        self._hub.switch()
        waiting.discard(mine)

    def wake(self, waiting):
        """Wake all who wait in a set."""
        for one in list(waiting):
            waiting.discard(one)
            who, one.who = one.who, None
            if who is not None:
                self._add(who, 0)

    def _add(self, who, after):
        one = _Due(who)
        heapq.heappush(self._due,
                       (self._now + after, next(self._order), one))
        return one

    def _go_on(self):
        while True:
            when, _, one = heapq.heappop(self._due)
            if one.who is None:
                continue
            if when == FOREVER:
                raise AssertionError('all wait for each other')
            self._now = when
            who, one.who = one.who, None
            who.switch()


class _Due:
    """Somebody who goes on some time, unless woken before."""

    def __init__(self, who):
        self.who = who


class _Thread:

    def __init__(self, time, after, target, args):
        self._time = time
        self._after = after
        self._run = lambda: target(*args)
        self._ended = _Event(time)

    def start(self):
        self._time.start(self._go, self._after)

    def _go(self):
        self._run()
        self._ended.set()

    def join(self):
        self._ended.wait()


class _Event:

    def __init__(self, time):
        self._time = time
        self._is_set = False
        self._waiting = set()

    def set(self):
        self._is_set = True
        self._time.wake(self._waiting)

    def wait(self, timeout=None):
        if not self._is_set:
            self._time.wait_for(self._waiting, timeout)
        return self._is_set


class _Condition:
    """No other thread runs meanwhile: there is nothing to lock."""

    def __init__(self, time):
        self._time = time
        self._waiting = set()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        return False

    def notify_all(self):
        self._time.wake(self._waiting)

    def wait(self, timeout=None):
        self._time.wait_for(self._waiting, timeout)
