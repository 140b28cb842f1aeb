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

"""Logs written by the oslo.log that is installed, not by hand."""

import contextlib
import io
import logging
import struct

from oslo_config import cfg
from oslo_log import formatters
from oslo_log import log

UUID = '12bac45e-aca8-40d1-8f39-941bc6bb59f0'
OTHER = '5b1f3f0c-0d6a-4a0e-9a9a-0c8a6f5d2e11'
BEGIN = 1422028800.0      # 2015-01-23 16:00 UTC

STARTED = 'VM Started (Lifecycle Event)'
RESUMED = 'VM Resumed (Lifecycle Event)'
PAUSED = 'VM Paused (Lifecycle Event)'
STOPPED = 'VM Stopped (Lifecycle Event)'
FAILURE = 'Live Migration failure: migration job: unexpectedly failed'
POSTED = '_post_live_migration() is started..'
FINISHED = 'Migrating instance to b finished successfully.'
POSTED_THERE = 'Post operation of migration started'
SHUT_OFF = 'Instance shutdown by itself. Calling the stop API.'
CANCELLED = 'Migration operation was cancelled'
PENDING = ('During sync_power_state the instance has a pending task '
           '(migrating). Skip.')
ABSENT = 'Instance is unexpectedly not found. Ignore.'
WATCHED = ('Migration running for 0 secs, memory 0% remaining; (bytes '
           'processed=0, remaining=0, total=0)')
DESTROYED = 'Instance destroyed successfully.'
RESET = 'Instance found in migrating state during startup.'
RESTARTED = 'Rebooting instance after nova-compute restart.'


def records(lines, uuid=UUID, level=logging.INFO):
    """logging.LogRecord of each (seconds after BEGIN, message)."""
    for seconds, message in lines:
        record = logging.LogRecord('nova.compute.manager', level,
                                   'manager.py', 1, message, (), None)
        record.created = BEGIN + seconds
        record.msecs = record.created % 1 * 1000
        record.instance = '[instance: %s] ' % uuid
        record.resource = None
        record.extra = {'instance': record.instance}
        record.extra_keys = ['instance']
        yield record


@contextlib.contextmanager
def _settings():
    conf = cfg.ConfigOpts()
    log.register_options(conf)
    conf([], project='nova')
    yield conf


def default(lines, **kwargs):
    """As ContextFormatter writes them (bytes)."""
    with _settings() as conf:
        formatter = formatters.ContextFormatter(
            datefmt=conf.log_date_format, config=conf, project='nova',
            version='1')
        out = io.StringIO()
        for record in records(lines, **kwargs):
            out.write(formatter.format(record) + '\n')
    return out.getvalue().encode()


def as_json(lines, host, **kwargs):
    """As JSONFormatter writes them (bytes)."""
    formatter = formatters.JSONFormatter(datefmt='%Y-%m-%d %H:%M:%S')
    formatter.hostname = host
    return ''.join(formatter.format(record) + '\n' for record in
                   records(lines, **kwargs)).encode()


def export(lines, host, binary=False, **kwargs):
    """As journalctl -o export writes what came from the default format."""
    entries = []
    for (seconds, _), text in zip(lines, default(lines, **kwargs).split(
            b'\n')):
        field = (b'MESSAGE\n' + struct.pack('<Q', len(text)) + text
                 if binary else b'MESSAGE=' + text)
        entries.append(b'\n'.join((
            b'__CURSOR=s=1', b'__REALTIME_TIMESTAMP=%d' % (
                (BEGIN + seconds) * 1e6), b'_HOSTNAME=' + host.encode(),
            b'PRIORITY=6', field)) + b'\n')
    return b'\n'.join(entries) + b'\n'
