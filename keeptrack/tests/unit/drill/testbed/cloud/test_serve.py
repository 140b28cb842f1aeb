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
