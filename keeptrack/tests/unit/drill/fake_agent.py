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


"""A stand-in for a Nova tree with which the real fork server runs."""

import os
import shutil
import sys

from keeptrack.drill.testbed import runtime

# what the server wants of a tree: an adapter and processes
_ADAPTER = '''\
import sys


class Adapter(object):

    def import_nova(self):
        if 'broken' in sys.argv[1]:
            raise RuntimeError('no Nova here')
'''

_PROCESSES = '''\
import os
import threading
import time

from agent import channel


def run(adapter, spec):
    os.write(1, b'process ' + spec['role'].encode() + b'\\n')
    if spec['role'] not in ('source', 'destination'):
        time.sleep(spec.get('sleeps', 0))
        os._exit(spec.get('status', 0))
    line = channel.Channel(spec['socket'], spec['role'])
    modes = [spec['libvirt']]
    ended = threading.Event()
    line.on_command('libvirt', modes.append)
    line.on_command('modes', lambda: modes)
    line.on_command('end', threading.Timer(0.05, ended.set).start)
    line.event({'what': 'initialized', 'where': spec['role'],
                'lane': 'compute', 'data': spec})
    line.open()
    ended.wait()
    os._exit(0)
'''


class FakeRuntime(object):
    """In the place of a runtime.Runtime.

    :param folder: an empty folder of its own (pathlib.Path)
    :param tree: name of the tree; one with "broken" in it does not import
    """

    variables = dict(os.environ)

    def __init__(self, folder, tree='tree'):
        self._tree = tree
        self._folder = folder
        self._agent = folder / 'drill' / 'agent'
        shutil.copytree(runtime.AGENT, self._agent,
                        ignore=shutil.ignore_patterns('__pycache__'))
        (self._agent / 'adapter_fake.py').write_text(_ADAPTER)
        (self._agent / 'nova_process.py').write_text(_PROCESSES)

    def ensure(self):
        """It is there."""

    def command(self, script, *arguments):
        return [sys.executable, str(self._agent / script),
                str(self._folder / self._tree), 'adapter_fake.Adapter'] + [
                    str(each) for each in arguments]
