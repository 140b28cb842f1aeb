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

"""Which target a tree belongs to, by what the tree contains.

A version alone is not enough: a shallow clone has no tags, a fork has tags of
its own, and an archive made by git has no PKG-INFO.  Nova counts the changes
of its services' interfaces in nova/objects/service.py, and that count is the
same in all releases of one line (checked on every tag from 20.0.0 on).  So it
tells the line, and a version is believed only where it is one of that line.
Where a line has two targets and no version is believed, the one whose series
goes on, or is there, is meant.
"""

import dataclasses

from packaging import version

from keeptrack.series import placement
from keeptrack.series import series
from keeptrack.series import targets


@dataclasses.dataclass(frozen=True)
class Recognition:
    """What a tree was recognised as.

    :ivar target: the targets.Target, or None
    :ivar release: the tree's version where it is believed, or None (str)
    :ivar line: the targets whose line the tree is of (tuple)
    """

    target: targets.Target
    release: str
    line: tuple


def of(nova, known):
    """Recognise a tree.

    :param nova: a tree.Tree
    :param known: list of targets.Target, the newest first
    :returns: the Recognition
    """
    release = nova.release()
    line = tuple(target for target in known if target.is_line(nova.read))
    target = targets.for_tree(
        line or known, release, nova.findings().upstream,
        lambda name: (nova.path / name).is_file())
    if target is not None or not line or _is_of(release, line):
        return Recognition(target, release, line)
    return Recognition(_that_goes_on(nova, line), None, line)


def _is_of(release, line):
    """Tell whether a version is one of a line's (bool)."""
    return targets.is_version(release) and version.Version(release).major in {
        version.Version(base.release).major
        for target in line for base in target.bases}


def _that_goes_on(nova, line):
    """The target of a line whose series goes on, or is there already."""
    if len(line) > 1:
        for target in line:
            patches = series.Series.load(target)
            if patches.is_whole_in(nova.lines):
                return target
            try:
                patches.put_on(nova.lines)
                return target
            except placement.DoesNotApply:
                pass
    return line[0]
