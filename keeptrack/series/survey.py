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

"""What every release and every branch of a clone has of the fix."""

import dataclasses
import re

from packaging import version

from keeptrack import errors
from keeptrack.series import blobs
from keeptrack.series import git
from keeptrack.series import parts
from keeptrack.series import targets
from keeptrack.series import tree

_FORMAT = ('%(refname)%00%(objectname)%00%(*objectname)%00'
           '%(creatordate:short)%00%(symref)')
# branches that are no release line's, and what is called after a line
_TRUNKS = ('master', 'main')
_LINE = r'([a-z]+|20\d\d\.\d)'
_NAMED = re.compile(r'(?:\w+/)?(?:stable|unmaintained)/%s|%s-(?:em|eom|eol)' %
                    (_LINE, _LINE))
_REFS = ('refs/tags', 'refs/heads', 'refs/remotes')


@dataclasses.dataclass(frozen=True)
class Row:
    """One release or branch.

    :ivar ref: its name, without refs/tags and the like (str)
    :ivar is_branch: it is no tag (bool)
    :ivar release: the version that the tree says it has (str or None)
    :ivar date: of the tag, or of the branch's newest commit (str, ISO 8601)
    :ivar target: name of the target that it belongs to (str or None)
    :ivar findings: a parts.Findings
    """

    ref: str
    is_branch: bool
    release: str
    date: str
    target: str
    findings: parts.Findings


def examine(folder, known_targets, progress):
    """Search every tag and branch of a clone.

    :param folder: the clone, bare or not (path)
    :param known_targets: list of targets.Target
    :param progress: called with (number, count, ref) before each
    :returns: list of Row, the newest release first; what was left out, as
              (ref, why) (list)
    :raises KeeptrackError: when it is no clone of Nova
    """
    refs = _refs(folder)
    rows, left_out = [], []
    with blobs.Blobs(folder) as objects:
        # in the order of releases, where neighbours share most files
        for number, (ref, is_branch, commit, date) in enumerate(refs):
            progress(number, len(refs), ref)
            if not objects.blob(commit, parts.DRIVER) or not objects.blob(
                    commit, parts.MANAGER):
                left_out.append((ref, 'there is no %s or no %s' % (
                    parts.DRIVER, parts.MANAGER)))
                continue
            try:
                findings = parts.examine(
                    lambda path: objects.read(commit, path))
            except parts.StrangeTree as exc:
                left_out.append((ref, str(exc)))
                continue
            release = (ref if not is_branch and targets.is_version(ref) else
                       tree.written_release(
                           lambda path: objects.read(commit, path)) or
                       git.release_behind(folder, commit))
            target = targets.for_tree(
                known_targets, release, findings.upstream,
                lambda path: objects.blob(commit, path) is not None)
            rows.append(Row(ref, is_branch, release, date,
                            target.name if target else None, findings))
    if not rows:
        raise errors.KeeptrackError(
            '%s has no tag and no branch with a Nova that has a libvirt '
            'driver: name a clone of openstack/nova' % folder)
    return sorted(rows, key=_age, reverse=True), left_out


def _refs(folder):
    """(name, is it a branch, commit, date) of every ref, the oldest first."""
    try:
        found = git.run(folder, 'for-each-ref', '--format=' + _FORMAT,
                        *_REFS).decode('utf-8', 'replace')
    except git.GitError as exc:
        raise errors.KeeptrackError(
            '%s is no clone that git reads (%s): name a clone of Nova, bare '
            'or not' % (folder, exc))
    refs = []
    for line in found.splitlines():
        name, direct, peeled, date, symbolic = line.split('\0')
        if symbolic:
            # origin/HEAD
            continue
        kind, _, short = name[len('refs/'):].partition('/')
        refs.append((short, kind != 'tags', peeled or direct, date))
    # a branch that a clone has beside the one it came from is told once
    local = {(short, commit) for short, branch, commit, _ in refs if branch}
    return sorted((row for row in refs if not row[1] or (
        row[0].partition('/')[2], row[2]) not in local),
        key=lambda row: row[3])


@dataclasses.dataclass(frozen=True)
class Line:
    """Releases of one release line that have the same.

    :ivar name: what its branch is called, as juno or 2024.1 (str or None)
    :ivar first: the oldest row (Row)
    :ivar last: the newest row (Row)
    """

    name: str
    first: Row
    last: Row


def lines(rows):
    """Group what was looked at by release lines.

    Previews of a release (b1, rc1, folsom-2) are left out, and branches that
    are no release line's.  A line is split where its releases differ.

    :param rows: list of Row, as :func:`examine` returns them
    :returns: list of Line, the newest first; how many rows are in none (int)
    """
    names, groups, left = {}, [], 0
    for row in rows:
        called = _NAMED.fullmatch(row.ref)
        if called or _is_trunk(row):
            names.setdefault(_line_of(row), called and (
                called.group(1) or called.group(2)) or row.ref.split('/')[-1])
    for row in rows:
        if not targets.is_version(row.release) or version.Version(
                row.release).is_prerelease or not (
                    targets.is_version(row.ref) or _is_trunk(row) or
                    _NAMED.fullmatch(row.ref)):
            left += 1
            continue
        key = (_line_of(row), row.target, row.findings.guesses,
               row.findings.vulnerable, tuple(row.findings.origins.items()))
        if groups and groups[-1][0] == key:
            groups[-1][1].append(row)
        else:
            groups.append((key, [row]))
    return [Line(names.get(key[0]), group[-1], group[0])
            for key, group in groups], left


def _line_of(row):
    """What the releases of one line share: 2014.2, or 12 and later."""
    if _is_trunk(row):
        return (row.ref,)
    if not targets.is_version(row.release):
        return None
    release = version.Version(row.release).release
    return release[:2] if release[0] > 2000 else release[:1]


def _is_trunk(row):
    return row.is_branch and row.ref.split('/')[-1] in _TRUNKS


def _age(row):
    """What sorts rows: 2015.1 came before 12.0, a branch goes on later."""
    if not targets.is_version(row.release):
        return (False, -1, version.Version('0'), False, row.date, row.ref)
    known = version.Version(row.release)
    return (_is_trunk(row), known.major < 2000, known,
            not targets.is_version(row.ref), row.date, row.ref)
