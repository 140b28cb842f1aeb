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


"""Files and answers that may be anything."""

import dataclasses
import json
import time
from unittest import mock

from keeptrack.audit.hosts import audit
from keeptrack.audit.hosts import collected
from keeptrack.audit.hosts import collector
from keeptrack.audit.hosts import guests
from keeptrack.audit.hosts import nova_record
from keeptrack.tests import base
from keeptrack.tests.unit.audit.hosts import sample


class DocumentTestCase(base.TestCase):

    def test_read(self):
        look = guests.read(sample.document(asked=None))
        self.assertEqual('a', look.asked)
        self.assertEqual(guests.RUNS, look.guests[sample.UUID % 1].presence)

    def test_broken(self):
        guest = sample.document()['guests'][0]
        for changes, words in (
                ({'schema': 'keeptrack.guests/2'}, 'schema'),
                ({'hostname': 'x' * 300}, 'hostname'),
                ({'hostname': ['a']}, 'hostname'),
                ({'began': 'now'}, 'began'), ({'began': True}, 'began'),
                ({'began': 10 ** 400}, 'began'),
                ({'ended': float('nan')}, 'ended'),
                ({'ended': sample.NOW - 1}, 'ended before'),
                ({'host_uuid': 'x'}, 'host_uuid'), ({'guests': {}}, 'list'),
                ({'guests': [guest, guest]}, 'twice'),
                ({'guests': [1]}, 'no JSON object'),
                ({'guests': [dict(guest, state='dancing')]}, 'dancing'),
                ({'guests': [dict(guest, uuid='../x')]}, 'uuid'),
                ({'guests': [guest] * (collector.MOST_GUESTS + 1)}, 'more')):
            error = self.assertRaises(guests.Broken, guests.read,
                                      sample.document(**changes))
            self.assertIn(words, str(error))
            self.assertEqual(1, len(str(error).splitlines()))

    def test_a_view_with_numbers_that_are_none(self):
        view = nova_record.to_dict(sample.view('a'))
        for key in ('when', 'unclear'):
            error = self.assertRaises(
                guests.Broken, nova_record.from_dict,
                dict(view, **{key: 10 ** 400}))
            self.assertIn(key, str(error))
        self.assertEqual({'a b': 'c d'}, nova_record.from_dict(dict(
            view, hosts={'a\x1bb': 'c\ud800d'})).hosts)

    def test_files_that_are_anything(self):
        good = json.dumps(sample.document())
        for number, data in enumerate((
                b'', b'{', b'\xff\xfe', b'[' * 100000, b'null', b'\0' * 1000,
                good[:-20].encode(), b'{"a": 1, "a": 2}', b'[NaN]',
                b'9' * 5000)):
            (self.folder / ('bad-%02d.json' % number)).write_bytes(data)
        large = self.folder / 'large.json'
        with large.open('wb') as stream:
            stream.truncate(collected.LARGEST + 1)
        (self.folder / 'good.json').write_text(good)
        looks, not_seen = collected.load([str(self.folder), '/nowhere.json',
                                          '/dev/zero'])
        self.assertEqual(1, len(looks))
        self.assertEqual(13, len(not_seen))
        for one in not_seen:
            self.assertEqual(1, len(one.why.splitlines()), one)

    def test_rounds(self):
        looks = [sample.look('a', at=sample.NOW + at) for at in (2, 9, 5)]
        looks.append(sample.look('b'))
        first, second, not_seen = collected.rounds(looks)
        self.assertEqual([(5, 'a'), (0, 'b')], [
            (one.began - sample.NOW, one.asked) for one in first])
        self.assertEqual([(9, 'a')], [
            (one.began - sample.NOW, one.asked) for one in second])
        self.assertEqual([], not_seen)

    def test_hosts_of_one_name_are_not_looks_at_one_host(self):
        looks = [sample.look('a', sample.guest(5), at=sample.NOW + at,
                             host_uuid=uuid)
                 for at, uuid in ((0, 'u'), (1, 'v'), (20, 'u'), (21, 'v'))]
        looks.append(dataclasses.replace(looks[3], host_uuid=None))
        first, second, not_seen = collected.rounds(looks)
        for number, found in enumerate((first, second)):
            self.assertEqual([('a (u)', number * 20),
                              ('a (v)', number * 20 + 1)], [
                (one.asked, one.began - sample.NOW) for one in found])
        self.assertEqual(['a'], [one.where for one in not_seen])
        self.assertIn('u and v', not_seen[0].why)
        self.assertIn('1 files', not_seen[0].why)
        report = audit.collected(first, second, None, None, 3600)
        self.assertEqual([('doubled', 'certain', ('a (u)', 'a (v)'))], [
            (one.kind, one.certainty, one.hosts) for one in report.findings])

    def test_a_look_without_the_uuid_is_at_the_same_host(self):
        looks = [sample.look('a', at=sample.NOW + at) for at in (0, 20)]
        looks[0] = dataclasses.replace(looks[0], host_uuid=None)
        first, second, not_seen = collected.rounds(looks)
        self.assertEqual(([looks[0]], [looks[1]], []),
                         (first, second, not_seen))


