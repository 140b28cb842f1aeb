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

from unittest import mock
from xml.etree import ElementTree

from keeptrack.drill.testbed import guest as guest_mod
from keeptrack.tests import base

UUID = '11111111-2222-4333-8444-555555555555'
QEMU = '{http://libvirt.org/schemas/domain/qemu/1.0}'


class GuestTestCase(base.TestCase):

    def test_what_is_no_kvm_is_not_used(self):
        path = self.folder / 'kvm'
        with mock.patch.object(guest_mod, '_KVM', str(path)):
            self.assertFalse(guest_mod.kvm_available())
            path.touch()
            self.assertFalse(guest_mod.kvm_available())

    def test_xml(self):
        guest = guest_mod.Guest(UUID, "a&b'c,d", memory=512, kvm=True)
        domain = ElementTree.fromstring(guest.xml)
        self.assertEqual('kvm', domain.get('type'))
        self.assertEqual([UUID, "a&b'c,d", '512'], [
            domain.findtext(name) for name in ('uuid', 'name', 'memory')])
        self.assertEqual([], domain.findall('devices/disk'))
        words = [arg.get('value') for arg in
                 domain.findall('%scommandline/%sarg' % (QEMU, QEMU))]
        self.assertIn("path=/run/keeptrack/a&b'c,,d.qmp,", words[1])
        self.assertEqual("run/keeptrack/a&b'c,d.qmp", guest.socket)

    def test_emulated_where_there_is_no_kvm(self):
        for there, kind in ((True, 'kvm'), (False, 'qemu')):
            with mock.patch.object(guest_mod, 'kvm_available',
                                   return_value=there):
                domain = ElementTree.fromstring(
                    guest_mod.Guest(UUID, 'x').xml)
            self.assertEqual(kind, domain.get('type'))

    def test_a_guest_with_a_disk_writes_and_is_emulated(self):
        with mock.patch.object(guest_mod, 'kvm_available', return_value=True):
            guest = guest_mod.Guest(UUID, 'x')
            self.assertTrue(guest.kvm)
            guest.disk = "<disk type='file'/>"
            self.assertFalse(guest.kvm)
            domain = ElementTree.fromstring(guest.xml)
        self.assertEqual('qemu', domain.get('type'))
        self.assertEqual('/' + guest_mod.WRITER_FILE,
                         domain.findtext('os/loader'))
        self.assertEqual(1, len(domain.findall('devices/disk')))
        source = domain.find('devices/serial/source')
        self.assertEqual(('/run/keeptrack/x.serial', 'on'),
                         (source.get('path'), source.get('append')))
        self.assertEqual('disable', domain.find('cpu/feature').get('policy'))
        forced = guest_mod.Guest(UUID, 'x', kvm=True, disk=guest.disk)
        domain = ElementTree.fromstring(forced.xml)
        self.assertEqual(('kvm', None),
                         (domain.get('type'), domain.find('cpu')))

    def test_firmware(self):
        self.assertEqual(64 * 1024, len(guest_mod.FIRMWARE))
        # an x86 processor begins 16 bytes below the end
        self.assertEqual(b'\xfa\xf4\xeb\xfd', guest_mod.FIRMWARE[-16:-12])
        self.assertEqual(4, len(guest_mod.FIRMWARE.replace(b'\0', b'')))

    def test_boot(self):
        for paused, words in ((False, ['start', 'x']),
                              (True, ['start', 'x', '--paused'])):
            host = mock.Mock()
            guest = guest_mod.Guest(UUID, 'x')
            guest.boot(host, paused=paused)
            define, start = host.virsh.call_args_list
            self.assertEqual(guest.xml, define.kwargs['stdin'])
            self.assertEqual(words, list(start.args))
