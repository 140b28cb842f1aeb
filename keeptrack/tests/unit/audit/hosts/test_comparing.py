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


"""The rules: which pictures are findings, and which are none."""

import testtools

from keeptrack.audit.hosts import comparing
from keeptrack.audit.hosts import guests
from keeptrack.tests.unit.audit.hosts import sample

SHELL = ('paused', 'starting up')
MOVING = {'task_state': 'migrating', 'updated': sample.NOW - 60}


class CompareTestCase(testtools.TestCase):

    def found(self, hosts, *servers, silent=(), nova=True, deleted=()):
        """Compare hosts (dict of name to guests); returns what was found."""
        names = list(hosts) + list(silent)
        self.round = sample.around(
            [sample.look(name, *found) for name, found in hosts.items()],
            sample.view(names, *servers) if nova else None,
            deleted={one.uuid: one for one in deleted})
        self.findings = comparing.compare(self.round, sample.NOW, 3600)
        return {(one.kind, one.certainty) for one in self.findings}

    def test_all_is_well(self):
        self.assertEqual(set(), self.found(
            {'a': [sample.guest(1), sample.guest(7, 'shut off', 'shutdown')],
             'b': [sample.guest(2, 'paused', 'user')]},
            sample.server(1, 'a'), sample.server(2, 'b', 'paused'),
            sample.server(7, 'a', 'stopped')))

    def test_doubled(self):
        hosts = {'a': [sample.guest(1)], 'b': [sample.guest(1)]}
        self.assertEqual({('doubled', 'certain')},
                         self.found(hosts, sample.server(1, 'a')))
        self.assertEqual({('doubled', 'certain')},
                         self.found(hosts, nova=False))
        self.assertEqual(('a', 'b'), self.findings[0].hosts)
        # a task at work does not make two copies right
        self.assertEqual({('doubled', 'certain')}, self.found(
            hosts, sample.server(1, 'a', **MOVING)))

    def test_a_paused_copy(self):
        self.assertEqual({('paused-copy', 'likely')}, self.found(
            {'a': [sample.guest(1)], 'b': [sample.guest(1, 'paused', 'user')]},
            sample.server(1, 'a')))

    def test_a_shell(self):
        hosts = {'a': [sample.guest(1)], 'b': [sample.guest(1, *SHELL)]}
        self.assertEqual({('shell', 'likely')},
                         self.found(hosts, sample.server(1, 'a')))
        self.assertEqual(set(), self.found(
            hosts, sample.server(1, 'a', **MOVING)))
        self.assertEqual({('shell', 'possible')},
                         self.found(hosts, nova=False))

    def test_elsewhere(self):
        self.assertEqual({('runs-elsewhere', 'certain')}, self.found(
            {'a': [], 'b': [sample.guest(1)]}, sample.server(1, 'a')))
        self.assertEqual({('runs-elsewhere', 'certain')}, self.found(
            {'b': [sample.guest(1)]}, sample.server(1, 'a'), silent='a'))
        for changes in (MOVING, {'task_state': 'resize_migrating'}):
            self.assertEqual(set(), self.found(
                {'a': [], 'b': [sample.guest(1)]},
                sample.server(1, 'a', **changes)))

    def test_runs_though_nova_says_it_does_not(self):
        for state in ('stopped', 'suspended', 'shelved_offloaded',
                      'soft-delete'):
            self.assertEqual({('runs-though-off', 'certain')}, self.found(
                {'a': [], 'b': [sample.guest(1)]},
                sample.server(1, 'a', state)))
        self.assertIn('names a', self.findings[0].why[0])
        self.assertEqual({('runs-in-error', 'likely')}, self.found(
            {'a': [sample.guest(1)]},
            sample.server(1, 'a', 'error', power_state=4)))
        self.assertEqual({('runs-in-error', 'possible')}, self.found(
            {'a': [sample.guest(1)]},
            sample.server(1, 'a', 'error', power_state=1)))
        self.assertEqual({('runs-in-error', 'certain')}, self.found(
            {'a': [], 'b': [sample.guest(1)]},
            sample.server(1, 'a', 'error')))
        self.assertEqual({('runs-though-deleted', 'certain')}, self.found(
            {'a': [sample.guest(1)]},
            deleted=[sample.server(1, 'a', 'deleted')]))

    def test_nowhere(self):
        self.assertEqual({('runs-nowhere', 'certain')}, self.found(
            {'a': [], 'b': []}, sample.server(1, 'a')))
        self.assertEqual({('runs-nowhere', 'likely')}, self.found(
            {'a': [], 'b': []}, sample.server(1, 'a'), silent='c'))
        self.assertEqual({('runs-nowhere', 'likely')}, self.found(
            {'a': [sample.guest(1, 'shut off', 'crashed')]},
            sample.server(1, 'a')))
        # its host is silent: it cannot be told
        self.assertEqual(set(), self.found(
            {'b': []}, sample.server(1, 'a'), silent='a'))
        for changes in (MOVING, {'task_state': 'rebuilding'}):
            self.assertEqual(set(), self.found(
                {'a': []}, sample.server(1, 'a', **changes)))

    def test_parked(self):
        self.assertEqual({('parked', 'certain')}, self.found(
            {'a': [sample.guest(1)]}, sample.server(
                1, 'a', 'error', task_state='migrating', fault='Look again')))
        self.assertEqual('Why: Look again', self.findings[0].why[0])

    def test_migrating_for_long(self):
        old = dict(MOVING, migrating_since=sample.NOW - 4000)
        shell = {'a': [sample.guest(1)], 'b': [sample.guest(1, *SHELL)]}
        self.assertEqual({('migrating-long', 'possible')}, self.found(
            shell, sample.server(1, 'a', **old)))
        self.assertEqual({('migrating-long', 'likely')}, self.found(
            {'a': [sample.guest(1)]}, sample.server(1, 'a', **old)))
        self.assertEqual(set(), self.found(
            shell, sample.server(1, 'a', **MOVING)))

    def test_what_nova_does_not_know_is_counted_only(self):
        self.assertEqual(set(), self.found(
            {'a': [sample.guest(5), sample.guest(6, *SHELL)]}))
        self.assertEqual({sample.UUID % 5}, self.round.unknown())


