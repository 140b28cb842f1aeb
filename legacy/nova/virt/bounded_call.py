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

All that depends on whether the service runs eventlet or the operating
system's threads is in this file. A call that is waited for too long is not
interrupted: whatever it does, to a database or on a wire, it does to its end,
and nobody listens any more.
"""

import sys
import threading
import time

from oslo_context import context as oslo_context

# Seconds between two looks at a thread that cannot wake eventlet's hub.
NATIVE_POLL = 0.02


class BoundedCall(object):
    """A function that runs in a thread from now on.

    The thread is one of the service's kind: where eventlet has replaced the
    standard library's, it is green. Whoever waits for it wakes in the moment
    that it ends.

    :param function: callable
    :param args: its arguments
    """

    def __init__(self, function, *args):
        self.ended = False
        self.error = None
        self._value = None
        self._over = threading.Event()
        self._context = oslo_context.get_current()
        # A thread that never ends must not keep the service from ending.
        self._threads().Thread(target=self._run, args=(function, args),
                               daemon=True).start()

    def _threads(self):
        return threading

    def _run(self, function, args):
        if self._context is not None:
            # for the log
            self._context.update_store()
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
        self._over.set()

    def wait(self, seconds=None):
        """Wait for the end of the call.

        :param seconds: float, at most so long; None waits for ever
        :returns: bool, whether the call has ended
        """
        self._over.wait(seconds)
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

    def _threads(self):
        patcher = sys.modules.get('eventlet.patcher')
        self._is_green = (patcher is not None and
                          patcher.is_monkey_patched('thread'))
        return patcher.original('threading') if self._is_green else threading

    def _wake(self):
        # The event is green where eventlet is, and not to be touched by
        # another thread: then wait() looks by itself.
        if not self._is_green:
            self._over.set()

    def wait(self, seconds):
        """Wait for the end of the call.

        :param seconds: float, at most so long
        :returns: bool, whether the call has ended
        """
        if not self._is_green:
            return super().wait(seconds)
        ends = time.monotonic() + seconds
        while not self.ended and time.monotonic() < ends:
            time.sleep(NATIVE_POLL)
        return self.ended
