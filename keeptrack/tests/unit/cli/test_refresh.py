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

import itertools
import json
import pathlib
import re
import runpy

import testtools

from keeptrack.series import added_files
from keeptrack.series import digests
from keeptrack.series import format_patch
from keeptrack.series import git
from keeptrack.series import parts
from keeptrack.series import patchfile
from keeptrack.series import series
from keeptrack.series import targets
from keeptrack.tests import base
from keeptrack.tests import synthetic


class RefreshTestCase(synthetic.NovaTestCase):

    def setUp(self):
        super().setUp()
        status, _, err = self.refresh('--bases', str(self.clone))
        self.assertEqual((0, ''), (status, err))

    def refresh(self, *argv):
        status, out, err = self.keeptrack('refresh', '-f', 'json', *argv)
        return status, json.loads(out) if out else [], err

    def patch(self, number):
        return next(self.nova.target.glob('%04d-*.patch' % number))

    def check(self):
        """Run --check, which never changes anything."""
        before = base.snapshot(self.nova.project)
        status, rows, err = self.refresh('--check')
        self.assertEqual(before, base.snapshot(self.nova.project))
        self.assertEqual('', err)
        self.assertEqual(1 if rows else 0, status)
        return [(row['Patch'], row['Differs']) for row in rows]

    def test_in_step(self):
        self.assertEqual([], self.check())
        before = base.snapshot(self.nova.project)
        self.assertEqual((0, [], ''), self.refresh())
        self.assertEqual(before, base.snapshot(self.nova.project))

    def test_a_hunk_that_does_not_land_on_a_base(self):
        name = self.patch(3).name
        synthetic.replace(self.nova.target, name, '     def _rollback_live',
                          '     def _rollbakc_live')
        rows = self.check()
        self.assertEqual(2, len(rows))
        for row, state in zip(rows, ('1.1', '1.0+')):
            self.assertIn('juno at %s' % state, row[1])
            self.assertIn('manager.py line ', row[1])

    def test_digests_tell_every_line_and_hold_no_text(self):
        target = targets.load(self.nova.target)
        found = digests.Digests.load(target)
        state = '1.0+' + self.nova.prerequisite[:12]
        for name, commit in ((state, self.nova.prerequisite),
                             ('1.1', self.nova.new)):
            for path in (parts.DRIVER, parts.MANAGER, synthetic.EVENT):
                text = git.run(self.clone, 'show', '%s:%s' % (
                    commit, path)).decode()
                self.assertEqual(
                    [digests.of_line(line) for line in
                     patchfile.split_lines(text)], found.lines(name, path))
                self.assertEqual(git.line(
                    self.clone, 'rev-parse', '%s:%s' % (commit, path)),
                    found.files[path][name]['blob'])
        self.assertNotIn('rollback', (
            self.nova.target / digests.FILE).read_text())
        self.assertIsNone(found.lines('1.1', 'no/file.py'))

    def test_the_state_with_the_prerequisite(self):
        target = targets.load(self.nova.target)
        found = digests.Digests.load(target)
        state = '1.0+' + self.nova.prerequisite[:12]
        blob = git.line(self.clone, 'rev-parse', '%s:%s' % (
            self.nova.prerequisite, parts.DRIVER))
        self.assertEqual(blob, found.files[parts.DRIVER][state]['blob'])
        # nothing is to land without it
        self.assertIsNone(found.lines('1.0', parts.DRIVER))

    def test_without_digests(self):
        (self.nova.target / digests.FILE).unlink()
        self.assertIn('refresh --bases', self.refusal('refresh', '--check'))

    def test_a_clone_that_lacks_a_base(self):
        other = self.folder / 'other'
        other.mkdir()
        git.run(other, 'init', '--quiet')
        before = base.snapshot(self.nova.project)
        self.assertIn('does not hold 1.1', self.refusal(
            'refresh', '--bases', str(other)))
        self.assertEqual(before, base.snapshot(self.nova.project))


