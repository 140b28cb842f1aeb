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

from keeptrack.drill import faults
from keeptrack.drill import generator
from keeptrack.tests import base


ALL = faults.FAULTS + tuple(fault for fault in faults.OF_CLOUD
                            if fault not in faults.FAULTS)


class FaultsTestCase(base.TestCase):

    def draw(self, name, number, seed='x'):
        return generator.draw(faults.BY_NAME_OF_CLOUD.get(name) or
                              faults.BY_NAME[name], number,
                              random.Random(seed),
                              seed)

    def test_one_seed_gives_one_draw(self):
        for fault in ALL:
            self.assertEqual(self.draw(fault.name, 3),
                             self.draw(fault.name, 3))
        self.assertNotEqual(self.draw('network-cut', 0).delay,
                            self.draw('network-cut', 0, 'y').delay)

    def test_every_moment_comes_with_a_shared_folder_and_without(self):
        for fault in ALL:
            count = len(fault.moments)
            drawn = {(draw.moment, draw.shared) for draw in
                     [self.draw(fault.name, number)
                      for number in range(2 * count)]}
            self.assertEqual({(moment, shared) for moment in fault.moments
                              for shared in (True, False)}, drawn)

    def test_delays_and_durations_are_in_bounds(self):
        for fault in ALL:
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
        for fault in ALL:
            self.assertEqual(fault.lasts is faults.NEVER,
                             fault.heal is faults.nothing, fault.name)

    def test_delays_are_random_at_every_moment(self):
        for fault in ALL:
            drawn = {}
            for number in range(40):
                found = generator.draw(fault, number,
                                       random.Random(number), 's')
                drawn.setdefault(found.moment, set()).add(found.delay)
            self.assertEqual(set(fault.moments), set(drawn))
            for moment, delays in drawn.items():
                self.assertGreater(max(delays) - min(delays), 0.1,
                                   (fault.name, moment))

    def test_names_are_unique(self):
        self.assertEqual(len(ALL), len({fault.name for fault in ALL}))
