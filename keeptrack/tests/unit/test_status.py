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

from keeptrack import git
from keeptrack import parts
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
             'has': [], 'missing': ['loop', 'monitor', 'events', 'guard',
                                    'start'], 'vulnerable': True},
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
        synthetic.write(self.clone, {
            parts.DRIVER: 'def _live_migration_monitor():\n    pass\n'})
        row = self.status(self.clone)
        self.assertEqual(['loop (upstream)', 'monitor (upstream)'],
                         row['has'])
        self.assertIsNone(row['target'])
        self.assertTrue(row['vulnerable'])

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

        with mock.patch('keeptrack.nova_release.unpacked', unpacked):
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
        with mock.patch('keeptrack.nova_release.newest',
                        return_value='1.10'), mock.patch(
                            'keeptrack.nova_release.unpacked') as unpacked:
            unpacked.return_value.__enter__.return_value = folder
            self.assertEqual(0, self.keeptrack('status', '--release',
                                               'juno')[0])
        self.assertEqual('1.10', unpacked.call_args[0][0])


class MarkersTestCase(base.TestCase):

    def test_a_reason_that_the_driver_reads_is_upstreams_events(self):
        text = 'if detail == libvirt.VIR_DOMAIN_EVENT_STOPPED_MIGRATED:\n'
        for name in (parts.DRIVER, parts.HOST):
            self.assertEqual(parts.UPSTREAM, parts.detect(
                {name: text}.get)['events'])

    def test_ours_decides_where_both_are(self):
        files = {parts.DRIVER: 'def _live_migration_monitor(): '
                               'migration_monitor.follow()',
                 parts.MONITOR: ''}
        self.assertEqual('keeptrack', parts.detect(files.get)['monitor'])
        del files[parts.MONITOR]
        self.assertEqual('upstream', parts.detect(files.get)['monitor'])

    def test_a_call_in_a_comment_is_none(self):
        found = parts.detect({
            parts.MANAGER: '# @migration_guard.find_guest_first\n'}.get)
        self.assertEqual({}, found)
