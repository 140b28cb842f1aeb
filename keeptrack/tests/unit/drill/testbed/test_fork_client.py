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


import os
import signal
import time

from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import fork_client
from keeptrack.tests import base
from keeptrack.tests.unit.drill import fake_agent


class ForkClientTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.printed = self.folder / 'printed'

    def client(self, tree='tree'):
        client = fork_client.ForkClient(
            fake_agent.FakeRuntime(self.folder, tree), self.folder / 'log')
        self.addCleanup(client.close)
        return client

    def opened(self):
        client = self.client()
        client.open()
        return client

    def fork(self, client, **spec):
        return client.fork(dict(spec, role='rows'), self.printed)

    def test_a_process_runs_to_its_end(self):
        client = self.opened()
        for status in (0, 3):
            pid = self.fork(client, status=status)
            self.assertEqual(status, os.waitstatus_to_exitcode(
                client.wait(pid)))
            self.assertTrue(client.has_ended(pid))
        self.assertIn('process rows\n', self.printed.read_text())

    def test_kill(self):
        client = self.opened()
        pid = self.fork(client, sleeps=60)
        self.assertFalse(client.has_ended(pid))
        client.kill(pid)
        self.assertEqual(-signal.SIGKILL, os.waitstatus_to_exitcode(
            client.wait(pid)))
        # one that has ended may be killed again
        client.kill(pid)

    def test_all_end_with_the_server(self):
        client = self.opened()
        pid = self.fork(client, sleeps=60)
        stat = '/proc/%d/stat' % pid
        self.assertTrue(os.path.exists(stat))
        client.close()
        client.close()
        until = time.monotonic() + 5
        while _lives(stat) and time.monotonic() < until:
            time.sleep(0.01)
        self.assertFalse(_lives(stat))

    def test_a_tree_that_cannot_be_imported(self):
        exc = self.assertRaises(
            errors.TestbedError, self.client('broken').open)
        self.assertEqual('Nova cannot be imported: RuntimeError: no Nova '
                         'here', str(exc))

    def test_a_server_that_has_ended(self):
        client = self.opened()
        client._process.kill()
        exc = self.assertRaises(errors.TestbedError, self.fork, client)
        self.assertIn('the server for Nova processes has ended', str(exc))


def _lives(stat):
    try:
        with open(stat) as found:
            return found.read().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False
