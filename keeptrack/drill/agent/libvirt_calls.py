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


"""Records what is done to domains, and makes libvirt fail as it may.

It sits on libvirt's own classes, in the native thread that calls them, so
that nothing of Nova's lies between a call's end and its time.
"""

import collections
import time

from agent import recorder as recorder_mod

# names as the kit gives them
RAISE_AFTER_SUCCESS = 'error-after-success'
NO_REMOTE = 'no-remote'
MODES = ('normal', RAISE_AFTER_SUCCESS, NO_REMOTE)

_MIGRATE = ('migrateToURI', 'migrateToURI2', 'migrateToURI3')

# the method: the lane, what, and text for people
_DOMAIN = {
    'destroy': ('teardown', 'domain-destroyed', 'guest destroyed'),
    'destroyFlags': ('teardown', 'domain-destroyed', 'guest destroyed'),
    'shutdown': ('teardown', 'domain-shut-down', 'guest asked to shut down'),
    'undefine': ('teardown', 'domain-undefined', 'guest undefined'),
    'undefineFlags': ('teardown', 'domain-undefined', 'guest undefined'),
    'suspend': ('teardown', 'domain-suspended', 'guest suspended'),
    'resume': ('setup', 'domain-resumed', 'guest resumed'),
    'create': ('setup', 'domain-started', 'guest started'),
    'createWithFlags': ('setup', 'domain-started', 'guest started'),
    'abortJob': ('migrate', 'abort', 'Nova aborts the job'),
    'abortJobFlags': ('migrate', 'abort', 'Nova aborts the job'),
}
_CONNECTION = {
    'defineXML': ('setup', 'domain-defined', 'guest defined'),
    'createXML': ('setup', 'domain-started', 'guest started'),
}
# The guest has no devices that these could be done to.
_DEVICES = {
    'attachDeviceFlags': ('setup', 'disk-attached',
                          'disk attached to the guest'),
    'detachDeviceFlags': ('teardown', 'disk-detached',
                          'disk detached from the guest'),
}
_OPEN = ('open', 'openAuth', 'openReadOnly')


class CallCounter(object):
    """Stands in for the extension module beneath libvirt's binding.

    :param module: libvirtmod
    """

    def __init__(self, module):
        self._module = module
        self._called = []

    def __getattr__(self, name):
        value = getattr(self._module, name)
        if callable(value):
            value = self._counted(name, value)
        # from now on it is found without coming here
        setattr(self, name, value)
        return value

    def counts(self):
        """How often each function was called (dict of str to int)."""
        return dict(collections.Counter(self._called[:]))

    def _counted(self, name, function):
        # one step of the interpreter, so that no call is lost
        count = self._called.append

        def counted(*args):
            count(name)
            return function(*args)
        return counted


class LibvirtCalls(object):
    """What stands on the calls of one process.

    :param libvirt: the binding
    :param recorder: recorder.Recorder
    """

    def __init__(self, libvirt, recorder):
        self._libvirt = libvirt
        self._recorder = recorder
        self._modes = frozenset()
        self._counting = CallCounter(libvirt.libvirtmod)
        libvirt.libvirtmod = self._counting
        for name in _MIGRATE:
            recorder_mod.replace(libvirt.virDomain, name, self._migration)
        for owner, table in ((libvirt.virDomain, _DOMAIN),
                             (libvirt.virConnect, _CONNECTION)):
            for name, told in table.items():
                recorder_mod.replace(owner, name, self._recorded(*told))
        for name, told in _DEVICES.items():
            recorder_mod.replace(libvirt.virDomain, name,
                                 self._pretended(*told))
        for name in _OPEN:
            recorder_mod.replace(libvirt, name, self._opening)

    def counts(self):
        """How often each function of libvirt was called (dict)."""
        return self._counting.counts()

    def total(self):
        """How often libvirt was called at all (int)."""
        return sum(self.counts().values())

    def set_modes(self, modes):
        """Fail so from now on.

        :param modes: list of MODES
        :raises ValueError: when one is not known
        """
        unknown = set(modes) - set(MODES)
        if unknown:
            raise ValueError('no such mode: %s' % ', '.join(sorted(unknown)))
        self._modes = frozenset(modes)

    def _migration(self, function):
        def migrate(*args, **kwargs):
            self._tell_migration('begin', time.time())
            try:
                result = function(*args, **kwargs)
                ended = time.time()
                if RAISE_AFTER_SUCCESS in self._modes:
                    # once
                    self._modes -= {RAISE_AFTER_SUCCESS}
                    raise self._error(
                        self._libvirt.VIR_ERR_OPERATION_FAILED,
                        self._libvirt.VIR_FROM_QEMU,
                        'operation failed: migration job: unexpectedly '
                        'failed')
            except BaseException as exc:
                self._tell_migration('raise', time.time(), exc)
                raise
            self._tell_migration('end', ended)
            return result
        return migrate

    def _tell_migration(self, phase, when, error=None):
        data = {'phase': phase, 'calls': self.total()}
        text = {'begin': 'libvirt is asked to migrate',
                'end': "libvirt's call returns"}.get(phase)
        if error is not None:
            data['error'] = recorder_mod.told(error)
            text = "libvirt's call raises %s" % data['error']
        self._recorder.tell('migrate', phase, text, data, when)

    def _recorded(self, lane, what, text):
        def make(function):
            def recorded(*args, **kwargs):
                began = time.time()
                result = function(*args, **kwargs)
                # what libvirt has refused was not done
                self._recorder.tell(lane, what, text,
                                    {'seconds': time.time() - began}, began)
                return result
            return recorded
        return make

    def _pretended(self, lane, what, text):
        def make(function):
            def pretended(domain, xml, flags=0):
                self._recorder.tell(lane, what, text)
                return 0
            return pretended
        return make

    def _opening(self, function):
        def opened(name=None, *args, **kwargs):
            if NO_REMOTE in self._modes and _is_remote(name):
                raise self._error(
                    self._libvirt.VIR_ERR_AUTH_FAILED,
                    self._libvirt.VIR_FROM_RPC,
                    'authentication failed: authentication failed')
            return function(name, *args, **kwargs)
        return opened

    def _error(self, code, domain, message):
        """A libvirtError as libvirt itself would have filled it."""
        error = self._libvirt.libvirtError(message)
        error.args = (message,)
        error.err = (code, domain, message, self._libvirt.VIR_ERR_ERROR,
                     message, None, None, -1, -1)
        return error


def _is_remote(uri):
    """Tell whether a URI names a host."""
    host = (uri or '').partition('://')[2].partition('/')[0]
    return bool(host)
