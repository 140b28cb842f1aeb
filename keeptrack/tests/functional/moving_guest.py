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

"""What the tests of a guest that moves between two hosts share."""

import subprocess
import time
import uuid

import testtools

from keeptrack.drill.recorders import guest_state
from keeptrack.drill.testbed import guest as guest_mod
from keeptrack.tests.functional import two_hosts

ROLES = ('source', 'destination')

# MiB/s for a migration: it copies for about 2.2 s
BANDWIDTH = '2'


def skip_without_hosts(case):
    """Skip a test on a machine that can have no two hosts, and say why."""
    reason = two_hosts.why_not()
    if reason:
        case.skipTest('no two hosts: %s' % reason)


class TestCase(testtools.TestCase):
    """A test with two hosts, and a guest that is watched."""

    def setUp(self):
        super().setUp()
        skip_without_hosts(self)
        self.testbed = self.useFixture(two_hosts.TwoHosts()).testbed
        self.source = self.testbed.hosts['source']
        self.destination = self.testbed.hosts['destination']
        self.changes = []
        self.jobs = []

    def boot(self, paused=False, kvm=None):
        guest = guest_mod.Guest(str(uuid.uuid4()), 'instance-00000001',
                                kvm=kvm)
        guest.boot(self.source, paused)
        self.watch(guest)
        return guest

    def watch(self, guest):
        self.watcher = guest_state.Watcher(
            self.testbed, guest,
            lambda when, role, state, why: self.changes.append(
                (when, role, state, time.time() - when)),
            lambda when, role, status: self.jobs.append(
                (when, role, status)))
        self.addCleanup(self.watcher.stop)

    def migrate(self, guest, *options):
        return self.source.popen(
            ['virsh', 'migrate', '--live', *options, '--bandwidth', BANDWIDTH,
             guest.name, 'qemu+tcp://%s/system' % self.destination.name],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def p2p(self, guest):
        return self.migrate(guest, '--p2p', '--persistent',
                            '--undefinesource')

    def end(self, migration):
        """Wait for a migration's end; returns whether it succeeded."""
        out = migration.communicate(timeout=30)[0]
        self.addDetail('virsh', testtools.content.text_content(out))
        return migration.returncode == 0

    def await_state(self, role, state, timeout=10):
        until = time.monotonic() + timeout
        while self.watcher.state(role) != state:
            self.assertTrue(time.monotonic() < until, self.changes)
            time.sleep(0.001)

    def await_job(self, role, status):
        until = time.monotonic() + 10
        while (role, status) not in [job[1:] for job in self.jobs]:
            self.assertTrue(time.monotonic() < until, self.jobs)
            time.sleep(0.001)

    def states(self, role):
        return [state for _, where, state, _ in self.changes if where == role]

    def when(self, role, state):
        return [when for when, where, what, _ in self.changes
                if (where, what) == (role, state)][-1]
