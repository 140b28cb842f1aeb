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

"""The series on a tree that is no git checkout: all of it or nothing.

Every file is computed in memory first, then all of them are written beside
their places, then they are moved there.  Each file's old state is kept until
the last has been moved, and put back when anything fails.
"""

import os
import pathlib
import shutil
import tempfile

from keeptrack import errors
from keeptrack.series import git
from keeptrack.series import patchfile
from keeptrack import signals


def computed(tree, target, series, source=None, report=lambda line: None):
    """Put the series on an unpacked tree, in memory.

    :param tree: the tree.Tree
    :param target: its targets.Target
    :param series: the target's series.Series
    :param source: a clone of Nova to take the prerequisite from, or None
    :param report: called with a line for everything done
    :returns: files that change (dict: path to lines or None)
    :raises KeeptrackError: when the series does not go on
    """
    first = _prerequisite(tree, target, source)
    image = type(series)(series.name, first).put_on(tree.lines)
    for patch in series.patches:
        image.put(patch)
    patches = tuple(first) + series.patches
    for number, patch in enumerate(patches, 1):
        report('patch %d of %d: %s' % (number, len(patches), patch.title))
    return image.changed()


def _prerequisite(tree, target, source):
    """The patch that the series stands on: a tuple of one, or of none."""
    wanted = target.prerequisite
    if wanted is None or not wanted.missing(tree.read(wanted.file) or ''):
        return ()
    try:
        if source is None:
            raise KeyError('NOVA_REPO')
        text = git.run(source, 'format-patch', '-1', '--stdout',
                       wanted.commit + '^{commit}', env=git.ISOLATED)
    except (KeyError, OSError, git.GitError):
        raise errors.KeeptrackError(
            '%s lacks "%s", and there is no clone to take it from: set '
            'NOVA_REPO to a clone of Nova that holds %s, or take a newer '
            'release' % (tree.path, wanted.title, wanted.commit[:12]))
    return (patchfile.parse(wanted.commit[:12], patchfile.decode(text)),)


def removed(tree, series):
    """Take the series off an unpacked tree again, in memory.

    :param tree: the tree.Tree, which has all of the series
    :param series: the series.Series
    :returns: files that change (dict: path to lines, None for one that goes)
    """
    return series.reversed().put_on(tree.lines).changed()


def write(tree, files):
    """Write files into a tree, all of them or none.

    A folder that has lost its last file goes, too.

    :param tree: the tree.Tree
    :param files: path to lines, or to None for a file that goes (dict)
    :raises KeeptrackError: when it cannot; the tree is then as before
    """
    try:
        with signals.held() as came:
            _Writer(tree.path).write(files, came.check)
        for path in files:
            if files[path] is None:
                _remove_empty(tree.path, (tree.path / path).parent)
    except OSError as exc:
        raise errors.KeeptrackError(
            '%s could not be written (%s): the tree is as it was; see to it '
            'and try again' % (exc.filename or tree.path, exc.strerror))


class _Writer:
    """One attempt to write some files."""

    def __init__(self, top):
        self.top = top
        self.made = []      # folders that were not there
        self.moved = []     # pairs of a file and its copy, None for a new one
        self.waiting = []   # temporary files

    def write(self, files, check):
        try:
            ready = [(self.top / path, self._prepare(path, lines))
                     for path, lines in files.items()]
            check()
            for path, new in ready:
                self._move(path, new)
                check()
        except BaseException:
            self._undo()
            raise
        finally:
            for path in self.waiting:
                path.unlink(missing_ok=True)

    def _beside(self, path):
        handle, name = tempfile.mkstemp(prefix='.keeptrack-', dir=path.parent)
        os.close(handle)
        self.waiting.append(pathlib.Path(name))
        return self.waiting[-1]

    def _prepare(self, name, lines):
        if lines is None:
            return None
        path = self.top / name
        self._make_folder(path.parent)
        new = self._beside(path)
        new.write_bytes(patchfile.encode(''.join(lines)))
        if path.exists():
            shutil.copymode(path, new)
        else:
            new.chmod(0o644)
        _give(new, path if path.exists() else path.parent)
        return new

    def _make_folder(self, folder):
        if not folder.is_dir():
            self._make_folder(folder.parent)
            folder.mkdir()
            self.made.append(folder)
            _give(folder, folder.parent)

    def _move(self, path, new):
        old = None
        if path.exists():
            old = self._beside(path)
            shutil.copy2(path, old)
            _give(old, path)
        self.moved.append((path, old))
        if new is None:
            path.unlink()
        else:
            os.replace(new, path)

    def _undo(self):
        for path, old in reversed(self.moved):
            if old is None:
                path.unlink(missing_ok=True)
            else:
                os.replace(old, path)
        for path in self.waiting:
            path.unlink(missing_ok=True)
        for folder in reversed(self.made):
            folder.rmdir()


def _give(path, other):
    """Give a file the owner and the group of another one.

    Only root can, and only root needs it: a tree of another user's stays
    that user's.
    """
    if os.geteuid() == 0:
        status = other.stat()
        os.chown(path, status.st_uid, status.st_gid)


def _remove_empty(top, folder):
    """Remove a folder of a tree, and those above it, where nothing is left.

    What Python compiled from files that went is nothing.
    """
    while folder != top and folder.is_dir():
        if {path.name for path in folder.iterdir()} - {'__pycache__'}:
            return
        shutil.rmtree(folder)
        folder = folder.parent
