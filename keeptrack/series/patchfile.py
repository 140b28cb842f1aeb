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

"""One patch as git format-patch writes it: read, reversed, written.

Lines are str with their line feed (a last line without one has none), decoded
as UTF-8 with surrogate escapes, so that any file goes through unharmed.  They
are cut at line feeds only: str.splitlines() knows more ends than git does.
"""

import dataclasses
from email import utils
import re

from keeptrack import errors
from keeptrack.series import diffstat
from keeptrack.series import git

_HUNK = re.compile(r'@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)\n')
_FILE = re.compile(r'diff --git a/(\S+) b/(\S+)\n')
_NO_FEED = '\\ No newline at end of file\n'


def split_lines(text):
    """Cut a text into lines that keep their line feed (list of str)."""
    lines = text.split('\n')
    last = lines.pop()
    lines = [line + '\n' for line in lines]
    return lines + [last] if last else lines


def decode(data):
    """Bytes of a source file as str; :func:`encode` is its inverse."""
    return data.decode('utf-8', 'surrogateescape')


def encode(text):
    """Str from :func:`decode` as the bytes that it came from."""
    return text.encode('utf-8', 'surrogateescape')


@dataclasses.dataclass(frozen=True)
class Hunk(object):
    """One hunk.

    :ivar start: first line in the old file, from 1; 0 in an empty one (int)
    :ivar lines: pairs of a kind (' ', '-' or '+') and a line (tuple)
    :ivar new_start: first line in the new file, as start (int)
    """

    start: int
    lines: tuple
    new_start: int

    @property
    def before(self):
        """The lines that the hunk finds (list of str)."""
        return [line for kind, line in self.lines if kind != '+']

    @property
    def after(self):
        """The lines that the hunk leaves (list of str)."""
        return [line for kind, line in self.lines if kind != '-']

    @property
    def trailing(self):
        """Whether context stands at the hunk's end (bool)."""
        return bool(self.lines) and self.lines[-1][0] == ' '

    @property
    def inside(self):
        """How many unchanged lines stand between its changes (int)."""
        return ''.join(kind for kind, _ in self.lines).strip(' ').count(' ')

    def render(self):
        """The hunk as it stands in a patch, without a function's name."""
        out = ['@@ -%s +%s @@\n' % (_range(self.start, self.before),
                                    _range(self.new_start, self.after))]
        for kind, line in self.lines:
            out.append(kind + line)
            if not line.endswith('\n'):
                out += ['\n', _NO_FEED]
        return ''.join(out)

    def reversed(self):
        """The hunk that takes this one back (Hunk)."""
        swap = {' ': ' ', '-': '+', '+': '-'}
        return Hunk(self.new_start, tuple(
            (swap[kind], line) for kind, line in self.lines), self.start)


@dataclasses.dataclass(frozen=True)
class Section(object):
    """What a patch does to one file.

    :ivar path: the file, from the top of the tree (str)
    :ivar new: the patch adds the file (bool)
    :ivar gone: the patch removes the file: only in a reversed one (bool)
    :ivar mode: git's mode of an added file, else None (str)
    :ivar hunks: in the order of the file (tuple of Hunk)
    :ivar text: the section as it stands in the patch (str)
    """

    path: str
    new: bool
    mode: str
    hunks: tuple
    text: str
    gone: bool = False

    @property
    def content(self):
        """Lines of an added file (list of str)."""
        return [line for hunk in self.hunks for line in hunk.after]

    def count(self, kind):
        """How many lines of a kind, '+' or '-', the section has (int)."""
        return sum(1 for hunk in self.hunks
                   for each, line in hunk.lines if each == kind)

    def with_hunks(self, hunks):
        """The section with other hunks on the same file (Section)."""
        head = self.text[:self.text.index('\n@@ ') + 1]
        return dataclasses.replace(self, hunks=tuple(hunks), text=head +
                                   ''.join(hunk.render() for hunk in hunks))

    def reversed(self):
        """The section that takes this one back (Section)."""
        return dataclasses.replace(
            self, new=self.gone, gone=self.new,
            hunks=tuple(hunk.reversed() for hunk in self.hunks))


