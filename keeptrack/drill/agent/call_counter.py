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


"""Counts the calls of libvirt's API."""

import itertools


class CallCounter(object):
    """Stands in for the extension module beneath libvirt's binding.

    :param module: libvirtmod
    """

    def __init__(self, module):
        self._module = module
        self._counters = {}

    def __getattr__(self, name):
        value = getattr(self._module, name)
        if callable(value):
            # from several threads at once: the same counter for all of them
            counter = self._counters.setdefault(name, itertools.count())
            value = _counted(value, counter)
        # from now on it is found without coming here
        setattr(self, name, value)
        return value

    def counts(self):
        """How often each function was called (dict of str to int)."""
        # copying a counter does not move it
        return {name: counter.__reduce__()[1][0]
                for name, counter in list(self._counters.items())
                if counter.__reduce__()[1][0]}


def _counted(function, counter):
    count = counter.__next__ if hasattr(counter, '__next__') else counter.next

    def counted(*args):
        # one step of the interpreter, so that no call is lost
        count()
        return function(*args)
    return counted
