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


import ast
import pathlib

import keeptrack
from keeptrack.tests import base

# what each room may import beside itself, errors and signals
BELOW = {
    'series': (),
    'verify': ('series',),
    'audit': (),
    'drill': ('series', 'verify'),
    'cli': ('series', 'verify', 'audit', 'drill'),
}
SHARED = ('errors', 'signals')
FOLDER = pathlib.Path(keeptrack.__file__).parent


def imported(path):
    """What a module imports of keeptrack (iterator of lists of str)."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom):
            names = ['%s.%s' % (node.module, alias.name)
                     for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            package, *words = name.split('.')
            if package == 'keeptrack' and words:
                yield words


class RoomsTestCase(base.TestCase):
    """The rooms of the kit, and who may use which: see doc/kit.rst."""

    def modules(self):
        for path in sorted(FOLDER.rglob('*.py')):
            room = path.relative_to(FOLDER).parts[0]
            if room in BELOW:
                yield path, room

    def test_arrows_point_down(self):
        for path, room in self.modules():
            for words in imported(path):
                self.assertIn(words[0], (room,) + SHARED + BELOW[room], path)

    def test_only_the_command_line_prints(self):
        for path, room in self.modules():
            if room not in ('series', 'verify'):
                continue
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.Name):
                    self.assertNotEqual('print', node.id, path)
