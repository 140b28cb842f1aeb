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

import pathlib
import shutil
import subprocess
import tempfile
from unittest import mock

from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import host
from keeptrack.drill.testbed import network
from keeptrack.drill.testbed import prerequisites
from keeptrack.drill.testbed import testbed as testbed_mod
from keeptrack.tests import base


class FakeHost:

    def __init__(self, role, name, folder):
        self.role, self.name, self.folder = role, name, folder
        self.calls = []
        self.fails = {}
        self.left = []
        self.dirt = 0
        self.libvirtd = mock.Mock(state='up')

    def _call(self, name):
        self.calls.append(name)
        if name in self.fails:
            raise self.fails[name]

    def open(self, addresses):
        self.addresses = addresses
        self._call('open')

    def bring_up(self, timeout):
        self._call('bring_up')

    def clean(self):
        self._call('clean')

    def renew(self):
        self._call('renew')

    def is_clean(self):
        self.dirt -= 1
        return self.dirt < 0

    def close(self):
        self._call('close')
        return self.left


class TestbedTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        place = pathlib.Path(tempfile.mkdtemp(prefix='kt'))
        self.addCleanup(shutil.rmtree, place)
        self.place = place / 'l'
        self.made = {}
        self.patch(prerequisites, 'refuse_without', lambda: None)
        self.patch(network, 'Network', mock.Mock())
        self.patch(host, 'Host', self.make)
        self.testbed = testbed_mod.Testbed(self.place, 3)

    def make(self, role, name, folder):
        self.made[role] = FakeHost(role, name, folder)
        return self.made[role]

    def calls(self):
        calls = [each.calls[:] for each in self.made.values()]
        for each in self.made.values():
            del each.calls[:]
        self.assertEqual(calls[0], calls[1])
        return calls[0]

    def test_start_and_stop(self):
        with self.testbed:
            self.assertEqual(['kt3-a', 'kt3-b'], [
                each.name for each in self.testbed.hosts.values()])
            self.assertEqual(
                {'kt3-a': '192.0.2.1', 'kt3-b': '192.0.2.2'},
                self.made['source'].addresses)
            self.assertTrue(self.place.exists())
            self.assertEqual(['open', 'bring_up'], self.calls())
        self.assertEqual(['close'], self.calls())
        self.testbed.stop()
        self.assertEqual([], self.calls())
        self.assertFalse(self.place.exists())

    def test_a_folder_that_is_there_is_left_alone(self):
        self.place.mkdir()
        self.assertRaises(errors.TestbedError, self.testbed.start)
        self.testbed.stop()
        self.assertTrue(self.place.exists())

    def test_a_long_folder(self):
        testbed = testbed_mod.Testbed(self.place / ('x' * 60), 0)
        exc = self.assertRaises(errors.TestbedError, testbed.start)
        self.assertIn('too long', str(exc))

    def test_nothing_is_left_of_one_that_does_not_start(self):
        for exc, raised in ((errors.TestbedError('x'), errors.TestbedError),
                            (OSError('x'), errors.TestbedError),
                            (KeyboardInterrupt(), KeyboardInterrupt)):
            self.patch(host.Host('source', '', ''), 'bring_up', mock.Mock())
            network.Network.return_value.open.side_effect = exc
            self.assertRaises(raised, self.testbed.start)
            self.assertEqual(['open', 'close'], self.calls())
            self.assertFalse(self.place.exists())

    def test_stop_goes_on(self):
        self.testbed.start()
        self.made['destination'].fails['close'] = ValueError()
        self.made['source'].fails['close'] = ValueError()
        self.assertRaises(ValueError, self.testbed.stop)
        self.assertEqual(['open', 'bring_up', 'close'], self.calls())
        self.assertFalse(self.place.exists())

    def test_stop_tells_what_does_not_end(self):
        self.testbed.start()
        self.made['source'].left = [77]
        exc = self.assertRaises(errors.TestbedError, self.testbed.stop)
        self.assertIn('process 77', str(exc))
        self.assertFalse(self.place.exists())

    def reset(self, whole=True):
        self.testbed.start()
        self.calls()
        self.testbed.network.is_whole = whole
        return self.testbed.reset

    def test_reset(self):
        self.reset()()
        self.testbed.network.heal.assert_called_once_with()
        self.assertEqual(['clean'], self.calls())

    def test_reset_after_a_cut(self):
        self.reset(whole=False)()
        self.assertEqual(['renew', 'bring_up'], self.calls())

    def test_reset_with_a_daemon_that_is_not_up(self):
        for state in ('stalled', 'down'):
            reset = self.reset()
            self.made['destination'].libvirtd.state = state
            reset()
            self.assertEqual(['renew', 'bring_up'], self.calls())
            self.testbed.stop()

    def test_reset_that_libvirt_refuses(self):
        reset = self.reset()
        for each in self.made.values():
            each.fails['clean'] = errors.TestbedError('in a job')
        reset()
        self.assertEqual(['clean', 'renew', 'bring_up'], self.calls())

    def test_reset_that_cannot_be_done(self):
        for exc in (OSError('no processes left'),
                    subprocess.TimeoutExpired('virsh', 3)):
            reset = self.reset(whole=False)
            self.made['source'].fails['renew'] = exc
            self.assertIn('cannot be reset', str(self.assertRaises(
                errors.TestbedError, reset)))
            self.testbed.stop()

    def test_reset_a_second_time(self):
        reset = self.reset(whole=False)
        self.made['destination'].dirt = 1
        reset()
        self.assertEqual(['renew', 'bring_up'] * 2, self.calls())

    def test_reset_that_does_not_work(self):
        reset = self.reset(whole=False)
        self.made['destination'].dirt = 1000
        self.patch(testbed_mod, '_RESETS_WITHIN', 0)
        self.assertRaises(errors.TestbedError, reset)


class SettingsTestCase(base.TestCase):

    def test_hosts_differ(self):
        first, second = [host.libvirt_files(role)
                         for role in ('source', 'destination')]
        self.assertEqual(first['qemu.conf'], second['qemu.conf'])
        self.assertNotEqual(first['libvirtd.conf'], second['libvirtd.conf'])
        for text in [*first.values(), *second.values()]:
            self.assertIn('keepalive_interval = 1\nkeepalive_count = 2\n',
                          text)
