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

"""What the kit's tests share."""

import hashlib
import io
import logging
import os
import pathlib
import stat

import fixtures
import testtools

from keeptrack.cli import app as app_mod
from keeptrack.series import git


def snapshot(folder):
    """Everything in a folder, git's own files too: names, modes, contents.

    :returns: dict of str to tuple
    """
    found = {}
    for path in sorted(pathlib.Path(folder).rglob('*')):
        status = path.lstat()
        data = None
        if stat.S_ISREG(status.st_mode):
            data = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path.relative_to(folder))] = (status.st_mode, data)
    return found


class TestCase(testtools.TestCase):
    """A test with a folder of its own, and no git settings of the user's."""

    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        home = self.folder / 'home'
        home.mkdir()
        for name in [name for name in os.environ
                     if name.startswith('GIT_') or
                     name in ('NOVA_REPO', 'KEEPTRACK_PYTHON')]:
            self.useFixture(fixtures.EnvironmentVariable(name))
        for name, value in {'HOME': home, 'XDG_CACHE_HOME': home / 'cache',
                            'GIT_CONFIG_GLOBAL': os.devnull,
                            'GIT_CONFIG_NOSYSTEM': '1'}.items():
            self.useFixture(fixtures.EnvironmentVariable(name, str(value)))

    def run_keeptrack(self, *argv):
        """Run the command line in this process.

        :returns: exit status, stdout, what was logged: a refusal, and
                  nothing of the progress, which is kept in self.progress
        """
        app = app_mod.KeeptrackApp()
        app.stdout, app.stderr = io.StringIO(), io.StringIO()
        progress = io.StringIO()
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        # of the test runner, which would print every record
        root.handlers[:] = []
        try:
            with fixtures.MonkeyPatch('sys.stderr', progress):
                status = app.run(list(argv))
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)
        self.progress = progress.getvalue()
        return status, app.stdout.getvalue(), app.stderr.getvalue()

    def refused(self, *argv):
        """Run a command that has to be refused with one line and status 2.

        :returns: the line (str)
        """
        status, out, err = self.run_keeptrack(*argv)
        self.assertEqual('', out)
        self.assertEqual(1, len(err.splitlines()), err)
        self.assertEqual(2, status)
        return err.strip()


def git_commit(folder, message, author='A. Uthor <author@example.org>'):
    """Commit all that is in a working tree; returns the commit's id."""
    name, mail = author[:-1].split(' <')
    env = {'GIT_AUTHOR_NAME': name, 'GIT_AUTHOR_EMAIL': mail,
           'GIT_AUTHOR_DATE': '2015-02-01T10:00:00+0000',
           'GIT_COMMITTER_NAME': 'Committer',
           'GIT_COMMITTER_EMAIL': 'committer@example.org',
           'GIT_COMMITTER_DATE': '2015-02-02T10:00:00+0000'}
    git.run(folder, 'add', '--all')
    git.run(folder, 'commit', '--quiet', '--message', message, env=env)
    return git.line(folder, 'rev-parse', 'HEAD')
