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

from keeptrack.tests import base
from keeptrack.tests import synthetic


class ExportTestCase(synthetic.NovaTestCase):

    def export(self, *argv):
        status, out, err = self.keeptrack('export', *argv)
        self.assertEqual((0, ''), (status, err))
        return out.splitlines()

    def names(self):
        return sorted(path.name for path in self.nova.target.glob('*.patch'))

    def test_a_spec_file(self):
        lines = self.export('--rpm')
        self.assertEqual(
            ['Patch%04d:        %s' % pair for pair in
             enumerate(self.names(), 1)],
            [line for line in lines if line.startswith('Patch')])
        self.assertEqual(1, len([line for line in lines
                                 if line.startswith('%autosetup')]))
        for line in lines:
            if line.startswith('#'):
                # a macro in a comment would be expanded
                self.assertNotIn('%', line.replace('%%', ''))
        for name in self.names():
            self.assertIn('#   %s' % os.path.realpath(
                self.nova.target / name), lines)

    def test_after_the_patches_of_a_package(self):
        lines = self.export('--rpm', '--target', 'juno', '--first', '12')
        self.assertIn('Patch0012:        ' + self.names()[0], lines)
        self.assertIn('#%%patch -P 15 -p1', lines)

    def test_a_series_of_debian(self):
        lines = self.export('--deb')
        self.assertEqual(self.names(), [line for line in lines
                                        if not line.startswith('#')])

    def test_the_patches_are_copied(self):
        # a symbolic link becomes a file
        link = self.nova.target / self.names()[1]
        link.rename(self.nova.patches / 'kept')
        link.symlink_to('../kept')
        folder = self.folder / 'out'
        for words in (('--deb',), ('--rpm',)):
            lines = self.export('--output', str(folder), *words)
            self.assertIn('#   copied to %s' % folder, lines)
            self.assertEqual(self.names(), sorted(os.listdir(folder)))
            for name in self.names():
                self.assertFalse((folder / name).is_symlink())
                self.assertEqual((self.nova.target / name).read_bytes(),
                                 (folder / name).read_bytes())
                (folder / name).unlink()

    def test_nothing_is_overwritten(self):
        folder = self.folder / 'out'
        folder.mkdir()
        (folder / self.names()[2]).symlink_to('nowhere')
        before = base.snapshot(folder)
        self.assertIn('is there already', self.refusal(
            'export', '--deb', '--output', str(folder)))
        self.assertEqual(before, base.snapshot(folder))

    def test_all_or_nothing(self):
        folder = self.folder / 'out'
        (self.nova.target / self.names()[3]).unlink()
        self.refusal('export', '--deb', '--output', str(folder))
        self.assertFalse(folder.exists())

    def test_a_disk_that_is_full(self):
        folder = self.folder / 'out'
        with mock.patch('os.replace', side_effect=[None, None, OSError(
                28, 'No space left on device')]):
            self.assertIn('No space left', self.refusal(
                'export', '--deb', '--output', str(folder)))
        self.assertFalse(folder.exists())

    def test_a_link_that_became_a_file(self):
        (self.nova.target / self.names()[0]).write_text('../other/0001.patch')
        self.assertIn(self.names()[0], self.refusal(
            'export', '--deb', '--output', str(self.folder / 'out')))
        self.assertFalse((self.folder / 'out').exists())

    def test_refusals(self):
        (self.folder / 'file').write_text('')
        for words, told in (
                (('--rpm', '--target', 'none'), 'there is no target none'),
                (('--deb', '--first', '2'), 'leave it out'),
                (('--rpm', '--first', '0'), 'choose another'),
                (('--rpm', '--first', '9998'), 'choose another'),
                (('--deb', '--output', str(self.folder / 'file')),
                 'is no folder'),
                (('--deb', '--output', str(self.folder / 'no' / 'where')),
                 'cannot be written')):
            self.assertIn(told, self.refusal('export', *words))
        for words in ((), ('--rpm', '--deb')):
            self.assertIn('choose one', self.refusal('export', *words))
