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

import unidiff

from keeptrack import errors

_SECTION = re.compile(r'^(?=diff --git )', re.MULTILINE)
_NAMES = re.compile(r'diff --git a/(\S+) b/(\S+)\n')
_HEADER = re.compile(r'(?:(?:index |--- |\+\+\+ |new file mode (\d+)).*\n)*')
# the last line is git's version
_SIGNATURE = re.compile(r'^-- \n\d.*\n*\Z', re.MULTILINE)
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


def line_reader(read):
    """A function that reads lines (list of str) where one reads a text."""
    def lines(path):
        text = read(path)
        return None if text is None else split_lines(text)
    return lines


@dataclasses.dataclass(frozen=True)
class Hunk:
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
class Section:
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
class Patch:
    """One patch of a series.

    :ivar name: its file name (str)
    :ivar head: mail header and commit message, up to the line of three
                dashes (str)
    :ivar sections: one a file (tuple of Section)
    :ivar stat: git's summary, between that line and the first file (str)
    :ivar tail: what follows the last hunk: git's signature (str)
    """

    name: str
    head: str
    sections: tuple
    stat: str = '\n'
    tail: str = ''

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
            [self.head, '---\n', self.stat] +
            [section.text for section in self.sections] + [self.tail])


def _range(start, lines):
    return str(start) if len(lines) == 1 else '%d,%d' % (start, len(lines))


def parse(name, text):
    """Read one patch.

    :param name: the file's name, for messages (str)
    :param text: its content, as from :func:`decode` (str)
    :returns: the Patch
    :raises KeeptrackError: when it is no git patch that adds or changes files
    """
    head, dashes, rest = ('\n' + text).partition('\n---\n')
    if not dashes:
        _refuse(name, 'it has no line of three dashes under its message')
    signature = _SIGNATURE.search(rest)
    tail = signature.group() if signature else ''
    stat, *sections = _SECTION.split(rest[:len(rest) - len(tail)])
    return Patch(name, head[1:] + '\n', tuple(
        _section(name, section) for section in sections), stat, tail)


def _refuse(name, why):
    raise errors.KeeptrackError(
        '%s: %s; write it again with git format-patch -U1' % (name, why))


def _section(name, text):
    names = _NAMES.match(text)
    if names is None or names.group(1) != names.group(2):
        _refuse(name, 'a series renames nothing')
    path = names.group(1)
    header = _HEADER.match(text, names.end())
    if text[header.end():] and text[header.end()] != '@':
        _refuse(name, 'a series adds and changes files, nothing else: %s' %
                text[header.end():].split('\n')[0])
    body = split_lines(text[header.end():])
    try:
        hunks = unidiff.PatchSet(split_lines(text))[0] if body else ()
    except unidiff.UnidiffParseError as exc:
        _refuse(name, '%s: %s' % (path, str(exc).strip()))
    if len(body) != sum(len(hunk) + 1 for hunk in hunks):
        _refuse(name, '%s is followed by nothing that git writes' % path)
    mode = header.group(1)
    return Section(path, mode is not None, mode, tuple(
        Hunk(hunk.source_start, tuple(_lines(hunk)), hunk.target_start)
        for hunk in hunks), text)


def _lines(hunk):
    """Pairs of a kind and a line, of a unidiff.Hunk (list)."""
    lines = []
    for line in hunk:
        if line.line_type == '\\':
            # what git says of the line above
            lines[-1] = (lines[-1][0], lines[-1][1].removesuffix('\n'))
        else:
            lines.append((line.line_type, line.value))
    return lines