@dataclasses.dataclass(frozen=True)
class Patch(object):
    """One patch of a series.

    :ivar name: its file name (str)
    :ivar head: mail header and commit message, up to the line of three
                dashes (str)
    :ivar sections: one a file (tuple of Section)
    :ivar tail: what follows the last hunk: git's signature (str)
    """

    name: str
    head: str
    sections: tuple
    tail: str

    @property
    def title(self):
        """The first line of the commit message (str)."""
        subject = re.search(r'^Subject: (.*(?:\n[ \t].*)*)', self.head, re.M)
        words = ' '.join(subject.group(1).split()) if subject else self.name
        return re.sub(r'^\[PATCH[^\]]*\] *', '', words)

    @property
    def author(self):
        """Name and mail address of the author (tuple of str)."""
        found = re.search(r'^From: "?(.*?)"? <(.*)>$', self.head, re.M)
        if found is None:
            raise errors.KeeptrackError(
                '%s names no author: write it with git format-patch'
                % self.name)
        return found.groups()

    def with_author(self, name, address):
        """The patch by another author (Patch).

        The sign-off of the author until now goes: the other did not give it.
        """
        own = re.escape('%s <%s>' % self.author)
        head = re.sub(r'^Signed-off-by: %s\n' % own, '', self.head,
                      flags=re.MULTILINE)
        line = 'From: %s\n' % utils.formataddr((name, address))
        return dataclasses.replace(self, head=re.sub(
            r'^From: .*\n', lambda found: line, head, count=1,
            flags=re.MULTILINE))

    def reversed(self):
        """The patch that takes this one back (Patch)."""
        return dataclasses.replace(self, sections=tuple(
            section.reversed() for section in self.sections))

    def render(self):
        """The patch as a file of a series holds it (str)."""
        return ''.join(
            [self.head, '---\n', diffstat.render(self.sections), '\n'] +
            [section.text for section in self.sections] + [self.tail])


def _range(start, lines):
    return str(start) if len(lines) == 1 else '%d,%d' % (start, len(lines))


def new_section(path, text, abbreviation=7, mode='100644'):
    """The section that adds a file.

    :param path: where it goes, from the top of the tree (str)
    :param text: its content, as from :func:`decode` (str)
    :param abbreviation: digits of the blob's id to write (int)
    :param mode: git's mode (str)
    :returns: the Section
    """
    lines = split_lines(text)
    out = ['diff --git a/%s b/%s\n' % (path, path),
           'new file mode %s\n' % mode,
           'index %s..%s\n' % ('0' * abbreviation,
                               git.blob_id(encode(text))[:abbreviation])]
    hunks = ()
    if lines:
        count = '' if len(lines) == 1 else ',%d' % len(lines)
        out += ['--- /dev/null\n', '+++ b/%s\n' % path,
                '@@ -0,0 +1%s @@\n' % count]
        out += ['+' + line for line in lines]
        if not lines[-1].endswith('\n'):
            out += ['\n', _NO_FEED]
        hunks = (Hunk(0, tuple(('+', line) for line in lines), 1),)
    return Section(path, True, mode, hunks, ''.join(out))


def parse(name, text):
    """Read one patch.

    :param name: the file's name, for messages (str)
    :param text: its content, as from :func:`decode` (str)
    :returns: the Patch
    :raises KeeptrackError: when it is no git patch that adds or changes files
    """
    return _Reader(name, split_lines(text)).patch()


class _Reader(object):
    """Walks over the lines of a patch once."""

    def __init__(self, name, lines):
        self.name = name
        self.lines = lines
        self.at = 0

    def patch(self):
        try:
            self.at = self.lines.index('---\n')
        except ValueError:
            self._fail('it has no line of three dashes under its message')
        head = ''.join(self.lines[:self.at])
        while self._peek() and not self._ends() and not _FILE.match(
                self._peek()):
            self.at += 1
        sections = []
        while _FILE.match(self._peek()):
            sections.append(self._section())
        if self._peek() and not self._ends():
            self._fail('nothing that git writes')
        return Patch(self.name, head, tuple(sections),
                     ''.join(self.lines[self.at:]))

    def _peek(self):
        return self.lines[self.at] if self.at < len(self.lines) else ''

    def _ends(self):
        return self._peek() == '-- \n'

    def _fail(self, why):
        raise errors.KeeptrackError(
            '%s line %d: %s; write it again with git format-patch -U1'
            % (self.name, self.at + 1, why))

    def _section(self):
        begin = self.at
        old, path = _FILE.match(self._peek()).groups()
        mode = None
        self.at += 1
        while self._peek() and not self._peek().startswith(
                ('@@ ', 'diff ', '-- ')):
            line = self._peek()
            if line.startswith('new file mode '):
                mode = line.split()[-1]
            elif not line.startswith(('index ', '--- ', '+++ ')):
                self._fail('a series adds and changes files, nothing else')
            self.at += 1
        if old != path:
            self._fail('a series renames nothing')
        hunks = []
        while self._peek().startswith('@@ '):
            hunks.append(self._hunk())
        return Section(path, mode is not None, mode, tuple(hunks),
                       ''.join(self.lines[begin:self.at]))

    def _hunk(self):
        header = _HUNK.match(self._peek())
        if header is None:
            self._fail('no hunk header')
        start, before, new_start, after, _ = header.groups()
        left = {'-': int(before or 1), '+': int(after or 1)}
        self.at += 1
        body = []
        while left['-'] or left['+']:
            kind, line = self._peek()[:1], self._peek()[1:]
            if not kind or kind not in ' -+':
                self._fail('the hunk is shorter than its header says')
            for side in ('-', '+') if kind == ' ' else kind:
                left[side] -= 1
            body.append((kind, line))
            self.at += 1
            if self._peek() == _NO_FEED:
                body[-1] = (kind, line[:-1])
                self.at += 1
        return Hunk(int(start), tuple(body), int(new_start))
