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

"""Python source of 2013 to today, read without running it.

Only code counts: comments and strings, docstrings too, are blanked before
anything is looked for.  A function is cut out by its indentation and parsed
by itself: a file of 2014 that no Python 3 parses as a whole has few functions
that it cannot parse, and half a megabyte is cut in a third of the time that
parsing it takes.  A function in Python 2's syntax is read by its tokens.
"""

import functools
import re

from keeptrack.series import function

# what is no code: a comment, or a string with any number of quotes.  A raw
# string ends where another one would, so the prefix does not matter.
_NO_CODE = re.compile(
    r'#[^\n]*'
    r'|"""(?:[^"\\]|\\.|"(?!""))*"""'
    r"|'''(?:[^'\\]|\\.|'(?!''))*'''"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'(?:[^'\\\n]|\\.)*'", re.DOTALL)
_NO_NEWLINE = re.compile(r'[^\n]')
# git names the sides, patch --merge may not
_CONFLICT = re.compile(r'^(?:<{7}|>{7})(?: |$)', re.MULTILINE)
# a line that is not inside of anything, nor ends what was in brackets
_AT_TOP = re.compile(r'^[^\s)\]}]', re.MULTILINE)
_CLOSERS = (')', ']', '}')


def blanked(text):
    """A source without its comments and strings.

    :param text: Python source (str)
    :returns: a text of the same length and lines, with blanks instead (str)
    """
    def blank(found):
        word = found.group()
        if '\n' not in word:
            return ' ' * len(word)
        return _NO_NEWLINE.sub(' ', word)
    return _NO_CODE.sub(blank, text)


class Source(object):
    """One Python file.

    :param text: its content (str)
    :ivar text: the same
    :ivar code: the content without comments and strings (str)
    """

    def __init__(self, text):
        self.text = text
        self._lines = text.split('\n')
        self.code = blanked(text)
        self._code_lines = self.code.split('\n')
        self._known, self._cuts, self._classes = {}, {}, {}

    def damage(self):
        """What keeps any Python from compiling the file, as far as it shows.

        A conflict that a merge has left, and an end that came too early.

        :returns: words for people (str); None where there is nothing
        """
        if '<<<<<<<' in self.code or '>>>>>>>' in self.code:
            found = _CONFLICT.search(self.code)
            if found:
                return 'line %d has a conflict of a merge: resolve it' % (
                    self.code.count('\n', 0, found.start()) + 1)
        if '"' in self.code or "'" in self.code or any(
                self.code.count(opens) != self.code.count(closes)
                for opens, closes in ('()', '[]', '{}')) or (
                    self.code.rstrip().endswith(':')):
            return 'a string, a bracket or a block has no end: is it whole?'
        return None

    def has_class(self, name):
        """Tell whether a class is defined at the top of the module (bool)."""
        return self._class_lines(name) is not None

    def function(self, name, of=None):
        """A function, or a method; the last one of that name.

        :param name: its name (str)
        :param of: the name of its class; None for a module's own (str)
        :returns: a Function, or None
        """
        return next(reversed(self.functions(name, of)), None)

    def functions(self, name=r'\w+', of=None):
        """The functions whose names match a pattern, in their order.

        :returns: list of Function
        """
        wanted = re.compile(name)
        return [self._function(found, at, last, indent)
                for found, at, last, indent in self._heads(of)
                if wanted.fullmatch(found)]

    def _heads(self, of):
        """Where the functions of a class begin; of the module for None.

        :returns: list of (name, line, end of the class, indentation)
        """
        if of not in self._known:
            first, last, indent = 0, len(self._lines), ''
            if of is not None:
                first, last = self._class_lines(of) or (0, 0)
                indent = self._indent_in(first, last)
            head = re.compile(r'%s(?:async +)?def +(\w+)' % indent)
            found = [(head.match(self._code_lines[at]), at)
                     for at in range(first, last)]
            self._known[of] = [(match.group(1), at, last, indent)
                               for match, at in found if match]
        return self._known[of]

    def _class_lines(self, name):
        """First and last line, exclusive, of what a class holds, or None."""
        if name not in self._classes:
            found = None
            for found in re.finditer(r'^class +%s\b' % re.escape(name),
                                     self.code, re.MULTILINE):
                # the last one is the one that counts
                pass
            self._classes[name] = found and self._lines_after(found)
        return self._classes[name]

    def _lines_after(self, head):
        first = self.code.count('\n', 0, head.start()) + 1
        end = _AT_TOP.search(self.code, head.end())
        return first, (first - 1 + self.code.count(
            '\n', head.start(), end.start()) if end else len(self._lines))

    def _indent_in(self, first, last):
        for line in self._code_lines[first:last]:
            if line.strip():
                return line[:len(line) - len(line.lstrip())]
        return ' '

    def _end(self, first, last, indent):
        """The line after a block whose head is indented like that."""
        for at in range(first, last):
            line = self._code_lines[at]
            bare = line.lstrip()
            if bare and len(line) - len(bare) <= len(indent) and (
                    not bare.startswith(_CLOSERS)):
                return at
        return last

    def _function(self, name, at, last, indent):
        if at not in self._cuts:
            self._cuts[at] = self._cut(name, at, last, indent)
        return self._cuts[at]

    def _cut(self, name, at, last, indent):
        begin, up = at, at - 1
        while up >= 0:
            line = self._code_lines[up]
            bare = line.lstrip()
            depth = len(line) - len(bare)
            if bare.startswith('@') and depth == len(indent):
                begin = up
            elif bare and depth <= len(indent) and (
                    not bare.startswith(_CLOSERS)):
                break
            up -= 1
        body = next((number for number in range(at, last) if
                     self._code_lines[number].rstrip().endswith(':')), at)
        end = self._end(body + 1, last, indent)
        return function.Function(
            name, '\n'.join(self._lines[begin:end]),
            '\n'.join(self._code_lines[begin:end]))


@functools.lru_cache(maxsize=24)
def of(text):
    """The Source of a text, kept for who reads the same file again."""
    return Source(text)


class Files:
    """The files of a tree, each read and cut once.

    :param read: called with a path, returns the file's text or None
    """

    def __init__(self, read):
        self._read = read
        self._known = {}

    def get(self, path):
        """A file (Source), or None where there is none."""
        if path not in self._known:
            text = self._read(path)
            self._known[path] = None if text is None else of(text)
        return self._known[path]
