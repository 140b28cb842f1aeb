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

"""Logs go in, a report comes out."""

import gzip
import json
import lzma
import os
import time
from unittest import mock

import zstandard

from keeptrack.audit.logs import filtering
from keeptrack.audit.logs import look
from keeptrack.audit import report as report_mod
from keeptrack import errors
from keeptrack.tests import base
from keeptrack.tests.unit.audit.logs import written as w

SOURCE = [(3, w.PAUSED), (4, w.FAILURE), (6, w.STOPPED), (7, w.SHUT_OFF)]
DESTINATION = [(1, w.STARTED), (3.1, w.RESUMED)]


class LookTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        zone, os.environ['TZ'] = os.environ.get('TZ'), 'UTC'
        time.tzset()

        def back():
            os.environ.pop('TZ')
            if zone is not None:
                os.environ['TZ'] = zone
            time.tzset()
        self.addCleanup(back)

    def look(self, processes=1, **contents):
        """Report on logs nova-compute-NAME.log with these contents."""
        paths = []
        for name, content in contents.items():
            path = self.folder / ('nova-compute-%s.log' % name)
            path.write_bytes(content if isinstance(content, bytes)
                             else w.default(content))
            paths.append(str(path))
        return look.look(paths, processes=processes)

    def found(self, **contents):
        return [(one.kind, one.certainty) for one in
                self.look(**contents).findings]

    def test_a_guest_that_moved_and_was_rolled_back_is_lost(self):
        report = self.look(a=SOURCE, b=DESTINATION)
        self.assertEqual([('lost', 'certain', w.UUID, ('a', 'b'))],
                         [(one.kind, one.certainty, one.instance, one.hosts)
                          for one in report.findings])
        self.assertEqual(1, report.status())
        moments = report.findings[0].moments
        self.assertEqual(w.BEGIN + 1, moments[0].when)
        self.assertEqual('b', moments[0].host)

    def test_the_source_alone_makes_it_likely(self):
        self.assertEqual([('lost', 'likely')], self.found(a=SOURCE))

    def test_without_the_sync_it_is_possible(self):
        self.assertEqual([('unsettled', 'possible')],
                         self.found(a=SOURCE[:3]))

    def test_a_second_start_makes_two(self):
        self.assertEqual([('doubled', 'certain')], self.found(
            a=[(3, w.PAUSED), (8, w.RESET), (9, w.RESTARTED),
               (10, w.RESUMED)], b=DESTINATION))

    def test_both_run(self):
        self.assertEqual([('doubled', 'certain')], self.found(
            a=[(3, w.PAUSED), (4, w.RESUMED), (4.1, w.FAILURE)],
            b=[(1, w.STARTED), (4.5, w.RESUMED)]))

    def test_what_went_well_is_not_found(self):
        self.assertEqual([], self.found(
            a=[(3, w.PAUSED), (5, w.POSTED), (6, w.FINISHED),
               (7, w.STOPPED), (3000, w.STARTED)],
            b=DESTINATION + [(6, w.POSTED_THERE), (900, w.STOPPED)]))

    def test_an_abort_is_not_found(self):
        self.assertEqual([], self.found(
            a=[(2, w.CANCELLED), (2.1, w.FAILURE)],
            b=[(1, w.STARTED), (3, w.STOPPED)]))

    def test_a_failed_preparation_is_not_found(self):
        self.assertEqual([], self.found(
            a=[(1, 'Pre live migration failed at b')], b=[]))

    def test_a_users_stop_is_not_found(self):
        self.assertEqual([], self.found(
            a=[(1, w.STOPPED), (2, w.SHUT_OFF), (60, w.STARTED),
               (61, w.RESUMED)]))

    def test_a_failure_and_a_good_second_try_are_not_found(self):
        self.assertEqual([], self.found(
            a=[(2, w.FAILURE), (60, w.PAUSED), (61, w.POSTED),
               (62, w.FINISHED)],
            b=[(1, w.STARTED), (3, w.STOPPED), (58, w.STARTED),
               (60, w.RESUMED), (62, w.POSTED_THERE)]))

    def test_a_finish_that_never_ends(self):
        self.assertEqual([('lost', 'likely')], self.found(
            a=w.default([(3, w.PAUSED), (4, w.POSTED)]) +
            w.default([(300, 'nothing')], uuid=w.OTHER), b=DESTINATION))

    def goes_on(self, lines, until=60):
        """A log that somebody else's lines end."""
        return w.default(lines) + w.default([(until, 'x')], uuid=w.OTHER)

    def test_one_that_the_destination_never_took_over(self):
        source = [(3, w.PAUSED), (5, w.POSTED), (6, w.FINISHED)]
        self.assertEqual([('lost', 'likely')], self.found(
            a=source, b=self.goes_on(DESTINATION)))
        # too early to say, and a log that says nothing of this guest
        self.assertEqual([], self.found(
            a=source, b=self.goes_on(DESTINATION, 20)))
        self.assertEqual([], self.found(a=source, b=self.goes_on([])))

    def test_one_that_the_destination_could_not_take_over(self):
        source = [(3, w.PAUSED), (5, w.POSTED), (6, w.FINISHED)]
        there = DESTINATION + [(6, w.POSTED_THERE)]
        for last, certainty in ((50, 'possible'), (700, 'likely')):
            self.assertEqual([('lost', certainty)], self.found(
                a=source + [(8, w.PENDING), (last, w.PENDING)], b=there))
        self.assertEqual([('lost', 'likely')], self.found(
            a=source + [(700, w.PENDING)]))

    def test_one_that_was_taken_over_late_is_not_found(self):
        self.assertEqual([], self.found(
            a=[(3, w.PAUSED), (5, w.POSTED), (6, w.FINISHED),
               (45, w.PENDING)],
            b=self.goes_on(DESTINATION + [(50, w.POSTED_THERE)])))

    def test_one_that_came_back_and_leaves_again_is_not_found(self):
        self.assertEqual([], self.found(
            a=[(1, w.POSTED), (2, w.FINISHED), (300, w.RESUMED),
               (302, w.POSTED_THERE), (700, w.PENDING)]))

    def test_addresses_are_names_as_a_whole(self):
        # the log of the host that Nova names is not there
        source = [(2, 'Pre live migration failed at 10.0.0.9'), *SOURCE]
        for other, hosts in (('10.0.0.7', ('10.0.0.5',)),
                             ('10.0.0.9', ('10.0.0.5', '10.0.0.9'))):
            report = self.look(**{'10.0.0.5': source[:-1], other: w.default(
                [(-9, 'x'), (9, 'x')], uuid=w.OTHER)})
            self.assertEqual([hosts] if other == '10.0.0.7' else [], [
                one.hosts for one in report.findings])

    def test_a_source_that_misses_it(self):
        self.assertEqual([('lost', 'likely')], self.found(
            a=[(1, w.PENDING), (12, w.ABSENT)], b=DESTINATION))

    def test_a_source_that_has_watched_it_and_says_no_more(self):
        self.assertEqual([('lost', 'likely')], self.found(
            a=self.goes_on([(1, w.WATCHED)]), b=DESTINATION))

    def test_one_that_nova_moves_in_another_way_is_not_found(self):
        # a cold migration, or a shelve and an unshelve, after a failed one
        source = [(0, w.FAILURE), (60, w.DESTROYED)]
        there = [(80, w.STARTED), (80.5, w.RESUMED)]
        for stopped in (59, 60, 75):
            for data in ({'b': self.goes_on(there, 400)}, {}):
                self.assertEqual([], self.found(a=self.goes_on(
                    source + [(stopped, w.STOPPED)], 400), **data))

    def test_one_that_nova_ends_here_later_is_lost_all_the_same(self):
        # the last but one starts here, and leaves again
        for lines, there in (
                (SOURCE + [(8, w.DESTROYED)], DESTINATION),
                (SOURCE[:3] + [(60, w.DESTROYED)], DESTINATION),
                ([(0, w.FAILURE), (20, w.DESTROYED), (25, w.STARTED),
                  (60, w.PAUSED), (62, w.FAILURE)],
                 [(50, w.STARTED), (61, w.RESUMED)]),
                ([(4, w.FAILURE), (6, w.STOPPED), (7, w.SHUT_OFF),
                  (8, w.DESTROYED)], [(1, w.STARTED), (9, w.RESUMED)])):
            self.assertEqual([('lost', 'certain')],
                             self.found(a=lines, b=there), lines)

    def test_a_resized_guest_is_not_found(self):
        self.assertEqual([], self.found(
            a=self.goes_on([(1, w.STOPPED), (1.1, w.DESTROYED)]),
            b=[(8, w.STARTED), (8.5, w.RESUMED)]))

    def test_nor_is_one_that_a_restart_starts_where_it_went(self):
        self.assertEqual([], self.found(
            a=self.goes_on([(308, w.STARTED), (308.5, w.RESUMED),
                            (600, w.RESTARTED)], 900),
            b=[(1, w.STARTED), (2, w.RESUMED), (300, w.STOPPED)]))

    def test_a_paused_guest_that_moved(self):
        self.assertEqual([('lost', 'likely')], self.found(
            a=[(4, w.FAILURE), (6, w.STOPPED), (7, w.SHUT_OFF)],
            b=[(1, w.STARTED), (3, w.PAUSED)]))

    def test_a_guest_that_ended_by_itself_is_not_found(self):
        self.assertEqual([], self.found(
            a=[(1, w.STOPPED), (4, w.FAILURE), (7, w.SHUT_OFF)],
            b=w.default([(0, 'x'), (60, 'x')], uuid=w.OTHER)))

    def test_a_later_migration_is_judged_too(self):
        self.assertEqual([('lost', 'likely')], self.found(
            a=[(2, w.CANCELLED), (2.1, w.FAILURE), (5003, w.PAUSED),
               (5005, w.POSTED), (5006, w.FINISHED)],
            b=self.goes_on([(1, w.STARTED), (3, w.STOPPED),
                            (5001, w.STARTED), (5003, w.RESUMED)], 5100)))

    def test_other_instances_do_not_matter(self):
        report = self.look(
            a=w.default(SOURCE), b=w.default(DESTINATION, uuid=w.OTHER))
        self.assertEqual([w.UUID], [one.instance for one in report.findings])

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

    def test_one_that_goes_back_is_told(self):
        report = self.look(a=w.default([(100, 'x'), (0, 'x')]))
        self.assertIn('goes back by 100 s', ''.join(
            one.why for one in report.not_seen))

    def test_packed(self):
        for pack in (gzip.compress, lzma.compress,
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

    def test_a_folder_is_walked_and_a_link_to_nothing_is_told(self):
        folder = self.folder / 'logs' / 'cmp-1'
        folder.mkdir(parents=True)
        (folder / 'nova-compute.log').write_bytes(w.default(SOURCE))
        (folder / 'gone.log').symlink_to('nowhere')
        report = look.look([str(self.folder / 'logs')], processes=1)
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
            report = look.look([str(folder)], processes=1)
            self.assertEqual([('lost', 'certain')], [
                (one.kind, one.certainty) for one in report.findings])
            self.assertEqual(tuple(str(folder / name) for name in names),
                             report.findings[0].hosts)

    def test_a_folder_that_cannot_be_read_is_a_failure(self):
        (self.folder / 'nova-compute-a.log').write_bytes(
            w.default(DESTINATION))
        with mock.patch('keeptrack.audit.logs.paths.files', return_value=(
                [str(self.folder / 'nova-compute-a.log')], {'x': 'denied'})):
            report = look.look([str(self.folder)], processes=1)
        self.assertEqual((['x'], 2), ([
            one.where for one in report.failures()], report.status()))

    def test_what_is_no_log_counts_only_where_it_is_named(self):
        folder = self.folder / 'logs'
        folder.mkdir()
        (folder / 'nova-compute-a.log').write_bytes(w.default(DESTINATION))
        (folder / 'README').write_text('no log')
        (folder / 'empty').touch()
        report = look.look([str(folder)], processes=1)
        self.assertEqual(([], 0), (report.failures(), report.status()))
        report = look.look([str(folder), str(folder / 'README')], processes=1)
        self.assertEqual(2, report.status())

    def test_no_such_path(self):
        self.assertRaises(errors.KeeptrackError, look.look, ['/no/such'])

    def test_two_processes_see_the_same(self):
        self.assertEqual(
            self.look(a=SOURCE, b=DESTINATION).to_dict()['findings'],
            self.look(2, a=SOURCE, b=DESTINATION).to_dict()['findings'])


class FilteringTestCase(base.TestCase):

    def test_with_and_without_hyperscan_the_same_is_found(self):
        if filtering.hyperscan is None:
            self.skipTest('hyperscan is not installed')
        data = w.default(SOURCE) + os.urandom(1000) + w.default(DESTINATION)
        self.assertEqual(sorted(filtering.make(False)(data)),
                         sorted(filtering.make(True)(data)))
