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

"""The page's matrix: faults by trees."""

from keeptrack.drill.checker import data_checker
from keeptrack.drill.checker import verdict
from keeptrack.drill.report import sums

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


def slug(name):
    """A verdict's name as a class of the style sheet (str)."""
    return name.replace(' ', '-')


def rows(results):
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
