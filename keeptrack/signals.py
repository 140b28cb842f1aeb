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

"""Signals and work that must not stop in the middle."""

import contextlib
import signal
import threading

STOPPING = (signal.SIGINT, signal.SIGTERM)


def terminate_like_interrupt():
    """Let SIGTERM unwind the stack as Ctrl-C does, so that cleanup runs."""
    def interrupt(number, frame):
        raise KeyboardInterrupt()
    signal.signal(signal.SIGTERM, interrupt)


class Held:
    """What came while signals were held back.

    :ivar pending: a signal came (bool)
    """

    def __init__(self):
        self.pending = False

    def check(self):
        """Raise the KeyboardInterrupt that was held back, if one was."""
        if self.pending:
            self.pending = False
            raise KeyboardInterrupt()


@contextlib.contextmanager
def held():
    """Hold SIGINT and SIGTERM back for the length of a with block.

    The block looks at the yielded :class:`Held` where stopping is safe.  A
    signal that came after its last look is dropped: the work was done by then,
    and its result says so.  Off the main thread Python delivers no signals, so
    there is nothing to hold.
    """
    state = Held()
    if threading.current_thread() is not threading.main_thread():
        yield state
        return

    def remember(number, frame):
        state.pending = True

    before = {number: signal.signal(number, remember) for number in STOPPING}
    try:
        yield state
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
