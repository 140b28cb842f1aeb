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

"""One function of a Python source: what it calls, asks and names.

Python's own parser reads it where it can, and leaves out what is never
reached.  Where it cannot, as in the syntax of Python 2, its tokens are read;
they tell the same of all that is looked for, but for code that is not reached.
"""

import ast
import re


class Function(object):
    """One function.

    :param name: its name (str)
    :param text: its source, decorators first (str)
    :param code: the same without comments and strings (str)
    :ivar code: its source without comments and strings (str)
    :ivar decorators: dotted names, the outermost first (list of str)
    :ivar parameters: names (list of str)
    :ivar calls: dotted names of what it calls (set of str)
    :ivar tested: of these, the calls whose answer is used (set of str)
    :ivar opening: (name, negated) of the call that an "if" before all else
        asks, perhaps with a "not" before it, and leaves the function (set of
        (str, bool))
    :ivar broken: no Python parses it (bool)
    :ivar names: every dotted name that it reads or binds, and "a" and "a.b"
        of "a.b.c" too (set of str)
    :ivar assigned: (name, dotted name of what is called or read) for each
        simple assignment (set of tuple of str)
    :ivar nested: names of functions inside of it (set of str)
    :ivar keywords: dotted name of a call with each keyword that it gives, as
        ("event.Event", "reason") (set of tuple of str)
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
        for word in ('decorators', 'parameters', 'calls', 'tested',
                     'opening', 'names', 'assigned', 'nested', 'keywords',
                     'broken'):
            setattr(self, word, getattr(reader, word))


class _Tree(object):
    """Reads a function that Python parses, without code that never runs."""

    def __init__(self, top):
        self.decorators = [name for name in map(_dotted, (
            node.func if isinstance(node, ast.Call) else node
            for node in top.decorator_list)) if name]
        self.parameters = [each.arg for each in (
            top.args.posonlyargs + top.args.args + top.args.kwonlyargs)]
        self.calls, self.tested, self.names = set(), set(), set()
        self.assigned, self.nested, self.keywords = set(), set(), set()
        self.opening, self.broken = set(), False
        begins = isinstance(top.body[0], ast.Expr) and isinstance(
            top.body[0].value, ast.Constant)
        self._first = top.body[1] if begins and top.body[1:] else top.body[0]
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
        if node is self._first and isinstance(node, ast.If):
            self._gate(node)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self.nested.add(node.name)
        if isinstance(node, ast.Call):
            name = _dotted(node.func)
            if name:
                self.calls.add(name)
                self.tested.add(name)
                self.keywords |= {(name, word.arg) for word in node.keywords
                                  if word.arg}
        elif isinstance(node, ast.Attribute):
            self._name(_dotted(node))
        elif isinstance(node, ast.Name):
            self._name(node.id)
        elif isinstance(node, ast.Assign):
            value = node.value
            value = _dotted(value.func if isinstance(value, ast.Call)
                            else value)
            if value:
                self.assigned |= {(name, value) for name in
                                  map(_dotted, node.targets) if name}
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            # called for its effect alone
            name, known = _dotted(node.value.func), set(self.tested)
            self._fields(node)
            if name and name not in known:
                self.tested.discard(name)
            return
        self._fields(node)

    def _gate(self, node):
        negated = isinstance(node.test, ast.UnaryOp) and isinstance(
            node.test.op, ast.Not)
        asked = node.test.operand if negated else node.test
        name = isinstance(asked, ast.Call) and _dotted(asked.func)
        leaves = any(isinstance(each, (ast.Return, ast.Raise))
                     for each in node.body)
        if name and leaves:
            self.opening.add((name, negated))

    def _fields(self, node):
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

    def _name(self, dotted):
        if dotted:
            words = dotted.split('.')
            self.names |= {'.'.join(words[:count + 1])
                           for count in range(len(words))}


class _Tokens(object):
    """Reads a function that Python 3 does not parse."""

    def __init__(self, name, code):
        head = re.search(r'\bdef +%s\s*\(([^)]*)\)' % re.escape(name), code)
        before = code[:head.start()] if head else ''
        body = code[head.end():] if head else code
        self.decorators = re.findall(r'^\s*@([\w.]+)', before, re.MULTILINE)
        self.parameters = re.findall(r'(\w+)\s*(?:=[^,]*)?(?:,|$)',
                                     head.group(1) if head else '')
        called = re.findall(r'(?<![\w.])(?<!def )([A-Za-z_][\w.]*)\s*\(', body)
        alone = re.findall(r'^[ \t]*([A-Za-z_][\w.]*)\(', body, re.MULTILINE)
        self.calls = set(called)
        # whatever stands before it
        self.opening = {(name, bool(word)) for word, name in re.findall(
            r'^[ \t]*if[ \t]+(not[ \t]+)?([A-Za-z_][\w.]*)[ \t]*'
            r'\((?:[^()]|\([^()]*\))*\):\s+(?:return|raise)\b', body,
            re.MULTILINE)}
        self.broken = _is_broken(code)
        self.tested = {each for each in called
                       if called.count(each) > alone.count(each)}
        self.names = set()
        for dotted in re.findall(r'(?<![\w.])[A-Za-z_][\w.]*', body):
            words = dotted.split('.')
            self.names |= {'.'.join(words[:count + 1])
                           for count in range(len(words))}
        self.assigned = set(re.findall(
            r'^[ \t]*([\w.]+)[ \t]*=[ \t]*([A-Za-z_][\w.]*)', body,
            re.MULTILINE))
        self.nested = set(re.findall(r'\bdef +(\w+)', body))
        self.keywords = {
            (each, word) for each, words in re.findall(
                r'([A-Za-z_][\w.]*)\s*\(((?:[^()]|\([^()]*\))*)\)', body)
            for word in re.findall(r'\b(\w+)\s*=(?!=)', words)}


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
