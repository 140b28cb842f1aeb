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

"""Nova's own tests before and after the series, and the difference."""

import collections
import io
import pathlib
import shutil
import subprocess
import tarfile

from keeptrack import errors
from keeptrack.series import git
from keeptrack.series import inplace
from keeptrack.series import preflight
from keeptrack.series import tree as tree_mod
from keeptrack.verify import testruns

BEFORE = 'unpatched'
AFTER = 'patched'


#: tests of several modules in one tree, counted (int)
Sums = collections.namedtuple('Sums', 'tests passed failed skipped')


class Comparison:
    """What the series did to the tests.

    :param target: the targets.Target
    :param steps: labels of the trees with patches, in order (list of str)
    :param outcomes: from testruns.Runner.run()
    """

    def __init__(self, target, steps, outcomes):
        self._ours = set(target.our_modules)
        self._outcomes = outcomes
        self.steps = steps

    def rows(self):
        """A row a module and tree.

        :returns: list of tuples: label, whose tests ("Nova" or "ours"),
                  module, tests, passed, failed, skipped, new failures
        """
        rows = []
        for label in [BEFORE] + self.steps:
            for (where, module), found in sorted(self._outcomes.items()):
                if where == label:
                    rows.append((
                        label, 'ours' if module in self._ours else 'Nova',
                        module, len(found.by_id)) + tuple(
                            len(found.ids(outcome)) for outcome in
                            ('passed', 'failed', 'skipped')) + (
                            len(self._new(label, module)),))
        return rows

    def sums(self, label, whose):
        """Count the tests of a tree.

        :param label: the tree's (str)
        :param whose: "Nova" or "ours" (str)
        :returns: the Sums
        """
        rows = [row[3:7] for row in self.rows() if row[:2] == (label, whose)]
        return Sums(*map(sum, zip((0, 0, 0, 0), *rows)))

    def _new(self, label, module):
        if label == BEFORE:
            return set()
        before = self._outcomes.get((BEFORE, module))
        return self._outcomes[label, module].ids('failed') - (
            before.ids('failed') if before else set())

    def new_failures(self):
        """Tests that fail with patches and do not without.

        :returns: list of tuples: label, test id, the failure's text
        """
        return [(label, name, self._outcomes[label, module].texts[name])
                for label in self.steps
                for where, module in sorted(self._outcomes)
                if where == label
                for name in sorted(self._new(label, module))]

    def gone(self):
        """Tests of Nova's that ran before and are not there with patches.

        :returns: list of tuples: label, test id
        """
        rows = []
        for label in self.steps:
            for where, module in sorted(self._outcomes):
                before = self._outcomes.get((BEFORE, module))
                if where == label and before:
                    rows += [(label, name) for name in sorted(
                        set(before.by_id) -
                        set(self._outcomes[label, module].by_id))]
        return rows


def lay_out(tree, target, series, folder, source=None, each=False):
    """Make the trees to compare, as copies; the tree itself is only read.

    A tree without the series gets it in the later copies; from one with it,
    it is taken out in the first.

    :param tree: the tree.Tree
    :param target: its targets.Target
    :param series: the target's series.Series
    :param folder: where to put the copies (pathlib.Path)
    :param source: a clone to take the prerequisite from, or None
    :param each: make one copy after each patch, too (bool)
    :returns: dict of label to pathlib.Path, "unpatched" first
    :raises KeeptrackError: when the series does not apply
    """
    preflight.ready(tree)
    whole = series.is_whole_in(tree.lines)
    if not whole:
        preflight.absent(tree, series)
    before = _copy(tree, folder / BEFORE)
    if whole:
        inplace.write(before, inplace.removed(tree_mod.Tree(before), series))
    copies = {BEFORE: before}
    counts = list(range(1, len(series.patches))) if each else []
    for count in counts + [len(series.patches)]:
        label = (AFTER if count == len(series.patches) else
                 'patched %d' % count)
        copy = folder / label.replace(' ', '-')
        shutil.copytree(before, copy, symlinks=True)
        patched = tree_mod.Tree(copy)
        inplace.write(copy, inplace.computed(
            patched, target, series.first(count), source))
        copies[label] = copy
    return copies


