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

Every file is computed in memory first.  While they are written, what puts the
old state back is kept, and used when anything fails.
"""

import contextlib
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
    :raises KeeptrackError: when the series does not apply
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
        return (git.patch(source, wanted.commit),)
    except (KeyError, OSError, git.GitError):
        raise errors.KeeptrackError(
            '%s lacks "%s", and there is no clone to take it from: set '
            'NOVA_REPO to a clone of Nova that holds %s, or take a newer '
            'release' % (tree.path, wanted.title, wanted.commit[:12]))


def removed(tree, series):
    """Take the series off an unpacked tree again, in memory.

    :param tree: the tree.Tree, which has all of the series
    :param series: the series.Series
    :returns: files that change (dict: path to lines, None for one that goes)
    """
    return series.reversed().put_on(tree.lines).changed()


def write(top, files):
    """Write files into a folder, all of them or none.

    A folder that has lost its last file goes, too.

    :param top: the folder, that of a tree (pathlib.Path)
    :param files: path to lines, or to None for a file that goes (dict)
    :raises KeeptrackError: when it cannot; the folder is then as before
    """
    try:
        with signals.held() as came, tempfile.TemporaryDirectory(
                prefix='.keeptrack-', dir=top) as work, \
                contextlib.ExitStack() as undo:
            for number, (name, lines) in enumerate(files.items()):
                came.check()
                _put(top / name, lines, pathlib.Path(work, str(number)), undo)
            came.check()
            undo.pop_all()
    except OSError as exc:
        raise errors.KeeptrackError(
            '%s cannot be written (%s): nothing was changed; put that right '
            'and try again' % (exc.filename or top, exc.strerror))
    for name, lines in files.items():
        if lines is None:
            remove_empty(top, (top / name).parent)


def _put(path, lines, spare, undo):
    """Write or remove one file.

    :param spare: a name for temporary files (pathlib.Path)
    :param undo: the contextlib.ExitStack that gets what puts the old state
        back
    """
    for folder in reversed([each for each in path.parents
                            if not each.exists()]):
        folder.mkdir()
        undo.callback(folder.rmdir)
        _give(folder, folder.parent)
    known = path.exists()
    if known:
        old = spare.with_suffix('.old')
        shutil.copy2(path, old)
        _give(old, path)
        undo.callback(os.replace, old, path)
    if lines is None:
        path.unlink()
        return
    spare.write_bytes(patchfile.encode(''.join(lines)))
    spare.chmod(path.stat().st_mode if known else 0o644)
    _give(spare, path if known else path.parent)
    if not known:
        undo.callback(path.unlink, missing_ok=True)
    os.replace(spare, path)


def _give(path, other):
    """Give a file the owner and the group of another one.

    Only root can, and only root needs it: a tree of another user's stays
    that user's.
    """
    if os.geteuid() == 0:
        status = other.stat()
        os.chown(path, status.st_uid, status.st_gid)


def remove_empty(top, folder):
    """Remove a folder of a tree, and those above it, where nothing is left.

    What Python compiled from files that went is nothing.

    :param top: the tree, which stays (pathlib.Path)
    :param folder: pathlib.Path
    """
    while folder != top and folder.is_dir():
        if {path.name for path in folder.iterdir()} - {'__pycache__'}:
            return
        shutil.rmtree(folder)
        folder = folder.parent
