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


"""Waiting in a process of native threads only.

The same names as in waiting_green.py.
"""

import queue

Queue = queue.Queue
Empty = queue.Empty


class Mailbox(object):
    """Calls a function for each message that is put in.

    :param function: called with each message, in order, in the thread that
        puts it in; it may not block long
    """

    def __init__(self, function):
        self.put = function
