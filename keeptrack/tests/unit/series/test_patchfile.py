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

import hypothesis
from hypothesis import strategies
import testtools

from keeptrack import errors
from keeptrack.series import git
from keeptrack.series import patchfile
from keeptrack.tests import base

_ENDS = ('\x0c', '\u2028', '\r', 'é', '\udcff', 'x')


class PatchFileTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.repo = self.folder / 'repo'
        self.repo.mkdir()
        git.run(self.repo, 'init', '--quiet')
        self.write('kept.py', 'a\nb\nc\nd\ne\n')
        base.git_commit(self.repo, 'first')

    def write(self, name, text):
        path = self.repo / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(patchfile.encode(text))

    def patch(self, message='a change'):
        base.git_commit(self.repo, message)
        return patchfile.decode(git.run(self.repo, 'format-patch', '-1',
                                        '-U1', '--stdout'))

    def assertRoundTrip(self, text):
        parsed = patchfile.parse('x.patch', text)
        self.assertEqual(text, parsed.render())
        return parsed

    def test_round_trip(self):
        self.write('kept.py', 'a\nB\nc\nd\ne\nf\n')
        self.write('new/module.py', 'one\n' * 70)
        self.write('new/line.py', 'one\n')
        self.write('new/empty.py', '')
        self.write('new/no_feed.py', 'one\ntwo')
        parsed = self.assertRoundTrip(self.patch('compute: why\n\nText.\n'))
        self.assertEqual('compute: why', parsed.title)
        self.assertEqual(('A. Uthor', 'author@example.org'), parsed.author)

    def test_a_long_title_is_unfolded(self):
        self.write('kept.py', '')
        title = 'compute: ' + 'word ' * 30 + 'end'
        self.assertEqual(title, self.assertRoundTrip(self.patch(title)).title)

    def test_reversed_twice_is_the_same(self):
        self.write('kept.py', 'a\nB\nc\nd\n')
        self.write('module.py', 'one\n')
        patch = patchfile.parse('x', self.patch())
        self.assertEqual(patch, patch.reversed().reversed())
        self.assertTrue(patch.reversed().sections[1].gone)

    def refused(self, text):
        return str(self.assertRaises(errors.KeeptrackError, patchfile.parse,
                                     'x.patch', text))

    def test_what_a_series_does_not_do_is_refused(self):
        git.run(self.repo, 'mv', 'kept.py', 'other.py')
        self.assertIn('series', self.refused(self.patch()))
        git.run(self.repo, 'rm', '-q', 'other.py')
        self.assertIn('series adds and changes files',
                      self.refused(self.patch()))

    def test_a_cut_patch_is_refused(self):
        self.write('kept.py', 'a\nB\nc\nd\ne\n')
        lines = patchfile.split_lines(self.patch())
        cut = lines.index('-b\n')
        self.assertIn('kept.py: Hunk is shorter', self.refused(
            ''.join(lines[:cut])))
        self.assertIn('three dashes', self.refused('nothing\n'))
        self.assertIn('nothing that git writes', self.refused(
            ''.join(lines[:-3]) + 'tail\n'))


# a machine that stands still for a moment is no failure
_NO_HURRY = hypothesis.settings(
    deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])


class LinesTestCase(testtools.TestCase):

    @_NO_HURRY
    @hypothesis.given(strategies.text(
        alphabet=strategies.sampled_from(('\n',) + _ENDS)))
    def test_lines_are_cut_at_line_feeds_only(self, text):
        lines = patchfile.split_lines(text)
        self.assertEqual(text, ''.join(lines))
        self.assertTrue(all(line.endswith('\n') for line in lines[:-1]))
        self.assertTrue(all(line.count('\n') <= 1 and line for line in lines))

    @_NO_HURRY
    @hypothesis.given(strategies.binary())
    def test_any_bytes_survive(self, data):
        self.assertEqual(data, patchfile.encode(patchfile.decode(data)))
