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


import json
import sqlite3

from keeptrack.drill.recorders import instance_record
from keeptrack.tests import base

SCHEMA = '''\
CREATE TABLE instances (uuid TEXT, host TEXT, node TEXT, vm_state TEXT,
    task_state TEXT, power_state INTEGER, progress INTEGER);
CREATE TABLE instance_faults (id INTEGER PRIMARY KEY, instance_uuid TEXT,
    message TEXT);
CREATE TABLE migrations (id INTEGER PRIMARY KEY, instance_uuid TEXT,
    status TEXT);
CREATE TABLE instance_system_metadata (instance_uuid TEXT, key TEXT,
    value TEXT, deleted INTEGER);
CREATE TABLE block_device_mapping (instance_uuid TEXT, volume_id TEXT,
    attachment_id TEXT, deleted INTEGER);
'''


class InstanceRecordTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        path = self.folder / 'nova.sqlite'
        self.nova = sqlite3.connect(path, isolation_level=None)
        self.addCleanup(self.nova.close)
        self.nova.execute('PRAGMA journal_mode=WAL')
        self.nova.executescript(SCHEMA)
        self.record = instance_record.InstanceRecord(
            path, 'u', {'kt0-a': 'source', 'kt0-b': 'destination'})
        self.addCleanup(self.record.close)

    def insert(self, *values):
        self.nova.execute('INSERT INTO instances VALUES (?,?,?,?,?,?,?)',
                          values)

    def test_read(self):
        self.insert('other', 'x', 'x', 'error', None, 0, None)
        self.insert('u', 'kt0-a', 'kt0-b', 'active', 'migrating', 1, 50)
        self.assertEqual({
            'host': 'source', 'node': 'destination', 'vm_state': 'active',
            'task_state': 'migrating', 'power_state': 'running',
            'progress': 50, 'faults': 0, 'fault': None,
            'migration': None}, self.record.read())

    def test_faults_and_strangers(self):
        self.insert('u', 'elsewhere', None, 'error', None, 99, None)
        for uuid, text in (('u', 'one'), ('u', 'two'), ('other', 'x')):
            self.nova.execute('INSERT INTO instance_faults '
                              '(instance_uuid, message) VALUES (?,?)',
                              (uuid, text))
        found = self.record.read()
        self.assertEqual(
            ('elsewhere', None, '99', 2, 'two'),
            tuple(found[name] for name in (
                'host', 'node', 'power_state', 'faults', 'fault')))

    def test_the_newest_migration(self):
        self.insert('u', 'kt0-a', 'kt0-a', 'active', None, 1, None)
        for uuid, status in (('u', 'failed'), ('u', 'running'),
                             ('other', 'completed')):
            self.nova.execute('INSERT INTO migrations '
                              '(instance_uuid, status) VALUES (?,?)',
                              (uuid, status))
        self.assertEqual('running', self.record.read()['migration'])

    def test_a_migration_without_a_record_of_its_own(self):
        self.insert('u', 'kt0-a', 'kt0-a', 'active', None, 1, None)
        for uuid, key, value, deleted in (
                ('u', 'live_migration_status', 'running', 5),
                ('u', 'live_migration_status', 'reverted', 0),
                ('u', 'live_migration_dest', 'kt0-b', 0),
                ('other', 'live_migration_status', 'running', 0)):
            self.nova.execute(
                'INSERT INTO instance_system_metadata VALUES (?,?,?,?)',
                (uuid, key, value, deleted))
        self.assertEqual('reverted', self.record.read()['migration'])

    def test_while_a_writer_is_at_work(self):
        self.insert('u', 'kt0-a', 'kt0-a', 'active', None, 1, None)
        self.nova.execute('BEGIN IMMEDIATE')
        self.nova.execute("UPDATE instances SET host = 'kt0-b'")
        self.assertEqual('source', self.record.read()['host'])
        self.nova.execute('COMMIT')
        self.assertEqual('destination', self.record.read()['host'])

    def test_services(self):
        self.assertIsNone(self.record.services())
        ledger = self.folder / 'services.json'
        record = instance_record.InstanceRecord(
            self.folder / 'nova.sqlite', 'u',
            {'kt0-a': 'source', 'kt0-b': 'destination'}, ledger)
        self.addCleanup(record.close)
        self.assertIsNone(record.services())
        ledger.write_text(json.dumps({
            'bindings': {'kt0-b': 'ACTIVE', 'kt0-a': 'INACTIVE'},
            'attachments': {'1': ['v', 'kt0-a'], '2': ['v', 'kt0-b']},
            'nodes': {'n': 'kt0-a', 'm': 'kt0-b'},
            'allocations': {'u': {'m': {}}, 'migration': {}}}))
        for row in (('u', 'v', '2', 0), ('u', 'w', '3', 0),
                    ('u', None, None, 0), ('u', 'v', '1', 7),
                    ('other', 'v', '1', 0)):
            self.nova.execute(
                'INSERT INTO block_device_mapping VALUES (?,?,?,?)', row)
        self.assertEqual({
            'active port': ['destination'],
            'port bindings': ['destination', 'source'],
            'volume attachments': ['destination', 'source'],
            'block device mapping': ['destination', 'nowhere'],
            'allocations': ['destination']}, record.services())

    def test_no_instance(self):
        self.assertEqual({}, self.record.read())
