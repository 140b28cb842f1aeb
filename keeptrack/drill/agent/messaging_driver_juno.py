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


"""A driver for oslo.messaging as it was in 2014 and 2015."""

from agent import rpc


def make(messaging, exchange):
    """What stands in for messaging.get_transport.

    :param messaging: the adapter's Messaging
    :param exchange: rpc.Exchange
    :returns: callable
    """
    def get_transport(conf, url=None, allowed_remote_exmods=None,
                      aliases=None):
        return messaging.package.Transport(_driver(messaging)(
            conf, allowed_remote_exmods, exchange))
    return get_transport


def _driver(messaging):
    base, common = messaging.base, messaging.common

    class Incoming(base.IncomingMessage):

        def __init__(self, listener, request, told):
            super(Incoming, self).__init__(listener, told['context'],
                                           told['message'])
            self._request = request

        def reply(self, reply=None, failure=None, log_failure=True):
            if failure:
                failure = common.serialize_remote_exception(failure,
                                                            log_failure)
            self.listener.driver.exchange.reply(self._request, reply,
                                                failure)

        def requeue(self):
            raise NotImplementedError()

    class Listener(base.Listener):

        def __init__(self, driver, queue):
            super(Listener, self).__init__(driver)
            self._queue = queue

        def poll(self, timeout=None):
            found = self.driver.exchange.poll(self._queue, timeout)
            return None if found is None else Incoming(self, *found)

    class Driver(base.BaseDriver):

        def __init__(self, conf, allowed_remote_exmods, exchange):
            super(Driver, self).__init__(
                conf, None, allowed_remote_exmods=allowed_remote_exmods)
            self.exchange = exchange

        def send(self, target, ctxt, message, wait_for_reply=None,
                 timeout=None, envelope=False, retry=None):
            if not wait_for_reply:
                return self.exchange.send(target, ctxt, message, self._error)
            return self.exchange.call(target, ctxt, message, self._error,
                                      timeout)

        def _error(self, cause):
            if isinstance(cause, rpc.NoAnswer):
                return messaging.package.MessagingTimeout(str(cause))
            return common.deserialize_remote_exception(
                cause, self._allowed_remote_exmods)

        def listen(self, target):
            return Listener(self, self.exchange.listen(target))

        def send_notification(self, target, ctxt, message, version,
                              retry=None):
            """Nobody listens."""

        def listen_for_notifications(self, targets_and_priorities):
            raise NotImplementedError()

        def cleanup(self):
            """Nothing is held that the process does not give back."""

    return Driver
