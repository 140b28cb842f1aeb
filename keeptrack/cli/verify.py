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

from keeptrack.cli import common
from keeptrack.cli import lister
from keeptrack.cli import nova_tests
from keeptrack.verify import verification


class Verify(lister.Lister):
    """Run Nova's own tests without and with the series, and compare.

    TREE may have the series or not; it is only read, and the tests run in
    copies.

    Exit status: 0 when no test fails with the series that passes without it,
    1 when one does, 2 when the tests could not be run.
    """

    column_help = (
        ('Tree', 'unpatched; patched; or patched 1, patched 2 ... after so '
                 'many patches (--each)'),
        ('Whose', "Nova (a test module of Nova's) or ours (of the series)"),
        ('Module', 'the test module'),
        ('Tests', 'tests that ran; also Passed, Failed, Skipped'),
        ('New failures', 'tests that fail here and not in the unpatched '
                         'tree'),
    )

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        common.add_tree(parser, 'to verify')
        common.add_target(parser)
        nova_tests.add_arguments(parser)
        parser.add_argument(
            '--tests', metavar='MODULE', action='append',
            help='run this test module only, as '
                 'nova.tests.unit.compute.test_compute; can be repeated')
        parser.add_argument(
            '--each', action='store_true',
            help='run the tests also after each patch')
        return parser

    def take_action(self, parsed_args):
        with common.chosen_tree(self.app_args, parsed_args) as nova:
            target, series = common.require_target(
                self.app_args, nova, parsed_args.target)
            result = nova_tests.NovaTests(
                target, series, parsed_args, parsed_args.tests).run(
                nova, parsed_args.each)
        self._report(result)
        return (('Tree', 'Whose', 'Module', 'Tests', 'Passed', 'Failed',
                 'Skipped', 'New failures'), result.rows())

    def _report(self, result):
        """Report the difference on stderr; the table goes to stdout."""
        failures = nova_tests.report_failures(result, self.app.stderr)
        nova = result.sums(verification.AFTER, 'Nova')
        ours = result.sums(verification.AFTER, 'ours')
        common.report(
            "%d new failures; Nova's own tests, patched: %d tests, %d "
            'failed; ours: %d tests, %d failed' % (
                failures, nova.tests, nova.failed, ours.tests, ours.failed))
        self._status = 1 if failures else 0
