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
import pathlib
import pwd
import re

from keeptrack import errors
from keeptrack.series import git
from keeptrack.series import parts
from keeptrack.series import patchfile

_LANDMARKS = (parts.MANAGER, parts.DRIVER)

# "nova (2:26.0.0~rc1-3) unstable; urgency=medium": epoch, version, preview
_CHANGELOG = r'\Anova \((?:\d+:)?(\d+(?:\.\d+)+)(?:~(rc\d+|b\d+))?'


class Tree:
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
        return patchfile.line_reader(self.read)(name)

    def findings(self):
        """What is there of the fix; see parts.examine().

        :raises KeeptrackError: when its driver or manager is damaged
        """
        try:
            return parts.examine(self.read)
        except parts.StrangeTree as exc:
            raise errors.KeeptrackError('%s: %s' % (self.path, exc))

    def release(self):
        """The tree's version.

        What the tree says, or the newest tag that a clone's HEAD has behind
        it, which may be a fork's own.

        :returns: str, or None when nothing tells
        """
        release = written_release(self.read)
        if release is None and self.is_clone and not self.git_refusal:
            return git.release_behind(self.path)
        return release

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

    def has_commit(self, commit):
        """Tell whether a clone holds a commit and its parent (bool)."""
        return all(git.succeeds(self.path, 'cat-file', '-e', name) for name in
                   (commit + '^{commit}', commit + '~1^{tree}'))

    def git_folder(self):
        """The folder that a clone keeps its objects in (pathlib.Path)."""
        return git.common_folder(self.path)


def written_release(read):
    """The version that a tree says it has.

    In PKG-INFO (an unpacked release), setup.cfg (Novas up to 2015) or
    debian/changelog (a package of Debian's or Ubuntu's).

    :param read: called with a path, returns the file's text or None
    :returns: str, or None
    """
    for name, pattern in (('PKG-INFO', r'^Version: *(\S+)'),
                          ('setup.cfg', r'^version *= *(\S+)'),
                          ('debian/changelog', _CHANGELOG)):
        found = re.search(pattern, read(name) or '', re.MULTILINE)
        if found:
            return ''.join(filter(None, found.groups()))
    return None


def _owner(path):
    """The name of a file's owner, or its number (str)."""
    number = path.stat().st_uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return 'the user %d' % number
