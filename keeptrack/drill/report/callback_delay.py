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
"""How long a tree's driver takes to tell that a migration is over.

A benchmark: figures, and their ratios to another tree's in the same results.
"""

import statistics

from keeptrack.drill import history

HEADERS = ('Tree', 'Callback', 'Runs', 'Running to callback (ms)',
           'Ratio of it', 'Call ended to callback (ms)', 'Slowest (ms)',
           'Ratio of call ended', 'libvirt calls a minute')

POST = 'post'
RECOVER = 'recover'


def rows(results):
    """A row a tree and callback.

    Ratios are to the last tree of the results, which is a command line's last
    --against.

    :param results: as keeptrack/drill/runner/campaign.py makes them (dict)
    :returns: headers, list of tuples; times are medians in milliseconds
    """
    found = []
    if not results['trees']:
        return HEADERS, found
    for callback in (POST, RECOVER):
        measured = {tree['name']: _of_tree(results, tree['name'], callback)
                    for tree in results['trees']}
        against = measured[results['trees'][-1]['name']]
        for name, lags in measured.items():
            if lags:
                found.append((name, callback) + _row(lags, against))
    return HEADERS, found


def _row(lags, against):
    running = _median(lags, 'running')
    ended = _median(lags, 'ended')
    return (len(lags), _rounded(running),
            _ratio(running, _median(against, 'running')), _rounded(ended),
            _rounded(max(lag['ended'] for lag in lags)),
            _ratio(ended, _median(against, 'ended')),
            _rounded(_median(lags, 'calls')))


def _of_tree(results, tree, callback):
    lags = [of_run(run) for run in results['runs'] if run['tree'] == tree]
    return [lag for lag in lags if lag and lag['callback'] == callback]


def of_run(run):
    """The lags of one run.

    :param run: a run of the results (dict)
    :returns: dict: callback ("post" or "recover"), running (ms from the
        guest's first moment on the destination to the callback, None where it
        has not run there), ended (ms from the end of the libvirt call), calls
        (libvirt API calls a minute of migration); None when there was no
        callback
    """
    told = _first(run, 'callback')
    begun = _first(run, 'migrate', None, 'begin')
    ended = _first(run, 'migrate', None, 'end', 'raise')
    if None in (told, begun, ended):
        return None
    running = _first(run, 'guest', 'destination', 'running')
    minutes = (told['t'] - begun['t']) / 60
    calls = [event['data'].get('calls') for event in (begun, told)]
    return {
        'callback': told['what'],
        'running': (None if running is None or running['t'] > told['t']
                    else (told['t'] - running['t']) * 1000),
        'ended': (told['t'] - ended['t']) * 1000,
        'calls': (None if None in calls or not minutes
                  else (calls[1] - calls[0]) / minutes),
    }


def _first(run, *which):
    return next(filter(history.event_is(*which), run['timeline']), None)


def _median(lags, name):
    values = [lag[name] for lag in lags if lag[name] is not None]
    return statistics.median(values) if values else None


def _rounded(value):
    return None if value is None else round(value, 1 if value < 100 else 0)


def _ratio(value, against):
    if value is None or not against:
        return None
    return round(value / against, 2)
