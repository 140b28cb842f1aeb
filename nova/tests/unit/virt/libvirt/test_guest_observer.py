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

from concurrent import futures
import threading
import time
from unittest import mock

from oslo_utils.fixture import uuidsentinel as uuids

from nova.compute import guest_location
from nova import exception
from nova import objects
from nova import test
from nova.tests import fixtures as nova_fixtures
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt.libvirt import guest as libvirt_guest
from nova.virt.libvirt import guest_observer
from nova.virt.libvirt import host

Presence = guest_location.Presence

TIMEOUT = 'nova.virt.libvirt.guest_observer.TIMEOUT'
# Long enough for any machine, and short enough for a question that hangs.
LONG, SHORT = 60, 0.05

NONE, _, UNBOUNDED, COMPLETED, FAILED, CANCELLED = range(6)
GONE = fakelibvirt.VIR_ERR_NO_DOMAIN
AWAY = fakelibvirt.VIR_ERR_SYSTEM_ERROR

RUNNING = (fakelibvirt.VIR_DOMAIN_RUNNING, 1)
PAUSED = (fakelibvirt.VIR_DOMAIN_PAUSED, fakelibvirt.VIR_DOMAIN_PAUSED_USER)
SHUTOFF = (fakelibvirt.VIR_DOMAIN_SHUTOFF, 0)
# (state, reason) of a domain: its presence here, and on the destination
STATES = {
    RUNNING: ('running', 'running'),
    (fakelibvirt.VIR_DOMAIN_SHUTDOWN, 0): ('running', 'running'),
    (fakelibvirt.VIR_DOMAIN_CRASHED, 0): ('paused', 'paused'),
    SHUTOFF: ('absent', 'stopped'),
    PAUSED: ('paused', 'paused'),
    (PAUSED[0], fakelibvirt.VIR_DOMAIN_PAUSED_MIGRATION):
    ('paused', 'incoming'),
    (PAUSED[0], fakelibvirt.VIR_DOMAIN_PAUSED_STARTING_UP):
    ('paused', 'incoming')}
POSTCOPY_FAILED = (
    (PAUSED[0], fakelibvirt.VIR_DOMAIN_PAUSED_POSTCOPY_FAILED),
    (RUNNING[0], fakelibvirt.VIR_DOMAIN_RUNNING_POSTCOPY_FAILED))


def error(code):
    return fakelibvirt.make_libvirtError(
        fakelibvirt.libvirtError, 'failed', error_code=code)


