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


"""Between the kit and the Nova processes: events, commands and RPC.

It does for RPC what a message broker does: it outlives the services, keeps
what is sent to one that is down until it is back, and knows nothing of what
a message says.
"""

import collections
import itertools
import queue
import socket
import threading
import time

from keeptrack.drill.agent import wire
from keeptrack.drill.testbed import errors

# how long a process may take to answer a command
_ANSWERS_WITHIN = 10


class Peer:
    """One process at the other end of a line.

    :ivar role: what it is (str)
    :ivar pid: its process id (int)
    :ivar gone: set once its line is closed (threading.Event)
    """

    def __init__(self, sock, hello):
        self.role = hello['role']
        self.pid = hello['pid']
        self.gone = threading.Event()
        self._socket = sock
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._answers = {}

    def send(self, message):
        """Send a message; it is lost where the process has ended.

        :returns: whether it was sent (bool)
        """
        try:
            with self._lock:
                wire.send(self._socket, message)
            return True
        except wire.Closed:
            return False

    def ask(self, name, *arguments):
        """Give a command and wait for the answer.

        :param name: of the command (str)
        :param arguments: what JSON can hold
        :returns: the answer
        :raises TestbedError: when it does not obey
        """
        number = next(self._numbers)
        box = self._answers[number] = queue.SimpleQueue()
        self.send({'kind': 'command', 'number': number, 'name': name,
                   'arguments': arguments})
        if self.gone.is_set():
            # it may have gone before its answers were ended
            box.put({'error': 'it has ended'})
        try:
            answer = box.get(timeout=_ANSWERS_WITHIN)
        except queue.Empty:
            answer = {'error': 'no answer'}
        finally:
            self._answers.pop(number, None)
        if 'error' in answer:
            raise errors.TestbedError(
                'the process for %s does not obey "%s": %s' % (
                    self.role, name, answer['error']))
        return answer['value']

    def take_answer(self, message):
        """Hand an answer to whoever waits for it."""
        box = self._answers.pop(message['number'], None)
        if box is not None:
            box.put(message)

    def end(self):
        """Note that the line is closed."""
        self.gone.set()
        for box in list(self._answers.values()):
            box.put({'error': 'it has ended'})
        self._socket.close()


class Broker:
    """Takes the lines of the Nova processes.

    :param path: of the UNIX socket to listen on (pathlib.Path)
    :param on_event: called with each event (dict), by one thread, in order
        for each process
    """

    def __init__(self, path, on_event):
        self._on_event = on_event
        self._lock = threading.Lock()
        self._peers = []
        self._gone = set()
        self._silent = set()
        self._held = None
        self._consumers = {}
        self._kept = collections.defaultdict(list)
        self._routes = {}
        self._numbers = itertools.count(1)
        self._events = queue.SimpleQueue()
        self._teller = threading.Thread(target=self._tell, daemon=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(path))
        self._socket.listen(16)
        self._teller.start()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """Listen no more; events that have come are still told."""
        # close() alone does not wake who accepts
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.flush()
        self._events.put(None)

    def flush(self):
        """Wait until every event that has come is told.

        It does nothing for whoever is being told one.
        """
        if threading.current_thread() is not self._teller:
            told = threading.Event()
            self._events.put(told)
            told.wait()

    def reset(self):
        """Forget the queues, be silent for nobody, and hold nothing."""
        with self._lock:
            self._held = None
            self._silent.clear()
            self._consumers.clear()
            self._kept.clear()
            self._routes.clear()

    def silence(self, host, silent):
        """Swallow the requests to a host, or do so no more.

        :param host: name of the host (str)
        :param silent: bool
        """
        with self._lock:
            (self._silent.add if silent else self._silent.discard)(host)

    def hold(self):
        """Pass nothing on until release(), as while a broker is away."""
        with self._lock:
            if self._held is None:
                self._held = []

    def release(self):
        """Pass on what was held, in order, and what comes from now on."""
        while True:
            with self._lock:
                held, self._held = self._held, []
                if not held:
                    self._held = None
                    return
            for peer, message in held:
                self._pass_on(peer, message)

    def peer(self, pid):
        """The Peer with a process id, None where it has not come yet."""
        with self._lock:
            return next((peer for peer in self._peers if peer.pid == pid),
                        None)

    def has_gone(self, pid):
        """Tell whether a process has closed its line, as at its end (bool).

        :param pid: its process id (int)
        """
        with self._lock:
            return pid in self._gone

    def _tell(self):
        while True:
            event = self._events.get()
            if event is None:
                return
            if isinstance(event, threading.Event):
                event.set()
            else:
                self._on_event(event)

    def _accept(self):
        while True:
            try:
                sock, _address = self._socket.accept()
            except OSError:
                # closed
                return
            threading.Thread(target=self._serve, args=(sock,),
                             daemon=True).start()

    def _serve(self, sock):
        try:
            peer = Peer(sock, wire.receive(sock))
        except wire.Closed:
            # it ended before it said who it is
            sock.close()
            return
        with self._lock:
            self._peers.append(peer)
            self._gone.discard(peer.pid)
        try:
            while True:
                self._take(peer, wire.receive(sock))
        except wire.Closed:
            # how every process ends; what it had sent was read before
            when = time.time()
        with self._lock:
            self._peers.remove(peer)
            self._gone.add(peer.pid)
            for key in [key for key, consumer in self._consumers.items()
                        if consumer is peer]:
                self._consumers[key] = None
        if peer.role in ('source', 'destination'):
            self._events.put({
                't': when, 'where': peer.role, 'lane': 'compute',
                'what': 'gone', 'text': 'nova-compute has ended',
                'data': {'pid': peer.pid}})
        peer.end()

    def _take(self, peer, message):
        kind = message['kind']
        if kind == 'event':
            self._events.put(message['event'])
        elif kind == 'answer':
            peer.take_answer(message)
        elif kind == 'listen':
            self._listen(peer, (message['topic'], message['host']))
        else:
            with self._lock:
                if self._held is not None:
                    self._held.append((peer, message))
                    return
            self._pass_on(peer, message)

    def _pass_on(self, peer, message):
        if message['kind'] == 'request':
            self._route(peer, message)
        else:
            self._return(message)

    def _listen(self, peer, key):
        with self._lock:
            self._consumers[key] = peer
            for message in self._kept.pop(key, ()):
                self._deliver(key, message)

    def _route(self, peer, message):
        key = message['topic'], message['host']
        with self._lock:
            number = next(self._numbers)
            self._routes[number] = peer, message['number']
            if message['host'] not in self._silent:
                self._deliver(key, {
                    'kind': 'request', 'number': number,
                    'wants_reply': message['wants_reply'],
                    'payload': message['payload']})

    def _deliver(self, key, message):
        """Send a request on, or keep it for a service that is down.

        There is no queue for one that has never been there.
        """
        if key not in self._consumers:
            return
        consumer = self._consumers[key]
        if consumer is None or not consumer.send(message):
            self._kept[key].append(message)

    def _return(self, message):
        with self._lock:
            asker, number = self._routes.get(message['number'], (None, None))
            if message['kind'] == 'reply':
                # a heartbeat comes again
                self._routes.pop(message['number'], None)
        # it may have been started anew since
        if asker is not None:
            asker.send(dict(message, number=number))
