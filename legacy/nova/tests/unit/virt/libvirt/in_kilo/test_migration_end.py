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

import mock

from nova import test
from nova.virt.libvirt import host
from nova.virt.libvirt import migration_end

NO_DOMAIN = 42
NO_SUPPORT = 3
ABORTED = 78
NONE, UNBOUNDED, COMPLETED, FAILED, CANCELLED = 0, 2, 3, 4, 5


class FakeLibvirt(object):

    VIR_DOMAIN_JOB_NONE = NONE
    VIR_DOMAIN_JOB_UNBOUNDED = UNBOUNDED
    VIR_DOMAIN_JOB_COMPLETED = COMPLETED
    VIR_DOMAIN_JOB_FAILED = FAILED
    VIR_DOMAIN_JOB_CANCELLED = CANCELLED
    VIR_ERR_NO_SUPPORT = NO_SUPPORT

    class libvirtError(Exception):

        def get_error_code(self):
            return self.args[0]


def error(code):
    return FakeLibvirt.libvirtError(code)


class EndTestCase(test.NoDBTestCase):

    def setUp(self):
        super(EndTestCase, self).setUp()
        patcher = mock.patch.object(host, 'libvirt', FakeLibvirt)
        patcher.start()
        self.addCleanup(patcher.stop)
        self.domain = mock.Mock()
        self.domain.isActive.return_value = False
        self.ended = False


class MovingDomainTestCase(EndTestCase):

    def setUp(self):
        super(MovingDomainTestCase, self).setUp()
        self.moving = migration_end.MovingDomain(
            self.domain, mock.Mock(uuid='a-uuid'), lambda: self.ended)

    def job(self, answer=NONE):
        self.domain.jobStats.side_effect = (
            answer if isinstance(answer, Exception)
            else lambda: {'type': answer, 'memory_total': 4,
                          'memory_processed': 3, 'memory_remaining': 1})
        return self.moving.jobStats()['type']

    def call_raises(self, raised=None):
        self.ended = True
        self.domain.migration_error = raised or ValueError()

    def test_a_job_that_runs_is_told_as_it_is(self):
        self.assertEqual(UNBOUNDED, self.job(UNBOUNDED))
        self.assertEqual({'type': UNBOUNDED, 'memory_total': 4,
                          'memory_processed': 3, 'memory_remaining': 1},
                         self.moving.jobStats())

    def test_no_end_is_told_before_the_call_has_ended(self):
        for kind in (NONE, COMPLETED, FAILED, CANCELLED):
            self.assertEqual(NONE, self.job(kind))

    def test_a_job_that_cannot_be_read_ends_nothing(self):
        for code in (NO_DOMAIN, 38, 55):
            self.assertEqual(NONE, self.job(error(code)))

    def test_a_libvirt_without_job_stats_tells_by_its_job_info(self):
        self.domain.jobInfo.return_value = [UNBOUNDED] + [0] * 11
        self.assertEqual(UNBOUNDED, self.job(error(NO_SUPPORT)))
        del self.domain.jobStats
        self.assertEqual(UNBOUNDED, self.moving.jobStats()['type'])

    def test_a_call_that_has_returned_is_complete(self):
        self.ended = True
        for kind in (NONE, FAILED, error(NO_DOMAIN)):
            self.assertEqual(COMPLETED, self.job(kind))
        self.assertFalse(self.moving.isActive())

    def test_a_domain_that_cannot_be_asked_speaks_against_no_success(self):
        self.ended = True
        for code in (NO_DOMAIN, 38):
            self.domain.isActive.side_effect = error(code)
            self.assertEqual(COMPLETED, self.job())

    def test_a_call_that_has_returned_and_a_guest_that_runs_is_a_doubt(self):
        self.ended = True
        self.domain.isActive.return_value = True
        self.assertEqual(FAILED, self.job())
        self.assertTrue(self.moving.isActive())

    def test_a_call_that_has_raised_is_never_complete(self):
        self.call_raises()
        for kind in (NONE, COMPLETED, error(NO_DOMAIN)):
            self.assertEqual(FAILED, self.job(kind))
        # What the monitor asks where the call ends just after its look.
        self.assertTrue(self.moving.isActive())

    def test_a_call_that_raises_during_the_look_is_no_success(self):
        def look():
            self.call_raises()
            return {'type': COMPLETED}
        self.domain.jobStats.side_effect = look
        self.assertEqual(FAILED, self.moving.jobStats()['type'])

    def test_an_abort_is_a_cancellation(self):
        self.call_raises(error(ABORTED))
        self.assertEqual(CANCELLED, self.job())

    def test_all_else_is_the_domains(self):
        self.assertIs(self.domain.name, self.moving.name)


