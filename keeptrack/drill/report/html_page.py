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

from keeptrack.drill.report import matrix
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
    made.filters['slug'] = matrix.slug
    headers, data_rows = table.data_rows(results)
    return made.from_string(_part('page.html')).render(
        style=style, script=script, style_digest=_digest(style),
        script_digest=_digest(script), made=results['made'],
        facts=_facts(results), verdicts=matrix.VERDICTS,
        columns=matrix.COLUMNS, trees=results['trees'],
        rows=matrix.rows(results), data_headers=headers, data_rows=data_rows,
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
             'slug': matrix.slug(name)}
            for name, (letter, meaning) in matrix.VERDICTS.items()],
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
