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

"""Run a function in a thread of its own and wait for it, but not for ever.

Everything here that knows about eventlet is in this file. A call that is
waited for too long is not interrupted: whatever it does, to a database or on
a wire, it does to its end, and nobody listens any more.
"""

import sys

from eventlet import event
from eventlet import greenthread
from eventlet import patcher
from eventlet import timeout

native_threading = patcher.original('threading')

# Seconds between two looks at a native thread, which cannot wake the hub.
NATIVE_POLL = 0.02


class BoundedCall(object):
    """A function that runs in a green thread from now on.

    Whoever waits for it wakes in the moment that it ends.

    :param function: callable
    :param args: its arguments
    """

    def __init__(self, function, *args):
        self.ended = False
        self.error = None
        self._value = None
        self._start(function, args)

    def _start(self, function, args):
        self._event = event.Event()
        greenthread.spawn_n(self._run, function, args)

    def _run(self, function, args):
        try:
            self._value = function(*args)
        except BaseException:
            # Also what ends a green thread from outside: the one that waits
            # has to learn of every end.
            self.error = sys.exc_info()[1]
        finally:
            self.ended = True
            self._wake()

    def _wake(self):
        self._event.send()

    def wait(self, seconds=None):
        """Wait for the end of the call.

        :param seconds: float, at most so long; None waits for ever
        :returns: bool, whether the call has ended
        """
        if not self.ended:
            with timeout.Timeout(seconds, False):
                self._event.wait()
        return self.ended

    def result(self):
        """Give what the call has returned, once it has ended.

        :returns: the function's value
        :raises: whatever the function has raised
        """
        if self.error is not None:
            raise self.error
        return self._value


class NativeCall(BoundedCall):
    """A function that runs in a thread of the operating system's.

    For functions that block without eventlet's knowledge. They must not use
    anything green: no logging, no locks, no queues.
    """

    def _start(self, function, args):
        thread = native_threading.Thread(target=self._run,
                                         args=(function, args))
        # A thread that never ends must not keep the service from ending.
        thread.daemon = True
        thread.start()

    def _wake(self):
        """Nobody to wake: wait() looks by itself."""

    def wait(self, seconds):
        """Wait for the end of the call.

        :param seconds: float, at most so long
        :returns: bool, whether the call has ended
        """
        with timeout.Timeout(seconds, False):
            while not self.ended:
                greenthread.sleep(NATIVE_POLL)
        return self.ended
