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


import logging
import sqlite3
import threading
import time
import types
from unittest import mock

from keeptrack.tests import base
from keeptrack.tests.unit.drill import agent_path

agent_path.add()

from agent import libvirt_calls  # noqa: E402
from agent import nova_calls  # noqa: E402
from agent import recorder as recorder_mod  # noqa: E402
from agent import shared_sqlite  # noqa: E402
from agent import unpatched  # noqa: E402


class InsideTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.events = []
        self.recorder = recorder_mod.Recorder(self.events.append, 'source')

    def told(self):
        """What was told: lanes and ids."""
        return [(event['lane'], event['what']) for event in self.events]


class NativeTestCase(base.TestCase):

    def test_eventlet_alone_makes_no_green_threads(self):
        patcher = mock.Mock(**{'is_monkey_patched.return_value': False})
        modules = {'eventlet': types.SimpleNamespace(patcher=patcher)}
        with mock.patch.object(unpatched.sys, 'modules', modules):
            self.assertFalse(unpatched.is_green())
            patcher.is_monkey_patched.return_value = True
            self.assertTrue(unpatched.is_green())
        with mock.patch.object(unpatched.sys, 'modules', {}):
            self.assertFalse(unpatched.is_green())


class RecorderTestCase(InsideTestCase):

    def manager(self):
        class Manager(object):

            def live_migration(self, value, fail=False):
                """Nova's own words."""
                if fail:
                    raise ValueError('first line\nsecond')
                return value
        self.recorder.record_calls(Manager, ('live_migration', 'no_such'))
        return Manager()

    def test_calls(self):
        manager = self.manager()
        self.assertEqual(3, manager.live_migration(3))
        self.assertEqual([('call', 'begin'), ('call', 'end')], self.told())
        self.assertEqual({'method': 'live_migration', 'phase': 'end'},
                         self.events[1]['data'])
        self.assertEqual("Nova's own words.", manager.live_migration.__doc__)

    def test_an_exception_passes(self):
        exc = self.assertRaises(ValueError, self.manager().live_migration, 1,
                                fail=True)
        self.assertEqual('first line\nsecond', str(exc))
        self.assertEqual('ValueError: first line',
                         self.events[1]['data']['error'])

    def test_callbacks(self):
        class Driver(object):

            def live_migration(self, context, instance, dest, post_method,
                               recover_method, *more):
                return post_method(1), recover_method(2), more
        nova_calls.record_driver(Driver, self.recorder, lambda: 7)
        result = Driver().live_migration(
            None, None, None, lambda value: value, lambda value: value, 9)
        self.assertEqual((1, 2, (9,)), result)
        self.assertEqual([('callback', 'post'), ('callback', 'recover')],
                         self.told())

    def test_events(self):
        class Manager(object):

            def handle_lifecycle_event(self, event):
                return event.name
        nova_calls.record_manager(Manager, self.recorder,
                                  lambda event: event.name)
        plain = types.SimpleNamespace(name='stopped')
        told = types.SimpleNamespace(name='stopped', reason='migration')
        self.assertEqual('stopped', Manager().handle_lifecycle_event(plain))
        Manager().handle_lifecycle_event(told)
        events = [event for event in self.events if event['lane'] == 'event']
        self.assertEqual([{}, {'reason': 'migration'}],
                         [event['data'] for event in events])
        self.assertEqual('event: stopped (migration)', events[1]['text'])

    def test_warnings(self):
        log = logging.getLogger('drill-test')
        log.propagate = False
        handler = nova_calls.Warnings(self.recorder)
        log.addHandler(handler)
        log.info('not this')
        for _ in range(3):
            log.warning('again %s', 1)
        log.error('worse')
        self.assertEqual(['again 1', 'worse'],
                         [event['text'] for event in self.events])


