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

"""The series as commits on a new branch of a clone.

All the work is done in a scratch repository in a temporary folder, which
reads the clone's objects and writes none there.  The clone sees the result
when it is whole: the new objects, then the branch, then the checkout.  So an
error or an interrupt before that leaves it as it was, with nothing to undo.

The clone's hooks and its settings for signatures take part in each commit, as
if git am ran in the clone itself.  Its other settings do not.
"""

import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import tempfile

from keeptrack import errors
from keeptrack.series import git
from keeptrack.series import patchfile
from keeptrack import signals


# settings of the clone that decide how a commit is signed
_SIGNING = r'^(commit\.gpgsign|gpg\..*|user\.signingkey)$'
# hooks that can refuse what git am commits
_HOOKS = ('applypatch-msg', 'pre-applypatch')


@dataclasses.dataclass(frozen=True)
class Signature:
    """Whose names the commits carry.

    :ivar author: name and mail address in place of the patches' own author,
                  whose sign-off then goes, too (tuple of str or None)
    :ivar signoff: add the committer's Signed-off-by (bool)
    """

    author: tuple = None
    signoff: bool = False

    def change(self, patch):
        """A patch with the author that was asked for (patchfile.Patch)."""
        return patch if self.author is None else patch.with_author(
            *self.author)


class Scratch:
    """A repository that borrows the objects of a clone.

    :param tree: the clone (tree.Tree)
    :param commit: what to check out (str)
    """

    def __init__(self, tree, commit):
        self.tree = tree
        self.path = pathlib.Path(tempfile.mkdtemp(prefix='keeptrack-'))
        try:
            self._prepare(commit)
        except BaseException:
            self.remove()
            raise

    def _prepare(self, commit):
        git.init_borrowing(self.path, self.tree.git_folder())
        self.git('checkout', '--quiet', '--detach', commit)

    def git(self, *args, author=None, stdin=b''):
        """Run git in the scratch repository.

        :param author: for a command that commits, name and address to commit
                       with where the clone names nobody (tuple of str)
        :returns: git's output (str)
        """
        env = dict(git.ISOLATED)
        if author is not None:
            names = self.committer() or author
            env.update(self._settings(), GIT_COMMITTER_NAME=names[0],
                       GIT_COMMITTER_EMAIL=names[1])
        return git.line(self.path, *args, stdin=stdin, env=env)

    def hooks(self):
        """The folder of the clone's hooks (pathlib.Path)."""
        return self.tree.path / git.line(self.tree.path, 'rev-parse',
                                         '--git-path', 'hooks')

    def _settings(self):
        """Variables that give git the clone's hooks and signatures (dict)."""
        try:
            found = git.run(self.tree.path, 'config', '--null',
                            '--get-regexp', _SIGNING)
        except git.GitError:
            # there are none
            found = b''
        # a key alone, with no sign of equality, is true
        settings = [(key, value if feed else 'true') for key, feed, value in (
            row.partition('\n') for row in
            patchfile.decode(found).split('\0') if row)]
        settings.append(('core.hooksPath', str(self.hooks())))
        env = {'GIT_CONFIG_COUNT': str(len(settings))}
        for number, (key, value) in enumerate(settings):
            env['GIT_CONFIG_KEY_%d' % number] = key
            env['GIT_CONFIG_VALUE_%d' % number] = value
        return env

    def committer(self):
        """The clone's user: name and address (list of str); None without."""
        names = []
        for key in ('name', 'email'):
            try:
                names.append(
                    os.environ.get('GIT_COMMITTER_' + key.upper()) or
                    git.line(self.tree.path, 'config', 'user.' + key))
            except git.GitError:
                return None
        return names if all(names) else None

    def read(self, path):
        """Lines of a file in the scratch repository; None without it."""
        path = self.path / path
        return patchfile.split_lines(patchfile.decode(
            path.read_bytes())) if path.exists() else None

    def remove(self):
        """Take the scratch repository away."""
        shutil.rmtree(self.path, ignore_errors=True)


@contextlib.contextmanager
def prepared(tree, target, series, commit=None, report=lambda line: None,
             sources=None, signature=Signature()):
    """Commit the series in a scratch repository.

    :param tree: the clone (tree.Tree)
    :param target: its targets.Target
    :param series: the target's series.Series
    :param commit: where to put it; by default what is checked out (str)
    :param report: called with a line for everything done
    :param sources: the cherry_pick.Sources that messages name, or None
    :param signature: the Signature of the commits
    :returns: a context manager of the Scratch, removed at its end
    :raises KeeptrackError: when the series does not apply
    """
    scratch = Scratch(tree, commit or tree.head())
    try:
        if signature.signoff and scratch.committer() is None:
            raise errors.KeeptrackError(
                '--signoff needs your name: set user.name and user.email with '
                'git config')
        _add_prerequisite(scratch, target, report, signature)
        # git takes the nearest place for a hunk; first prove there is but one
        image = series.put_on(scratch.read)
        for number, patch in enumerate(series.patches, 1):
            report('patch %d of %d: %s' % (number, len(series.patches),
                                           patch.title))
            if sources is not None:
                patch = sources.with_origin(patch)
            _commit(scratch, signature.change(patch), signature)
        for path, lines in image.changed().items():
            if scratch.read(path) != lines:
                raise errors.KeeptrackError(
                    'git put a hunk on %s elsewhere than proved: nothing was '
                    'changed; please report it as a bug of keeptrack' % path)
        yield scratch
    finally:
        scratch.remove()


