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

"""Patches made new from the source of the modules that they add.

Hunks on files that Nova has are left as they are.  Every file that a patch
adds comes from the target's source folder, through the target's
substitutions; the summary under the message is computed again.
"""

import dataclasses
import re

from keeptrack import digests
from keeptrack import errors
from keeptrack import git
from keeptrack import landing
from keeptrack import patchfile
from keeptrack import series as series_mod


def renewed(target):
    """A target's patches as they should be.

    :param target: a targets.Target
    :returns: dict of str to str: file names to contents
    :raises KeeptrackError: when target.toml, series and source do not agree
    """
    names = series_mod.names(target)
    stray = sorted(set(target.modules) ^ set(names))
    if stray:
        raise errors.KeeptrackError(
            '%s: series and target.toml do not both name %s: name it in both '
            'or in none' % (target.name, ', '.join(stray)))
    loaded = series_mod.Series.load(target)
    return {patch.name: _renew(target, patch).render()
            for patch in loaded.patches}


def _renew(target, patch):
    kept = [section for section in patch.sections if not section.new]
    digits = _abbreviation(patch)
    added = [_module(target, name, digits)
             for name in target.modules[patch.name]]
    return dataclasses.replace(patch, sections=tuple(
        sorted(kept + added, key=lambda section: section.path.encode())))


def _abbreviation(patch):
    """Digits of a blob's id, as many as the patch has already (int)."""
    for section in patch.sections:
        found = re.search(r'^index [0-9a-f]+\.\.([0-9a-f]+)', section.text,
                          re.MULTILINE)
        if found:
            return len(found.group(1))
    return 7


def _module(target, name, digits):
    try:
        text = patchfile.decode((target.source_folder / name).read_bytes())
    except OSError as exc:
        raise errors.KeeptrackError(
            '%s names the module %s, which cannot be read (%s): add it, or '
            'take it out of target.toml' % (target.name, name, exc.strerror))
    for old, new in target.text:
        text = text.replace(old, new)
    path = name
    for old, new in target.paths:
        path = path.replace(old, new)
    return patchfile.new_section(path, text, digits)


def refuse_two_contents(target, contents, shared):
    """Raise a KeeptrackError where targets disagree on a patch they share.

    :param target: a targets.Target
    :param contents: from :func:`renewed`
    :param shared: what the targets before wanted: dict of path to a pair of
                   the target's name and the content; added to
    """
    for name, text in contents.items():
        path = (target.folder / name).resolve()
        other, wanted = shared.setdefault(path, (target.name, text))
        if wanted != text:
            raise errors.KeeptrackError(
                '%s and %s share %s, but would not make the same of it: give '
                'one of them a file of its own' % (other, target.name, name))


def differing(target, contents):
    """Names of patches that are not what they should be.

    :param target: a targets.Target
    :param contents: from :func:`renewed`
    :returns: pairs of a patch's name and the first path that differs
              (list of tuple)
    """
    rows = []
    for name, text in contents.items():
        there = patchfile.decode((target.folder / name).read_bytes())
        if there != text:
            rows.append((name, _first_difference(
                patchfile.parse(name, there), patchfile.parse(name, text))))
    return rows


def _first_difference(there, wanted):
    old = {section.path: section.text for section in there.sections}
    new = {section.path: section.text for section in wanted.sections}
    paths = sorted(path for path in set(old) | set(new)
                   if old.get(path) != new.get(path))
    return ', '.join(paths) or 'its summary'


def measure(target, repo):
    """Compute a target's digests from a clone of Nova.

    :param target: a targets.Target
    :param repo: the clone (str or pathlib.Path)
    :returns: the digests.Digests
    :raises KeeptrackError: when the clone lacks a base or the prerequisite
    """
    loaded = series_mod.Series.load(target)
    paths = sorted(set(loaded.paths()) - set(loaded.added()))
    states = {name: (base, patched) for name, base, patched in
              digests.states(target)}
    for base, _ in states.values():
        if not git.succeeds(repo, 'cat-file', '-e', base.commit + '^{commit}'):
            raise errors.KeeptrackError(
                '%s does not hold %s (%s): get it with git fetch origin %s'
                % (repo, base.name, base.commit, base.ref))
    images = {}

    def read(state, path):
        base, patched = states[state]
        if not patched:
            return _blob(repo, base.commit, path)
        if base.commit not in images:
            images[base.commit] = _with_prerequisite(target, repo, base)
        lines = images[base.commit].lines(path)
        return None if lines is None else patchfile.encode(''.join(lines))

    return digests.generate(target, paths, read)


def _blob(repo, commit, path):
    try:
        return git.run(repo, 'cat-file', 'blob', '%s:%s' % (commit, path))
    except git.GitError:
        return None


def _with_prerequisite(target, repo, base):
    text = git.run(repo, 'format-patch', '-1', '--stdout',
                   target.prerequisite.commit, env=git.ISOLATED)

    def lines(path):
        data = _blob(repo, base.commit, path)
        return (None if data is None else
                patchfile.split_lines(patchfile.decode(data)))

    image = landing.Image(lines)
    image.put(patchfile.parse(target.prerequisite.commit[:12],
                              patchfile.decode(text)))
    return image
