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

"""What logs show, and what they do not."""

from keeptrack.tests.unit.audit.logs import auditing
from keeptrack.tests.unit.audit.logs import written as w

SOURCE, DESTINATION = auditing.SOURCE, auditing.DESTINATION


class JudgementTestCase(auditing.LogsTestCase):

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

    def test_a_take_over_that_does_not_end(self):
        source = [(3, w.PAUSED), (5, w.POSTED), (8, w.PENDING)]
        there = DESTINATION + [(6, w.POSTED_THERE)]
        for last, found in ((25, []), (50, [('lost', 'possible')]),
                            (700, [('lost', 'likely')])):
            self.assertEqual(found, self.found(
                a=self.goes_on(source + [(last, w.PENDING)], last + 20),
                b=there))

    def test_a_destination_that_does_not_answer(self):
        source = [(3, w.PAUSED), (5, w.POSTED),
                  (65, 'Post live migration at destination b failed: timeout')]
        there = self.goes_on(DESTINATION)
        self.assertEqual([('lost', 'likely')],
                         self.found(a=source, b=there))
        # from Wallaby on the finish fails, and Nova moves the record
        source += [(65.2, 'Live migration failed.: timeout')]
        self.assertEqual([], self.found(a=source, b=there))

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
