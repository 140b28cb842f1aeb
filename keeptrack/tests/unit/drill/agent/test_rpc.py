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


import json
import threading
import time
import types

import eventlet
import eventlet.hubs
import fixtures

from keeptrack.tests import base
from keeptrack.tests.unit.drill import agent_path

agent_path.add()

from agent import messaging_driver  # noqa: E402
from agent import recorder as recorder_mod  # noqa: E402
from agent import rpc  # noqa: E402
from agent import waiting_green  # noqa: E402
from agent import waiting_native  # noqa: E402


class MailboxTestCase(base.TestCase):

    def test_a_hub_that_wakes_it_for_nothing(self):
        got, nothing = [], [None]
        trampoline = eventlet.hubs.trampoline

        def wake(*args, **kwargs):
            return nothing.pop() if nothing else trampoline(*args, **kwargs)

        self.useFixture(fixtures.MonkeyPatch(
            'eventlet.hubs.trampoline', wake))
        box = waiting_green.Mailbox(got.append)
        # a native thread ends what would otherwise wait for ever
        late = threading.Timer(5, box.put, ['late'])
        late.start()
        self.addCleanup(late.cancel)
        eventlet.sleep(0)
        box.put('message')
        while not got:
            eventlet.sleep(0.01)
        self.assertEqual(['message'], got)


class FakeTimeout(Exception):
    """In the place of oslo.messaging's MessagingTimeout."""


class FakeIncoming(object):

    def __init__(self, listener, ctxt, message):
        self.listener, self.ctxt, self.message = listener, ctxt, message


class FakeListener(object):

    def __init__(self, driver):
        self.driver = driver


class FakeDriver(object):

    def __init__(self, conf, url, default_exchange=None,
                 allowed_remote_exmods=None):
        self._allowed_remote_exmods = allowed_remote_exmods


class FakeRpcIncoming(object):

    def __init__(self, ctxt, message):
        self.ctxt, self.message, self.client_timeout = ctxt, message, None


MESSAGING = types.SimpleNamespace(
    package=types.SimpleNamespace(
        Transport=lambda driver: driver, MessagingTimeout=FakeTimeout,
        transport=types.SimpleNamespace(RPCTransport=lambda driver: driver)),
    base=types.SimpleNamespace(
        IncomingMessage=FakeIncoming, Listener=FakeListener,
        RpcIncomingMessage=FakeRpcIncoming, PollStyleListener=object,
        PollStyleListenerAdapter=lambda listener, *batch: listener,
        batch_poll_helper=lambda poll: poll, BaseDriver=FakeDriver),
    common=types.SimpleNamespace(
        serialize_remote_exception=lambda failure, log=True: str(failure[1]),
        deserialize_remote_exception=lambda told, allowed: ValueError(
            told + ' of ' + allowed[0])))

TARGET = types.SimpleNamespace(topic='compute', server='b')


class Channel(object):
    """Sends what a driver sends to itself, as the kit would."""

    def __init__(self):
        self.lost = False
        self.taken = []

    def on_rpc(self, on_request, on_reply):
        self._on_request, self._on_reply = on_request, on_reply

    def listen(self, topic, host):
        self.taken.append((topic, host))

    def request(self, number, topic, host, wants_reply, payload):
        if not self.lost:
            # from a thread of the operating system's, as channel.Channel
            self._in_thread(self._on_request, {
                'kind': 'request', 'number': number,
                'wants_reply': wants_reply, 'payload': payload})

    def heartbeat(self, request):
        self._in_thread(self._on_reply, {'kind': 'heartbeat',
                                         'number': request['number']})

    def reply(self, request, payload):
        self._in_thread(self._on_reply, {
            'kind': 'reply', 'number': request['number'],
            'payload': payload})

    @staticmethod
    def _in_thread(function, message):
        threading.Thread(target=function, args=(message,)).start()


class Thread(threading.Thread):
    """A native one that is waited for as a green one is."""

    def __init__(self, function):
        super().__init__()
        self._function = function

    def run(self):
        self._found = self._function()

    def wait(self):
        self.join()
        return self._found


def start(function):
    """Start a native thread; gives it."""
    thread = Thread(function)
    thread.start()
    return thread