class CountingTestCase(base.TestCase):

    def test_counts_and_passes_on(self):
        module = types.SimpleNamespace(one=lambda value: value, two=len,
                                       CONSTANT=3)
        counted = libvirt_calls.CallCounter(module)
        self.assertEqual(3, counted.CONSTANT)
        self.assertEqual(5, counted.one(5))
        self.assertEqual({'one': 1}, counted.counts())
        self.assertEqual({'one': 1}, counted.counts())

    def test_none_is_lost(self):
        counted = libvirt_calls.CallCounter(
            types.SimpleNamespace(one=lambda: None))
        threads = [threading.Thread(target=lambda: [
            counted.one() for _ in range(1000)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({'one': 8000}, counted.counts())


class LibvirtCallsTestCase(InsideTestCase):

    def setUp(self):
        super().setUp()

        class virDomain(object):
            fails = False

            def migrateToURI2(self, *args):
                if self.fails:
                    raise libvirtError('refused')
                return 0

            def destroy(self):
                return self.migrateToURI2()

            def detachDeviceFlags(self, xml, flags=0):
                raise NotImplementedError()

        class libvirtError(Exception):
            pass
        self.libvirt = types.SimpleNamespace(
            virDomain=virDomain, virConnect=type('virConnect', (), {}),
            libvirtError=libvirtError, libvirtmod=mock.Mock(),
            openReadOnly=lambda name=None: name, VIR_ERR_OPERATION_FAILED=9,
            VIR_ERR_AUTH_FAILED=45, VIR_FROM_QEMU=10, VIR_FROM_RPC=7,
            VIR_ERR_ERROR=2)
        self.calls = libvirt_calls.LibvirtCalls(self.libvirt, self.recorder)
        self.domain = virDomain()

    def test_a_migration(self):
        self.assertEqual(0, self.domain.migrateToURI2())
        self.domain.fails = True
        self.assertRaises(self.libvirt.libvirtError,
                          self.domain.migrateToURI2)
        self.assertEqual([('migrate', 'begin'), ('migrate', 'end'),
                          ('migrate', 'begin'), ('migrate', 'raise')],
                         self.told())

    def test_error_after_success_once(self):
        self.calls.set_modes(['error-after-success'])
        self.domain.fails = True
        exc = self.assertRaises(self.libvirt.libvirtError,
                                self.domain.migrateToURI2)
        self.assertEqual('refused', str(exc))
        self.domain.fails = False
        exc = self.assertRaises(self.libvirt.libvirtError,
                                self.domain.migrateToURI2)
        self.assertIn('unexpectedly failed', str(exc))
        self.assertEqual((9, 10), exc.err[:2])
        self.assertEqual(0, self.domain.migrateToURI2())

    def test_no_remote(self):
        self.calls.set_modes(['no-remote'])
        for uri in (None, 'qemu:///system', 'qemu+unix:///system?socket=/x'):
            self.assertEqual(uri, self.libvirt.openReadOnly(uri))
        exc = self.assertRaises(self.libvirt.libvirtError,
                                self.libvirt.openReadOnly,
                                'qemu+tcp://kt0-b/system')
        self.assertEqual(45, exc.err[0])
        self.calls.set_modes(['normal'])
        self.libvirt.openReadOnly('qemu+tcp://kt0-b/system')

    def test_an_unknown_mode(self):
        self.assertRaises(ValueError, self.calls.set_modes, ['what'])

    def test_what_was_refused_was_not_done(self):
        self.domain.destroy()
        self.domain.fails = True
        self.assertRaises(self.libvirt.libvirtError, self.domain.destroy)
        self.assertEqual(1, self.told().count(
            ('teardown', 'domain-destroyed')))

    def test_devices_are_only_recorded(self):
        self.assertEqual(0, self.domain.detachDeviceFlags('<disk/>', 3))
        self.assertEqual([('teardown', 'disk-detached')], self.told())


class PatientSqliteTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        connects = sqlite3.connect, sqlite3.dbapi2.connect
        self.addCleanup(self._restore, *connects)
        shared_sqlite.use()
        self.path = str(self.folder / 'x')
        self.one = self._connect()
        self.one.execute('PRAGMA journal_mode=WAL')
        self.one.execute('CREATE TABLE t (value INTEGER)')

    @staticmethod
    def _restore(connect, same):
        sqlite3.connect, sqlite3.dbapi2.connect = connect, same

    def _connect(self):
        connection = sqlite3.connect(self.path, check_same_thread=False)
        connection.isolation_level = None
        self.addCleanup(connection.close)
        return connection

    def test_waits_for_another(self):
        other = self._connect()
        self.one.cursor().execute('BEGIN')
        ended = []

        def end():
            time.sleep(0.1)
            ended.append(True)
            self.one.cursor().execute('COMMIT')
        thread = threading.Thread(target=end)
        thread.start()
        other.cursor().execute('INSERT INTO t VALUES (1)')
        self.assertEqual([True], ended)
        thread.join()

    def test_a_transaction_that_reads_first_may_write(self):
        other = self._connect()
        cursor = self.one.cursor()
        cursor.execute('BEGIN')
        cursor.execute('SELECT * FROM t')

        def write():
            other.cursor().execute('INSERT INTO t VALUES (1)')
        thread = threading.Thread(target=write)
        thread.start()
        time.sleep(0.05)
        cursor.execute('INSERT INTO t VALUES (2)')
        cursor.execute('COMMIT')
        thread.join()
        self.assertEqual([(1,), (2,)], sorted(self.one.execute(
            'SELECT value FROM t').fetchall()))

    def test_other_errors_are_raised(self):
        self.assertRaises(sqlite3.OperationalError,
                          self.one.cursor().execute, 'SELECT * FROM none')
