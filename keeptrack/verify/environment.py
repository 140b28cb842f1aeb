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

"""The virtualenv that a target's tests run in.

It is kept in the user's cache folder under a name that tells the target, its
constraints and the Python, so that a second run finds it ready.
"""

import contextlib
import hashlib
import logging
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import platformdirs

from keeptrack import errors
from keeptrack.series import pip_output

LOG = logging.getLogger(__name__)

# From this Python on a newer one does, too: the pins of earlier targets are
# older than the Pythons that came later, and cannot be installed there.
_NEWER_DOES = (3, 11)

# the last that makes an environment for Python 2.7
_VIRTUALENV = 'virtualenv<20.22'

# Written into the environment.  What it is for is told in its own comments.
_SITECUSTOMIZE = '''\
"""Lets a Nova of 2014 and 2015 run on the libraries of today."""
import sqlite3
import ssl

# today's OpenSSL has no SSLv3, and eventlet of that time names it
if not hasattr(ssl, 'PROTOCOL_SSLv3'):
    ssl.PROTOCOL_SSLv3 = ssl.PROTOCOL_SSLv23

_connect = sqlite3.connect


def connect(*args, **kwargs):
    # today's SQLite rewrites references when a table is renamed, which
    # breaks the migrations of that time
    connection = _connect(*args, **kwargs)
    connection.execute('PRAGMA legacy_alter_table=ON')
    return connection


sqlite3.connect = connect
sqlite3.dbapi2.connect = connect
'''


def cache_folder():
    """Where environments are kept (pathlib.Path)."""
    return platformdirs.user_cache_path('keeptrack')


