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


"""Messages on a stream socket: JSON objects, each after its length.

Used on both sides: by the kit, and in the Python of the Nova tree.
"""

import errno
import json
import struct

_LENGTH = struct.Struct('>I')


class Closed(Exception):
    """The other side is gone."""


def pack(message):
    """A message as it goes over the wire.

    :param message: what JSON can hold (dict)
    :returns: bytes
    """
    body = json.dumps(message).encode('utf-8')
    return _LENGTH.pack(len(body)) + body


def send(sock, message):
    """Send one message.

    Two threads may not send on one socket at the same time.

    :param sock: a blocking stream socket
    :param message: dict
    :raises Closed: when the other side is gone
    """
    try:
        sock.sendall(pack(message))
    except (IOError, OSError) as exc:
        raise Closed(str(exc))


def receive(sock):
    """Wait for one message.

    :param sock: a blocking stream socket
    :returns: dict
    :raises Closed: when the other side is gone; what is left of a message
        that it had not sent wholly is dropped
    """
    length = _LENGTH.unpack(_exactly(sock, _LENGTH.size))[0]
    return json.loads(_exactly(sock, length).decode('utf-8'))


def _exactly(sock, count):
    chunks = []
    while count:
        try:
            chunk = sock.recv(min(count, 1 << 20))
        except (IOError, OSError) as exc:
            # a signal; Python 3.5 and later try again by themselves
            if exc.errno == errno.EINTR:
                continue
            raise Closed(str(exc))
        if not chunk:
            raise Closed('end of stream')
        chunks.append(chunk)
        count -= len(chunk)
    return b''.join(chunks)
