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

import signal
import types
from unittest import mock

from keeptrack.drill.testbed.cloud import cloud
from keeptrack.drill.testbed.cloud import places
from keeptrack.tests import base


class CloudTestCase(base.TestCase):

    def test_a_service_that_ends_before_the_signal_comes(self):
        found = cloud.Cloud(places.Places(self.folder))
        with mock.patch.object(
                found, 'process',
                return_value=types.SimpleNamespace(pid=1)), \
                mock.patch.object(cloud.processes, 'Handle',
                                  side_effect=ProcessLookupError):
            found.signal('rabbitmq', signal.SIGKILL)