@contextlib.contextmanager
def making(path):
    """Make a file or a folder of the cache that nobody sees half of.

    Two that make it at once do no harm.

    :param path: pathlib.Path
    :returns: a context manager of where to make it (pathlib.Path)
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='making-',
                                     dir=path.parent) as name:
        made = pathlib.Path(name, path.name)
        yield made
        try:
            made.rename(path)
        except OSError:
            # somebody else was quicker
            if not path.exists():
                raise


def find_python(wanted, given=None):
    """Find a Python of a version that really runs.

    Looked for in this order: what the user gives, what the environment
    variable KEEPTRACK_PYTHON names, PATH, pyenv's versions.  A name on PATH
    proves nothing (pyenv puts names there that fail when run), so every
    candidate is asked for its version.  Where Python 3.11 or a later one is
    wanted a newer one does, too, and this process's own comes last.

    :param wanted: the version, as "2.7" (str)
    :param given: a path or a name from the user (str or None)
    :returns: an absolute path (str)
    :raises KeeptrackError: when there is none
    """
    if given is not None:
        if not _is_version(given, wanted):
            raise errors.KeeptrackError(
                '%s is not a Python %s that runs: name another with --python'
                % (given, wanted))
        return _absolute(given)
    for candidate in _candidates(wanted):
        if _is_version(candidate, wanted):
            return _absolute(candidate)
    raise errors.KeeptrackError(
        'no Python %s that runs was found on PATH or among the versions of '
        'pyenv: install one (pyenv install %s) and name it with --python or '
        'KEEPTRACK_PYTHON' % (wanted, wanted))


def _candidates(wanted):
    if os.environ.get('KEEPTRACK_PYTHON'):
        yield os.environ['KEEPTRACK_PYTHON']
    for folder in os.get_exec_path():
        yield os.path.join(folder, 'python' + wanted)
    root = pathlib.Path(os.environ.get('PYENV_ROOT') or
                        os.path.expanduser('~/.pyenv'))
    for path in sorted((root / 'versions').glob(
            wanted + '*/bin/python' + wanted), reverse=True):
        yield str(path)
    yield sys.executable


def _absolute(name):
    return os.path.abspath(shutil.which(name) or name)


def _is_version(candidate, wanted):
    try:
        result = subprocess.run(
            [candidate, '--version'], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    found = re.match(r'Python (\d+)\.(\d+)\b', result.stdout)
    if result.returncode or found is None:
        return False
    version = int(found.group(1)), int(found.group(2))
    least = tuple(map(int, wanted.split('.')))
    return version == least or version > least >= _NEWER_DOES


class Environment:
    """A target's virtualenv.

    :param target: a targets.Target, or whatever else has a name, a python and
        a folder with constraints.txt
    :param python: the Python to make it of: an absolute path (str)
    :param cache: the folder it is kept in (pathlib.Path)
    :param additions: what pip cannot install by pins alone, in order; each
        has ``told`` (bytes: another environment for another of these) and
        ``install(python, run)`` (python: the environment's, run: as
        :meth:`_run`)
    """

    def __init__(self, target, python, cache=None, additions=()):
        self._target = target
        self._base = python
        self._cache = cache or cache_folder()
        self._additions = additions
        self._constraints = target.folder / 'constraints.txt'
        try:
            pins = self._constraints.read_bytes()
        except OSError as exc:
            raise errors.KeeptrackError('%s cannot be read: %s' % (
                self._constraints, exc.strerror))
        told = b'\0'.join([pins, os.fsencode(os.path.realpath(python)),
                           _SITECUSTOMIZE.encode()] +
                          [addition.told for addition in additions])
        # targets that share their constraints share the environment
        owner = self._constraints.resolve().parent.name
        self.path = self._cache / ('%s-%s' % (
            owner, hashlib.sha256(told).hexdigest()[:12]))
        self._log = self.path.with_name(self.path.name + '.log')

    @property
    def python(self):
        """The Python of the environment (str)."""
        return str(self.path / 'bin' / 'python')

    @property
    def _is_old(self):
        return self._target.python.startswith('2.')

    def ensure(self, report=lambda line: None):
        """Make the environment, unless it is there.

        :param report: called with a line before work that takes a while
        :raises KeeptrackError: when it cannot be made; nothing of it is left
        """
        mark = self.path / 'keeptrack-complete'
        if mark.exists():
            return
        try:
            self._cache.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(self.path, ignore_errors=True)
            began = time.monotonic()
            self._make(report)
            mark.touch()
            report('%s made in %d s' % (self.path,
                                        time.monotonic() - began))
        except BaseException as exc:
            shutil.rmtree(self.path, ignore_errors=True)
            if isinstance(exc, OSError):
                raise errors.KeeptrackError(
                    'the virtualenv %s cannot be made: %s' % (
                        self.path, exc.strerror))
            raise

    def _make(self, report):
        if self._is_old:
            maker = self._cache / 'virtualenv'
            tool = maker / 'bin' / 'virtualenv'
            if not tool.exists():
                report('installing virtualenv into %s' % maker)
                self._run(sys.executable, '-m', 'venv', '--clear', str(maker))
                self._run(str(maker / 'bin' / 'python'), '-m', 'pip',
                          'install', _VIRTUALENV)
            report('making %s' % self.path)
            self._run(str(tool), '--python', self._base, str(self.path))
        else:
            report('making %s' % self.path)
            self._run(self._base, '-m', 'venv', str(self.path))
        count = sum(1 for line in self._constraints.read_text().splitlines()
                    if line.strip() and not line.startswith('#'))
        report('installing %d packages, which can take some minutes '
               '(log: %s)' % (count, self._log))
        self._run(self.python, '-m', 'pip', 'install', '--requirement',
                  str(self._constraints))
        if self._is_old:
            (self.path / 'lib' / ('python' + self._target.python) /
             'site-packages' / 'sitecustomize.py').write_text(_SITECUSTOMIZE)
        for addition in self._additions:
            addition.install(self.python, self._run)

    def _run(self, *command, **variables):
        """Run a step; its output goes to the log beside the environment.

        :param command: the words (str)
        :param variables: environment variables to add (str)
        :raises KeeptrackError: when it fails
        """
        # constraints of the user's own are for another Python
        env = {name: value for name, value in os.environ.items()
               if name not in ('PIP_CONSTRAINT', 'PYTHONPATH',
                               'PYTHONHOME')}
        env.update(variables, PIP_CONSTRAINT=os.devnull)
        LOG.debug('%s', ' '.join(command))
        with open(self._log, 'ab') as log:
            began = log.tell()
            result = subprocess.run(command, stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=log, env=env)
        if result.returncode:
            with open(self._log, 'rb') as log:
                log.seek(began)
                output = log.read().decode('utf-8', 'replace')
            raise errors.KeeptrackError(
                'the virtualenv for %s cannot be made: %s (%s; log: %s)' % (
                    self._target.name, pip_output.explain(output),
                    ' '.join(command[:4]), self._log))
