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

"""The series on top of the patches of a Debian source package.

In the format "3.0 (quilt)" every change to upstream's files is a patch in
debian/patches, and .pc records which of them are applied, with the files as
they were before each.  dpkg-source refuses to build a tree that has changes
beside them.  So the patches of the series go there, too, into a folder of
their own, and quilt pops them like any other.
"""

from keeptrack import errors
from keeptrack.series import patchfile
from keeptrack.series import placement

SERIES = 'debian/patches/series'
_FORMAT = 'debian/source/format'
APPLIED = '.pc/applied-patches'
_OURS = 'keeptrack/'
# what quilt and dpkg-source write when they make a .pc
_NEW = {'.pc/.version': '2\n', '.pc/.quilt_patches': 'debian/patches\n',
        '.pc/.quilt_series': 'series\n'}


def is_package(tree):
    """Tell whether a tree is a source package of that format (bool)."""
    return '3.0 (quilt)' in (tree.read(_FORMAT) or '')


def added(tree, series):
    """What the series adds to debian/patches and .pc.

    :param tree: the tree.Tree, without the series
    :param series: the series.Series
    :returns: files to write (dict: path to lines)
    :raises KeeptrackError: when a file of that name is there
    """
    files = {path: patchfile.split_lines(text) for path, text in _NEW.items()
             if tree.read(path) is None}
    image = placement.Image(tree.lines)
    names = []
    for patch in series.patches:
        name = _OURS + patch.name
        names.append(name + '\n')
        files['debian/patches/' + name] = patchfile.split_lines(
            patch.render())
        for section in patch.sections:
            # an empty file stands for one that the patch adds
            files['.pc/%s/%s' % (name, section.path)] = (
                image.lines(section.path) or [])
        image.put(patch)
    for path in files:
        if path not in _NEW and (tree.path / path).exists():
            raise errors.KeeptrackError(
                '%s is there already: remove it first' % (tree.path / path))
    for path in (SERIES, APPLIED):
        files[path] = _ended(tree.lines(path)) + names
    return files


def removed(tree, series):
    """What taking the series off changes in debian/patches and .pc.

    :param tree: the tree.Tree, with the series
    :param series: the series.Series
    :returns: files to write (dict: path to lines, None for one that goes);
              empty where the patches are not in debian/patches
    :raises KeeptrackError: when other patches are applied on top
    """
    names = [_OURS + patch.name for patch in series.patches]
    applied = entries(tree.lines(APPLIED))
    if not set(names) & set(applied):
        return {}
    if applied[-len(names):] != names:
        raise errors.KeeptrackError(
            '%s has patches on top of the series: quilt pop %s first' % (
                tree.path, next((name for name in reversed(applied)
                                 if name not in names), names[-1])))
    files = {path: [line for line in tree.lines(path) or ()
                    if line.strip() not in names]
             for path in (SERIES, APPLIED)}
    for name, patch in zip(names, series.patches):
        files['debian/patches/' + name] = None
        for path in (tree.path / '.pc' / name).rglob('*'):
            if path.is_file():
                files[str(path.relative_to(tree.path))] = None
    return files


def entries(lines):
    """Names of patches in a series file (list of str)."""
    names = [line.split('#')[0].split() for line in lines or ()]
    return [words[0] for words in names if words]


def _ended(lines):
    """Lines of which the last ends with a line feed (list of str)."""
    lines = list(lines or ())
    if lines and not lines[-1].endswith('\n'):
        lines[-1] += '\n'
    return lines
