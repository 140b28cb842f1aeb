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
import threading
import time

from keeptrack.drill import faults
from keeptrack.drill import timeline
from keeptrack.tests import base


class FaultsTestCase(base.TestCase):

    def draw(self, name, number, seed='x'):
        return faults.draw(faults.BY_NAME[name], number, random.Random(seed),
                           seed)

    def test_one_seed_gives_one_draw(self):
        for fault in faults.FAULTS:
            self.assertEqual(self.draw(fault.name, 3),
                             self.draw(fault.name, 3))
        self.assertNotEqual(self.draw('network-cut', 0).delay,
                            self.draw('network-cut', 0, 'y').delay)

    def test_every_moment_comes_with_a_shared_folder_and_without(self):
        for fault in faults.FAULTS:
            count = len(fault.moments)
            drawn = {(draw.moment, draw.shared) for draw in
                     [self.draw(fault.name, number)
                      for number in range(2 * count)]}
            self.assertEqual({(moment, shared) for moment in fault.moments
                              for shared in (True, False)}, drawn)

    def test_delays_and_durations_are_in_bounds(self):
        for fault in faults.FAULTS:
            for number in range(50):
                draw = self.draw(fault.name, number, str(number))
                least, most = faults.DELAYS[draw.moment]
                self.assertTrue(least <= draw.delay <= most)
                if isinstance(fault.lasts, tuple):
                    self.assertTrue(
                        fault.lasts[0] <= draw.lasts <= fault.lasts[1])
                else:
                    self.assertEqual(fault.lasts, draw.lasts)

    def test_what_ends_is_taken_away(self):
        for fault in faults.FAULTS:
            self.assertEqual(fault.lasts is faults.NEVER,
                             fault.heal is faults.nothing, fault.name)

    def test_delays_are_random_at_every_moment(self):
        for fault in faults.FAULTS:
            drawn = {}
            for number in range(40):
                found = faults.draw(fault, number, random.Random(number), 's')
                drawn.setdefault(found.moment, set()).add(found.delay)
            self.assertEqual(set(fault.moments), set(drawn))
            for moment, delays in drawn.items():
                self.assertGreater(max(delays) - min(delays), 0.1,
                                   (fault.name, moment))

    def test_names_are_unique(self):
        self.assertEqual(len(faults.FAULTS), len(faults.BY_NAME))


class TimelineTestCase(base.TestCase):

    def test_waits_for_what_is_to_come(self):
        line = timeline.Timeline()
        thread = threading.Timer(0.05, line.note, ('drill', 'fault', 'x', ''))
        thread.start()
        self.addCleanup(thread.join)
        self.assertEqual('x', line.wait(lambda event: True,
                                        time.time() + 10)['what'])

    def test_finds_what_has_been(self):
        line = timeline.Timeline()
        for name in 'abc':
            line.note('drill', 'fault', name, '')
        self.assertEqual('b', line.wait(lambda event: event['what'] == 'b',
                                        0)['what'])
        self.assertIsNone(line.wait(lambda event: event['what'] == 'd', 0))

    def test_is_told_in_order_and_from_zero(self):
        line = timeline.Timeline()
        for when in (102, 101, 103):
            line.note('drill', 'guest', str(when), '', when=when)
        self.assertEqual([-1, 0, 1], [event['t']
                                      for event in line.since(102)])
        self.assertEqual(103, line.last('guest'))
        self.assertIsNone(line.last('record'))
