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

import types

from keeptrack.series import cherry_pick
from keeptrack.series import git
from keeptrack.series import parts
from keeptrack.series import patchfile
from keeptrack.tests import base
from keeptrack.tests import synthetic

HEAD = 'class ComputeManager(object):\n    pass\n\n\n'
CHANGE = 'I' + 40 * '7'
MESSAGE = 'compute: guard\n\nWhy.\n\nPartial-Bug: #1\nChange-Id: %s\n' % CHANGE


class PicksTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.clone = self.folder / 'nova'
        self.clone.mkdir()
        git.run(self.clone, 'init', '--quiet')
        synthetic.write(self.clone, {
            'setup.cfg': 'version = 2.0\n',
            parts.DRIVER: 'class LibvirtDriver(object):\n    pass\n',
            parts.MANAGER: HEAD + 'one\ntwo\n'})
        base.git_commit(self.clone, 'base')
        synthetic.write(self.clone, {parts.MANAGER: HEAD + 'one\nguard\ntwo\n',
                                     synthetic.GUARD: 'guard\n'})
        base.git_commit(self.clone, MESSAGE)
        self.commit = git.line(self.clone, 'rev-parse', 'HEAD')
        self.patch = patchfile.parse('0001.patch', git.run(
            self.clone, 'format-patch', '-1', '-U1', '--stdout').decode())
        self.fits = True
        self.source = types.SimpleNamespace(fits=lambda *args: self.fits)

    def told(self, patch=None):
        patch = patch or self.patch
        return cherry_pick.Sources(
            types.SimpleNamespace(path=self.clone), self.source,
            [patch]).with_origin(patch).head

    def test_the_commit_is_named_under_the_change_id(self):
        self.assertTrue(self.told().endswith(
            'Change-Id: %s\n(cherry picked from commit %s)\n' % (
                CHANGE, self.commit)))
        self.assertNotIn('Conflicts', self.told())

    def test_files_that_differ_are_conflicts(self):
        other = patchfile.parse('0001.patch', self.patch.render().replace(
            '+guard\n two', '+other\n two'))
        self.assertIn('Why.\n\nConflicts:\n\t%s\n\nPartial-Bug: #1\n' %
                      parts.MANAGER, self.told(other))

    def test_another_tree_is_no_source(self):
        self.fits = False
        self.assertEqual(self.patch.head, self.told())

    def test_the_version_is_the_tag_behind_it_where_no_file_tells(self):
        seen = []
        self.source = types.SimpleNamespace(
            fits=lambda version, *args: seen.append(version))
        git.run(self.clone, 'tag', '3.0', 'HEAD~1')
        git.run(self.clone, 'checkout', '--quiet', '3.0')
        git.run(self.clone, 'rm', '--quiet', 'setup.cfg')
        base.git_commit(self.clone, 'no version')
        synthetic.write(self.clone, {synthetic.GUARD: 'guard\n'})
        base.git_commit(self.clone, MESSAGE)
        git.run(self.clone, 'branch', 'other')
        self.told()
        self.assertEqual({'2.0', '3.0'}, set(seen))

    def test_a_tree_without_nova_is_no_source(self):
        git.run(self.clone, 'rm', '--quiet', parts.DRIVER)
        base.git_commit(self.clone, 'no driver')
        synthetic.write(self.clone, {synthetic.GUARD: 'more\n'})
        base.git_commit(self.clone, MESSAGE.replace(CHANGE, 'I' + 40 * '9'))
        other = patchfile.parse('0001.patch', self.patch.render().replace(
            CHANGE, 'I' + 40 * '9'))
        self.assertEqual(other.head, self.told(other))

    def test_a_clone_without_the_change_says_nothing(self):
        other = patchfile.parse('0001.patch', self.patch.render().replace(
            CHANGE, 'I' + 40 * '8'))
        self.assertEqual(other.head, self.told(other))