class CollectorTestCase(base.TestCase):

    def test_host_uuid(self):
        text = '<capabilities><host><uuid>%s</uuid></host></capabilities>'
        self.assertEqual(sample.UUID % 1,
                         collector.host_uuid(text % (sample.UUID % 1)))
        for bad in ('<', '', text % 'x', text % ('-' * 36), '<a>' * 1000):
            self.assertIsNone(collector.host_uuid(bad))

    def test_what_virsh_says(self):
        uuids = [sample.UUID % number for number in range(4)]
        text = ('%s3\nrunning (booted)\n\ni-0\n\n%s%s-\nshut off (failed)\n'
                '\ni 2\n%s\n7\npaused (I/O error)\ni-3\n' % tuple(uuids))
        self.assertEqual(
            [(uuids[0], 3, 'running', 'booted', 'i-0'),
             (uuids[2], None, 'shut off', 'failed', 'i 2'),
             (uuids[3], 7, 'paused', 'I/O error', 'i-3')],
            [(one['uuid'], one['id'], one['state'], one['reason'],
              one['name'])
             for one in collector.guests_of_virsh(text, uuids)])
        self.assertEqual([], collector.guests_of_virsh('', uuids))

    def test_since(self):
        proc, run = self.folder / 'proc', self.folder / 'run'
        (proc / '7').mkdir(parents=True)
        run.mkdir()
        (run / 'i.pid').write_text('7')
        (proc / '7' / 'cmdline').write_text('qemu\0-uuid\0' + sample.UUID % 1)
        (proc / '7' / 'stat').write_text('7 (a) b) S ' + '0 ' * 18 + '500 0')
        (proc / 'stat').write_text('cpu 1\nbtime 1700000000\n')
        at = collector.since('i', sample.UUID % 1, [str(run)], str(proc))
        self.assertAlmostEqual(1700000005, at, 3)
        for name, number in (('i', 2), ('j', 1), ('../run/i', 1)):
            self.assertIsNone(collector.since(
                name, sample.UUID % number, [str(run)], str(proc)))

    def test_a_time_that_is_no_number_is_refused(self):
        for timeout in ('nan', '-1', '0', 'inf', '1e300'):
            err = self.useFixture(base.fixtures.StringStream('err')).stream
            with mock.patch('sys.stderr', err):
                refused = self.assertRaises(
                    SystemExit, collector.main, ['--timeout', timeout])
            self.assertEqual(2, refused.code)

    def test_bounded(self):
        self.assertEqual(3, collector.bounded(5, lambda: 3))
        self.assertRaises(collector.CannotLook, collector.bounded, 0.05,
                          time.sleep, 1)
        self.assertRaises(KeyError, collector.bounded, 5, {}.__getitem__, 1)
