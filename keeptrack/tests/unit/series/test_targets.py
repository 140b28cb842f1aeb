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

import json
import pathlib
import shutil
from unittest import mock

import testtools

from keeptrack import errors
from keeptrack.series import targets
from keeptrack.tests import base
from keeptrack.tests import synthetic


class TargetsTestCase(synthetic.NovaTestCase):

    def setUp(self):
        super().setUp()
        self.file = self.nova.target / 'target.toml'

    def load(self):
        return targets.load(self.nova.target)

    def edit(self, old, new):
        synthetic.replace(self.nova.target, 'target.toml', old, new)

    def refusal_of_load(self):
        line = str(self.assertRaises(errors.KeeptrackError, self.load))
        self.assertIn(str(self.file), line)
        return line

    def fits(self, release, upstream=(), files=()):
        return self.load().fits(release, set(upstream), files.__contains__)

    def test_fits_by_release_and_parts(self):
        self.assertTrue(self.fits('1.0', {'loop'}))
        self.assertTrue(self.fits('1.9.dev3'))
        self.assertFalse(self.fits('2.0'))
        self.assertFalse(self.fits('1.0', {'monitor'}))
        self.assertFalse(self.fits(None))
        self.assertFalse(self.fits('rubbish'))
        self.edit('without = ["monitor"]', 'with = ["monitor"]')
        self.assertTrue(self.fits('1.0', {'monitor', 'loop'}))
        self.assertFalse(self.fits('1.0'))

    def test_fits_by_files(self):
        self.edit('without = ["monitor"]',
                  'with_files = ["a", "b"]\nwithout_files = ["c"]')
        self.assertTrue(self.fits('1.0', files=['a', 'b', 'd']))
        self.assertFalse(self.fits('1.0', files=['a']))
        self.assertFalse(self.fits('1.0', files=['a', 'b', 'c']))

    def test_a_base_is_a_commit_or_published(self):
        self.assertFalse(self.load().is_published)
        self.edit('ref = "1.1"\ncommit', 'published = true\ncommit')
        self.assertIn('1.1 needs a commit or to be published',
                      self.refusal_of_load())

    def test_published_bases(self):
        self.nova.publish()
        self.assertTrue(self.load().is_published)
        self.assertTrue(self.load().base('1.1').published)

    def test_bases(self):
        target = self.load()
        self.assertEqual('1.1', target.base().name)
        self.assertTrue(target.base('1.0').needs_prerequisite)
        self.assertIsNone(target.base('9'))

    def test_the_newest_comes_first(self):
        newer = self.nova.patches / 'newer'
        shutil.copytree(self.nova.target, newer)
        synthetic.replace(newer, 'target.toml', 'name = "juno"',
                          'name = "newer"')
        synthetic.replace(newer, 'target.toml', 'release = "1.1"',
                          'release = "10.0"')
        found = targets.load_all(self.nova.patches)
        self.assertEqual(['newer', 'juno'], [each.name for each in found])
        self.assertIs(found[0], targets.by_name(found, 'newer'))
        self.assertRaises(errors.KeeptrackError, targets.by_name, found, 'x')

    def test_what_is_missing_is_named(self):
        self.edit('title = "a synthetic Nova"\n', '')
        self.assertIn("lacks the key 'title'", self.refusal_of_load())

    def test_a_wrong_key_is_named(self):
        self.edit('ref = "1.1"\ncommit', 'ref = "1.1"\nwrong = 1\ncommit')
        self.assertIn('wrong', self.refusal_of_load())

    def test_what_is_no_toml(self):
        self.file.write_text('name = ')
        self.assertIn('cannot be used', self.refusal_of_load())

    def test_a_name_that_is_not_the_folders(self):
        self.edit('name = "juno"', 'name = "kilo"')
        self.assertIn('not that of its folder', self.refusal_of_load())

    def test_a_specifier_that_is_none(self):
        self.edit('">=1.0,<2.0"', '"one"')
        self.refusal_of_load()

    def test_listing(self):
        status, out, _ = self.keeptrack('targets', '-f', 'json')
        self.assertEqual(0, status)
        self.assertEqual([{'Name': 'juno', 'Releases': ['1.0', '1.1'],
                           'Patches': 4, 'Python': '2.7'}], json.loads(out))

    def test_a_folder_that_is_none(self):
        self.assertIn('is no folder', self.refused(
            '--patches', '/no/where', 'targets'))

    def test_a_series_that_names_nothing(self):
        (self.nova.target / 'series').write_text('# none\n')
        self.assertIn('names no patch', self.refusal('targets'))

    def test_a_patch_that_is_missing(self):
        (self.nova.target / 'series').write_text('none.patch\n')
        self.assertIn('none.patch cannot be read',
                      self.refusal('apply', str(self.clone)))


class DefaultFolderTestCase(base.TestCase):

    def test_beside_the_sources_else_installed(self):
        sources = pathlib.Path(targets.__file__).parents[2]
        if not (sources / 'patches').is_dir():
            self.skipTest('%s has no patches/ yet' % sources)
        self.assertEqual(sources / 'patches', targets.default_folder())

    def test_what_an_installation_has(self):
        found = self.folder / 'share' / 'keeptrack' / 'patches'
        found.mkdir(parents=True)
        with mock.patch.object(targets, '__file__',
                               '/no/keeptrack/series/x.py'):
            with mock.patch('sysconfig.get_path',
                            return_value=str(self.folder)):
                self.assertEqual(found, targets.default_folder())
            with mock.patch('sysconfig.get_path', return_value='/no'):
                self.assertRaises(errors.KeeptrackError,
                                  targets.default_folder)

    def test_beside_the_package(self):
        """Where pip install --target puts them."""
        found = self.folder / 'share' / 'keeptrack' / 'patches'
        found.mkdir(parents=True)
        with mock.patch.object(targets, '__file__',
                               str(self.folder / 'keeptrack/series/x.py')):
            self.assertEqual(found, targets.default_folder())


class RealTargetsTestCase(testtools.TestCase):
    """The targets that this project ships."""

    def setUp(self):
        super().setUp()
        folder = pathlib.Path(__file__).parents[4] / 'patches'
        self.targets = targets.load_all(folder) if folder.is_dir() else []
        if not self.targets:
            self.skipTest('NOT TESTED: %s holds no target yet' % folder)

    def test_every_base_lacks_or_has_the_prerequisite_as_said(self):
        for target in self.targets:
            if target.prerequisite is None:
                continue
            self.assertEqual(
                sorted(target.prerequisite.releases),
                sorted({base.release for base in target.bases
                        if base.needs_prerequisite}))
