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

"""A target's patches written from the commits of a Nova branch.

``keeptrack refresh --from`` uses it for the targets whose patches are their
own source.  git writes the patches in a scratch repository, so that the
user's configuration changes nothing: one line of context, whole blob ids, no
numbers, no version of git.  Where a hunk keeps more than two lines between its
changes it is cut, so that a patch repeats as little of Nova as it can.  Where
its one line of context stands at several places it is moved: added lines that
begin or end like the lines around them can be told apart in several ways.

Before a file of the target changes, the patches are proved on the commit below
them, in the way in which ``keeptrack apply`` puts them on.
"""

import dataclasses
import pathlib
import re
import tempfile

from keeptrack import errors
from keeptrack.series import git
from keeptrack.series import patchfile
from keeptrack.series import placement
from keeptrack.series import series as series_mod

# more than a series has: the range was meant otherwise
_MOST = 50
_FORMAT = ('-U1', '--inter-hunk-context=0', '--diff-algorithm=myers',
           '--indent-heuristic', '--no-renames', '--full-index',
           '--no-numbered', '--no-signature', '--zero-commit')
# unchanged lines that a hunk may have between its changes
_INSIDE = 2
_TRAILERS = (('Signed-off-by', r'^Signed-off-by: \S'),
             ('Change-Id', r'^Change-Id: I[0-9a-f]{40}$'),
             ('Closes-Bug, Partial-Bug or Related-Bug',
              r'^(Closes|Partial|Related)-Bug: #\d+$'))


def patches(repo, commits):
    """Read patches from commits of a clone.

    :param repo: the clone of Nova (pathlib.Path)
    :param commits: a branch, which stands for its commits that no remote
                    branch and no tag has, or a range BASE..TIP (str)
    :returns: the patchfile.Patches, in order (list)
    :raises KeeptrackError: when there is no series, or one that
                            ``keeptrack apply`` would refuse
    """
    base, tip = _ends(repo, commits)
    with tempfile.TemporaryDirectory(prefix='keeptrack-') as folder:
        scratch = pathlib.Path(folder)
        git.init_borrowing(scratch, git.common_folder(repo))
        out = scratch / 'patches'
        git.run(scratch, 'format-patch', '--quiet', *_FORMAT, '-o', str(out),
                '%s..%s' % (base, tip), env=git.ISOLATED)
        found = [patchfile.parse(path.name, patchfile.decode(
            path.read_bytes())) for path in sorted(out.iterdir())]
    faults = [fault for patch in found for fault in message_faults(patch)]
    if faults:
        raise errors.KeeptrackError('; '.join(faults))
    found = _settled(repo, base, _narrowed(found))
    _prove(repo, base, tip, found)
    return found


def message_faults(patch):
    """What the message of a patch lacks.

    :param patch: a patchfile.Patch
    :returns: sentences (list of str)
    """
    return ['%s has no line %s' % (patch.name, name)
            for name, pattern in _TRAILERS
            if not re.search(pattern, patch.head, re.MULTILINE)]


def _narrowed(found):
    """Patches whose hunks have few unchanged lines inside (list)."""
    ours = set()
    narrow = []
    for patch in found:
        ours.update(section.path for section in patch.sections if section.new)
        narrow.append(dataclasses.replace(patch, sections=tuple(
            _narrow(patch, section, section.path in ours)
            for section in patch.sections)))
    return narrow


def _narrow(patch, section, ours):
    """A section whose hunks have few unchanged lines inside.

    :param ours: the series adds the file (bool)
    :raises KeeptrackError: when it cannot be had in a file of Nova's
    """
    if all(hunk.inside <= _INSIDE for hunk in section.hunks):
        return section
    hunks = []
    for hunk in section.hunks:
        for part in [hunk] if hunk.inside <= _INSIDE else _cut(hunk):
            if part.inside > _INSIDE and not ours:
                raise errors.KeeptrackError(
                    '%s: the hunk on %s line %d keeps %d unchanged lines '
                    'between its changes, and %d is the most: change fewer '
                    'places at a time' % (patch.name, section.path,
                                          part.start, part.inside, _INSIDE))
            hunks.append(part if part.inside <= _INSIDE else _filled(part))
    return section.with_hunks(hunks)


