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

from keeptrack.drill import drilled_trees
from keeptrack.series import parts
from keeptrack.tests import base

RECOVERY = 'nova/compute/live_migration_recovery.py'
CHECKS = ('class ComputeManager:\n'
          '    def _check_live_migrations(self, context):\n        pass\n')


class NamedTestCase(base.TestCase):

    def subject(self, files=(), has=()):
        """The subject of a tree with these files and parts."""
        tree = mock.Mock(is_clone=False, path=self.folder)
        tree.read = dict(files).get
        tree.release.return_value = '34.0.0'
        tree.findings.return_value.origins = dict(has)
        found, = drilled_trees.named([tree], lambda tree: None)
        return found.name, found.series

    def test_without_the_series(self):
        self.assertEqual(('34.0.0', False), self.subject(
            {parts.MANAGER: 'class ComputeManager:\n    pass\n'}))

    def test_the_series(self):
        self.assertEqual(('34.0.0 + series', True), self.subject(
            {RECOVERY: '', parts.MANAGER: CHECKS}))

    def test_a_module_that_nothing_calls_is_a_part(self):
        self.assertEqual(('34.0.0 + part of the series', False), self.subject(
            {RECOVERY: '', parts.MANAGER: 'class ComputeManager: pass'}))

    def test_a_part_of_the_series(self):
        self.assertEqual(('34.0.0 + part of the series', False), self.subject(
            has={'monitor': parts.OURS, 'events': parts.UPSTREAM}))
