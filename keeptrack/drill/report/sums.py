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

"""What came of the runs, counted."""

import collections
import dataclasses
import statistics

from keeptrack.drill.checker import data_checker
from keeptrack.drill.checker import verdict


@dataclasses.dataclass(frozen=True)
class Sum:
    """Some runs, counted.

    counts: a number for each verdict (dict of str to int)
    unseen: how many were a split brain that Nova did not notice
    left: how many left something that somebody has to look after
    parked: seconds parked, of the runs that were (tuple of floats)
    free: seconds from the end of the fault to free, of the runs that were
          parked then
    data: a number for each verdict on the data of the runs that had some
          (dict of str to int)
    lost: acknowledged records that were lost (int)
    doubled: records that both copies have written (int)
    doubled_for: seconds that both copies wrote, of the runs where they did
    downtime: the longest silence of the guest, seconds, of the runs with data
    """

    counts: dict
    unseen: int
    left: int
    parked: tuple
    free: tuple
    data: dict
    lost: int
    doubled: int
    doubled_for: tuple
    downtime: tuple

    @classmethod
    def of(cls, runs):
        """Count runs.

        :param runs: an iterable of runs as the results hold them
        """
        runs = list(runs)
        found = collections.Counter(run['verdict'] for run in runs)
        data = [run['data'] for run in runs if run.get('data')]
        kinds = collections.Counter(each['verdict'] for each in data)
        return cls({name: found[name] for name in verdict.VERDICTS},
                   sum(1 for run in runs if run.get('unseen')),
                   sum(1 for run in runs if run.get('leftover')),
                   _seconds(runs, 'parked'), _seconds(runs, 'free'),
                   {name: kinds[name] for name in data_checker.VERDICTS},
                   sum(each['lost'] for each in data),
                   sum(each['doubled'] for each in data),
                   _seconds(data, 'doubled_for'), _seconds(data, 'downtime'))

    @property
    def runs(self):
        """How many runs there are, those that could not be run too."""
        return sum(self.counts.values())


def by_cell(results):
    """The runs of each fault on each tree.

    :returns: dict of (fault, tree) to a list of (index, run); every pair is
              there
    """
    cells = {(fault['name'], tree['name']): [] for fault in results['faults']
             for tree in results['trees']}
    for index, run in enumerate(results['runs']):
        cells[run['fault'], run['tree']].append((index, run))
    return cells


def by_storage(results):
    """The runs of each tree on each storage.

    :returns: dict of (storage, tree) to a list of runs; empty where no run had
              data
    """
    cells = {}
    for tree in results['trees']:
        for run in results['runs']:
            if run.get('data') and run['tree'] == tree['name']:
                cells.setdefault((run['storage'], run['tree']),
                                 []).append(run)
    return {key: cells[key] for key in sorted(
        cells, key=lambda key: key[0])}


def middle_and_most(values):
    """The median and the greatest of some numbers, or None twice."""
    if not values:
        return None, None
    return statistics.median(values), max(values)


def _seconds(runs, key):
    return tuple(run[key] for run in runs if run.get(key) is not None)