def _add_prerequisite(scratch, target, report, signature):
    wanted = target.prerequisite
    if wanted is None or not wanted.missing(
            ''.join(scratch.read(wanted.file) or ())):
        return
    if not scratch.tree.has_commit(wanted.commit):
        raise errors.KeeptrackError(
            '%s lacks "%s", and the clone does not hold that commit, %s: '
            'get it with git fetch origin %s (git fetch --unshallow in a '
            'shallow clone)' % (scratch.tree.path, wanted.title,
                                wanted.commit, wanted.ref))
    try:
        author = scratch.git('log', '-1', '--format=%an%n%ae',
                             wanted.commit).split('\n')
        scratch.git('cherry-pick', '-x', *_signoff(signature), wanted.commit,
                    author=author)
    except git.GitError as exc:
        conflicts = scratch.git('diff', '--name-only', '--diff-filter=U')
        raise errors.KeeptrackError(
            'the prerequisite %s does not apply (%s): cherry-pick it by hand '
            'first' % (wanted.commit, 'conflict in ' + ', '.join(
                conflicts.split()) if conflicts else exc))
    report('prerequisite: %s %s' % (wanted.commit[:12], wanted.title))


def _signoff(signature):
    return ['--signoff'] if signature.signoff else []


def _commit(scratch, patch, signature):
    try:
        scratch.git('-c', 'am.keepcr=true', 'am', '--quiet',
                    *_signoff(signature),
                    stdin=patchfile.encode(patch.render()),
                    author=signature.author or patch.author)
    except git.GitError as exc:
        raise errors.KeeptrackError(_why_refused(scratch, patch, exc))


def _why_refused(scratch, patch, exc):
    """What to tell of a git am that has failed (str)."""
    lines = [line.strip() for line in exc.stderr.splitlines() if line.strip()]
    faults = [re.sub('^(error|fatal): ', '', line) for line in lines
              if line.startswith(('error: ', 'fatal: '))]
    if any(re.search(r'\bsign\b|gpg|signingkey', line) for line in faults):
        return ('%s cannot be signed, which commit.gpgsign asks for: %s; '
                'nothing was changed. Set up the key, or set commit.gpgsign '
                'to false' % (patch.name, faults[0]))
    hooks = [name for name in _HOOKS
             if os.access(scratch.hooks() / name, os.X_OK)]
    if hooks and not faults:
        # the hook has said why, if anybody has
        return ('the hook %s refuses %s: %s; nothing was changed' % (
            ' or '.join(str(scratch.hooks() / name) for name in hooks),
            patch.name, lines[-1] if lines else 'it does not say why'))
    return 'git am refuses %s: %s' % (patch.name,
                                      faults[0] if faults else exc)


def publish(tree, scratch, name):
    """Give a clone the commits of a scratch repository, and check them out.

    :param tree: the clone (tree.Tree), clean
    :param scratch: the Scratch
    :param name: the branch to make (str)
    :raises KeeptrackError: when it cannot; the clone is then as before
    """
    before = tree.head()
    try:
        where = [git.line(tree.path, 'symbolic-ref', '--short', 'HEAD')]
    except git.GitError:
        where = ['--detach', before]
    checkout = ('-c', 'core.hooksPath=' + os.devnull, 'checkout', '--quiet')
    tip = scratch.git('rev-parse', 'HEAD')
    pack = git.run(scratch.path, 'pack-objects', '--quiet', '--stdout',
                   '--revs', stdin=('%s\n^%s\n' % (tip, before)).encode(),
                   env=git.ISOLATED)
    index = tree.path / git.line(tree.path, 'rev-parse', '--git-path',
                                 'index')
    kept = index.read_bytes()
    with signals.held() as came:
        git.run(tree.path, 'unpack-objects', '-q', stdin=pack)
        came.check()
        git.run(tree.path, 'update-ref', '-m', 'keeptrack: apply',
                'refs/heads/' + name, tip, '')
        try:
            came.check()
            git.run(tree.path, *checkout, name)
            came.check()
        except BaseException:
            # the tree was clean: what is checked out comes back from HEAD
            git.run(tree.path, *checkout, '--force', *where)
            index.write_bytes(kept)
            git.run(tree.path, 'update-ref', '-d', 'refs/heads/' + name)
            raise
