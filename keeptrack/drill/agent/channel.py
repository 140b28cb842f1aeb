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


"""This process' line to the kit: events, commands and RPC.

A thread of the operating system's reads it, so that commands are obeyed
whatever the green threads do.  Anyone may send.
"""

import fcntl
import json
import os

from agent import unpatched
from agent import wire


class Channel(object):
    """The line of one process.

    :param path: of the UNIX socket that the kit listens on (str)
    :param role: "source", "destination" or "conductor" (str)
    """

    def __init__(self, path, role):
        socket = unpatched.original('socket')
        threading = unpatched.original('threading')
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(path)
        # its end is this process' end, whatever this process has started
        fcntl.fcntl(self._socket.fileno(), fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        self._lock = threading.Lock()
        self._threading = threading
        self._commands = {}
        self._on_request = None
        self._on_reply = None
        self._send({'kind': 'hello', 'role': role, 'pid': os.getpid()})

    def on_command(self, name, function):
        """Obey a command.

        :param name: str
        :param function: called in a native thread with the command's
            arguments; what it returns is the answer
        """
        self._commands[name] = function

    def on_rpc(self, on_request, on_reply):
        """Take RPC messages.

        :param on_request: called in a native thread with each request (dict)
        :param on_reply: the same with each reply and each heartbeat (dict)
        """
        self._on_request = on_request
        self._on_reply = on_reply

    def open(self):
        """Read from now on."""
        thread = self._threading.Thread(target=self._read)
        thread.daemon = True
        thread.start()

    def event(self, event):
        """Send an event (dict); see recorder.Recorder."""
        self._send({'kind': 'event', 'event': event})

    def listen(self, topic, host):
        """Ask for the requests to a host's service from now on."""
        self._send({'kind': 'listen', 'topic': topic, 'host': host})

    def request(self, number, topic, host, wants_reply, payload):
        """Send an RPC request.

        :param number: what its reply will be known by (int)
        :param topic: str
        :param host: the service's host (str or None)
        :param wants_reply: bool
        :param payload: str
        """
        self._send({'kind': 'request', 'number': number, 'topic': topic,
                    'host': host, 'wants_reply': wants_reply,
                    'payload': payload})

    def reply(self, request, payload):
        """Send the reply to a request.

        :param request: as it was received (dict)
        :param payload: str
        """
        self._send({'kind': 'reply', 'number': request['number'],
                    'payload': payload})

    def heartbeat(self, request):
        """Tell whoever waits for the reply that the request is worked on.

        :param request: as it was received (dict)
        """
        self._send({'kind': 'heartbeat', 'number': request['number']})

    def _send(self, message):
        packed = wire.pack(message)
        with self._lock:
            self._socket.sendall(packed)

    def _read(self):
        while True:
            try:
                message = wire.receive(self._socket)
            except wire.Closed:
                # without the kit nobody needs this process
                os._exit(1)
            if message['kind'] == 'request':
                self._on_request(message)
            elif message['kind'] in ('reply', 'heartbeat'):
                self._on_reply(message)
            else:
                self._obey(message)

    def _obey(self, message):
        answer = {'kind': 'answer', 'number': message['number']}
        try:
            function = self._commands[message['name']]
            answer['value'] = function(*message['arguments'])
            json.dumps(answer['value'])
        except Exception as exc:
            # it goes to whoever gave the command
            answer['value'] = None
            answer['error'] = '%s: %s' % (type(exc).__name__, exc)
        self._send(answer)