def _cut(hunk):
    """Cut a hunk in the middle of every two unchanged lines (list)."""
    kinds = ''.join(kind for kind, _ in hunk.lines)
    # the first of the two lines ends one part, the second begins the next
    cuts = [found.start() + 1 for found in
            re.finditer(r'(?<=[-+])  (?=[-+])', kinds)]
    parts = []
    for first, last in zip([0] + cuts, cuts + [len(kinds)]):
        above = kinds[:first]
        parts.append(patchfile.Hunk(
            hunk.start + len(above) - above.count('+'),
            hunk.lines[first:last],
            hunk.new_start + len(above) - above.count('-')))
    return parts


def _filled(hunk):
    """A hunk of one change: it writes its unchanged lines again."""
    lines = list(hunk.lines)
    head = [lines.pop(0)] if lines[0][0] == ' ' else []
    tail = [lines.pop()] if lines[-1][0] == ' ' else []
    return patchfile.Hunk(hunk.start, tuple(
        head + [('-', line) for kind, line in lines if kind != '+'] +
        [('+', line) for kind, line in lines if kind != '-'] + tail),
        hunk.new_start)


def _settled(repo, base, found):
    """Patches whose hunks land at one place each, as far as possible (list).

    What is still ambiguous is refused by :func:`_prove`.
    """
    image = placement.Image(_lines(repo, base))
    ours = set()
    settled = []
    for patch in found:
        ours.update(section.path for section in patch.sections if section.new)
        if not _goes_both_ways(image, patch):
            patch = dataclasses.replace(patch, sections=tuple(
                section if section.path in ours else section.with_hunks(
                    [_moved(hunk, image.lines(section.path))
                     for hunk in section.hunks])
                for section in patch.sections))
        settled.append(patch)
        try:
            image.put(patch)
        except placement.DoesNotApply:
            return found
    return settled


def _goes_both_ways(image, patch):
    """Tell whether a patch can be put on, and taken out again (bool)."""
    before = placement.Image(image.lines)
    try:
        before.put(patch)
        placement.Image(before.lines, exact=[
            section.path for section in patch.sections if section.new]).put(
                patch.reversed())
    except placement.DoesNotApply:
        return False
    return True


def _moved(hunk, lines):
    """A hunk that adds or removes the same lines at a place of its own.

    :param hunk: a patchfile.Hunk with its right line numbers
    :param lines: those of the file before the patch (list of str)
    :returns: the first of the equal hunks whose lines stand at one place, the
              hunk itself where there is none
    """
    for step in (-1, 1):
        moved = hunk
        while moved is not None:
            if _is_settled(moved, lines):
                return moved
            moved = _shifted(moved, lines, step)
    return hunk


def _is_settled(hunk, lines):
    first = hunk.start - 1
    after = lines[:first] + hunk.after + lines[first + len(hunk.before):]
    return (len(placement.find(lines, hunk.before)) == 1 and
            len(placement.find(after, hunk.after)) == 1)


def _shifted(hunk, lines, step):
    """The same hunk one line above (-1) or below (1), or None."""
    kinds = ''.join(kind for kind, _ in hunk.lines)
    if not re.fullmatch(r' (\++|-+) ', kinds):
        return None
    texts = [line for _, line in hunk.lines]
    # the line of context that the hunk gets, and where its lines stand then
    at = (hunk.start - 2 if step < 0 else
          hunk.start - 1 + len(hunk.before))
    if not 0 <= at < len(lines) or (
            texts[0] != texts[-2] if step < 0 else texts[1] != texts[-1]):
        return None
    texts = ([lines[at]] + texts[:-1] if step < 0 else
             texts[1:] + [lines[at]])
    return patchfile.Hunk(hunk.start + step, tuple(zip(kinds, texts)),
                          hunk.new_start + step)


