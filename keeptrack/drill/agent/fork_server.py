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


"""Script: import a Nova tree once, and fork its processes.

Arguments: the tree, the adapter, the number of the socket that it obeys.
It has one thread and no hub, and ends when the socket is closed.
"""

import importlib
import os
import signal
import socket
import sys

import tree_loader


def main():
    """Serve."""
    server = Server(tree_loader.load(sys.argv)(), int(sys.argv[3]))
    server.serve()


class Server(object):
    """Forks.

    :param adapter: adapter of this Nova
    :param number: of the socket (int)
    """

    def __init__(self, adapter, number):
        from agent import enter_namespaces
        from agent import unpatched
        from agent import wire
        self._namespaces = enter_namespaces
        self._native = unpatched
        self._wire = wire
        self._adapter = adapter
        # before Nova's import makes sockets green
        self._socket = socket.fromfd(number, socket.AF_UNIX,
                                     socket.SOCK_STREAM)
        os.close(number)
        self._processes = None
        self._ended = {}

    def serve(self):
        """Obey until the other side is gone."""
        self._adapter.import_nova()
        # not before: Nova wants to be the first that imports eventlet
        self._processes = importlib.import_module('agent.nova_process')
        self._native.forget_hub()
        self._wire.send(self._socket, {'pid': os.getpid()})
        while True:
            try:
                order = self._wire.receive(self._socket)
            except self._wire.Closed:
                return
            self._wire.send(self._socket, getattr(
                self, '_' + order.pop('do'))(**order))

    def _fork(self, spec, output):
        self._reap()
        parent = os.getpid()
        pid = os.fork()
        if pid:
            # a number that comes again means another process
            self._ended.pop(pid, None)
            return {'pid': pid}
        try:
            os.setsid()
            self._namespaces.die_with(parent)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            self._socket.close()
            _redirect(output)
            self._processes.run(self._adapter, spec)
        finally:
            os._exit(1)

    def _kill(self, pid):
        self._reap()
        if pid not in self._ended:
            os.kill(pid, signal.SIGKILL)
        return self._wait(pid)

    def _poll(self, pid):
        self._reap()
        return {'status': self._ended.get(pid)}

    def _wait(self, pid):
        if pid not in self._ended:
            self._ended[pid] = os.waitpid(pid, 0)[1]
        return {'status': self._ended[pid]}

    def _reap(self):
        """Take note of what has ended, so that its number is free again."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except OSError:
                # no children
                return
            if not pid:
                return
            self._ended[pid] = status


def _redirect(path):
    """Send what is printed to a file."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(number, 1)
    os.dup2(number, 2)
    os.close(number)


if __name__ == '__main__':
    main()
