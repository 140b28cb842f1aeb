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


from keeptrack.drill.recorders import serial_port
from keeptrack.tests import base

FIRST = b'a 00000001 000000000000000a\n'


class AcksTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.paths = {}
        for role in ('source', 'destination'):
            folder = self.folder / role
            self.paths[role] = folder / serial_port.path('g')
            self.paths[role].parent.mkdir(parents=True)
        self.recorder = serial_port.Recorder(self.paths)
        self.recorder.start()
        self.addCleanup(self.recorder.stop)

    def add(self, role, text):
        with open(self.paths[role], 'ab') as stream:
            stream.write(text)

    def test_lines_of_both_hosts(self):
        self.add('source', b'b 00000000 0000000000000000\n' + FIRST +
                 b'a 0000001f 00000')
        self.assertTrue(self.recorder.wait(1, 10))
        # the rest of a line that has begun on the other host
        self.add('destination', b'000000000b\na 00000020 00000000000000ff\n')
        self.assertTrue(self.recorder.wait(2, 10))
        self.add('source', b'0000000000c\n')
        self.assertTrue(self.recorder.wait(3, 10))
        self.recorder.stop()
        self.assertEqual(
            [('source', 'b', 0, 0), ('source', 'a', 1, 10),
             ('destination', 'a', 32, 255)],
            [line[1:] for line in self.recorder.lines()][:3])
        self.assertEqual(31, self.recorder.lines()[3].number)
        self.assertIsNone(self.recorder.failure)
        self.recorder.keep(self.folder)
        self.assertIn(FIRST, (self.folder / 'serial-source.txt').read_bytes())

    def test_none_comes(self):
        self.assertFalse(self.recorder.wait(1, 0))

    def test_what_is_no_line(self):
        for text in (b'a 0000001 000000000000000a', b'x' + FIRST[1:],
                     FIRST[1:], b''):
            self.assertEqual([], serial_port.parse(0, 'source', text))
