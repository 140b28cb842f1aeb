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
import pathlib
import subprocess

from keeptrack.drill.testbed import processes
from keeptrack.tests import base


class ProcessesTestCase(base.TestCase):

    def sleep(self):
        process = subprocess.Popen(['sleep', '100'])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def mine(self):
        return processes.of_namespace(
            'pid', os.stat('/proc/self/ns/pid'))

    def test_of_namespace(self):
        process = self.sleep()
        found = {one.pid: one for one in self.mine()}
        self.assertIn(os.getpid(), found)
        # until it has executed, it is a copy of ours
        self.assertIn(found[process.pid].command[0],
                      ('sleep', found[os.getpid()].command[0]))
        self.assertFalse(found[process.pid].is_guest)

    def test_of_another_namespace(self):
        self.assertEqual([], processes.of_namespace(
            'pid', os.stat(pathlib.Path(__file__))))

    def test_a_zombie_is_left_out(self):
        process = self.sleep()
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        self.assertNotIn(process.pid, [one.pid for one in self.mine()])

    def test_is_guest(self):
        qemu = '/usr/bin/qemu-system-x86_64'
        for command, wanted in (
                ([qemu, '-name', 'guest=x'], True),
                (['/usr/libexec/qemu-kvm', '-name', 'x'], True),
                ([qemu, '-machine', 'none,accel=kvm'], False),
                (['virsh', '-name', 'x'], False), ([''], False)):
            self.assertEqual(wanted, processes.Process(
                1, 1, command).is_guest, command)

    def test_kill(self):
        first, second = self.sleep(), self.sleep()
        self.assertEqual([], processes.kill([first.pid, second.pid]))
        self.assertEqual((-9, -9), (first.wait(0), second.wait(0)))

    def test_kill_of_what_is_gone(self):
        process = self.sleep()
        process.kill()
        process.wait()
        self.assertEqual([], processes.kill([process.pid]))

    def test_a_handle_outlives_its_process(self):
        process = self.sleep()
        handle = processes.Handle(process.pid)
        self.addCleanup(handle.close)
        self.assertFalse(handle.wait(0))
        process.kill()
        process.wait()
        self.assertTrue(handle.wait(5))
        handle.send(9)
