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

from eventlet import greenpool
from eventlet import patcher
import mock

from nova.compute import guest_location
from nova import context as nova_context
from nova import exception
from nova import test
from nova.tests.unit import fake_instance
from nova.virt.libvirt import guest_observer

Presence = guest_location.Presence

# Long enough for any machine, and short enough for a question that hangs.
LONG, SHORT = 60, 0.05
NO_SUPPORT, AWAY, NO_DOMAIN, NOT_RUNNING = 3, 38, 42, 55
NO_JOB, JOB = [0] * 12, [2] + [0] * 11
RUNNING, PAUSED, SHUTOFF = (1, 1), (3, 1), (5, 0)
# (state, reason) of a domain: its presence here, and on the destination
STATES = {
    RUNNING: ('running', 'running'), (2, 0): ('running', 'running'),
    (4, 0): ('running', 'running'), (7, 0): ('running', 'running'),
    PAUSED: ('paused', 'paused'), (6, 0): ('paused', 'paused'),
    (3, 2): ('paused', 'incoming'), (3, 11): ('paused', 'incoming'),
    SHUTOFF: ('absent', 'stopped')}


class LibvirtError(Exception):

    def __init__(self, code):
        super(LibvirtError, self).__init__('libvirt: %d' % code)
        self.code = code

    def get_error_code(self):
        return self.code


