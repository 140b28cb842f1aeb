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

"""What the commands share: their tree, their target, their progress."""

import argparse
import contextlib
import logging
import os
import pathlib
import tempfile

from keeptrack import errors
from keeptrack.series import git
from keeptrack.series import nova_release
from keeptrack.series import recognition
from keeptrack.series import series
from keeptrack.series import targets
from keeptrack.series import tree


LOG = logging.getLogger(__name__)


def report(line):
    """Show the user what is done now; see KeeptrackApp.configure_logging."""
    LOG.info('%s', line)


def named(text):
    """An argument that must not be empty: the type of TREE and --release."""
    if not text:
        raise argparse.ArgumentTypeError('it is empty')
    return text


def add_tree(parser, what):
    """Give a parser the arguments TREE and --release.

    :param parser: an argparse.ArgumentParser
    :param what: what is done with the tree, for the help (str)
    """
    parser.add_argument(
        'tree', metavar='TREE', nargs='?', type=named,
        help='the Nova tree %s: the top of a clone or of an unpacked release '
             '(default: the newest release, from PyPI)' % what)
    parser.add_argument(
        '--release', metavar='R', type=named,
        help='without TREE: this release, as 33.0.2, or the newest of this '
             'target, as 2025.2; releases that are not on PyPI come from the '
             'clone that the variable NOVA_REPO names')


def refuse_below_one(args, *names):
    """Raise a KeeptrackError for an option below 1; None was not given."""
    for name in names:
        value = getattr(args, name)
        if value is not None and value < 1:
            raise errors.KeeptrackError('--%s needs a number from 1 on' %
                                        name.replace('_', '-'))


def refuse_both(args):
    """Raise a KeeptrackError when TREE and --release are both there."""
    if args.tree is not None and args.release is not None:
        raise errors.KeeptrackError(
            '--release chooses what to take without TREE: leave one out')


def all_targets(options):
    """The targets that the user works with (list of targets.Target).

    :raises KeeptrackError: when --patches names a folder without targets
    """
    folder = (pathlib.Path(options.patches) if options.patches is not None
              else targets.default_folder())
    found = targets.load_all(folder)
    if not found:
        inside = folder / 'patches'
        raise errors.KeeptrackError(
            '%s holds no target (a folder with a target.toml): name %s with '
            '--patches' % (folder, inside if inside.is_dir() else
                           'the folder patches of a checkout of keeptrack'))
    return found


def nova_repo():
    """The clone that NOVA_REPO names (pathlib.Path), or None."""
    name = os.environ.get('NOVA_REPO')
    if not name:
        return None
    if not pathlib.Path(name).is_dir():
        raise errors.KeeptrackError(
            'NOVA_REPO names %s, which is no folder: set it to a clone of '
            'Nova, or unset it' % name)
    return pathlib.Path(name).resolve()


def add_target(parser):
    """Give a parser the option --target."""
    parser.add_argument(
        '--target', metavar='T',
        help='the target of the tree, by its name, as keeptrack targets '
             'lists it (default: the one that its content tells)')


def require_target(options, nova, name=None):
    """The target of a tree and its series.

    :param options: the application's
    :param nova: a tree.Tree
    :param name: the target that the user chose, or None (str)
    :returns: targets.Target, series.Series
    :raises KeeptrackError: when the tree has no target
    """
    known = all_targets(options)
    if name is not None:
        found = targets.by_name(known, name)
        return found, series.Series.load(found)
    seen = recognition.of(nova, known)
    if seen.target is None:
        raise errors.KeeptrackError(_why_no_target(nova, seen))
    if seen.release is None:
        report('%s is recognised as %s by SERVICE_VERSION in '
               'nova/objects/service.py, since %s' % (
                   nova.path, seen.target.name, _why_no_release(nova)))
    return seen.target, series.Series.load(seen.target)


def _why_no_target(nova, seen):
    """What to tell of a tree without a target (str)."""
    if seen.release is None:
        return ('no target yet for Nova of an unknown release: %s; choose '
                'one with --target' % _why_no_release(nova))
    words = 'no target yet for Nova %s: ' % seen.release
    if seen.line:
        return words + '; '.join(
            '%s, of the same line, is for releases %s%s' % (
                target.name, target.releases, ''.join(
                    ' that have ' + name for name in target.with_files))
            for target in seen.line) + (
            '; --target %s tries it' % seen.line[0].name)
    return words + ('keeptrack targets lists what there is, and --target '
                    'chooses')


def _why_no_release(nova):
    """Why the version of a tree does not tell its target (str)."""
    release = nova.release()
    if release is not None:
        return '%s, as its %s, is no release of its line' % (
            release, 'tags tell' if nova.is_clone else 'version')
    return '%s has no PKG-INFO, no version in setup.cfg%s' % (
        nova.path, ' or debian/changelog' if not nova.is_clone else
        ' or debian/changelog, and %s' % (
            'git does not read its tags (%s)' % nova.git_refusal
            if nova.git_refusal else
            'HEAD has no tag of a release behind it'))


@contextlib.contextmanager
def chosen_tree(options, args, named=lambda name: None):
    """The tree that the user names, or a release.

    :param options: the application's
    :param args: the command's: tree and release
    :param named: called with the name of a release's folder before it is
        cloned or downloaded, where the release is known by then
    :returns: a context manager of the tree.Tree, for reading only
    :raises KeeptrackError: when it cannot be had
    """
    refuse_both(args)
    if args.tree is not None:
        yield tree.Tree(args.tree)
        return
    release = args.release
    for target in all_targets(options):
        base = (target.bases[0] if release == target.name else
                target.base(release) if release else None)
        if base is not None and not target.is_published:
            named('nova-' + target.name)
            with tempfile.TemporaryDirectory(prefix='keeptrack-') as folder:
                yield tree.Tree(_clone(target, base, folder))
            return
        if release == target.name:
            release = nova_release.newest(target.releases, report)
            break
    if release is not None:
        named('nova-' + release)
    with nova_release.unpacked(release, report) as folder:
        yield tree.Tree(folder)


def _clone(target, base, parent):
    """Clone a base that is not on PyPI from NOVA_REPO (pathlib.Path)."""
    repo = nova_repo()
    if repo is None:
        raise errors.KeeptrackError(
            'Nova %s is not on PyPI: set NOVA_REPO to a clone of '
            'openstack/nova' % base.name)
    report('cloning %s at %s; the clone borrows the objects of NOVA_REPO' % (
        repo, base.name))
    folder = pathlib.Path(parent, 'nova-' + target.name)
    git.run(parent, 'clone', '--quiet', '--shared', '--no-checkout',
            str(repo), str(folder))
    try:
        git.run(folder, 'checkout', '--quiet', '--detach', base.commit)
    except git.GitError:
        raise errors.KeeptrackError(
            'NOVA_REPO does not hold %s (%s): get it there with git fetch '
            'origin %s' % (base.name, base.commit, base.ref))
    return folder


def prerequisite_source(nova, target):
    """A clone to take a target's prerequisite from (path), or None.

    :param nova: a tree.Tree
    :param target: its targets.Target
    """
    wanted = target.prerequisite
    if wanted and nova.is_clone and nova.has_commit(wanted.commit):
        return nova.path
    return nova_repo()
