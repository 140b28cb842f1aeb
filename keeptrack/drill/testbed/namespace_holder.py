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

"""Process 1 of a host: starts what the host runs, and dies with the kit.

It is run by file name, so it imports the standard library only.  It reads a
line of JSON for each command to start, {"command": [...], "log": path}, and
answers with a line: the process's id in the host's own PID namespace.  When
its input ends, however the kit ended, it exits, and the kernel kills all that
is left in the namespace.
"""

import json
import os
import signal
import sys


def start(command, log):
    """Start a command in a session of its own.

    :param command: the program, looked up on PATH, and its arguments (list)
    :param log: file that its output is added to: a path inside the host (str)
    :returns: its process id (int)
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return os.posix_spawnp(
        command[0], command, os.environ, setsid=True,
        # Python ignores these, main() the last, and a child would go on so
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD],
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2)])


def main():
    # Then the kernel takes note of every child that ends, adopted ones too. A
    # handler that waits for them can miss the last, while a line is read.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print('ready', flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        print(start(order['command'], order['log']), flush=True)


if __name__ == '__main__':
    main()
