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

"""keeptrack apply."""

import contextlib
import pathlib
import re
import shutil
import tempfile

from cliff import command

from keeptrack.cli import common
from keeptrack.cli import lister
from keeptrack.cli import nova_tests
from keeptrack import errors
from keeptrack.series import branch
from keeptrack.series import cherry_pick
from keeptrack.series import inplace
from keeptrack.series import placement
from keeptrack.series import preflight
from keeptrack.series import quilt
from keeptrack.series import targets
from keeptrack.series import tree
from keeptrack.verify import verification


class Apply(command.Command):
    """Apply the series to a Nova tree: all of it or nothing.

    In a clone the patches become commits on a new branch, which is checked
    out at the end; the clone's hooks for git am and its commit.gpgsign apply.
    A tree that is not a git checkout is patched in place.

    Without TREE, the newest release is downloaded from PyPI and unpacked in
    ./nova-<version>; a release that is not on PyPI is cloned from NOVA_REPO
    into ./nova-<target>.

    In a source package of Debian's format 3.0 (quilt) the series goes on top
    of the package's patches, into debian/patches/keeptrack.  A tree that has
    the series already is left as it is.

    With --verify, Nova's own tests are then run without and with the series,
    as by keeptrack verify. A target's first run makes a virtualenv; see
    keeptrack cache.

    Exit status: 0 when the series was applied and, with --verify, no test
    fails with it that passes without it; 1 when one does; 2 when the series
    was not applied or the tests could not be run.
    """

    _status = 0

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        lister.keep_paragraphs(parser)
        common.add_tree(parser, 'to patch')
        common.add_target(parser)
        parser.add_argument(
            '--branch', metavar='B',
            help='in a clone: the branch to create (default: '
                 'keeptrack/<target>)')
        parser.add_argument(
            '--author', metavar="'NAME <MAIL>'",
            help="in a clone: the author of the commits (default: the "
                 "patches'); it also replaces the patches' Signed-off-by")
        parser.add_argument(
            '--signoff', action='store_true',
            help="in a clone: add the committer's Signed-off-by, as git am "
                 '--signoff does')
        parser.add_argument(
            '--dry-run', action='store_true',
            help='check that the series applies, and change nothing')
        parser.add_argument(
            '--undo', action='store_true',
            help='remove the series from TREE, which is not a git checkout')
        parser.add_argument(
            '--verify', action='store_true',
            help="then run Nova's own tests without and with the series")
        nova_tests.add_arguments(parser)
        return parser

    def run(self, parsed_args):
        try:
            return super().run(parsed_args) or self._status
        except KeyboardInterrupt as exc:
            raise KeyboardInterrupt(str(exc) or 'the tree is as it was')

    def take_action(self, parsed_args):
        common.refuse_both(parsed_args)
        if parsed_args.verify and parsed_args.dry_run:
            raise errors.KeeptrackError(
                '--dry-run and --verify exclude each other: keeptrack verify '
                'tests without applying')
        if parsed_args.undo:
            self._undo(parsed_args)
            return
        try:
            path = (self._apply(tree.Tree(parsed_args.tree), parsed_args)
                    if parsed_args.tree is not None else
                    self._apply_to_release(parsed_args))
        except placement.DoesNotApply as exc:
            raise errors.KeeptrackError(
                '%s; nothing was changed: apply the series to the Nova that '
                'the tree is based on, and cherry-pick its commits' % exc)
        if parsed_args.verify:
            try:
                self._verify(tree.Tree(path), parsed_args)
            except KeyboardInterrupt:
                raise KeyboardInterrupt('the series is applied, not verified')

    def _say(self, line):
        self.app.stdout.write(line + '\n')

    def _apply(self, nova, args):
        """Apply the series to a tree and print that; returns its path."""
        target, series = common.require_target(self.app_args, nova,
                                               args.target)
        if series.is_whole_in(nova.lines):
            self._say('%s has the series already, %d patches of %s: nothing '
                      'to do' % (nova.path, len(series.patches), target.name))
            return nova.path
        if args.verify:
            # refuse what keeps the tests from running before the work
            nova_tests.NovaTests(target, series, args)
        name = None
        if nova.is_clone:
            name = args.branch or 'keeptrack/' + target.name
        else:
            _refuse_options(nova, args)
        preflight.check(nova, series, name, not args.dry_run)
        if nova.is_clone:
            self._commit(nova, target, series, name, args)
            return nova.path
        files = inplace.computed(nova, target, series, common.nova_repo(),
                                 common.report)
        count = len(files)
        in_package = quilt.is_package(nova)
        if in_package:
            files.update(quilt.added(nova, series))
        if not args.dry_run:
            inplace.write(nova.path, files)
        self._say('%s: %d patches of %s %s, %d files%s' % (
            nova.path, len(series.patches), target.name,
            'would apply' if args.dry_run else 'applied', count,
            ', as quilt patches in debian/patches/keeptrack' if in_package
            else ''))
        return nova.path

    def _undo(self, args):
        """Take the series off an unpacked tree and say so."""
        if args.tree is None:
            raise errors.KeeptrackError(
                '--undo takes the series off a tree: name it as TREE')
        if args.verify:
            raise errors.KeeptrackError(
                '--undo only removes the series: leave --verify out')
        nova = tree.Tree(args.tree)
        target, series = common.require_target(self.app_args, nova,
                                               args.target)
        if nova.is_clone:
            raise errors.KeeptrackError(
                '%s is a git checkout: check out the branch that it was on '
                'before, and remove keeptrack/%s with git branch -D' % (
                    nova.path, target.name))
        _refuse_options(nova, args)
        if not series.is_whole_in(nova.lines):
            preflight.absent(nova, series)
            self._say('%s does not have the series %s: nothing to undo' % (
                nova.path, target.name))
            return
        files = inplace.removed(nova, series)
        count = len(files)
        if quilt.is_package(nova):
            files.update(quilt.removed(nova, series))
        preflight.writable(nova, files)
        if not args.dry_run:
            inplace.write(nova.path, files)
        self._say('%s: %d patches of %s %s off, %d files' % (
            nova.path, len(series.patches), target.name,
            'would come' if args.dry_run else 'taken', count))

    def _commit(self, nova, target, series, name, args):
        with branch.prepared(nova, target, series,
                             report=common.report,
                             sources=self._sources(nova, target, series),
                             signature=branch.Signature(
                                 _author(args.author),
                                 args.signoff)) as scratch:
            if not args.dry_run:
                branch.publish(nova, scratch, name)
        self._say('%s: %d patches of %s %s branch %s%s' % (
            nova.path, len(series.patches), target.name,
            'would apply as commits on' if args.dry_run else
            'are commits on', name,
            '' if args.dry_run else ', which is checked out now'))

    def _sources(self, nova, target, series):
        """The commits that a target's patches are backports of, or None."""
        if target.picked_from is None:
            return None
        return cherry_pick.Sources(nova, targets.by_name(
            common.all_targets(self.app_args), target.picked_from),
            series.patches)

    def _apply_to_release(self, args):
        with common.chosen_tree(
                self.app_args, args,
                lambda name: args.dry_run or _free(name)) as release:
            # refuse it before a folder is made for it
            common.require_target(self.app_args, release, args.target)
            with _new_folder(release.path.name, args.dry_run) as folder:
                shutil.copytree(release.path, folder, symlinks=True)
                return self._apply(tree.Tree(folder), args)

    def _verify(self, nova, args):
        target, series = common.require_target(self.app_args, nova,
                                               args.target)
        result = nova_tests.NovaTests(target, series, args).run(nova)
        failures = nova_tests.report_failures(result, self.app.stderr)
        for title, label, whose in (
                ("Nova's own tests without the series",
                 verification.BEFORE, 'Nova'),
                ("Nova's own tests with the series",
                 verification.AFTER, 'Nova'),
                ("the series' own tests", verification.AFTER, 'ours')):
            found = result.sums(label, whose)
            self._say('%s: %d run, %d passed, %d failed, %d skipped' % (
                title, found.tests, found.passed, found.failed,
                found.skipped))
        self._say(
            'FAILED: %d tests fail with the series that pass without it; '
            'they are named above' % failures if failures else
            'No test fails with the series that passes without it. '
            'The patched Nova is in %s' % nova.path)
        self._status = 1 if failures else 0


