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

import subprocess
from unittest import mock

from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import libvirtd
from keeptrack.drill.testbed import processes
from keeptrack.tests import base


class DaemonTestCase(base.TestCase):
    """A libvirtd that only sleeps."""

    def setUp(self):
        super().setUp()
        self.spawned = []
        self.answers = [0]
        self.log = self.folder / 'log'
        self.libvirtd = libvirtd.Libvirtd('source', mock.Mock(
            spawn=self.spawn, run=self.run_virsh), self.log)
        self.changes = []
        self.libvirtd.on_change = lambda when, role, state: (
            self.changes.append((role, state)))
        self.addCleanup(self.libvirtd.forget)
        self.addCleanup(self.libvirtd.kill)

    def spawn(self, command, log):
        process = subprocess.Popen(['sleep', '100'])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.spawned.append(process.pid)
        return processes.Handle(process.pid)

    def run_virsh(self, command, **kwargs):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return mock.Mock(returncode=answer)

    def test_states(self):
        self.assertEqual((libvirtd.DOWN, None),
                         (self.libvirtd.state, self.libvirtd.pid))
        self.libvirtd.start()
        self.libvirtd.start()
        self.assertEqual(self.spawned, [self.libvirtd.pid])
        self.libvirtd.stall()
        self.libvirtd.stall()
        self.assertEqual(libvirtd.STALLED, self.libvirtd.state)
        self.assertEqual(self.spawned, [self.libvirtd.pid])
        self.libvirtd.start()
        self.libvirtd.resume()
        self.assertEqual(libvirtd.UP, self.libvirtd.state)
        self.libvirtd.kill()
        self.libvirtd.start()
        self.assertEqual(self.spawned[1], self.libvirtd.pid)
        self.libvirtd.stall()
        self.libvirtd.kill()
        self.libvirtd.kill()
        self.assertEqual((libvirtd.DOWN, None),
                         (self.libvirtd.state, self.libvirtd.pid))
        self.assertEqual([('source', state) for state in (
            'up', 'stalled', 'up', 'down', 'up', 'stalled', 'down')],
            self.changes)

    def test_nothing_happens_to_one_that_is_down(self):
        self.libvirtd.kill()
        self.libvirtd.stall()
        self.libvirtd.resume()
        self.assertEqual(
            (libvirtd.DOWN, []), (self.libvirtd.state, self.changes))

    def test_ready_after_a_while(self):
        self.answers = [1, 1, 0]
        self.libvirtd.start()
        self.libvirtd.wait_ready(10)
        self.assertEqual([], self.answers)

    def test_not_ready_in_time(self):
        self.answers = [subprocess.TimeoutExpired('virsh', 0)] * 1000
        self.libvirtd.start()
        exc = self.assertRaises(
            errors.TestbedError, self.libvirtd.wait_ready, 0.05)
        self.assertIn('is up and does not answer: it has written nothing',
                      str(exc))

    def test_ended(self):
        self.log.write_text('1: info : a\n1: error : f:1 : no bus\n2: x\n')
        exc = self.assertRaises(errors.TestbedError, self.libvirtd.wait_ready)
        self.assertEqual("the source's libvirtd is down and does not answer: "
                         '1: error : f:1 : no bus', str(exc))
