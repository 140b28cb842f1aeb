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


"""A driver for oslo.messaging: RPC that goes by way of the kit.

All that Nova and oslo.messaging do to a message they do here too: the
serializers, versions, dispatching, errors from afar and time-outs.
"""

import itertools

from eventlet import event
from eventlet import queue
from eventlet import timeout as eventlet_timeout

from inside import mailbox
from inside import recorder as recorder_mod


def make(messaging, jsonutils, channel, recorder):
    """What stands in for messaging.get_transport.

    :param messaging: the adapter's Messaging
    :param jsonutils: oslo's jsonutils
    :param channel: channel.Channel
    :param recorder: recorder.Recorder
    :returns: callable
    """
    def get_transport(conf, url=None, allowed_remote_exmods=None,
                      aliases=None):
        return messaging.package.Transport(_driver(messaging)(
            conf, allowed_remote_exmods, jsonutils, channel, recorder))
    return get_transport


def _driver(messaging):
    base, common = messaging.base, messaging.common

    class Incoming(base.IncomingMessage):

        def __init__(self, listener, request, payload):
            super(Incoming, self).__init__(listener, payload['context'],
                                           payload['message'])
            self._request = request

        def reply(self, reply=None, failure=None, log_failure=True):
            if not self._request['wants_reply']:
                return
            if failure:
                failure = common.serialize_remote_exception(failure,
                                                            log_failure)
            self.listener.driver.reply(self._request, {
                'reply': reply, 'failure': failure or None})

        def requeue(self):
            raise NotImplementedError()

    class Listener(base.Listener):

        def __init__(self, driver):
            super(Listener, self).__init__(driver)
            self.queue = queue.Queue()

        def poll(self, timeout=None):
            try:
                return Incoming(self, *self.queue.get(timeout=timeout))
            except queue.Empty:
                return None

    class Driver(base.BaseDriver):

        def __init__(self, conf, allowed_remote_exmods, jsonutils, channel,
                     recorder):
            super(Driver, self).__init__(
                conf, None, allowed_remote_exmods=allowed_remote_exmods)
            self._json = jsonutils
            self._channel = channel
            self._recorder = recorder
            self._numbers = itertools.count(1)
            self._waiting = {}
            self._listener = None
            box = mailbox.Mailbox(self._take)
            channel.on_rpc(box.put, box.put)

        def send(self, target, ctxt, message, wait_for_reply=None,
                 timeout=None, envelope=False, retry=None):
            number = next(self._numbers)
            payload = self._json.dumps({'context': ctxt, 'message': message})
            self._tell(target, message, 'begin', wait_for_reply)
            answer = event.Event()
            if wait_for_reply:
                self._waiting[number] = answer
            try:
                self._channel.request(number, target.topic, target.server,
                                      bool(wait_for_reply), payload)
                if not wait_for_reply:
                    return None
                result = self._await(answer, timeout)
            except Exception as exc:
                self._tell(target, message, 'raise', wait_for_reply, exc)
                raise
            finally:
                self._waiting.pop(number, None)
            self._tell(target, message, 'end', wait_for_reply)
            return result

        def _await(self, answer, timeout):
            with eventlet_timeout.Timeout(timeout, False):
                found = self._json.loads(answer.wait())
                if found['failure']:
                    raise common.deserialize_remote_exception(
                        found['failure'], self._allowed_remote_exmods)
                return found['reply']
            raise messaging.package.MessagingTimeout(
                'No reply within %s s' % timeout)

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
            if received['kind'] == 'reply':
                answer = self._waiting.pop(received['number'], None)
                # whoever waited may have given up
                if answer is not None:
                    answer.send(received['payload'])
                return
            self._listener.queue.put(
                (received, self._json.loads(received['payload'])))

        def reply(self, request, payload):
            self._channel.reply(request, self._json.dumps(payload))

        def listen(self, target):
            self._listener = self._listener or Listener(self)
            self._channel.listen(target.topic, target.server)
            return self._listener

        def send_notification(self, target, ctxt, message, version,
                              retry=None):
            """Nobody listens."""

        def listen_for_notifications(self, targets_and_priorities):
            raise NotImplementedError()

        def cleanup(self):
            """Nothing is held that the process does not give back."""

    return Driver