class GuestObserverTestCase(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(nova_fixtures.LibvirtFixture())
        self.stub_out(TIMEOUT, LONG)
        self.instance = objects.Instance(uuid=uuids.instance)
        self.domain = mock.Mock()
        self.domain.state.return_value = RUNNING
        self.domain.jobStats.return_value = {'type': NONE}
        self.connection = mock.Mock()
        self.connection.getHostname.side_effect = lambda: self.reached
        self.connection.lookupByUUIDString.return_value = self.domain
        self.host = mock.Mock(spec=host.Host)
        self.host.get_hostname.return_value = 'src.node'
        self.host.get_guest.return_value = libvirt_guest.Guest(self.domain)
        self.hung, self.go_on = set(), threading.Event()
        self.addCleanup(self.go_on.set)
        self.host._connect.side_effect = self._connect
        self.observer = guest_observer.GuestObserver(
            self.host, 'qemu+tcp://%s/system'.__mod__)

    def _connect(self, uri, read_only):
        name = uri.split('/')[2]
        if name in self.hung:
            self.go_on.wait()
        self.reached = name + '.node'
        return self.connection

    def _here(self):
        return self.observer.observe(self.instance)

    def _there(self, *args):
        return self.observer.observe(self.instance, self._migration(*args))

    def _migration(self, name='dest', dest_host=None):
        return objects.Migration(
            dest_compute=name, dest_node=name + '.node', dest_host=dest_host)

    def assertUnknown(self, observation, cause=''):
        self.assertEqual(Presence.UNKNOWN, observation.presence)
        self.assertIn(cause, observation.origin)

    def _hang(self, *names):
        self.hung.update(names)
        self.stub_out(TIMEOUT, SHORT)
        for name in names:
            self.assertUnknown(self._there(name), 'no answer')
        self.stub_out(TIMEOUT, LONG)


class TestObserve(GuestObserverTestCase):

    def test_states(self):
        for state, expected in STATES.items():
            self.domain.state.return_value = state
            for presence, seen in zip(expected, (self._here(), self._there())):
                self.assertEqual(
                    (presence, False, False, False),
                    (seen.presence.value, seen.migrating,
                     seen.postcopy_failed, seen.fenced), state)

    def test_migration_in_progress(self):
        self.domain.jobStats.return_value = {'type': UNBOUNDED}
        for state, migrating in ((RUNNING, True), (PAUSED, True),
                                 (SHUTOFF, False)):
            self.domain.state.return_value = state
            self.assertEqual(migrating, self._here().migrating)

    def test_post_copy(self):
        self.domain.state.return_value = (
            RUNNING[0], fakelibvirt.VIR_DOMAIN_RUNNING_POSTCOPY)
        self.assertEqual(Presence.RUNNING, self._there().presence)
        self.assertTrue(self._there().migrating)
        # libvirt reports a failed one as a job that still works.
        self.domain.jobStats.return_value = {'type': UNBOUNDED}
        for state in POSTCOPY_FAILED:
            self.domain.state.return_value = state
            self.assertTrue(self._here().postcopy_failed)
            self.assertTrue(self._there().postcopy_failed)

    def test_libvirt_before_8_5(self):
        """It knows no failed post-copy of a guest that runs."""
        name = 'VIR_DOMAIN_RUNNING_POSTCOPY_FAILED'
        with mock.patch.object(guest_observer.libvirt, name):
            delattr(guest_observer.libvirt, name)
            self.assertEqual(Presence.RUNNING, self._here().presence)

    def test_no_domain(self):
        self.host.get_guest.side_effect = exception.InstanceNotFound(
            instance_id=uuids.instance)
        self.assertEqual(Presence.ABSENT, self._here().presence)
        for method in (self.domain.state, self.connection.lookupByUUIDString):
            # It may end between the two calls.
            method.side_effect = error(GONE)
            self.assertEqual(Presence.ABSENT, self._there().presence)

    def test_no_answer(self):
        self.host.get_guest.side_effect = exception.InternalError('refused')
        self.assertUnknown(self._here(), 'refused')
        for failure in (error(AWAY), ValueError('failed')):
            self.host._connect.side_effect = failure
            self.assertUnknown(self._there(), 'failed')


class TestConnection(GuestObserverTestCase):

    def test_address_leads_elsewhere(self):
        """An answer of a wrong host is none, whatever it has."""
        for name in ('src', 'third'):
            for lookup in (None, error(GONE)):
                self.connection.lookupByUUIDString.side_effect = lookup
                seen = self._there('dest', name)
                self.assertUnknown(seen, 'live_migration_inbound_addr')
                self.assertIn(name + '.node', seen.origin)
        self.assertEqual(4, self.connection.close.call_count)
        self.host.get_hostname.return_value = 'dest.node'
        self.assertUnknown(self._there())

    def test_keepalive_and_close(self):
        for method in (None, 'setKeepAlive', 'getHostname',
                       'lookupByUUIDString'):
            self.connection.reset_mock()
            if method:
                getattr(self.connection, method).side_effect = error(AWAY)
            self._there()
            # It comes first: all that follows may hang.
            calls = [call[0] for call in self.connection.method_calls]
            self.assertEqual(('setKeepAlive', 'close'), (calls[0], calls[-1]))
            self.assertEqual(1, calls.count('close'))

    def test_pause(self):
        self.observer.pause(self.instance, self._migration())
        self.domain.suspend.assert_called_once_with()
        self.host._connect.assert_called_once_with(mock.ANY, False)
        self.connection.close.assert_called_once_with()
        self.domain.state.return_value = PAUSED
        self.observer.pause(self.instance, self._migration())
        self.domain.suspend.assert_called_once_with()

    def test_pause_but_address_leads_back(self):
        """The only copy of the guest must not be paused."""
        self.assertRaises(exception.InternalError, self.observer.pause,
                          self.instance, self._migration('dest', 'src'))
        self.domain.suspend.assert_not_called()


class TestQuestions(GuestObserverTestCase):

    def _wait_for_answer(self, name):
        # The test's own timeout ends this.
        while self._there(name).presence != Presence.RUNNING:
            time.sleep(0.01)

    def test_no_answer_in_time(self):
        self._hang('dest')
        # It is not asked again: each question would keep a thread.
        for _ in range(3):
            self.assertUnknown(self._there())
        self.assertEqual(1, self.host._connect.call_count)
        self.assertEqual(Presence.RUNNING, self._there('other').presence)
        self.assertEqual(Presence.RUNNING, self._here().presence)
        self.go_on.set()
        self._wait_for_answer('dest')

    def test_guest_that_hangs(self):
        """It holds up no other one on this host."""
        other = objects.Instance(uuid=uuids.other)
        guest = self.host.get_guest.return_value

        def get_guest(instance):
            if instance is self.instance:
                self.go_on.wait()
            return guest

        self.host.get_guest.side_effect = get_guest
        self.stub_out(TIMEOUT, SHORT)
        for _ in range(3):
            self.assertUnknown(self._here())
        self.stub_out(TIMEOUT, LONG)
        self.assertEqual(Presence.RUNNING,
                         self.observer.observe(other).presence)
        self.assertEqual(2, self.host.get_guest.call_count)

    def test_too_many_questions(self):
        names = ['host%d' % i for i in range(guest_observer.MAX_QUESTIONS)]
        self._hang(*names)
        self.stub_out(TIMEOUT, SHORT)
        self.assertUnknown(self._there('other'))
        self.assertEqual(len(names), self.host._connect.call_count)
        self.stub_out(TIMEOUT, LONG)
        self.go_on.set()
        for name in names + ['other']:
            self._wait_for_answer(name)

    def test_many_instances_at_once(self):
        """Questions that are answered are no reason to refuse others."""
        def get_guest(instance):
            time.sleep(0.03)
            return libvirt_guest.Guest(self.domain)

        self.host.get_guest.side_effect = get_guest
        seen = []
        threads = [threading.Thread(target=lambda: seen.append(self._here()))
                   for _ in range(200)]
        for method in (threading.Thread.start, threading.Thread.join):
            list(map(method, threads))
        self.assertEqual([Presence.RUNNING] * 200,
                         [observation.presence for observation in seen])


class TestReadJob(GuestObserverTestCase):

    def assertJobs(self, cases, call=None):
        """Check what is made of each job, or error in its place."""
        for job, expected in cases:
            job_error = error(job) if job > CANCELLED else None
            self.domain.jobStats.side_effect = job_error
            self.domain.isActive.side_effect = job_error
            self.domain.jobStats.return_value = {
                'type': job, 'data_remaining': 42}
            info = guest_observer.read_job(
                libvirt_guest.Guest(self.domain), call)
            self.assertEqual(expected, info.type, job)
            if info.type == UNBOUNDED:
                self.assertEqual(42, info.data_remaining)

    def test_call_in_progress(self):
        self.assertJobs(
            ((NONE, NONE), (UNBOUNDED, UNBOUNDED), (COMPLETED, NONE),
             (FAILED, NONE), (CANCELLED, NONE), (GONE, NONE), (AWAY, NONE)),
            futures.Future())

    def test_call_ended_well(self):
        call = futures.Future()
        call.set_result(None)
        self.domain.isActive.return_value = False
        self.assertJobs(((NONE, COMPLETED), (COMPLETED, COMPLETED),
                         (GONE, COMPLETED), (AWAY, FAILED)), call)
        self.domain.isActive.return_value = True
        self.assertJobs(((NONE, FAILED), (UNBOUNDED, FAILED)), call)

    def test_call_failed(self):
        """A job that is gone is not a guest that has moved."""
        for failure in (error(AWAY), test.TestingException()):
            call = futures.Future()
            call.set_exception(failure)
            self.assertJobs(
                ((NONE, FAILED), (COMPLETED, FAILED), (UNBOUNDED, FAILED),
                 (GONE, FAILED), (AWAY, FAILED), (CANCELLED, CANCELLED)), call)
        call = futures.Future()
        call.set_exception(error(fakelibvirt.VIR_ERR_OPERATION_ABORTED))
        self.assertJobs(((NONE, CANCELLED), (GONE, CANCELLED),
                         (AWAY, CANCELLED)), call)

    def test_call_of_an_earlier_process(self):
        self.assertJobs(
            ((NONE, FAILED), (UNBOUNDED, UNBOUNDED), (COMPLETED, FAILED),
             (FAILED, FAILED), (CANCELLED, CANCELLED), (GONE, FAILED)))
        # The monitor is started again, with another connection.
        self.assertRaises(
            fakelibvirt.libvirtError, self.assertJobs, ((AWAY, NONE),))
        for state in POSTCOPY_FAILED:
            self.domain.state.return_value = state
            self.assertJobs(((UNBOUNDED, FAILED),))
