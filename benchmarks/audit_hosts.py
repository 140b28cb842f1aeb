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

usage: audit_hosts.py [--hosts N] [--slow S]

Needs root and what drills need.  All hosts are one libvirtd with 50 guests,
so what it takes to answer is paid on this machine, too; one of them answers S
seconds late.  The whole is told as a ratio to that host alone.
"""

import argparse
import pathlib
import resource
import socket
import tempfile
import threading
import time
import uuid

from keeptrack.audit.hosts import asking
from keeptrack.audit.hosts import guests
from keeptrack.drill import guest as guest_mod
from keeptrack.drill import lab as lab_mod

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


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--hosts', type=int, default=1000, metavar='N')
    parser.add_argument('--slow', type=float, default=5, metavar='S')
    options = parser.parse_args()

    def target(name, path):
        return asking.Target(name, 'qemu+unix:///system?socket=' + path)

    with tempfile.TemporaryDirectory(prefix='kt') as folder:
        with lab_mod.Lab(pathlib.Path(folder) / 'l', 7) as lab:
            host = lab.hosts['source']
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
                            for number in range(1, options.hosts)], 200)
    print('ratio %.2f; largest process %d KiB' % (
        whole / alone,
        resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))


if __name__ == '__main__':
    main()
