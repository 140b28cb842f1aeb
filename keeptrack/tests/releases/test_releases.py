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

"""The series on the releases that the package index has.

Each is applied and imported.  In the newest of each target the tests that the
series adds are run as well, in its first those of Nova's own classes, and in
the newest of all Nova's own tests, before and after.  Of the targets older
than 2025.1 only the newest release is proved, by the unit tests that the
series adds.  Of those whose line has ended, which are for the first releases
of a line, or whose tests need an older Python than the kit does, only that
the series goes on: more would not fit into CI's time.
"""

import json
import os
import pathlib
import re

import fixtures
from packaging import version

from keeptrack.series import nova_release
from keeptrack.series import targets
from keeptrack.tests import base
from keeptrack.verify import environment

PATCHES = pathlib.Path(__file__).parents[3] / 'patches'
# the tests have a home of their own; pip's settings and the environments
# stay in the user's
HOME = os.path.expanduser('~')
CACHE = environment.cache_folder()

# ours that import Nova's manager and driver and call their methods
IN_NOVAS_CLASSES = ('nova.tests.unit.compute.test_live_migration_',
                    'nova.tests.unit.virt.libvirt.test_driver_')
# the oldest that the kit itself runs on
KITS_PYTHON = version.Version('3.11')
# proved in short: the targets before this release
SHORT_BEFORE = version.Version('31')


def is_short(target):
    """Tell whether a target is proved in short (bool)."""
    return version.Version(target.bases[0].release) < SHORT_BEFORE


def is_without_tests(target):
    """Tell whether a target's series is put on only, and no test run (bool).

    Upstream takes no more patches on such a line, or has taken some after the
    target's last release, or its Python is older than the kit's.
    """
    refs = [base.ref for base in target.bases if base.ref]
    return (version.Version(target.python) < KITS_PYTHON or
            any(ref.endswith('-eol') or targets.is_version(ref)
                for ref in refs))


class ReleasesTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        for name, value in (('HOME', HOME), ('XDG_CACHE_HOME', CACHE.parent)):
            self.useFixture(fixtures.EnvironmentVariable(name, str(value)))

    def succeeds(self, *argv):
        status, out, err = self.run_keeptrack('--patches', str(PATCHES),
                                              *argv)
        self.assertEqual((0, ''), (status, err), self.progress)
        return out


class EveryTargetTestCase(ReleasesTestCase):

    def releases(self):
        """The releases that are a target's base, and each one's newest.

        :returns: dict of str: the release to whether it is a newest one
        """
        known = [target for target in targets.load_all(PATCHES)
                 if target.is_published]
        found = dict.fromkeys((each.release for target in known
                               for each in target.bases
                               if each.published and not is_short(target)),
                              False)
        found.update((nova_release.newest(target.releases), True)
                     for target in known)
        return found

    def test_our_own_tests(self):
        releases = self.releases()
        self.assertTrue(releases)
        # all of Nova's and ours run there
        with nova_release.unpacked() as folder:
            whole = folder.name
        for release, is_newest in sorted(releases.items()):
            with nova_release.unpacked(release) as folder:
                if folder.name != whole:
                    self.prove(folder, is_newest)

    def prove(self, folder, with_all_tests):
        self.succeeds('apply', str(folder))
        row = json.loads(self.succeeds('status', str(folder), '-f', 'json'))
        self.assertEqual(([], False), (row['missing'], row['vulnerable']))
        # it can be taken off again, which verify does
        self.assertIn('has the series already',
                      self.succeeds('apply', str(folder)))
        target = targets.load(PATCHES / row['target'])
        if is_without_tests(target):
            return
        wanted = ('nova.tests.unit.' if is_short(target) else
                  'nova.tests.' if with_all_tests else IN_NOVAS_CLASSES)
        modules = [module for module in target.our_modules
                   if module.startswith(wanted)]
        self.assertTrue(modules)
        chosen = []
        for module in modules:
            chosen += ['--tests', module]
        rows = json.loads(self.succeeds('verify', str(folder), '-f', 'json',
                                        *chosen))
        self.assertEqual(set(modules), {row['Module'] for row in rows})
        self.assertEqual(sum(row['Tests'] for row in rows),
                         sum(row['Passed'] for row in rows))


class NewestTestCase(ReleasesTestCase):

    def test_novas_own_tests(self):
        here = self.folder / 'here'
        here.mkdir()
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(here)
        status, out, err = self.run_keeptrack('--patches', str(PATCHES),
                                              'apply', '--verify')
        self.assertEqual(0, status, self.progress)
        # the series removes a function, and its tests
        self.assertEqual([], [line for line in err.splitlines()
                              if '.test_live_migration_recover_tasks_' not in
                              line or 'no longer there' not in line])
        self.assertIn('No test fails with the series', out)
        counts = [int(found) for found in re.findall(r'(\d+) run', out)]
        self.assertEqual(3, len(counts), out)
        self.assertGreater(min(counts), 100, out)
        # the series adds a few to the classes that Nova has
        self.assertLessEqual(counts[0], counts[1])