class IdentityTestCase(testtools.TestCase):
    """A libvirtd that lies about its name."""

    def compare(self, looks, hosts, *servers):
        self.round = sample.around(looks, sample.view(hosts, *servers))
        return {(one.kind, one.certainty) for one in comparing.compare(
            self.round, sample.NOW, 3600)}

    def test_one_host_by_two_names_is_no_two_copies(self):
        for uuid, name in (('u', 'a'), (None, 'a'), ('u', 'x')):
            one = sample.look('a', sample.guest(1), host_uuid=uuid)
            other = sample.look('b', sample.guest(1), host_uuid=uuid,
                                hostname=name)
            if uuid is None:
                one, other = (guests.Look(
                    look.asked, look.uri, look.hostname, None, look.began,
                    look.ended, look.guests) for look in (one, other))
            for looks in ([one, other], [other, one]):
                self.assertEqual(set(), self.compare(
                    looks, ['a', 'b'], sample.server(1, 'a'),
                    sample.server(2, 'b')))

    def test_boards_of_one_uuid_are_two_hosts(self):
        self.assertEqual({('doubled', 'certain')}, self.compare(
            [sample.look('a', sample.guest(1), host_uuid='u'),
             sample.look('b', sample.guest(1, id=9), host_uuid='u')],
            ['a', 'b'], sample.server(1, 'a')))

    def test_the_wrong_host_answers(self):
        # b is asked, c answers: neither is judged by it
        looks = [sample.look('b', sample.guest(3), hostname='c')]
        self.assertEqual(set(), self.compare(
            looks, ['b', 'c'], sample.server(2, 'b'), sample.server(3, 'c')))
        self.assertIn('says to be c', self.round.places[0].doubt)
        self.assertEqual(set(), self.compare(
            [sample.look('b', hostname='x')], ['b'], sample.server(2, 'b')))
        self.assertEqual(set(), self.compare(
            [sample.look('10.0.0.1', sample.guest(2), hostname='localhost')],
            ['b'], sample.server(2, 'b')))

    def test_names_in_full_and_short(self):
        self.assertEqual({('runs-nowhere', 'certain')}, self.compare(
            [sample.look('b', hostname='b.example.org')],
            {'b': 'b.example.org'}, sample.server(2, 'b')))
        self.assertEqual({('runs-nowhere', 'certain')}, self.compare(
            [sample.look('10.0.0.1', hostname='node-7.example.org')],
            {'custom': 'node-7.example.org'}, sample.server(2, 'custom')))

    def test_an_address_is_no_other_address(self):
        self.assertEqual(set(), self.compare(
            [sample.look('10.0.0.9')], ['10.0.0.7'],
            sample.server(1, '10.0.0.7')))
        self.assertIsNone(self.round.places[0].host)

    def test_two_that_say_to_be_one(self):
        self.assertEqual(set(), self.compare(
            [sample.look('10.0.0.1', sample.guest(1), hostname='a'),
             sample.look('10.0.0.2', sample.guest(2), hostname='a')],
            ['a'], sample.server(1, 'a'), sample.server(2, 'a')))
