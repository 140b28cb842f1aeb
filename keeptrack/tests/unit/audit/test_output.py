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

"""The command line, the report, the page and the metrics."""

import json
from unittest import mock

from keeptrack.audit import finding
from keeptrack.audit import page
from keeptrack.audit import prometheus
from keeptrack.audit import report as report_mod
from keeptrack.audit import whole_file
from keeptrack import errors
from keeptrack.tests import base
from keeptrack.tests.unit.audit.logs import written

HOSTILE = '</td><script>alert(1)</script><img src=x onerror=alert(2)>"\'&'


def hostile():
    return report_mod.Report(
        'logs', [report_mod.LookedAt(HOSTILE, {HOSTILE: HOSTILE})],
        [report_mod.NotSeen(HOSTILE, HOSTILE)],
        [finding.Finding('lost', 'certain', HOSTILE, [HOSTILE], [HOSTILE], [
            finding.Moment(1.0, HOSTILE, HOSTILE, HOSTILE, HOSTILE, 2.0),
            finding.Moment(None, None, HOSTILE, HOSTILE)])])


class OutputTestCase(base.TestCase):

    def test_nothing_is_taken_for_html(self):
        text = page.text(hostile())
        self.assertNotIn('<script', text)
        self.assertNotIn('<img', text)
        self.assertIn('&lt;script&gt;', text)

    def test_a_report_goes_to_json_and_back(self):
        report = hostile()
        self.assertEqual(report.to_dict(), json.loads(report.to_json()))

    def test_metrics_have_a_number_for_every_kind(self):
        text = prometheus.text(hostile())
        self.assertIn('keeptrack_audit_findings{audit="logs",kind="lost",'
                      'certainty="certain"} 1', text)
        self.assertEqual(len(finding.KINDS) * len(finding.CERTAINTIES),
                         text.count('keeptrack_audit_findings{'))

    def test_novas_api_is_no_host(self):
        report = report_mod.Report('hosts', [
            report_mod.LookedAt(report_mod.NOVA), report_mod.LookedAt('a')])
        self.assertIn('keeptrack_audit_looked_at{audit="hosts"} 1\n',
                      prometheus.text(report))
        self.assertEqual(0, report.status())
        del report.looked_at[1]
        self.assertEqual(2, report.status())

    def test_an_unknown_kind_is_refused(self):
        self.assertRaises(ValueError, finding.Finding, 'x', 'certain', 'u')

    def test_the_command_writes_all_and_tells_by_its_status(self):
        log = self.folder / 'nova-compute-a.log'
        log.write_bytes(written.default([
            (3, written.PAUSED), (4, written.FAILURE), (6, written.STOPPED),
            (7, written.SHUT_OFF)]))
        names = {name: self.folder / name for name in
                 ('r.json', 'r.html', 'r.prom')}
        status, out, err = self.run_keeptrack(
            'audit', 'logs', str(log), '-f', 'json', '--json',
            str(names['r.json']), '--html', str(names['r.html']),
            '--prometheus', str(names['r.prom']))
        self.assertEqual(1, status)
        self.assertEqual('lost', json.loads(out)[0]['Finding'])
        self.assertEqual('keeptrack.audit/1', json.loads(
            names['r.json'].read_text())['schema'])
        self.assertEqual({'home', log.name, *names},
                         {path.name for path in self.folder.iterdir()})
        self.assertEqual(0o644, names['r.prom'].stat().st_mode & 0o777)

    def test_refused(self):
        log = self.folder / 'log'
        log.write_bytes(b'')
        for words in (['/no/such'], [str(log), '--html', '/no/such/x'],
                      [str(log), '--timezone', 'No/Such'],
                      [str(log), '--clock-difference', '-1'],
                      [str(log), '--host', 'x'],
                      [str(log), '--host', 'x=y']):
            self.refused('audit', 'logs', *words)

    def test_nothing_that_could_be_read_is_status_2(self):
        log = self.folder / 'log'
        log.write_bytes(b'')
        self.assertEqual(2, self.run_keeptrack('audit', 'logs', str(log))[0])

    def test_a_failed_write_leaves_nothing(self):
        with mock.patch('os.replace', side_effect=OSError(28, 'full')):
            self.assertRaises(errors.KeeptrackError, whole_file.write,
                              self.folder / 'x.prom',
                              prometheus.text(hostile()))
        self.assertEqual(['home'], [one.name for one in
                                    self.folder.iterdir()])
