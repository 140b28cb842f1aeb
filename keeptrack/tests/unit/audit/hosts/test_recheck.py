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


"""Only what stands twice is found."""

import testtools

from keeptrack.audit.hosts import comparing
from keeptrack.audit.hosts import recheck
from keeptrack.tests.unit.audit.hosts import sample

LATER = sample.NOW + 10


class TwiceTestCase(testtools.TestCase):

    def confirm(self, before, after, nova=None, nova_after=None, at=LATER):
        rounds = [sample.around(
            [sample.look(name, *found, at=when)
             for name, found in hosts.items()], view)
            for hosts, view, when in ((before, nova, sample.NOW),
                                      (after, nova_after, at))]
        found = [comparing.compare(one, sample.NOW) for one in rounds]
        return [(one.kind, one.certainty) for one in recheck.confirm(
            rounds[0], found[0], rounds[1], found[1])]

    def test_stands(self):
        hosts = {'a': [sample.guest(1)], 'b': [sample.guest(1)]}
        self.assertEqual([('doubled', 'certain')], self.confirm(hosts, hosts))

    def test_a_migration_that_was_under_way(self):
        before = {'a': [sample.guest(1)], 'b': [sample.guest(1)]}
        self.assertEqual([], self.confirm(
            before, {'a': [], 'b': [sample.guest(1)]}))
        self.assertEqual([], self.confirm(before, {'b': []}))

    def test_a_host_that_is_silent_the_second_time(self):
        before = {'a': [sample.guest(1)], 'b': [sample.guest(1)]}
        self.assertEqual([('doubled', 'possible')], self.confirm(
            before, {'a': [sample.guest(1)]}))
        self.assertEqual([], self.confirm(before, {'a': []}))

    def test_batches_that_were_looked_at_one_after_the_other(self):
        # a twice, then b twice, and the guest has moved in between
        first = sample.around([
            sample.look('a', sample.guest(1)),
            sample.look('b', sample.guest(1), at=sample.NOW + 100)])
        second = sample.around([
            sample.look('a', sample.guest(1), at=LATER),
            sample.look('b', sample.guest(1), at=sample.NOW + 110)])
        found = recheck.confirm(
            first, comparing.compare(first, sample.NOW), second,
            comparing.compare(second, sample.NOW))
        self.assertEqual(['possible'], [one.certainty for one in found])

    def test_a_record_that_has_changed(self):
        hosts = {'a': [], 'b': [sample.guest(1)]}
        views = [sample.view('ab', sample.server(1, 'a', updated=when))
                 for when in (sample.NOW - 100, sample.NOW + 5)]
        self.assertEqual([('runs-elsewhere', 'certain')], self.confirm(
            hosts, hosts, views[0], sample.view('ab', *views[
                0].servers.values())))
        self.assertEqual([], self.confirm(hosts, hosts, *views))

    def test_nova_asked_once(self):
        hosts = {'a': [], 'b': [sample.guest(1)]}
        for updated, when, expected in (
                (sample.NOW - 100, LATER + 5, [('runs-elsewhere', 'certain')]),
                (sample.NOW - 100, sample.NOW, [('runs-elsewhere',
                                                 'possible')]),
                (sample.NOW + 5, LATER + 5, [])):
            view = sample.view('ab', sample.server(1, 'a', updated=updated),
                               when=when)
            self.assertEqual(expected, self.confirm(hosts, hosts, view, view))

    def test_once_is_possible(self):
        around = sample.around([sample.look('a', sample.guest(1)),
                                sample.look('b', sample.guest(1))])
        found = recheck.once(around, comparing.compare(around, sample.NOW))
        self.assertEqual(['possible'], [one.certainty for one in found])
