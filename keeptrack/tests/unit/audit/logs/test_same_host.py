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

"""Names of one host, and of two."""

from keeptrack.tests.unit.audit.logs import auditing
from keeptrack.tests.unit.audit.logs import written as w

SOURCE, DESTINATION = auditing.SOURCE, auditing.DESTINATION


class SameHostTestCase(auditing.LogsTestCase):

    def named(self, host, lines):
        return b''.join(b'Jan 23 16:00:00 %s nova-compute[7]: ' %
                        host.encode() + line
                        for line in w.default(lines).splitlines(True))

    def hosts(self, **contents):
        return [one.hosts for one in self.look(**contents).findings]

    def test_the_same_lines_are_one_hosts(self):
        lines = [(0, w.FAILURE), (60, w.STARTED), (60.5, w.RESUMED)]
        report = self.look(**{'10.0.0.7': lines, '': self.named('a', lines)})
        self.assertEqual([], report.findings)
        self.assertIn(('10.0.0.7', False), [
            (one.where, one.is_failure) for one in report.not_seen])

    def test_one_line_of_the_same_time_makes_no_host(self):
        # of two lines each in the same second
        for there in (DESTINATION, DESTINATION[:1] + [(3, w.RESUMED)],
                      DESTINATION + [(6, w.STOPPED)]):
            self.assertEqual([('a', 'b')], self.hosts(a=SOURCE, b=there))

    def test_a_name_and_its_first_part_are_one_host(self):
        for names, hosts in (
                (('a', 'a.x.org', 'b'), ('a', 'b')),
                (('a.x.org', 'a.x.org', 'a.y.org'), ('a.x.org', 'a.y.org')),
                (('10.0.0.1', '10.0.0.1', '10.0.0.2'),
                 ('10.0.0.1', '10.0.0.2'))):
            one, two, three = names
            self.assertEqual([hosts], self.hosts(**{'': b''.join((
                self.named(one, SOURCE[:2]), self.named(two, SOURCE[2:]),
                self.named(three, DESTINATION)))}))

    def test_logs_of_different_times_may_be_one_hosts(self):
        found = self.look(a=[(0, w.FAILURE)],
                          b=[(100, w.STARTED), (101, w.RESUMED)]).findings
        self.assertEqual([('lost', 'possible')], [
            (one.kind, one.certainty) for one in found])
        self.assertIn('may be one host', ' '.join(found[0].why))
