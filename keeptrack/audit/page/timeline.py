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

"""The time line of a finding: a row a moment, a column a host."""

import html

from keeptrack.audit import report as report_mod

# with more hosts than this a column each is too narrow to read
_COLUMNS = 4

_UNKNOWN = 'host unknown'


def minute(when):
    """A time without its seconds, for a summary (str)."""
    return (report_mod.iso(when) or '')[:16].replace('T', ' ')


def table(one):
    """The time line (str of HTML).

    :param one: finding.Finding
    """
    if not one.moments:
        return '<p class="none">Nothing is known of when it happened.</p>'
    hosts = _hosts(one)
    narrow = len(hosts) > _COLUMNS
    heads = (['Host', 'What'] if narrow else hosts)
    rows, before = [], None
    for moment in one.moments:
        rows.append('<tr>%s%s</tr>' % (
            _time(moment, before), _cells(moment, hosts, narrow)))
        if moment.when is not None:
            before = moment.when
    return ('<div class="wide"><table class="line"><thead><tr>'
            '<th>Time (UTC)</th>%s</tr></thead><tbody>%s</tbody></table></div>'
            % (''.join('<th>%s</th>' % html.escape(head) for head in heads),
               ''.join(rows)))


def _hosts(one):
    names = [str(host) for host in one.hosts]
    names += [str(moment.host or _UNKNOWN) for moment in one.moments]
    return list(dict.fromkeys(names))


def _time(moment, before):
    text = report_mod.iso(moment.when)
    if text is None:
        return '<th class="time" scope="row">time unknown</th>'
    day, clock = text[:10], text[11:23]
    since = '' if before is None else '<small>%s</small>' % html.escape(
        _apart(moment.when - before))
    allowance = '<small>± %g s</small>' % moment.allowance if (
        moment.allowance) else ''
    return ('<th class="time" scope="row"><small>%s</small> %s%s%s</th>'
            % (day, clock, allowance, since))


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


def _cells(moment, hosts, narrow):
    host = str(moment.host or _UNKNOWN)
    content = '<span class="what">%s</span>%s<span class="source">%s</span>' \
        % (html.escape(moment.what),
           '<code>%s</code>' % html.escape(moment.text) if moment.text else '',
           html.escape(moment.source))
    if narrow:
        return '<td>%s</td><td class="here lane-%d">%s</td>' % (
            html.escape(host), hosts.index(host) % _COLUMNS, content)
    return ''.join(
        '<td class="here lane-%d" data-host="%s">%s</td>' % (
            place, html.escape(name), content) if name == host else
        '<td class="empty"></td>' for place, name in enumerate(hosts))
