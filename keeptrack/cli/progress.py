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

"""How far a piece of work is, and for how long it has been going on."""

import logging
import sys
import time

LOG = logging.getLogger(__name__)

# seconds between two lines where stderr is no terminal
INTERVAL = 30


def duration(seconds):
    """A time for people (str): "42 s", "3 min 20 s" or "2 h 5 min"."""
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 1:
        return '%d s' % rest
    if minutes < 60:
        return '%d min %d s' % (minutes, rest)
    return '%d h %d min' % divmod(minutes, 60)


class Progress:
    """Reports how far a piece of work is.

    A terminal shows one line that is written again at every step; elsewhere
    there is a line every 30 seconds.

    :param what: what is done, as "reading logs" (str)
    :param quiet: report nothing (bool)
    """

    def __init__(self, what, quiet=False):
        self._what = what
        self._quiet = quiet
        self._began = self._last = time.monotonic()

    def step(self, done, total, at=''):
        """Report a step.

        :param done: steps that are done (int)
        :param total: steps in all (int)
        :param at: what is done now (str)
        """
        now = time.monotonic()
        line = '%s: %d of %d, %s%s' % (
            self._what, done, total, duration(now - self._began),
            ': ' + at if at and done < total else '')
        if self._quiet:
            return
        if sys.stderr.isatty():
            sys.stderr.write('\r\033[K' + (
                'keeptrack: ' + line if done < total else ''))
            sys.stderr.flush()
        elif now - self._last >= INTERVAL and done < total:
            self._last = now
            LOG.info('%s', line)
