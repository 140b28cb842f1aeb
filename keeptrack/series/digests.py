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

"""Digests of the files of each base, in place of their text.

A line stands as a digest: the first three bytes of the SHA-256 of the line
with its line feed, in base64, four characters.  A file stands as git's id of
its blob and the digests of all its lines.  They are facts about Nova and hold
nothing of it; they suffice to prove where a hunk applies (placement.py).

They are kept in patches/<target>/digests.toml, which ``keeptrack refresh
--bases`` writes: a table a file; in it ``full`` with the digests at the first
base, and for each state a table of its ``blob`` and of ``changes`` against
``full``: "first line,lines replaced:digests put there", the line counted from
0, in the order of the file.  A base without the file has no table there.
Where a base needs the prerequisite that is on top ("2014.2+6833176b56ec"):
without it the series does not apply.
"""

import base64
import difflib
import hashlib
import textwrap
import tomllib

from keeptrack import errors
from keeptrack.series import git
from keeptrack.series import patchfile
from keeptrack.series import placement
from keeptrack.series import series as series_mod

FILE = 'digests.toml'
_SIZE = 4


def of_line(line):
    """The digest of a line with its line feed (str of four characters)."""
    return base64.b64encode(hashlib.sha256(
        patchfile.encode(line)).digest()[:3]).decode()


def states(target):
    """Names of the states that a target is proved on.

    :param target: a targets.Target
    :returns: list of tuples: the name (str), the Base, whether the
              prerequisite is on top (bool)
    """
    rows = []
    for base in target.bases:
        if base.needs_prerequisite:
            rows.append(('%s+%s' % (
                base.name, target.prerequisite.commit[:12]), base, True))
        else:
            rows.append((base.name, base, False))
    return rows


class Digests:
    """The digests of one target.

    :param files: as digests.toml has them (dict)
    """

    def __init__(self, files):
        self.files = files

    @classmethod
    def load(cls, target):
        """Read a target's digests.

        :param target: a targets.Target
        :raises KeeptrackError: when there are none, or broken ones
        """
        path = target.folder / FILE
        try:
            with open(path, 'rb') as f:
                return cls(tomllib.load(f))
        except FileNotFoundError:
            raise errors.KeeptrackError(
                '%s is missing: write it with keeptrack refresh --bases NOVA,'
                ' a clone of Nova' % path)
        except ValueError as exc:
            raise errors.KeeptrackError('%s cannot be used: %s' % (path, exc))

    def lines(self, state, path):
        """The digests of a file's lines in one state.

        :param state: a name from :func:`states`
        :param path: the file, from the top of the tree (str)
        :returns: list of str; None where that state has no such file
        """
        known = self.files.get(path, {})
        if state not in known:
            return None
        lines = _cut(known['full'])
        # from the end, so that the numbers of earlier lines stay true
        for change in reversed(known[state]['changes']):
            where, put = change.split(':')
            first, count = map(int, where.split(','))
            lines[first:first + count] = _cut(put)
        return lines

    def render(self):
        """The content of digests.toml (str)."""
        out = ['# Written by keeptrack refresh --bases: do not edit.\n'
               '# See keeptrack/series/digests.py for the format.\n']
        for path, known in sorted(self.files.items()):
            out.append('\n["%s"]\nfull = """\n%s\n"""\n' % (
                path, '\n'.join(textwrap.wrap(''.join(_cut(known['full'])),
                                              76))))
            for state in sorted(set(known) - {'full'}):
                out.append('\n["%s"."%s"]\nblob = "%s"\nchanges = [%s]\n' % (
                    path, state, known[state]['blob'], ''.join(
                        '\n    "%s",' % change for change in
                        known[state]['changes']) +
                    ('\n' if known[state]['changes'] else '')))
        return ''.join(out)


def _cut(text):
    """A run of digests, with or without line feeds, as a list of str."""
    text = text.replace('\n', '')
    return [text[at:at + _SIZE] for at in range(0, len(text), _SIZE)]


def _changes(old, new):
    """What leads from one list of digests to another (list of str)."""
    # difflib's autojunk stays on: without it blank lines make it crawl on
    # files of ten thousand lines, and a longer way is as true as the shortest
    matcher = difflib.SequenceMatcher(None, old, new)
    return ['%d,%d:%s' % (first, last - first, ''.join(new[start:end]))
            for kind, first, last, start, end in matcher.get_opcodes()
            if kind != 'equal']


def measure(target, repo):
    """Compute a target's digests from a clone of Nova.

    :param target: a targets.Target
    :param repo: the clone (str or pathlib.Path)
    :returns: the Digests
    :raises KeeptrackError: when the clone lacks a base or the prerequisite
    """
    loaded = series_mod.Series.load(target)
    for base in target.bases:
        if not git.succeeds(repo, 'cat-file', '-e', base.commit + '^{commit}'):
            raise errors.KeeptrackError(
                '%s does not hold %s (%s): get it with git fetch origin %s'
                % (repo, base.name, base.commit, base.ref))
    files = {}
    for state, base, patched in states(target):
        image = placement.Image(patchfile.line_reader(
            git.reader(repo, base.commit)))
        if patched:
            image.put(git.patch(repo, target.prerequisite.commit))
        for path in sorted(set(loaded.paths()) - set(loaded.added())):
            lines = image.lines(path)
            if lines is None:
                continue
            marks = list(map(of_line, lines))
            known = files.setdefault(path, {'full': ''.join(marks)})
            known[state] = {
                'blob': git.blob_id(patchfile.encode(''.join(lines))),
                'changes': _changes(_cut(known['full']), marks)}
    return Digests(files)


def prove(target, series):
    """Prove that every hunk lands on every base, at exactly one place.

    :param target: a targets.Target
    :param series: its series.Series
    :returns: one line for every patch that does not land (list of str)
    """
    digests = Digests.load(target)
    faults = []
    for state, _, _ in states(target):
        image = placement.Image(
            lambda path, state=state: digests.lines(state, path), of_line)
        for patch in series.patches:
            try:
                image.put(patch)
            except placement.DoesNotApply as exc:
                faults.append('%s at %s: %s' % (target.name, state, exc))
                break
    return faults
