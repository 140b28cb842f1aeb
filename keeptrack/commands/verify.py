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

"""keeptrack verify."""

import os
import pathlib
import tempfile

from cliff import lister

from keeptrack.commands import common
from keeptrack import environment
from keeptrack import errors
from keeptrack import verification


class Verify(lister.Lister):
    """Run Nova's own tests without and with the series, and compare.

    TREE may have the series or not; it is only read.  Exit status: 0 when
    nothing fails that did not fail before, 1 when something does, 2 when the
    tests could not be run.
    """

    _status = 0

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        common.add_tree(parser, 'to verify')
        parser.add_argument(
            '--python', metavar='P',
            help="the Python to run the target's tests with (default: "
                 'KEEPTRACK_PYTHON, or one that is found)')
        parser.add_argument(
            '--jobs', metavar='N', type=int, default=os.cpu_count() or 1,
            help='test processes at a time (default: one a processor)')
        parser.add_argument(
            '--tests', metavar='MODULE', action='append',
            help='run this test module only; can be given again')
        parser.add_argument(
            '--each', action='store_true',
            help='run the tests after each patch, too')
        return parser

    def run(self, parsed_args):
        return super().run(parsed_args) or self._status

    def take_action(self, parsed_args):
        if parsed_args.jobs < 1:
            raise errors.KeeptrackError('--jobs needs a number from 1 on')
        with common.chosen_tree(self.app_args, parsed_args) as nova:
            target, series = common.require_target(self.app_args, nova)
            modules = verification.chosen_modules(target, series,
                                                  parsed_args.tests)
            env = environment.Environment(target, environment.find_python(
                target.python, parsed_args.python))
            with tempfile.TemporaryDirectory(prefix='keeptrack-') as folder:
                common.report('copying %s' % nova.path)
                copies = verification.lay_out(
                    nova, target, series, pathlib.Path(folder),
                    common.prerequisite_source(nova, target),
                    parsed_args.each)
                env.ensure(common.report)
                result = verification.run(
                    target, copies, modules, env.python, parsed_args.jobs,
                    common.report)
        self._tell(result)
        return (('Tree', 'Whose', 'Module', 'Tests', 'Passed', 'Failed',
                 'Skipped', 'New failures'), result.rows())

    def _tell(self, result):
        """The difference, on stderr; the table goes to stdout."""
        failures = result.new_failures()
        for label, name, text in failures:
            common.report('new failure, %s: %s' % (label, name))
            self.app.stderr.write(text.rstrip() + '\n' if text else '')
        for label, name in result.gone():
            common.report('no longer there, %s: %s' % (label, name))
        last = [row for row in result.rows()
                if row[0] == verification.AFTER]
        ours = [row for row in last if row[1] == 'ours']
        common.report(
            "%d new failures; Nova's own after the series: %d tests, %d "
            'failed; ours: %d tests, %d failed' % (
                len(failures), sum(row[3] for row in last if row not in ours),
                sum(row[5] for row in last if row not in ours),
                sum(row[3] for row in ours), sum(row[5] for row in ours)))
        self._status = 1 if failures else 0
