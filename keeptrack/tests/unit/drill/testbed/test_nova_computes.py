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


import contextlib
import queue
import sqlite3
import types
from unittest import mock

from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import nova_computes
from keeptrack.drill.testbed import runtime
from keeptrack.tests import base
from keeptrack.tests.unit.drill import fake_agent
from keeptrack.tests.unit.drill.recorders import test_instance_record

XML = "<domain type='qemu'><name>guest</name></domain>"


class FakeTestbed:

    def __init__(self):
        self.hosts = {role: types.SimpleNamespace(
            name=name, space=mock.Mock(paths={}), virsh=self.virsh)
            for role, name in (('source', 'a'), ('destination', 'b'))}
        self.asked = []

    def virsh(self, *words):
        self.asked.append(words)
        return XML


class FakeRuntime(fake_agent.FakeRuntime):

    def databases(self):
        folder = self._folder / 'template'
        if folder.exists():
            return folder
        folder.mkdir()
        (folder / 'other.sqlite').write_text('another')
        with contextlib.closing(sqlite3.connect(
                folder / 'nova.sqlite')) as connection:
            connection.executescript(test_instance_record.SCHEMA)
            connection.execute("INSERT INTO instances VALUES ('u', 'a', 'a', "
                               "'active', NULL, 1, NULL)")
            connection.commit()
        return folder


class ComputesTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        (self.folder / 'c').mkdir()
        self.testbed = FakeTestbed()
        self.events = queue.SimpleQueue()
        self.computes = nova_computes.NovaComputes(
            FakeRuntime(self.folder), self.folder / 'c', self.testbed,
            self.events.put)
        self.addCleanup(self.computes.close)
        self.computes.open()
        self.prepare()

    def prepare(self, **options):
        self.computes.prepare(dict({
            'uuid': 'u', 'name': 'guest', 'vm_state': 'active',
            'power_state': 'running', 'shared': True, 'config': {},
            'instances': None, 'disk': None}, **options))

    def event(self):
        return self.events.get(timeout=5)

    def start(self, role):
        """Start one; gives what it was told."""
        self.computes.start(role)
        event = self.event()
        self.assertEqual('initialized', event['what'])
        return event['data']

    def test_what_a_process_is_told(self):
        spec = self.start('source')
        self.assertEqual('a', spec['host'])
        self.assertEqual(XML, spec['xml'])
        self.assertEqual('qemu', spec['virt_type'])
        self.assertEqual([('dumpxml', '--inactive', '--security-info',
                           'guest')], self.testbed.asked)
        self.assertEqual(spec['instances'],
                         self.start('destination')['instances'])

    def test_options(self):
        self.prepare(shared=False)
        spec = self.start('source')
        self.assertNotEqual(spec['instances'],
                            self.start('destination')['instances'])

    def test_kill_and_start_again(self):
        self.start('source')
        exc = self.assertRaises(errors.TestbedError, self.computes.start,
                                'source')
        self.assertIn('runs already', str(exc))
        self.computes.kill('source')
        # told by now
        self.assertEqual('gone', self.events.get_nowait()['what'])
        self.computes.kill('source')
        self.start('source')

    def test_start_of_one_that_has_ended_by_itself(self):
        self.start('source')
        self.computes._peer('source').ask('end')
        self.assertEqual('gone', self.event()['what'])
        self.start('source')

    def test_those_that_have_ended_by_themselves_are_started(self):
        for role in ('source', 'destination'):
            self.start(role)
        self.computes._peer('source').ask('end')
        self.assertEqual('gone', self.event()['what'])
        self.computes.kill('destination')
        self.assertEqual('gone', self.event()['what'])
        self.computes.restart_failed()
        self.assertEqual(['source'], list(self.computes._pids))
        event = self.event()
        self.assertEqual(('source', 'initialized'),
                         (event['where'], event['what']))

    def test_libvirt_modes(self):
        self.computes.libvirt('source', 'no-remote')
        self.start('source')
        self.computes.libvirt('source', ['error-after-success'])
        self.assertEqual([['no-remote'], ['error-after-success']],
                         self.computes._peer('source').ask('modes'))
        self.computes.kill('source')
        self.event()
        self.assertEqual(['error-after-success'],
                         self.start('source')['libvirt'])
        self.prepare()
        self.event()
        self.assertEqual([], self.start('source')['libvirt'])

    def test_rpc_modes(self):
        for mode in ('silent', 'normal'):
            self.computes.rpc('destination', mode)
        self.assertRaises(ValueError, self.computes.rpc, 'source', 'loud')

    def test_a_database_that_is_away(self):
        path = self.computes.logs.parent / runtime.DATABASE
        self.computes.hold_database()
        with contextlib.closing(sqlite3.connect(path, timeout=0)) as other:
            self.assertRaises(sqlite3.OperationalError, other.execute,
                              'CREATE TABLE t (a)')
            self.computes.release_database()
            self.computes.release_database()
            other.execute('CREATE TABLE t (a)')

    def test_one_migration_in_a_run(self):
        self.computes.migrate()
        self.assertRaises(errors.TestbedError, self.computes.migrate)
        self.prepare()
        self.computes.migrate()

    def test_record_and_folders(self):
        self.assertEqual('source', self.computes.record()['host'])
        before = self.computes.logs
        self.assertTrue((before / 'rows.out').exists())
        self.prepare()
        self.assertFalse(before.exists())
        self.assertEqual('source', self.computes.record()['host'])

    def test_rows_that_cannot_be_made(self):
        wait = self.computes._server.wait
        with mock.patch.object(self.computes._server, 'wait',
                               lambda pid: wait(pid) or 256):
            exc = self.assertRaises(errors.TestbedError, self.prepare)
        self.assertIn('the instance cannot be made', str(exc))

    def test_close_twice(self):
        self.start('source')
        self.computes.close()
        self.assertEqual('gone', self.event()['what'])
        self.computes.close()

    def test_the_line_to_none(self):
        with mock.patch.object(nova_computes, '_COMES_WITHIN', 0.05):
            self.assertRaises(
                errors.TestbedError, self.computes._peer, 'source')
