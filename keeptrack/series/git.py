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

"""git as a subprocess: one door for every call that the kit makes."""

import contextlib
import hashlib
import logging
import os
import pathlib
import shutil
import signal
import subprocess

from keeptrack import errors
from keeptrack.series import patchfile

# A user's own settings must not change what the kit computes: no signing, no
# hooks, no white space repair.  For repositories that the kit made itself.
ISOLATED = {'GIT_CONFIG_GLOBAL': os.devnull, 'GIT_CONFIG_NOSYSTEM': '1'}


LOG = logging.getLogger(__name__)


class GitError(errors.KeeptrackError):
    """A git command failed.

    :ivar stderr: what git wrote there (str)
    """

    def __init__(self, args, stderr):
        self.stderr = stderr
        words = [line.strip() for line in stderr.splitlines() if line.strip()]
        # what went wrong stands first, and hints follow it
        told = [line for line in words
                if line.startswith(('fatal: ', 'error: '))] or words[-1:]
        super().__init__('git %s failed: %s' % (
            args[0], told[0] if told else 'it said nothing'))


def start(folder, *args, env=None):
    """Start git in a folder, with pipes.

    A session of its own: Ctrl-C reaches us alone, and we end git in order.

    :param folder: path of the folder to run in
    :param args: git's arguments (str)
    :param env: variables on top of the environment (dict of str)
    :returns: the subprocess.Popen
    :raises KeeptrackError: when there is no git
    """
    if shutil.which('git') is None:
        raise errors.KeeptrackError('git is not installed: install it')
    everything = dict(os.environ, GIT_OPTIONAL_LOCKS='0', LC_ALL='C')
    # inside a hook git would work on the hook's repository
    for name in ('GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE'):
        everything.pop(name, None)
    everything.update(env or {})
    LOG.debug('git %s (in %s)', ' '.join(args), folder)
    return subprocess.Popen(
        ('git',) + args, cwd=folder, env=everything, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True)


def run(folder, *args, stdin=b'', env=None):
    """Run git in a folder and return what it printed.

    No lock is taken that git can do without, so that reading a tree never
    rewrites its index.  An interrupt ends git and everything it started.

    :param folder: path of the folder to run in
    :param args: git's arguments (str)
    :param stdin: what git reads (bytes)
    :param env: variables on top of the environment (dict of str)
    :returns: git's standard output (bytes)
    :raises GitError: when git exits with another status than 0
    """
    process = start(folder, *args, env=env)
    try:
        out, err = process.communicate(stdin)
    except BaseException:
        end(process)
        raise
    if process.returncode:
        raise GitError(args, err.decode('utf-8', 'replace'))
    return out


def end(process):
    """End what :func:`start` has started; it may have ended."""
    for pipe in (process.stdin, process.stdout, process.stderr):
        # what git has not read goes with it
        with contextlib.suppress(BrokenPipeError):
            pipe.close()
    # an interrupt can come when git has just ended
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def lines(folder, *args):
    """Run git like :func:`run`, as long as somebody reads its output.

    :returns: a context manager of an iterator of lines (str)
    """
    process = start(folder, *args)
    try:
        yield (row.decode('utf-8', 'surrogateescape').rstrip('\n')
               for row in process.stdout)
    finally:
        end(process)


def line(folder, *args, **kwargs):
    """Run git like :func:`run` and return its output as one stripped str."""
    return run(folder, *args, **kwargs).decode(
        'utf-8', 'surrogateescape').strip()


def succeeds(folder, *args):
    """Tell whether git exits with status 0 (bool)."""
    try:
        run(folder, *args)
    except GitError:
        return False
    return True


def common_folder(folder):
    """The folder that a clone keeps its objects in (pathlib.Path)."""
    return (pathlib.Path(folder) / line(
        folder, 'rev-parse', '--git-common-dir')).resolve()


def init_borrowing(folder, source):
    """Make a repository that reads the objects of another one.

    It has no configuration and no hooks but git's own.

    :param folder: where to make it (pathlib.Path)
    :param source: the other one's :func:`common_folder`
    """
    run(folder, 'init', '--quiet', '--template=', env=ISOLATED)
    own = folder / '.git'
    (own / 'objects' / 'info').mkdir(exist_ok=True)
    (own / 'objects' / 'info' / 'alternates').write_text(
        '%s\n' % (source / 'objects'))
    if (source / 'shallow').exists():
        shutil.copy(source / 'shallow', own / 'shallow')


def release_behind(folder, commit='HEAD'):
    """The newest release that a commit has behind it.

    :param folder: the clone (path)
    :param commit: its id or name (str)
    :returns: the release's tag (str), None where there is none
    """
    try:
        # 2024.1-eom and its like begin with a number, too
        return line(folder, 'describe', '--tags', '--abbrev=0',
                    '--match=[0-9]*', '--exclude=*-*', commit)
    except GitError:
        return None


def blob_id(data):
    """The id that git gives to a file of this content (str, hex SHA-1)."""
    return hashlib.sha1(b'blob %d\0' % len(data) + data,
                        usedforsecurity=False).hexdigest()


def reader(folder, commit):
    """A function that reads the files of a commit.

    :returns: called with a path, returns the file's text (str); None where
              the commit has no such file
    """
    def read(path):
        try:
            return patchfile.decode(run(folder, 'cat-file', 'blob',
                                        '%s:%s' % (commit, path)))
        except GitError:
            return None
    return read


def patch(folder, commit, context=3):
    """A commit as a patch with some lines of context (patchfile.Patch)."""
    return patchfile.parse(commit[:12], patchfile.decode(run(
        folder, 'format-patch', '-1', '-U%d' % context, '--no-renames',
        '--no-signature', '--stdout', commit + '^{commit}', env=ISOLATED)))
