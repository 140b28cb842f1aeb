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

"""A tree that looks like Nova to the kit, and a target with patches for it.

Nothing in it is Nova's: the files hold numbered lines.
"""

import pathlib
import shutil
import tempfile

from keeptrack.series import added_files
from keeptrack.series import git
from keeptrack.series import parts
from keeptrack.series import targets
from keeptrack.tests import base

EVENT = parts.EVENT
GUARD = parts.RECOVERY
ROLL_BACK = '    def _rollback_live_migration(self):\n'
INIT = '    def _init_instance(self):\n'
OLD_TEST = 'nova/tests/test_old.py'
NEW_TEST = 'nova/tests/test_guard.py'
LOOP = ('        def wait_for_live_migration():\n            pass\n'
        '        loop(wait_for_live_migration)\n')

_TARGET = '''\
name = "juno"
title = "a synthetic Nova"
python = "%(python)s"
releases = ">=1.0,<2.0"
shown_in = "legacy"
shown_as = [["nova/tests/", "nova/tests/unit/"]]
without = ["monitor"]

[prerequisite]
commit = "%(prerequisite)s"
title = "remove the loop"
ref = "1.1"
releases = ["1.0"]
file = "nova/virt/libvirt/driver.py"
gone = 'def wait_for_live_migration\\b'

[[bases]]
name = "1.1"
ref = "1.1"
commit = "%(new)s"
release = "1.1"

[[bases]]
name = "1.0"
ref = "1.0"
commit = "%(old)s"
release = "1.0"
needs_prerequisite = true

[tests]
modules = ["nova.tests.test_old"]
ours = ["nova.tests.test_guard"]
[tests.parts]
"nova.tests.test_old" = 2
[tests.environment]
KEEPTRACK_TEST = "1"
'''


def filler(word, count, first=0, indent=''):
    """Numbered lines of Python (str)."""
    return ''.join('%s%s_%d = %d\n' % (indent, word, number, number)
                   for number in range(first, first + count))


def replace(folder, name, old, new):
    """Replace a text that stands in a file once."""
    path = folder / name
    text = path.read_text()
    assert text.count(old) == 1, (name, old)
    path.write_text(text.replace(old, new))


