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

import fixtures

from keeptrack.series import branch
from keeptrack.series import git
from keeptrack.series import parts
from keeptrack.series import series
from keeptrack.series import targets
from keeptrack.series import tree
from keeptrack.tests import base
from keeptrack.tests import synthetic


class ApplyToCloneTestCase(synthetic.NovaTestCase):

    def setUp(self):
        super().setUp()
        self.scratch = self.folder / 'tmp'
        self.scratch.mkdir()
        self.useFixture(fixtures.MonkeyPatch('tempfile.tempdir',
                                             str(self.scratch)))

    def log(self, what='%s', count=4, folder=None):
        return git.line(folder or self.clone, 'log', '-%d' % count,
                        '--format=' + what).split('\n')

    def checkout(self, name):
        git.run(self.clone, 'checkout', '--quiet', name)

    def assertUntouched(self, *argv):
        """The command is refused and changes nothing; returns the line."""
        before = base.snapshot(self.clone)
        line = self.refusal('apply', str(self.clone), *argv)
        self.assertEqual(before, base.snapshot(self.clone))
        self.assertEqual([], os.listdir(self.scratch))
        return line

    def test_commits_on_a_new_branch(self):
        status, out, err = self.keeptrack('apply', str(self.clone))
        self.assertEqual((0, ''), (status, err))
        self.assertIn('4 patches of juno are commits on branch '
                      'keeptrack/juno, which is checked out now', out)
        self.assertEqual(
            ['compute: find the guest at start', 'compute: find the guest',
             'compute: a stop is no shutdown', 'libvirt: monitor the job',
             'Release 1.1'], self.log(count=5))
        self.assertEqual(['A. Uthor <author@example.org> 1422784800'] * 4,
                         self.log('%an <%ae> %at'))
        self.assertEqual('keeptrack/juno', git.line(
            self.clone, 'symbolic-ref', '--short', 'HEAD'))
        self.assertEqual('', git.line(self.clone, 'status', '--porcelain'))
        self.assertEqual(self.nova.new, git.line(self.clone, 'rev-parse',
                                                 'stable'))
        git.run(self.clone, 'fsck', '--strict')

    def test_nobody_configured_commits_as_the_author(self):
        self.keeptrack('apply', str(self.clone))
        self.assertEqual(['A. Uthor <author@example.org>'] * 4,
                         self.log('%cn <%ce>'))

    def test_the_configured_user_commits(self):
        git.run(self.clone, 'config', 'user.name', 'Op')
        git.run(self.clone, 'config', 'user.email', 'op@example.org')
        self.keeptrack('apply', str(self.clone))
        self.assertEqual(['Op <op@example.org>'] * 4, self.log('%cn <%ce>'))

    def test_settings_that_would_change_the_commits_do_not_matter(self):
        for name, value in (('apply.whitespace', 'error-all'),
                            ('core.autocrlf', 'input'),
                            ('am.threeWay', 'true'),
                            ('gpg.program', 'false')):
            git.run(self.clone, 'config', name, value)
        hook = self.clone / '.git' / 'hooks' / 'post-checkout'
        hook.parent.mkdir(exist_ok=True)
        hook.write_text('#!/bin/sh\nexit 1\n')
        hook.chmod(0o755)
        status, _, err = self.keeptrack('apply', str(self.clone),
                                        '--branch', 'mine')
        self.assertEqual((0, ''), (status, err))
        self.assertEqual('mine', git.line(self.clone, 'symbolic-ref',
                                          '--short', 'HEAD'))

    def configure(self, **values):
        for name, value in values.items():
            git.run(self.clone, 'config', name.replace('_', '.'), value)

    def test_another_author(self):
        self.keeptrack('apply', str(self.clone), '--author',
                       'Ünal, Dr. O <op@example.org>')
        self.assertEqual(
            ['Ünal, Dr. O <op@example.org> 1422784800'] * 4,
            self.log('%an <%ae> %at'))
        self.assertEqual(['Ünal, Dr. O <op@example.org>'] * 4,
                         self.log('%cn <%ce>'))

    def test_the_sign_off_of_an_author_who_goes(self):
        name = next(self.nova.target.glob('0001-*.patch')).name
        synthetic.replace(
            self.nova.target, name, 'Why.\n',
            'Why.\n\nChange-Id: I1\n'
            'Signed-off-by: Other <other@example.org>\n'
            'Signed-off-by: A. Uthor <author@example.org>\n')
        self.keeptrack('apply', str(self.clone), '--branch', 'as-it-is')
        self.assertIn('A. Uthor', git.line(self.clone, 'log', '-1',
                                           '--format=%b', 'HEAD~3'))
        self.checkout('stable')
        self.configure(user_name='Op', user_email='op@example.org')
        self.keeptrack('apply', str(self.clone), '--author',
                       'New <new@example.org>', '--signoff')
        self.assertEqual(
            'Why.\n\nChange-Id: I1\n'
            'Signed-off-by: Other <other@example.org>\n'
            'Signed-off-by: Op <op@example.org>', git.line(
                self.clone, 'log', '-1', '--format=%b', 'HEAD~3'))

    def test_signoff(self):
        self.assertIn('needs your name', self.assertUntouched('--signoff'))
        self.configure(user_name='Op', user_email='op@example.org')
        self.checkout('1.0')
        self.keeptrack('apply', str(self.clone), '--signoff')
        self.assertEqual(
            ['Op <op@example.org>'] * 5, [line for line in self.log(
                '%(trailers:key=Signed-off-by,valueonly)', 5) if line])
        self.assertEqual('A. Uthor', self.log('%an', 1)[0])

    def test_an_author_that_is_none(self):
        for text in ('Op', '<op@example.org>', 'Op <op@example.org', 'O<p> <'):
            self.assertIn('--author takes',
                          self.assertUntouched('--author', text))

    def write_hook(self, name, text, folder=None):
        hook = (folder or self.clone / '.git' / 'hooks') / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text('#!/bin/sh\n' + text)
        hook.chmod(0o755)

    def test_hooks_of_git_am_are_run(self):
        self.write_hook('applypatch-msg', 'echo "Checked-by: me" >> "$1"\n')
        self.write_hook('pre-applypatch', 'test -e nova/virt/event.py\n')
        status, _, err = self.keeptrack('apply', str(self.clone))
        self.assertEqual((0, ''), (status, err))
        self.assertIn('Checked-by: me', self.log('%B', 1))

    def test_a_hook_that_refuses(self):
        self.write_hook('applypatch-msg', 'echo no Jira number >&2; exit 1\n')
        line = self.assertUntouched()
        self.assertIn('.git/hooks/applypatch-msg refuses 0001-', line)
        self.assertIn('no Jira number', line)
        # elsewhere, and late
        self.write_hook('applypatch-msg', '')
        self.write_hook('pre-applypatch',
                        '! test -e %s\n' % synthetic.GUARD,
                        self.clone / '.githooks')
        self.configure(core_hooksPath='.githooks')
        line = self.assertUntouched()
        self.assertIn('.githooks/pre-applypatch refuses 0003-', line)
        self.assertIn('does not say why', line)

    def test_signing_without_a_key(self):
        self.configure(commit_gpgsign='true', gpg_program='false')
        line = self.assertUntouched()
        self.assertIn('0001-libvirt-monitor-the-job.patch cannot be signed, '
                      'which commit.gpgsign asks for', line)
        self.assertIn('nothing was changed', line)
        self.configure(gpg_format='ssh')
        self.assertIn('signingkey', self.assertUntouched())

    def test_signing(self):
        program = self.folder / 'sign'
        program.write_text('#!/bin/sh\ncat > /dev/null\n'
                           'echo "[GNUPG:] SIG_CREATED " >&2\n'
                           'echo -----BEGIN PGP SIGNATURE-----\n'
                           'echo "key $3"\n'
                           'echo -----END PGP SIGNATURE-----\n')
        program.chmod(0o755)
        with open(self.clone / '.git' / 'config', 'a') as f:
            f.write('[commit]\n\tgpgsign\n')
        self.configure(gpg_program=str(program), user_signingkey='ABCD')
        status, _, err = self.keeptrack('apply', str(self.clone))
        self.assertEqual((0, ''), (status, err))
        self.assertIn('gpgsig -----BEGIN PGP SIGNATURE-----\n key ABCD',
                      git.line(self.clone, 'cat-file', 'commit', 'HEAD~3'))

    def test_the_prerequisite_is_picked_as_it_is(self):
        self.checkout('1.0')
        status, _, err = self.keeptrack('apply', str(self.clone))
        self.assertEqual((0, ''), (status, err))
        self.assertEqual('Up Stream|remove the loop', self.log(
            '%an|%s', 5)[-1])
        self.assertIn('cherry picked from commit ' + self.nova.prerequisite,
                      git.line(self.clone, 'log', '-1', '--format=%b',
                               'HEAD~4'))

    def test_a_clone_without_the_prerequisite_is_told_how_to_get_it(self):
        short = self.folder / 'short'
        git.run(self.folder, 'clone', '--quiet', '--depth=1', '--branch',
                '1.0', 'file://%s' % self.clone, str(short))
        self.clone = short
        line = self.assertUntouched()
        self.assertIn('lacks "remove the loop"', line)
        self.assertIn('git fetch origin 1.1', line)

    def test_a_shallow_clone(self):
        short = self.folder / 'short'
        git.run(self.folder, 'clone', '--quiet', '--depth=1', '--branch',
                '1.1', 'file://%s' % self.clone, str(short))
        status, _, err = self.keeptrack('apply', str(short))
        self.assertEqual((0, ''), (status, err))
        self.assertEqual(5, len(self.log(count=9, folder=short)))

    def test_a_worktree(self):
        other = self.folder / 'other'
        git.run(self.clone, 'worktree', 'add', '--quiet', '--detach',
                str(other), '1.1')
        status, _, err = self.keeptrack('apply', str(other))
        self.assertEqual((0, ''), (status, err))
        self.assertEqual('stable', git.line(self.clone, 'symbolic-ref',
                                            '--short', 'HEAD'))

    def test_a_tree_that_has_moved_on(self):
        synthetic.replace(self.clone, parts.MANAGER, 'above_9 = 9\n',
                          '\n\ndef another():\n    return 3\n\n\n'
                          'above_9 = 9\n')
        synthetic.replace(self.clone, parts.DRIVER, 'up_0 = 0\n',
                          '\n' * 40 + 'up_0 = 0\n')
        base.git_commit(self.clone, 'more')
        status, _, err = self.keeptrack('apply', str(self.clone))
        self.assertEqual((0, ''), (status, err))

    def test_commits_can_be_picked_onto_another_release(self):
        self.keeptrack('apply', str(self.clone))
        self.checkout('1.0')
        git.run(self.clone, 'cherry-pick', 'stable..keeptrack/juno', env={
            'GIT_COMMITTER_NAME': 'c', 'GIT_COMMITTER_EMAIL': 'c@d'})

    def test_dry_run_changes_nothing(self):
        before = base.snapshot(self.clone)
        status, out, _ = self.keeptrack('apply', str(self.clone), '--dry-run')
        self.assertEqual(0, status)
        self.assertIn('would apply', out)
        self.assertEqual(before, base.snapshot(self.clone))

    def test_dry_run_tells_of_a_conflict(self):
        synthetic.replace(self.clone, parts.MANAGER, 'def _init_instance',
                          'def begin')
        base.git_commit(self.clone, 'more')
        self.assertIn('manager.py', self.assertUntouched('--dry-run'))

    def test_refuses_changes_that_are_not_committed(self):
        synthetic.replace(self.clone, 'setup.cfg', 'nova', 'nova ')
        line = self.assertUntouched()
        self.assertIn('not committed (setup.cfg)', line)
        git.run(self.clone, 'add', 'setup.cfg')
        self.assertIn('commit or stash', self.assertUntouched())

    def test_untracked_files_matter_only_in_the_way(self):
        (self.clone / 'notes').write_text('x')
        self.assertEqual(0, self.keeptrack('apply', str(self.clone),
                                           '--dry-run')[0])
        (self.clone / synthetic.GUARD).write_text('mine')
        git.run(self.clone, 'config', 'core.excludesFile', 'notes')
        self.assertIn(synthetic.GUARD, self.assertUntouched())

    def test_refuses_a_branch_that_exists(self):
        git.run(self.clone, 'branch', 'keeptrack/juno')
        self.assertIn('exists already', self.assertUntouched())
        self.assertIn('cannot be made while there is a branch stable',
                      self.assertUntouched('--branch', 'stable/new'))
        self.assertIn('no name for a branch',
                      self.assertUntouched('--branch', 'a..b'))

    def test_a_series_that_is_there(self):
        self.keeptrack('apply', str(self.clone))
        before = base.snapshot(self.clone)
        status, out, err = self.keeptrack('apply', str(self.clone))
        self.assertEqual((0, ''), (status, err))
        self.assertIn('has the series already, 4 patches of juno: nothing to '
                      'do', out)
        self.assertEqual(before, base.snapshot(self.clone))

    def test_another_version_of_the_series(self):
        self.keeptrack('apply', str(self.clone))
        (self.clone / synthetic.GUARD).write_text('ANOTHER = True\n')
        base.git_commit(self.clone, 'another version')
        line = self.assertUntouched('--branch', 'x')
        self.assertIn('in another version', line)
        self.assertIn(synthetic.GUARD + ' differs', line)

    def test_undo_is_for_trees_without_git(self):
        self.keeptrack('apply', str(self.clone))
        line = self.assertUntouched('--undo')
        self.assertIn('git branch -D', line)

    def test_a_clone_of_another_user(self):
        def refuse(folder, *args, **kwargs):
            raise git.GitError(args, 'fatal: detected dubious ownership in '
                               'repository')
        with mock.patch('keeptrack.series.git.run', refuse):
            line = self.assertUntouched()
        self.assertIn('git works on no repository of another user', line)
        self.assertIn('safe.directory', line)

    def test_a_clone_that_git_does_not_read(self):
        (self.clone / '.git' / 'HEAD').unlink()
        self.assertIn('not a git repository', self.assertUntouched())

    def test_names_the_part_that_is_there(self):
        self.keeptrack('apply', str(self.clone))
        git.run(self.clone, 'checkout', '--quiet', '-b', 'half', 'HEAD~2')
        line = self.assertUntouched('--branch', 'x')
        self.assertIn('a part of the series', line)
        self.assertIn('0001-', line)
        self.assertIn('0002-', line)
        self.assertNotIn('0003-', line)

    def test_a_patch_picked_by_itself_is_a_part(self):
        self.keeptrack('apply', str(self.clone))
        git.run(self.clone, 'checkout', '--quiet', 'stable')
        git.run(self.clone, 'cherry-pick', 'keeptrack/juno~1', env={
            'GIT_COMMITTER_NAME': 'c', 'GIT_COMMITTER_EMAIL': 'c@d'})
        line = self.assertUntouched('--branch', 'x')
        self.assertIn('(0003-compute-find-the-guest.patch)', line)

    def test_names_the_place_of_a_conflict(self):
        synthetic.replace(self.clone, parts.MANAGER, synthetic.ROLL_BACK,
                          '    def roll_forth(self):\n')
        base.git_commit(self.clone, 'more')
        line = self.assertUntouched()
        self.assertIn('; nothing was changed: ', line)
        self.assertRegex(line, '0003-.* does not apply: '
                               'nova/compute/manager.py line [0-9]+: ')

    def test_refuses_to_guess(self):
        synthetic.replace(self.clone, parts.MANAGER, '    below_19 = 19\n',
                          synthetic.INIT + '        return 2\n')
        base.git_commit(self.clone, 'more')
        self.assertIn('is unclear', self.assertUntouched())

    def test_refuses_in_the_middle_of_a_rebase(self):
        for name, what in (('rebase-merge', 'a rebase'),
                           ('rebase-apply', 'a git am')):
            folder = self.clone / '.git' / name
            folder.mkdir()
            self.assertIn('in the middle of ' + what, self.assertUntouched())
            folder.rmdir()
        (self.clone / '.git' / 'MERGE_HEAD').write_text(self.nova.old)
        self.assertIn('a merge', self.assertUntouched())

    def test_refuses_a_release_without_target(self):
        synthetic.replace(self.clone, 'setup.cfg', '1.1', '3.0')
        base.git_commit(self.clone, 'more')
        self.assertIn('no target yet for Nova 3.0', self.assertUntouched())

    def test_refuses_what_is_no_nova(self):
        git.run(self.clone, 'rm', '-q', parts.MANAGER)
        base.git_commit(self.clone, 'gone')
        self.assertIn('is no Nova tree', self.assertUntouched())

    def test_refuses_a_bare_clone(self):
        bare = self.folder / 'bare'
        git.run(self.folder, 'clone', '--quiet', '--bare', str(self.clone),
                str(bare))
        self.clone = bare
        self.assertIn('is a bare clone', self.assertUntouched())

    def test_refuses_a_clone_with_nothing_checked_out(self):
        git.run(self.clone, 'symbolic-ref', 'HEAD', 'refs/heads/none')
        self.assertIn('no commit checked out', self.assertUntouched())

    def test_refuses_what_cannot_be_written(self):
        real = os.access
        for name in ('.git/objects', 'nova/virt/libvirt'):
            with mock.patch('os.access', lambda path, mode: (
                    not str(path).endswith(name) and real(path, mode))):
                line = self.assertUntouched()
            self.assertIn(name + ' cannot be written to', line)

    def test_refuses_release_beside_tree(self):
        self.assertIn('--release', self.assertUntouched('--release', '1.0'))

    def test_a_git_that_fails_at_any_time_changes_nothing(self):
        real = git.run
        # count the calls of a good run, then fail each of them once
        for fail in range(1, 80):
            calls = []

            def run(folder, *args, **kwargs):
                calls.append(args)
                if len(calls) == fail:
                    raise git.GitError(args, 'fatal: broken')
                return real(folder, *args, **kwargs)

            before = base.snapshot(self.clone)
            with mock.patch('keeptrack.series.git.run', run):
                status, _, err = self.keeptrack('apply', str(self.clone))
            if len(calls) < fail:
                break
            if status:
                after = base.snapshot(self.clone)
                self.assertEqual(2, status)
                self.assertEqual(1, len(err.splitlines()), err)
                self.assertEqual(_without_objects(before),
                                 _without_objects(after), calls[-1])
                self.assertEqual([], os.listdir(self.scratch))
            else:
                # a question to git whose "no" has another meaning
                git.run(self.clone, 'checkout', '--quiet', 'stable')
                git.run(self.clone, 'branch', '-D', 'keeptrack/juno')
        self.assertGreater(fail, 20)


