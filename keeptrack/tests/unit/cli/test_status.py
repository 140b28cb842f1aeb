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

import contextlib
import json
import os
from unittest import mock

from keeptrack.series import git
from keeptrack.series import parts
from keeptrack.tests import base
from keeptrack.tests import synthetic


class StatusTestCase(synthetic.NovaTestCase):

    def status(self, folder):
        status, out, err = self.keeptrack('status', str(folder), '-f', 'json')
        self.assertEqual((0, ''), (status, err))
        return json.loads(out)

    def test_what_lacks_everything(self):
        git.run(self.clone, 'checkout', '--quiet', '1.0')
        before = base.snapshot(self.clone)
        self.assertEqual(
            {'tree': str(self.clone), 'target': 'juno', 'release': '1.0',
             'has': [], 'missing': list(parts.NAMES), 'vulnerable': True,
             'guesses': None, 'notes': [],
             'parts': {name: {'origin': None, 'commit': None}
                       for name in parts.NAMES}},
            self.status(self.clone))
        self.assertEqual(before, base.snapshot(self.clone))

    def test_what_has_everything(self):
        for folder in (self.clone, self.unpack('1.1')):
            self.keeptrack('apply', str(folder))
            row = self.status(folder)
            self.assertEqual(
                ['loop (upstream)', 'monitor (keeptrack)',
                 'events (keeptrack)', 'guard (keeptrack)',
                 'start (keeptrack)'], row['has'])
            self.assertEqual(([], False, 'juno'), (
                row['missing'], row['vulnerable'], row['target']))

    def test_each_patch_adds_its_part(self):
        self.keeptrack('apply', str(self.clone))
        for back, part in enumerate(('start', 'guard', 'events', 'monitor')):
            git.run(self.clone, 'checkout', '--quiet',
                    'keeptrack/juno~%d' % (back + 1))
            row = self.status(self.clone)
            self.assertIn(part, row['missing'])
            self.assertEqual(back + 1, len(row['missing']))
            self.assertTrue(row['vulnerable'])

    def test_upstreams_monitor_is_another_target(self):
        synthetic.replace(self.clone, parts.DRIVER, '        move()\n',
                          '        self._live_migration_monitor()\n\n'
                          '    def _live_migration_monitor(self):\n'
                          '        job.find_job_type()\n')
        row = self.status(self.clone)
        self.assertEqual(['loop (upstream)', 'monitor (upstream)'],
                         row['has'])
        self.assertIsNone(row['target'])
        self.assertEqual((True, True), (row['vulnerable'], row['guesses']))
        # the working tree has it, HEAD has not
        self.assertIsNone(row['parts']['monitor']['commit'])
        self.assertEqual(['monitor: it is not committed'], row['notes'])

    def test_the_commits_that_brought_the_parts(self):
        self.keeptrack('apply', str(self.clone))
        ids = git.line(self.clone, 'rev-list', '--reverse',
                       'stable..keeptrack/juno').split()
        wanted = dict(zip(parts.NAMES, [self.nova.prerequisite] + ids))
        synthetic.replace(self.clone, parts.MANAGER, 'above_3 = 3\n',
                          'above_3 = "migration_guard migration_event"\n')
        base.git_commit(self.clone, 'a later commit with the same words')
        self.assertEqual(wanted, {
            name: told['commit'] for name, told in
            self.status(self.clone)['parts'].items()})

    def test_a_part_that_was_taken_out_and_put_back(self):
        self.keeptrack('apply', str(self.clone))
        for _ in range(2):
            git.run(self.clone, 'revert', '--no-edit', 'HEAD', env={
                name: 'a' for name in (
                    'GIT_AUTHOR_NAME', 'GIT_AUTHOR_EMAIL',
                    'GIT_COMMITTER_NAME', 'GIT_COMMITTER_EMAIL')})
        self.assertEqual(git.line(self.clone, 'rev-parse', 'HEAD'),
                         self.status(self.clone)['parts']['start']['commit'])

    def test_a_known_commit_needs_no_search(self):
        with mock.patch.dict('keeptrack.series.provenance._KNOWN', loop=(
                '1' * 40, self.nova.prerequisite)), mock.patch(
                    'keeptrack.series.provenance._search') as search:
            self.assertEqual(
                self.nova.prerequisite,
                self.status(self.clone)['parts']['loop']['commit'])
            self.assertFalse(search.called)
            # it is there, but not behind HEAD
            git.run(self.clone, 'checkout', '--quiet', '1.0')
            synthetic.replace(self.clone, parts.DRIVER, synthetic.LOOP, '')
            other = base.git_commit(self.clone, 'out with it')
            search.return_value = other
            self.assertEqual(
                other, self.status(self.clone)['parts']['loop']['commit'])

    def test_a_shallow_clone_does_not_know(self):
        folder = self.folder / 'shallow'
        git.run(self.folder, 'clone', '--quiet', '--depth=1',
                'file://%s' % self.clone, str(folder))
        row = self.status(folder)
        self.assertEqual({'origin': 'upstream', 'commit': None},
                         row['parts']['loop'])
        self.assertIn('shallow', row['notes'][0])

    def test_what_is_there_by_half_is_told(self):
        self.keeptrack('apply', str(self.clone))
        (self.clone / parts.MONITOR).unlink()
        row = self.status(self.clone)
        self.assertIn('monitor', row['missing'])
        self.assertEqual(['monitor: %s is missing' % parts.MONITOR],
                         row['notes'])

    def test_a_damaged_tree(self):
        (self.clone / parts.DRIVER).write_text('')
        self.assertIn('has no class LibvirtDriver',
                      self.refusal('status', str(self.clone)))

    def test_every_format(self):
        for name, word in (('csv', '"release"'), ('shell', 'release="1.1"'),
                           ('yaml', 'release:'), ('value', '1.1')):
            status, out, err = self.keeptrack('status', str(self.clone),
                                              '-f', name)
            self.assertEqual((0, ''), (status, err))
            self.assertIn(word, out)
        _, out, _ = self.keeptrack('status', str(self.clone), '-f', 'value',
                                   '-c', 'release')
        self.assertEqual('1.1\n', out)

    def test_people_get_words(self):
        _, out, _ = self.keeptrack('status', str(self.clone))
        self.assertIn('loop (upstream)', out)
        self.assertIn('monitor, events, guard, start', out)

    def test_the_version_of_an_unpacked_release(self):
        folder = self.unpack('1.1')
        synthetic.write(folder, {'PKG-INFO': 'Name: nova\nVersion: 34.0.0\n'})
        self.assertEqual('34.0.0', self.status(folder)['release'])
        (folder / 'PKG-INFO').unlink()
        (folder / 'setup.cfg').unlink()
        row = self.status(folder)
        self.assertIsNone(row['release'])
        self.assertIsNone(row['target'])

    def test_the_version_of_a_clone_without_one_is_its_tag(self):
        git.run(self.clone, 'rm', '-q', 'setup.cfg')
        base.git_commit(self.clone, 'no version')
        self.assertEqual('1.1', self.status(self.clone)['release'])
        git.run(self.clone, 'tag', '-d', '1.0', '1.1')
        self.assertIsNone(self.status(self.clone)['release'])

    def test_refusals(self):
        self.assertIn('is no folder', self.refusal('status', '/no/where'))
        self.assertIn('is no Nova tree', self.refusal('status', '/'))

    def test_a_published_release(self):
        folder = self.unpack('1.1')
        asked = []

        @contextlib.contextmanager
        def unpacked(release, report):
            asked.append(release)
            yield folder

        with mock.patch('keeptrack.series.nova_release.unpacked', unpacked):
            for words in ((), ('--release', '1.2')):
                _, out, _ = self.keeptrack('status', '-f', 'json', *words)
                self.assertEqual('nova-1.1', json.loads(out)['tree'])
        self.assertEqual([None, '1.2'], asked)

    def test_a_release_that_is_not_published(self):
        with mock.patch.dict(os.environ, NOVA_REPO=str(self.clone)):
            _, out, _ = self.keeptrack('status', '--release', '1.0',
                                       '-f', 'json')
        self.assertEqual('1.0', json.loads(out)['release'])

    def test_the_newest_of_a_target(self):
        self.nova.publish()
        folder = self.unpack('1.1')
        with mock.patch(
                'keeptrack.series.nova_release.newest',
                return_value='1.10'), mock.patch(
                    'keeptrack.series.nova_release.unpacked') as unpacked:
            unpacked.return_value.__enter__.return_value = folder
            self.assertEqual(0, self.keeptrack('status', '--release',
                                               'juno')[0])
        self.assertEqual('1.10', unpacked.call_args[0][0])