class RealPatchesTestCase(testtools.TestCase):
    """Every patch that this project ships goes on at every base of its."""

    def setUp(self):
        super().setUp()
        folder = pathlib.Path(__file__).parents[4] / 'patches'
        self.targets = targets.load_all(folder) if folder.is_dir() else []
        if not self.targets:
            self.skipTest('NOT TESTED: %s holds no target yet' % folder)
        # the others are proved on the real trees
        self.made = [target for target in self.targets
                     if target.shown_in]

    def test_every_hunk_lands_at_one_place_of_every_base(self):
        for target in self.made:
            self.assertEqual([], digests.prove(
                target, series.Series.load(target)))

    def test_digests_cover_every_base_and_file(self):
        for target in self.made:
            loaded = series.Series.load(target)
            found = digests.Digests.load(target)
            for path in set(loaded.paths()) - set(loaded.added()):
                for state, _, _ in digests.states(target):
                    self.assertIn(state, found.files.get(path, {}), path)

    def test_what_is_shown_is_in_step(self):
        self.assertEqual([], added_files.faults(
            self.targets[0].checkout, self.targets,
            added_files.compose(self.targets)))

    def test_messages_have_the_lines_that_nova_asks_for(self):
        for target in self.targets:
            for patch in series.Series.load(target).patches:
                self.assertEqual([], format_patch.message_faults(patch))

    def test_status_looks_for_every_module_of_the_series(self):
        added = set()
        for target in self.targets:
            added.update(path for path in series.Series.load(target).added()
                         if re.match(r'nova/(?!tests/)', path))
        self.assertLessEqual(added, set(sum(parts.PATHS.values(), [])))

    def test_hunks_carry_one_line_of_context(self):
        for target in self.targets:
            for patch in series.Series.load(target).patches:
                for section in patch.sections:
                    for hunk in section.hunks:
                        kinds = ''.join(kind for kind, _ in hunk.lines)
                        self.assertLessEqual(
                            hunk.inside, 2, (patch.name, section.path))
                        self.assertNotIn('  ', (kinds[:2], kinds[-2:]),
                                         (patch.name, section.path))


class TwoTablesTestCase(testtools.TestCase):
    """Both series decide alike."""

    def load(self, folder):
        path = pathlib.Path(__file__).parents[4].joinpath(
            folder, 'nova', 'compute', 'guest_location.py')
        if not path.exists():
            self.skipTest('NOT TESTED: %s is in a source checkout only' % path)
        return runpy.run_path(str(path))

    def test_row_by_row(self):
        current, older = self.load('.'), self.load('legacy')
        names = {action.value: action.name for action in current['Action']}
        self.assertEqual(names, {
            value: name for name, value in vars(older['Action']).items()
            if name.isupper()})
        self.assertEqual(
            {each.name: each.value for each in current['Presence']},
            {name: value for name, value in vars(older['Presence']).items()
             if name.isupper()})
        # a compute service cannot be forced down in 2015
        self.assertEqual(
            {pair: (action.value, patient, advice.replace(
                ', or fence it and force its compute service down',
                ', or fence it')) for pair, (action, patient, advice) in
             current['_TABLE'].items()}, older['_TABLE'])

    def test_every_decision(self):
        current, older = self.load('.'), self.load('legacy')
        presences = [each.value for each in current['Presence']]
        flags = ('waited', 'finishing', 'user_paused', 'split')

        def decide(tables, source, destination, migrating, alive, values):
            presence = {
                name: getattr(tables['Presence'], name.upper())
                for name in presences}
            action, _advice = tables['decide'](
                tables['Observation'](presence[source], '', migrating),
                tables['Observation'](presence[destination], '', alive=alive),
                **dict(zip(flags, values)))
            return getattr(action, 'value', action)

        for case in itertools.product(
                presences, presences, (False, True), (False, True),
                itertools.product((False, True), repeat=len(flags))):
            self.assertEqual(decide(current, *case), decide(older, *case),
                             case)
