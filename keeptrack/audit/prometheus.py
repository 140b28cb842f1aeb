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

"""The counts of an audit for Prometheus, as node-exporter's textfile.

The label ``audit`` keeps the files of both audits apart, which node-exporter
reads as one.  Every kind has its numbers, 0 too, so that an alert can be told
from a metric that is not there.
"""

import collections

from keeptrack.audit import finding

_METRICS = (
    ('keeptrack_audit_findings',
     'Instances that the last audit found, by kind and certainty.'),
    ('keeptrack_audit_looked_at',
     'Logs or hosts that the last audit has examined.'),
    ('keeptrack_audit_hosts_not_seen',
     'Logs or hosts that the last audit could not examine.'),
    ('keeptrack_audit_last_run_timestamp_seconds',
     'When the last audit ended, in seconds since the epoch.'),
)


def text(report):
    """The metrics (str).

    :param report: report.Report
    """
    counts = collections.Counter((one.kind, one.certainty)
                                 for one in report.findings)
    values = {
        'keeptrack_audit_findings': [
            ({'kind': kind, 'certainty': certainty}, counts[kind, certainty])
            for kind in finding.KINDS for certainty in finding.CERTAINTIES],
        'keeptrack_audit_looked_at': [({}, report.number_looked_at())],
        'keeptrack_audit_hosts_not_seen': [
            ({}, len({one.where for one in report.failures()}))],
        'keeptrack_audit_last_run_timestamp_seconds': [
            ({}, round(report.made, 3))],
    }
    lines = []
    for name, help_text in _METRICS:
        lines += ['# HELP %s %s' % (name, help_text),
                  '# TYPE %s gauge' % name]
        for labels, value in values[name]:
            labels = dict({'audit': report.what}, **labels)
            lines.append('%s{%s} %s' % (
                name, ','.join('%s="%s"' % pair for pair in labels.items()),
                value))
    return '\n'.join(lines) + '\n'
