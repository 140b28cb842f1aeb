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


"""Records Nova's record of an instance, read straight from its database."""

import contextlib
import fcntl
import json
import sqlite3
import threading
import time

from keeptrack.drill.testbed import errors

#: seconds between two readings
POLL = 0.05

POWER_STATES = {0: 'nostate', 1: 'running', 3: 'paused', 4: 'shutdown',
                6: 'crashed', 7: 'suspended'}

_INSTANCE = ('SELECT host, node, vm_state, task_state, power_state, progress '
             'FROM instances WHERE uuid = ?')
_FAULTS = ('SELECT message FROM instance_faults WHERE instance_uuid = ? '
           'ORDER BY id')
# a Nova of 2014 and 2015 makes none for a live migration
_VOLUMES = ('SELECT attachment_id FROM block_device_mapping WHERE '
            'instance_uuid = ? AND deleted = 0 AND volume_id IS NOT NULL')
_MIGRATION = ('SELECT status FROM migrations WHERE instance_uuid = ? '
              'ORDER BY id DESC')
# where the series keeps the status in a Nova that has no such record
_STATUS = ('SELECT value FROM instance_system_metadata WHERE deleted = 0 AND '
           "instance_uuid = ? AND key = 'live_migration_status'")


class InstanceRecord:
    """Nova's record of one instance.

    :param database: the SQLite file (pathlib.Path)
    :param uuid: the instance's (str)
    :param roles: name of a host to its role (dict of str)
    :param ledger: what the stand-ins for Neutron, Cinder and placement know
        (pathlib.Path of JSON); those for a Nova of 2014 and 2015 write none
    """

    def __init__(self, database, uuid, roles, ledger=None):
        self._uri = 'file:%s?mode=ro' % database
        self._uuid = uuid
        self._roles = roles
        self._ledger = ledger
        # with no connection left, each last one would tidy the file up
        self._open = self._connect()

    def _connect(self):
        return sqlite3.connect(self._uri, uri=True, timeout=60,
                               check_same_thread=False)

    def close(self):
        """Read no more."""
        self._open.close()

    def read(self):
        """The record now.

        :returns: dict: host (its role, or its name where it has none), node
            (the same), vm_state, task_state, power_state (str), progress,
            faults (int), fault (the last one's message, or None), migration
            (status of the newest one, or what the series for 2014 and 2015
            keeps of it, or None); empty where there is no such
            instance
        """
        with contextlib.closing(self._connect()) as connection:
            row = connection.execute(_INSTANCE, (self._uuid,)).fetchone()
            faults = connection.execute(_FAULTS, (self._uuid,)).fetchall()
            migration = connection.execute(
                _MIGRATION, (self._uuid,)).fetchone() or connection.execute(
                    _STATUS, (self._uuid,)).fetchone()
        if row is None:
            return {}
        host, node, vm_state, task_state, power_state, progress = row
        return {
            'host': self._roles.get(host, host),
            'node': self._roles.get(node, node),
            'vm_state': vm_state,
            'task_state': task_state,
            'power_state': POWER_STATES.get(power_state, str(power_state)),
            'progress': progress,
            'faults': len(faults),
            'fault': faults[-1][0] if faults else None,
            'migration': migration[0] if migration else None,
        }

    def services(self):
        """Read for which hosts the services around Nova hold the instance.

        :returns: dict of what is held to the roles of the hosts, sorted (list
            of str): ports and volumes of them, the attachments in the block
            device mappings, allocations of resources; None for a Nova of 2014
            and 2015
        """
        if self._ledger is None or not self._ledger.exists():
            return None
        with open(self._ledger) as stream:
            # nova-compute may be changing it
            fcntl.flock(stream, fcntl.LOCK_SH)
            known = json.load(stream)
        with contextlib.closing(self._connect()) as connection:
            mapped = connection.execute(_VOLUMES, (self._uuid,)).fetchall()
        held = {
            'active port': [host for host, status in known['bindings'].items()
                            if status == 'ACTIVE'],
            'port bindings': known['bindings'],
            'volume attachments': [
                host for _, host in known['attachments'].values()],
            'block device mapping': [
                known['attachments'].get(attachment, [None, 'nowhere'])[1]
                for attachment, in mapped],
            'allocations': [
                known['nodes'][node] for made in known['allocations'].values()
                for node in made],
        }
        return {name: sorted(self._roles.get(host, host) for host in hosts)
                for name, hosts in held.items()}


class Recorder:
    """Adds each change of Nova's record to the history, until it is stopped.

    :param history: the run's history.History
    :param read: called without arguments, gives the record (dict)
    :ivar record: as it was read last (dict), or None
    """

    def __init__(self, history, read):
        self.record = None
        self._history = history
        self._read = read
        self._failure = None
        self._stopped = threading.Event()
        self._poller = threading.Thread(target=self._poll, daemon=True)

    def start(self):
        """Begin to read."""
        self._poller.start()

    def stop(self):
        """Read no more."""
        self._stopped.set()
        self._poller.join()

    def check(self):
        """Raise a TestbedError if the record could not be read."""
        if self._failure is not None:
            raise errors.TestbedError(
                "Nova's record of the instance cannot be read: %r" %
                self._failure)

    def _poll(self):
        try:
            while not self._stopped.wait(POLL):
                self._take(self._read())
        except Exception as exc:
            # for check(): a record that nobody reads looks quiet
            self._failure = exc

    def _take(self, record):
        if record == self.record:
            return
        now = time.time()
        self.record = record
        self._history.note('drill', 'record', 'record', ', '.join(
            '%s %s' % (name, record[name]) for name in
            ('host', 'vm_state', 'task_state', 'power_state')) + ''.join(
                '; %s: %s' % (name, record[name])
                for name in ('migration', 'fault') if record.get(name)),
            record, when=now)
