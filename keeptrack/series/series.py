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
from keeptrack.series import landing
from keeptrack.series import patchfile

FILE = 'series'


class Series(object):
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
            patchfile.parse(name, _text(target.folder / name))
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
        :returns: the landing.Image
        :raises landing.Misfit: when a patch does not land
        """
        image = landing.Image(read, exact=self._gone())
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
        :raises landing.Misfit: when a patch does not go on an earlier one
        """
        added = set(self.added())
        image = landing.Image(lambda path: None)
        for patch in self.patches:
            image.put(dataclasses.replace(patch, sections=tuple(
                section for section in patch.sections
                if section.path in added)))
        return image.changed()

    def present_in(self, read):
        """Which patches a tree has already.

        The last ones first, since a later patch may change what an earlier
        one has put there; then each by itself, for a tree into which some
        were picked.  A tree whose copy of a new module was edited has that
        patch too: its file stands in the way.

        :param read: called with a path, returns its lines (list) or None
        :returns: names of patches (list of str)
        """
        for count in range(len(self.patches), 0, -1):
            if _lands(self.first(count).reversed(), read):
                return [patch.name for patch in self.patches[:count]]
        return [patch.name for patch in self.patches
                if _lands(Series(self.name, [patch.reversed()]), read) or
                any(section.new and read(section.path) is not None
                    for section in patch.sections)]

    def is_whole_in(self, read):
        """Tell whether a tree has all of the series (bool).

        :param read: called with a path, returns its lines (list) or None
        """
        return _lands(self.reversed(), read)

    def refuse_present(self, read, where):
        """Raise a KeeptrackError when a tree has some of the series.

        :param read: called with a path, returns its lines (list) or None
        :param where: the tree, for the message
        """
        there = self.present_in(read)
        if not there:
            return
        if self.is_whole_in(read):
            raise errors.KeeptrackError(
                '%s has the series %s already: nothing to do'
                % (where, self.name))
        modules = [name for name in self.added() if name.endswith('.py') and
                   '/tests/' not in name]
        if modules and all(read(name) is not None for name in modules):
            files = self.added_files()
            differ = [name for name in modules if read(name) != files[name]]
            raise errors.KeeptrackError(
                '%s has the series %s in another version, or it was edited '
                '(%s): take that off first, with the keeptrack that put it '
                'there, or in a checkout by leaving its branch, and apply '
                'again' % (where, self.name, _some(differ) or
                           "the modules that it adds are the same, Nova's "
                           'own files differ'))
        raise errors.KeeptrackError(
            '%s has a part of the series %s already (%s): take it out first, '
            'or add the others by hand with git am'
            % (where, self.name, ', '.join(there)))


def names(target):
    """The file names in a target's series file (list of str).

    :raises KeeptrackError: when it names none
    """
    path = target.folder / FILE
    found = [line.split('#')[0].strip() for line in _text(path).split('\n')]
    found = [name for name in found if name]
    if not found:
        raise errors.KeeptrackError('%s names no patch: add one' % path)
    return found


def _lands(series, read):
    try:
        series.put_on(read)
    except landing.Misfit:
        return False
    return True


def _some(names):
    """Up to three names in words (str)."""
    return ', '.join(names[:3]) + (
        ' and %d more differ' % (len(names) - 3) if len(names) > 3 else
        ' differs' if len(names) == 1 else ' differ' if names else '')


def _text(path):
    try:
        return patchfile.decode(path.read_bytes())
    except OSError as exc:
        raise errors.KeeptrackError('%s cannot be read: %s' % (
            path, exc.strerror))
