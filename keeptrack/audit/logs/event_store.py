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

"""The events of all instances, compressed in memory until they are judged.

The log of one host does not show which of its events matter: a guest that has
arrived is lost if another host's log, read later, says that the migration
failed. So every event is kept, but of an instance with very many only the last
and those around trouble. Instances are spread over shards, and one shard at a
time is decompressed to be judged.
"""

import bisect
import collections
import pickle
import typing
import zlib

# events kept of one instance in one part of a log
KEPT = 400

# what other events are kept around
TROUBLE = {'failed', 'cancelled', 'pre-failed', 'post-failed', 'reset',
           'restarted', 'two-copies', 'parked', 'posted', 'posted-there',
           'rebuilt', 'record-at', 'disks-kept', 'domain-left'}
_AROUND = 900

SHARDS = 64
# events that are compressed together: fewer compress worse, an event that is
# not compressed yet has some 250 bytes
BATCH = 40000


class Event(typing.NamedTuple):
    """A sign of one instance.

    :ivar when: seconds since the epoch (float)
    :ivar host: where (str), or the log's path where the host is unknown
    :ivar sign: the sign's name (str)
    :ivar means: the sign in words (str)
    :ivar detail: what else the line says (str), or None
    :ivar path: of the log (str)
    :ivar offset: the byte where the line begins (int), or None
    :ivar text: the line, cut (str)
    :ivar is_recent: as formats.Line has it (bool)
    """

    when: float
    host: str
    sign: str
    means: str
    detail: str | None
    path: str
    offset: int | None
    text: str
    is_recent: bool = False

    @property
    def source(self):
        """File and byte (str)."""
        return (self.path if self.offset is None else
                '%s, byte %d' % (self.path, self.offset))


class EventStore:
    """The events of one log.

    :ivar signs: names of their signs (set of str)
    :ivar hosts: where they are from (set of str)
    """

    def __init__(self):
        self.signs, self.hosts = set(), set()
        self._host = None
        self._recent, self._number = {}, 0
        self._packed = collections.defaultdict(list)

    def add(self, instance, event):
        """Add an event.

        :param instance: uuid (str)
        :param event: Event
        """
        self.signs.add(event.sign)
        self.hosts.add(event.host)
        events = self._recent.setdefault(instance, [])
        events.append(event)
        self._number += 1
        if len(events) > 2 * KEPT:
            self._recent[instance] = _thin(events)
            self._number += len(self._recent[instance]) - len(events)
        if self._number >= BATCH:
            self.pack()

    def pack(self):
        """Compress what is not yet compressed."""
        shards = collections.defaultdict(dict)
        for instance, events in self._recent.items():
            shards[zlib.crc32(instance.encode()) % SHARDS][instance] = [
                tuple(event) for event in events]
        for number, events in shards.items():
            self._packed[number].append(zlib.compress(
                pickle.dumps(events, pickle.HIGHEST_PROTOCOL), 1))
        self._recent, self._number = {}, 0

    def merge(self, other):
        """Take the events of another store, which has to be packed."""
        self.signs |= other.signs
        self.hosts |= other.hosts
        for number, packed in other._packed.items():
            self._packed[number] += packed

    def set_host(self, host):
        """Make all events those of one host (str)."""
        self._host, self.hosts = host, {host}

    def shard(self, number):
        """Decompress the events of one shard.

        :param number: less than SHARDS (int)
        :returns: generator of str, list of Event: an instance's uuid, and
            some of its events; an instance may come again
        """
        for packed in self._packed.get(number, ()):
            for instance, events in pickle.loads(
                    zlib.decompress(packed)).items():
                events = [Event(*event) for event in events]
                if self._host is not None:
                    events = [event._replace(host=self._host)
                              for event in events]
                yield instance, events


def shards(stores):
    """Go through the events of several logs.

    :param stores: list of EventStore, packed
    :returns: generator of dict of uuid to list of Event; an instance is in
        one of them only
    """
    for number in range(SHARDS):
        found = collections.defaultdict(list)
        for store in stores:
            for instance, events in store.shard(number):
                found[instance] += events
        yield found


def _thin(events):
    """Drop what is far from all trouble and old."""
    times = sorted(event.when for event in events if event.sign in TROUBLE)

    def is_near(event):
        at = bisect.bisect_left(times, event.when - _AROUND)
        return at < len(times) and times[at] <= event.when + _AROUND
    old = collections.deque((event for event in events[:-KEPT // 4]
                             if is_near(event)), KEPT)
    return list(old) + events[-KEPT // 4:]
