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


import queue
import socket
import threading
from unittest import mock

from keeptrack.drill.agent import wire
from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import message_broker
from keeptrack.tests import base


class Process:
    """What a Nova process does on its line."""

    def __init__(self, path, role, pid):
        self.role, self.pid = role, pid
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.socket.settimeout(5)
        self.send(kind='hello', role=role, pid=pid)

    def send(self, **message):
        wire.send(self.socket, message)

    def receive(self):
        return wire.receive(self.socket)

    def listen(self, host):
        self.send(kind='listen', topic='compute', host=host)

    def ask(self, host, number, payload, wants_reply=True):
        self.send(kind='request', topic='compute', host=host, number=number,
                  wants_reply=wants_reply, payload=payload)

    def event(self, what):
        self.send(kind='event', event={'what': what})

    def close(self):
        self.socket.close()


class BrokerTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.events = queue.SimpleQueue()
        self.path = self.folder / 's'
        self.broker = message_broker.Broker(self.path, self.events.put)
        self.addCleanup(self.broker.close)

    def process(self, role, pid, host=None):
        process = Process(self.path, role, pid)
        self.addCleanup(process.close)
        if host:
            process.listen(host)
        # what it has said is understood
        process.event('here')
        self.event()
        return process

    def event(self):
        return self.events.get(timeout=5)['what']

    def test_call(self):
        asker = self.process('source', 1, 'a')
        server = self.process('destination', 2, 'b')
        asker.ask('b', 7, 'question')
        request = server.receive()
        self.assertEqual('request', request['kind'])
        self.assertEqual('question', request['payload'])
        self.assertTrue(request['wants_reply'])
        server.send(kind='reply', number=request['number'], payload='answer')
        self.assertEqual({'kind': 'reply', 'number': 7, 'payload': 'answer'},
                         asker.receive())

    def test_to_itself(self):
        asker = self.process('source', 1, 'a')
        asker.ask('a', 1, 'question')
        self.assertEqual('question', asker.receive()['payload'])

    def test_kept_for_one_that_is_down_in_order(self):
        asker = self.process('source', 1, 'a')
        self.process('destination', 2, 'b').close()
        self.assertEqual('gone', self.event())
        asker.ask('b', 1, 'first', wants_reply=False)
        asker.ask('b', 2, 'second', wants_reply=False)
        asker.event('asked')
        self.assertEqual('asked', self.event())
        again = self.process('destination', 3, 'b')
        self.assertEqual(['first', 'second'],
                         [again.receive()['payload'] for _ in range(2)])

    def test_dropped_where_nobody_has_ever_listened(self):
        asker = self.process('source', 1, 'a')
        asker.ask('b', 1, 'early')
        asker.event('asked')
        self.assertEqual('asked', self.event())
        server = self.process('destination', 2, 'b')
        asker.ask('b', 2, 'late')
        self.assertEqual('late', server.receive()['payload'])

    def test_silent(self):
        asker = self.process('source', 1, 'a')
        server = self.process('destination', 2, 'b')
        self.broker.silence('b', True)
        asker.ask('b', 1, 'swallowed')
        asker.event('asked')
        self.assertEqual('asked', self.event())
        self.broker.silence('b', False)
        asker.ask('b', 2, 'heard')
        self.assertEqual('heard', server.receive()['payload'])

    def test_away(self):
        asker = self.process('source', 1, 'a')
        server = self.process('destination', 2, 'b')
        self.broker.hold()
        asker.ask('b', 1, 'first')
        asker.ask('b', 2, 'second')
        asker.event('asked')
        self.assertEqual('asked', self.event())
        # events are not messages
        self.broker.release()
        asker.ask('b', 3, 'third')
        requests = [server.receive() for _ in range(3)]
        self.assertEqual(['first', 'second', 'third'],
                         [request['payload'] for request in requests])
        self.broker.hold()
        server.send(kind='reply', number=requests[0]['number'], payload='late')
        server.event('answered')
        self.assertEqual('answered', self.event())
        self.broker.release()
        self.assertEqual('late', asker.receive()['payload'])

    def test_an_answer_to_one_that_is_gone(self):
        asker = self.process('source', 1, 'a')
        server = self.process('destination', 2, 'b')
        asker.ask('b', 1, 'question')
        request = server.receive()
        asker.close()
        self.assertEqual('gone', self.event())
        server.send(kind='reply', number=request['number'], payload='late')
        server.event('still here')
        self.assertEqual('still here', self.event())

    def test_reset_forgets_what_was_kept(self):
        asker = self.process('source', 1, 'a')
        self.process('destination', 2, 'b').close()
        self.assertEqual('gone', self.event())
        asker.ask('b', 1, 'old')
        asker.event('asked')
        self.assertEqual('asked', self.event())
        self.broker.reset()
        server = self.process('destination', 3, 'b')
        asker.ask('b', 2, 'new')
        self.assertEqual('new', server.receive()['payload'])

    def test_what_a_process_said_last_is_told_before_its_end(self):
        process = self.process('source', 1)
        for number in range(100):
            process.event(str(number))
        process.close()
        self.assertEqual([str(number) for number in range(100)] + ['gone'],
                         [self.event() for _ in range(101)])

    def test_no_end_of_a_conductor(self):
        self.process('conductor', 1).close()
        process = self.process('source', 2)
        process.event('next')
        self.assertEqual('next', self.event())

    def test_commands(self):
        process = self.process('source', 5)
        peer = self.broker.peer(5)
        self.assertIsNone(self.broker.peer(6))

        def obey(**answer):
            command = process.receive()
            commands.append(command)
            process.send(kind='answer', number=command['number'], **answer)
        commands = []
        for answer in ({'value': [3]}, {'value': None, 'error': 'no'}):
            thread = threading.Thread(target=obey, kwargs=answer)
            thread.start()
            self.addCleanup(thread.join)
            if 'error' in answer:
                exc = self.assertRaises(errors.TestbedError, peer.ask, 'x')
                self.assertIn('does not obey "x": no', str(exc))
            else:
                self.assertEqual([3], peer.ask('count', 'a', 2))
        self.assertEqual(('count', ['a', 2]),
                         (commands[0]['name'], commands[0]['arguments']))

    def test_a_command_to_one_that_ends(self):
        process = self.process('source', 5)
        peer = self.broker.peer(5)

        def end():
            process.receive()
            process.close()
        thread = threading.Thread(target=end)
        thread.start()
        self.addCleanup(thread.join)
        exc = self.assertRaises(errors.TestbedError, peer.ask, 'count')
        self.assertIn('it has ended', str(exc))
        peer.gone.wait(5)
        exc = self.assertRaises(errors.TestbedError, peer.ask, 'count')
        self.assertIn('it has ended', str(exc))

    def test_a_command_without_an_answer(self):
        self.process('source', 5)
        with mock.patch.object(message_broker, '_ANSWERS_WITHIN', 0.05):
            exc = self.assertRaises(errors.TestbedError,
                                    self.broker.peer(5).ask, 'count')
        self.assertIn('no answer', str(exc))

    def test_flush_by_the_one_that_is_told(self):
        done = threading.Event()

        def on_event(event):
            # must not wait for itself
            one.flush()
            done.set()
        path = self.folder / 't'
        one = message_broker.Broker(path, on_event)
        self.addCleanup(one.close)
        one._events.put({'what': 'x'})
        self.assertTrue(done.wait(5))
