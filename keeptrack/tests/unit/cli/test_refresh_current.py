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

"""Targets whose patches are their own source."""

import json
import shutil

from keeptrack.series import git
from keeptrack.series import parts
from keeptrack.series import patchfile
from keeptrack.series import targets
from keeptrack.tests import base
from keeptrack.tests import synthetic

GUARD = synthetic.GUARD
DOC = 'doc/source/admin/guard.rst'
TEST = 'nova/tests/unit/test_guard.py'
TRAILERS = ('\n\nWhy.\n\nCloses-Bug: #1414065\nChange-Id: I%s\n'
            'Signed-off-by: A. Uthor <author@example.org>\n')
BODY = ''.join('def step_%d():\n    pass\n\n\n' % n for n in range(5))

_TARGET = '''\
name = "%(name)s"
title = "a synthetic Nova"
python = "3.11"
releases = ">=%(release)s"

# The newest first.
[[bases]]
name = "%(release)s"
release = "%(release)s"
published = true

[tests]
modules = ["nova.tests.test_old"]
ours = []
[tests.environment]
'''


class CurrentTestCase(synthetic.NovaTestCase):

    def setUp(self):
        super().setUp()
        shutil.rmtree(self.nova.target)
        shutil.rmtree(self.nova.project / 'legacy')
        self.new = self.add_target('new', '1.1')
        git.run(self.clone, 'checkout', '--quiet', '-b', 'series')
        synthetic.write(self.clone, {GUARD: BODY})
        synthetic.replace(self.clone, parts.MANAGER, synthetic.ROLL_BACK,
                          synthetic.ROLL_BACK + '        migration_guard()\n')
        self.commit('compute: guard')
        # a place that only its line tells from the others
        synthetic.write(self.clone, {
            GUARD: BODY.replace('def step_3():\n    pass\n',
                                'def step_3():\n    pass\n    pass\n'),
            DOC: 'Guard\n', TEST: 'import unittest\n'})
        self.commit('doc: guard')

    def add_target(self, name, release):
        folder = self.nova.patches / name
        synthetic.write(folder, {
            'target.toml': _TARGET % {'name': name, 'release': release},
            'series': '# in this order\n', 'constraints.txt': '# none\n'})
        return folder

    def commit(self, title, trailers=None):
        digit = format(len(title) % 16, 'x')
        return base.git_commit(self.clone, title + (
            TRAILERS % (40 * digit) if trailers is None else trailers))

    def refresh(self, *argv):
        status, out, err = self.keeptrack('refresh', '-f', 'json', *argv)
        self.assertEqual('', err)
        return status, [(row['Target'], row.popitem()[1])
                        for row in json.loads(out)] if out else []

    def write_patches(self, commits='1.1..series', target='new'):
        status, rows = self.refresh('--from', commits, '--repo',
                                    str(self.clone), '--target', target)
        self.assertEqual(0, status)
        return rows

    def refuse_patches(self, commits='1.1..series'):
        """The refusal of --from, which changes nothing."""
        before = base.snapshot(self.nova.project)
        line = self.refusal('refresh', '--from', commits, '--repo',
                            str(self.clone), '--target', 'new')
        self.assertEqual(before, base.snapshot(self.nova.project))
        return line

    def check(self):
        """Run --check, which never changes anything."""
        before = base.snapshot(self.nova.project)
        status, rows = self.refresh('--check')
        self.assertEqual(before, base.snapshot(self.nova.project))
        self.assertEqual(1 if rows else 0, status)
        return rows

    def text(self, path):
        return (self.nova.project / path).read_text()

    def names(self, folder):
        return sorted(path.name for path in folder.glob('*.patch'))

    def test_patches_are_written_from_commits(self):
        self.write_patches()
        self.assertEqual(['0001-compute-guard.patch', '0002-doc-guard.patch'],
                         self.names(self.new))
        self.assertEqual('# in this order\n0001-compute-guard.patch\n'
                         '0002-doc-guard.patch\n',
                         (self.new / 'series').read_text())
        text = (self.new / '0001-compute-guard.patch').read_text()
        self.assertTrue(text.startswith(
            'From %s Mon Sep 17 00:00:00 2001\n'
            'From: "A. Uthor" <author@example.org>\n' % (40 * '0')))
        self.assertIn('Subject: [PATCH] compute: guard\n', text)
        self.assertEqual([], self.check())

    def test_git_makes_the_branch_of_them(self):
        self.write_patches()
        git.run(self.clone, 'checkout', '--quiet', '--detach', '1.1')
        status, _, err = self.keeptrack('apply', str(self.clone))
        self.assertEqual((0, ''), (status, err))
        self.assertEqual('', git.line(self.clone, 'diff', 'series'))
        _, out, _ = self.keeptrack('apply', str(self.clone))
        self.assertIn('already', out)

    def test_nova_holds_the_files_that_the_series_adds(self):
        self.write_patches()
        found = {str(path.relative_to(self.nova.project))
                 for path in (self.nova.project / 'nova').rglob('*')
                 if path.is_file()}
        self.assertEqual({GUARD, 'nova/' + DOC, TEST}, found)
        self.assertEqual((self.clone / GUARD).read_text(), self.text(GUARD))
        self.assertEqual(('nova.tests.unit.test_guard',),
                         targets.load(self.new).our_modules)

    def test_settings_of_the_clone_change_nothing(self):
        self.write_patches()
        before = base.snapshot(self.nova.project)
        for name, value in (('diff.noprefix', 'true'), ('diff.context', '9'),
                            ('format.signature', 'x'), ('core.abbrev', '9'),
                            ('diff.interHunkContext', '9'),
                            ('format.numbered', 'true')):
            git.run(self.clone, 'config', name, value)
        self.write_patches()
        self.assertEqual(before, base.snapshot(self.nova.project))

    def test_a_branch_stands_for_its_own_commits(self):
        # 1.1 is a tag
        self.write_patches('series')
        self.assertEqual(2, len(self.names(self.new)))
        self.assertIn('has no commit of its own', self.refuse_patches('1.1'))

    def test_an_edited_file_is_written_again(self):
        self.write_patches()
        synthetic.write(self.nova.project, {GUARD: 'x = 1\n'})
        (self.nova.project / 'nova' / DOC).unlink()
        rows = [('', '%s is not as the patches leave it' % GUARD),
                ('', 'nova/%s is missing' % DOC)]
        self.assertEqual(rows, self.check())
        self.assertEqual((0, rows), self.refresh())
        self.assertEqual([], self.check())

    def test_a_file_of_no_patch_is_told_and_left(self):
        self.write_patches()
        synthetic.write(self.nova.project, {'nova/more.py': 'x = 1\n'})
        row = ('', 'nova/more.py is added by no patch: remove it')
        self.assertEqual([row], self.check())
        self.assertEqual((1, [row]), self.refresh())
        self.assertEqual('x = 1\n', self.text('nova/more.py'))

    def test_a_file_that_the_series_adds_no_more_goes(self):
        self.write_patches()
        self.write_patches('1.1..series~1')
        self.assertEqual(['0001-compute-guard.patch'], self.names(self.new))
        self.assertFalse((self.nova.project / 'nova' / 'doc').exists())
        self.assertTrue((self.nova.project / GUARD).exists())
        self.assertEqual([], self.check())

    def test_a_list_of_tests_that_is_wrong(self):
        self.write_patches()
        synthetic.replace(self.new, 'target.toml', 'test_guard', 'test_gone')
        self.assertEqual(
            [('new', '"ours" in target.toml need not name '
              'nova.tests.unit.test_gone'),
             ('new', '"ours" in target.toml does not name '
              'nova.tests.unit.test_guard')], self.check())

    def write_older(self):
        """A target for 1.0, whose guard is another."""
        old = self.add_target('old', '1.0')
        git.run(self.clone, 'checkout', '--quiet', '-b', 'older', '1.0')
        for commit in ('series~1', 'series'):
            git.run(self.clone, '-c', 'user.name=A', '-c', 'user.email=a@b',
                    'cherry-pick', commit)
        self.write_patches('1.0..older', 'old')
        return old

    def test_patches_that_are_the_same_are_one_file(self):
        self.write_patches()
        old = self.write_older()
        self.assertEqual(['../new/' + name for name in self.names(self.new)],
                         [str((old / name).readlink())
                          for name in self.names(old)])
        self.assertEqual([], self.check())
        # what they are made of must not change with the newer ones
        kept = {name: (old / name).read_bytes() for name in self.names(old)}
        git.run(self.clone, 'checkout', '--quiet', 'series')
        synthetic.write(self.clone, {GUARD: BODY})
        self.commit('compute: other guard')
        self.write_patches()
        self.assertEqual(kept, {name: (old / name).read_bytes()
                                for name in self.names(old)})

    def test_versions_that_differ(self):
        self.write_patches()
        old = self.write_older()
        synthetic.write(self.clone, {GUARD: BODY, 'nova/old.py': 'x = 1\n'})
        git.run(self.clone, 'rm', '--quiet', '--force', DOC)
        git.run(self.clone, 'reset', '--quiet', '--soft', 'HEAD~1')
        self.commit('compute: another guard')
        self.write_patches('1.0..older', 'old')
        self.assertEqual((self.nova.project / GUARD).read_text(), git.run(
            self.clone, 'show', 'series:' + GUARD).decode())
        self.assertEqual('x = 1\n', self.text('nova/old.py'))
        self.assertEqual((GUARD, 'nova/' + DOC), targets.load(old).differs)
        self.assertEqual(('nova/old.py',), targets.load(self.new).differs)
        self.assertIn('# The newest first.\n[[bases]]',
                      (old / 'target.toml').read_text())
        self.assertEqual([], self.check())
        synthetic.replace(old, 'target.toml', '    "%s",\n' % GUARD,
                          '    "nova/x.py",\n')
        self.assertEqual([
            ('old', '"differs" in target.toml does not name ' + GUARD),
            ('old', '"differs" in target.toml need not name nova/x.py')],
            self.check())

    def test_a_message_that_lacks_something(self):
        self.commit_more('No-Bug: #1\n')
        line = self.refuse_patches()
        for name in ('Signed-off-by', 'Change-Id', 'Closes-Bug'):
            self.assertIn(name, line)
        self.assertIn('0003-more.patch', line)

    def commit_more(self, trailers=None):
        synthetic.write(self.clone, {'nova/more.py': 'x = 1\n'})
        return self.commit('more', trailers and '\n\n' + trailers)

    def test_a_hunk_that_could_land_elsewhere(self):
        text = (self.clone / parts.MANAGER).read_text()
        synthetic.write(self.clone, {
            parts.MANAGER: text + '\n\nx\n\n\n\nx\n\n'})
        git.run(self.clone, 'add', '--all')
        git.run(self.clone, '-c', 'user.name=A', '-c', 'user.email=a@b',
                'commit', '--quiet', '--message', 'Upstream')
        synthetic.write(self.clone, {
            parts.MANAGER: text + '\n\nx\ny\n\n\n\nx\n\n'})
        self.commit('ambiguous')
        self.assertIn('which are meant is unclear',
                      self.refuse_patches('series~1..'))

    def test_a_hunk_is_moved_to_where_it_stands_alone(self):
        twins = 2 * '    @twin\n    def twin(self):\n        pass\n\n'
        without = 'class A:\n    x = 1\n\n' + twins + (
            '    def last(self):\n        unique()\n\n') + twins
        added = without.replace('unique()\n\n', (
            'unique()\n\n    def ours(self):\n        pass\n\n'))
        synthetic.write(self.clone, {synthetic.EVENT: without})
        self.commit('numbers')
        # git's hunk is between an empty line and "@twin", of which there are
        # several; that between "unique()" and an empty line is the same
        for text, kind in ((added, '+'), (without, '-')):
            synthetic.write(self.clone, {synthetic.EVENT: text})
            self.commit('more numbers')
            self.write_patches('series~1..series')
            self.assertEqual([' ' + 3 * kind + ' '],
                             self.hunks(synthetic.EVENT))
            self.assertIn(' ' + 8 * ' ' + 'unique()\n',
                          next(self.new.glob('*.patch')).read_text())
            git.run(self.clone, 'checkout', '--quiet', 'series~1')
            git.run(self.clone, '-c', 'user.name=A', '-c', 'user.email=a@b',
                    'am', '--quiet', *map(str, self.new.glob('*.patch')))
            self.assertEqual('', git.line(self.clone, 'diff', 'series'))
            git.run(self.clone, 'checkout', '--quiet', 'series')

    def test_commits_that_are_no_series(self):
        self.assertIn('names no commits', self.refuse_patches('none'))
        git.run(self.clone, 'tag', '-d', '1.1', '1.0')
        self.assertIn('no straight line', self.refuse_patches('series'))
        git.run(self.clone, 'checkout', '--quiet', '-b', 'side', 'series~1')
        self.commit_more()
        git.run(self.clone, '-c', 'user.name=A', '-c', 'user.email=a@b',
                'merge', '--quiet', 'series')
        self.assertIn('no straight line', self.refuse_patches('stable..side'))

    def numbered(self, *changed):
        return ''.join('line_%d = %d\n' % (n, n) if n not in changed else
                       'changed_%d = %d\n' % (n, n) for n in range(30))

    def hunks(self, path):
        """Hunks of the newest patch on a file, one text each."""
        name = self.names(self.new)[-1]
        patch = patchfile.parse(name, (self.new / name).read_text())
        section, = (each for each in patch.sections if each.path == path)
        for hunk in section.hunks:
            self.assertLessEqual(hunk.inside, 2)
        return [''.join(kind for kind, _ in hunk.lines)
                for hunk in section.hunks]

    def test_a_hunk_is_cut_between_its_changes(self):
        for path in (GUARD, synthetic.EVENT):
            synthetic.write(self.clone, {path: self.numbered()})
        base_commit = self.commit('numbers')
        for path in (GUARD, synthetic.EVENT):
            synthetic.write(self.clone, {path: self.numbered(3, 6, 8, 11)})
        self.commit('more numbers')
        self.write_patches(base_commit + '..')
        self.assertEqual([' -+ ', ' -+ -+ ', ' -+ '],
                         self.hunks(synthetic.EVENT))
        self.assertEqual([' -+ ', ' -+ -+ ', ' -+ '], self.hunks(GUARD))
        # git takes them, too
        git.run(self.clone, 'checkout', '--quiet', '--detach', base_commit)
        git.run(self.clone, '-c', 'user.name=A', '-c', 'user.email=a@b', 'am',
                '--quiet', *map(str, self.new.glob('*.patch')))
        self.assertEqual('', git.line(self.clone, 'diff', 'series'))

    def test_a_hunk_that_cannot_be_cut(self):
        changes = (3, 5, 7, 9)
        synthetic.write(self.clone, {'nova/more.py': self.numbered()})
        self.commit('numbers')
        synthetic.write(self.clone, {'nova/more.py': self.numbered(*changes)})
        self.commit('more numbers')
        # the series' own text may be written again
        self.write_patches('1.1..')
        self.assertEqual([' ' + 7 * '-' + 7 * '+' + ' '],
                         self.hunks('nova/more.py'))
        self.assertEqual(self.numbered(*changes), self.text('nova/more.py'))
        self.assertIn('nova/more.py line 3 keeps 3 unchanged lines',
                      self.refuse_patches('series~1..'))

    def test_what_belongs_together(self):
        self.assertIn('belong together', self.refusal(
            'refresh', '--from', 'series'))
        self.assertIn('belong together', self.refusal(
            'refresh', '--target', 'new'))
        self.assertIn('--repo', self.refusal('refresh', '--repo', '.'))
        self.assertIn('NOVA_REPO', self.refusal(
            'refresh', '--from', 'series', '--target', 'new'))
        self.assertIn('no target none', self.refusal(
            'refresh', '--from', 'series', '--target', 'none'))
