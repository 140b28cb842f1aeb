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

"""A guest that needs no image: its firmware halts the processor, or writes.

A PC's own firmware is busy for a second or two after the start and makes a
migration that begins meanwhile copy everything twice.  This one does nothing,
so every guest is alike from its first moment: 2 GiB of zeros, which take
4.7 MB to copy.  That of a guest with a disk is built from writing_guest.S.
"""

import fcntl
from xml.sax import saxutils

from keeptrack.drill.recorders import serial_port

# Where the firmware lies on each host, and what it is: 64 KiB whose last 16
# bytes, at which a processor begins, are CLI, HLT and a jump back to HLT.
FIRMWARE_FILE = 'run/keeptrack/halt.rom'
FIRMWARE = b'\xfa\xf4\xeb\xfd'.ljust(16, b'\0').rjust(64 * 1024, b'\0')

_XML = """\
<domain type='{type}'
        xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <loader readonly='yes' type='rom'>/{firmware}</loader>
  </os>
  <features>
    <acpi/>
  </features>
  {cpu}
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    {disk}
    {serial}
  </devices>
  <qemu:commandline>
    <qemu:arg value='-chardev'/>
    <qemu:arg value='socket,id=keeptrack,path=/{socket},server=on,wait=off'/>
    <qemu:arg value='-mon'/>
    <qemu:arg value='chardev=keeptrack,mode=control'/>
  </qemu:commandline>
</domain>
"""

# where the firmware of a guest that writes lies on each host
WRITER_FILE = 'run/keeptrack/writer.rom'

_SERIAL = """\
<serial type='file'>
      <source path='/%s' append='on'/>
      <target port='0'/>
    </serial>"""

# see writing_guest.S
_NO_APIC = """\
<cpu mode='custom' match='exact' check='none'>
    <model fallback='forbid'>qemu64</model>
    <feature policy='disable' name='apic'/>
  </cpu>"""

_KVM = '/dev/kvm'
# linux/kvm.h
_KVM_GET_API_VERSION = 0xae00

# seconds
_STARTS_WITHIN = 20


def kvm_available():
    """Tell whether this machine can run guests on KVM (bool)."""
    try:
        with open(_KVM, 'rb+', buffering=0) as device:
            return fcntl.ioctl(device, _KVM_GET_API_VERSION) > 0
    except OSError:
        # it is not there, may not be used, or nothing is behind it
        return False


class Guest:
    """A guest: one processor and memory, most of it zero.

    One with a disk writes to it (see writing_guest.S), and is emulated unless
    kvm is set: that takes a few percent of a processor everywhere, and less
    than KVM on a machine that is itself emulated.

    :param uuid: its id (str)
    :param name: its name for libvirt (str)
    :param memory: MiB (int)
    :param kvm: on KVM, or emulated (bool); None for KVM where it is there and
        the guest has no disk
    :param disk: the disk for libvirt (str of XML), '' for none
    :ivar socket: of its QEMU's monitor of ours, from the host's / and from
        the host's folder alike (str)
    """

    def __init__(self, uuid, name, memory=2048, kvm=None, disk=''):
        self.uuid = uuid
        self.name = name
        self.memory = memory
        self.disk = disk
        self._kvm = kvm
        self.socket = 'run/keeptrack/%s.qmp' % name

    @property
    def kvm(self):
        """It runs on KVM (bool)."""
        if self._kvm is None:
            return not self.disk and kvm_available()
        return self._kvm

    @property
    def xml(self):
        """The domain, for libvirt (str)."""
        return _XML.format(
            type='kvm' if self.kvm else 'qemu', uuid=self.uuid,
            name=saxutils.escape(self.name), memory=self.memory,
            firmware=WRITER_FILE if self.disk else FIRMWARE_FILE,
            cpu='' if self.kvm or not self.disk else _NO_APIC,
            disk=self.disk, serial=_SERIAL % saxutils.escape(
                serial_port.path(self.name)) if self.disk else '',
            # QEMU takes a doubled comma for one
            socket=saxutils.escape(self.socket.replace(',', ',,'),
                                   {"'": '&apos;'}))

    def serial_paths(self, hosts):
        """Where its serial port is recorded (dict of role to pathlib.Path).

        :param hosts: dict of role to host.Host
        """
        return {role: host.folder / serial_port.path(self.name)
                for role, host in hosts.items()}

    def boot(self, host, paused=False):
        """Define it on a host, and start it there.

        :param host: a host.Host
        :param paused: leave its processors stopped (bool)
        :raises TestbedError: when it does not start
        """
        host.virsh('define', '/dev/stdin', stdin=self.xml)
        host.virsh('start', self.name, *(['--paused'] if paused else []),
                   timeout=_STARTS_WITHIN)