def _without_objects(found):
    """A snapshot without what nothing refers to, and notes about HEAD."""
    return {name: value for name, value in found.items()
            if not name.startswith(('.git/objects', '.git/logs'))}


class PublishTestCase(synthetic.NovaTestCase):

    def publish(self, fail):
        """Publish while something fails; nothing may be changed."""
        target = targets.load(self.nova.target)
        nova = tree.Tree(self.clone)
        with branch.prepared(nova, target, series.Series.load(target)) as new:
            before = base.snapshot(self.clone)
            with fail:
                self.assertRaises(KeyboardInterrupt, branch.publish, nova,
                                  new, 'x')
        self.assertEqual(_without_objects(before),
                         _without_objects(base.snapshot(self.clone)))

    def test_an_interrupt_at_each_look_changes_nothing(self):
        for look in (1, 2, 3):
            effects = [None] * (look - 1) + [KeyboardInterrupt]
            self.publish(mock.patch('keeptrack.signals.Held.check',
                                    side_effect=effects))

    def test_the_scratch_repository_goes(self):
        # One of its own: tests that run beside this one make some, too.
        folder = self.folder / 'temporary'
        folder.mkdir()
        self.useFixture(fixtures.MonkeyPatch('tempfile.tempdir', str(folder)))
        self.publish(mock.patch('keeptrack.signals.Held.check',
                                side_effect=KeyboardInterrupt))
        self.assertEqual([], list(folder.iterdir()))
