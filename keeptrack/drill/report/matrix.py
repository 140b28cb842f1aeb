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

"""The page's matrix: faults by trees, as HTML that needs no JavaScript."""

import html

from keeptrack.drill.checker import data_checker
from keeptrack.drill.checker import verdict
from keeptrack.drill.report import sums

# a letter for each verdict, so that nothing is told by colour alone, and what
# the verdict means
VERDICTS = {
    verdict.RIGHT: ('R', "Nova's record says where the guest is, and how"),
    verdict.PARKED: ('P', 'Nova says that it does not know yet, touches '
                          'nothing and looks again'),
    verdict.SPLIT_BRAIN: ('S', 'both hosts ran the guest, and Nova has '
                               'reported it'),
    verdict.WRONG: ('W', 'the record is wrong, or something was done that '
                         'never may be'),
    verdict.LOST: ('L', 'a running guest that Nova has lost track of, or '
                        'a split brain that it did not notice'),
    verdict.NOT_RUN: ('N', 'the drill could not be run, or its fault came too '
                      'late to hit anything'),
}

# the columns of a cell, the good ones first; what was not run is a note
COLUMNS = (verdict.RIGHT, verdict.PARKED, verdict.SPLIT_BRAIN, verdict.WRONG,
           verdict.LOST)


def slug(name):
    """A verdict's name as a class of the style sheet (str)."""
    return name.replace(' ', '-')


def matrix(results):
    """The matrix: a row a fault, a column a tree.

    :param results: as results_file.load() returns them
    :returns: a table (str of HTML)
    """
    trees, faults = results['trees'], results['faults']
    cells = sums.by_cell(results)
    everything = [
        _cell(sums.Sum.of(run for run in results['runs']
                          if run['tree'] == tree['name']),
              tree, 'all faults', None) for tree in trees]
    lines = [_row('all', 'All faults', None, everything)]
    for fault_at, fault in enumerate(faults):
        found = []
        for tree_at, tree in enumerate(trees):
            runs = cells[fault['name'], tree['name']]
            found.append(_cell(
                sums.Sum.of(run for _, run in runs), tree,
                _title(fault), '#cell-%d-%d' % (fault_at, tree_at)))
        lines.append(_row('fault', _title(fault), fault['name'], found))
    return (
        '<table class="matrix" role="table">'
        '<caption>Runs by verdict, faults by trees</caption>'
        '<thead role="rowgroup"><tr role="row">'
        '<th role="columnheader" scope="col">Fault</th>%s</tr></thead>'
        '<tbody role="rowgroup">%s</tbody></table>'
        % (''.join(map(_head, trees)), ''.join(lines)))


def legend():
    """What the letters mean (str of HTML)."""
    return '<dl class="legend">%s</dl>' % ''.join(
        '<div><dt>%s</dt><dd>%s</dd></div>' % (chip(name),
                                               html.escape(meaning))
        for name, (_, meaning) in VERDICTS.items())


def chip(name):
    """A verdict: its letter on its colour, and its name (str of HTML)."""
    return '<span class="chip %s"><b>%s</b>%s</span>' % (
        slug(name), VERDICTS[name][0], html.escape(name))


def _title(entry):
    return entry.get('title') or entry['name']


def _head(tree):
    words = [tree.get('release'), str(tree.get('commit') or '')[:12]]
    series = tree.get('series')
    return (
        '<th role="columnheader" scope="col"><span class="tree">%s</span>'
        '%s<span class="origin">%s</span><span class="slots heads" '
        'aria-hidden="true">%s</span></th>' % (
            html.escape(tree['name']),
            '' if series is None else '<span class="series %s">%s</span>' % (
                'with' if series else 'without',
                'with the series' if series else 'without the series'),
            html.escape(' · '.join(str(word) for word in words if word)),
            ''.join('<span class="%s">%s</span>' % (
                slug(name), html.escape(name)) for name in COLUMNS)))


def _row(kind, title, name, cells):
    code = ('' if name is None or name == title else
            '<code>%s</code>' % html.escape(name))
    return ('<tr role="row" class="%s"><th role="rowheader" scope="row">%s%s'
            '</th>%s</tr>' % (kind, html.escape(title), code, ''.join(cells)))


def _cell(one, tree, title, link):
    name = html.escape(tree['name'])
    if not one.runs:
        return ('<td role="cell" data-tree="%s"><span class="none">no runs'
                '</span></td>' % name)
    words = ', '.join('%d %s' % (one.counts[verdict_], verdict_)
                      for verdict_ in VERDICTS if one.counts[verdict_])
    inner = '<span class="slots">%s</span>%s%s' % (
        ''.join(_slot(verdict_, one.counts[verdict_])
                for verdict_ in COLUMNS), _bar(one), _notes(one))
    label = html.escape('%s on %s: %s' % (title, tree['name'], words))
    if link is None:
        return '<td role="cell" data-tree="%s">%s</td>' % (name, inner)
    return ('<td role="cell" data-tree="%s"><a href="%s" aria-label="%s" '
            'title="%s">%s</a></td>' % (name, link, label, label, inner))


def _slot(name, count):
    if not count:
        return '<span class="slot zero"><i>%s</i>0</span>' % (
            VERDICTS[name][0])
    return '<span class="slot %s"><i>%s</i>%d</span>' % (
        slug(name), VERDICTS[name][0], count)


def _bar(one):
    parts, at = [], 0
    for name in COLUMNS + (verdict.NOT_RUN,):
        share = 1000 * one.counts[name] / one.runs
        if share:
            # a hair is left between two parts
            parts.append('<rect class="%s" x="%.1f" width="%.1f" height="8"/>'
                         % (slug(name), at, max(share - 6, 2)))
        at += share
    return ('<svg class="bar" viewBox="0 0 1000 8" aria-hidden="true" '
            'preserveAspectRatio="none">%s</svg>' % ''.join(parts))


def _notes(one):
    notes = []
    if one.unseen:
        notes.append('%d unseen' % one.unseen)
    if one.left:
        notes.append('%d left' % one.left)
    notes += ['data %s: %d' % (name, one.data[name])
              for name in data_checker.VERDICTS[1:] if one.data[name]]
    if one.counts[verdict.NOT_RUN]:
        notes.append('%d not run' % one.counts[verdict.NOT_RUN])
    return ('<span class="notes">%s</span>' % ' · '.join(notes) if notes
            else '')
