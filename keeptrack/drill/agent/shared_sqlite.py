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


"""Lets several processes, and many green threads, share one SQLite file.

A transaction takes the right to write with its first statement, so that it
never fails in the middle, and whoever has to wait for it lets the other green
threads go on: one of them may be the one that it waits for.
"""

import sqlite3
import time

# a transaction takes milliseconds
_PATIENCE = 60
_PAUSE = 0.005


class _Cursor(sqlite3.Cursor):

    def execute(self, statement, *args):
        if statement == 'BEGIN':
            # as oslo.db begins every transaction
            statement = 'BEGIN IMMEDIATE'
        until = time.time() + _PATIENCE
        while True:
            try:
                return sqlite3.Cursor.execute(self, statement, *args)
            except sqlite3.OperationalError as exc:
                if 'locked' not in str(exc) or time.time() > until:
                    raise
            # eventlet's sleep, once Nova has made it green
            time.sleep(_PAUSE)


class _Connection(sqlite3.Connection):

    def cursor(self):
        return sqlite3.Connection.cursor(self, _Cursor)


def use():
    """Have every connection from now on be so."""
    connect = sqlite3.dbapi2.connect

    def patient(database, **kwargs):
        kwargs.update(timeout=0, factory=_Connection)
        connection = connect(database, **kwargs)
        # after a crash of the machine nobody reads it
        # (by a cursor: the connection's own execute() does not wait)
        connection.cursor().execute('PRAGMA synchronous=OFF')
        return connection
    sqlite3.connect = sqlite3.dbapi2.connect = patient
