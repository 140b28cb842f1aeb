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

"""Results of drills: what is in such a file, read, checked, put together.

Schema keeptrack-drill/1.  Times in a run's time line are seconds from when
Nova was asked to migrate.
"""

import dataclasses
import json
import math
import pathlib
import sys
import typing

from keeptrack.drill.checker import data_checker
from keeptrack.drill.checker import verdict
from keeptrack import errors

SCHEMA = 'keeptrack-drill/1'

_NUMBER = (int, float)
_TYPES = {str: 'text', list: 'a list', dict: 'an object', bool: 'true or '
          'false', _NUMBER: 'a number'}


@dataclasses.dataclass(frozen=True)
class _List:
    """What a list holds.

    :ivar place: what an entry is called: called with what the list is called,
        and the entry's number
    :ivar entry: the shape of an entry, see _check
    """

    place: typing.Callable
    entry: dict


# a '?' ends the name of what may be left out or null
_DATA = {'verdict': str, 'lost': _NUMBER, 'doubled': _NUMBER,
         'downtime?': _NUMBER, 'doubled_for?': _NUMBER, 'why?': str,
         'broken?': list}
_EVENT = {'t': _NUMBER, 'where': str, 'lane': str, 'what': str, 'text': str,
          'data': {'calls?': _NUMBER}}
_RUN = {'tree': str, 'fault': str, 'verdict': str, 'moment?': str,
        'delay?': _NUMBER, 'shared?': bool, 'unseen?': bool, 'broken?': list,
        'why?': str, 'parked?': _NUMBER, 'free?': _NUMBER,
        'seconds?': _NUMBER, 'overlap?': _NUMBER, 'truth?': dict,
        'record?': dict, 'seed?': str, 'struck?': _NUMBER,
        'suspended?': _NUMBER, 'leftover?': str, 'missed?': bool,
        'storage?': str, 'data?': _DATA, 'parts?': dict, 'left_behind?': list,
        'timeline': _List(lambda place, number: '%s, event %d' % (
            place.removesuffix("'s timeline"), number), _EVENT)}
_NAMED = _List(lambda place, number: '%s, number %d' % (
    place.removeprefix("it's "), number), {'name': str, 'title?': str})
_RESULTS = {'made': str, 'machine': dict, 'trees': _NAMED, 'faults': _NAMED,
            'runs': _List(lambda place, number: 'run %d' % number, _RUN)}


class _Flaw(Exception):
    """What is not as the schema wants it, in words."""


def load(path):
    """Read the results of drills.

    :param path: a JSON file that keeptrack drill wrote
    :returns: the results (dict), checked
    :raises KeeptrackError: when the file holds no such results
    """
    try:
        text = pathlib.Path(path).read_text(encoding='utf-8')
    except UnicodeDecodeError:
        raise errors.KeeptrackError('%s is no JSON: it is no text' % path)
    except OSError as exc:
        raise errors.KeeptrackError('cannot read %s: %s'
                                    % (path, exc.strerror or exc))
    # what the first drills called it
    text = text.replace('"verdict": "two copies"',
                        '"verdict": "%s"' % verdict.SPLIT_BRAIN)
    try:
        results = json.loads(text, parse_constant=_refuse,
                             parse_float=_finite)
    except RecursionError:
        raise errors.KeeptrackError(
            '%s holds no results of drills: it is nested too deep' % path)
    except ValueError as exc:
        raise errors.KeeptrackError('%s is no JSON: %s' % (path, exc))
    try:
        _check_results(results)
    except _Flaw as flaw:
        raise errors.KeeptrackError(
            '%s holds no results of drills: %s; have keeptrack drill write '
            'it again' % (path, flaw))
    return results


def _refuse(constant):
    raise ValueError('%s is no number of JSON' % constant)


def _finite(text):
    value = float(text)
    if not math.isfinite(value):
        raise ValueError('%s is no finite number' % text[:40])
    return value


def _check_results(results):
    _want(results, dict, 'it')
    if results.get('schema') != SCHEMA:
        raise _Flaw("its schema is %s, not '%s'"
                    % (_short(results.get('schema')), SCHEMA))
    _check(results, _RESULTS, 'it')
    for key, value in results['machine'].items():
        _want_single(value, "its machine's %s" % key)
    _want_single(results.get('seed'), 'its seed')
    known = {'verdict': verdict.VERDICTS}
    for key in ('trees', 'faults'):
        names = [entry['name'] for entry in results[key]]
        for name in names:
            if names.count(name) > 1:
                raise _Flaw('%s holds %s twice' % (key, _short(name)))
        known[key[:-1]] = names
    for number, run in enumerate(results['runs'], 1):
        place = 'run %d' % number
        _want_known(run, known, place)
        if run.get('data') is not None:
            _want_known(run['data'], {'verdict': data_checker.VERDICTS},
                        "%s's data" % place)
            _check(run, {'storage': str}, place)


def _want_known(holder, known, place):
    for key, values in known.items():
        if holder[key] not in values:
            raise _Flaw('%s has the %s %s, which is none of them'
                        % (place, key, _short(holder[key])))


def _check(value, shape, place):
    """Raise a _Flaw unless a value has a shape.

    :param shape: a type, a _List, or what an object has: name to shape (dict)
    :param place: what to call the value (str)
    """
    if isinstance(shape, dict):
        _want(value, dict, place)
        for name, inner in shape.items():
            name = name.removesuffix('?')
            if name in shape and name not in value:
                raise _Flaw("%s has no '%s'" % (place, name))
            if name in shape or value.get(name) is not None:
                _check(value[name], inner, "%s's %s" % (place, name))
    elif isinstance(shape, _List):
        _want(value, list, place)
        for number, entry in enumerate(value, 1):
            _check(entry, shape.entry, shape.place(place, number))
    else:
        _want(value, shape, place)


def _want(value, kind, place):
    if not isinstance(value, kind) or (
            isinstance(value, bool) and kind is _NUMBER):
        raise _Flaw('%s is %s, not %s'
                    % (place, _short(value), _TYPES[kind]))
    # whole numbers have no limit in JSON, and one where they are reckoned with
    if kind is _NUMBER and not abs(value) <= sys.float_info.max:
        raise _Flaw('%s is no finite number' % place)


def _want_single(value, place):
    if isinstance(value, (dict, list)):
        raise _Flaw('%s is %s, not one value' % (place, _short(value)))


def _short(value):
    """A value on one line, cut where it is long."""
    words = json.dumps(value, default=str)
    return words if len(words) <= 40 else words[:37] + '...'


def merge(several):
    """Put results together, as though they were of one drill.

    :param several: results as load() returns them (list)
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
