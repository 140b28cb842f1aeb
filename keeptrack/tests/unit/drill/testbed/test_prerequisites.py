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
import os
from unittest import mock

from keeptrack.drill.testbed import prerequisites
from keeptrack import errors
from keeptrack.tests import base


class NeedsTestCase(base.TestCase):

    def refusal(self, uid=0):
        with mock.patch.object(os, 'geteuid', return_value=uid):
            return str(self.assertRaises(errors.KeeptrackError,
                                         prerequisites.refuse_without))

    def test_a_missing_command(self):
        with mock.patch.object(prerequisites, 'COMMANDS',
                               (('no-such', 'package'),)):
            self.assertIn('there is no no-such (Debian: package)',
                          self.refusal())

    def test_a_missing_file(self):
        with mock.patch.object(prerequisites, 'FILES',
                               ((('/no/such.so',), 'package'),)):
            self.assertIn('there is no such.so (Debian: package)',
                          self.refusal())

    def test_what_a_guest_that_writes_needs_besides(self):
        with mock.patch.object(prerequisites, 'WRITES',
                               (('no-such', 'package'),)):
            self.assertEqual(
                ['there is no no-such (Debian: package)'],
                [reason for reason in prerequisites.missing(writes=True)
                 if reason not in prerequisites.missing()])

    def test_what_volumes_need_besides(self):
        with mock.patch.object(prerequisites, 'VOLUMES',
                               (('no-such', 'package'),)), \
                mock.patch.object(prerequisites, 'VOLUME_FILES',
                                  ((('/no/such.so',), 'modules'),)):
            self.assertEqual(
                {'there is no no-such (Debian: package)',
                 'there is no such.so (Debian: modules)'},
                set(prerequisites.missing(cloud=True, volumes=True)) -
                set(prerequisites.missing(cloud=True)))

    def test_no_root(self):
        self.assertIn('it needs root', self.refusal(uid=1000))

    def test_all_there(self):
        with mock.patch.object(prerequisites, 'COMMANDS', (('sh', 'dash'),)), \
                mock.patch.object(prerequisites, 'FILES', ()), \
                mock.patch.object(os, 'geteuid', return_value=0):
            self.assertEqual([], prerequisites.missing())
