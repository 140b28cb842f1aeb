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
import importlib.util
import pathlib
import sys
import types
from unittest import mock

from keeptrack.drill.testbed.cloud import installation
from keeptrack.tests import base


class ServeTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        path = pathlib.Path(installation.__file__).with_name('serve.py')
        spec = importlib.util.spec_from_file_location('serve', path)
        self.serve = importlib.util.module_from_spec(spec)
        with mock.patch.dict(sys.modules,
                             waitress=types.ModuleType('waitress')):
            spec.loader.exec_module(self.serve)

    def test_an_application_reads_its_own_arguments(self):
        seen = []

        def load(name):
            seen.append((name, list(sys.argv)))
            return mock.Mock()
        self.serve.waitress.serve = mock.Mock()
        with mock.patch.object(sys, 'argv', [
                'serve.py', '192.0.2.10', '1', '2', 'm', 'gate',
                '--config-file', 'c']), mock.patch.object(
                    self.serve.importlib, 'import_module', load):
            self.serve.main()
        self.assertEqual([('m', ['serve.py', '--config-file', 'c'])], seen)
        self.assertEqual(1, self.serve.waitress.serve.call_args[1]['port'])

    def test_a_gate_makes_an_api_unavailable(self):
        gate = self.folder / 'neutron.unavailable'
        start = mock.Mock()
        served = self.serve.gated(lambda environ, start: [b'fine'], str(gate))
        self.assertEqual([b'fine'], served({}, start))
        start.assert_not_called()
        gate.touch()
        self.assertEqual([b'Service Unavailable\n'], served({}, start))
        self.assertEqual('503 Service Unavailable', start.call_args[0][0])
        gate.unlink()
        self.assertEqual([b'fine'], served({}, start))