def write(folder, files):
    """Write files (dict of path to text), making folders."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


class Nova:
    """A clone with two releases, and a project with a target for it.

    :ivar clone: the clone, release 1.1 checked out (pathlib.Path)
    :ivar project: the folder that has patches/ and legacy/ (pathlib.Path)
    """

    def __init__(self, folder):
        self.clone = folder / 'clone'
        self.project = folder / 'project'
        self.patches = self.project / 'patches'
        self.target = self.patches / 'juno'

    def build(self):
        """Make all of it."""
        self.clone.mkdir(parents=True)
        git.run(self.clone, 'init', '--quiet', '--initial-branch=stable')
        self._write_releases()
        self._write_series()
        git.run(self.clone, 'checkout', '--quiet', 'stable')
        git.run(self.clone, 'branch', '-D', 'series')
        return self

    def _write_releases(self):
        write(self.clone, {
            'setup.cfg': '[metadata]\nname = nova\nversion = 1.0\n',
            'nova/__init__.py': '', 'nova/tests/__init__.py': '',
            'nova/compute/__init__.py': '',
            parts.DRIVER: filler('up', 30) +
            'class LibvirtDriver(object):\n'
            '    def __init__(self):\n        self.name = 1\n\n'
            '    def _event_lifecycle_callback(self, event):\n'
            '        return event_module.LifecycleEvent(event)\n\n'
            '    def _live_migration(self):\n        move()\n' + LOOP +
            '\n    def last(self):\n        pass\n\n\n' +
            filler('down', 30),
            parts.MANAGER: filler('above', 20) +
            'class ComputeManager(object):\n'
            '    def __init__(self):\n        self.name = 1\n\n'
            '    def handle_lifecycle_event(self, event):\n'
            '        return 0\n\n' + ROLL_BACK + '        return 1\n' +
            filler('between', 9, indent='    ') + INIT +
            '        return 2\n\n    def live_migration(self):\n'
            '        go(self.post)\n\n'
            '    def rollback_live_migration_at_destination(self):\n'
            '        return 3\n\n' + filler('below', 20, indent='    '),
            parts.API: filler('api', 9) + 'class API(object):\n'
            '    def restore(self):\n        return 4\n\n'
            '    def evacuate(self):\n        return 5\n',
            EVENT: filler('event', 12) + 'NAMES = {\n    0: "Started",\n}\n',
            OLD_TEST: 'import unittest\n\n\n'
            'class Old(unittest.TestCase):\n'
            '    def test_rollback(self):\n'
            '        from nova.compute import manager\n'
            '        self.assertEqual(1, manager.ComputeManager().'
            '_rollback_live_migration())\n\n'
            '    def test_fails_always(self):\n'
            '        self.fail("as ever")\n',
        })
        self.old = base.git_commit(self.clone, 'Release 1.0')
        git.run(self.clone, 'tag', '1.0')
        replace(self.clone, parts.DRIVER, LOOP, '')
        self.prerequisite = base.git_commit(
            self.clone, 'remove the loop', 'Up Stream <up@example.org>')
        replace(self.clone, 'setup.cfg', 'version = 1.0', 'version = 1.1')
        replace(self.clone, parts.MANAGER, filler('above', 20),
                filler('more', 3) + filler('above', 20))
        self.new = base.git_commit(self.clone, 'Release 1.1')
        git.run(self.clone, 'tag', '1.1')

    def _write_series(self):
        git.run(self.clone, 'checkout', '--quiet', '-b', 'series')
        self._add(parts.DRIVER, 'from nova.virt.libvirt import '
                  'migration_monitor\n', 'up_3 = 3\n')
        write(self.clone, {parts.MONITOR:
                           'def monitor(call):\n    return call()\n'})
        replace(self.clone, parts.DRIVER,
                '    def _live_migration(self):\n',
                '    def _live_migration(self):\n        '
                'migration_monitor.monitor(self)\n\n'
                '    def _live_migration_operation(self):\n')
        base.git_commit(self.clone, 'libvirt: monitor the job\n\nWhy.\n')
        self._add(EVENT, 'EVENT_LIFECYCLE_MIGRATED_AWAY = 7\n',
                  'event_5 = 5\n')
        self._add(EVENT, '    EVENT_LIFECYCLE_MIGRATED_AWAY: "Migrated",\n',
                  '    0: "Started",\n')
        self._add(parts.DRIVER, '        event = virtevent.'
                  'EVENT_LIFECYCLE_MIGRATED_AWAY\n',
                  '    def _event_lifecycle_callback(self, event):\n')
        self._add(parts.MANAGER, '        if event == virtevent.'
                  'EVENT_LIFECYCLE_MIGRATED_AWAY:\n            return 0\n',
                  '    def handle_lifecycle_event(self, event):\n')
        base.git_commit(self.clone, 'compute: a stop is no shutdown')
        self._write_guard()
        base.git_commit(self.clone, 'compute: find the guest')
        self._add(GUARD, '\n    def defer_start(self):\n'
                  '        return False\n', '        pass\n')
        self._add(parts.MANAGER, '        if self._live_migration_recovery.'
                  'defer_start():\n            return\n', INIT)
        base.git_commit(self.clone, 'compute: find the guest at start')
        self.export('stable..series')

    def _write_guard(self):
        write(self.clone, {
            GUARD: 'def refuse_in_doubt(call):\n    return call\n\n\n'
                   'periodic_task = refuse_in_doubt\n\n\n'
                   'class LiveMigrationRecovery(object):\n'
                   '    def __init__(self, manager):\n        pass\n\n'
                   '    def recover(self):\n        return None\n',
            parts.LOCATION: 'class Observation(object):\n    pass\n'
                            '\n\ndef decide():\n    pass\n',
            parts.OBSERVER:
                'class GuestObserver(object):\n    pass\n',
            NEW_TEST: 'import unittest\n\n\n'
                      'class Guard(unittest.TestCase):\n'
                      '    def test_guard(self):\n        pass\n'})
        compute = 'from nova.compute import live_migration_recovery\n'
        tasks = 'periodic_task = live_migration_recovery\n'
        for path, line, after in (
                (parts.MANAGER, compute + tasks, 'above_1 = 1\n'),
                (parts.MANAGER, '        self._live_migration_recovery = '
                 'live_migration_recovery.LiveMigrationRecovery(self)\n',
                 '        self.name = 1\n'),
                (parts.MANAGER, '        if self._live_migration_recovery.'
                 'recover():\n            return\n', ROLL_BACK),
                (parts.MANAGER, '        self._live_migration_recovery.'
                 'begin()\n        self.post = self._live_migration_recovery.'
                 'finish\n', '    def live_migration(self):\n'),
                (parts.MANAGER,
                 '        self._live_migration_recovery.is_here()\n',
                 '    def rollback_live_migration_at_destination(self):\n'),
                (parts.MANAGER, '\n    @periodic_task.periodic_task\n'
                 '    def _check_live_migrations(self):\n'
                 '        self._live_migration_recovery.check_all()\n',
                 '        return 3\n'),
                (parts.API, compute, 'api_3 = 3\n'),
                (parts.API, '        live_migration_recovery.'
                 'refuse_in_doubt(1)\n', '    def restore(self):\n'),
                (parts.API, '        live_migration_recovery.'
                 'refuse_in_doubt(2)\n', '    def evacuate(self):\n'),
                (parts.DRIVER,
                 'from nova.virt.libvirt import guest_observer\n',
                 'up_6 = 6\n'),
                (parts.DRIVER, '        self.guest_observer = '
                 'guest_observer.GuestObserver()\n',
                 '        self.name = 1\n')):
            self._add(path, line, after)

    def _add(self, path, line, after):
        replace(self.clone, path, after, after + line)

    def publish(self):
        """Make the newest base one that the package index has."""
        replace(self.target, 'target.toml',
                'ref = "1.1"\ncommit = "%s"\n' % self.new,
                'published = true\n')

    def export(self, commits, python='2.7'):
        """Write the target's folder from commits of the clone."""
        shutil.rmtree(self.target, ignore_errors=True)
        self.target.mkdir(parents=True)
        git.run(self.clone, 'format-patch', '--quiet', '-U1', '-o',
                str(self.target), commits)
        names = sorted(path.name for path in self.target.glob('*.patch'))
        write(self.target, {
            'series': '# in this order\n' + '\n'.join(names) + '\n',
            'constraints.txt': '# none\n',
            'target.toml': _TARGET % {
                'python': python, 'prerequisite': self.prerequisite,
                'new': self.new, 'old': self.old}})
        found = [targets.load(self.target)]
        added_files.write(self.project, found, added_files.compose(found))


