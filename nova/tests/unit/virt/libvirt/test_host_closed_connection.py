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

"""A connection to libvirt that breaks while it is tested."""

import threading
from unittest import mock

from nova import test
from nova.tests import fixtures as nova_fixtures
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt.libvirt import host


class HostClosedConnectionTestCase(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(nova_fixtures.LibvirtFixture())
        self.host = host.Host('qemu:///system')
        self.addCleanup(self.host.cleanup)
        # With native threads the thread that gets an event handles it.
        self.host._event_handler = host._ThreadingLibvirtEventHandler(
            self.host._connection_closed, self.host._event_emit_delayed)

    def test_close_callback_in_the_thread_that_tests(self):
        broken, fresh = mock.Mock(), mock.Mock()

        def breaks():
            # libvirt calls it in the thread that has found out.
            self.host._close_callback(broken, 1, None)
            raise fakelibvirt.make_libvirtError(
                fakelibvirt.libvirtError, 'end of file',
                error_code=fakelibvirt.VIR_ERR_INTERNAL_ERROR,
                error_domain=fakelibvirt.VIR_FROM_RPC)

        broken.getLibVersion.side_effect = breaks
        self.host._wrapped_conn = broken
        found = []
        with mock.patch.object(self.host, '_get_new_connection',
                               return_value=fresh):
            asking = threading.Thread(
                target=lambda: found.append(self.host.get_connection()),
                daemon=True)
            asking.start()
            asking.join(10)
        self.assertEqual([fresh], found)
