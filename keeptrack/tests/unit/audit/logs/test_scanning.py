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

"""Logs of any format and packing, and files that are none."""

import bz2
import gzip
import json
import lzma
import os
import random
from unittest import mock

import zstandard

from keeptrack.audit.logs import audit
from keeptrack.audit.logs import filtering
from keeptrack.audit.logs import messages
from keeptrack.audit import report as report_mod
from keeptrack import errors
from keeptrack.tests import base
from keeptrack.tests.unit.audit.logs import auditing
from keeptrack.tests.unit.audit.logs import written as w

SOURCE, DESTINATION = auditing.SOURCE, auditing.DESTINATION


class ScanningTestCase(auditing.LogsTestCase):

    def test_formats(self):
        for name, a, b in (
                ('json', w.as_json(SOURCE, 'a'),
                 w.as_json(DESTINATION, 'b')),
                ('export', w.export(SOURCE, 'a'), w.export(DESTINATION, 'b')),
                ('binary', w.export(SOURCE, 'a', True),
                 w.export(DESTINATION, 'b', True)),
                ('syslog', b''.join(
                    b'Jan 23 16:00:00 a nova-compute[7]: ' + line
                    for line in w.default(SOURCE).splitlines(True)),
                 w.default(DESTINATION))):
            report = self.look(a=a, b=b)
            self.assertEqual(
                [('lost', 'certain', ('a', 'b'))],
                [(one.kind, one.certainty, one.hosts)
                 for one in report.findings], name)

    def test_no_entry_of_the_journal_is_cut_into_a_host(self):
        # the last 8 KiB begin at every byte of an entry once
        lines = [(number, 'x' * 1000) for number in range(20)]
        for padding in range(0, 1400, 7):
            report = self.look(**{'': w.export(
                lines + [(20, 'y' * padding)], 'a')})
            self.assertEqual('a', report.looked_at[0].counts['host'])

    def test_a_small_log_does_not_go_back(self):
        for number in (2, 8, 9, 15, 16, 17, 40, 400):
            data = w.default([(20 * at, 'x') for at in range(number)])
            report = self.look(a=data)
            self.assertNotIn('goes back', ''.join(
                one.why for one in report.not_seen))
            self.assertEqual(
                [report_mod.iso(w.BEGIN), report_mod.iso(
                    w.BEGIN + 20 * number - 20)],
                [report.looked_at[0].counts[key] for key in ('from', 'to')])

    def test_a_log_is_covered_to_its_end(self):
        # more than one block, and less than is looked at again
        data = w.default([(at, 'x' * 1000) for at in range(300)])
        self.assertEqual(report_mod.iso(w.BEGIN + 299),
                         self.look(a=data).looked_at[0].counts['to'])

    def test_one_that_goes_back_is_told(self):
        report = self.look(a=w.default([(100, 'x'), (0, 'x')]))
        self.assertIn('goes back by 100 s', ''.join(
            one.why for one in report.not_seen))

    def test_packed(self):
        for pack in (gzip.compress, lzma.compress, bz2.compress,
                     zstandard.ZstdCompressor().compress):
            self.assertEqual([('lost', 'certain')], self.found(
                a=pack(w.default(SOURCE)), b=pack(w.default(DESTINATION))))

    def test_a_damaged_log_is_told_and_read_as_far_as_it_goes(self):
        noise = os.urandom(6 << 20).replace(b'\n', b'')
        whole = gzip.compress(w.default(SOURCE) + noise + b'\n')
        report = self.look(a=whole[:len(whole) - 2000],
                           b=w.default(DESTINATION))
        self.assertEqual(['nova-compute-a.log'],
                         [os.path.basename(one.where)
                          for one in report.failures()])
        self.assertEqual([('lost', 'certain')],
                         [(one.kind, one.certainty)
                          for one in report.findings])

    def test_a_cut_off_zstd_log_is_told(self):
        whole = zstandard.ZstdCompressor().compress(w.default(SOURCE))
        twice = whole + zstandard.ZstdCompressor().compress(
            w.default(DESTINATION))
        self.assertEqual([], self.look(a=twice).failures())
        # what is whole before it is read
        for data, found in ((whole[:-40], 0), (twice[:-40], 1)):
            report = self.look(a=data)
            self.assertIn('cut off', report.failures()[0].why)
            self.assertEqual(found, len(report.findings))

    def test_hostile_bytes_make_no_finding_and_no_crash(self):
        for content in (b'', b'\0' * 5000, os.urandom(100000),
                        b'{"message": ' * 5000, b'[' * 100000,
                        b'{"message": 3, "asctime": []}\n' * 10,
                        b'x' * (3 << 20), w.FAILURE.encode() * 10000,
                        w.default(SOURCE).decode().encode('utf-16'),
                        b'MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xff' +
                        b'__REALTIME_TIMESTAMP=1\n' + w.FAILURE.encode(),
                        b'\x1f\x8b' + os.urandom(1000),
                        b'\x28\xb5\x2f\xfd' + os.urandom(1000),
                        b'\xfd7zXZ\0' + os.urandom(1000)):
            report = self.look(a=content)
            self.assertEqual([], report.findings)
            self.assertEqual(1, len(report.failures()), content[:20])
            self.assertEqual(2, report.status())

    def test_times_that_are_none_spoil_no_others(self):
        text = w.default(DESTINATION[:1]).decode()[:-1]
        for value in ('9' * 400, '9' * 20, '1e999', '-1', 'null'):
            record = '{"MESSAGE": %s, "__REALTIME_TIMESTAMP": %s}\n' % (
                json.dumps(text), value)
            exported = '__REALTIME_TIMESTAMP=%s\nMESSAGE=%s\n\n' % (value,
                                                                    text)
            for data in (record, exported):
                report = self.look(a=data.encode())
                self.assertEqual(
                    '2015-01-23T16:00:01.000+00:00',
                    report.looked_at[0].counts['to'], value)

    def test_a_terminal_gets_only_what_can_be_printed(self):
        host, words = 'a\x1b[2J\ud800\n', 'said \x1b]0;x\x07\ud800'
        lines = b''.join(json.dumps({
            'MESSAGE': line + words, '_HOSTNAME': host,
            '__REALTIME_TIMESTAMP': str(int((w.BEGIN + second) * 1e6))
        }).encode() + b'\n' for (second, _), line in zip(
            SOURCE, w.default(SOURCE).decode().splitlines()))
        found = self.look(**{'': lines}).findings[0]
        self.assertEqual(('a?[2J? ',), found.hosts)
        for text in found.hosts + found.why + tuple(
                one.text for one in found.moments):
            self.assertTrue(text.isprintable(), text)
        self.assertIn('said ?]0;x??', found.why[1])

    def test_a_quoted_log_line_is_no_record(self):
        quoted = b''.join(b'said "' + line for line in
                          w.default(SOURCE).splitlines(True))
        self.assertEqual([], self.look(a=quoted).findings)

    def test_a_line_without_end_hides_only_itself(self):
        long = b'x' * (9 << 20)
        self.assertEqual([('lost', 'certain')], self.found(
            a=long + b'\n' + w.default(SOURCE), b=DESTINATION))

    def test_a_document_is_one_long_line(self):
        hits = [{'_source': {'Hostname': name, 'Payload': line}}
                for name, lines in (('a', SOURCE), ('b', DESTINATION))
                for line in w.default(lines).decode().splitlines()]
        hits[1:1] = [{'_source': {'Hostname': 'a', 'Payload': 'x' * 9000}}
                     ] * 300
        path = self.folder / 'answer.json'
        path.write_text(json.dumps({'hits': {'hits': hits}}))
        report = audit.run([str(path)], processes=1)
        self.assertEqual([('lost', 'certain', ('a', 'b'))], [
            (one.kind, one.certainty, one.hosts) for one in report.findings])
        with mock.patch('keeptrack.audit.logs.documents.LARGEST', 1 << 20):
            report = audit.run([str(path)], processes=1)
        self.assertEqual(2, report.status())
        self.assertIn('more than 1 MiB', report.failures()[0].why)

    def test_a_folder_is_walked_and_a_link_to_nothing_is_told(self):
        folder = self.folder / 'logs' / 'cmp-1'
        folder.mkdir(parents=True)
        (folder / 'nova-compute.log').write_bytes(w.default(SOURCE))
        (folder / 'gone.log').symlink_to('nowhere')
        report = audit.run([str(self.folder / 'logs')], processes=1)
        self.assertEqual(('cmp-1',), report.findings[0].hosts)
        self.assertEqual([str(folder / 'gone.log')],
                         [one.where for one in report.failures()])

    def test_a_folder_of_many_hosts_logs_is_no_host(self):
        for names in (('cmp1.log', 'cmp2.log'),
                      ('cmp1-nova-compute.log', 'cmp2-nova-compute.log')):
            folder = self.folder / names[0]
            folder.mkdir()
            for name, lines in zip(names, (SOURCE, DESTINATION)):
                (folder / name).write_bytes(w.default(lines))
            report = audit.run([str(folder)], processes=1)
            self.assertEqual([('lost', 'certain')], [
                (one.kind, one.certainty) for one in report.findings])
            self.assertEqual(tuple(str(folder / name) for name in names),
                             report.findings[0].hosts)

    def test_a_folder_that_cannot_be_read_is_a_failure(self):
        (self.folder / 'nova-compute-a.log').write_bytes(
            w.default(DESTINATION))
        with mock.patch('keeptrack.audit.logs.paths.files', return_value=(
                [str(self.folder / 'nova-compute-a.log')], {'x': 'denied'})):
            report = audit.run([str(self.folder)], processes=1)
        self.assertEqual((['x'], 2), ([
            one.where for one in report.failures()], report.status()))

    def test_what_is_no_log_counts_only_where_it_is_named(self):
        folder = self.folder / 'logs'
        folder.mkdir()
        (folder / 'nova-compute-a.log').write_bytes(w.default(DESTINATION))
        (folder / 'README').write_text('no log')
        (folder / 'empty').touch()
        report = audit.run([str(folder)], processes=1)
        self.assertEqual(([], 0), (report.failures(), report.status()))
        report = audit.run([str(folder), str(folder / 'README')], processes=1)
        self.assertEqual(2, report.status())

    def test_what_is_not_understood_is_never_silent(self):
        folder = self.folder / 'logs'
        folder.mkdir()
        good = folder / 'nova-compute-a.log'
        good.write_bytes(w.default(DESTINATION))
        unknown = [line.replace(b' INFO ', b' <6> ') for line in
                   w.default(SOURCE).splitlines(True)]
        for name, content, why in (
                ('nova-compute-b.log', b'no log', 'no line in it is one of'),
                ('b.log', b''.join(unknown), '4 lines that'),
                ('b.log', w.default(SOURCE) + unknown[0], '1 lines that'),
                ('b.tar', b'\0' * 257 + b'ustar' + w.default(SOURCE),
                 'it is an archive'),
                ('b.zip', b'PK\x03\x04' + w.default(SOURCE), 'an archive'),
                ('b.journal', b'LPKSHHRH' + b'\0' * 99, 'journald')):
            path = folder / name
            path.write_bytes(content)
            report = audit.run([str(folder)], processes=1)
            self.assertEqual([(str(path), True)], [
                (one.where, why in one.why) for one in report.failures()],
                name)
            path.unlink()
        self.assertEqual(0, audit.run([str(folder)], processes=1).status())

    def test_logs_of_other_services_only(self):
        folder = self.folder / 'logs'
        folder.mkdir()
        (folder / 'nova-scheduler.log').write_bytes(
            w.default(DESTINATION[:0] + [(0, 'x')]).replace(
                b'nova.compute.manager', b'nova.scheduler'))
        report = audit.run([str(folder)], processes=1)
        self.assertEqual((2, ['logs']), (report.status(), [
            one.where for one in report.failures()]))

    def test_no_such_path(self):
        self.assertRaises(errors.KeeptrackError, audit.run, ['/no/such'])

    def test_two_processes_see_the_same(self):
        self.assertEqual(
            self.look(a=SOURCE, b=DESTINATION).to_dict()['findings'],
            self.look(2, a=SOURCE, b=DESTINATION).to_dict()['findings'])


class FilteringTestCase(base.TestCase):

    def lines(self, data):
        """Numbers of the lines that have a sign (set of int)."""
        return {data.count(b'\n', 0, end) for end in filtering.make()(
            data, data.isascii())}

    def test_every_message_is_found(self):
        for text in messages.PATTERNS:
            data = ('some\n\n[instance: ] %s.\nother' % text).encode()
            self.assertEqual({2}, self.lines(data), text)

    def test_a_message_is_found_behind_parts_of_others(self):
        texts = sorted(one for one in messages.PATTERNS if one.isascii())
        chooser = random.Random(5)
        for text in texts * 3:
            before = ''.join(chooser.choices(filtering.PARTS, k=4))
            cut = chooser.choice(texts)
            cut = cut[:chooser.randrange(len(cut))]
            data = ('x\n%s%s%s' % (before, cut, text)).encode()
            self.assertEqual({1}, self.lines(data), data)

    def test_other_lines_are_not(self):
        data = ''.join('%s#%s\n' % (one[:-1], '\u00e9 \\u00e9')
                       for one in filtering.PARTS).encode()
        self.assertEqual(set(), self.lines(data))
