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

"""The process that holds the namespaces of a cloud that is up.

It is started by keeptrack cloud up and does nothing but wait.  When it ends,
however it ends, the kernel ends every process, mount and interface of the
cloud: only files are left.
"""

import fcntl
import json
import os
import pathlib
import signal
import sys

from keeptrack.drill.testbed.cloud import places as places_mod
from keeptrack.drill.testbed import namespaces


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
