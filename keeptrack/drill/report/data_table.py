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

"""What became of the data, as a table: for the terminal and for the page."""

from cliff import columns

from keeptrack.drill.checker import data_checker
from keeptrack.drill.report import sums

HEADERS = ('Data kept', 'Data doubled', 'Data broken off', 'Data lost',
           'Records lost', 'Records doubled', 'Doubled s, max',
           'Downtime s, median', 'Downtime s, max')


class Seconds(columns.FormattableColumn):
    """Seconds (float), or None: itself for machines, short for people."""

    def human_readable(self):
        return '-' if self._value is None else '%.1f' % self._value


def counts(one):
    """Some runs' cells below HEADERS.

    :param one: a sums.Sum
    :returns: tuple
    """
    return (tuple(one.data[verdict] for verdict in data_checker.VERDICTS) +
            (one.lost, one.doubled,
             Seconds(sums.middle_and_most(one.doubled_for)[1])) +
            tuple(Seconds(value) for value in
                  sums.middle_and_most(one.downtime)))


def rows(results):
    """The data as a table: a row for each tree on each storage.

    :param results: as results_file.load() returns them
    :returns: headers, rows (tuple of str, list of tuples); no row where no run
        had data
    """
    found = []
    for (storage, tree), runs in sums.by_storage(results).items():
        found.append((storage, tree, len(runs)) +
                     counts(sums.Sum.of(runs)))
    return ('Storage', 'Tree', 'Runs') + HEADERS, found
