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


"""The page of an audit: one HTML file that needs nothing else, no script.

What logs and hosts say is never taken for HTML: the template escapes all of
it, and the page's policy lets no script run, nothing be loaded and no form be
sent.
"""

import base64
import hashlib
from importlib import resources

import jinja2

from keeptrack.audit import finding as finding_mod
from keeptrack.audit import report as report_mod

# rows of what was examined that are shown; a fleet has thousands
_SHOWN = 2000

# with more hosts than this a column each is too narrow to read
_LANES = 4


def text(report):
    """The page (str of HTML).

    :param report: report.Report
    """
    style = _part('page.css')
    made = jinja2.Environment(autoescape=True)
    made.filters['minute'] = _minute
    return made.from_string(_part('page.html')).render(
        style=style, report=report, sums=_sums(report),
        # what the page's policy knows the style sheet by
        style_digest='sha256-' + base64.b64encode(hashlib.sha256(
            style.encode('utf-8')).digest()).decode('ascii'),
        headline=_headline(report), certainties=finding_mod.CERTAINTIES,
        mood='calm' if report.status() == report_mod.NOTHING_FOUND
        else 'alarm',
        counted=list(dict.fromkeys(name for one in report.looked_at[:_SHOWN]
                                   for name in one.counts)),
        time_line=_time_line, shown=_SHOWN, lanes=_LANES)


def _part(name):
    return resources.files('keeptrack.audit.page').joinpath(
        name).read_text(encoding='utf-8')


def _headline(report):
    if not report.looked_at and not report.findings:
        return 'Nothing could be examined'
    count = len({one.instance for one in report.findings})
    if not count:
        return 'Nothing was found in what was examined'
    return '%d %s to be checked' % (
        count, 'instance has' if count == 1 else 'instances have')


def _sums(report):
    """How much was examined, and how sure the findings are (dict)."""
    words = {'Made': report_mod.iso(report.made),
             'Examined': '%d %s' % (len(report.looked_at), report.what),
             'Could not examine': len({
                 one.where for one in report.failures()}) or 'none'}
    for certainty in finding_mod.CERTAINTIES:
        count = sum(one.certainty == certainty for one in report.findings)
        if count:
            words[certainty.capitalize()] = count
    return words


def _minute(when):
    """A time without its seconds, for a summary (str)."""
    return (report_mod.iso(when) or '')[:16].replace('T', ' ')


def _time_line(one):
    """The time line of a finding.

    :param one: finding.Finding
    :returns: the names of its hosts (list of str), and for each moment a tuple
        of it, its day and its time, '' where they are unknown, how long after
        the moment before it was, and the host (list)
    """
    hosts = [str(moment.host or 'host unknown') for moment in one.moments]
    rows, before = [], None
    for moment, host in zip(one.moments, hosts):
        day, _, clock = (report_mod.iso(moment.when) or '')[:23].partition('T')
        rows.append((moment, day, clock, '' if None in (before, moment.when)
                     else _apart(moment.when - before), host))
        before = before if moment.when is None else moment.when
    return list(dict.fromkeys([*map(str, one.hosts), *hosts])), rows


def _apart(seconds):
    """How long after the moment before (str)."""
    sign, seconds = '+' if seconds >= 0 else '−', abs(seconds)
    if seconds < 120:
        return '%s%.3g s' % (sign, seconds)
    if seconds < 7200:
        return '%s%.0f min' % (sign, seconds / 60)
    if seconds < 172800:
        return '%s%.0f h' % (sign, seconds / 3600)
    return '%s%.0f days' % (sign, seconds / 86400)
