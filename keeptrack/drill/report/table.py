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

"""Results of drills as a table for the terminal."""

from keeptrack.drill.checker import verdict
from keeptrack.drill.report import data_table
from keeptrack.drill.report import sums

HEADERS = ('Fault', 'Tree', 'Runs', 'Right', 'Parked', 'Wrong', 'Lost',
           'Split brain', 'Not run', 'Unseen', 'Left', 'Parked s, median',
           'Parked s, max', 'Free s, median', 'Free s, max')

PARTS_HEADERS = ('Fault', 'Tree', 'Runs') + tuple(
    '%s wrong' % name.capitalize() for name in verdict.PARTS) + (
        'All right', 'Split brain', 'Left behind', 'Not run')

_COUNTED = ('right', 'parked', 'wrong', 'lost', 'split brain', 'not run')


def rows(results):
    """The results as a table: a row for each fault on each tree.

    :param results: as results_file.load() returns them
    :returns: headers, rows (tuple of str, list of tuples), as cliff's Lister
              wants them
    """
    cells = {(fault, tree): [run for _, run in runs] for (fault, tree), runs
             in sums.by_cell(results).items()}
    if not any(run.get('data') for run in results['runs']):
        return HEADERS, [key + _counts(sums.Sum.of(runs))
                         for key, runs in cells.items()]
    found = []
    for (fault, tree), runs in cells.items():
        for storage in sorted({run.get('storage') or 'none' for run in runs}):
            one = sums.Sum.of(
                run for run in runs
                if (run.get('storage') or 'none') == storage)
            found.append((fault, tree, storage) + _counts(one) +
                         data_table.counts(one))
    headers = HEADERS[:2] + ('Storage',) + HEADERS[2:] + data_table.HEADERS
    return headers, found


def parts_rows(results):
    """Count what was wrong in a cloud in the end, part by part.

    There is a row for each fault on each tree. A run that did not come to its
    fault counts as not run, and nowhere else.

    :param results: as results_file.load() returns them
    :returns: headers, rows (tuple of str, list of tuples)
    """
    found = []
    for (fault, tree), runs in sums.by_cell(results).items():
        done = [run for _, run in runs if run['verdict'] != verdict.NOT_RUN]
        parts = [run.get('parts') or {} for run in done]
        found.append(
            (fault, tree, len(done)) +
            tuple(sum(name in each for each in parts)
                  for name in verdict.PARTS) +
            (sum(not each for each in parts),
             sum(bool(run.get('overlap')) for run in done),
             sum(bool(run.get('left_behind')) for run in done),
             len(runs) - len(done)))
    return PARTS_HEADERS, found


def _counts(one):
    return ((one.runs,) +
            tuple(one.counts[name] for name in _COUNTED) +
            (one.unseen, one.left) +
            tuple(data_table.Seconds(value)
                  for values in (one.parked, one.free)
                  for value in sums.middle_and_most(values)))
