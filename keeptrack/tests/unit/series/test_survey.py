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
import shutil
from unittest import mock

from keeptrack.series import git
from keeptrack.series import parts
from keeptrack.tests import base
from keeptrack.tests import synthetic


class StatusAllTestCase(synthetic.NovaTestCase):

    def rows(self, folder):
        status, out, err = self.keeptrack('status', '--all', str(folder),
                                          '-f', 'json')
        self.assertEqual((0, ''), (status, err))
        return json.loads(out)

    def test_every_tag_and_branch(self):
        self.keeptrack('apply', str(self.clone))
        git.run(self.clone, 'checkout', '--quiet', 'stable')
        before = base.snapshot(self.clone)
        rows = self.rows(self.clone)
        self.assertEqual(before, base.snapshot(self.clone))
        self.assertEqual(
            ['stable', 'keeptrack/juno', '1.1', '1.0'],
            sorted([row['Ref'] for row in rows],
                   key=['stable', 'keeptrack/juno', '1.1', '1.0'].index))
        self.assertEqual('1.0', rows[-1]['Ref'])
        self.assertEqual('1.1', rows[-2]['Ref'])
        ours = next(row for row in rows if row['Ref'] == 'keeptrack/juno')
        del ours['Date']
        self.assertEqual({
            'Ref': 'keeptrack/juno', 'Release': '1.1', 'Target': 'juno',
            'Loop': 'upstream', 'Monitor': 'keeptrack', 'Guesses': False,
            'Events': 'keeptrack', 'Guard': 'keeptrack',
            'Start': 'keeptrack', 'Vulnerable': False}, ours)
        self.assertEqual(
            {'Ref': '1.0', 'Release': '1.0', 'Date': '2015-02-02',
             'Target': 'juno', 'Loop': None, 'Monitor': None,
             'Guesses': None, 'Events': None, 'Guard': None, 'Start': None,
             'Vulnerable': True}, rows[-1])

    def test_a_bare_clone_says_the_same(self):
        bare = self.folder / 'bare'
        git.run(self.folder, 'clone', '--quiet', '--mirror', str(self.clone),
                str(bare))
        self.assertEqual(self.rows(self.clone), self.rows(bare))

    def test_branches_of_the_clone_it_came_from(self):
        copy = self.folder / 'copy'
        git.run(self.clone, 'branch', 'other', '1.0')
        git.run(self.folder, 'clone', '--quiet', str(self.clone), str(copy))
        # stable is there twice, and HEAD stands for it
        self.assertEqual({'stable', 'origin/other', '1.0', '1.1'},
                         {row['Ref'] for row in self.rows(copy)})

    def test_a_half_of_ours_is_told_in_each_ref(self):
        self.keeptrack('apply', str(self.clone))
        git.run(self.clone, 'rm', '--quiet', parts.MONITOR)
        base.git_commit(self.clone, 'half')
        git.run(self.clone, 'branch', 'whole', 'HEAD~1')
        found = {row['Ref']: row for row in self.rows(self.clone)}
        # the driver and the manager of both are the same
        self.assertEqual('keeptrack', found['whole']['Monitor'])
        self.assertIsNone(found['keeptrack/juno']['Monitor'])
        self.assertTrue(found['keeptrack/juno']['Vulnerable'])

    def test_what_is_no_nova_is_left_out_and_counted(self):
        git.run(self.clone, 'checkout', '--quiet', '--orphan', 'notes')
        git.run(self.clone, 'rm', '--quiet', '-rf', '.')
        synthetic.write(self.clone, {'notes': 'x'})
        base.git_commit(self.clone, 'notes')
        synthetic.write(self.clone, {parts.DRIVER: '', parts.MANAGER: ''})
        base.git_commit(self.clone, 'empty')
        git.run(self.clone, 'tag', 'empty')
        git.run(self.clone, 'branch', 'no-nova', 'HEAD~1')
        self.assertEqual({'stable', '1.0', '1.1'},
                         {row['Ref'] for row in self.rows(self.clone)})
        self.assertIn('3 tags and branches examined, 3 left out',
                      self.progress)

    def test_the_version_of_a_branch(self):
        git.run(self.clone, 'rm', '--quiet', 'setup.cfg')
        base.git_commit(self.clone, 'no version')
        git.run(self.clone, 'tag', '2015.1-eom')
        found = {row['Ref']: row['Release'] for row in self.rows(self.clone)}
        self.assertEqual({'stable': '1.1', '2015.1-eom': '1.1', '1.1': '1.1',
                          '1.0': '1.0'}, found)
        git.run(self.clone, 'tag', '-d', '1.0', '1.1')
        found = {row['Ref']: row['Release'] for row in self.rows(self.clone)}
        self.assertEqual({'stable': None, '2015.1-eom': None}, found)

    def test_a_branch_of_ones_own_is_no_release_line(self):
        git.run(self.clone, 'branch', '-m', 'stable', 'wip')
        git.run(self.clone, 'branch', 'other', '1.1')
        git.run(self.clone, 'branch', 'stable/2026.1', '1.1')
        self.assertEqual([('2026.1', '1.1', 'stable/2026.1', 'upstream'),
                          ('2026.1', '1.0', '1.0', None)], self.lines())
        self.assertIn('2 of them are previews, or branches', self.progress)

    def test_what_git_says_when_it_ends(self):
        start = git.start

        def broken(folder, *args, **kwargs):
            if args[0] == 'cat-file':
                args = ('no-such-command',)
            return start(folder, *args, **kwargs)
        with mock.patch.object(git, 'start', broken):
            self.assertIn('git cat-file failed: ', self.refusal(
                'status', '--all', str(self.clone)))
            # of one tree all but the commits can be told
            _, out, _ = self.keeptrack('status', str(self.clone))
            self.assertIn('the commits are unknown: git cat-file failed', out)

    def test_years_came_before_numbers(self):
        for tag in ('2014.2', '2015.1.0', '12.0.0', '12.0.0.0rc1', '9.9'):
            git.run(self.clone, 'tag', tag, '1.1')
        self.assertEqual(
            ['12.0.0', '12.0.0.0rc1', '9.9', '1.1', '1.0', '2015.1.0',
             '2014.2'], [row['Ref'] for row in self.rows(self.clone)
                         if row['Ref'] != 'stable'])

    def lines(self):
        _, out, _ = self.keeptrack('status', '--all', str(self.clone),
                                   '--by-line', '-f', 'json')
        return [(row['Line'], row['From'], row['To'], row['Loop'])
                for row in json.loads(out)]

    def test_release_lines(self):
        git.run(self.clone, 'branch', 'master')
        for tag, at in (('2014.2.4', '1.1'), ('juno-eol', '1.1'),
                        ('2014.2.b1', '1.0'), ('juno-1', '1.0'),
                        ('12.0.0', '1.1'), ('12.0.1', '1.1'),
                        ('12.0.0.0rc1', '1.0')):
            git.run(self.clone, 'tag', tag, at)
        git.run(self.clone, 'tag', '2014.2', '1.0')
        git.run(self.clone, 'checkout', '--quiet', '--detach', 'stable')
        git.run(self.clone, 'branch', '-D', 'stable')
        git.run(self.clone, 'branch', 'stable/2026.1', '1.1')
        rows = self.lines()
        self.assertEqual(('master', 'master', 'master', 'upstream'), rows[0])
        self.assertIn((None, '12.0.0', '12.0.1', 'upstream'), rows)
        # the release line of a tree with setup.cfg is what that says
        self.assertIn(('2026.1', '1.1', 'stable/2026.1', 'upstream'), rows)
        self.assertEqual([(None, '2014.2.4', '2014.2.4', 'upstream'),
                          (None, '2014.2', '2014.2', None)], rows[-2:])
        self.assertIn('--all NOVA_REPO', self.refusal(
            'status', str(self.clone), '--by-line'))

    def test_people_get_a_table(self):
        _, out, _ = self.keeptrack('status', '--all', str(self.clone))
        self.assertIn('| Ref ', out)
        self.assertIn('| yes ', out)

    def test_refusals(self):
        for words, told in (
                (('/no/where',), 'is not a folder'),
                ((str(self.folder),), 'is no clone'),
                ((str(self.clone), str(self.clone)), 'leave TREE'),
                ((str(self.clone), '--release', '1.0'), 'leave TREE'),
                ((str(self.clone), '-f', 'shell'), 'one tree')):
            self.assertIn(told, self.refusal('status', '--all', *words))

    def test_a_clone_of_something_else(self):
        git.run(self.folder, 'init', '--quiet', 'other')
        self.assertIn('has no tag and no branch', self.refusal(
            'status', '--all', str(self.folder / 'other')))

    def test_a_clone_without_its_objects(self):
        shutil.rmtree(self.clone / '.git' / 'objects')
        (self.clone / '.git' / 'objects').mkdir()
        self.refusal('status', '--all', str(self.clone))
