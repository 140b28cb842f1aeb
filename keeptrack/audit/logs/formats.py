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

"""The formats that nova-compute's log comes in, line by line.

oslo.log's default format (Juno's own nova.openstack.common.log writes the
same), behind a syslog prefix or not; oslo.log's JSONFormatter; journalctl
-o export and -o json.
"""

import dataclasses
import datetime
import json
import re
import struct

from keeptrack.audit import report

UUID = r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

# a time stamp of oslo.log's, after at most a syslog prefix
_DEFAULT = re.compile(
    r'^(?P<prefix>.{0,200}?)(?P<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d'
    r'(?:[.,]\d{1,6})?) (?:\d+ )?(?P<level>DEBUG|INFO|AUDIT|WARNING|WARN|'
    r'ERROR|TRACE|CRITICAL) (?P<logger>\S+) (?P<text>.*)$', re.S)
_SYSLOG_HOST = re.compile(r'(?:^|\s)(?P<host>[\w.-]+) [\w./-]+(?:\[\d+\])?: $')
_INSTANCE = re.compile(r'\[instance: (%s)\]' % UUID, re.I)
_BEFORE = re.compile(r'^(?:\[[^\]]*\] )*')

# seconds since the epoch: the year 5138
_LATEST = 1e11

# characters of a host's name
_LONGEST_HOST = 255

# bytes that a damaged line of text may have
_NULS = 16


@dataclasses.dataclass(frozen=True)
class Line:
    """One record of a log.

    :ivar when: seconds since the epoch (float), or None
    :ivar host: as the record itself says (str), or None
    :ivar level: INFO and so on (str), or None
    :ivar instance: uuid, lower case (str), or None
    :ivar text: the message without what stands before it (str)
    """

    when: float | None
    host: str | None
    level: str | None
    instance: str | None
    text: str


def parse(data, zone=datetime.timezone.utc):
    """Read one line.

    :param data: the line without its end (bytes)
    :param zone: of time stamps without one (datetime.tzinfo)
    :returns: Line, or None where it is no record of a log
    """
    if data.count(b'\0') > _NULS:
        # UTF-16, or no text at all
        return None
    text = data.decode('utf-8', 'replace').replace('\0', '').rstrip('\r\n')
    if text.startswith('{'):
        return _json(text, zone)
    return _default(text, zone)


def _default(text, zone):
    match = _DEFAULT.match(text)
    if match is None:
        return None
    prefix = _SYSLOG_HOST.search(match['prefix'])
    if match['prefix'] and not prefix:
        # quoted by another program: no record of this log
        return None
    return _line(_time(match['time'], zone), prefix and prefix['host'],
                 match['level'], match['text'])


def _line(when, host, level, text, instance=None):
    found = _INSTANCE.search(text)
    if found:
        instance = found.group(1)
    return Line(when, _host(host), level,
                instance.lower() if instance else None, _BEFORE.sub('', text))


def _host(name):
    return report.printable(name[:_LONGEST_HOST]) if name else None


def _time(text, zone):
    try:
        when = datetime.datetime.fromisoformat(
            text.replace(',', '.').replace('T', ' '))
        return when.replace(tzinfo=when.tzinfo or zone).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _json(text, zone):
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    if 'MESSAGE' in record:
        return _journal_record(record, zone)
    message = record.get('message')
    if not isinstance(message, str):
        return None
    when, created = record.get('asctime'), record.get('created')
    when = _time(when, zone) if isinstance(when, str) else None
    if isinstance(created, float) and 0 < created < _LATEST:
        # needs no time zone
        when = created
    extra = record.get('extra')
    instance = None
    for found in (extra if isinstance(extra, dict) else {}, record):
        for name in ('instance', 'instance_uuid', 'resource_uuid'):
            match = re.search(UUID, str(found.get(name) or ''), re.I)
            instance = instance or (match and match.group(0))
    host = record.get('hostname') or record.get('host')
    return _line(when, host if isinstance(host, str) else None,
                 str(record.get('levelname')), message, instance)


def _journal_record(record, zone):
    message = record['MESSAGE']
    if isinstance(message, list):
        # journalctl -o json gives what is no UTF-8 as numbers
        try:
            message = bytes(message).decode('utf-8', 'replace')
        except (TypeError, ValueError):
            return None
    if not isinstance(message, str):
        return None
    inner = _default(message.replace('\0', ''), zone)
    when = None
    try:
        when = int(record.get('__REALTIME_TIMESTAMP')) / 1e6
    except (TypeError, ValueError, OverflowError):
        pass
    if when is not None and not 0 < when < _LATEST:
        when = None
    host = record.get('_HOSTNAME')
    host = host if isinstance(host, str) else None
    if inner is None:
        return _line(when, host, record.get('LOGGER_LEVEL'), message)
    return dataclasses.replace(inner, host=_host(host),
                               when=inner.when if when is None else when)


def parse_export(data, zone=datetime.timezone.utc):
    """Read one entry of journalctl -o export.

    :param data: the entry: lines, or fields with their length (bytes)
    :param zone: of time stamps without one (datetime.tzinfo)
    :returns: Line, or None where there is no message in it
    """
    record, at = {}, 0
    while at < len(data):
        end = data.find(b'\n', at)
        if end < 0:
            end = len(data)
        name, equals, value = data[at:end].partition(b'=')
        at = end + 1
        if not equals and name:
            # a field of any bytes: its length, then itself
            if len(data) < at + 8:
                break
            length = struct.unpack_from('<Q', data, at)[0]
            if length > len(data):
                break
            value = data[at + 8:at + 8 + length]
            at += 8 + length + 1
        record[name.decode('ascii', 'replace')] = value.decode(
            'utf-8', 'replace')
    return _journal_record(record, zone) if 'MESSAGE' in record else None
