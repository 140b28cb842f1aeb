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

import time

import eventlet
import mock

from nova import test
from nova.tests.unit.virt.libvirt import fake_migration
from nova.virt.libvirt import migration_monitor

ENDED = fake_migration.job(kind=0)


class FakeInstance(object):
    """An instance that counts what is stored of it."""

    def __init__(self):
        self.progress = 0
        self.stored = []

    def __deepcopy__(self, memo):
        clone = FakeInstance()
        clone.stored = self.stored
        return clone

    def obj_reset_changes(self):
        self.stored.append('reset')

    def save(self):
        self.stored.append(self.progress)


class MonitorTestCase(test.NoDBTestCase):

    def setUp(self):
        super(MonitorTestCase, self).setUp()
        self.instance = FakeInstance()
        self.libvirt = fake_migration.FakeLibvirt()
        self.post = mock.Mock()
        self.recover = mock.Mock()
        self.log = mock.Mock()
        self.patch(migration_monitor, 'LOG', self.log)
        self.interval(0.02)

    def patch(self, where, name, value):
        patcher = mock.patch.object(where, name, value)
        patcher.start()
        self.addCleanup(patcher.stop)

    def interval(self, seconds):
        self.patch(migration_monitor.JobWatch, '_interval',
                   staticmethod(lambda: seconds))

    def follow(self, operate, domain=None):
        domain = domain or fake_migration.FakeDomain(ENDED)
        find = domain if callable(domain) else lambda: domain
        migration_monitor.follow(operate, find, self.libvirt, self.post,
                                 self.recover, 'context', self.instance,
                                 'dst', False, {'some': 'data'})

    def assert_one(self, called, other):
        self.assertEqual(1, called.call_count)
        self.assertEqual(0, other.call_count)

    @staticmethod
    def takes(seconds, error=None):
        def operate(*args):
            eventlet.sleep(seconds)
            if error is not None:
                raise error
        return operate


class EndTestCase(MonitorTestCase):

    def test_a_call_that_returns_is_told_to_post(self):
        self.follow(lambda *args: None)
        self.assert_one(self.post, self.recover)
        self.post.assert_called_with('context', self.instance, 'dst', False,
                                     {'some': 'data'})

    def test_a_call_that_raises_is_told_to_recover(self):
        error = fake_migration.FakeLibvirtError()
        self.assertRaises(fake_migration.FakeLibvirtError, self.follow,
                          self.takes(0, error))
        self.assert_one(self.recover, self.post)
        self.recover.assert_called_with('context', self.instance, 'dst',
                                        False, migrate_data={'some': 'data'})

    def test_the_operation_gets_callbacks_that_do_nothing(self):
        def operate(context, instance, dest, post, recover, block, data):
            post(context, instance, dest, block, data)
            recover(context, instance, dest, block)
            self.assertEqual(('dst', False, {'some': 'data'}),
                             (dest, block, data))
        self.follow(operate)
        self.assert_one(self.post, self.recover)

    def test_whatever_the_call_raises_is_told_to_recover(self):
        for error in (ValueError(), SystemExit(), eventlet.timeout.Timeout(),
                      KeyboardInterrupt()):
            self.recover.reset_mock()
            self.assertRaises(type(error), self.follow, self.takes(0, error))
            self.assert_one(self.recover, self.post)

    def test_an_error_of_post_is_no_reason_to_recover(self):
        self.post.side_effect = ValueError()
        self.assertRaises(ValueError, self.follow, lambda *args: None)
        self.assert_one(self.post, self.recover)

    def test_an_error_of_recover_ends_it(self):
        self.recover.side_effect = KeyError()
        self.assertRaises(KeyError, self.follow,
                          self.takes(0, fake_migration.FakeLibvirtError()))
        self.assert_one(self.recover, self.post)

    def test_a_watcher_that_fails_changes_nothing(self):
        self.patch(migration_monitor.JobWatch, 'until',
                   mock.Mock(side_effect=ValueError()))
        self.follow(self.takes(0.05))
        self.assert_one(self.post, self.recover)

    def test_a_wait_for_libvirt_that_fails_still_recovers(self):
        self.patch(migration_monitor.JobWatch, 'wait_for_idle',
                   mock.Mock(side_effect=ValueError()))
        self.assertRaises(ValueError, self.follow,
                          self.takes(0, fake_migration.FakeLibvirtError()))
        self.assert_one(self.recover, self.post)

    def test_whoever_kills_the_monitor_makes_it_recover(self):
        thread = eventlet.spawn(self.follow, self.takes(5))
        eventlet.sleep(0.05)
        thread.kill()
        self.assert_one(self.recover, self.post)

    def test_the_end_is_told_before_the_next_look_is_due(self):
        self.interval(60)
        ends = []

        def operate(*args):
            eventlet.sleep(0.05)
            ends.append(time.time())
        self.follow(operate)
        self.assertTrue(time.time() - ends[0] < 5)

    def test_a_look_that_hangs_does_not_hold_up_the_end(self):
        def hang():
            eventlet.sleep(60)
        began = time.time()
        self.follow(self.takes(0.1), hang)
        self.assertTrue(time.time() - began < 5)
        self.assert_one(self.post, self.recover)


