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


"""What a Nova tree runs in: a Python with its libraries, and a database."""

import configparser
import hashlib
import os
import pathlib
import subprocess
import tomllib

from keeptrack.drill.testbed import generations
from keeptrack.drill.testbed import libvirt_python
from keeptrack import errors
from keeptrack.verify import environment

#: what runs in the tree's own Python
AGENT = pathlib.Path(__file__).resolve().parents[1] / 'agent'

# what a database is made from: in a Nova of 2014 and 2015, and in one of today
_MIGRATIONS = ('nova/db/sqlalchemy/migrate_repo/versions/*.py',
               'nova/db/*/migrations/versions/*.py')

#: the database with the instances, in the folder of databases
DATABASE = 'nova.sqlite'

# how a user chooses green or native threads where a Nova has both
_THREADS = 'OS_NOVA_DISABLE_EVENTLET_PATCHING'


class Runtime:
    """The runtime of one tree.

    :param tree: a tree.Tree
    :param report: called with a line before work that takes a while
    :param python: the Python to make the environment of, from the user (str
        or None)
    :param cache: where environments and databases are kept (pathlib.Path);
        None for the user's cache folder
    :param patches: the folder of targets (pathlib.Path); None for the kit's
    :raises KeeptrackError: when no drill can run such a tree, or something
        to make its environment with is missing
    """

    def __init__(self, tree, report=lambda line: None, python=None,
                 cache=None, patches=None):
        self._tree = tree
        self._report = report
        self.generation = generations.of(tree, patches)
        self._cache = cache or environment.cache_folder()
        self._environment = environment.Environment(
            self.generation,
            environment.find_python(self.generation.python, python),
            self._cache, [libvirt_python.Binding(self.generation.binding)])

    @property
    def python(self):
        """The Python of the environment (str)."""
        return self._environment.python

    @property
    def variables(self):
        """The environment variables of its processes (dict of str)."""
        kept = {name: value for name, value in os.environ.items()
                if name == _THREADS or not name.startswith(
                    ('PYTHON', 'OS_', 'GIT_', 'LIBVIRT_'))}
        return dict(kept, PYTHONDONTWRITEBYTECODE='1', PYTHONHASHSEED='0',
                    PYTHONPATH=str(self._metadata), LC_ALL='C.UTF-8',
                    PBR_VERSION=self._tree.release())

    def command(self, script, *arguments):
        """A command that runs a script of keeptrack/drill/agent on the tree.

        :param script: its file name (str)
        :param arguments: more arguments, after the tree and the adapter
        :returns: list of str
        """
        # what it warns of is known: the libraries are of 2014 and 2015
        return [str(each) for each in (
            self.python, '-Wignore', AGENT / script, self._tree.path,
            self.generation.adapter) + arguments]

    def ensure(self):
        """Make the environment, unless it is there.

        :raises KeeptrackError: when it cannot be made
        """
        self._environment.ensure(self._report)
        if not self._metadata.exists():
            with environment.making(self._metadata) as made:
                self._write_metadata(made / 'nova.egg-info')

    @property
    def _metadata(self):
        """A folder with the package metadata of the tree.

        Nova finds its own drivers by entry points, and a tree that was never
        installed has none.  They are not written into the tree.
        """
        told = hashlib.sha256((self._tree.read('setup.cfg') or '').encode())
        told.update((self._tree.read('pyproject.toml') or '').encode())
        return self._cache / ('nova-metadata-' + told.hexdigest()[:12])

    def _write_metadata(self, folder):
        config = configparser.RawConfigParser(strict=False, delimiters='=')
        config.optionxform = str
        config.read_string(self._tree.read('setup.cfg') or '')
        folder.mkdir(parents=True)
        (folder / 'PKG-INFO').write_text(
            'Metadata-Version: 1.0\nName: nova\nVersion: %s\n' %
            self._tree.release())
        groups = {group: [line.strip() for line in lines.splitlines()
                          if line.strip()] for group, lines in (
                              config.items('entry_points')
                              if config.has_section('entry_points') else ())}
        project = tomllib.loads(
            self._tree.read('pyproject.toml') or '').get('project', {})
        for group, names in project.get('entry-points', {}).items():
            groups[group] = ['%s = %s' % item for item in names.items()]
        (folder / 'entry_points.txt').write_text(''.join(
            '[%s]\n%s\n\n' % (group, '\n'.join(lines))
            for group, lines in groups.items()))

    def databases(self):
        """Make databases that are migrated and empty, unless they are there.

        :returns: a folder with SQLite files, not to be written to, DATABASE
            among them (pathlib.Path)
        :raises KeeptrackError: when they cannot be made
        """
        path = self._cache / ('nova-' + self._told()[:12])
        if path.exists():
            return path
        self._report('making a database for %s' % self._tree.path)
        with environment.making(path) as made:
            made.mkdir()
            result = subprocess.run(
                self.command('make_database.py', made / DATABASE),
                cwd=made.parent, env=self.variables, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                errors='replace')
            if result.returncode:
                raise errors.KeeptrackError(
                    'the database for %s cannot be made: %s' % (
                        self._tree.path,
                        result.stdout.strip().split('\n')[-1]))
        return path

    def _told(self):
        """A digest of all that a database depends on (str)."""
        digest = hashlib.sha256(self.python.encode())
        paths = sorted(path for pattern in _MIGRATIONS
                       for path in self._tree.path.glob(pattern))
        for path in paths + [AGENT / 'make_database.py']:
            digest.update(b'%s\0%s\0' % (path.name.encode(),
                                         path.read_bytes()))
        return digest.hexdigest()
