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

"""The series of a target: its patches, read and put on a tree in memory."""

import dataclasses

from keeptrack import errors
from keeptrack.series import patchfile
from keeptrack.series import placement

FILE = 'series'


class Series:
    """The patches of a target, in order.

    :param name: the target's name (str)
    :param patches: tuple of patchfile.Patch
    """

    def __init__(self, name, patches):
        self.name = name
        self.patches = tuple(patches)

    @classmethod
    def load(cls, target):
        """Read a target's series.

        :param target: a targets.Target
        :raises KeeptrackError: when a file is missing, or is no patch
        """
        return cls(target.name, [
            patchfile.parse(name, text(target.folder / name))
            for name in names(target)])

    def reversed(self):
        """The series that takes this one back, last patch first."""
        return Series(self.name, [patch.reversed() for patch in
                                  reversed(self.patches)])

    def first(self, count):
        """The series of the first patches alone."""
        return Series(self.name, self.patches[:count])

    def paths(self):
        """Every file that the series touches, sorted (list of str)."""
        return sorted({section.path for patch in self.patches
                       for section in patch.sections})

    def added(self):
        """The files that the series adds, sorted (list of str)."""
        return sorted({section.path for patch in self.patches
                       for section in patch.sections if section.new})

    def put_on(self, read):
        """Put the series on a tree, in memory.

        :param read: called with a path, returns its lines (list) or None
        :returns: the placement.Image
        :raises placement.DoesNotApply: when a patch does not land
        """
        image = placement.Image(read, exact=self._gone())
        for patch in self.patches:
            image.put(patch)
        return image

    def _gone(self):
        """The files that a reversed series removes (set of str)."""
        return {section.path for patch in self.patches
                for section in patch.sections if section.gone}

    def added_files(self):
        """The files that the series adds, as its last patch leaves them.

        :returns: dict of path to lines (list of str)
        :raises placement.DoesNotApply: when a patch does not apply to an
            earlier one
        """
        added = set(self.added())
        image = placement.Image(lambda path: None)
        for patch in self.patches:
            image.put(dataclasses.replace(patch, sections=tuple(
                section for section in patch.sections
                if section.path in added)))
        return image.changed()

    def is_whole_in(self, read):
        """Tell whether a tree has all of the series (bool).

        :param read: called with a path, returns its lines (list) or None
        """
        try:
            self.reversed().put_on(read)
        except placement.DoesNotApply:
            return False
        return True


def names(target):
    """The file names in a target's series file (list of str).

    :raises KeeptrackError: when it names none
    """
    path = target.folder / FILE
    found = [line.split('#')[0].strip() for line in text(path).split('\n')]
    found = [name for name in found if name]
    if not found:
        raise errors.KeeptrackError('%s names no patch: add one' % path)
    return found


def text(path):
    """Read a file of a target (str); a KeeptrackError where it cannot be."""
    try:
        return patchfile.decode(path.read_bytes())
    except OSError as exc:
        raise errors.KeeptrackError('%s cannot be read: %s' % (
            path, exc.strerror))