class LookTestCase(MonitorTestCase):

    def test_looks_while_the_call_is_on(self):
        domain = fake_migration.FakeDomain(fake_migration.job())
        self.follow(self.takes(0.2), domain)
        self.assertTrue(domain.looks > 2)

    def test_goes_on_looking_after_errors_on_a_new_domain(self):
        found = []

        def find():
            found.append(1)
            return fake_migration.FakeDomain(
                fake_migration.FakeLibvirtError() if len(found) < 3
                else fake_migration.job())
        self.follow(self.takes(0.5), find)
        self.assertEqual(3, len(found))
        self.assert_one(self.post, self.recover)
        self.assertEqual(['reset', 25], self.instance.stored)

    def test_looks_more_seldom_while_nobody_answers(self):
        def find():
            find.calls += 1
            raise fake_migration.FakeLibvirtError()
        find.calls = 0
        self.follow(self.takes(0.5), find)
        self.assertTrue(1 < find.calls < 7, find.calls)

    def test_says_once_that_nobody_answers(self):
        def find():
            raise fake_migration.FakeLibvirtError()
        self.follow(self.takes(0.3), find)
        self.assertEqual(1, self.log.debug.call_count)

    def test_a_lookup_that_finds_nothing_harms_nothing(self):
        self.follow(self.takes(0.1), mock.Mock(return_value=None))
        self.assert_one(self.post, self.recover)


class IdleTestCase(MonitorTestCase):

    def test_waits_until_libvirt_has_ended_what_it_does(self):
        domain = fake_migration.FakeDomain(
            fake_migration.job(), fake_migration.job(), fake_migration.job(),
            ENDED)
        self.assertRaises(
            fake_migration.FakeLibvirtError, self.follow,
            self.takes(0, fake_migration.FakeLibvirtError()), domain)
        self.assertEqual(4, domain.looks)
        self.assertEqual(1, self.log.warning.call_count)
        self.assert_one(self.recover, self.post)

    def test_waits_for_no_host_that_cannot_be_asked(self):
        def find():
            raise fake_migration.FakeLibvirtError()
        began = time.time()
        self.assertRaises(
            fake_migration.FakeLibvirtError, self.follow,
            self.takes(0, fake_migration.FakeLibvirtError()), find)
        self.assertTrue(time.time() - began < 2)

    def test_connects_to_no_host_anew_once_the_call_has_failed(self):
        failed = []
        found_after_failure = []

        def operate(*args):
            eventlet.sleep(0.01)
            failed.append(1)
            raise fake_migration.FakeLibvirtError()

        def find():
            found_after_failure.append(bool(failed))
            return fake_migration.FakeDomain(
                fake_migration.job(), fake_migration.FakeLibvirtError())
        self.assertRaises(fake_migration.FakeLibvirtError, self.follow,
                          operate, find)
        self.assertEqual([False], found_after_failure)
        self.assert_one(self.recover, self.post)

    def test_waits_for_no_host_that_does_not_answer(self):
        self.patch(migration_monitor.CONF.libvirt,
                   'live_migration_ask_timeout', 0.1)

        def hang():
            eventlet.sleep(60)
        began = time.time()
        self.assertRaises(
            fake_migration.FakeLibvirtError, self.follow,
            self.takes(0, fake_migration.FakeLibvirtError()), hang)
        self.assertTrue(time.time() - began < 5)
        self.assert_one(self.recover, self.post)


class ProgressTestCase(MonitorTestCase):

    def watch(self):
        return migration_monitor.JobWatch(None, self.libvirt, self.instance)

    def report(self, watch, at, **job):
        reading = migration_monitor.migration_job.read(
            self.libvirt, fake_migration.FakeDomain(fake_migration.job(**job)))
        with mock.patch.object(migration_monitor.time, 'time',
                               return_value=watch._began + at):
            watch._report(reading)

    def test_is_what_has_been_sent_of_the_memory(self):
        self.report(self.watch(), 1, total=1000, remaining=250)
        self.assertEqual(['reset', 75], self.instance.stored)

    def test_is_stored_on_a_copy(self):
        self.report(self.watch(), 1)
        self.assertEqual(0, self.instance.progress)

    def test_is_stored_every_five_seconds(self):
        watch = self.watch()
        for at in range(0, 12):
            self.report(watch, at)
        self.assertEqual(['reset', 25, 25, 25], self.instance.stored)
        self.assertEqual(3, self.log.debug.call_count)

    def test_is_logged_at_info_every_thirty_seconds(self):
        watch = self.watch()
        for at in range(0, 100):
            self.report(watch, at)
        self.assertEqual(3, self.log.info.call_count)
        self.assertEqual(17, self.log.debug.call_count)

    def test_is_logged_in_bytes(self):
        self.report(self.watch(), 1)
        text = self.log.debug.call_args[0][0] % self.log.debug.call_args[0][1]
        for part in ('75%', 'processed: 100', 'remaining: 750',
                     'total: 1000'):
            self.assertIn(part, text)

    def test_is_not_stored_any_more_once_the_end_is_told(self):
        watch = self.watch()
        watch.stop()
        self.report(watch, 1)
        self.assertEqual([], self.instance.stored)

    def test_that_cannot_be_stored_harms_nothing(self):
        self.patch(FakeInstance, 'save', mock.Mock(side_effect=ValueError()))
        self.report(self.watch(), 1)
        self.assertEqual(2, self.log.debug.call_count)


class OptionsTestCase(test.NoDBTestCase):

    def test_interval_is_in_milliseconds(self):
        self.assertEqual(0.5, migration_monitor.JobWatch._interval())