def _refuse_options(nova, args):
    """Refuse the options that are for a clone."""
    for option in ('branch', 'author', 'signoff'):
        if getattr(args, option):
            raise errors.KeeptrackError(
                '%s is not a git checkout: leave out --%s' % (
                    nova.path, option))


def _author(text):
    """Name and mail address of --author (tuple of str), or None."""
    if text is None:
        return None
    found = re.fullmatch(r'\s*([^<>\n]*[^<>\s])\s*<([^<>\s]+)>\s*', text)
    if found is None:
        raise errors.KeeptrackError(
            "--author takes 'NAME <MAIL>', not %s" % text)
    return found.groups()


def _free(name):
    """A path in the current folder where nothing is yet (pathlib.Path)."""
    folder = pathlib.Path.cwd() / name
    if folder.exists():
        raise errors.KeeptrackError(
            '%s exists already: remove it, name it as TREE, or run this in '
            'another folder' % folder)
    return folder


@contextlib.contextmanager
def _new_folder(name, throw_away):
    """A path for a tree to be made, removed again unless all goes well.

    :param name: what to call it in the current folder (str)
    :param throw_away: it is for a trial, and goes in any case (bool)
    :returns: a context manager of a pathlib.Path where nothing is yet
    """
    if throw_away:
        with tempfile.TemporaryDirectory(prefix='keeptrack-') as parent:
            yield pathlib.Path(parent, name)
        return
    folder = _free(name)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
