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
from keeptrack.drill.testbed import network
from keeptrack.tests import base


class NetworkTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.commands = []
        self.status = 0
        self.network = network.Network({
            role: mock.Mock(pid=number, popen=self.popen(role))
            for number, role in enumerate(('source', 'destination'))})

    def popen(self, role):
        def popen(command, **kwargs):
            self.commands.append((role, ' '.join(command)))
            return subprocess.Popen(
                ['sh', '-c', 'echo went wrong; exit %d' % self.status],
                **kwargs)
        return popen

    def addresses(self):
        """Where each host sends what is for the other."""
        found = [(role, command.split(' lladdr ')[1].split()[0])
                 for role, command in self.commands]
        del self.commands[:]
        return dict(found)

    def test_cut_and_heal(self):
        self.network.heal()
        whole = self.addresses()
        self.assertTrue(self.network.is_whole)
        self.network.cut()
        self.assertFalse(self.network.is_whole)
        cut = self.addresses()
        self.assertEqual(2, len(set(whole.values())))
        self.assertEqual(1, len(set(cut.values())))
        self.assertFalse(set(cut.values()) & set(whole.values()))
        self.network.heal()
        self.assertEqual(whole, self.addresses())

    def test_open(self):
        self.network.open()
        role, command = self.commands[0]
        self.assertEqual('source', role)
        self.assertTrue(command.endswith('netns 1'), command)
        self.assertTrue(self.network.is_whole)
        self.assertEqual(7, len(self.commands))

    def test_failure(self):
        self.status = 1
        exc = self.assertRaises(errors.TestbedError, self.network.heal)
        self.assertIn('went wrong', str(exc))
        self.assertFalse(self.network.is_whole)
