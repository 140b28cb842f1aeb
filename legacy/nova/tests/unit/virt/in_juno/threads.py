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

"""Threads for tests, of the kind that the service runs."""

import eventlet
from eventlet import patcher

ROUNDS = 10


class Thread(object):

    def __init__(self, function, *args):
        self._thread = eventlet.spawn(function, *args)

    def wait(self):
        self._thread.wait()


def pause(seconds=0):
    """Let others go on."""
    eventlet.sleep(seconds)


def wait_until(is_so):
    """Let others go on until something is so."""
    for _ in range(ROUNDS):
        if not is_so():
            eventlet.sleep(0)


def native_event():
    """Give an event for a thread of the operating system's."""
    return patcher.original('threading').Event()