class GuestObserverTestCase(test.NoDBTestCase):

    def setUp(self):
        super(GuestObserverTestCase, self).setUp()
        self.set_timeout(LONG)
        self.instance = fake_instance.fake_instance_obj(
            nova_context.get_admin_context(), node='src.node')
        self.domain = mock.Mock()
        self.domain.state.return_value = RUNNING
        self.domain.jobInfo.return_value = NO_JOB
        self.connection = mock.Mock()
        self.connection.getHostname.side_effect = lambda: self.reached
        self.connection.lookupByUUIDString.return_value = self.domain
        self.reached = 'dest.node'
        self.libvirt = mock.Mock(
            libvirtError=LibvirtError, VIR_ERR_NO_DOMAIN=NO_DOMAIN,
            VIR_ERR_OPERATION_INVALID=NOT_RUNNING,
            VIR_ERR_NO_SUPPORT=NO_SUPPORT)
        self.libvirt.openReadOnly.side_effect = self.connect
        self.libvirt.open.return_value = self.connection
        self.go_on, self.hangs = patcher.original('threading').Event(), False
        self.addCleanup(self.go_on.set)
        conf = mock.patch.object(guest_observer, 'CONF')
        conf.start().libvirt.live_migration_uri = 'qemu+tcp://%s/system'
        self.addCleanup(conf.stop)
        self.observer = guest_observer.GuestObserver(self.libvirt,
                                                     'qemu:///system')

    def set_timeout(self, seconds):
        self.stubs.Set(guest_observer, 'TIMEOUT', seconds)

    def connect(self, uri):
        if self.hangs and uri.startswith('qemu+tcp'):
            self.go_on.wait(LONG)
        return self.connection

    def there(self, host='dest'):
        return self.observer.observe(self.instance, host, 'dest.node')

    def test_states(self):
        for state, expected in STATES.items():
            self.domain.state.return_value = state
            self.assertEqual(
                expected, (self.observer.observe(self.instance).presence,
                           self.there().presence), state)
        self.libvirt.openReadOnly.assert_any_call('qemu:///system')
        self.libvirt.openReadOnly.assert_any_call('qemu+tcp://dest/system')

    def test_migration_in_progress(self):
        self.assertFalse(self.observer.observe(self.instance).migrating)
        self.domain.jobInfo.return_value = JOB
        self.assertTrue(self.observer.observe(self.instance).migrating)
        self.assertFalse(self.there().migrating)

    def test_not_running(self):
        self.domain.state.return_value = PAUSED
        for code, migrating in ((NOT_RUNNING, False), (NO_SUPPORT, None)):
            self.domain.jobInfo.side_effect = LibvirtError(code)
            self.assertEqual((Presence.PAUSED, 'libvirt', migrating, False),
                             self.observer.observe(self.instance))

    def test_no_domain(self):
        self.connection.lookupByUUIDString.side_effect = LibvirtError(
            NO_DOMAIN)
        self.assertEqual(Presence.ABSENT, self.there().presence)
        self.assertEqual(Presence.ABSENT,
                         self.observer.observe(self.instance).presence)

    def test_no_answer(self):
        self.libvirt.openReadOnly.side_effect = LibvirtError(AWAY)
        seen = self.there()
        self.assertEqual(Presence.UNKNOWN, seen.presence)
        self.assertIn('libvirt: 38', seen.origin)

    def test_address_leads_elsewhere(self):
        self.reached = 'other.node'
        seen = self.there()
        self.assertEqual(Presence.UNKNOWN, seen.presence)
        self.assertIn('other.node', seen.origin)
        self.assertRaises(exception.NovaException, self.observer.pause,
                          self.instance, 'dest', 'dest.node')
        self.assertFalse(self.domain.suspend.called)

    def test_both_hosts_have_one_name(self):
        self.reached = 'src.node'
        self.assertEqual(Presence.UNKNOWN, self.observer.observe(
            self.instance, 'dest', 'src.node').presence)

    def test_keepalive_and_close(self):
        self.there()
        self.connection.setKeepAlive.assert_called_once_with(5, 3)
        self.connection.close.assert_called_once_with()

    def test_pause(self):
        for state, calls in ((SHUTOFF, 0), (PAUSED, 0), (RUNNING, 1)):
            self.domain.state.return_value = state
            self.observer.pause(self.instance, 'dest', 'dest.node')
            self.assertEqual(calls, self.domain.suspend.call_count)
        self.libvirt.open.assert_called_with('qemu+tcp://dest/system')

    def test_remove(self):
        self.assertRaises(exception.InstanceInvalidState,
                          self.observer.remove, self.instance)
        self.domain.state.return_value = SHUTOFF
        self.observer.remove(self.instance)
        self.assertFalse(self.domain.destroy.called)
        self.domain.state.return_value = PAUSED
        self.observer.remove(self.instance)
        self.domain.destroy.assert_called_once_with()
        self.assertEqual(2, self.domain.undefineFlags.call_count)
        self.connection.lookupByUUIDString.side_effect = LibvirtError(
            NO_DOMAIN)
        self.observer.remove(self.instance)

    def test_no_answer_in_time(self):
        """A host that hangs is asked once, until that question ends."""
        self.hangs = True
        self.set_timeout(SHORT)
        for _question in range(3):
            self.assertEqual(Presence.UNKNOWN, self.there().presence)
        self.assertEqual(1, self.libvirt.openReadOnly.call_count)
        self.set_timeout(LONG)
        self.assertEqual(Presence.RUNNING,
                         self.observer.observe(self.instance).presence)
        self.assertIn('earlier questions', self.there().origin)
        self.go_on.set()
        while self.there().presence != Presence.RUNNING:
            pass

    def test_many_hosts_hang(self):
        """Their questions leave threads for those to this host."""
        self.hangs = True
        self.set_timeout(SHORT)
        for number in range(4 * guest_observer.MAX_QUESTIONS):
            self.there('dest%d' % number)
        self.assertEqual(guest_observer.MAX_QUESTIONS,
                         self.libvirt.openReadOnly.call_count)
        self.set_timeout(LONG)
        self.assertEqual(Presence.RUNNING,
                         self.observer.observe(self.instance).presence)

    def test_many_instances_at_once(self):
        """Answers that come count for nothing against later questions."""
        pool = greenpool.GreenPool()
        seen = list(pool.imap(lambda _number: self.there().presence,
                              range(5 * guest_observer.MAX_QUESTIONS)))
        self.assertEqual(set([Presence.RUNNING]), set(seen))
