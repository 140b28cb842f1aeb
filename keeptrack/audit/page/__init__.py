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

What logs and hosts say is never taken for HTML: all of it is escaped, and the
page's policy lets no script run, nothing be loaded and no form be sent.
"""

import base64
import hashlib
import html
from importlib import resources
import string

from keeptrack.audit import finding as finding_mod
from keeptrack.audit.page import timeline
from keeptrack.audit import report as report_mod
from keeptrack.audit import whole_file

_WHAT = {report_mod.LOGS: 'logs', report_mod.HOSTS: 'hosts'}

# rows of what was examined that are shown; a fleet has thousands
_SHOWN = 2000


def write(report, path):
    """Write the page.

    :param report: report.Report
    :param path: the file to write (str or pathlib.Path)
    :raises KeeptrackError: when the file cannot be written
    """
    whole_file.write(path, text(report))


def text(report):
    """The page (str of HTML)."""
    style = _part('page.css')
    # all but $style is escaped by who makes it
    return string.Template(_part('page.html')).substitute(
        style=style, style_digest=_digest(style),
        made=_escape(report_mod.iso(report.made)),
        what=_escape(_WHAT.get(report.what, report.what)),
        headline=_escape(_headline(report)),
        mood='calm' if report.status() == report_mod.NOTHING_FOUND
        else 'alarm',
        sums=_sums(report), summary=_summary(report),
        findings='\n'.join(_finding(number, one) for number, one
                           in enumerate(report.findings, 1)),
        not_seen=_not_seen(report), looked_at=_looked_at(report))


def _part(name):
    return resources.files('keeptrack.audit.page').joinpath(
        name).read_text(encoding='utf-8')


def _digest(content):
    """What the page's policy knows a style sheet by (str)."""
    return 'sha256-' + base64.b64encode(
        hashlib.sha256(content.encode('utf-8')).digest()).decode('ascii')


def _escape(value):
    return html.escape('' if value is None else str(value))


def _headline(report):
    if not report.looked_at and not report.findings:
        return 'Nothing could be examined'
    count = len({one.instance for one in report.findings})
    if not count:
        return 'Nothing was found in what was examined'
    return '%d %s to be checked' % (
        count, 'instance has' if count == 1 else 'instances have')


def _sums(report):
    """How much was examined, and how sure the findings are (HTML)."""
    failures = len({one.where for one in report.failures()})
    words = {'Made': report_mod.iso(report.made),
             'Examined': '%d %s' % (len(report.looked_at),
                                    _WHAT.get(report.what, 'sources')),
             'Could not examine': failures or 'none'}
    for certainty in finding_mod.CERTAINTIES:
        count = sum(one.certainty == certainty for one in report.findings)
        if count:
            words[certainty.capitalize()] = count
    return '<dl class="sums">%s</dl>' % ''.join(
        '<div><dt>%s</dt><dd>%s</dd></div>' % (_escape(name), _escape(value))
        for name, value in words.items())


def _chip(certainty):
    return '<b class="chip %s" title="%s">%s</b>' % (
        certainty, _escape(finding_mod.CERTAINTIES[certainty]), certainty)


def _summary(report):
    """A table of all findings, each with a link to its own (HTML)."""
    if not report.findings:
        return ''
    rows = ''.join(
        '<tr><td>%s</td><td><a href="#finding-%d">%s</a></td>'
        '<td><code>%s</code></td><td>%s</td><td class="time">%s</td></tr>' % (
            _chip(one.certainty), number, _escape(one.title),
            _escape(one.instance), _escape(', '.join(map(str, one.hosts))),
            _escape(timeline.minute(one.when)))
        for number, one in enumerate(report.findings, 1))
    return ('<div class="wide"><table class="list"><thead><tr><th>How sure'
            '</th><th>What</th><th>Instance</th><th>Hosts</th><th>Since (UTC)'
            '</th></tr></thead><tbody>%s</tbody></table></div>' % rows)


def _finding(number, one):
    """One finding: why, what next, and the time line (HTML)."""
    return ('<article id="finding-%d" class="finding">'
            '<h2>%s %s</h2>'
            '<p class="who">Instance <code>%s</code>%s</p>'
            '<div class="pair"><section><h3>Why</h3><ul>%s</ul></section>'
            '<section><h3>What to check next</h3><ol>%s</ol></section></div>'
            '<h3>What happened where</h3>%s</article>') % (
        number, _chip(one.certainty), _escape(one.title),
        _escape(one.instance),
        ' on ' + ', '.join('<strong>%s</strong>' % _escape(host)
                           for host in one.hosts) if one.hosts else '',
        _items(one.why), _items(one.next),
        timeline.table(one))


def _items(sentences):
    return ''.join('<li>%s</li>' % _escape(one) for one in sentences)


def _not_seen(report):
    """What could not be examined, and what never shows (HTML)."""
    parts = []
    for is_failure, title in ((True, 'Could not be examined'),
                              (False, 'What this audit cannot see')):
        rows = [one for one in report.not_seen
                if one.is_failure is is_failure]
        if rows:
            parts.append(
                '<h2>%s</h2><table class="list"><tbody>%s</tbody></table>%s'
                % (title, ''.join(
                    '<tr><td class="where">%s</td><td>%s</td></tr>'
                    % (_escape(one.where), _escape(one.why))
                    for one in rows[:_SHOWN]), _more(rows)))
    return ''.join(parts)


def _looked_at(report):
    """Everything that was examined, folded (HTML)."""
    rows = report.looked_at
    if not rows:
        return ''
    names = list(dict.fromkeys(name for one in rows[:_SHOWN]
                               for name in one.counts))
    return (
        '<details><summary>What was examined (%d)</summary><div class="wide">'
        '<table class="list"><thead><tr><th></th>%s</tr></thead>'
        '<tbody>%s</tbody></table></div>%s</details>' % (
            len(rows),
            ''.join('<th>%s</th>' % _escape(name) for name in names),
            ''.join('<tr><td class="where">%s</td>%s</tr>' % (
                _escape(one.name), ''.join(
                    '<td class="number">%s</td>' % _escape(
                        one.counts.get(name)) for name in names))
                    for one in rows[:_SHOWN]), _more(rows)))


def _more(rows):
    hidden = len(rows) - _SHOWN
    return '<p>%d more are in the report as JSON.</p>' % hidden if (
        hidden > 0) else ''
