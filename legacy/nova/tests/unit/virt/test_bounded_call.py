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

from nova import test
from nova.tests.unit.virt import threads
from nova.virt import bounded_call


class Oops(Exception):
    pass


def fail():
    raise Oops('no')


class BoundedCallTestCase(test.NoDBTestCase):

    call = bounded_call.BoundedCall

    def setUp(self):
        super().setUp()
        # Not to be waited for any more once a test has ended.
        self.enough = threads.native_event()
        self.addCleanup(self.enough.set)

    def last(self, seconds):
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and not self.enough.is_set():
            threads.pause(0.01)

    def test_gives_what_the_function_returns(self):
        call = self.call(lambda a, b: a + b, 1, 2)
        self.assertTrue(call.wait(5))
        self.assertEqual(3, call.result())

    def test_raises_what_the_function_raises(self):
        call = self.call(fail)
        self.assertTrue(call.wait(5))
        self.assertIsInstance(call.error, Oops)
        self.assertRaises(Oops, call.result)

    def test_waits_no_longer_than_told(self):
        call = self.call(self.last, 3)
        began = time.monotonic()
        self.assertFalse(call.wait(0.1))
        self.assertLess(time.monotonic() - began, 2)
        self.assertFalse(call.ended)

    def test_can_be_waited_for_again(self):
        call = self.call(self.last, 0.2)
        self.assertFalse(call.wait(0.01))
        self.assertTrue(call.wait(5))
        self.assertTrue(call.wait(5))

    def test_others_go_on_meanwhile(self):
        ticks = []
        call = self.call(self.last, 0.3)

        def tick():
            while not call.ended:
                ticks.append(1)
                threads.pause(0.01)
        ticker = threads.Thread(tick)
        call.wait(5)
        ticker.wait()
        self.assertGreater(len(ticks), 5)

    def test_a_call_that_ends_oddly_has_ended(self):
        def leave():
            raise SystemExit()
        call = self.call(leave)
        self.assertTrue(call.wait(5))
        self.assertIsInstance(call.error, SystemExit)

    def test_keeps_no_service_from_ending(self):
        seen = []
        self.call(lambda: seen.append(threading.current_thread().daemon)
                  ).wait(5)
        self.assertEqual([True], seen)


class NativeCallTestCase(BoundedCallTestCase):

    call = bounded_call.NativeCall

    def last(self, seconds):
        # Blocks as a call into a library does, without anybody's knowledge.
        self.enough.wait(seconds)


class WaitForEverTestCase(test.NoDBTestCase):

    def test_without_a_bound_until_the_end(self):
        call = bounded_call.BoundedCall(threads.pause, 0.05)
        self.assertTrue(call.wait())

    def test_wakes_in_the_moment_of_the_end(self):
        ends = []

        def end():
            threads.pause(0.05)
            ends.append(time.monotonic())
        bounded_call.BoundedCall(end).wait(30)
        self.assertLess(time.monotonic() - ends[0], 1)
