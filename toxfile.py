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

"""Let tox end with what failed and why, on one screen.

tox reads this file beside tox.ini: its plug-ins can be defined here.
"""

import atexit
import collections
import re

from tox.plugin import impl

# failures and lines of a failure that one screen has room for
_SHOWN = 10
_LINES = 8

_SUM = re.compile(r'^ - (Passed|Failed|Skipped): +(\d+)', re.MULTILINE)
_SKIP = re.compile(r'\.\.\. SKIPPED: *(.*)')
_FAILED = re.compile(r'\nFailed \d+ tests - output below:\n=+\n(.*?)\n=+\n'
                     r'Totals', re.DOTALL)


class Summary:
    """What the environments of this run have printed."""

    def __init__(self):
        self.sums = collections.Counter()
        self.skips = collections.Counter()
        self.failures = []

    def add(self, name, outcome):
        """Read what a command of an environment has printed.

        :param name: the environment's (str)
        :param outcome: tox.execute.api.Outcome
        """
        text = (outcome.out + outcome.err).replace('\r\n', '\n')
        for what, number in _SUM.findall(text):
            self.sums[what] += int(number)
        self.skips.update((name, reason) for reason in _SKIP.findall(text))
        found = [failure for part in _FAILED.findall(text)
                 for failure in failed_tests(part)]
        if outcome.exit_code and not found:
            found = [(' '.join(outcome.cmd[:3]), last_lines(text, _LINES))]
        self.failures += [(name, test, why) for test, why in found]

    def print(self):
        """Print it."""
        print('\n' + '=' * 72)
        for (name, reason), count in sorted(self.skips.items()):
            print('%s: %d skipped: %s' % (name, count, reason))
        for name, test, why in self.failures[:_SHOWN]:
            print('%s: FAILED %s\n%s' % (name, test, why))
        if len(self.failures) > _SHOWN:
            print('and %d more' % (len(self.failures) - _SHOWN))
        print('%d tests passed, %d failed, %d skipped' % tuple(
            self.sums[what] for what in ('Passed', 'Failed', 'Skipped')))


def failed_tests(text):
    """The failures that stestr prints at its end.

    :param text: what follows its "Failed ... tests" (str)
    :returns: list of tuples: a test's name, the end of its traceback (str)
    """
    parts = re.split(r'^(\S.*)\n-{5,}\n', text, flags=re.MULTILINE)[1:]
    found = []
    for name, body in zip(parts[::2], parts[1::2]):
        trace = re.search(r'^Captured traceback:\n~+\n(.*?)(?=^\S|\Z)', body,
                          re.DOTALL | re.MULTILINE)
        found.append((name, last_lines(trace.group(1) if trace else body,
                                       2)))
    return found


def last_lines(text, count):
    """The last lines of a text that are not empty (str)."""
    lines = [line.rstrip() for line in text.split('\n') if line.strip()]
    return '\n'.join('    ' + line.strip()[:200] for line in lines[-count:])


_summary = Summary()


@impl
def tox_after_run_commands(tox_env, exit_code, outcomes):
    """Read the outcomes of an environment; a hook of tox."""
    if not _summary.sums and not _summary.failures:
        # after tox's own summary
        atexit.unregister(_summary.print)
        atexit.register(_summary.print)
    for outcome in outcomes:
        _summary.add(tox_env.conf.name, outcome)
