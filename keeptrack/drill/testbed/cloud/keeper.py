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


"""The keeper: the process that holds the namespaces of a cloud that is up.

It is started by keeptrack cloud up and does nothing but wait.  When it ends,
however it ends, the kernel ends every process, mount and interface of the
cloud: only files are left.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from keeptrack.drill.testbed.cloud import node
from keeptrack.drill.testbed.cloud import places as places_mod
from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import namespaces
from keeptrack.drill.testbed import processes
from keeptrack.drill.testbed import waiting

_MODULE = 'keeptrack.drill.testbed.cloud.keeper'

# seconds
_STARTS_WITHIN = 30
_ENDS_WITHIN = 40
_POLL = 0.05


class KeeperClient:
    """The keeper of one cloud.

    :param places: the cloud's places.Places
    """

    def __init__(self, places):
        self._places = places

    def is_held(self):
        """Tell whether a keeper runs (bool)."""
        try:
            with open(self._places.lock) as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def start(self):
        """Start a keeper, in an empty folder.

        :raises CloudError: when it does not hold the namespaces in time
        """
        shutil.rmtree(self._places.run, ignore_errors=True)
        self._places.log.mkdir(parents=True)
        log = self._places.log / 'keeper.log'
        with open(log, 'ab') as file:
            process = subprocess.Popen(
                [sys.executable, '-m', _MODULE, str(self._places.top)],
                stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                start_new_session=True)
        until = time.monotonic() + _STARTS_WITHIN
        while not self._holders():
            if process.poll() is not None or time.monotonic() > until:
                words = log.read_text().strip().splitlines()
                raise errors.CloudError(
                    'no namespaces can be made on this machine: %s' % (
                        words[-1] if words else 'no answer'))
            time.sleep(_POLL)

    def _holders(self):
        try:
            return json.loads((self._places.run / 'keeper.json').read_text())
        except FileNotFoundError:
            return {}

    def nodes(self):
        """Return the nodes that are held: dict of name to node.Node."""
        return {name: node.Node(name, pid, self._places)
                for name, pid in self._holders().items()}

    def end(self):
        """End the keeper and all that it holds, and remove all files.

        :raises CloudError: when a process does not end
        """
        left = self._remember()
        if self.is_held():
            self._end_keeper()
        self._end_rest(left)
        shutil.rmtree(self._places.run, ignore_errors=True)

    def _remember(self):
        """Hold the namespaces open, to see what is left in them later."""
        found = []
        for pid in self._holders().values():
            for kind, name in (('pid', 'pid_for_children'), ('net', 'net')):
                with contextlib.suppress(OSError):
                    held = os.open(f'/proc/{pid}/ns/{name}', os.O_RDONLY)
                    own = os.stat(f'/proc/self/ns/{name}')
                    if os.fstat(held).st_ino == own.st_ino:
                        # the process id means another process by now
                        os.close(held)
                    else:
                        found.append((kind, held))
        return found

    def _end_keeper(self):
        with contextlib.suppress(OSError, ValueError):
            pid = int(self._places.lock.read_text())
            handle = processes.Handle(pid)
            command = _command(pid)
            if _MODULE in command:
                handle.send(15)
                if not handle.wait(_ENDS_WITHIN):
                    handle.send(9)
            handle.close()
        waiting.until(_ENDS_WITHIN, 'the keeper of the cloud does not end',
                      lambda: not self.is_held())

    @staticmethod
    def _end_rest(held):
        left = []
        for kind, number in held:
            left += processes.kill([found.pid for found in
                                    processes.of_namespace(
                                        kind, os.fstat(number))])
            os.close(number)
        if left:
            raise errors.CloudError(
                f'process {left[0]} of the cloud does not end')


def _command(pid):
    with open(f'/proc/{pid}/cmdline') as file:
        return file.read().split('\0')


def main(top):
    """Hold the namespaces until SIGTERM comes.

    :param top: the cloud's folder (str)
    :returns: the exit status (int)
    """
    signal.pthread_sigmask(signal.SIG_BLOCK,
                           [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    places = places_mod.Places(pathlib.Path(top))
    with open(places.lock, 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        lock.write(str(os.getpid()))
        lock.flush()
        spaces = {name: namespaces.Namespaces() for name in places_mod.NODES}
        try:
            for space in spaces.values():
                space.open()
            _publish(places.run / 'keeper.json', spaces)
            signal.sigwait([signal.SIGTERM, signal.SIGINT])
        finally:
            left = [pid for space in spaces.values() for pid in space.close()]
    for pid in left:
        print(f'process {pid} does not end', file=sys.stderr)
    return 1 if left else 0


def _publish(path, spaces):
    """Write which processes hold the namespaces: all of it or nothing."""
    new = path.with_suffix('.new')
    new.write_text(json.dumps({name: space.pid
                               for name, space in spaces.items()}))
    new.rename(path)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))
