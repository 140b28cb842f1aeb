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


"""Makes this process one of a testbed's host.  Linux only."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1

# the mount namespace last: the paths to the others are of the old one
_ORDER = ('net', 'uts', 'mnt')


def _check(status, what):
    if status:
        number = ctypes.get_errno()
        raise OSError(number, '%s: %s' % (what, os.strerror(number)))


def enter(paths):
    """Enter namespaces; this process may have one thread only.

    :param paths: "net", "uts" and "mnt" to the file of each (dict of str)
    :raises OSError: when one cannot be entered
    """
    libc = ctypes.CDLL(None, use_errno=True)
    opened = [os.open(paths[kind], os.O_RDONLY) for kind in _ORDER]
    for kind, number in zip(_ORDER, opened):
        _check(libc.setns(number, 0), 'setns to %s' % paths[kind])
        os.close(number)
    os.chdir('/')


def die_with(parent):
    """Have this process killed when its parent ends.

    :param parent: the parent's process id (int)
    """
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), 'prctl')
    if os.getppid() != parent:
        # it had ended before it could be asked for
        os.kill(os.getpid(), signal.SIGKILL)
