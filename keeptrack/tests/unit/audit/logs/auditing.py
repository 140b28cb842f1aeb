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

"""Logs go in, a report comes out: what the tests of that share."""

import os
import time

from keeptrack.audit.logs import audit
from keeptrack.tests import base
from keeptrack.tests.unit.audit.logs import written as w

SOURCE = [(3, w.PAUSED), (4, w.FAILURE), (6, w.STOPPED), (7, w.SHUT_OFF)]
DESTINATION = [(1, w.STARTED), (3.1, w.RESUMED)]


class LogsTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        zone, os.environ['TZ'] = os.environ.get('TZ'), 'UTC'
        time.tzset()

        def back():
            os.environ.pop('TZ')
            if zone is not None:
                os.environ['TZ'] = zone
            time.tzset()
        self.addCleanup(back)

    def look(self, processes=1, **contents):
        """Report on logs nova-compute-NAME.log with these contents."""
        paths = []
        for name, content in contents.items():
            path = self.folder / ('nova-compute-%s.log' % name)
            path.write_bytes(content if isinstance(content, bytes)
                             else w.default(content))
            paths.append(str(path))
        return audit.run(paths, processes=processes)

    def found(self, **contents):
        return [(one.kind, one.certainty) for one in
                self.look(**contents).findings]
