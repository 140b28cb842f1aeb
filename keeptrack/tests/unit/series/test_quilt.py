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
import shutil
import subprocess

from keeptrack.series import parts
from keeptrack.tests import base
from keeptrack.tests import synthetic

SERIES = 'debian/patches/series'
APPLIED = '.pc/applied-patches'
OTHERS = 'theirs.patch # for a reason\n'


class QuiltTestCase(synthetic.NovaTestCase):
    """A source package of the format 3.0 (quilt)."""

    def setUp(self):
        super().setUp()
        self.tree = self.unpack('1.1')
        synthetic.write(self.tree, {
            'debian/source/format': '3.0 (quilt)\n',
            SERIES: OTHERS, APPLIED: 'theirs.patch\n',
            'debian/patches/theirs.patch': 'x',
            '.pc/.version': '2\n', '.pc/.quilt_series': 'series\n',
            '.pc/.quilt_patches': 'debian/patches\n'})

    def names(self):
        return ['keeptrack/' + path.name for path in
                sorted(self.nova.target.glob('*.patch'))]

    def text(self, name):
        return (self.tree / name).read_text()

    def apply(self, *argv):
        status, out, err = self.keeptrack('apply', str(self.tree), *argv)
        self.assertEqual((0, ''), (status, err))
        return out

    def test_on_top_of_the_patches_of_the_package(self):
        driver = self.text(parts.DRIVER)
        self.assertIn('as quilt patches in debian/patches/keeptrack',
                      self.apply())
        names = self.names()
        self.assertEqual(OTHERS + '\n'.join(names) + '\n', self.text(SERIES))
        self.assertEqual('theirs.patch\n' + '\n'.join(names) + '\n',
                         self.text(APPLIED))
        self.assertEqual(driver, self.text('.pc/%s/%s' % (names[0],
                                                          parts.DRIVER)))
        self.assertEqual('', self.text('.pc/%s/%s' % (names[0],
                                                      parts.MONITOR)))
        for name in names:
            self.assertTrue((self.tree / 'debian/patches' / name).is_file())
        self.assertIn('has the series already', self.apply())

    def test_undo(self):
        before = base.snapshot(self.tree)
        self.apply()
        # quilt leaves files of its own there
        (self.tree / '.pc' / self.names()[0] / '.timestamp').touch()
        self.apply('--undo')
        self.assertEqual(before, base.snapshot(self.tree))

    def test_undo_below_other_patches(self):
        self.apply()
        with open(self.tree / APPLIED, 'a') as f:
            f.write('later.patch\n')
        before = base.snapshot(self.tree)
        self.assertIn('quilt pop later.patch', self.refusal(
            'apply', '--undo', str(self.tree)))
        self.assertEqual(before, base.snapshot(self.tree))

    def test_a_package_without_patches(self):
        shutil.rmtree(self.tree / '.pc')
        (self.tree / SERIES).unlink()
        self.apply()
        self.assertEqual('2\n', self.text('.pc/.version'))
        self.assertEqual('\n'.join(self.names()) + '\n', self.text(SERIES))

    def test_refuses_patches_that_are_not_applied(self):
        shutil.rmtree(self.tree / '.pc')
        before = base.snapshot(self.tree)
        line = self.refusal('apply', str(self.tree))
        self.assertIn('patches that are not applied (theirs.patch)', line)
        self.assertEqual(before, base.snapshot(self.tree))

    def test_refuses_a_file_in_the_way(self):
        synthetic.write(self.tree, {
            'debian/patches/' + self.names()[1]: 'mine'})
        self.assertIn('is there already',
                      self.refusal('apply', str(self.tree)))

    def test_another_format(self):
        (self.tree / 'debian/source/format').write_text('1.0\n')
        self.assertNotIn('quilt', self.apply())
        self.assertEqual(OTHERS, self.text(SERIES))

    def test_quilt_agrees(self):
        if shutil.which('quilt') is None:
            self.skipTest('NOT TESTED: quilt is not installed')
        (self.tree / SERIES).write_text('')
        (self.tree / APPLIED).unlink()
        before = self.text(parts.MANAGER)
        self.apply()
        after = self.text(parts.MANAGER)

        def quilt(*argv):
            subprocess.run(('quilt',) + argv, cwd=self.tree, check=True,
                           stdout=subprocess.DEVNULL, env=dict(
                               os.environ, QUILT_PATCHES='debian/patches'))
        quilt('pop', '-a')
        self.assertEqual(before, self.text(parts.MANAGER))
        self.assertFalse((self.tree / synthetic.GUARD).exists())
        quilt('push', '-a')
        self.assertEqual(after, self.text(parts.MANAGER))
