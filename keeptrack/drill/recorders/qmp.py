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

"""QEMU's own protocol (QMP): lines of JSON over a UNIX socket."""

import errno
import json
import select
import socket

# what connect says of a socket that nobody listens on
_NOBODY = (errno.ENOENT, errno.ECONNREFUSED)


def connect(path):
    """Connect to a QEMU.

    :param path: of its socket (pathlib.Path)
    :returns: a Connection, or None when no QEMU is there
    """
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        client.connect(str(path))
    except OSError as exc:
        client.close()
        if exc.errno in _NOBODY:
            return None
        raise
    return Connection(client)


class Connection:
    """A client of one QEMU.

    :param client: a connected socket.socket
    """

    def __init__(self, client):
        self._client = client
        self._rest = b''

    def fileno(self):
        """The socket's (int), so that select takes a connection."""
        return self._client.fileno()

    def send(self, command, **arguments):
        """Send a command; its answer comes among the messages.

        Nothing happens when QEMU is gone: receive tells.

        :param command: its name (str)
        :param arguments: what it takes
        """
        order = {'execute': command}
        if arguments:
            order['arguments'] = arguments
        try:
            self._client.sendall(json.dumps(order).encode() + b'\n')
        except (BrokenPipeError, ConnectionResetError):
            return

    def receive(self, timeout, wake=None):
        """Wait for messages: greeting, answers, events.

        :param timeout: seconds (float)
        :param wake: what ends the wait early, too, when it can be read
        :returns: list of dict, maybe empty; None when QEMU is gone
        """
        ready = select.select([self] + ([wake] if wake else []), [], [],
                              timeout)[0]
        if self not in ready:
            return []
        try:
            data = self._client.recv(65536)
        except ConnectionResetError:
            return None
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b'\n')
        return [json.loads(line) for line in lines if line.strip()]

    def close(self):
        """Leave QEMU alone again."""
        self._client.close()


def when(event):
    """The time that an event tells: seconds since the epoch (float)."""
    stamp = event['timestamp']
    return stamp['seconds'] + stamp['microseconds'] / 1e6
