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

"""One Python function, read without running it.

Python's own parser reads it where it can, and leaves out what is never
reached.  Where it cannot, as in the syntax of Python 2, its tokens are read;
they tell the same of all that is looked for, but for code that is not reached.
"""

import ast
import re


class Function:
    """One function.

    :param name: its name (str)
    :param text: its source, decorators first (str)
    :param code: the same without comments and strings (str)
    :ivar code: its source without comments and strings (str)
    :ivar calls: dotted names of what it calls (set of str)
    :ivar names: every dotted name that it reads or binds, and "a" and "a.b"
        of "a.b.c" too (set of str)
    :ivar nested: names of functions inside of it (set of str)
    :ivar broken: no Python parses it (bool)
    """

    def __init__(self, name, text, code):
        self.name = name
        self.code = code
        try:
            node = ast.parse('if 1:\n' + text if text[:1].isspace() else text)
        except (SyntaxError, ValueError):
            reader = _Tokens(name, code)
        else:
            top = node.body[0]
            if isinstance(top, ast.If):
                top = top.body[0]
            reader = _Tree(top)
        self.calls, self.names = reader.calls, reader.names
        self.nested, self.broken = reader.nested, reader.broken


class _Tree:
    """Reads a function that Python parses, without code that never runs."""

    def __init__(self, top):
        self.calls, self.names, self.nested = set(), set(), set()
        self.broken = False
        self._block(top.body)

    def _block(self, statements):
        for node in statements:
            self._visit(node)
            if isinstance(node, (ast.Return, ast.Raise, ast.Break,
                                 ast.Continue)):
                break

    def _visit(self, node):
        if isinstance(node, (ast.If, ast.While)) and isinstance(
                node.test, ast.Constant):
            self._block(node.body if node.test.value else node.orelse)
            return
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self.nested.add(node.name)
        if isinstance(node, ast.Call) and _dotted(node.func):
            self.calls.add(_dotted(node.func))
        elif isinstance(node, (ast.Attribute, ast.Name)) and _dotted(node):
            self.names |= _prefixes(_dotted(node))
        for _, value in ast.iter_fields(node):
            if isinstance(value, list):
                if value and isinstance(value[0], ast.stmt):
                    self._block(value)
                else:
                    for each in value:
                        if isinstance(each, ast.AST):
                            self._visit(each)
            elif isinstance(value, ast.AST):
                self._visit(value)


class _Tokens:
    """Reads a function that Python 3 does not parse."""

    def __init__(self, name, code):
        head = re.search(r'\bdef +%s\s*\([^)]*\)' % re.escape(name), code)
        body = code[head.end():] if head else code
        self.calls = set(re.findall(
            r'(?<![\w.])(?<!def )([A-Za-z_][\w.]*)\s*\(', body))
        self.names = set()
        for dotted in re.findall(r'(?<![\w.])[A-Za-z_][\w.]*', body):
            self.names |= _prefixes(dotted)
        self.nested = set(re.findall(r'\bdef +(\w+)', body))
        self.broken = _is_broken(code)


def _prefixes(dotted):
    words = dotted.split('.')
    return {'.'.join(words[:count + 1]) for count in range(len(words))}


def _is_broken(code):
    """Tell whether no Python parses a function that Python 3 does not.

    Brackets that do not match, and a block of nothing, are no matter of
    versions.

    :param code: its source without comments and strings (str)
    :returns: bool
    """
    depth, opened = 0, None
    for line in code.split('\n'):
        bare = line.strip()
        if not bare:
            continue
        indent = len(line) - len(line.lstrip())
        if depth == 0 and opened is not None and indent <= opened:
            return True
        if depth == 0:
            begun = indent
        depth += sum(map(bare.count, '([{')) - sum(map(bare.count, ')]}'))
        if depth < 0:
            return True
        opened = begun if depth == 0 and bare.endswith(':') else None
    return depth != 0 or opened is not None


def _dotted(node):
    """"a.b.c" for a chain of names; None for anything else."""
    words = []
    while isinstance(node, ast.Attribute):
        words.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return '.'.join([node.id] + words[::-1])
