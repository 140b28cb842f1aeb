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

"""The targets of this project on real trees.

They come from the clone of Nova that NOVA_REPO names, which is only read.
"""

import json
import os
import pathlib
import shutil

import testtools

from keeptrack import errors
from keeptrack.series import branch
from keeptrack.series import git
from keeptrack.series import series
from keeptrack.series import targets
from keeptrack.series import tree
from keeptrack.tests import base
from keeptrack.verify import environment

# read before base.TestCase takes them out of the environment
NOVA_REPO = os.environ.get('NOVA_REPO')
PYTHON = os.environ.get('KEEPTRACK_PYTHON')
HOME = os.path.expanduser('~')
CACHE = environment.cache_folder()

PATCHES = pathlib.Path(__file__).parents[3] / 'patches'

_COMMITTER = {'GIT_COMMITTER_NAME': 'c', 'GIT_COMMITTER_EMAIL': 'c@d'}


def why_not():
    """Why these tests cannot run (str); None when they can."""
    if not NOVA_REPO:
        return ('NOT TESTED: set NOVA_REPO to a clone of openstack/nova to '
                'try the patches on real trees')
    if not PATCHES.is_dir() or not targets.load_all(PATCHES):
        return 'NOT TESTED: %s holds no target yet' % PATCHES
    return None


class SkipTestCase(testtools.TestCase):

    def test_a_skip_says_what_to_do(self):
        reason = why_not()
        if reason is not None:
            self.assertIn('NOT TESTED', reason)
        else:
            self.assertTrue(pathlib.Path(NOVA_REPO).is_dir())


class TreesTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        if why_not():
            self.skipTest(why_not())
        self.targets = targets.load_all(PATCHES)

    def bases(self):
        """Every target with each commit that it is proved on, once."""
        return [(target, each) for target in self.targets
                for each in {each.commit: each for each in target.bases
                             if each.commit}.values()]

    @staticmethod
    def newest(target):
        """The newest base with a commit that a target is proved on."""
        return next(each for each in target.bases if each.commit)

    def clone(self, commit, name='nova'):
        """A clone with a commit checked out (pathlib.Path)."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        git.run(self.folder, 'clone', '--quiet', '--shared', '--no-checkout',
                NOVA_REPO, str(folder))
        git.run(folder, 'checkout', '--quiet', '--detach', commit)
        return folder

    def unpack(self, each, name='unpacked'):
        """A base as a release archive has it (pathlib.Path)."""
        folder = self.clone(each.commit, name)
        shutil.rmtree(folder / '.git')
        if tree.Tree(folder).release() is None:
            # today's archives tell their version nowhere else
            (folder / 'PKG-INFO').write_text('Version: %s\n' % each.release)
        return folder

    def apply(self, folder, *argv):
        status, _, err = self.run_keeptrack(
            '--patches', str(PATCHES), 'apply', str(folder), *argv)
        self.assertEqual((0, ''), (status, err))

    def status(self, folder):
        _, out, _ = self.run_keeptrack('--patches', str(PATCHES), 'status',
                                       str(folder), '-f', 'json')
        return json.loads(out)

    def assertFixed(self, folder, target):
        row = self.status(folder)
        self.assertEqual((target.name, [], False), (
            row['target'], row['missing'], row['vulnerable']))


class ApplyTestCase(TreesTestCase):

    def test_at_every_base(self):
        for target, each in self.bases():
            folder = self.clone(each.commit)
            self.assertTrue(self.status(folder)['vulnerable'])
            self.apply(folder)
            self.assertFixed(folder, target)
            self.assertEqual(
                [patch.title for patch in
                 series.Series.load(target).patches][::-1],
                git.line(folder, 'log', '--format=%s', '-%d' % len(
                    series.names(target))).split('\n'))
            # a second time there is nothing to do
            head = git.line(folder, 'rev-parse', 'HEAD')
            self.apply(folder)
            self.assertEqual(head, git.line(folder, 'rev-parse', 'HEAD'))
            picked = git.line(folder, 'rev-list', '--count',
                              each.commit + '..HEAD')
            self.assertEqual(len(series.names(target)) +
                             each.needs_prerequisite, int(picked))

    def test_plain_git_am_at_every_base(self):
        for target, each in self.bases():
            folder = self.clone(each.commit)
            patches = [str(target.folder / name)
                       for name in series.names(target)]
            if each.needs_prerequisite:
                self.assertRaises(git.GitError, git.run, folder, 'am',
                                  '--quiet', *patches, env=_COMMITTER)
                git.run(folder, 'am', '--abort')
                git.run(folder, 'cherry-pick', target.prerequisite.commit,
                        env=_COMMITTER)
            git.run(folder, 'am', '--quiet', *patches, env=_COMMITTER)

    def test_an_unpacked_tree_gets_the_same_files(self):
        for target, each in self.bases():
            clone = self.clone(each.commit)
            self.apply(clone)
            folder = self.unpack(each)
            os.environ['NOVA_REPO'] = NOVA_REPO
            self.apply(folder)
            self.assertFixed(folder, target)
            for path in series.Series.load(target).paths():
                self.assertEqual((clone / path).read_bytes(),
                                 (folder / path).read_bytes())

    def test_commits_can_be_picked_from_one_base_onto_another(self):
        # from the newest onto each other, and back
        for target, other in self.bases():
            newest = next(each for each in target.bases if each.commit)
            folder = self.clone(newest.commit)
            for source, goal in ((newest, other), (other, newest)):
                git.run(folder, 'checkout', '--quiet', '--detach',
                        source.commit)
                self.apply(folder, '--branch', 'from-' + source.name)
                git.run(folder, 'checkout', '--quiet', '--detach',
                        goal.commit)
                git.run(folder, 'cherry-pick', 'from-%s~%d..from-%s' % (
                    source.name, len(series.names(target)), source.name),
                    env=_COMMITTER)
                if source is goal:
                    break

    def test_a_tree_that_has_moved_on(self):
        for target, each in self.bases():
            folder = self.clone(each.commit)
            loaded = series.Series.load(target)
            for path in set(loaded.paths()) - set(loaded.added()):
                _grow(folder / path, loaded)
            base.git_commit(folder, 'more')
            self.apply(folder)
            self.assertFixed(folder, target)

    def test_where_the_clone_lacks_the_prerequisite(self):
        for target, each in self.bases():
            if not each.needs_prerequisite:
                continue
            folder = self.folder / 'short'
            shutil.rmtree(folder, ignore_errors=True)
            git.run(self.folder, 'init', '--quiet', str(folder))
            git.run(folder, 'fetch', '--quiet', '--depth=1',
                    'file://' + os.path.abspath(NOVA_REPO),
                    'refs/tags/' + each.ref)
            git.run(folder, 'checkout', '--quiet', 'FETCH_HEAD')
            before = base.snapshot(folder)
            line = self.refused('--patches', str(PATCHES), 'apply',
                                str(folder))
            self.assertIn(target.prerequisite.commit, line)
            self.assertEqual(before, base.snapshot(folder))

    def test_every_commit_by_itself_is_what_git_would_make(self):
        for target, each in self.bases():
            folder = self.clone(each.commit)
            nova = tree.Tree(folder)
            with branch.prepared(nova, target,
                                 series.Series.load(target)) as scratch:
                for back, name in enumerate(reversed(series.names(target))):
                    self.assertEqual('', scratch.git(
                        'diff', '--check', 'HEAD~%d' % (back + 1),
                        'HEAD~%d' % back), name)


class CherryPickTestCase(TreesTestCase):

    def test_a_backport_names_what_it_was_picked_from(self):
        for target in self.targets:
            if target.picked_from is None:
                continue
            source = targets.by_name(self.targets, target.picked_from)
            folder = self.clone(_in_a_clone(source))
            self.apply(folder, '--branch', 'source')
            git.run(folder, 'checkout', '--quiet', '--detach',
                    _in_a_clone(target))
            self.apply(folder)
            number = len(series.names(target))
            originals = git.line(folder, 'rev-list', '-%d' % len(
                series.names(source)), 'source').split()
            told = git.line(folder, 'log', '-%d' % number, '--format=%B')
            named = [commit for commit in originals if
                     '(cherry picked from commit %s)' % commit in told]
            # Kilo has one patch that the source has no need of.
            self.assertEqual(number - (target.name == 'kilo'), len(named),
                             target.name)


class VerifyTestCase(TreesTestCase):

    def test_our_tests_pass_in_the_target(self):
        for target in self.targets:
            if target.is_published:
                # tox -e releases does that
                continue
            os.environ['HOME'] = HOME
            try:
                python = environment.find_python(target.python, PYTHON)
            except errors.KeeptrackError as exc:
                self.skipTest('NOT TESTED: %s' % exc)
            os.environ['XDG_CACHE_HOME'] = str(CACHE.parent)
            folder = self.clone(target.bases[0].commit)
            chosen = []
            for module in target.our_modules:
                chosen += ['--tests', module]
            status, out, err = self.run_keeptrack(
                '--patches', str(PATCHES), 'verify', str(folder), '--python',
                python, '-f', 'json', *chosen)
            self.assertEqual((0, ''), (status, err))
            rows = json.loads(out)
            self.assertEqual(len(target.our_modules), len(rows))
            self.assertEqual(0, sum(row['Failed'] for row in rows))


def _in_a_clone(target):
    """The commit of the first of a target's bases that is one (str)."""
    return next(base.commit for base in target.bases if base.commit)


def _grow(path, loaded):
    """Add methods and blank lines to a file, but in no hunk's own lines."""
    taken = {line for patch in loaded.patches for section in patch.sections
             for hunk in section.hunks for line in hunk.before
             if line.strip()}
    lines, out, last, count = path.read_text().split('\n'), [], '', 0
    for line in lines:
        if line.startswith('    def ') and not last and (
                line + '\n' not in taken):
            count += 1
            out += ['    def _added_%d(self):' % count, '', '        pass', '']
        out.append(line)
        last = line
    path.write_text('\n'.join(out))
