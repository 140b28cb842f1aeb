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


"""A driver for oslo.messaging: 10 to 18, and that of 2014 and 2015."""

from agent import rpc


def current(messaging, exchange):
    """What stands in for messaging.get_rpc_transport.

    :param messaging: the adapter's Messaging
    :param exchange: rpc.Exchange
    :returns: callable
    """
    base = messaging.base

    class Incoming(_incoming(messaging, base.RpcIncomingMessage)):

        def __init__(self, exchange, request, told):
            super().__init__(told['context'], told['message'])
            self.client_timeout = told['monitor']
            self.exchange, self.request = exchange, request

        def heartbeat(self):
            self.exchange.heartbeat(self.request)

    class Listener(base.PollStyleListener):

        def __init__(self, queue):
            super().__init__()
            self._queue = queue

        @base.batch_poll_helper
        def poll(self, timeout=None):
            found = exchange.poll(self._queue, timeout)
            return None if found is None else Incoming(exchange, *found)

    def get_rpc_transport(conf, url=None, allowed_remote_exmods=None):
        return messaging.package.transport.RPCTransport(_driver(
            messaging, lambda driver, queue, *batch:
            base.PollStyleListenerAdapter(Listener(queue), *batch))(
                conf, allowed_remote_exmods, exchange))
    return get_rpc_transport


def juno(messaging, exchange):
    """What stands in for messaging.get_transport; see current()."""
    class Incoming(_incoming(messaging, messaging.base.IncomingMessage)):

        def __init__(self, listener, request, told):
            super(Incoming, self).__init__(listener, told['context'],
                                           told['message'])
            self.exchange, self.request = exchange, request

    class Listener(messaging.base.Listener):

        def __init__(self, driver, queue):
            super(Listener, self).__init__(driver)
            self._queue = queue

        def poll(self, timeout=None):
            found = exchange.poll(self._queue, timeout)
            return None if found is None else Incoming(self, *found)

    def get_transport(conf, url=None, allowed_remote_exmods=None,
                      aliases=None):
        return messaging.package.Transport(_driver(messaging, Listener)(
            conf, allowed_remote_exmods, exchange))
    return get_transport


def _incoming(messaging, parent):
    class Incoming(parent):

        def reply(self, reply=None, failure=None, **log):
            if failure:
                failure = messaging.common.serialize_remote_exception(
                    failure, **log)
            self.exchange.reply(self.request, reply, failure)

        def requeue(self):
            raise NotImplementedError()

    return Incoming


def _driver(messaging, make_listener):
    class Driver(messaging.base.BaseDriver):

        def __init__(self, conf, allowed_remote_exmods, exchange):
            super(Driver, self).__init__(
                conf, None, allowed_remote_exmods=allowed_remote_exmods)
            self._exchange = exchange

        def send(self, target, ctxt, message, wait_for_reply=None,
                 timeout=None, call_monitor_timeout=None, **options):
            if not wait_for_reply:
                return self._exchange.send(target, ctxt, message, self._error)
            return self._exchange.call(target, ctxt, message, self._error,
                                       timeout, call_monitor_timeout)

        def _error(self, cause):
            if isinstance(cause, rpc.NoAnswer):
                return messaging.package.MessagingTimeout(str(cause))
            return messaging.common.deserialize_remote_exception(
                cause, self._allowed_remote_exmods)

        def listen(self, target, *batch):
            return make_listener(self, self._exchange.listen(target), *batch)

        def send_notification(self, *args, **options):
            """Nobody listens."""

        def listen_for_notifications(self, *args):
            raise NotImplementedError()

        def cleanup(self):
            """Nothing is held that the process does not give back."""

    return Driver
