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

"""The verdict on logs that others have seen."""

from keeptrack.audit.logs import audit
from keeptrack.tests import base
from keeptrack.tests.unit.audit.logs import reported
from keeptrack.tests.unit.audit.logs import reported_later


class ReportedTestCase(base.TestCase):

    def verdict(self, case):
        """What the audit says of a case (str)."""
        folder = self.folder / case.name
        for name, content in case.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes)
                             else content.encode())
        report = audit.run([str(folder)], processes=1)
        kinds = {one.kind for one in report.findings}
        if kinds:
            return ' and '.join(sorted(kinds))
        return reported.NOT_UNDERSTOOD if report.status() else reported.NONE

    def check(self, cases):
        self.assertEqual({case.name: case.verdict for case in cases},
                         {case.name: self.verdict(case) for case in cases})

    def test_stories(self):
        self.check(reported.STORIES)

    def test_formats(self):
        self.check(reported.FORMATS)

    def test_languages(self):
        self.check(reported.LANGUAGES)

    def test_hosts(self):
        self.check(reported.HOSTS)

    def test_later_moves(self):
        self.check(reported_later.MOVES)

    def test_harm(self):
        self.check(reported_later.HARM)

    def test_later_formats(self):
        self.check(reported_later.FORMATS)

    def test_exports(self):
        self.check(reported_later.EXPORTS)

    def test_series(self):
        self.check(reported_later.SERIES)

    def test_other_programs(self):
        self.check(reported_later.OTHERS)
