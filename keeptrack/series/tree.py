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

"""One Nova tree: a clone, or an unpacked release."""

import functools
import os
import pathlib
import pwd
import re

from keeptrack import errors
from keeptrack.series import git
from keeptrack.series import parts
from keeptrack.series import patchfile

_LANDMARKS = (parts.MANAGER, parts.DRIVER)

# "nova (2:26.0.0~rc1-3) unstable; urgency=medium": epoch, version, preview
_CHANGELOG = re.compile(r'nova \((?:\d+:)?(\d+(?:\.\d+)+)(?:~(rc\d+|b\d+))?')

# files and folders of a git directory that tell of work in the middle
_IN_PROGRESS = (('rebase-merge', 'a rebase'), ('rebase-apply', 'a git am'),
                ('MERGE_HEAD', 'a merge'), ('CHERRY_PICK_HEAD',
                                            'a cherry-pick'),
                ('REVERT_HEAD', 'a revert'))


class Tree(object):
    """A Nova tree that exists.

    :param path: its top folder (str or pathlib.Path)
    :raises KeeptrackError: when there is no Nova tree
    """

    def __init__(self, path):
        self.path = pathlib.Path(path).resolve()
        if not self.path.is_dir():
            raise errors.KeeptrackError(
                '%s is no folder: name the top of a Nova tree' % path)
        self.is_clone = (self.path / '.git').exists()
        if self._is_bare():
            raise errors.KeeptrackError(
                '%s is a bare clone: make a checkout of it with git clone -s '
                'or git worktree add, and name that' % path)
        for name in _LANDMARKS:
            if not (self.path / name).is_file():
                raise errors.KeeptrackError(
                    '%s is no Nova tree, it has no %s: name the top of a '
                    'clone or of an unpacked release' % (path, name))

    @functools.cached_property
    def git_refusal(self):
        """Why git does not work on a clone (str), None where it does.

        Since 2.35.2 git refuses a repository of another user.
        """
        try:
            git.run(self.path, 'rev-parse', '--git-dir')
        except git.GitError as exc:
            if 'dubious ownership' not in exc.stderr:
                return str(exc)
            return (
                '%s belongs to %s, and git works on no repository of another '
                "user's: work as that user, or trust it with git config "
                '--global --add safe.directory %s' % (
                    self.path, _owner(self.path), self.path))
        return None

    def _is_bare(self):
        return not self.is_clone and all(
            (self.path / name).exists() for name in ('HEAD', 'objects'))

    def read(self, name):
        """The text of a file; None when there is none.

        :param name: path from the top of the tree (str)
        """
        try:
            return patchfile.decode((self.path / name).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as exc:
            raise errors.KeeptrackError('%s cannot be read: %s' % (
                self.path / name, exc.strerror))

    def lines(self, name):
        """The lines of a file; None when there is none."""
        text = self.read(name)
        return None if text is None else patchfile.split_lines(text)

    def findings(self):
        """What is there of the fix; see parts.examine().

        :raises KeeptrackError: when its driver or manager is damaged
        """
        try:
            return parts.examine(self.read)
        except parts.StrangeTree as exc:
            raise errors.KeeptrackError('%s: %s' % (self.path, exc))

    def parts(self):
        """Which parts of the fix are there, and from whom (dict of str)."""
        return self.findings().origins

    def release(self):
        """The tree's version.

        From PKG-INFO (an unpacked release), setup.cfg (Novas up to 2015),
        debian/changelog (a package of Debian's or Ubuntu's) or the newest tag
        that a clone's HEAD has behind it, which may be a fork's own.

        :returns: str, or None when nothing tells
        """
        info = re.search(r'^Version: *(\S+)', self.read('PKG-INFO') or '',
                         re.MULTILINE)
        config = re.search(r'^version *= *(\S+)', self.read('setup.cfg') or '',
                           re.MULTILINE)
        if info or config:
            return (info or config).group(1)
        package = _CHANGELOG.match(self.read('debian/changelog') or '')
        if package:
            return ''.join(filter(None, package.groups()))
        if not self.is_clone or self.git_refusal:
            return None
        return git.release_behind(self.path)

    def head(self):
        """The commit that a clone has checked out (str).

        :raises KeeptrackError: when it has none
        """
        try:
            return git.line(self.path, 'rev-parse', '--verify',
                            'HEAD^{commit}')
        except git.GitError as exc:
            if 'single revision' not in exc.stderr:
                # a clone of somebody else's, or a broken one: git says it
                raise
            raise errors.KeeptrackError(
                '%s has no commit checked out: check one out first'
                % self.path)

    def has_branch(self, name):
        """Tell whether a clone has a branch (bool)."""
        return git.succeeds(self.path, 'show-ref', '--verify', '--quiet',
                            'refs/heads/' + name)

    def has_commit(self, commit):
        """Tell whether a clone holds a commit and its parent (bool)."""
        return all(git.succeeds(self.path, 'cat-file', '-e', name) for name in
                   (commit + '^{commit}', commit + '~1^{tree}'))

    def git_folder(self):
        """The folder that a clone keeps its objects in (pathlib.Path)."""
        return git.common_folder(self.path)

    def refuse_unready(self):
        """Raise a KeeptrackError unless the tree can be worked on.

        A clone has to be clean, and not in the middle of something.
        """
        if not self.is_clone:
            return
        if self.git_refusal:
            raise errors.KeeptrackError(self.git_refusal)
        self.head()
        for name, what in _IN_PROGRESS:
            if (self.path / git.line(self.path, 'rev-parse', '--git-path',
                                     name)).exists():
                raise errors.KeeptrackError(
                    '%s is in the middle of %s: finish it or abort it first'
                    % (self.path, what))
        changed = git.run(self.path, 'status', '--porcelain', '-z',
                          '--untracked-files=no').decode(
                              'utf-8', 'replace').split('\0')[:-1]
        if changed:
            raise errors.KeeptrackError(
                '%s has changes that are not committed (%s%s): commit or '
                'stash them first' % (
                    self.path, changed[0][3:], '' if len(changed) == 1 else
                    ' and %d more' % (len(changed) - 1)))

    def refuse_unwritable(self, names):
        """Raise a KeeptrackError unless files may be changed and added.

        :param names: paths from the top of the tree (iterable of str)
        """
        folders = {self._standing_folder(name) for name in names}
        if self.is_clone:
            folders |= {self.git_folder(), self.git_folder() / 'objects'}
        for folder in sorted(folders):
            if not os.access(folder, os.W_OK | os.X_OK):
                raise errors.KeeptrackError(
                    '%s cannot be written to: work as its owner, or on a copy'
                    % folder)

    def _standing_folder(self, name):
        """The deepest folder on the way to a file that exists."""
        folder = (self.path / name).parent
        while not folder.is_dir():
            folder = folder.parent
        return folder


def _owner(path):
    """The name of a file's owner, or its number (str)."""
    number = path.stat().st_uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return 'the user %d' % number
