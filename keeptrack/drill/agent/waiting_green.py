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


"""Waiting in a process of green threads.

The same names as in waiting_native.py.
"""

import collections
import fcntl
import os

from eventlet.green import os as green_os
from eventlet import greenthread
from eventlet import queue

from agent import unpatched

Queue = queue.Queue
Empty = queue.Empty


class Mailbox(object):
    """Calls a function in a green thread for each message that is put in.

    It brings messages from native threads to the green ones.

    :param function: called with each message, in order; it may not block long
    """

    def __init__(self, function):
        self._function = function
        self._messages = collections.deque()
        self._os = unpatched.original('os')
        self._end, self._wake = self._os.pipe()
        # A hub can say that there is something to read where there is not: a
        # read that waits then would stop every green thread.
        flags = fcntl.fcntl(self._end, fcntl.F_GETFL)
        fcntl.fcntl(self._end, fcntl.F_SETFL, flags | os.O_NONBLOCK)
        greenthread.spawn_n(self._empty)

    def put(self, message):
        """Put a message in; from any thread."""
        self._messages.append(message)
        self._os.write(self._wake, b'.')

    def _empty(self):
        while True:
            green_os.read(self._end, 4096)
            while self._messages:
                self._function(self._messages.popleft())
