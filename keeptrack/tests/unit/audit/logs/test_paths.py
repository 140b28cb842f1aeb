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

"""Which files are read, and whose they are."""

import os
from unittest import mock

from keeptrack.audit.logs import paths
from keeptrack import errors
from keeptrack.tests import base


class HostTestCase(base.TestCase):

    def test_what_a_path_tells(self):
        for path, host in (
                ('nova-compute-cmp1.log', 'cmp1'),
                ('x/nova-compute-cmp1.example.org.log.2.gz',
                 'cmp1.example.org'),
                ('nova-compute-10.0.0.7.log', '10.0.0.7'),
                ('cmp1/nova-compute.log', 'cmp1'),
                ('cmp1/nova-compute.log.1', 'cmp1'),
                ('cmp1/nova-compute.log-20150123.gz', 'cmp1'),
                ('cmp1/nova-compute.1.log', 'cmp1'),
                ('cmp1/nova-compute-20150123.log', 'cmp1'),
                ('cmp1/nova/nova-compute.log', 'cmp1'),
                ('cmp1/var/log/kolla/nova/nova-compute.log', 'cmp1'),
                ('cmp1/var/log/containers/nova/nova-compute.log', 'cmp1'),
                ('cmp1/2024-07-11/nova-compute.log', 'cmp1'),
                ('cmp1/2024/07/11/nova-compute.log', 'cmp1'),
                ('10.0.0.7/20240711/nova-compute.log', '10.0.0.7'),
                ('x/sosreport-cmp-1-2024-07-11-rujznhs/var/log/nova/'
                 'nova-compute.log', 'cmp-1'),
                ('sosreport-cmp1-01234567-2024-07-11-rujznhs/var/log/messages',
                 'cmp1'),
                ('sosreport-cmp1.123456-20150123160000/var/log/messages',
                 'cmp1'),
                ('cmp1/containers/nova-compute-default-x7k2p_openstack_'
                 'nova-compute-0123.log', 'cmp1'),
                ('nova-compute-default-x7k2p_openstack_nova-compute-01.log',
                 None),
                ('cmp1/pods/openstack_nova-compute-x7k2p_0a-1b/nova-compute/'
                 '0.log', 'cmp1'),
                ('cmp1/var/lib/docker/containers/aa/aa-json.log', 'cmp1'),
                ('cmp1/messages', 'cmp1'), ('cmp1/syslog.2.gz', 'cmp1'),
                ('/var/log/nova/nova-compute.log', None),
                ('nova-compute.log', None),
                # the folder is that of many hosts' logs
                ('flat/cmp1.log', None), ('flat/cmp1-nova-compute.log', None),
                ('flat/nova-compute.log.cmp1', None)):
            self.assertEqual(host, paths.host_of(path), path)

    def test_rotated_logs_of_one_name_are_one_hosts(self):
        for path in ('a/b.log', 'a/b.log.1', 'a/b.log.2.gz',
                     'a/b.log-20150123.xz'):
            self.assertEqual('a/b.log', paths.stand_in(path))
        self.assertEqual('10.0.0.7', paths.stand_in('10.0.0.7'))

    def test_the_users_word_finds_its_file_however_it_is_written(self):
        self.useFixture(base.fixtures.MonkeyPatch('os.getcwd',
                                                  lambda: '/logs'))
        for written in ('a/x.log', './a//x.log', '/logs/a/x.log'):
            for name in ('a/x.log', '/logs/a/x.log'):
                self.assertEqual({name: 'h'}, paths.named_hosts(
                    {written: 'h'}, ['-', name, 'a/y.log']))
        self.assertEqual({'-': 'h'}, paths.named_hosts({'-': 'h'}, ['-']))

    def test_the_users_word_may_name_a_link(self):
        real, link = self.folder / 'real.log', self.folder / 'link.log'
        real.touch()
        link.symlink_to(real)
        self.assertEqual({str(real): 'h'}, paths.named_hosts(
            {str(link): 'h'}, [str(real)]))

    def test_a_word_of_no_file_is_refused(self):
        for path in ('b.log', '-', os.path.dirname(__file__)):
            self.assertRaises(errors.KeeptrackError, paths.named_hosts,
                              {path: 'h'}, ['a.log'])


class FilesTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.top = self.folder / 'logs'
        self.add('logs/b/x.log')
        self.add('logs/a/y.log')

    def add(self, name):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        return path

    def files(self, *more):
        found, self.unread = paths.files([str(self.top), *map(str, more)])
        return [os.path.relpath(one, self.folder) for one in found]

    def test_all_below_a_folder_in_order(self):
        self.assertEqual(['logs/a/y.log', 'logs/b/x.log'], self.files())
        self.assertEqual(['logs/b/x.log', 'logs/a/y.log'],
                         self.files(self.top / 'b' / 'x.log'))
        self.assertEqual({}, self.unread)

    def test_links_are_followed_and_loops_are_not(self):
        self.add('else/z.log')
        (self.top / 'a' / 'link').symlink_to(self.folder / 'else')
        (self.top / 'a' / 'up').symlink_to(self.top)
        (self.top / 'link.log').symlink_to(self.folder / 'else' / 'z.log')
        (self.folder / 'else' / 'back').symlink_to(self.top / 'a')
        self.assertEqual(
            ['logs/a/y.log', 'logs/b/x.log', 'logs/link.log'], self.files())

    def test_what_is_there_twice_is_read_under_its_own_name(self):
        (self.top / 'a' / 'a.log').symlink_to('y.log')
        (self.top / '0').symlink_to('b')
        self.assertEqual(['logs/a/y.log', 'logs/b/x.log'], self.files())

    def test_links_to_nothing_are_left_to_be_told(self):
        (self.top / 'a' / 'gone').symlink_to('nowhere')
        (self.top / 'a' / 'self').symlink_to('self')
        self.assertEqual(['logs/a/y.log', 'logs/b/x.log', 'logs/a/gone',
                          'logs/a/self'], self.files())

    def test_a_folder_that_cannot_be_read_is_told(self):
        scandir = os.scandir

        def refuse(path):
            if str(path).endswith('/a'):
                raise PermissionError(13, 'Permission denied')
            return scandir(path)
        with mock.patch('os.scandir', refuse):
            self.assertEqual(['logs/b/x.log'], self.files())
        self.assertEqual({str(self.top / 'a'): 'Permission denied'},
                         self.unread)
