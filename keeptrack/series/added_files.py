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

"""nova/ and legacy/nova/: the files that the series adds, for people to read.

The patches themselves are edited, and a file that one patch adds may be
changed by later ones.  nova/ holds each such file as the last patch leaves it;
legacy/nova/ those of the targets for 2014 and 2015 (``shown_in`` in their
target.toml).  Targets may add different versions of a file: shown is that of
the newest target, and the others name the file in the list ``differs`` of
their target.toml.
"""

import dataclasses
import re

from keeptrack.series import inplace
from keeptrack.series import patchfile
from keeptrack.series import series as series_mod
from keeptrack.series import targets as targets_mod

FOLDER = 'nova'
_IGNORED = ('__pycache__', '.pyc')


@dataclasses.dataclass(frozen=True)
class Composition:
    """The files that the targets add.

    :ivar files: where it is in the checkout to its content (dict of str)
    :ivar lists: target name to the lists of its target.toml that follow from
        the patches: "differs", files that the target adds in another version
        or not at all, and "ours", the test modules that it adds (dict)
    """

    files: dict
    lists: dict


def compose(targets):
    """Read the patches of every target.

    :param targets: the targets.Targets, the newest first
    :returns: the Composition
    :raises KeeptrackError: when a patch is missing or does not apply
    """
    added, tests, files = {}, {}, {}
    for target in targets:
        found = series_mod.Series.load(target).added_files()
        tests[target.name] = [
            path.removesuffix('.py').replace('/', '.')
            for path in sorted(found)
            if re.match(FOLDER + r'/tests/(.*/)?test_', path)]
        added[target.name] = {_place(target, path): ''.join(lines)
                              for path, lines in found.items()}
        for path, text in added[target.name].items():
            files.setdefault(path, text)
    return Composition(files, {target.name: {
        'differs': sorted(
            path for path, text in files.items()
            if path.startswith(_folder(target)) and
            added[target.name].get(path) != text),
        'ours': tests[target.name]} for target in targets})


def _folder(target):
    """Where the checkout has the files that a target adds (str)."""
    return '%s%s/' % (target.shown_in and target.shown_in + '/', FOLDER)


def _place(target, path):
    """Where the checkout has a file of Nova's tree."""
    for old, new in target.shown_as:
        if path.startswith(old):
            path = new + path.removeprefix(old)
    return _folder(target) + path.removeprefix(FOLDER + '/')


def faults(checkout, targets, composition):
    """Compare a checkout with its patches.

    :param checkout: the folder that holds nova/ and patches/ (pathlib.Path)
    :param targets: the targets.Targets
    :param composition: their Composition
    :returns: pairs of a target's name, '' where it is no target's, and what
              differs, in words (list of tuple)
    """
    rows = []
    for path, text in sorted(composition.files.items()):
        there = _read(checkout / path)
        if there is None:
            rows.append(('', '%s is missing' % path))
        elif there != text:
            rows.append(('', '%s is not as the patches leave it' % path))
    rows += [('', '%s is added by no patch: remove it' % path)
             for path in strays(checkout, targets, composition)]
    for target in targets:
        for key, there in (('differs', target.differs),
                           ('ours', target.our_modules)):
            wanted = composition.lists[target.name][key]
            rows += [(target.name, '"%s" in target.toml %s %s' % (
                key, 'does not name' if name in wanted else
                'need not name', name)) for name in sorted(
                    set(wanted) ^ set(there))]
    return rows


def strays(checkout, targets, composition):
    """Shown files that no patch adds, sorted (list of str)."""
    found = {str(path.relative_to(checkout))
             for folder in set(map(_folder, targets))
             for path in (checkout / folder).rglob('*') if path.is_file()}
    return sorted(path for path in found if path not in composition.files and
                  not any(word in path for word in _IGNORED))


def write(checkout, targets, composition, gone=()):
    """Write nova/, and the lists of the targets' files.

    :param checkout: the folder that holds nova/ and patches/ (pathlib.Path)
    :param targets: the targets.Targets
    :param composition: their Composition
    :param gone: files of nova/ that the patches added until now (iterable of
                 str): those that no patch adds any more are removed.  A file
                 that never came from a patch is left alone.
    """
    for path, text in composition.files.items():
        if _read(checkout / path) != text:
            (checkout / path).parent.mkdir(parents=True, exist_ok=True)
            (checkout / path).write_bytes(patchfile.encode(text))
    for path in set(gone) - set(composition.files):
        (checkout / path).unlink(missing_ok=True)
        inplace.remove_empty(checkout, (checkout / path).parent)
    for target in targets:
        targets_mod.rewrite(target.folder, composition.lists[target.name])


def _read(path):
    try:
        return patchfile.decode(path.read_bytes())
    except FileNotFoundError:
        return None
