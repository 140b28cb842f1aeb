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


"""RPC that goes by way of the kit, beneath a driver for oslo.messaging.

All that Nova and oslo.messaging do to a message they do here too: the
serializers, versions, dispatching, errors from afar and time-outs.
"""

import itertools
import time

from agent import recorder as recorder_mod

# in the place of an answer: whoever was asked still works on it
_HEARTBEAT = object()


class NoAnswer(Exception):
    """Nothing has come in time.

    :ivar seconds: for so long (float)
    """

    def __init__(self, seconds):
        super(NoAnswer, self).__init__('No reply within %s s' % seconds)
        self.seconds = seconds


class Exchange(object):
    """Sends and takes messages of this process.

    :param waiting: waiting_green or waiting_native
    :param jsonutils: oslo's jsonutils
    :param channel: channel.Channel
    :param recorder: recorder.Recorder
    """

    def __init__(self, waiting, jsonutils, channel, recorder):
        self._queues = waiting
        self._json = jsonutils
        self._channel = channel
        self._recorder = recorder
        self._numbers = itertools.count(1)
        self._waiting = {}
        self._listeners = {}
        box = waiting.Mailbox(self._take)
        channel.on_rpc(box.put, box.put)

    def send(self, target, context, message, make_error):
        """Send a message that wants no answer.

        :param target: oslo.messaging's Target
        :param context: dict
        :param message: dict
        :param make_error: see call()
        """
        self._send(target, context, message, None, make_error)

    def call(self, target, context, message, make_error, timeout=None,
             monitor=None):
        """Send a message and wait for the answer.

        :param target: oslo.messaging's Target
        :param context: dict
        :param message: dict
        :param make_error: makes an exception of a NoAnswer, or of a failure
            as it was sent
        :param timeout: seconds; None for ever
        :param monitor: seconds between two heartbeats of whoever is asked, at
            most; None where it sends none
        :returns: the reply
        :raises: what make_error makes
        """
        return self._send(target, context, message,
                          lambda queue: self._await(queue, timeout, monitor),
                          make_error, monitor)

    def _send(self, target, context, message, wait, make_error, monitor=None):
        number = next(self._numbers)
        payload = self._json.dumps({
            'context': context, 'message': message, 'topic': target.topic,
            'monitor': monitor})
        self._tell(target, message, 'begin', wait)
        queue = self._queues.Queue()
        if wait:
            self._waiting[number] = queue
        try:
            self._channel.request(number, target.topic, target.server,
                                  bool(wait), payload)
            if not wait:
                return None
            try:
                found = wait(queue)
            except NoAnswer as exc:
                raise make_error(exc)
            if found['failure']:
                raise make_error(found['failure'])
        except Exception as exc:
            self._tell(target, message, 'raise', wait, exc)
            raise
        finally:
            self._waiting.pop(number, None)
        self._tell(target, message, 'end', wait)
        return found['reply']

    def _await(self, queue, timeout, monitor):
        began = time.time()
        while True:
            left = (None if timeout is None
                    else max(0, began + timeout - time.time()))
            patience = (left if monitor is None else
                        monitor if left is None else min(left, monitor))
            try:
                answer = queue.get(timeout=patience)
            except self._queues.Empty:
                raise NoAnswer(timeout if monitor is None or patience == left
                               else monitor)
            if answer is not _HEARTBEAT:
                return self._json.loads(answer)

    def _tell(self, target, message, phase, called, error=None):
        data = {'method': message['method'], 'to': target.server,
                'phase': phase, 'call': bool(called)}
        text = '%s to %s' % (message['method'], target.server)
        if error is not None:
            data['error'] = recorder_mod.told(error)
            text += ' raises ' + data['error']
        elif phase == 'end':
            text += ' is answered'
        elif not called:
            text += ' is cast'
        self._recorder.tell('rpc', phase, text, data)

    def _take(self, received):
        if received['kind'] == 'request':
            told = self._json.loads(received['payload'])
            self._listeners[told['topic']].put((received, told))
            return
        queue = self._waiting.get(received['number'])
        # whoever waited may have given up
        if queue is not None:
            queue.put(received['payload'] if received['kind'] == 'reply'
                      else _HEARTBEAT)

    def listen(self, target):
        """Take the requests to a service from now on.

        :param target: oslo.messaging's Target
        :returns: a queue of them: tuples of the request and of what was sent
            (context, message, monitor: dict)
        """
        queue = self._listeners.setdefault(target.topic, self._queues.Queue())
        self._channel.listen(target.topic, target.server)
        return queue

    def poll(self, queue, timeout):
        """Take a request.

        :param queue: as listen() gives it
        :param timeout: seconds; None for ever
        :returns: as in the queue; None where none comes
        """
        try:
            return queue.get(timeout=timeout)
        except self._queues.Empty:
            return None

    def reply(self, request, reply, failure):
        """Answer a request, if it wants to be answered.

        :param request: as the queue had it
        :param reply: what a JSON can hold
        :param failure: in its place, a failure that can be sent
        """
        if request['wants_reply']:
            self._channel.reply(request, self._json.dumps(
                {'reply': reply, 'failure': failure or None}))

    def heartbeat(self, request):
        """Tell whoever waits for the answer that the request is worked on."""
        self._channel.heartbeat(request)
