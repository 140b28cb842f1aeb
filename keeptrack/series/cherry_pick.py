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

"""What the stable policy wants a backport's message to say.

A commit on a stable branch names the commit that it was picked from, and the
files in which that had conflicts.  Both are made from the real commit, which
the clone has to hold on a branch, local or remote.  It is found by the
patch's Change-Id, which a change keeps on every branch, in any form that
review has given it.  One that stands on another tree than the source target's
(the same change on a second stable branch) does not count; of several the
newest does.  A conflict is noted for every file that the commit finds and the
patch changes otherwise, or only one of the two changes: with one line of
context, as the patches have it.
"""

import dataclasses
import re

from keeptrack.series import git
from keeptrack.series import parts
from keeptrack.series import tree as tree_mod

_CHANGE_ID = re.compile(r'^Change-Id: (I[0-9a-f]{40})$', re.MULTILINE)
_LINE = re.compile(r'^[A-Za-z][A-Za-z-]*: ')


class Sources:
    """The commits of one clone that a target's patches are backports of.

    :param tree: the clone (tree.Tree)
    :param source: the targets.Target that the patches are picked from
    :param patches: the patchfile.Patches
    """

    def __init__(self, tree, source, patches):
        self._tree = tree
        self._source = source
        wanted = set(filter(None, map(_change_id, patches)))
        # one walk for all of them: Nova's history takes git some seconds
        rows = wanted and git.line(
            tree.path, 'log', '--branches', '--remotes', '--no-merges',
            '--format=%x00%H%n%B', '--fixed-strings',
            *('--grep=Change-Id: ' + name for name in sorted(wanted))).split(
                '\0')[1:]
        self._commits = [row.partition('\n')[::2] for row in rows]

    def with_origin(self, patch):
        """A patch whose message says where it comes from.

        :param patch: a patchfile.Patch
        :returns: the patchfile.Patch; as it was where the clone does not
                  hold the commit
        """
        commit = self._commit(patch)
        if commit is None:
            return patch
        return dataclasses.replace(patch, head=_with_lines(
            patch.head, commit, conflicts(
                patch, git.patch(self._tree.path, commit, context=1))))

    def _commit(self, patch):
        wanted = _change_id(patch)
        return next((
            commit for commit, message in self._commits
            if wanted and 'Change-Id: ' + wanted in message and
            self._fits(commit)), None)

    def _fits(self, commit):
        """Tell whether a commit stands on one of the source's trees."""
        below = commit + '~1'
        read = git.reader(self._tree.path, below)
        version = (tree_mod.written_release(read) or
                   git.release_behind(self._tree.path, below))
        try:
            upstream = parts.examine(read).upstream
        except parts.StrangeTree:
            return False
        return self._source.fits(version, upstream,
                                 lambda name: read(name) is not None)


def _change_id(patch):
    found = _CHANGE_ID.search(patch.head)
    return found and found.group(1)


def conflicts(patch, original):
    """Files that a backport changes otherwise than the original.

    :param patch: the backport (patchfile.Patch)
    :param original: patchfile.Patch
    :returns: paths, sorted (list of str); files that one of them adds are no
              conflict
    """
    ours, theirs = _changes(patch), _changes(original)
    return sorted(path for path in set(ours) | set(theirs)
                  if ours.get(path) != theirs.get(path))


def _changes(patch):
    return {section.path: [hunk.lines for hunk in section.hunks]
            for section in patch.sections if not section.new}


def _with_lines(head, commit, paths):
    """A message with the lines of the policy, above and below its own."""
    lines = head.rstrip('\n').split('\n')
    at = len(lines)
    while at and _LINE.match(lines[at - 1]):
        at -= 1
    conflict = []
    if paths:
        conflict = ['Conflicts:'] + ['\t' + path for path in paths] + ['']
    return '\n'.join(lines[:at] + conflict + lines[at:] + [
        '(cherry picked from commit %s)' % commit, ''])
