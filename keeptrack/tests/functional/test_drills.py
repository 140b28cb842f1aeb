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

"""Every fault, on the newest release that a target is for, with the series.

The runs share their testbeds, so they are made once for all tests; each test
then asks for one fault's.  KEEPTRACK_DRILL_RUNS sets how many of each are
made; without it there are none, for each takes a while.
"""

import argparse
import os
import pathlib
import tempfile

import testtools

from keeptrack.cli import common
from keeptrack.drill.checker import verdict
from keeptrack.drill import drilled_trees
from keeptrack.drill import faults
from keeptrack.drill import generator
from keeptrack.drill.runner import campaign
from keeptrack.drill.testbed import prerequisites
from keeptrack.drill.testbed import runtime
from keeptrack import errors
from keeptrack.series import tree
from keeptrack.verify import verification

GOOD = (verdict.RIGHT, verdict.PARKED, verdict.SPLIT_BRAIN)


def _why_not():
    """Why no drill can be run here (str), or None."""
    reasons = prerequisites.missing()
    if not os.environ.get('KEEPTRACK_DRILL_RUNS'):
        reasons.append('set KEEPTRACK_DRILL_RUNS to how often each fault is '
                       'to be run')
    return '; '.join(reasons) or None


class DrillTestCase(testtools.TestCase):

    runs = None
    why_not = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.why_not = _why_not()
        if cls.why_not:
            return
        with tempfile.TemporaryDirectory() as name:
            patched = cls._patched(pathlib.Path(name))
            try:
                found = drilled_trees.named(
                    [patched],
                    lambda tree: runtime.Runtime(tree, common.report))
            except errors.KeeptrackError as exc:
                # no Python of its time, or nothing to build a binding with
                cls.why_not = str(exc)
                return
            cls.runs = cls._drill(found)['runs']

    @staticmethod
    def _patched(folder):
        """The newest release that has a target, with the series."""
        options = argparse.Namespace(patches=None)
        args = argparse.Namespace(tree=None, release=None)
        with common.chosen_tree(options, args) as nova:
            target, series = common.require_target(options, nova)
            copies = verification.lay_out(
                nova, target, series, folder,
                common.prerequisite_source(nova, target))
        return tree.Tree(copies[verification.AFTER])

    @staticmethod
    def _drill(found):
        found[0].runtime.ensure()
        plan = generator.Plan(
            found, list(faults.FAULTS),
            int(os.environ.get('KEEPTRACK_DRILL_RUNS') or 1), 'functional', 3)
        return campaign.Campaign(plan, None, common.report).run()

    def check(self, name):
        if self.why_not:
            self.skipTest('no drill: %s' % self.why_not)
        runs = [run for run in self.runs if run['fault'] == name]
        self.assertNotEqual([], runs)
        for run in runs:
            self.assertIn(run['verdict'], GOOD, '%s %s %+.2f s: %s; %s' % (
                run['seed'], run['moment'], run['delay'], run['why'],
                run['broken']))


def _add(fault):
    def test(self):
        self.check(fault.name)
    test.__doc__ = fault.title
    setattr(DrillTestCase, 'test_' + fault.name.replace('-', '_'), test)


for _fault in faults.FAULTS:
    _add(_fault)