class NovaTestCase(base.TestCase):
    """A test with a synthetic Nova and its target.

    It is built once a process and copied, since git takes its time.
    """

    _built = None

    def setUp(self):
        super().setUp()
        if NovaTestCase._built is None:
            # the folder lives as long as this process, and goes with it
            NovaTestCase._built = tempfile.TemporaryDirectory(
                prefix='keeptrack-tests-')
            NovaTestCase._ready = Nova(pathlib.Path(
                NovaTestCase._built.name)).build()
        shutil.copytree(NovaTestCase._built.name, self.folder / 'nova')
        self.nova = Nova(self.folder / 'nova')
        for name in ('old', 'new', 'prerequisite'):
            setattr(self.nova, name, getattr(NovaTestCase._ready, name))
        self.clone = self.nova.clone

    def keeptrack(self, *argv):
        return self.run_keeptrack('--patches', str(self.nova.patches), *argv)

    def refusal(self, *argv):
        return self.refused('--patches', str(self.nova.patches), *argv)

    def unpack(self, release):
        """A release as an unpacked archive has it (pathlib.Path)."""
        folder = self.folder / ('nova-' + release)
        git.run(self.folder, 'clone', '--quiet', '--branch', release,
                str(self.clone), str(folder))
        shutil.rmtree(folder / '.git')
        return folder
