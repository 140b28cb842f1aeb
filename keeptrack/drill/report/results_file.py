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

"""Results of drills: what is in such a file, read and checked.

Schema keeptrack-drill/1.  Times in a run's time line are seconds from when
Nova was asked to migrate.
"""

import json
import math
import pathlib
import sys

from keeptrack.drill.checker import data_checker
from keeptrack.drill.checker import verdict
from keeptrack import errors

SCHEMA = 'keeptrack-drill/1'

_NUMBER = (int, float)
_TYPES = {str: 'text', list: 'a list', dict: 'an object', bool: 'true or '
          'false', _NUMBER: 'a number'}

# the keys that a run may leave out or set to null, and what they hold else
_OPTIONAL = {'moment': str, 'delay': _NUMBER, 'shared': bool, 'unseen': bool,
             'broken': list, 'why': str, 'parked': _NUMBER, 'free': _NUMBER,
             'seconds': _NUMBER, 'overlap': _NUMBER, 'truth': dict,
             'record': dict, 'seed': str, 'struck': _NUMBER,
             'suspended': _NUMBER, 'leftover': str, 'missed': bool,
             'storage': str, 'data': dict, 'parts': dict,
             'left_behind': list}

# and those of a run's data, likewise
_OPTIONAL_DATA = {'downtime': _NUMBER, 'doubled_for': _NUMBER, 'why': str,
                  'broken': list}


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
    check(results, path)
    return results


def check(results, name):
    """Raise a KeeptrackError unless this is what the schema says.

    :param results: what a file holds
    :param name: what to call it in the error (str or a path)
    """
    try:
        _check(results)
    except _Flaw as flaw:
        raise errors.KeeptrackError(
            '%s holds no results of drills: %s; have keeptrack drill write '
            'it again' % (name, flaw))


def _refuse(constant):
    raise ValueError('%s is no number of JSON' % constant)


def _finite(text):
    value = float(text)
    if not math.isfinite(value):
        raise ValueError('%s is no finite number' % text[:40])
    return value


def _check(results):
    _want(results, dict, 'it')
    if results.get('schema') != SCHEMA:
        raise _Flaw("its schema is %s, not '%s'"
                    % (_short(results.get('schema')), SCHEMA))
    _key(results, 'made', str, 'it')
    machine = _key(results, 'machine', dict, 'it')
    for key, value in machine.items():
        _want_single(value, "its machine's %s" % key)
    _want_single(results.get('seed'), 'its seed')
    trees = _names(results, 'trees')
    faults = _names(results, 'faults')
    for number, run in enumerate(_key(results, 'runs', list, 'it'), 1):
        _check_run(run, 'run %d' % number, trees, faults)


def _names(results, key):
    names = set()
    for number, entry in enumerate(_key(results, key, list, 'it'), 1):
        place = '%s, number %d' % (key, number)
        _want(entry, dict, place)
        name = _key(entry, 'name', str, place)
        if entry.get('title') is not None:
            _want(entry['title'], str, "%s's title" % place)
        if name in names:
            raise _Flaw('%s holds %s twice' % (key, _short(name)))
        names.add(name)
    return names


def _check_run(run, place, trees, faults):
    _want(run, dict, place)
    for key, known in (('tree', trees), ('fault', faults),
                       ('verdict', verdict.VERDICTS)):
        value = _key(run, key, str, place)
        if value not in known:
            raise _Flaw('%s has the %s %s, which is none of them'
                        % (place, key, _short(value)))
    for key, kind in _OPTIONAL.items():
        if run.get(key) is not None:
            _want(run[key], kind, "%s's %s" % (place, key))
    if run.get('data') is not None:
        _check_data(run['data'], "%s's data" % place)
        _key(run, 'storage', str, place)
    for number, event in enumerate(_key(run, 'timeline', list, place), 1):
        here = '%s, event %d' % (place, number)
        _want(event, dict, here)
        _key(event, 't', _NUMBER, here)
        for key in ('where', 'lane', 'what', 'text'):
            _key(event, key, str, here)
        data = _key(event, 'data', dict, here)
        if data.get('calls') is not None:
            _want(data['calls'], _NUMBER, "%s's calls" % here)


def _check_data(data, place):
    value = _key(data, 'verdict', str, place)
    if value not in data_checker.VERDICTS:
        raise _Flaw('%s has the verdict %s, which is none of them'
                    % (place, _short(value)))
    for key in ('lost', 'doubled'):
        _key(data, key, _NUMBER, place)
    for key, kind in _OPTIONAL_DATA.items():
        if data.get(key) is not None:
            _want(data[key], kind, "%s's %s" % (place, key))


def _key(holder, key, kind, place):
    if key not in holder:
        raise _Flaw("%s has no '%s'" % (place, key))
    _want(holder[key], kind, "%s's %s" % (place, key))
    return holder[key]


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
