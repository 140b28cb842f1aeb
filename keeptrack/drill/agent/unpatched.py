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


"""Modules of the standard library as they were before eventlet.

What has to go on while the green threads stand still, or to be called from a
thread of the operating system's, uses these.
"""

import importlib
import sys


def is_green():
    """Tell whether this process has green threads (bool).

    A Nova may import eventlet and go without it.
    """
    return ('eventlet' in sys.modules and
            sys.modules['eventlet'].patcher.is_monkey_patched('socket'))


def original(name):
    """A module of the standard library that nothing has been replaced in.

    :param name: its name (str)
    :returns: module
    """
    if 'eventlet' in sys.modules:
        return sys.modules['eventlet'].patcher.original(name)
    return importlib.import_module(name)


def forget_hub():
    """Forget eventlet's hub, if one was made: each process makes its own.

    Forked along, it would watch the files of all processes for each of them.
    """
    if is_green():
        sys.modules['eventlet'].hubs.use_hub()
