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

"""Events are kept until all logs are read, in little memory."""

import random
import tracemalloc
from unittest import mock
import uuid

from testtools import matchers

from keeptrack.audit.logs import event_store
from keeptrack.tests import base

SIGNS = ('started', 'resumed', 'deleted', 'destroyed', 'stopped')


def events(number, host='a', seed=1):
    """Guests that are started and deleted: uuid and event of each line."""
    chooser, when, offset = random.Random(seed), 1.7e9, 0
    for _ in range(number // len(SIGNS)):
        instance = str(uuid.UUID(int=chooser.getrandbits(128), version=4))
        for sign in SIGNS:
            when += chooser.randrange(1000) / 1000
            offset += chooser.randrange(150, 1500)
            yield instance, event_store.Event(
                when, host, sign, 'it has ' + sign, None,
                'nova-compute-%s.log' % host, offset, 'VM ' + sign)


class EventStoreTestCase(base.TestCase):

    def fill(self, added):
        store = event_store.EventStore()
        for instance, event in added:
            store.add(instance, event)
        store.pack()
        return store

    def contents(self, *stores):
        """What is in the shards (list of str, Event)."""
        found = {}
        for shard in event_store.shards(stores):
            self.assertEqual(set(), set(shard) & set(found))
            found.update(shard)
        return sorted((instance, event) for instance, several in
                      found.items() for event in several)

    def test_all_come_back(self):
        here, there = list(events(3000)), list(events(3000, 'b'))
        for batch in (7, 1000, 100000):
            with mock.patch.object(event_store, 'BATCH', batch):
                one, other = self.fill(here), self.fill(there)
                self.assertEqual(sorted(here + there),
                                 self.contents(one, other))
                one.merge(other)
                self.assertEqual(sorted(here + there), self.contents(one))
        self.assertEqual({'a', 'b'}, one.hosts)
        self.assertEqual(set(SIGNS), one.signs)

    def test_all_may_be_made_one_hosts(self):
        store = self.fill(events(100))
        store.set_host('c')
        self.assertEqual({'c'}, {one.host for _, one in self.contents(store)})
        self.assertEqual({'c'}, store.hosts)

    def test_memory_is_less_than_the_lines_have(self):
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        with mock.patch.object(event_store, 'BATCH', 10000):
            before = tracemalloc.get_traced_memory()[0]
            store = self.fill(events(20000))
            used = tracemalloc.get_traced_memory()[0] - before
        self.assertThat(used / 20000, matchers.LessThan(60))
        self.assertEqual(20000, len(self.contents(store)))

    def test_trouble_and_the_last_of_very_many_are_kept(self):
        added = [event_store.Event(
            1e9 + 60 * number, 'a', 'failed' if number == 500 else 'resumed',
            '', None, 'a.log', number, '') for number in range(9000)]
        kept = [one for _, one in self.contents(
            self.fill(('x', one) for one in added))]
        self.assertThat(len(kept), matchers.LessThan(2 * event_store.KEPT + 1))
        self.assertEqual(added[490:511] + added[-50:], [
            one for one in kept if abs(one.offset - 500) <= 10 or
            one.offset >= 8950])
