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
"""The page: results of drills in one HTML file that needs nothing else.

The matrix is written here, and stands without JavaScript.  The runs are
embedded as gzipped JSON: one block with all but the time lines, and a block
for the time lines of each cell of the matrix, which the page unpacks only
when one of its runs is looked at.  What the results say is never taken for
HTML: the template escapes it, and the page's script sets it as text; the
page's policy lets no script run but that one.
"""

import base64
import gzip
import hashlib
from importlib import resources
import json
import pathlib

import jinja2

from keeptrack.drill.checker import data_checker
from keeptrack.drill.checker import verdict
from keeptrack.drill.report import sums
from keeptrack.drill.report import table
from keeptrack import errors

_STYLES = ('page.css', 'timeline.css')
_SCRIPTS = ('dom.js', 'data.js', 'history.js', 'timeline.js', 'lanes.js',
            'events.js', 'views.js')

# how many trees fit beside each other; with more the matrix scrolls
_FIT = 3

# digits of a time line's seconds: a tenth of a millisecond
_DIGITS = 4

# a letter for each verdict, so that nothing is told by colour alone, and what
# the verdict means
VERDICTS = {
    verdict.RIGHT: ('R', "Nova's record says where the guest is, and how"),
    verdict.PARKED: ('P', 'the instance is parked: Nova touches neither host '
                          'and checks again'),
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


def write_html(results, path):
    """Write the page.

    :param results: as results_file.load() returns them
    :param path: the file to write (str or pathlib.Path)
    :raises KeeptrackError: when the file cannot be written
    """
    try:
        pathlib.Path(path).write_text(page(results), encoding='utf-8')
    except OSError as exc:
        raise errors.KeeptrackError('cannot write %s: %s'
                                    % (path, exc.strerror or exc))


def page(results):
    """The page (str of HTML)."""
    style = '\n'.join(_part(name) for name in _STYLES)
    script = "(() => {\n'use strict';\n%s\n})();" % '\n'.join(
        _part(name) for name in _SCRIPTS)
    made = jinja2.Environment(autoescape=True)
    made.filters['slug'] = _slug
    headers, data_rows = table.data_rows(results)
    return made.from_string(_part('page.html')).render(
        style=style, script=script, style_digest=_digest(style),
        script_digest=_digest(script), made=results['made'],
        facts=_facts(results), verdicts=VERDICTS,
        columns=COLUMNS, trees=results['trees'],
        rows=_rows(results), data_headers=headers, data_rows=data_rows,
        width='wide' if len(results['trees']) > _FIT else 'fit',
        blocks=_blocks(results))


def _part(name):
    return resources.files('keeptrack.drill.report.assets').joinpath(
        name).read_text(encoding='utf-8')


def _digest(text):
    """What the page's policy knows a style sheet or a script by (str)."""
    return 'sha256-' + base64.b64encode(
        hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')


def _facts(results):
    """What was run, when and on what machine: list of (name, value)."""
    one = sums.Sum.of(results['runs'])
    data = ', '.join('%d %s' % (count, name)
                     for name, count in one.data.items() if count)
    words = {
        'Made': results['made'],
        'Machine': ' · '.join('%s %s' % (key, _word(value)) for key, value in
                              results['machine'].items()),
        'Seed': _word(results['seed']) if 'seed' in results else '',
        'Runs': '%d: %d faults, %d trees' % (
            one.runs, len(results['faults']), len(results['trees'])),
        'Came out': ', '.join(
            '%d %s' % (count, name) for name, count in
            list(one.counts.items()) + [('unseen', one.unseen),
                                        ('left something', one.left)]
            if count),
        'Data': data,
    }
    return [(name, value) for name, value in words.items() if value]


def _word(value):
    return {True: 'yes', False: 'no', None: '-'}[value] if (
        value is None or isinstance(value, bool)) else str(value)


def _blocks(results):
    """The runs, packed: list of (name, content)."""
    faults, trees = results['faults'], results['trees']
    cells = sums.by_cell(results)
    blocks = [_block('summary', {
        'trees': trees, 'faults': faults,
        'verdicts': [
            {'name': name, 'letter': letter, 'meaning': meaning,
             'slug': _slug(name)}
            for name, (letter, meaning) in VERDICTS.items()],
        'runs': [{key: value for key, value in run.items()
                  if key != 'timeline'} for run in results['runs']]})]
    for (fault_at, fault) in enumerate(faults):
        for (tree_at, tree) in enumerate(trees):
            runs = cells[fault['name'], tree['name']]
            if runs:
                blocks.append(_block(
                    'cell-%d-%d' % (fault_at, tree_at),
                    {index: [_event(event) for event in run['timeline']]
                     for index, run in runs}))
    return blocks


def _event(event):
    """An event as a list, without what is empty at its end."""
    packed = [round(event['t'], _DIGITS), event['where'], event['lane'],
              event['what'], event.get('text') or '', event.get('data') or {}]
    while not packed[-1]:
        packed.pop()
    return packed


def _block(name, content):
    packed = gzip.compress(
        json.dumps(content, allow_nan=False, separators=(',', ':')).encode(
            'utf-8'), mtime=0)
    return name, base64.b64encode(packed).decode('ascii')


def _slug(name):
    """A verdict's name as a class of the style sheet (str)."""
    return name.replace(' ', '-')


def _rows(results):
    """The matrix: a row a fault, a cell a tree; the first row is their sum.

    :param results: as results_file.load() returns them
    :returns: list of dict: kind ('all' or 'fault'), title, name (None for the
        sum) and cells (list of dict: see _cell)
    """
    trees, faults = results['trees'], results['faults']
    runs = sums.by_cell(results)
    found = [{'kind': 'all', 'title': 'All faults', 'name': None, 'cells': [
        _cell((run for run in results['runs'] if run['tree'] == tree['name']),
              tree, 'all faults', None) for tree in trees]}]
    for fault_at, fault in enumerate(faults):
        title = fault.get('title') or fault['name']
        found.append({
            'kind': 'fault', 'title': title, 'name': fault['name'], 'cells': [
                _cell((run for _, run in runs[fault['name'], tree['name']]),
                      tree, title, '#cell-%d-%d' % (fault_at, tree_at))
                for tree_at, tree in enumerate(trees)]})
    return found


def _cell(runs, tree, title, link):
    """A cell: its runs by verdict, a bar of them, notes, a link, a label."""
    one = sums.Sum.of(runs)
    words = ', '.join('%d %s' % (one.counts[name], name)
                      for name in VERDICTS if one.counts[name])
    return {'tree': tree['name'], 'empty': not one.runs, 'link': link,
            'counts': one.counts, 'bar': _bar(one), 'notes': _notes(one),
            'label': '%s on %s: %s' % (title, tree['name'], words)}


def _bar(one):
    """The parts of a bar: list of (verdict, begin, width), of 1000."""
    parts, at = [], 0
    for name in COLUMNS + (verdict.NOT_RUN,):
        share = 1000 * one.counts[name] / one.runs if one.runs else 0
        if share:
            # a hair is left between two parts
            parts.append((name, at, max(share - 6, 2)))
        at += share
    return parts


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
    return notes
