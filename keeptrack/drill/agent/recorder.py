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


"""Tells the kit what happens, and lets things happen as they would."""

import functools
import time


class Recorder(object):
    """Sends events.

    :param send: called with each event (dict), from any thread
    :param where: "source", "destination" or "drill" (str)
    """

    def __init__(self, send, where):
        self._send = send
        self._where = where

    def tell(self, lane, what, text, data=None, when=None, where=None):
        """Send one event.

        :param lane: kind of event (str)
        :param what: short id (str)
        :param text: for people (str)
        :param data: what JSON can hold (dict)
        :param when: time.time() of it (float); None for now
        :param where: the role of the host that it happens to (str); None for
            this process' own
        """
        self._send({'t': time.time() if when is None else when,
                    'where': where or self._where, 'lane': lane, 'what': what,
                    'text': text, 'data': data or {}})

    def call(self, name, function, *args, **kwargs):
        """Call a function, and tell when it begins, and how it ends.

        :param name: what to call it in events (str)
        :param function: callable
        :returns: what it returns
        :raises: what it raises
        """
        self._phase(name, 'begin', name)
        try:
            result = function(*args, **kwargs)
        except BaseException as exc:
            self._phase(name, 'raise', '%s raises %s' % (name, told(exc)),
                        error=told(exc))
            raise
        self._phase(name, 'end', '%s ends' % name)
        return result

    def _phase(self, name, phase, text, **more):
        self.tell('call', phase, text,
                  dict(more, method=name, phase=phase))

    def record_calls(self, owner, names):
        """Record the calls of methods from now on.

        :param owner: the class (type)
        :param names: those that it lacks are passed over (iterable of str)
        """
        for name in names:
            function = vars(owner).get(name)
            if function is not None:
                setattr(owner, name, self._recorded(name, function))

    def _recorded(self, name, function):
        @functools.wraps(function)
        def recorded(*args, **kwargs):
            return self.call(name, function, *args, **kwargs)
        return recorded


def told(error):
    """An exception in words of one line.

    :param error: exception
    :returns: str
    """
    lines = (u'%s' % error).strip().splitlines()
    return u'%s: %s' % (type(error).__name__, lines[0] if lines else u'')


def replace(owner, name, make):
    """Put a function in the place of another that it wraps.

    :param owner: class or module
    :param name: of the function; nothing happens when there is none (str)
    :param make: called with the function as it was, gives the new one
    """
    function = vars(owner).get(name)
    if function is not None:
        setattr(owner, name, functools.wraps(function)(make(function)))
