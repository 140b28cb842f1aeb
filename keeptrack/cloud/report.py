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

"""The results of a campaign as a table."""

import json

from keeptrack.cloud import checker
from keeptrack.cloud import errors

HEADERS = ('Fault', 'Nova', 'Runs') + tuple(
    f'{name.capitalize()} wrong' for name in checker.COLUMNS) + (
        'All right', 'Split brain', 'Left behind', 'Not run')


def load(path):
    """Read a results.json.

    :param path: pathlib.Path
    :returns: list of dicts
    :raises CloudError: when it is none
    """
    try:
        found = json.loads(path.read_text())
        for result in found:
            for name in ('fault', 'nova', 'wrong', 'not_run', 'left',
                         'split_brain'):
                result[name]
    except OSError as exc:
        raise errors.CloudError(f'{path} cannot be read: {exc.strerror}')
    except (ValueError, TypeError, KeyError):
        raise errors.CloudError(
            f'{path} has no results of keeptrack cloud drill')
    return found


def rows(results):
    """Count what was wrong: a row for each fault on each Nova.

    A run that did not come to its fault counts as not run, and nowhere else.

    :param results: list of dicts: "fault", "nova", "wrong" (column to text),
        "split_brain", "left" (list), "not_run" (text or None)
    :returns: headers, rows (tuple of str, list of tuples)
    """
    cells = {}
    for result in results:
        cells.setdefault((result['fault'], result['nova']), []).append(result)
    order = list(dict.fromkeys(fault for fault, _ in cells))
    found = []
    for fault, nova in sorted(cells, key=lambda key: order.index(key[0])):
        all_runs = cells[fault, nova]
        runs = [run for run in all_runs if run['not_run'] is None]
        found.append(
            (fault, nova, len(runs)) +
            tuple(sum(name in run['wrong'] for run in runs)
                  for name in checker.COLUMNS) +
            (sum(not run['wrong'] for run in runs),
             sum(run['split_brain'] for run in runs),
             sum(bool(run['left']) for run in runs),
             len(all_runs) - len(runs)))
    return HEADERS, found
