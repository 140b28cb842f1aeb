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

"""keeptrack status on real trees, beside what git's history says."""

import json

from keeptrack.series import git
from keeptrack.series import parts
from keeptrack.series import patchfile
from keeptrack.series import series
from keeptrack.tests.trees import test_series

# upstream's commits: the loop on master and on stable/juno, the monitor
_LOOP = ('584a44f0157e84ce0100da6ee4f7b94bbb4088e3',
         '6833176b56ecbef9565bccb06a372acba8487691')
_MONITOR = ('7dd6a4a19311136c02d89cd2afd97236b0f4cc27',)

_RELEASES = (
    '2014.1', '2014.1.5', '2014.2', '2014.2.3', '2014.2.4', '2015.1.0b1',
    '2015.1.0b2', '2015.1.0b3', '2015.1.0', '2015.1.4', '12.0.6', '13.1.4',
    '14.1.0', '15.1.5', '16.1.8', '17.0.13', '18.3.0', '19.3.2', '20.6.1',
    '21.2.4', '22.4.0', '23.2.2', '24.2.1', '25.3.0', '26.3.0', '27.5.1',
    '28.3.1', '29.4.0', '30.3.0', '31.3.1', '32.2.1', '33.0.2')


class StatusTestCase(test_series.TreesTestCase):

    def in_clone(self, commit):
        """What a commit has, read from the clone."""
        def read(path):
            try:
                return git.run(test_series.NOVA_REPO, 'show',
                               '%s:%s' % (commit, path)).decode()
            except git.GitError:
                return None
        return read

    def has_behind(self, commits, tag):
        return any(git.succeeds(test_series.NOVA_REPO, 'merge-base',
                                '--is-ancestor', commit, tag)
                   for commit in commits)

    def test_releases_have_what_their_history_has(self):
        for tag in _RELEASES:
            found = parts.examine(self.in_clone(tag))
            wanted = {name for name, commits in (
                ('loop', _LOOP), ('monitor', _MONITOR))
                if self.has_behind(commits, tag)}
            self.assertEqual(wanted, set(found.origins), tag)
            self.assertEqual(wanted, found.upstream, tag)
            self.assertEqual('monitor' in wanted or None, found.guesses, tag)
            self.assertEqual(((), True), (found.notes, found.vulnerable), tag)

    def test_the_commits_of_a_release(self):
        for tag, wanted in (('2014.2.4', [_LOOP[1], None]),
                            ('2015.1.0', [_LOOP[0], _MONITOR[0]])):
            row = self.status(self.clone(tag))
            # 2015.1.0 says that it is 2015.1
            self.assertTrue(tag.startswith(row['release']), row)
            self.assertEqual(wanted, [row['parts'][name]['commit']
                                      for name in ('loop', 'monitor')])

    def test_each_part_has_the_commit_of_a_patch(self):
        for target in self.targets:
            folder = self.clone(self.newest(target).commit)
            self.apply(folder)
            ids = git.line(folder, 'rev-list', 'HEAD').split()
            parts_of = self.status(folder)['parts']
            at = {name: ids.index(parts_of[name]['commit'])
                  for name in parts.NAMES[1:]}
            self.assertLess(max(at.values()), len(series.names(target)))
            for name, back in at.items():
                for commit, ours in ((ids[back], True),
                                     (ids[back + 1], False)):
                    found = parts.examine(
                        lambda path: _show(folder, commit, path))
                    self.assertEqual(
                        ours, found.origins.get(name) == parts.OURS)
                    self.assertEqual(back > min(at.values()) or not ours,
                                     found.vulnerable)

    def test_every_ref_of_a_clone(self):
        status, out, err = self.run_keeptrack(
            '--patches', str(test_series.PATCHES), 'status', '--all',
            test_series.NOVA_REPO, '-f', 'json')
        self.assertEqual((0, ''), (status, err))
        rows = {row['Ref']: row for row in json.loads(out)}
        for name, commits in (('Loop', _LOOP), ('Monitor', _MONITOR)):
            behind = set()
            for commit in commits:
                behind |= set(git.line(
                    test_series.NOVA_REPO, 'for-each-ref',
                    '--format=%(refname:lstrip=2)', '--contains', commit,
                    'refs/tags', 'refs/heads').split())
            self.assertEqual(
                {ref for ref in rows if ref in behind},
                {ref for ref, row in rows.items() if row[name]}, name)
        self.assertTrue(set(_RELEASES) <= set(rows))


class PageTestCase(test_series.TreesTestCase):

    def test_the_page_is_what_the_command_prints(self):
        page = (test_series.PATCHES.parent / 'doc' /
                'releases.rst').read_text()
        newest = git.line(test_series.NOVA_REPO, 'rev-parse', 'master')
        if newest not in page:
            self.skipTest('NOT TESTED: doc/releases.rst was made from another '
                          'clone, whose newest commit it names')
        status, out, err = self.run_keeptrack(
            '--patches', str(test_series.PATCHES), 'status', '--all',
            test_series.NOVA_REPO, '--by-line')
        self.assertEqual((0, ''), (status, err))
        for line in out.splitlines():
            self.assertIn('   %s\n' % line, page)


class DamageTestCase(test_series.TreesTestCase):
    """Every line and every file of the series is taken out, one by one."""

    def test_nothing_that_matters_goes_unseen(self):
        for target in self.targets:
            commit = self.newest(target).commit
            whole = series.Series.load(target)
            image = whole.put_on(
                lambda path: _lines(test_series.NOVA_REPO, commit, path))

            def read(path):
                lines = image.lines(path)
                return None if lines is None else ''.join(lines)

            self.assertFalse(parts.examine(read).vulnerable, target.name)
            for path in whole.added():
                if path.endswith('.py') and '/tests/' not in path:
                    self.assertSeen(read, {path: None}, path)
            for path, line, without in _without_each_line(
                    whole, image, target):
                self.assertSeen(read, {path: without},
                                '%s: %s: %s' % (target.name, path, line))

    def assertSeen(self, read, instead, what):
        try:
            found = parts.examine(lambda path: instead[path]
                                  if path in instead else read(path))
        except parts.StrangeTree:
            # refused: a line above has no end any more
            return
        self.assertTrue(found.vulnerable, what)


def _show(folder, commit, path):
    try:
        return git.run(folder, 'show', '%s:%s' % (commit, path)).decode()
    except git.GitError:
        return None


def _lines(folder, commit, path):
    text = _show(folder, commit, path)
    return None if text is None else patchfile.split_lines(text)


def _without_each_line(whole, image, target):
    """Files of a tree, each with one line of ours commented out.

    Of the lines those that connect Nova with a module of ours: not arguments
    of a call, which are not looked at, and not what Nova's own text says.
    """
    for patch in whole.patches:
        for section in patch.sections:
            if section.new or '/tests/' in section.path or (
                    not section.path.endswith('.py')):
                continue
            lines = image.lines(section.path)
            for hunk in section.hunks:
                for line in set(hunk.after) - set(hunk.before):
                    if lines.count(line) != 1 or (
                            line.strip().startswith('#')) or not (
                                _connects(target, section.path, line)):
                        continue
                    at = lines.index(line)
                    bare = line.lstrip()
                    yield section.path, line, ''.join(
                        lines[:at] + [line[:-len(bare)] + '# ' + bare] +
                        lines[at + 1:])


def _connects(target, path, line):
    ways = [way for found in parts.PARTS.values() for way in (
        found[1:] or found if target.shown_in else found[:1])]
    return any(place.path == path and place.text in line
               for places in ways for place in places)
