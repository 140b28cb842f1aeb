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

"""Two real hosts for a test."""

import pathlib
import tempfile

import fixtures

from keeptrack.drill.testbed import prerequisites
from keeptrack.drill.testbed import testbed


def why_not():
    """Why this machine can have no two hosts (str), or None when it can."""
    return '; '.join(prerequisites.missing()) or None


class TwoHosts(fixtures.Fixture):
    """Two hosts, each with its libvirtd; taken down whatever happens.

    :ivar testbed: the testbed.Testbed, up
    """

    def _setUp(self):
        # short: UNIX sockets lie in it
        folder = tempfile.TemporaryDirectory(prefix='kt')
        self.addCleanup(folder.cleanup)
        self.testbed = testbed.Testbed(pathlib.Path(folder.name) / 'l', 0)
        self.addCleanup(self.testbed.stop)
        self.testbed.start()
