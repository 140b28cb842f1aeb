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


"""Makes the Nova tree, and this package, importable."""

import importlib
import os
import sys


def load(arguments):
    """Set sys.path for a script of this package, and load the adapter.

    The package is imported as ``agent``, so that no module of its own can
    stand before one that Nova means.

    :param arguments: sys.argv of the script: after the script's own name come
        the tree, and the adapter's module and class with a dot between
    :returns: the adapter's class, not made yet
    """
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [arguments[1]] + [
        path for path in sys.path if os.path.abspath(path or '.') != here
    ] + [os.path.dirname(here)]
    module, _, name = arguments[2].partition('.')
    return getattr(importlib.import_module('agent.' + module), name)
