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

"""The part of Nova's tree that the series adds.

In a Nova tree the rest is beside it. Here the unit tests find the few names of
the rest that they need in nova/tests/stand_ins. What one generation of
releases has otherwise lies in a folder of the generation's name, and is used
where KEEPTRACK_GENERATION names it; of several names, with commas, the first
one wins.
"""

import os

_HERE = os.path.dirname(os.path.abspath(__file__))
_GENERATIONS = [name for name in os.environ.get(
    'KEEPTRACK_GENERATION', '').split(',') if name]


def complete(path, *names):
    """Let a package find what is not in its own folder.

    :param path: its __path__
    :param names: str, the folders on the way to it from nova/
    """
    stand_ins = os.path.join(_HERE, 'tests', 'stand_ins', *names)
    for folder in (os.path.join(_HERE, *names), stand_ins):
        for generation in reversed(_GENERATIONS):
            path.insert(0, os.path.join(folder, generation))
    path.append(stand_ins)


complete(__path__)
