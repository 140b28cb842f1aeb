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

import time

import eventlet

from nova import test
from nova.virt import bounded_call


class Oops(Exception):
    pass


def fail():
    raise Oops('no')


class BoundedCallTestCase(test.NoDBTestCase):

    call = bounded_call.BoundedCall

    @staticmethod
    def sleep(seconds):
        eventlet.sleep(seconds)

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
        call = self.call(self.sleep, 3)
        began = time.time()
        self.assertFalse(call.wait(0.1))
        self.assertTrue(time.time() - began < 2)
        self.assertFalse(call.ended)

    def test_can_be_waited_for_again(self):
        call = self.call(self.sleep, 0.2)
        self.assertFalse(call.wait(0.01))
        self.assertTrue(call.wait(5))
        self.assertTrue(call.wait(5))

    def test_others_go_on_meanwhile(self):
        ticks = []

        def tick():
            while True:
                ticks.append(1)
                eventlet.sleep(0.01)
        ticker = eventlet.spawn(tick)
        self.call(self.sleep, 0.3).wait(5)
        ticker.kill()
        self.assertTrue(len(ticks) > 5)

    def test_a_call_that_ends_oddly_has_ended(self):
        def leave():
            raise SystemExit()
        call = self.call(leave)
        self.assertTrue(call.wait(5))
        self.assertIsInstance(call.error, SystemExit)


class NativeCallTestCase(BoundedCallTestCase):

    call = bounded_call.NativeCall

    @staticmethod
    def sleep(seconds):
        eventlet.patcher.original('time').sleep(seconds)


class WaitForEverTestCase(test.NoDBTestCase):

    def test_without_a_bound_until_the_end(self):
        call = bounded_call.BoundedCall(eventlet.sleep, 0.05)
        self.assertTrue(call.wait())

    def test_wakes_in_the_moment_of_the_end(self):
        ends = []

        def end():
            eventlet.sleep(0.05)
            ends.append(time.time())
        bounded_call.BoundedCall(end).wait(30)
        self.assertTrue(time.time() - ends[0] < 1)