class JunoTestCase(base.TestCase):

    waiting = waiting_green
    make = staticmethod(messaging_driver.juno)
    spawn = staticmethod(eventlet.spawn)
    batch = ()

    def setUp(self):
        super().setUp()
        self.events = []
        self.channel = Channel()
        exchange = rpc.Exchange(
            self.waiting, json, self.channel, recorder_mod.Recorder(
                self.events.append, 'source'))
        self.driver = self.make(MESSAGING, exchange)(
            None, None, ['nova'])
        self.listener = self.driver.listen(TARGET, *self.batch)

    def serve(self, **answer):
        """Answer one message in another thread; gives the thread."""
        def serve():
            incoming = self.listener.poll(timeout=5)
            incoming.reply(**answer)
            return incoming.ctxt, incoming.message
        return self.spawn(serve)

    def call(self, timeout=5):
        return self.driver.send(TARGET, {'user': 'x'}, {'method': 'ask'},
                                wait_for_reply=True, timeout=timeout)

    def phases(self):
        return [event['data']['phase'] for event in self.events]

    def test_call(self):
        server = self.serve(reply={'n': 1})
        self.assertEqual({'n': 1}, self.call())
        self.assertEqual(({'user': 'x'}, {'method': 'ask'}), server.wait())
        self.assertEqual([('compute', 'b')], self.channel.taken)
        self.assertEqual(['begin', 'end'], self.phases())
        self.assertEqual({'method': 'ask', 'to': 'b', 'phase': 'begin',
                          'call': True}, self.events[0]['data'])

    def test_an_error_from_afar(self):
        server = self.serve(failure=(None, 'broken', None))
        exc = self.assertRaises(ValueError, self.call)
        self.assertEqual('broken of nova', str(exc))
        server.wait()
        self.assertEqual(['begin', 'raise'], self.phases())

    def test_nobody_answers(self):
        self.channel.lost = True
        exc = self.assertRaises(FakeTimeout, self.call, timeout=0.05)
        self.assertEqual('No reply within 0.05 s', str(exc))
        self.assertEqual('FakeTimeout: No reply within 0.05 s',
                         self.events[-1]['data']['error'])

    def test_a_late_answer_is_dropped(self):
        self.assertRaises(FakeTimeout, self.call, timeout=0.05)
        self.serve(reply='late').wait()
        server = self.serve(reply='right')
        self.assertEqual('right', self.call())
        server.wait()

    def test_cast(self):
        self.assertIsNone(self.driver.send(TARGET, {}, {'method': 'tell'}))
        incoming = self.listener.poll(timeout=5)
        self.assertEqual('tell', incoming.message['method'])
        # nobody waits for it
        incoming.reply(reply=1)
        self.assertEqual(['begin'], self.phases())

    def test_nothing_comes(self):
        self.assertIsNone(self.listener.poll(timeout=0.01))


class CurrentGreenTestCase(JunoTestCase):

    make = staticmethod(messaging_driver.current)
    batch = (1, None)

    def call_at_it(self, answer):
        """Call what says after a while that it is at it, and then answers."""
        def serve():
            incoming = self.listener.poll(timeout=5)
            self.assertEqual(1.5, incoming.client_timeout)
            for _ in range(answer):
                self.sleep(0.4)
                incoming.heartbeat()
            if answer:
                incoming.reply(reply='done')
        server = self.spawn(serve)
        try:
            return self.driver.send(
                TARGET, {}, {'method': 'ask'}, wait_for_reply=True, timeout=30,
                call_monitor_timeout=1.5)
        finally:
            server.wait()

    sleep = staticmethod(eventlet.sleep)

    def test_who_is_at_it_is_waited_for(self):
        self.assertEqual('done', self.call_at_it(4))

    def test_who_does_not_say_so_is_not(self):
        exc = self.assertRaises(FakeTimeout, self.call_at_it, 0)
        self.assertEqual('No reply within 1.5 s', str(exc))


class CurrentThreadsTestCase(CurrentGreenTestCase):

    waiting = waiting_native
    spawn = staticmethod(start)
    sleep = staticmethod(time.sleep)
