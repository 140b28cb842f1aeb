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

"""The functional drills, as far as they need neither libvirt nor root."""

import configparser
import pathlib
import unittest
from unittest import mock

from keeptrack.drill import drilled_trees
from keeptrack.drill import faults
from keeptrack.drill.runner import campaign
from keeptrack import errors
from keeptrack.tests import base
from keeptrack.tests.functional import test_drills

ROOT = pathlib.Path(__file__).parents[4]


class FunctionalTestCase(base.TestCase):

    def run_test(self, make):
        """Set up and run one test, with these subjects made by make()."""
        case = type('Case', (test_drills.DrillTestCase,), {})
        with mock.patch.object(test_drills, '_why_not', lambda: None), \
                mock.patch.object(case, '_patched', lambda folder: None), \
                mock.patch.object(drilled_trees, 'named',
                                  lambda trees, runtime: make()), \
                mock.patch.object(campaign.Campaign, 'run', side_effect=(
                    errors.KeeptrackError('no testbed comes up'))):
            case.setUpClass()
            result = unittest.TestResult()
            case('test_' + faults.FAULTS[0].name.replace('-', '_')).run(result)
            return result

    def test_what_is_missing_is_why_they_are_skipped(self):
        def make():
            raise errors.KeeptrackError('no Python 2.7 that runs')
        (_, why), = self.run_test(make).skipped
        self.assertIn('no Python 2.7', why)

    def test_a_drill_that_fails_is_no_reason_to_skip(self):
        self.assertRaises(errors.KeeptrackError, self.run_test,
                          lambda: [mock.Mock()])

    def test_one_worker_makes_the_drills(self):
        tox = configparser.RawConfigParser()
        tox.read(ROOT / 'tox.ini')
        self.assertIn('--parallel-class', tox.get('testenv:functional',
                                                  'commands'))
        self.assertNotIn('--parallel-class', tox.get('testenv:unit',
                                                     'commands'))
