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

"""What verify and apply --verify share: running tests, naming failures."""

import os
import pathlib
import tempfile

from keeptrack.cli import common
from keeptrack.verify import environment
from keeptrack.verify import verification


def add_arguments(parser):
    """Give a parser the options --python and --jobs.

    :param parser: an argparse.ArgumentParser
    """
    parser.add_argument(
        '--python', metavar='P',
        help="the Python that runs the target's tests (default: "
             "KEEPTRACK_PYTHON, or the target's version from PATH or pyenv)")
    parser.add_argument(
        '--jobs', metavar='N', type=int, default=os.cpu_count() or 1,
        help='test processes at a time (default: one for each processor)')


class NovaTests:
    """The tests of a target, ready to be run in a tree.

    What can be wrong with the arguments shows when it is made, before any
    tree is touched.

    :param target: the targets.Target
    :param series: its series.Series
    :param args: the command's, of :func:`add_arguments`
    :param modules: test modules that the user named, or None for all
    :raises KeeptrackError: when the tests could not be run
    """

    def __init__(self, target, series, args, modules=None):
        common.refuse_below_one(args, 'jobs')
        self._target = target
        self._series = series
        self._jobs = args.jobs
        self._named = modules or ()
        self._modules = verification.chosen_modules(target, series, modules)
        self._env = environment.Environment(target, environment.find_python(
            target.python, args.python))

    def run(self, nova, each=False):
        """Run the tests without and with the series.

        :param nova: a tree.Tree, with the series or without; only read
        :param each: run them after each patch, too (bool)
        :returns: the verification.Comparison
        """
        verification.refuse_unknown(nova, self._series, self._named)
        with tempfile.TemporaryDirectory(prefix='keeptrack-') as folder:
            common.report('copying %s' % nova.path)
            copies = verification.lay_out(
                nova, self._target, self._series, pathlib.Path(folder),
                common.prerequisite_source(nova, self._target), each)
            self._env.ensure(common.report)
            return verification.run(
                self._target, copies, self._modules, self._env.python,
                self._jobs, common.report,
                nova.release() or self._target.base().release)


def report_failures(result, stderr):
    """Name the tests that fail, or are gone, with patches only.

    :param result: a verification.Comparison
    :param stderr: the stream for the texts of failures
    :returns: how many tests fail that did not before (int)
    """
    failures = result.new_failures()
    for label, name, text in failures:
        common.LOG.warning('new failure, %s: %s', label, name)
        stderr.write(text.rstrip() + '\n' if text else '')
    for label, name in result.gone():
        common.LOG.warning('no longer there, %s: %s', label, name)
    return len(failures)
