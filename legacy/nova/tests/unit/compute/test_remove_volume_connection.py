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

import mock

from nova.compute import manager
from nova import test


class RemoveVolumeConnectionTestCase(test.NoDBTestCase):

    def test_order_of_arguments(self):
        compute = mock.Mock(spec=manager.ComputeManager)
        proxy = manager._ComputeV4Proxy(compute)
        proxy.remove_volume_connection('context', instance='instance',
                                       volume_id='volume')
        compute.remove_volume_connection.assert_called_once_with(
            'context', 'volume', 'instance')
