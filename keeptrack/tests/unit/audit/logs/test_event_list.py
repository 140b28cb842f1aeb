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

import random

from keeptrack.audit.logs import event_list
from keeptrack.audit.logs import event_store
from keeptrack.tests import base

HOSTS = ('one', 'two', 'three')
SIGNS = ('resumed', 'stopped', 'failed')


def event(when, host='one', sign='resumed', source=''):
    return event_store.Event(when, host, sign, sign, None, source, None, '')


class TimelineTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        chance = random.Random(1414065)
        self.events = [event(chance.randrange(50), chance.choice(HOSTS),
                             chance.choice(SIGNS), str(number))
                       for number in range(200)]
        self.line = event_list.EventList(self.events)
        self.ordered = sorted(self.events, key=lambda one: one.when)

    def test_is_in_order(self):
        self.assertEqual(self.ordered, list(self.line))
        self.assertEqual(set(HOSTS), self.line.hosts)

    def test_what_lies_between(self):
        self.assertEqual([one for one in self.ordered if 10 <= one.when <= 12],
                         self.line.between(10, 12))
        self.assertEqual([], self.line.between(12, 10))

    def test_what_is_of_a_host_and_some_signs(self):
        for host in HOSTS + (None, 'none'):
            for signs in (('failed',), ('stopped', 'resumed'), ()):
                wanted = [one for one in self.ordered if one.sign in signs and
                          host in (None, one.host)]
                self.assertEqual(wanted, self.line.of(host, signs))
                self.assertEqual(
                    [one for one in wanted if 7 <= one.when <= 30],
                    self.line.of(host, signs, 7, 30))

    def test_what_comes_last(self):
        wanted = [one for one in self.ordered if one.host == 'two' and
                  one.sign == 'failed']
        self.assertEqual(wanted[-1], self.line.last('two', ('failed',)))
        self.assertEqual(wanted[-2], self.line.last('two', ('failed',),
                                                    wanted[-1]))
        self.assertIsNone(self.line.last('two', ('failed',), wanted[0]))
        self.assertIsNone(self.line.last('none', SIGNS))
