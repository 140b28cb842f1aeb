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

"""Python source of 2013 to today, searched by regular expressions.

No Python parses all of it, and only code counts: comments and strings,
docstrings too, are blanked first.  A method is found by its indentation.
"""

import functools
import re

# a comment, or a string with any number of quotes.  A raw string ends where
# another one would, so the prefix does not matter.
_NO_CODE = re.compile(
    r'#[^\n]*'
    r'|"""(?:[^"\\]|\\.|"(?!""))*"""'
    r"|'''(?:[^'\\]|\\.|'(?!''))*'''"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'(?:[^'\\\n]|\\.)*'", re.DOTALL)
# git names the sides, patch --merge may not
_CONFLICT = re.compile(r'^(?:<{7}|>{7})(?: |$)', re.MULTILINE)
# the first line after a class, and after a method; closing brackets of a
# signature are neither
_CLASS_ENDS = re.compile(r'^[^\s)\]}]', re.MULTILINE)
_METHOD_ENDS = re.compile(r'^ {0,4}[^\s)\]}]', re.MULTILINE)
_DECORATORS = re.compile(
    r'(?:^ {4}@.*\n(?:(?! {0,4}[^\s)\]}]).*\n)*)*\Z', re.MULTILINE)
# more than the decorators of any method take
_ABOVE = 2000


def blanked(text):
    """A source without its comments and strings.

    :param text: Python source (str)
    :returns: a text of the same length and lines, with blanks instead (str)
    """
    def blank(found):
        return '\n'.join(' ' * len(line)
                         for line in found.group().split('\n'))
    return _NO_CODE.sub(blank, text)


class Source:
    """One Python file.

    :param text: its content (str)
    :ivar text: the same
    """

    def __init__(self, text):
        self.text = text
        # of this file alone, so that it goes with it
        self.class_code = functools.cache(self._class_code)
        self.method_code = functools.cache(self._method_code)

    @functools.cached_property
    def code(self):
        """The content without comments and strings (str)."""
        return blanked(self.text)

    def damage(self):
        """What keeps any Python from compiling the file, as far as it shows.

        A conflict that a merge has left, and an end that came too early.

        :returns: words for people (str); None where there is nothing
        """
        found = _CONFLICT.search(self.code)
        if found:
            return 'line %d has a conflict of a merge: resolve it' % (
                self.code.count('\n', 0, found.start()) + 1)
        if re.search('["\']', self.code) or any(
                self.code.count(opens) != self.code.count(closes)
                for opens, closes in ('()', '[]', '{}')) or (
                    self.code.rstrip().endswith(':')):
            return 'a string, a bracket or a block has no end: is it whole?'
        return None

    def _class_code(self, name):
        """The code of a class, the last one of that name (str), or None."""
        found = None
        for found in re.finditer(r'^class +%s\b.*\n' % name, self.code,
                                 re.MULTILINE):
            pass
        return found and _until(_CLASS_ENDS, self.code, found)

    def _method_code(self, owner, name):
        """The code of a method with its decorators (str), or None."""
        code = self.class_code(owner)
        found = code and re.search(
            r'\n {4}(?:async +)?def +%s\b.*\n?' % name, code)
        if not found:
            return None
        begin = found.start() + 1
        above = _DECORATORS.search(code[max(0, begin - _ABOVE):begin])
        return above.group() + _until(_METHOD_ENDS, code, found)[1:]


def _until(ends, code, head):
    end = ends.search(code, head.end())
    return code[head.start():end.start() if end else len(code)]


@functools.lru_cache(maxsize=24)
def of(text):
    """The Source of a text, kept for who reads the same file again."""
    return Source(text)
