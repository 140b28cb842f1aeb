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

"""Where the hunks of a patch land, with no tool that guesses.

A hunk lands where its context and removed lines stand.  With one line of
context on each side they may stand at several places, and "the nearest" would
be a guess.  So all hunks on a file are looked at together: they land one after
the other, none over another, and there has to be exactly one way to do that.
(Five hunks that make the same change at the only five places of its kind have
one way, four of them have five.)  A file that the series itself has added is
known whole: there a hunk lands at the line that it names.

The same code works on the lines of a tree and on their digests, which is how a
test proves without a clone of Nova that every patch applies to every base.
"""

from keeptrack import errors

# line numbers that a message lists
_MOST = 5


class DoesNotApply(errors.KeeptrackError):
    """A section does not land.

    :ivar path: the file (str)
    :ivar line: where the patch expects the change, from 1 (int)
    """

    def __init__(self, patch, path, line, why):
        self.path = path
        self.line = line
        super().__init__('%s does not apply: %s line %d: %s' % (
            patch.name, path, line, why))


class Image:
    """Files of one tree as they would stand after some patches.

    :param read: called with a path; returns the file's lines (list), or None
                 where the tree has no such file
    :param token: called with a line of a patch; returns what stands for it
                  in the lists that read returns
    :param exact: files whose hunks land at the lines that they name
                  (iterable of str); those that a patch adds are among them
    """

    def __init__(self, read, token=None, exact=()):
        self._read = read
        self._exact = set(exact)
        self._token = token or (lambda line: line)
        self._original = {}
        self._files = {}

    def lines(self, path):
        """The lines of a file now; None when there is no such file."""
        if path not in self._files:
            self._files[path] = self._original[path] = self._read(path)
        return self._files[path]

    def changed(self):
        """What the patches have changed (dict: path to lines or None)."""
        return {path: lines for path, lines in sorted(self._files.items())
                if lines != self._original[path]}

    def put(self, patch):
        """Put one patch on.

        :param patch: a patchfile.Patch
        :raises DoesNotApply: when it does not; nothing of it is put on then
        """
        kept = dict(self._files)
        try:
            for section in patch.sections:
                self._put_section(patch, section)
        except DoesNotApply:
            # files read meanwhile stay known: only their lines go back
            self._files = dict(self._original, **kept)
            raise

    def _put_section(self, patch, section):
        lines = self.lines(section.path)
        if section.new:
            if lines is not None:
                raise DoesNotApply(patch, section.path, 1,
                                   'the file is there already')
            self._exact.add(section.path)
            self._files[section.path] = [
                self._token(line) for line in section.content]
            return
        if lines is None:
            raise DoesNotApply(patch, section.path, 1, 'there is no such file')
        wanted = [[self._token(line) for line in hunk.before]
                  for hunk in section.hunks]
        find_places = (self._exact_places if section.path in self._exact else
                       self._places)
        places = find_places(patch, section, wanted, lines)
        # from the end, so that the places of earlier hunks stay true
        for at, old, hunk in reversed(list(zip(places, wanted,
                                               section.hunks))):
            after = [self._token(line) for line in hunk.after]
            lines = lines[:at] + after + lines[at + len(old):]
        if section.gone and lines:
            raise DoesNotApply(patch, section.path, 1,
                               'the file has lines that no patch put there')
        self._files[section.path] = None if section.gone else lines

    def _exact_places(self, patch, section, wanted, lines):
        """Like :meth:`_places`, for a file whose lines are all known."""
        # git counts the lines before an empty place, not to it
        places = [hunk.start - 1 if old else hunk.start
                  for hunk, old in zip(section.hunks, wanted)]
        for at, old in zip(places, wanted):
            if lines[at:at + len(old)] != old:
                raise DoesNotApply(patch, section.path, max(at + 1, 1),
                                   'the lines that it changes are not there')
        return places

    def _places(self, patch, section, wanted, lines):
        """Where each hunk of a section lands: indexes from 0 (list of int).

        :raises DoesNotApply: when there is no way, or more than one
        """
        found = []
        for hunk, old in zip(section.hunks, wanted):
            places = find(lines, old)
            if hunk.start <= 1:
                places = [at for at in places if at == 0]
            if not hunk.trailing:
                places = [at for at in places if at + len(old) == len(lines)]
            found.append(places)
        first, end = [], 0
        for hunk, old, places in zip(section.hunks, wanted, found):
            at = next((each for each in places if each >= end), None)
            if at is None:
                raise DoesNotApply(patch, section.path, max(hunk.start, 1),
                                   'the lines that it changes are not there')
            first.append(at)
            end = at + len(old)
        # the same from the end: where both ways agree there is no other
        begin = len(lines)
        for number in reversed(range(len(found))):
            size = len(wanted[number])
            last = max(each for each in found[number]
                       if each + size <= begin)
            if last != first[number]:
                raise DoesNotApply(
                    patch, section.path, section.hunks[number].start,
                    'the lines that it changes are at lines %s, and which '
                    'are meant is unclear' % _some(
                        [each + 1 for each in found[number]
                         if first[number] <= each <= last]))
            begin = last
        return first


def _some(numbers):
    words = [str(number) for number in numbers[:_MOST]]
    if len(numbers) > _MOST:
        words.append('%d more' % (len(numbers) - _MOST))
    return ', '.join(words)


def find(lines, wanted):
    """Every place where some lines stand in a row.

    :param lines: where to look (list)
    :param wanted: what to look for (list)
    :returns: indexes from 0 (list of int)
    """
    size = len(wanted)
    if not size:
        return [0] if not lines else []
    first = wanted[0]
    places = []
    at = -1
    while True:
        try:
            at = lines.index(first, at + 1)
        except ValueError:
            return places
        if lines[at:at + size] == wanted:
            places.append(at)
