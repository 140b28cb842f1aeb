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

"""What keeps the series from being applied, found before anything changes.

Each function raises a KeeptrackError that says what to do about it.
"""

import os

from keeptrack import errors
from keeptrack.series import git
from keeptrack.series import quilt
from keeptrack.series import series as series_mod

# files and folders of a git directory that show work in the middle
_IN_PROGRESS = (('rebase-merge', 'a rebase'), ('rebase-apply', 'a git am'),
                ('MERGE_HEAD', 'a merge'),
                ('CHERRY_PICK_HEAD', 'a cherry-pick'),
                ('REVERT_HEAD', 'a revert'))


def check(tree, series, branch=None, writes=True):
    """Refuse a tree that the series cannot be applied to.

    :param tree: the tree.Tree
    :param series: the series.Series
    :param branch: of a clone: the branch to make, None for none (str)
    :param writes: the tree is to be changed (bool)
    """
    ready(tree)
    if writes:
        writable(tree, series.paths())
    if branch is not None:
        _untracked(tree, series)
    elif quilt.is_package(tree):
        _package(tree)
    absent(tree, series)
    if branch is not None:
        _branch(tree, branch)


def ready(tree):
    """Refuse a clone with changes, or in the middle of something."""
    if not tree.is_clone:
        return
    if tree.git_refusal:
        raise errors.KeeptrackError(tree.git_refusal)
    tree.head()
    for name, what in _IN_PROGRESS:
        if (tree.path / git.line(tree.path, 'rev-parse', '--git-path',
                                 name)).exists():
            raise errors.KeeptrackError(
                '%s is in the middle of %s: finish it or abort it first'
                % (tree.path, what))
    changed = git.run(tree.path, 'status', '--porcelain', '-z',
                      '--untracked-files=no').decode(
                          'utf-8', 'replace').split('\0')[:-1]
    if changed:
        raise errors.KeeptrackError(
            '%s has changes that are not committed (%s%s): commit or stash '
            'them first' % (tree.path, changed[0][3:], _more(changed)))


def writable(tree, names):
    """Refuse a tree whose files may not be changed and added.

    :param names: paths from the top of the tree (iterable of str)
    """
    folders = set()
    for name in names:
        folder = (tree.path / name).parent
        while not folder.is_dir():
            folder = folder.parent
        folders.add(folder)
    if tree.is_clone:
        folders |= {tree.git_folder(), tree.git_folder() / 'objects'}
    for folder in sorted(folders):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise errors.KeeptrackError(
                '%s cannot be written to: work as its owner, or on a copy'
                % folder)


def absent(tree, series):
    """Refuse a tree that has the series, or some of it."""
    there = _present(tree, series)
    if not there:
        return
    if series.is_whole_in(tree.lines):
        raise errors.KeeptrackError('%s has the series %s already: nothing to '
                                    'do' % (tree.path, series.name))
    modules = [name for name in series.added() if name.endswith('.py') and
               '/tests/' not in name]
    if modules and all(tree.lines(name) is not None for name in modules):
        files = series.added_files()
        differ = [name for name in modules if tree.lines(name) != files[name]]
        what = ('%s%s %s' % (differ[0], _more(differ),
                             'differ' if differ[1:] else 'differs')
                if differ else 'the modules that it adds are the same, '
                "Nova's own files differ")
        raise errors.KeeptrackError(
            '%s has the series %s in another version, or it was edited (%s): '
            'remove that first, with the keeptrack that put it there, or in a '
            'checkout by leaving its branch, and apply again' % (
                tree.path, series.name, what))
    raise errors.KeeptrackError(
        '%s has a part of the series %s already (%s): remove it first, or add '
        'the others by hand with git am'
        % (tree.path, series.name, ', '.join(there)))


def _present(tree, series):
    """Names of the patches that a tree has already (list of str).

    The last ones first, since a later patch may change what an earlier one
    has put there; then each by itself, for a tree into which some were
    picked.  A tree whose copy of a new module was edited has that patch too:
    its file stands in the way.
    """
    for count in range(len(series.patches), 0, -1):
        if series.first(count).is_whole_in(tree.lines):
            return [patch.name for patch in series.patches[:count]]
    return [patch.name for patch in series.patches
            if series_mod.Series(series.name, [patch]).is_whole_in(tree.lines)
            or any(section.new and tree.lines(section.path) is not None
                   for section in patch.sections)]


def _untracked(tree, series):
    """Refuse untracked files that would be overwritten."""
    for name in series.added():
        if (tree.path / name).exists() and not git.succeeds(
                tree.path, 'ls-files', '--error-unmatch', '--', name):
            raise errors.KeeptrackError(
                '%s stands in the way: it is not tracked, and the series adds '
                'a file of that name; move it away first' % (tree.path / name))


def _branch(tree, name):
    """Refuse a branch that cannot be made."""
    if not git.succeeds(tree.path, 'check-ref-format', '--branch', name):
        raise errors.KeeptrackError(
            '%s is no name for a branch: name another with --branch' % name)
    for other in git.line(tree.path, 'for-each-ref',
                          '--format=%(refname:lstrip=2)',
                          'refs/heads').split('\n'):
        if name == other:
            raise errors.KeeptrackError(
                'the branch %s exists already: name another with --branch, or '
                'remove it with git branch -D' % name)
        if name.startswith(other + '/') or other.startswith(name + '/'):
            raise errors.KeeptrackError(
                'the branch %s cannot be made while there is a branch %s: '
                'name another with --branch' % (name, other))


def _package(tree):
    """Refuse a Debian package with patches that are not applied."""
    applied = set(quilt.entries(tree.lines(quilt.APPLIED)))
    waiting = [name for name in quilt.entries(tree.lines(quilt.SERIES))
               if name not in applied]
    if waiting:
        raise errors.KeeptrackError(
            '%s has patches that are not applied (%s%s), and the series goes '
            'on top of them: apply them first, with dpkg-source '
            '--before-build . or quilt push -a' % (
                tree.path, waiting[0], _more(waiting)))


def _more(names):
    return ' and %d more' % (len(names) - 1) if names[1:] else ''
