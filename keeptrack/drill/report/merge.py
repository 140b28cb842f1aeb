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

"""Puts the results of several drills together."""

from keeptrack import errors


def merge(several):
    """Put results together, as though they were of one drill.

    :param several: results as results_file.load() returns them (list)
    :returns: results (dict); trees, faults and runs in the order given
    :raises KeeptrackError: when two trees have one name, and differ, or one
        run is there twice
    """
    first = several[0]
    if len(several) == 1:
        return first
    trees, faults = {}, {}
    for results in several:
        for tree in results['trees']:
            if trees.setdefault(tree['name'], tree) != tree:
                raise errors.KeeptrackError(
                    'two trees are called %s and are not the same: report on '
                    'their results one by one' % tree['name'])
        for fault in results['faults']:
            faults.setdefault(fault['name'], fault)
    _refuse_twice(run for results in several for run in results['runs'])
    merged = dict(first, trees=list(trees.values()),
                  faults=list(faults.values()),
                  runs=[run for results in several
                        for run in results['runs']],
                  made=_all([results['made'] for results in several]))
    merged['machine'] = {
        key: _all([results['machine'][key] for results in several
                   if key in results['machine']])
        for results in several for key in results['machine']}
    if any('seed' in results for results in several):
        merged['seed'] = _all([results['seed'] for results in several
                               if 'seed' in results])
    return merged


def _refuse_twice(runs):
    seen = set()
    for run in runs:
        which = (run['tree'], run.get('seed'),
                 run.get('storage') or 'none')
        if run.get('seed') is not None and which in seen:
            raise errors.KeeptrackError(
                'the run %s on %s is in more than one of the results' % (
                    run['seed'], run['tree']))
        seen.add(which)


def _all(values):
    """The one value that there is, or all the different ones in words."""
    different = list(dict.fromkeys(values))
    if len(different) == 1:
        return different[0]
    return ', '.join(str(value) for value in different)
