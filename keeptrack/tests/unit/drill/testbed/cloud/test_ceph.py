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

from unittest import mock

from keeptrack.drill.testbed.cloud import ceph
from keeptrack.drill.testbed.cloud import places
from keeptrack.tests import base


class CephTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.places = places.Places(self.folder)
        self.places.run.mkdir()
        self.node = mock.Mock()
        self.ceph = ceph.Ceph(self.places, self.node)

    def commands(self):
        return [call[0][0] for call in self.node.check.call_args_list]

    def test_cinder_sees_the_modules_of_ceph_and_no_others(self):
        debian = self.folder / 'python3'
        debian.mkdir()
        for name in ('rbd.so', 'other.so'):
            (debian / name).touch()
        with mock.patch.object(
                ceph.prerequisites, 'VOLUME_FILES', (
                    ((f'{debian}/rbd*.so',), 'python3-rbd'),
                    ((f'{self.folder}/qemu/*.so',), 'qemu-block-extra'))):
            self.ceph.make_monitor()
        self.assertEqual(['rbd.so'], [
            path.name for path in
            ceph.modules_folder(self.places).iterdir()])
        self.assertEqual([['ceph-mon', '--mkfs', '--id', 'a']],
                         self.commands())

    def test_the_monitor_knows_the_disk_before_it_is_made(self):
        self.ceph.make_disk()
        new, mkfs = self.commands()
        self.assertEqual(['ceph', 'osd', 'new', mkfs[-1], '0'], new)
        self.assertEqual(['ceph-osd', '--mkfs', '--id', '0', '--osd-uuid'],
                         mkfs[:-1])

    def test_the_pool(self):
        self.ceph.make_pool()
        self.assertEqual([['ceph', 'osd', 'pool', 'create', 'volumes', '8'],
                          ['rbd', 'pool', 'init', 'volumes']],
                         self.commands())
