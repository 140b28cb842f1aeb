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

from keeptrack.series import source
from keeptrack.tests import base

TEXT = '''\
"""def no(): pass"""
import os
import nova.conf

class First(object):
    """class Second(object): """
    x = [
]

    @one
    @two.three(
        "def none(): pass",
    )
    # a remark
    @four
    def method(self, name, other=None):
        """method() does what it does."""
        if not state.ask(name):
            return
        self.kept = made.by(name, reason=1)
        call(os.path)
        def nested():
            inner()
        raise Later

        never()

    def method_two(self):
        \'\'\'@one
        def method(self): pass
        \'\'\'


def last(): return 1
'''


class SourceTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.source = source.Source(TEXT)

    def test_only_code_counts(self):
        self.assertEqual(len(TEXT), len(self.source.code))
        self.assertEqual(TEXT.count('\n'), self.source.code.count('\n'))
        for word in ('no()', 'Second', 'none', 'remark', 'does'):
            self.assertNotIn(word, self.source.code)

    def test_quotes_within_quotes(self):
        for text, left in (('x = "a\\"b#c" + d', 'x =' + ' ' * 10 + '+ d'),
                           ("x = 'it''s' # '", 'x ='),
                           ('x = """a"b""" + d', 'x =' + ' ' * 11 + '+ d'),
                           ("r'\\\\' + d", 'r' + ' ' * 5 + '+ d'),
                           ('x = "open', 'x = "open')):
            self.assertEqual(left, source.blanked(text).rstrip(), text)

    def test_a_method(self):
        found = self.source.method_code('First', 'method')
        self.assertTrue(found.startswith('    @one\n    @two.three('), found)
        self.assertIn('raise Later', found)
        self.assertNotIn('method_two', found)
        self.assertNotIn('One', found)

    def test_a_method_in_python_2(self):
        found = source.Source(TEXT.replace(
            'raise Later', 'raise a, b, "never()"')).method_code(
                'First', 'method')
        self.assertIn('raise a, b', found)
        self.assertIn('never()', found)

    def test_where_methods_are(self):
        for owner, name in (('First', 'nested'), ('First', 'last'),
                            ('Second', 'method')):
            self.assertIsNone(self.source.method_code(owner, name))

    def test_classes(self):
        found = self.source.class_code('First')
        self.assertTrue(found.startswith('class First'))
        self.assertIn('method_two', found)
        self.assertNotIn('last', found)
        self.assertIsNone(self.source.class_code('Second'))

    def test_damage(self):
        self.assertIsNone(self.source.damage())
        for text in ('x = 1\n<<<<<<< HEAD\n', 'x = 1\n>>>>>>>\n'):
            self.assertIn('line 2 has a conflict',
                          source.Source(text).damage())
        for text in ('x = """1\n', "x = (1\n", 'def f():\n',
                     'x = [1)\n'):
            self.assertIn('has no end', source.Source(text).damage())
        for text in ('"""\n<<<<<<< HEAD\n"""', 'x = "("  # [\n', ''):
            self.assertIsNone(source.Source(text).damage())