def _copy(tree, folder):
    """What a tree holds: of a clone what is committed."""
    if not tree.is_clone:
        shutil.copytree(tree.path, folder, symlinks=True,
                        ignore=shutil.ignore_patterns('*.pyc', '.tox'))
        return folder
    data = git.run(tree.path, 'archive', '--format=tar', tree.head())
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        # git wrote it, from commits of the user's own
        if hasattr(tarfile, 'tar_filter'):
            tar.extractall(folder, filter='tar')
        else:
            tar.extractall(folder)
    return folder


def jobs(target, copies, modules):
    """What to run.

    :param target: the targets.Target
    :param copies: from :func:`lay_out`
    :param modules: test modules, Nova's and ours (iterable of str)
    :returns: list of testruns.Job, the slow ones first
    """
    found = []
    for label, folder in copies.items():
        for module in modules:
            if module in target.our_modules and not (
                    label != BEFORE and _file(folder, module).exists()):
                continue
            parts = target.test_parts.get(module, 1)
            found += [testruns.Job(label, folder, module,
                                   '%d/%d' % (number, parts))
                      for number in range(1, parts + 1)]
    # Functional ones wait more than they work, and may hang for minutes:
    # the others go on meanwhile.
    return sorted(found, key=lambda job: (
        '.functional.' not in job.module,
        -target.test_parts.get(job.module, 1)))


def _file(folder, module):
    return pathlib.Path(folder, *module.split('.')).with_suffix('.py')


def chosen_modules(target, series, wanted):
    """The test modules to run.

    :param target: the targets.Target
    :param series: its series.Series, which has to add every module of ours
    :param wanted: modules that the user named, or None for all
    :returns: list of str
    :raises KeeptrackError: when the target's own list cannot be true
    """
    added = set(series.added())
    absent = [module for module in target.our_modules if
              str(_file('', module)) not in added]
    if absent:
        raise errors.KeeptrackError(
            'target.toml of %s names tests that no patch adds (%s): run '
            'keeptrack refresh, or take them out' % (
                target.name, ', '.join(absent)))
    return list(wanted or target.test_modules + target.our_modules)


def refuse_unknown(tree, series, modules):
    """Raise a KeeptrackError for a test module that neither tree has.

    :param tree: the tree.Tree, with the series or without
    :param series: the target's series.Series
    :param modules: test modules that the user named (iterable of str)
    """
    added = set(series.added())
    for module in modules:
        path = str(_file('', module))
        if path not in added and not (tree.path / path).is_file():
            raise errors.KeeptrackError(
                '--tests %s: there is no %s in %s, and the series adds none'
                % (module, path, tree.path))


def run(target, copies, modules, python, processes, report, release=None):
    """Run the tests in every copy.

    :param target: the targets.Target
    :param copies: from :func:`lay_out`
    :param modules: from :func:`chosen_modules`
    :param python: the environment's Python (str)
    :param processes: how many at a time (int)
    :param report: called with a line as the work goes on
    :param release: the version of Nova: pbr finds none in the copy of a
                    checkout, and Nova's functional tests need one (str)
    :returns: the Comparison
    :raises KeeptrackError: when a tree cannot be set up
    """
    variables = dict(target.environment)
    if release is not None:
        variables.setdefault('PBR_VERSION', release)
    runner = testruns.Runner(python, variables, processes, report)
    for label, folder in copies.items():
        try:
            runner.setup(target.setup, folder)
        except (OSError, subprocess.CalledProcessError) as exc:
            raise errors.KeeptrackError('the tree "%s" cannot be set up: %s'
                                        % (label, exc))
    outcomes = runner.run(jobs(target, copies, modules))
    _refuse_unrun(outcomes)
    return Comparison(target, [label for label in copies if label != BEFORE],
                      outcomes)


def _refuse_unrun(outcomes):
    """Raise a KeeptrackError when a module did not run before the series.

    There is then nothing to compare with, and a broken environment would
    pass for a Nova that fails as much after the series as before.
    """
    for (label, _), found in sorted(outcomes.items()):
        for name, text in found.texts.items():
            if label == BEFORE and testruns.is_no_test(name):
                last = text.strip().split('\n')[-1]
                raise errors.KeeptrackError(
                    'without the series, %s: %s; so there is nothing to '
                    'compare with: check the environment and --tests' % (
                        name, last or 'it said nothing'))
