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

import os
import signal
import socket
from unittest import mock

from keeptrack.tests import base
from keeptrack.tests.unit.drill import agent_path

agent_path.add()

with mock.patch.dict('sys.modules', tree_loader=mock.Mock()):
    # a script: what is beside it is found when it is run
    from agent import fork_server  # noqa: E402


class ServerTestCase(base.TestCase):

    def test_a_process_id_that_comes_again(self):
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        server = fork_server.Server(None, theirs.detach())
        self.addCleanup(server._socket.close)
        child = os.fork()
        if not child:
            signal.pause()
        # one of before had the same number, and has ended
        server._ended[child] = 256
        with mock.patch.object(fork_server.os, 'fork', lambda: child):
            self.assertEqual({'pid': child}, server._fork({}, None))
        self.assertEqual({'status': None}, server._poll(child))
        self.assertEqual({'status': signal.SIGKILL}, server._kill(child))