def _lines(repo, commit):
    return patchfile.line_reader(git.reader(repo, commit))


def _ends(repo, commits):
    """The commit below a series, and its last one (tuple of str)."""
    words = ([commits] if '..' in commits else
             [commits, '--not', '--remotes', '--tags'])
    try:
        rows = [row.split() for row in git.line(
            repo, 'rev-list', '--reverse', '--topo-order', '--parents',
            *words, '--').splitlines()]
    except git.GitError as exc:
        raise errors.KeeptrackError('%s names no commits of %s (%s)' % (
            commits, repo, exc))
    if not rows:
        raise errors.KeeptrackError(
            '%s has no commit of its own: name a range BASE..TIP' % commits)
    if len(rows) > _MOST:
        raise errors.KeeptrackError(
            '%s names %d commits, which is no series: name a range BASE..TIP'
            % (commits, len(rows)))
    below = rows[0][1] if len(rows[0]) == 2 else None
    before = below
    for commit, *parents in rows:
        if parents != [before] or before is None:
            raise errors.KeeptrackError(
                '%s is no straight line of commits (see %s): rebase it, or '
                'name a range BASE..TIP' % (commits, commit[:12]))
        before = commit
    return below, before


def _prove(repo, base, tip, found):
    """Raise a KeeptrackError unless the patches make the tip of the base."""
    loaded = series_mod.Series('the series', found)
    at_tip = _lines(repo, tip)
    for path, lines in loaded.put_on(
            _lines(repo, base)).changed().items():
        if at_tip(path) != lines:
            raise errors.KeeptrackError(
                'the patches do not make %s what it is in %s: please report '
                'it as a bug of keeptrack' % (path, tip[:12]))
    try:
        loaded.reversed().put_on(at_tip)
    except placement.DoesNotApply as exc:
        raise errors.KeeptrackError(
            'keeptrack could not tell that a tree has the series, since it '
            'cannot take it out: %s' % exc)


def write(target, found, others):
    """Replace a target's patches and its series file.

    A link of another target to a patch that changes becomes a file of its
    own; see :func:`link`.

    :param target: the targets.Target
    :param found: the patchfile.Patches, in order
    :param others: the other targets.Targets
    """
    for other in others:
        for path in other.folder.glob('*.patch'):
            if path.is_symlink() and path.resolve().parent == (
                    target.folder.resolve()):
                data = path.read_bytes()
                path.unlink()
                path.write_bytes(data)
    for path in target.folder.glob('*.patch'):
        path.unlink()
    for patch in found:
        (target.folder / patch.name).write_bytes(
            patchfile.encode(patch.render()))
    path = target.folder / series_mod.FILE
    comments = [line for line in (
        path.read_text().splitlines() if path.exists() else [])
        if line.startswith('#')]
    path.write_text(''.join('%s\n' % line for line in comments + [
        patch.name for patch in found]))


def link(targets):
    """Keep a patch once that several targets have.

    Line numbers and blob ids of Nova's files may differ: a patch lands where
    its lines are.  They may not in files that the series adds.

    :param targets: the targets.Targets whose patches are their own source,
                    the newest first
    """
    kept = {}
    for target in targets:
        loaded = series_mod.Series.load(target)
        added = set(loaded.added())
        for patch in loaded.patches:
            path = target.folder / patch.name
            # a newer target may link to an older one's
            first = kept.setdefault(
                (patch.name, patch.head, _changes(patch, added)),
                path.resolve())
            if first != path.resolve() and not path.is_symlink():
                path.unlink()
                path.symlink_to(pathlib.Path(
                    '..', first.parent.name, first.name))


def _changes(patch, added):
    return tuple(
        (section.path, section.new, section.mode, tuple(
            (hunk.lines, hunk.start if section.path in added else None)
            for hunk in section.hunks)) for section in patch.sections)
