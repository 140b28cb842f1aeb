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

import testtools

from keeptrack.series import patchfile
from keeptrack.series import placement


def hunk(start, *lines):
    return patchfile.Hunk(start, tuple(
        (line[0], line[1:] + '\n') for line in lines), start)


def patch(*sections):
    return patchfile.Patch('1.patch', '', tuple(sections))


def changed(path, *hunks):
    return patchfile.Section(path, False, None, hunks, '')


def added(path, text):
    return patchfile.Section(path, True, '100644', (patchfile.Hunk(0, tuple(
        ('+', line) for line in patchfile.split_lines(text)), 1),), '')


class LandingTestCase(testtools.TestCase):

    files = {'a.py': ['1\n', '2\n', '3\n', '2\n', '4\n', '1\n']}

    def image(self):
        return placement.Image(self.files.get)

    def assertDenied(self, section, *words):
        image = self.image()
        exc = self.assertRaises(placement.DoesNotApply, image.put,
                                patch(section))
        for word in words:
            self.assertIn(word, str(exc))
        self.assertEqual({}, image.changed())
        return exc

    def test_lands_wherever_it_stands_once(self):
        image = self.image()
        image.put(patch(changed('a.py', hunk(90, ' 3', '+x', ' 2'))))
        self.assertEqual(
            {'a.py': ['1\n', '2\n', '3\n', 'x\n', '2\n', '4\n', '1\n']},
            image.changed())

    def test_two_places_are_refused(self):
        exc = self.assertDenied(changed('a.py', hunk(4, '-2', '+x', ' 9')),
                                'a.py line 4', 'are not there')
        self.assertEqual(('a.py', 4), (exc.path, exc.line))
        self.files = {'a.py': ['1\n', '2\n', '1\n', '2\n', '3\n']}
        self.assertDenied(changed('a.py', hunk(3, ' 1', '+x', ' 2')),
                          'lines 1, 3', 'is unclear')

    def test_a_message_does_not_list_every_place(self):
        self.files = {'a.py': 9 * ['1\n', '2\n']}
        self.assertDenied(changed('a.py', hunk(3, ' 1', '+x', ' 2')),
                          'lines 1, 3, 5, 7, 9, 4 more, and')

    def test_the_hunks_of_a_file_are_looked_at_together(self):
        self.files = {'a.py': ['0\n'] + ['h\n', '1\n', '2\n'] * 3 + ['e\n']}
        same = [hunk(start, ' h', '-1', '+x', ' 2') for start in (2, 5, 8)]
        image = self.image()
        image.put(patch(changed('a.py', *same)))
        self.assertEqual(['0\n'] + ['h\n', 'x\n', '2\n'] * 3 + ['e\n'],
                         image.lines('a.py'))
        self.assertDenied(changed('a.py', *same[:2]), 'lines 5, 8',
                          'is unclear')
        self.assertDenied(changed('a.py', *(same + same[:1])), 'not there')

    def test_a_hunk_above_leaves_one_place_below(self):
        self.files = {'a.py': ['1\n', '2\n', '0\n', '1\n', '2\n', 'e\n']}
        last = hunk(4, ' 1', '+x', ' 2')
        self.assertDenied(changed('a.py', last), 'lines 1, 4')
        image = self.image()
        image.put(patch(changed('a.py', hunk(3, '-0', '+y', ' 1'),
                                hunk(5, ' 2', '+x', ' e'))))
        self.assertEqual(['1\n', '2\n', 'y\n', '1\n', '2\n', 'x\n', 'e\n'],
                         image.lines('a.py'))
        self.files = {'a.py': ['1\n', '2\n', '0\n', 'z\n', '1\n', '2\n',
                               'e\n']}
        image = self.image()
        image.put(patch(changed('a.py', hunk(3, '-0', '+y', ' z'), last)))
        self.assertEqual(['1\n', 'x\n', '2\n'],
                         image.lines('a.py')[4:7])

    def test_a_place_between_two_others(self):
        self.files = {'a.py': ['1\n', 'x\n', '2\n', 'x\n', '3\n', 'x\n',
                               '4\n']}
        image = self.image()
        image.put(patch(changed('a.py', hunk(3, '-2', '+0', ' x'),
                                hunk(5, '-3', '+y', ' x'))))
        self.assertEqual(['1\n', 'x\n', '0\n', 'x\n', 'y\n', 'x\n', '4\n'],
                         image.lines('a.py'))

    def test_no_context_above_means_the_first_line(self):
        image = self.image()
        image.put(patch(changed('a.py', hunk(1, '+0', ' 1'))))
        self.assertEqual('0\n', image.lines('a.py')[0])
        self.assertDenied(changed('a.py', hunk(1, '+0', ' 4')), 'not there')

    def test_no_context_below_means_the_last_line(self):
        image = self.image()
        image.put(patch(changed('a.py', hunk(6, ' 1', '+5'))))
        self.assertEqual('5\n', image.lines('a.py')[-1])
        self.assertDenied(changed('a.py', hunk(2, ' 4', '+5')), 'not there')

    def test_a_patch_that_fails_leaves_nothing(self):
        image = self.image()
        good = hunk(3, ' 3', '+x', ' 2')
        self.assertRaises(placement.DoesNotApply, image.put, patch(
            changed('a.py', good), changed('no.py', good)))
        self.assertEqual({}, image.changed())
        image.put(patch(changed('a.py', good)))
        self.assertEqual(['a.py'], list(image.changed()))

    def test_a_new_file_must_not_be_there(self):
        self.assertDenied(added('a.py', 'x\n'), 'there already')

    def test_a_file_that_a_patch_adds_is_known_whole(self):
        image = self.image()
        image.put(patch(added('b.py', '1\n2\n1\n2\n')))
        more = patch(changed('b.py', hunk(3, ' 1', '+x', ' 2')))
        image.put(more)
        self.assertEqual(['1\n', '2\n', '1\n', 'x\n', '2\n'],
                         image.lines('b.py'))
        image.put(more.reversed())
        self.assertEqual(['1\n', '2\n', '1\n', '2\n'], image.lines('b.py'))
        exc = self.assertRaises(placement.DoesNotApply, image.put, patch(
            changed('b.py', hunk(2, ' 1', '+x', ' 2'))))
        self.assertIn('b.py line 2', str(exc))
        image.put(patch(changed('b.py', patchfile.Hunk(
            0, (('+', '0\n'),), 1))))
        self.assertEqual('0\n', image.lines('b.py')[0])

    def test_back_again(self):
        forward = patch(changed('a.py', hunk(3, ' 3', '+x', '-2', ' 4')),
                        added('b.py', 'y\n'))
        image = self.image()
        image.put(forward)
        self.assertEqual(['y\n'], image.lines('b.py'))
        image.put(forward.reversed())
        self.assertEqual({}, image.changed())
        self.assertIsNone(image.lines('b.py'))
