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
"""The trees that are drilled, and what they are called."""

import dataclasses
import hashlib
import pathlib

from keeptrack.series import git
from keeptrack.series import parts


# of the series: the module that ends live migrations, and the periodic task of
# ComputeManager that has it check parked instances
_RECOVERY = 'nova/compute/live_migration_recovery.py'
_CHECK = 'def _check_live_migrations('

_MIGRATES = ('nova/compute/*.py', 'nova/conductor/**/*.py', 'nova/virt/*.py',
             'nova/virt/libvirt/*.py')


@dataclasses.dataclass
class DrilledTree:
    """A tree that is drilled.

    :ivar name: in reports (str)
    :ivar path: the tree (pathlib.Path)
    :ivar release: its version (str or None)
    :ivar commit: its commit where it is a clone (str or None)
    :ivar series: it has the series: only then a parked instance is checked
        again (bool)
    :ivar digest: of the code that migrates: what tells two trees apart that
        are no clones (str)
    :ivar runtime: its runtime.Runtime, made
    """

    name: str
    path: pathlib.Path
    release: str
    commit: str
    series: bool
    digest: str
    runtime: object

    def as_dict(self):
        """What results say of it (dict)."""
        return {'name': self.name, 'release': self.release,
                'commit': self.commit, 'series': self.series,
                'digest': self.digest}


def named(trees, make_runtime):
    """Give trees the names that they have in reports.

    :param trees: list of tree.Tree
    :param make_runtime: called with a tree, returns its runtime.Runtime
    :returns: list of DrilledTree, all names different
    """
    found = []
    for tree in trees:
        series = _has_series(tree)
        name = _name(tree) + (
            ' + series' if series else
            ' + part of the series' if _has_part(tree) else '')
        taken = sum(each.name == name or each.name.startswith(name + ' #')
                    for each in found)
        found.append(DrilledTree(
            name='%s #%d' % (name, taken + 1) if taken else name,
            path=tree.path, release=tree.release(),
            commit=tree.head() if tree.is_clone else None, series=series,
            digest=_digest(tree.path),
            runtime=make_runtime(tree)))
    return found


def _has_series(tree):
    """Tell whether a tree checks parked instances again (bool)."""
    return (tree.read(_RECOVERY) is not None and
            _CHECK in tree.read(parts.MANAGER))


def _has_part(tree):
    """Tell whether a tree has anything of the series (bool)."""
    return (tree.read(_RECOVERY) is not None or
            parts.OURS in tree.findings().origins.values())


def _digest(path):
    """A digest of the code that migrates, in a tree (str)."""
    digest = hashlib.sha256()
    for pattern in _MIGRATES:
        for found in sorted(path.glob(pattern)):
            digest.update(b'%s\0%s\0' % (
                str(found.relative_to(path)).encode(), found.read_bytes()))
    return digest.hexdigest()[:16]


def _name(tree):
    """A release; a commit's id where the tree is no release and not ours."""
    if tree.is_clone and not _has_part(tree):
        try:
            return git.line(tree.path, 'describe', '--tags', '--exact-match')
        except git.GitError:
            return tree.head()[:12]
    return tree.release() or tree.path.name
