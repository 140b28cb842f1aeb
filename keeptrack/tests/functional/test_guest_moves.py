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

"""Real migrations between two hosts, whole and broken, without Nova."""

import os
import signal
import time

from keeptrack.drill import history
from keeptrack.drill.testbed import libvirtd
from keeptrack.tests.functional import moving_guest

ROLES = moving_guest.ROLES

# seconds that an event may take from QEMU to us on a busy machine
SOON = 0.25


class MigrationTestCase(moving_guest.TestCase):
    """What a migration does, as the watcher sees it."""

    def check_migration(self, guest, migration, last=history.RUNNING):
        self.assertTrue(self.end(migration))
        self.await_state('source', history.ABSENT)
        self.await_state('destination', last)
        self.assertEqual(history.INCOMING, self.states('destination')[0])
        self.assertEqual(last, self.states('destination')[-1])
        self.assertEqual([], self.source.qemu_pids())
        self.assertEqual(1, len(self.destination.qemu_pids()))
        self.assertEqual([guest.uuid], self.destination.domains())
        for role in ROLES:
            statuses = [status for _, where, status in self.jobs
                        if where == role]
            self.assertEqual('setup', statuses[0])
            self.assertEqual('completed', statuses[-1])
        for change in self.changes:
            self.assertTrue(-0.001 < change[3] < SOON, self.changes)

    def test_peer_to_peer(self):
        guest = self.boot()
        self.check_migration(guest, self.p2p(guest))
        self.assertEqual(
            [history.RUNNING, history.PAUSED, history.ABSENT],
            self.states('source'))
        self.assertTrue(self.when('source', history.PAUSED) <
                        self.when('destination', history.RUNNING) <
                        self.when('source', history.ABSENT))

    def test_by_the_client(self):
        guest = self.boot()
        self.check_migration(guest, self.migrate(
            guest, '--persistent', '--undefinesource'))

    def test_peer_to_peer_of_the_running_guest_only(self):
        guest = self.boot()
        self.assertTrue(self.end(self.migrate(guest, '--p2p')))
        self.assertEqual([guest.uuid], self.source.domains())
        self.assertEqual([], self.source.qemu_pids())
        self.await_state('destination', history.RUNNING)

    def test_emulated(self):
        guest = self.boot(kvm=False)
        self.check_migration(guest, self.p2p(guest))

    def test_a_guest_that_its_user_has_paused(self):
        guest = self.boot(paused=True)
        self.assertEqual([history.PAUSED], self.states('source'))
        self.check_migration(guest, self.p2p(guest), history.PAUSED)
        self.assertNotIn(history.RUNNING, self.states('destination'))

    def test_and_back(self):
        guest = self.boot()
        self.check_migration(guest, self.p2p(guest))
        del self.changes[:]
        self.assertEqual(0, self.destination.run(
            ['virsh', 'migrate', '--live', '--p2p', guest.name,
             'qemu+tcp://%s/system' % self.source.name],
            capture_output=True, timeout=30).returncode)
        self.await_state('destination', history.ABSENT)
        self.assertEqual(history.RUNNING, self.watcher.state('source'))


class FaultTestCase(moving_guest.TestCase):
    """What breaks in the middle, and the way back."""

    def test_a_qemu_that_is_killed(self):
        self.boot()
        began = time.time()
        self.source.kill_qemu()
        self.await_state('source', history.ABSENT, SOON)
        self.assertTrue(self.when('source', history.ABSENT) - began < SOON)
        self.assertEqual([], self.source.qemu_pids())

    def fail_in_copy(self, act, heal=None, lasts=0):
        """Do something while a guest is copied; returns the success."""
        guest = self.boot()
        migration = self.p2p(guest)
        self.await_job('source', 'active')
        time.sleep(0.5)
        act()
        if heal:
            time.sleep(lasts)
            heal()
        return self.end(migration)

    def check_reset(self):
        self.watcher.stop()
        self.testbed.reset()
        for host in self.testbed.hosts.values():
            self.assertTrue(host.is_clean())
            self.assertEqual(libvirtd.UP, host.libvirtd.state)
        guest = self.boot()
        self.assertTrue(self.end(self.p2p(guest)))

    def test_the_source_killed(self):
        self.assertFalse(self.fail_in_copy(self.source.kill_qemu))
        self.await_state('destination', history.ABSENT)
        self.check_reset()

    def test_the_destination_killed(self):
        self.assertFalse(self.fail_in_copy(self.destination.kill_qemu))
        self.await_state('source', history.RUNNING)
        self.check_reset()

    def test_network_cut(self):
        began = time.monotonic()
        self.assertFalse(self.fail_in_copy(self.testbed.network.cut))
        self.assertTrue(2 < time.monotonic() - began < 12)
        self.await_state('source', history.RUNNING)
        self.check_reset()

    def test_daemons_stalled(self):
        for role in ROLES:
            libvirtd = self.testbed.hosts[role].libvirtd
            self.fail_in_copy(libvirtd.stall, libvirtd.resume, 4)
            self.check_reset()
            self.watcher.stop()
            self.testbed.reset()

    def test_daemon_killed_in_the_middle(self):
        for role in ROLES:
            libvirtd = self.testbed.hosts[role].libvirtd
            self.assertFalse(self.fail_in_copy(libvirtd.kill,
                                               libvirtd.start))
            self.check_reset()
            self.watcher.stop()
            self.testbed.reset()

    def test_reset_of_all_at_once(self):
        guest = self.boot()
        migration = self.p2p(guest)
        self.await_job('source', 'active')
        self.testbed.network.cut()
        self.source.libvirtd.stall()
        self.destination.libvirtd.kill()
        for pid in self.source.qemu_pids():
            os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        self.testbed.reset()
        self.assertTrue(time.monotonic() - began < 5)
        self.assertFalse(self.end(migration))
        self.check_reset()

    def test_reset_in_the_middle_of_a_migration(self):
        guest = self.boot()
        migration = self.p2p(guest)
        self.await_job('source', 'active')
        self.testbed.reset()
        self.assertFalse(self.end(migration))
        self.check_reset()

    def test_reset_is_quick(self):
        self.boot()
        began = time.monotonic()
        self.testbed.reset()
        self.assertTrue(time.monotonic() - began < 1.5)
