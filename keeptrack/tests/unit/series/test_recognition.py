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

import shutil

from keeptrack.series import git
from keeptrack.series import parts
from keeptrack.series import recognition
from keeptrack.series import targets
from keeptrack.series import tree
from keeptrack.tests import base
from keeptrack.tests import synthetic

SERVICE = 'nova/objects/service.py'


class RecognitionTestCase(synthetic.NovaTestCase):
    """A tree whose version does not tell; the targets say how to."""

    def setUp(self):
        super().setUp()
        self.edit(self.nova.target, 'without = ["monitor"]',
                  'without = ["monitor"]\nservice_version = 64')
        # a newer one of the same line, which other Novas have
        self.newer = self.nova.patches / 'newer'
        shutil.copytree(self.nova.target, self.newer)
        self.edit(self.newer, 'name = "juno"', 'name = "newer"')
        self.edit(self.newer, '">=1.0,<2.0"', '">=1.2,<2.0"')
        self.edit(self.newer, 'release = "1.1"', 'release = "1.2"')
        for path in self.newer.glob('0001-*'):
            path.write_text(path.read_text().replace('\n         move()\n',
                                                     '\n         go()\n'))
        self.tree = self.unpack('1.1')
        (self.tree / 'setup.cfg').write_text('[metadata]\n')
        synthetic.write(self.tree, {SERVICE: 'SERVICE_VERSION = 64\n'})

    def edit(self, folder, old, new):
        synthetic.replace(folder, 'target.toml', old, new)

    def found(self):
        return recognition.of(tree.Tree(self.tree),
                              targets.load_all(self.nova.patches))

    def assertFound(self, name, by_content):
        found = self.found()
        self.assertEqual((name, by_content),
                         (found.target.name, found.release is None))

    def test_by_what_goes_on(self):
        self.assertFound('juno', True)
        status, out, err = self.keeptrack('apply', str(self.tree))
        self.assertEqual((0, ''), (status, err))
        self.assertIn('is recognised as juno by SERVICE_VERSION',
                      self.progress)
        self.assertIn('4 patches of juno applied', out)
        # and by what is there
        self.assertFound('juno', True)

    def test_by_the_version_of_a_release(self):
        (self.tree / 'PKG-INFO').write_text('Name: nova\nVersion: 1.2.3\n')
        self.assertFound('newer', False)

    def test_by_the_version_of_a_package(self):
        for line, name in (('nova (2:1.0.2-1~deb12u4) x', 'juno'),
                           ('nova (3:1.2.1-0ubuntu2.7) x', 'newer'),
                           ('nova (3:1.2.0~rc1-0ubuntu1) x', 'juno')):
            synthetic.write(self.tree, {'debian/changelog': line + '\n'})
            self.assertFound(name, False)

    def test_a_version_of_another_line_is_not_believed(self):
        (self.tree / 'PKG-INFO').write_text('Name: nova\nVersion: 7.5\n')
        self.assertFound('juno', True)
        status, _, err = self.keeptrack('apply', str(self.tree), '--dry-run')
        self.assertEqual((0, ''), (status, err))
        self.assertIn('7.5, as its version, is no release of its line',
                      self.progress)

    def test_a_fork_with_tags_of_its_own(self):
        git.run(self.tree, 'init', '--quiet', '--initial-branch=acme')
        base.git_commit(self.tree, 'all')
        self.assertFound('juno', True)
        git.run(self.tree, 'tag', '2024.11.3')
        self.assertFound('juno', True)
        status, _, err = self.keeptrack('apply', str(self.tree), '--dry-run')
        self.assertEqual((0, ''), (status, err))
        self.assertIn('2024.11.3, as its tags tell', self.progress)
        git.run(self.tree, 'tag', '-d', '2024.11.3')
        self.keeptrack('apply', str(self.tree), '--dry-run')
        self.assertIn('HEAD has no tag of a release', self.progress)

    def test_a_release_of_the_line_before_its_targets(self):
        (self.tree / 'PKG-INFO').write_text('Name: nova\nVersion: 1.2\n')
        shutil.rmtree(self.nova.target)
        (self.tree / 'PKG-INFO').write_text('Name: nova\nVersion: 1.1\n')
        line = self.refusal('apply', str(self.tree))
        self.assertIn('no target yet for Nova 1.1: newer, of the same line, '
                      'is for releases >=1.2,<2.0', line)

    def test_what_nothing_tells(self):
        synthetic.write(self.tree, {SERVICE: 'SERVICE_VERSION = 65\n'})
        self.assertIsNone(self.found().target)
        line = self.refusal('apply', str(self.tree))
        self.assertIn('has no PKG-INFO', line)
        self.assertIn('--target', line)
        status, out, err = self.keeptrack('apply', str(self.tree),
                                          '--target', 'juno')
        self.assertEqual((0, ''), (status, err))
        self.assertIn('4 patches of juno applied', out)
        self.assertIn('there is no target none', self.refusal(
            'apply', str(self.tree), '--target', 'none'))

    def test_a_target_that_the_user_chose_does_not_go_on(self):
        self.assertIn('0001-libvirt-monitor-the-job.patch does not apply',
                      self.refusal('apply', str(self.tree), '--target',
                                   'newer'))

    def test_lines_that_share_their_services(self):
        self.edit(self.newer, 'service_version = 64',
                  'service_version = 64\noldest_service = "Ussuri"')
        self.edit(self.nova.target, 'service_version = 64',
                  'service_version = 64\noldest_service = "Train"')
        for name, release in (('Ussuri', 'newer'), ('Train', 'juno')):
            synthetic.write(self.tree, {SERVICE: (
                'SERVICE_VERSION = 64\n'
                "OLDEST_SUPPORTED_SERVICE_VERSION = '%s'\n" % name)})
            self.assertFound(release, True)

    def test_a_tree_of_which_nothing_goes_on(self):
        synthetic.replace(self.tree, parts.DRIVER, '        move()\n',
                          '        else_where()\n')
        self.assertFound('newer', True)
