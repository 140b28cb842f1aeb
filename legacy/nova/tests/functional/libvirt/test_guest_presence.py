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

"""The modules of the series that talk to libvirt, on two real hosts."""

import functools
import threading
import time
from unittest import mock

from oslo_config import cfg

from keeptrack.tests.functional import moving_guest
from nova.compute import guest_location
from nova.virt.libvirt import event_reason
from nova.virt.libvirt import guest_presence
from nova.virt.libvirt import migration_job

try:
    import libvirt
except ImportError:
    libvirt = None

# seconds
ANSWERS_WITHIN = 2


@functools.lru_cache
def _serve_events():
    """Let libvirt's events through, as Nova's driver does, from now on.

    That has to begin before the first connection is made.
    """
    def serve():
        while True:
            libvirt.virEventRunDefaultImpl()
    libvirt.virEventRegisterDefaultImpl()
    threading.Thread(target=serve, daemon=True).start()


class GuestPresenceTestCase(moving_guest.TestCase):

    def setUp(self):
        moving_guest.skip_without_hosts(self)
        if libvirt is None:
            self.skipTest('no libvirt binding: install libvirt-python, which '
                          'needs libvirt-dev, gcc and pkg-config')
        super().setUp()
        _serve_events()
        libvirt.registerErrorHandler(lambda context, error: None, None)
        self.patch(guest_presence, '_unanswered', {})
        self.patch(guest_presence, 'CONF', mock.Mock(
            spec=cfg.ConfigOpts, libvirt=mock.Mock(
                live_migration_ask_timeout=ANSWERS_WITHIN)))
        self.guest = self.boot()
        self.instance = {'uuid': self.guest.uuid}
        # from outside of its namespaces a host is known by its socket
        self.finder = guest_presence.GuestFinder(libvirt, self.uri('source'),
                                                 self.uri)

    def patch(self, where, name, value):
        patcher = mock.patch.object(where, name, value)
        patcher.start()
        self.addCleanup(patcher.stop)

    def uri(self, role):
        return 'qemu+unix:///system?socket=%s' % (
            self.lab.hosts[role].folder / 'run/libvirt/libvirt-sock')

    def look(self, role):
        return self.finder.look(
            self.instance, None if role == 'source' else role)

    def assert_seen(self, source, destination):
        self.assertEqual(
            (source, destination),
            tuple(self.look(role).presence for role in moving_guest.ROLES))

    def test_a_guest_that_stays(self):
        self.assert_seen(guest_location.RUNNING, guest_location.ABSENT)
        self.assertFalse(self.look('source').moving)

    def test_a_migration_from_its_beginning_to_its_end(self):
        migration = self.p2p(self.guest)
        self.await_job('source', 'active')
        source = self.look('source')
        self.assertEqual((guest_location.RUNNING, True),
                         (source.presence, source.moving))
        waits = self.look('destination')
        self.assertEqual((guest_location.PAUSED, False, False),
                         (waits.presence, waits.diverged, waits.moving))
        self.assertTrue(self.end(migration))
        self.assert_seen(guest_location.ABSENT, guest_location.RUNNING)

    def test_a_job_is_read(self):
        migration = self.p2p(self.guest)
        self.await_job('source', 'active')
        time.sleep(0.5)
        connection = libvirt.openReadOnly(self.uri('source'))
        self.addCleanup(connection.close)
        job = migration_job.read(libvirt, connection.lookupByUUIDString(
            self.guest.uuid))
        self.assertTrue(job.active)
        self.assertTrue(0 < job.memory_remaining < job.memory_total)
        self.assertTrue(0 < job.percent_remaining < 100)
        self.assertTrue(self.end(migration))

    def test_a_copy_that_has_run_and_is_suspended(self):
        self.assertTrue(self.end(self.p2p(self.guest)))
        self.finder.suspend(self.instance, 'destination')
        suspended = self.look('destination')
        self.assertEqual((guest_location.PAUSED, True),
                         (suspended.presence, suspended.diverged))

    def test_only_a_paused_copy_is_ended(self):
        self.assertRaises(guest_presence.StillRuns, self.finder.end_paused,
                          self.instance)
        self.source.virsh('suspend', self.guest.name)
        self.finder.end_paused(self.instance)
        self.assert_seen(guest_location.ABSENT, guest_location.ABSENT)
        self.assertEqual([], self.source.domains())

    def test_a_host_that_does_not_answer(self):
        for break_it in ('stall', 'kill'):
            getattr(self.destination.daemon, break_it)()
            began = time.monotonic()
            self.assert_seen(guest_location.RUNNING, guest_location.UNKNOWN)
            self.assertTrue(time.monotonic() - began < 2 * ANSWERS_WITHIN)

    def test_events_tell_that_a_migration_is_the_reason(self):
        told = {role: self.listen(role) for role in moving_guest.ROLES}
        self.assertTrue(self.end(self.p2p(self.guest)))
        until = time.monotonic() + 10
        while (min(map(len, told.values())) < 2 and
               time.monotonic() < until):
            time.sleep(0.05)
        for role, events in told.items():
            self.assertNotEqual([], events)
            for event, detail in events:
                self.assertEqual('migration',
                                 event_reason.of(libvirt, event, detail),
                                 (role, event, detail))

    def listen(self, role):
        events = []
        connection = libvirt.openReadOnly(self.uri(role))
        self.addCleanup(connection.close)
        # of what happens to the guest, not to its definition
        callback = connection.domainEventRegisterAny(
            None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,
            lambda connection, domain, event, detail, _: event not in (
                libvirt.VIR_DOMAIN_EVENT_DEFINED,
                libvirt.VIR_DOMAIN_EVENT_UNDEFINED) and events.append(
                    (event, detail)), None)
        self.addCleanup(connection.domainEventDeregisterAny, callback)
        return events
