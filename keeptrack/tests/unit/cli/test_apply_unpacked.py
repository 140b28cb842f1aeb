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

from keeptrack import errors
from keeptrack.series import inplace
from keeptrack.series import parts
from keeptrack import signals
from keeptrack.tests import base
from keeptrack.tests import synthetic


class ApplyUnpackedTestCase(synthetic.NovaTestCase):

    def setUp(self):
        super().setUp()
        self.tree = self.unpack('1.1')

    def assertUntouched(self, *argv):
        before = base.snapshot(self.tree)
        line = self.refusal('apply', str(self.tree), *argv)
        self.assertEqual(before, base.snapshot(self.tree))
        return line

    def test_is_patched_like_a_clone(self):
        (self.tree / parts.DRIVER).chmod(0o755)
        status, out, err = self.keeptrack('apply', str(self.tree))
        self.assertEqual((0, ''), (status, err))
        self.assertIn('4 patches of juno applied, 9 files', out)
        self.keeptrack('apply', str(self.clone))
        for name in (parts.DRIVER, parts.MANAGER, synthetic.EVENT,
                     synthetic.GUARD, synthetic.NEW_TEST,
                     parts.MONITOR):
            self.assertEqual((self.clone / name).read_bytes(),
                             (self.tree / name).read_bytes())
        self.assertEqual(0o755, (self.tree / parts.DRIVER).stat().st_mode &
                         0o777)
        mode = (self.tree / parts.MONITOR).stat().st_mode
        self.assertEqual(0o644, mode & 0o777)
        self.assertEqual([], list(self.tree.rglob('.keeptrack-*')))

    def test_dry_run_changes_nothing(self):
        before = base.snapshot(self.tree)
        status, out, _ = self.keeptrack('apply', str(self.tree), '--dry-run')
        self.assertEqual(0, status)
        self.assertIn('would apply', out)
        self.assertEqual(before, base.snapshot(self.tree))

    def test_a_series_that_is_there(self):
        self.keeptrack('apply', str(self.tree))
        before = base.snapshot(self.tree)
        status, out, err = self.keeptrack('apply', str(self.tree))
        self.assertEqual((0, ''), (status, err))
        self.assertIn('already', out)
        self.assertEqual(before, base.snapshot(self.tree))
        (self.tree / parts.MONITOR).write_text('edited\n')
        self.assertIn('in another version', self.assertUntouched())
        for name in (synthetic.GUARD, parts.LOCATION,
                     parts.OBSERVER, synthetic.NEW_TEST):
            (self.tree / name).unlink()
        self.assertIn('a part of the series', self.assertUntouched())

    def test_undo(self):
        before = base.snapshot(self.tree)
        self.assertEqual(0, self.keeptrack('apply', str(self.tree))[0])
        applied = base.snapshot(self.tree)
        status, out, err = self.keeptrack('apply', '--undo', '--dry-run',
                                          str(self.tree))
        self.assertEqual((0, ''), (status, err))
        self.assertIn('would come off', out)
        self.assertEqual(applied, base.snapshot(self.tree))
        status, out, err = self.keeptrack('apply', '--undo', str(self.tree))
        self.assertEqual((0, ''), (status, err))
        self.assertIn('4 patches of juno taken off, 9 files', out)
        self.assertEqual(before, base.snapshot(self.tree))
        status, out, err = self.keeptrack('apply', '--undo', str(self.tree))
        self.assertEqual((0, ''), (status, err))
        self.assertIn('nothing to undo', out)

    def test_undo_of_what_is_no_whole_series(self):
        self.keeptrack('apply', str(self.tree))
        (self.tree / synthetic.GUARD).write_text('edited\n')
        self.assertIn('in another version', self.assertUntouched('--undo'))
        (self.tree / synthetic.GUARD).unlink()
        self.assertIn('a part of the series', self.assertUntouched('--undo'))

    def test_undo_needs_a_tree_and_nothing_else(self):
        self.assertIn('name it as TREE', self.refusal('apply', '--undo'))
        self.assertIn('leave out --signoff', self.assertUntouched(
            '--undo', '--signoff'))

    def test_a_folder_that_is_empty_again_goes(self):
        before = base.snapshot(self.tree)
        inplace.write(self.tree, {'nova/a/b/c.py': ['new\n']})
        (self.tree / 'nova' / 'a' / '__pycache__').mkdir()
        inplace.write(self.tree, {'nova/a/b/c.py': None})
        self.assertEqual(before, base.snapshot(self.tree))

    def test_the_owner_stays(self):
        given = []
        with mock.patch('os.geteuid', return_value=0), mock.patch(
                'os.chown', lambda path, user, group: given.append(
                    (user, group))):
            self.keeptrack('apply', str(self.tree))
        status = self.tree.stat()
        # the nine files as they are now and three as they were, at least
        self.assertGreaterEqual(len(given), 12)
        self.assertEqual({(status.st_uid, status.st_gid)}, set(given))

    def test_refuses_a_conflict_and_a_branch(self):
        self.assertIn('--branch', self.assertUntouched('--branch', 'x'))
        self.assertIn('--signoff', self.assertUntouched('--signoff'))
        self.assertIn('--author', self.assertUntouched('--author', 'A <b@c>'))
        synthetic.replace(self.tree, synthetic.EVENT, 'event_5', 'event_x')
        self.assertIn('nova/virt/event.py line ', self.assertUntouched())

    def test_the_prerequisite_comes_from_nova_repo(self):
        self.tree = self.unpack('1.0')
        self.assertIn('set NOVA_REPO', self.assertUntouched())
        with mock.patch.dict(os.environ, NOVA_REPO=str(self.clone)):
            status, _, err = self.keeptrack('apply', str(self.tree))
        self.assertEqual((0, ''), (status, err))
        self.assertNotIn('wait_for', (self.tree / parts.DRIVER).read_text())

    def test_refuses_a_nova_repo_that_is_none(self):
        self.tree = self.unpack('1.0')
        with mock.patch.dict(os.environ, NOVA_REPO=str(self.folder)):
            self.assertIn('set NOVA_REPO', self.assertUntouched())
        with mock.patch.dict(os.environ, NOVA_REPO='/no/where'):
            self.assertIn('NOVA_REPO names', self.assertUntouched())

    def test_an_error_at_any_write_changes_nothing(self):
        for name in ('os.replace', 'shutil.copy2', 'tempfile.mkdtemp'):
            module, function = name.split('.')
            real = getattr({'os': os, 'tempfile': inplace.tempfile,
                            'shutil': inplace.shutil}[module], function)
            last = {'os.replace': 7, 'shutil.copy2': 4}.get(name, 2)
            for fail in range(1, last):
                calls = []

                def broken(*args, **kwargs):
                    calls.append(args)
                    if len(calls) == fail:
                        raise OSError(28, 'No space left on device', 'there')
                    return real(*args, **kwargs)

                with mock.patch(name, broken):
                    self.assertIn('No space left', self.assertUntouched())

    def test_an_interrupt_at_any_file_changes_nothing(self):
        before = base.snapshot(self.tree)
        files = {'a/b/c.py': ['new\n'], parts.DRIVER: ['other\n'],
                 parts.MANAGER: None}
        for look in range(1, 5):
            effects = [None] * (look - 1) + [KeyboardInterrupt]
            with mock.patch.object(signals.Held, 'check',
                                   side_effect=effects):
                self.assertRaises(KeyboardInterrupt, inplace.write,
                                  self.tree, files)
            self.assertEqual(before, base.snapshot(self.tree))
        inplace.write(self.tree, files)
        self.assertFalse((self.tree / parts.MANAGER).exists())

    def test_a_file_in_the_way_of_a_folder(self):
        before = base.snapshot(self.tree)
        self.assertRaises(errors.KeeptrackError, inplace.write, self.tree,
                          {'setup.cfg/x.py': ['x\n'], parts.DRIVER: ['y\n']})
        self.assertEqual(before, base.snapshot(self.tree))
