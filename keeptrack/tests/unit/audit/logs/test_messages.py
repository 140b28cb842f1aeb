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

"""The signs, beside the messages that the series writes."""

import ast
import pathlib
import re

from keeptrack.audit.logs import messages
from keeptrack.tests import base

_ROOT = pathlib.Path(__file__).parents[5]
_LOG = re.compile(r'LOG\.(info|warning|error|exception|critical)\(\s*'
                  r'(?:_L[IWE]\()?((?:\s*\'(?:[^\'\\]|\\.)*\')+)')
_ACTION = re.compile(r"    [A-Z_]+ = '(\w+ [^']+)'")

# what follows says how it ended
_NO_OUTCOME = (
    'The live migration to X will be checked again: X',
    'The live migration to X has not ended: setting the task to migrating '
    'again.',
    'Live migration to X: cannot X.',
    'The live migration to X cannot be finished yet.',
    'Cannot monitor the live migration to X.',
    'Cannot check live migrations yet.',
    'Cannot apply the filtering rules.',
    'Cinder does not tell the attachments of the source. Check the '
    'credentials in [cinder]: X',
    'Cannot resume the guest: reboot it.',
    'Volume X may still be connected to X: X. Nova does not try again: '
    'disconnect it there.',
    'The disks on this host are kept: they may be newer than those on X. '
    'Delete the older ones.',
)


class SeriesTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.messages, self.infos, self.actions = set(), set(), set()
        for path in sorted((_ROOT / 'patches').glob('*/*.patch')):
            added = '\n'.join(
                line[1:] for line in self.not_of_tests(path.read_text()))
            self.actions |= set(_ACTION.findall(added))
            for level, text in _LOG.findall(added):
                text = re.sub(r'%(\(\w+\))?[sd]', 'X', ast.literal_eval(
                    '(%s)' % text))
                (self.infos if level == 'info' else self.messages).add(text)

    @staticmethod
    def not_of_tests(text):
        is_test = False
        for line in text.splitlines():
            if line.startswith('+++ '):
                is_test = '/tests/' in line
            elif line.startswith('+') and not is_test:
                yield line

    def test_every_outcome_is_a_sign(self):
        self.assertGreater(len(self.messages), 8)
        self.assertEqual(set(_NO_OUTCOME), {
            text for text in self.messages if messages.find(text)[0] is None})

    def test_every_sign_of_the_series_is_written(self):
        written = self.messages | {'Nova will %s.' % one
                                   for one in self.actions}
        self.assertIn('Nova will finish the migration.', written)
        for sign in messages.MESSAGES:
            if sign.origin.startswith('the series'):
                self.assertTrue(any(sign.pattern in text for text in written),
                                sign.pattern)
