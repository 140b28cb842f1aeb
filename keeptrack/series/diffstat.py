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

"""The summary that git format-patch writes between message and diff.

It is computed here, not by git, since `keeptrack refresh` renews patches with
no tree at hand that they belong to.  The rules are those of git 2.x for a
width of 72 columns, which is what format-patch uses; a unit test compares the
result with git's own.
"""

_WIDTH = 72


def render(sections):
    """The summary of a patch.

    :param sections: its Section objects, in the order of the patch
    :returns: lines a file, the sums, the added files (str)
    """
    rows = [(each.path, each.count('+'), each.count('-'))
            for each in sections]
    if not rows:
        return ''
    name_width, graph_width, number_width = _widths(rows)
    out = [' %s | %s\n' % (
        _shorten(path, name_width),
        ('%*d %s' % (number_width, plus + minus, _graph(
            plus, minus, graph_width, max(p + m for _, p, m in rows))))
        .rstrip()) for path, plus, minus in rows]
    out.append(_sums(rows))
    out += [' create mode %s %s\n' % (each.mode, each.path)
            for each in sections if each.new]
    return ''.join(out)


def _widths(rows):
    """Columns for names, graph and numbers (tuple of int)."""
    most = max(plus + minus for _, plus, minus in rows)
    name = max(len(path) for path, _, _ in rows)
    number = len(str(most))
    graph = most
    if name + number + 6 + graph > _WIDTH:
        graph = min(graph, max(_WIDTH * 3 // 8 - number - 6, 6))
        room = _WIDTH - number - 6
        if name > room - graph:
            name = room - graph
        else:
            graph = room - name
    return name, graph, number


def _shorten(path, width):
    """A path cut at its left end, at a slash where there is one (str)."""
    if len(path) <= width:
        return path.ljust(width)
    kept = path[len(path) - (width - 3):]
    slash = kept.find('/')
    return ('...' + (kept[slash:] if slash >= 0 else kept)).ljust(width)


def _scale(count, width, most):
    """A count on the graph; never nothing for something (int)."""
    return 1 + count * (width - 1) // most if count else 0


def _graph(plus, minus, width, most):
    if width <= most:
        total = _scale(plus + minus, width, most)
        if total < 2 and plus and minus:
            total = 2
        if plus < minus:
            plus = _scale(plus, width, most)
            minus = total - plus
        else:
            minus = _scale(minus, width, most)
            plus = total - minus
    return '+' * plus + '-' * minus


def _sums(rows):
    plus = sum(row[1] for row in rows)
    minus = sum(row[2] for row in rows)
    words = [' %d file%s changed' % (len(rows), '' if len(rows) == 1 else 's')]
    if plus or not minus:
        words.append('%d insertion%s(+)' % (plus, '' if plus == 1 else 's'))
    if minus or not plus:
        words.append('%d deletion%s(-)' % (minus, '' if minus == 1 else 's'))
    return ', '.join(words) + '\n'
