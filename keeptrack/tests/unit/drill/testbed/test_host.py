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


import subprocess
from unittest import mock

from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import host
from keeptrack.tests import base


class HostTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.host = host.Host('source', 'kt0-a', self.folder)
        self.host.space = mock.Mock()

    def test_what_takes_too_long(self):
        self.host.space.run.side_effect = subprocess.TimeoutExpired('x', 3)
        exc = self.assertRaises(errors.TestbedError, self.host.virsh, 'list')
        self.assertEqual('virsh list on the source took longer than 10 s',
                         str(exc))

    def test_power_that_is_lost(self):
        remembered = self.folder / 'run' / 'libvirt' / 'qemu' / 'guest.xml'
        remembered.parent.mkdir(parents=True)
        remembered.touch()
        defined = self.folder / 'etc' / 'qemu' / 'guest.xml'
        defined.parent.mkdir(parents=True)
        defined.touch()
        self.host.space.processes.return_value = []
        with mock.patch.object(self.host, 'libvirtd') as libvirtd:
            self.host.lose_power()
        libvirtd.kill.assert_called_once_with()
        self.assertEqual((False, True),
                         (remembered.exists(), defined.exists()))

    def test_a_domain_whose_removal_hangs(self):
        def run(command, **kwargs):
            if 'undefine' in command:
                raise subprocess.TimeoutExpired(command, kwargs['timeout'])
            return mock.Mock(returncode=0, stdout='some-uuid')
        self.host.space.run = run
        self.host.space.processes.return_value = []
        self.assertRaises(errors.TestbedError, self.host.clean)
