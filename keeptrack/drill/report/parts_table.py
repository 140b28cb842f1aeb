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
"""What was wrong in a cloud in the end, part by part, as a table."""

from keeptrack.drill.checker import verdict
from keeptrack.drill.report import sums

HEADERS = ('Fault', 'Tree', 'Runs') + tuple(
    '%s wrong' % name.capitalize() for name in verdict.PARTS) + (
        'All right', 'Split brain', 'Left behind', 'Not run')


def rows(results):
    """Count what was wrong: a row for each fault on each tree.

    A run that did not come to its fault counts as not run, and nowhere else.

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
    return HEADERS, found
