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
import threading
import time

from keeptrack.drill import history
from keeptrack.tests import base


class HistoryTestCase(base.TestCase):

    def test_waits_for_what_is_to_come(self):
        line = history.History()
        thread = threading.Timer(0.05, line.note, ('drill', 'fault', 'x', ''))
        thread.start()
        self.addCleanup(thread.join)
        self.assertEqual('x', line.wait(lambda event: True,
                                        time.time() + 10)['what'])

    def test_finds_what_has_been(self):
        line = history.History()
        for name in 'abc':
            line.note('drill', 'fault', name, '')
        self.assertEqual('b', line.wait(lambda event: event['what'] == 'b',
                                        0)['what'])
        self.assertIsNone(line.wait(lambda event: event['what'] == 'd', 0))

    def test_is_told_in_order_and_from_zero(self):
        line = history.History()
        for when in (102, 101, 103):
            line.note('drill', 'guest', str(when), '', when=when)
        self.assertEqual([-1, 0, 1], [event['t']
                                      for event in line.since(102)])
        self.assertEqual(103, line.last('guest'))
        self.assertIsNone(line.last('record'))
