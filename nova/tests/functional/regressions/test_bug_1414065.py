# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

import fixtures

from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional.libvirt import base


class TestLiveMigrationErrorAfterMove(
    base.LibvirtMigrationMixin, base.ServersTestBase,
):
    """Regression test for bug 1414065.

    libvirt raises after the guest has moved, and cannot be asked about the
    guest in that moment: libvirtd on the source was restarted, for instance.
    """

    microversion = 'latest'
    ADMIN_API = True

    def setUp(self):
        super().setUp()
        self.src, self.dest = [
            self.computes[self.start_compute(hostname=name)]
            for name in ('src', 'dest')]
        self.useFixture(fixtures.MonkeyPatch(
            'nova.virt.libvirt.host.Host._connect',
            lambda *args: self.dest.driver._host.get_connection()))
        self.server = self._create_server(host='src', networks='auto')

    def _domain(self, compute):
        connection = compute.driver._host.get_connection()
        try:
            return connection.lookupByUUIDString(self.server['id'])
        except fakelibvirt.libvirtError:
            return None

    def _migrate_stub(self, domain, destination, params, flags):
        self.dest.driver._host.get_connection().createXML(
            params['destination_xml'], 0)
        source = self._domain(self.src)
        source._job_type = fakelibvirt.VIR_DOMAIN_JOB_NONE
        source.destroy()
        source.undefine()
        error = fakelibvirt.make_libvirtError(
            fakelibvirt.libvirtError, 'Cannot recv data: Connection reset',
            error_code=fakelibvirt.VIR_ERR_SYSTEM_ERROR)

        def is_active():
            raise error

        source.isActive = is_active
        raise error

    def test_error_after_move(self):
        server = self._live_migrate(self.server, 'completed', 'ACTIVE')
        self.assertEqual('dest', server['OS-EXT-SRV-ATTR:host'])
        self.assertTrue(self._domain(self.dest).isActive())
        self.assertIsNone(self._domain(self.src))
        self._reboot_server(self.server, hard=True)
        self.assertTrue(self._domain(self.dest).isActive())
        self.assertIsNone(self._domain(self.src))
