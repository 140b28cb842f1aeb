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

"""How long keeptrack audit hosts takes for 1,000 hosts of 50 guests.

usage: audit_hosts.py [--hosts N] [--slow S] [--libvirt]

Stand-ins answer for all hosts, each after a time of its own, up to S seconds,
so that this machine does the audit's work only. With --libvirt, which needs
root and what drills need, all hosts are one libvirtd with 50 guests,
so what it takes to answer is paid on this machine, too; one of them answers S
seconds late.  The whole is told as a ratio to that host alone.
"""

import argparse
import pathlib
import random
import resource
import socket
import sys
import tempfile
import threading
import time
import uuid

from keeptrack.audit.hosts import asker
from keeptrack.audit.hosts import asking
from keeptrack.audit.hosts import audit
from keeptrack.audit.hosts import collector
from keeptrack.audit.hosts import guests
from keeptrack.drill.testbed import guest as guest_mod
from keeptrack.drill.testbed import testbed as testbed_mod

GUESTS = 50


def late(path, target, seconds):
    """Serve a socket that answers late."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(50)

    def pump(source, sink):
        while True:
            data = source.recv(1 << 16)
            if not data:
                sink.close()
                return
            sink.sendall(data)

    def serve():
        while True:
            client = server.accept()[0]
            time.sleep(seconds)
            other = socket.socket(socket.AF_UNIX)
            other.connect(target)
            for pair in ((client, other), (other, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()
    threading.Thread(target=serve, daemon=True).start()


def ask(label, targets, forks):
    """Ask hosts; returns seconds."""
    began, seen, silent = time.monotonic(), 0, 0
    for found in asking.ask(targets, forks, 60):
        if isinstance(found, guests.Look):
            seen += len(found.guests)
        else:
            silent += 1
    seconds = time.monotonic() - began
    print('%-24s %6.2f s  %d guests, %d hosts silent' % (
        label, seconds, seen, silent), flush=True)
    return seconds


def stand_in(uri, name, libvirt):
    """Answer as a host of 50 guests that run, after the time in its URI."""
    began, number, seconds = time.time(), *uri.rpartition('/')[2].split(':')
    time.sleep(float(seconds))
    return {
        'schema': collector.SCHEMA, 'asked': name, 'uri': uri,
        'hostname': name, 'host_uuid': str(uuid.UUID(int=int(number))),
        'hypervisor': 'QEMU', 'libvirt': None, 'by': 'libvirt-python',
        'began': began, 'ended': time.time(), 'guests': [
            {'uuid': str(uuid.UUID(int=int(number) << 32 | one)),
             'name': 'instance-%08x' % one, 'state': 'running',
             'reason': 'booted', 'id': one, 'since': None}
            for one in range(GUESTS)]}


def with_stand_ins(hosts, slow):
    """Audit stand-ins, one of them alone first."""
    asking.COMMAND = [sys.executable, __file__, '--as-asker']
    chooser = random.Random(1)
    targets = [asking.Target('h%d' % number, 'x://h/%d:%.3f' % (
        number, slow if not number else chooser.uniform(0, slow)))
        for number in range(hosts)]
    took = []
    for some in (targets[:1], targets):
        began = time.monotonic()
        options = argparse.Namespace(forks=asking.FORKS, timeout=60, pause=0,
                                     migrating_after=3600)
        report = audit.Live(some, None, None, options,
                            lambda line: None).report()
        took.append(time.monotonic() - began)
        print('%4d hosts %6.2f s, %d guests, %d findings' % (
            report.number_looked_at(), took[-1], sum(
                one.counts['guests'] for one in report.looked_at),
            len(report.findings)), flush=True)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN,
                                                resource.RUSAGE_SELF)]
    print('ratio to the slowest host\'s own answer (%g s) %.2f, to its audit '
          'alone %.2f; processors %.1f s; largest process %d KiB' % (
              slow, took[1] / slow, took[1] / took[0],
              sum(one.ru_utime + one.ru_stime for one in used),
              max(one.ru_maxrss for one in used)))


def main():
    """Run the benchmark."""
    if sys.argv[1:] == ['--as-asker']:
        asker.Asker.__init__.__defaults__ = (stand_in,)
        asker.main()
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--hosts', type=int, default=1000, metavar='N')
    parser.add_argument('--slow', type=float, default=5, metavar='S')
    parser.add_argument('--libvirt', action='store_true',
                        help='ask a libvirtd of our own, not stand-ins')
    options = parser.parse_args()
    if not options.libvirt:
        with_stand_ins(options.hosts, options.slow)
        return

    def target(name, path):
        return asking.Target(name, 'qemu+unix:///system?socket=' + path)

    with tempfile.TemporaryDirectory(prefix='kt') as folder:
        with testbed_mod.Testbed(pathlib.Path(folder) / 'l', 7) as testbed:
            host = testbed.hosts['source']
            for number in range(GUESTS):
                host.virsh('define', '/dev/stdin', stdin=guest_mod.Guest(
                    str(uuid.uuid4()), 'instance-%08x' % number,
                    memory=64).xml, timeout=20)
            quick = str(host.folder / 'run/libvirt/libvirt-sock-ro')
            slow = folder + '/slow'
            late(slow, quick, options.slow)
            ask('a host', [target('a', quick)], 1)
            alone = ask('the slowest host', [target('slow', slow)], 1)
            whole = ask('%d hosts' % options.hosts,
                        [target('slow', slow)] + [
                            target('h%d' % number, quick)
                            for number in range(1, options.hosts)],
                        asking.FORKS)
    print('ratio %.2f; largest process %d KiB' % (
        whole / alone,
        resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))


if __name__ == '__main__':
    main()
