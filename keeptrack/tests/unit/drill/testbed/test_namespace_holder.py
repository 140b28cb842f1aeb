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

import json
import os
import subprocess
import sys
import time

from keeptrack.drill.testbed import namespace_holder
from keeptrack.tests import base


class HolderTestCase(base.TestCase):
    """As a process, in no namespace but ours."""

    def setUp(self):
        super().setUp()
        self.process = subprocess.Popen(
            [sys.executable, '-I', '-S', namespace_holder.__file__],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            bufsize=1)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.stdout.close)
        self.addCleanup(self.process.stdin.close)
        self.assertEqual('ready\n', self.process.stdout.readline())
        self.log = self.folder / 'log'

    def start(self, *command):
        self.process.stdin.write(json.dumps(
            {'command': command, 'log': str(self.log)}) + '\n')
        return int(self.process.stdout.readline())

    def await_log(self, text):
        until = time.monotonic() + 10
        while not self.log.exists() or self.log.read_text() != text:
            self.assertTrue(time.monotonic() < until)
            time.sleep(0.01)

    def test_both_outputs_are_added_to_the_log(self):
        self.log.write_text('before\n')
        self.start('sh', '-c', 'echo out; echo err >&2')
        self.await_log('before\nout\nerr\n')

    def test_children_are_reaped(self):
        pids = [self.start('true') for _ in range(5)]
        until = time.monotonic() + 10
        while any(os.path.exists('/proc/%d' % pid) for pid in pids):
            self.assertTrue(time.monotonic() < until)
            time.sleep(0.01)

    def test_ends_with_its_input(self):
        self.process.stdin.close()
        self.assertEqual(0, self.process.wait(10))
