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


"""A driver for oslo.messaging 10 to 18."""

from agent import rpc


def make(messaging, exchange):
    """What stands in for messaging.get_rpc_transport.

    :param messaging: the adapter's Messaging
    :param exchange: rpc.Exchange
    :returns: callable
    """
    def get_rpc_transport(conf, url=None, allowed_remote_exmods=None):
        return messaging.package.transport.RPCTransport(_driver(messaging)(
            conf, allowed_remote_exmods, exchange))
    return get_rpc_transport


def _driver(messaging):
    base, common = messaging.base, messaging.common

    class Incoming(base.RpcIncomingMessage):

        def __init__(self, exchange, request, told):
            super().__init__(told['context'], told['message'])
            self.client_timeout = told['at_it']
            self._exchange = exchange
            self._request = request

        def reply(self, reply=None, failure=None):
            if failure:
                failure = common.serialize_remote_exception(failure)
            self._exchange.reply(self._request, reply, failure)

        def heartbeat(self):
            self._exchange.be_at_it(self._request)

        def requeue(self):
            raise NotImplementedError()

    class Listener(base.PollStyleListener):

        def __init__(self, exchange, queue):
            super().__init__()
            self._exchange = exchange
            self._queue = queue

        @base.batch_poll_helper
        def poll(self, timeout=None):
            found = self._exchange.poll(self._queue, timeout)
            return None if found is None else Incoming(self._exchange, *found)

    class Driver(base.BaseDriver):

        def __init__(self, conf, allowed_remote_exmods, exchange):
            super().__init__(
                conf, None, allowed_remote_exmods=allowed_remote_exmods)
            self._exchange = exchange

        def send(self, target, ctxt, message, wait_for_reply=None,
                 timeout=None, call_monitor_timeout=None, retry=None,
                 transport_options=None):
            if not wait_for_reply:
                return self._exchange.send(target, ctxt, message, self._error)
            return self._exchange.call(target, ctxt, message, self._error,
                                       timeout, call_monitor_timeout)

        def _error(self, cause):
            if isinstance(cause, rpc.NoAnswer):
                return messaging.package.MessagingTimeout(str(cause))
            return common.deserialize_remote_exception(
                cause, self._allowed_remote_exmods)

        def listen(self, target, batch_size, batch_timeout):
            return base.PollStyleListenerAdapter(
                Listener(self._exchange, self._exchange.listen(target)),
                batch_size, batch_timeout)

        def send_notification(self, target, ctxt, message, version,
                              retry=None):
            """Nobody listens."""

        def listen_for_notifications(self, targets_and_priorities, pool,
                                     batch_size, batch_timeout):
            raise NotImplementedError()

        def cleanup(self):
            """Nothing is held that the process does not give back."""

    return Driver
