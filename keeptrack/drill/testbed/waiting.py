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


"""Waits for what comes sooner or later."""

import time

from keeptrack.drill.testbed import errors


def until(seconds, complaint, ready, poll=0.05):
    """Wait until something is so.

    :param seconds: at most (float)
    :param complaint: what is said if it is not (str)
    :param ready: called until it returns something true, which is returned
    :param poll: seconds between two calls (float)
    :raises TestbedError: when it is not so in time
    """
    ends = time.monotonic() + seconds
    while True:
        found = ready()
        if found:
            return found
        if time.monotonic() > ends:
            raise errors.TestbedError('%s within %g s' % (complaint, seconds))
        time.sleep(poll)