class Driver(object):
    """What the decorators stand on."""

    def __init__(self):
        self.raises = []
        self.tells = True
        self.calls = 0

    def _fail(self):
        self.calls += 1
        if self.raises:
            raise self.raises.pop(0)

    @migration_end.keep_error
    def _live_migration_operation(self, context, instance, dest,
                                  block_migration, migrate_data, dom):
        self._fail()

    @migration_end.told_by_the_call
    def _live_migration_monitor(self, context, instance, dest, post, *args):
        self._fail()
        post(context, instance, dest, args[1], args[2])

    @migration_end.told_in_any_case
    def _live_migration(self, context, instance, dest, post, *args):
        if self.tells:
            post(context, instance, dest, args[1], args[2])
        self._fail()


class DecoratorTestCase(EndTestCase):

    def setUp(self):
        super(DecoratorTestCase, self).setUp()
        patcher = mock.patch.object(migration_end.time, 'sleep')
        self.sleep = patcher.start()
        self.addCleanup(patcher.stop)
        self.driver = Driver()
        self.post = mock.Mock()
        self.recover = mock.Mock()

    def operate(self):
        self.driver._live_migration_operation(
            'context', 'instance', 'dst', False, 'data', self.domain)

    def monitor(self):
        with mock.patch.object(migration_end, 'LOG') as self.log:
            self.driver._live_migration_monitor(
                'context', 'instance', 'dst', self.post, self.recover, False,
                'data', self.domain, mock.Mock())

    def migrate(self):
        self.driver._live_migration(
            'context', 'instance', 'dst', self.post, self.recover, False,
            'data')

    def test_a_call_that_returns_has_no_error(self):
        self.operate()
        self.assertNotIn('migration_error', vars(self.domain))

    def test_what_a_call_raises_is_known_and_raised(self):
        for raised in (ValueError('no'), KeyboardInterrupt()):
            self.driver.raises = [raised]
            self.assertRaises(type(raised), self.operate)
            self.assertIs(raised, self.domain.migration_error)

    def test_a_monitor_that_fails_begins_again(self):
        self.driver.raises = [ValueError(), ValueError()]
        self.monitor()
        self.assertEqual(3, self.driver.calls)
        self.assertEqual(2, self.log.warning.call_count)
        self.post.assert_called_once_with('context', 'instance', 'dst', False,
                                          'data')

    def test_an_end_is_told_once(self):
        self.post.side_effect = ValueError()
        self.assertRaises(ValueError, self.monitor)
        self.assertEqual(1, self.post.call_count)
        self.assertFalse(self.sleep.called)

    def test_what_never_began_is_recovered(self):
        self.driver.tells = False
        self.driver.raises = [ValueError()]
        self.assertRaises(ValueError, self.migrate)
        self.recover.assert_called_once_with('context', 'instance', 'dst',
                                             False, 'data')

    def test_what_was_told_is_not_told_again(self):
        self.driver.raises = [ValueError()]
        self.assertRaises(ValueError, self.migrate)
        self.assertFalse(self.recover.called)
        self.assertEqual(1, self.post.call_count)
