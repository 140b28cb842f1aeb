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

"""Results of drills as tables: for the terminal and for the page."""

from cliff import columns

from keeptrack.drill.checker import data_checker
from keeptrack.drill.checker import verdict
from keeptrack.drill.report import sums

HEADERS = ('Fault', 'Tree', 'Runs', 'Right', 'Parked', 'Wrong', 'Lost',
           'Split brain', 'Not run', 'Unseen', 'Left', 'Parked s, median',
           'Parked s, max', 'Free s, median', 'Free s, max')

PARTS_HEADERS = ('Fault', 'Tree', 'Runs') + tuple(
    '%s wrong' % name.capitalize() for name in verdict.PARTS) + (
        'All right', 'Split brain', 'Left behind', 'Not run')

DATA_HEADERS = ('Data kept', 'Data doubled', 'Data broken off', 'Data lost',
                'Records lost', 'Records doubled', 'Doubled s, max',
                'Downtime s, median', 'Downtime s, max')

_COUNTED = ('right', 'parked', 'wrong', 'lost', 'split brain', 'not run')


class Seconds(columns.FormattableColumn):
    """Seconds (float), or None: itself for machines, short for people."""

    def human_readable(self):
        return '-' if self._value is None else '%.1f' % self._value


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
                         _data_counts(one))
    headers = HEADERS[:2] + ('Storage',) + HEADERS[2:] + DATA_HEADERS
    return headers, found


def parts_rows(results):
    """Count what was wrong in a cloud in the end, part by part.

    There is a row for each fault on each tree, and for each storage where
    there are several. A run that did not come to its fault counts as not run,
    and nowhere else.

    :param results: as results_file.load() returns them
    :returns: headers, rows (tuple of str, list of tuples)
    """
    cells = {key: [run for _, run in runs]
             for key, runs in sums.by_cell(results).items()}
    kinds = sorted({run.get('storage') or '' for run in results['runs']})
    if len(kinds) < 2:
        return PARTS_HEADERS, [key + _parts_counts(runs)
                               for key, runs in cells.items()]
    found = []
    for key, runs in cells.items():
        for kind in kinds:
            chosen = [run for run in runs
                      if (run.get('storage') or '') == kind]
            if chosen:
                found.append(key + (kind,) + _parts_counts(chosen))
    return PARTS_HEADERS[:2] + ('Storage',) + PARTS_HEADERS[2:], found


def _parts_counts(runs):
    """Some runs' cells below PARTS_HEADERS, from Runs on.

    :param runs: list of dict
    :returns: tuple of int
    """
    done = [run for run in runs if run['verdict'] != verdict.NOT_RUN]
    parts = [run.get('parts') or {} for run in done]
    return ((len(done),) +
            tuple(sum(name in each for each in parts)
                  for name in verdict.PARTS) +
            (sum(not each for each in parts),
             sum(bool(run.get('overlap')) for run in done),
             sum(bool(run.get('left_behind')) for run in done),
             len(runs) - len(done)))


def _counts(one):
    return ((one.runs,) +
            tuple(one.counts[name] for name in _COUNTED) +
            (one.unseen, one.left) +
            tuple(Seconds(value)
                  for values in (one.parked, one.free)
                  for value in sums.middle_and_most(values)))


def _data_counts(one):
    """Some runs' cells below DATA_HEADERS.

    :param one: a sums.Sum
    :returns: tuple
    """
    return (tuple(one.data[verdict] for verdict in data_checker.VERDICTS) +
            (one.lost, one.doubled,
             Seconds(sums.middle_and_most(one.doubled_for)[1])) +
            tuple(Seconds(value) for value in
                  sums.middle_and_most(one.downtime)))


def data_rows(results):
    """The data as a table: a row for each tree on each storage.

    :param results: as results_file.load() returns them
    :returns: headers, rows (tuple of str, list of tuples); no row where no run
        had data
    """
    found = []
    for (storage, tree), runs in sums.by_storage(results).items():
        found.append((storage, tree, len(runs)) +
                     _data_counts(sums.Sum.of(runs)))
    return ('Storage', 'Tree', 'Runs') + DATA_HEADERS, found
