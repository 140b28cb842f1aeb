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


"""Many hosts: some answer, some fail, some hang."""

import threading
import time
from unittest import mock

import testtools

from keeptrack.audit.hosts import asker
from keeptrack.audit.hosts import asking
from keeptrack.audit.hosts import collector
from keeptrack.audit.hosts import guests
from keeptrack import errors
from keeptrack.tests.unit.audit.hosts import sample


class AskerTestCase(testtools.TestCase):

    def ask(self, names, forks, timeout, look):
        told = []
        with mock.patch.object(collector, 'binding', return_value=None):
            asker.Asker([(number, name, name) for number, name
                         in enumerate(names)], forks, timeout, told.append,
                        look).run()
        return told

    def test_one_that_hangs_delays_nobody(self):
        go_on = threading.Event()
        self.addCleanup(go_on.set)

        def look(uri, name, libvirt):
            if name == 'hung':
                go_on.wait()
            if name == 'broken':
                raise collector.CannotLook('refused')
            if name == 'odd':
                raise KeyError(name)
            return {'asked': name}

        began = time.monotonic()
        told = self.ask(['hung', 'broken', 'odd'] + ['a'] * 20, 2, 2, look)
        self.assertTrue(time.monotonic() - began < 10)
        answers = [one for one in told if one[0] != asker.BEGAN]
        self.assertEqual(20, sum(one[0] == asker.ANSWER for one in answers))
        failed = {one[1]: one[2] for one in answers
                  if one[0] == asker.FAILED}
        self.assertEqual({0: 'no answer within 2 s', 1: 'refused',
                          2: "KeyError: 'odd'"}, failed)

    def test_bound(self):
        lock, now, most = threading.Lock(), [0], [0]

        def look(uri, name, libvirt):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.01)
            with lock:
                now[0] -= 1
            return {}

        self.ask(['a'] * 20, 3, 5, look)
        self.assertTrue(most[0] <= 3)


class AskingTestCase(testtools.TestCase):

    def test_target(self):
        self.assertEqual('qemu+tls://a/system', asking.target(
            'a', 'qemu+tls://%s/system').uri)
        self.assertEqual('qemu:///system',
                         asking.target('qemu:///system').uri)
        for word, template in (('', asking.URI), ('a b', asking.URI),
                               ('-x', asking.URI), ('a', 'qemu:///system'),
                               ('a', 'qemu://%s/%s'), ('a', '%d%s')):
            self.assertRaises(errors.KeeptrackError, asking.target, word,
                              template)

    def events(self, *rounds):
        """Let each process tell some events."""
        rounds = list(rounds)

        def events(left, forks, timeout):
            self.asked.append((sorted(left), forks))
            yield from rounds.pop(0)

        self.asked = []
        return mock.patch.object(asking, '_events', events)

    def test_a_process_that_one_host_takes_down(self):
        targets = [asking.Target(name, name) for name in 'abc']
        answer = sample.document()
        with self.events(
                [[asker.BEGAN, 0], [asker.BEGAN, 1],
                 [asker.ANSWER, 0, answer]],
                [[asker.BEGAN, 0]],
                [[asker.BEGAN, 2], [asker.ANSWER, 2, answer]]):
            told = list(asking.ask(targets, 2, 5))
        self.assertEqual([([0, 1, 2], 2), ([0], 1), ([2], 2)], self.asked)
        self.assertIsInstance(told[0], guests.Look)
        self.assertEqual('b', told[1].target.name)
        self.assertIn('ends the process', told[1].why)
        self.assertIsInstance(told[2], guests.Look)

    def test_a_lie_is_that_hosts_only(self):
        targets = [asking.Target('a', 'a')]
        with self.events([[asker.BEGAN, 0], [asker.ANSWER, 0, {'x': 1}]]):
            told = list(asking.ask(targets))
        self.assertIn('its answer is broken', told[0].why)

    def test_a_real_process(self):
        targets = [asking.Target('a', 'nonsense:///')]
        told = list(asking.ask(targets, 1, 20))
        self.assertEqual(targets, [one.target for one in told])
