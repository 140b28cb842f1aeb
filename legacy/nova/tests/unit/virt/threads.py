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

import sys
import threading
import time

PATIENCE = 30


class Thread(threading.Thread):

    def __init__(self, function, *args):
        super().__init__(target=function, args=args, daemon=True)
        self.start()

    def wait(self):
        self.join(PATIENCE)


def pause(seconds=0):
    """Let others go on."""
    time.sleep(seconds)


def wait_until(is_so):
    """Let others go on until something is so."""
    ends = time.monotonic() + PATIENCE
    while not is_so() and time.monotonic() < ends:
        time.sleep(0.001)


def native_event():
    """Give an event for a thread of the operating system's."""
    patcher = sys.modules.get('eventlet.patcher')
    if patcher is not None and patcher.is_monkey_patched('thread'):
        return patcher.original('threading').Event()
    return threading.Event()
