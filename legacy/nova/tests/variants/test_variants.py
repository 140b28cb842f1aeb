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

"""The unit tests of the generations that KEEPTRACK_GENERATION names.

Discovery would import the variants of the releases of today instead, so what
to run is what the generation's patches add.
"""

import os
import pathlib
import tomllib

_TOP = pathlib.Path(__file__).resolve().parents[3]


def _modules(generations):
    """Dotted names of the unit tests that the patches of a target add.

    :param generations: their names, the newest first (list of str)
    """
    for path in sorted((_TOP.parent / 'patches').glob('*/target.toml')):
        target = tomllib.loads(path.read_text())
        # a target without a source makes its patches of nothing here
        files = [name for patch in target.get('patches', ())
                 for name in patch['modules']]
        if all(any('/%s/' % generation in name for name in files)
               for generation in generations):
            break
    else:
        raise ValueError('no target has files in folders %s' %
                         ', '.join(generations))
    for generation in generations:
        files += [str(found.relative_to(_TOP)) for found in
                  (_TOP / 'nova/tests/model').glob(
                      '%s/test_*.py' % generation)]
        files = [name.replace(generation + '/', '') for name in files]
    return [name[:-len('.py')].replace('/', '.') for name in files
            if name.startswith(('nova/tests/unit/', 'nova/tests/model/')) and
            name.rpartition('/')[2].startswith('test_')]


def load_tests(loader, tests, pattern):
    generations = os.environ.get('KEEPTRACK_GENERATION')
    if generations:
        tests.addTests(loader.loadTestsFromNames(
            _modules(generations.split(','))))
    return tests
