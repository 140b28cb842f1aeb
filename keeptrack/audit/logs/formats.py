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
same) and one that an operator has set; oslo.log's JSONFormatter and
FluentFormatter; journalctl -o export and -o json. Each may be inside what a
syslog daemon, a container runtime or a log shipper puts around it.
"""

import dataclasses
import datetime
import functools
import json
import re
import struct
import typing

from keeptrack.audit.logs import messages
from keeptrack.audit.logs import paths
from keeptrack.audit import report

UUID = messages.UUID

_LEVEL = r'DEBUG|INFO|AUDIT|WARNING|WARN|ERROR|TRACE|CRITICAL'
_ZONE = r'(?: ?(?:Z|[+-]\d\d:?\d\d)| (?:UTC|GMT|[A-Z]{3,4}))'
# log_date_format may end with a zone, and oslo.log adds the milliseconds
_TIME = (r'\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?%s?'
         r'(?:[.,]\d{1,6})?(?![\d:])' % _ZONE)
_TIME_PARTS = re.compile(
    r'(?:[A-Z][a-z]{2} )?(\d{4}[-/]\d\d[-/]\d\d)[ T]'
    r'(\d\d:\d\d:\d\d)([.,]\d+)?(%s)?([.,]\d+)?$' % _ZONE)
_SYSLOG_TIME = (r'(?:(?:[A-Z][a-z]{2} )?%s|(?:\d{4} )?[A-Z][a-z]{2} [ \d]\d '
                r'\d\d:\d\d:\d\d(?:\.\d{1,9})?|\[ *\d+\.\d+\])' % _TIME)

_DEFAULT = re.compile(
    r'(?P<time>%s) (?:\d+ )?(?P<level>%s) (?P<logger>\S+) (?P<text>.*)$'
    % (_TIME, _LEVEL), re.S)
# most of the lines that matter, read in one go: as _record() reads them
_USUAL = re.compile(
    r'(?P<minute>\d{4}-\d\d-\d\d \d\d:\d\d):(?P<second>[0-5]\d)\.'
    r'(?P<part>\d{3}) \d+ (?P<level>%s) (?P<logger>\S+) '
    r'(?P<ids>\[[^\[\]]*\] )?\[instance: (?P<instance>%s)\] '
    r'(?P<text>[^\[].*)$' % (_LEVEL, UUID), re.S)
# a format of an operator's own: a time, a level and the instance
_OWN = re.compile(
    r'[\[(<]?(?:(?:%s)\W{1,3})?(?P<time>%s)\W(?P<text>.*)$'
    % (_LEVEL, _TIME), re.S)
_OWN_LEVEL = re.compile(r'\b(%s)\b' % _LEVEL)
# libvirt's own lines in the log of a QEMU
_QEMU = re.compile(
    r'(?P<time>[-\d]{10}[ T][\d:]{8}(?:\.\d+)?(?:Z|[+-]\d{4}))'
    r'(?P<text>: (?:starting up|initiating|shutting down)\b.*)$', re.S)
# the default without a time, as devstack has it: behind a time only
_BARE = re.compile(
    r'(?:(?P<level>%s) (?P<logger>\S+) )?(?P<text>\[.*)$' % _LEVEL, re.S)

# What is put around a line, as one table: what it is, how it begins. Groups:
# time and host as it has them; path, whose host is that of its name. Lengths
# are bounded: a line may have a megabyte.
_FRAMES = tuple((name, re.compile(pattern)) for name, pattern in (
    ('RFC 5424', r'<\d{1,3}>1 (?P<time>%s|-) (?P<host>\S+) \S+ \S+ \S+ '
     r'(?:-|(?:\[[^ \]]+(?: [^ =]+="(?:[^"\\]|\\.)*")*\])+) ?\ufeff?'
     % _TIME),
    ("kubelet's CRI", r'(?P<time>%s) std(?:out|err) [FP](?::\w+)* ' % _TIME),
    ('syslog', r'(?:<\d{1,3}>)?(?P<time>%s) (?P<host>[\w.:-]+) '
     r'[\w./@()-]+(?:(?:\[\d+\])?: | (?=\d{4}-\d\d-\d\d[ T]))'
     % _SYSLOG_TIME),
    ("Loki's logcli", r'(?P<time>%s) \{[^}]{0,500}?\b(?:host|hostname|node|'
     r'nodename|node_name)="(?P<host>[^"]+)"[^}]*\}\s+' % _TIME),
    ("Logstash's line codec", r'(?P<time>%s) (?!(?:%s) )'
     r'(?P<host>[A-Za-z][\w.-]{0,254}) (?=\d{4}-\d\d-\d\d[ T]|\{)'
     % (_TIME, _LEVEL)),
    ('fluentd', r'(?P<time>%s)[\t ]+[\w.*-]+:?[\t ]+(?=\{)' % _TIME),
    ("Fuel's rsyslog", r'(?P<time>%s) [a-z]+: +(?=\d{4}-\d\d-\d\d[ T])'
     % _TIME),
    ('kubectl or docker with time stamps', r'(?P<time>%s)[ \t]' % _TIME),
    ('kubectl logs --prefix', r'\[(?P<host>pod/[^/\] ]+)/[^\] ]+\] '),
    ('docker compose logs', r'(?P<host>[\w.-]+) +\| '),
    ('stern', r'(?P<host>[a-z0-9][a-z0-9.-]{0,254}) [a-z0-9][a-z0-9-]{0,62} '
     r'(?=\d{4}-\d\d-\d\d[ T]|\{)'),
    ('kubetail', r'\[(?P<host>[a-z][a-z0-9.-]{0,254})\] '
     r'(?=\d{4}-\d\d-\d\d[ T]|\{)'),
    ('kail', r'(?P<host>[a-z][a-z0-9./-]{0,254})\[[\w.-]{1,63}\]: '
     r'(?=\d{4}-\d\d-\d\d[ T]|\{)'),
    ('journalctl -o verbose', r' {4}MESSAGE='),
    ('pdsh and clush', r'(?P<host>[A-Za-z0-9][\w.-]{0,254}): '
     r'(?=\d{4}-\d\d-\d\d[ T]|\{)'),
    ('grep', r'(?P<path>[^\s:]{0,400}(?:/|\.log|messages|syslog)'
     r'[^\s:]{0,400}):(?:\d+:)?'),
    ('Loghub', r'(?P<path>nova-\S{1,200}\.log\S{0,200}) '),
))

# names under which JSON has them; a dot goes into an object
_MESSAGES = ('MESSAGE', 'Payload', 'log', 'line', 'message', 'msg', '_raw',
             'full_message', 'short_message', '@message', 'body', 'Body',
             'body.stringValue', 'Message', 'Line', 'textPayload',
             'log.message')
_INSIDE = ('_source', 'fields', 'event', 'json', 'jsonPayload', 'attributes',
           'result', 'record', 'log')
_HOSTS = ('_HOSTNAME', 'Hostname', 'hostname', 'host', 'Host', 'HOST',
          'host.name', 'host.hostname', 'resource.host.name',
          'resource.attributes.host.name', 'agent.hostname', 'agent.name',
          'beat.hostname', 'kubernetes.host', 'kubernetes.node_name',
          'kubernetes.node.name', 'node_name', 'nodename', 'labels.host',
          'labels.hostname', 'labels.node_name', 'labels.nodename',
          'labels.node', 'fields.host', 'fields.hostname', 'logsource',
          'source_host', 'host_name', 'fromhost', 'Computer')
# Graylog has the host here, others a path or the name of a stream
_SOURCE = 'source'
_NO_HOSTS = ('stdout', 'stderr', 'file', 'journal', 'journald', 'syslog',
             'kernel', 'udp', 'tcp', 'http')
# a time with a zone, then one that may have none
_TIMES = ('created', '__REALTIME_TIMESTAMP', '_SOURCE_REALTIME_TIMESTAMP',
          'asctime', 'time', '@timestamp', 'timestamp', 'Timestamp', 'ts',
          '_time', 'timeUnixNano', 'tsNs', 'Time', 'timereported', 'ISODATE',
          'DATE')
_LEVELS = ('levelname', 'level', 'log_level', 'LOGGER_LEVEL', 'severity')

_INSTANCE = re.compile(r'\[instance: (%s)\]|\b[Ii]nstance (%s)\b'
                       % (UUID, UUID), re.I)
_BEFORE = re.compile(r'^(?:\[[^\]]*\] )*')
# an operator's own instance_format, behind the ids of the request
_OWN_INSTANCE = re.compile(r'(?:\[[^\]]*\] )*\[(?!(?:None |req-\S+ )?req-)'
                           r'[^\]]*?(?<!-)\b(%s)\b[^\]]*\] ?' % UUID, re.I)
_TWO_IDS = re.compile(r'\[(?:None|req-\S+) req-')
_COLOUR = re.compile(r'(?:\x1b|#033)\[[\d;]*m')

# how many frames there may be around a line
_DEEPEST = 6

# seconds since the epoch: the year 5138
_LATEST = 1e11

# zones differ by quarters of an hour
_QUARTER = 900

# characters of a host's name
_LONGEST_HOST = 255

# bytes that a damaged line of text may have
_NULS = 16

# bytes that no text has
_CONTROL = bytes(set(range(32)) - set(b'\t\n\r\x1b'))


class Line(typing.NamedTuple):
    """One record of a log.

    :ivar when: seconds since the epoch (float), or None
    :ivar host: as the record itself says (str), or None
    :ivar level: INFO and so on (str), or None
    :ivar instance: uuid, lower case (str), or None
    :ivar text: the message without what stands before it (str)
    :ivar is_recent: Zed or newer has written it: it has two request ids
    :ivar logger: who has written it, as nova.compute.manager (str), or None
    """

    when: float | None
    host: str | None
    level: str | None
    instance: str | None
    text: str
    is_recent: bool = False
    logger: str | None = None


@dataclasses.dataclass(frozen=True)
class _Outer:
    """What the frames around a line say.

    :ivar when: seconds since the epoch (float), or None
    :ivar host: str, or None
    :ivar is_exact: the time has a zone and was taken as the line was written
    :ivar is_value: the line is a value of a JSON object
    """

    when: float | None = None
    host: str | None = None
    is_exact: bool = False
    is_value: bool = False


def parse(data, zone=datetime.timezone.utc):
    """Read one line.

    :param data: the line without its end (bytes)
    :param zone: of time stamps without one (datetime.tzinfo)
    :returns: Line, or None where it is no record of a log
    """
    if b'\0' in data:
        # what a log that was truncated while it was open begins with
        data = data.strip(b'\0')
        if data.count(b'\0') > _NULS:
            return None
        data = data.replace(b'\0', b'')
    text = data.decode('utf-8', 'replace').rstrip('\r\n')
    return _usual(text, zone) or _record(text, zone, _Outer(), 0)


def is_no_text(data):
    """Whether a line is no text in UTF-8: UTF-16, say, or damage (bool).

    :param data: the line (bytes)
    """
    data = data.strip(b'\0')
    odd = (len(data) - len(data.translate(None, _CONTROL)) +
           data.decode('utf-8', 'replace').count('\ufffd'))
    return odd > max(_NULS, len(data) // 5)


def is_utf8(data):
    """Whether bytes are text in UTF-8 (bool)."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_of_instance(data):
    """Whether a line names an instance (bool).

    :param data: the line, in any encoding that has ASCII (bytes)
    """
    return _INSTANCE.search(data.decode('ascii', 'replace')) is not None


def _usual(text, zone):
    match = _USUAL.match(text)
    if match is None or '\x1b' in text or '#033' in text:
        return None
    minute, second, part, level, logger, ids, instance, text = match.groups()
    minute = _minute(minute, zone)
    if minute is None or ids and 'nstance' in ids:
        return None
    return Line((minute * 1000 + int(second + part)) / 1000, None, level,
                instance, text,
                ids is not None and _TWO_IDS.match(ids) is not None, logger)


@functools.lru_cache(1024)
def _minute(text, zone):
    return time_of(text + ':00', zone)


def _record(text, zone, outer, depth):
    if depth > _DEEPEST:
        return None
    text = _COLOUR.sub('', text).lstrip('\ufeff')
    if outer.is_value:
        # rsyslog keeps the space behind the tag
        text = text.lstrip()
    if text.startswith('{'):
        return _json(text, zone, outer, depth)
    match = _DEFAULT.match(text)
    if match:
        return _line(outer, time_of(match['time'], zone), match['level'],
                     match['text'], logger=match['logger'])
    for name, frame in _FRAMES:
        match = frame.match(text)
        inner = match and _record(
            text[match.end():], zone,
            _around(outer, match.groupdict(), zone), depth + 1)
        if inner:
            return inner
    match = _BARE.match(text)
    if match and outer.when is not None:
        return _line(outer, None, match['level'], match['text'],
                     logger=match['logger'])
    match = _QEMU.match(text)
    if match:
        return _line(outer, time_of(match['time'], zone), None, match['text'])
    match = _OWN.match(text)
    if match:
        level = _OWN_LEVEL.search(text[:200])
        found = _INSTANCE.search(match['text'])
        if level:
            return _line(outer, time_of(match['time'], zone), level[1],
                         match['text'][found.start() if found else 0:])
    return None


def _around(outer, told, zone):
    """What is known of a line inside one more frame."""
    text, host = told.get('time'), told.get('host')
    if told.get('path'):
        host = paths.host_of(told['path']) or paths.stand_in(told['path'])
    when = time_of(text, zone) if text else None
    if when is None:
        when, is_exact = outer.when, outer.is_exact
    else:
        is_exact = re.search(_ZONE + r'$', text) is not None
    # the innermost has the host: a relay names itself outside
    return _Outer(when, host if host and host != '-' else outer.host,
                  is_exact)


def _line(outer, when, level, text, instance=None, logger=None):
    found = _INSTANCE.search(text) or _OWN_INSTANCE.match(text)
    if found:
        instance = next(filter(None, found.groups()))
    if when is None:
        when = outer.when
    elif outer.is_exact and outer.when is not None:
        # only its zone may be wrong
        when -= round((when - outer.when) / _QUARTER) * _QUARTER
    return Line(when, _host(outer.host), level,
                instance.lower() if instance else None, _BEFORE.sub('', text),
                _TWO_IDS.match(text) is not None, logger)


def _host(name):
    return report.printable(name[:_LONGEST_HOST]) if name else None


def time_of(text, zone=datetime.timezone.utc):
    """Read a time stamp.

    :param text: as a log has it, with a zone or without (str)
    :param zone: of one without (datetime.tzinfo)
    :returns: seconds since the epoch (float), or None where it is none
    """
    match = _TIME_PARTS.match(text)
    try:
        if match is None:
            return _time_of_syslog(text, zone)
        day, clock, part, own_zone, late = match.groups()
        own_zone = (own_zone or '').strip()
        if own_zone in ('UTC', 'GMT'):
            own_zone = 'Z'
        elif own_zone.isalpha() and own_zone != 'Z':
            # Python does not know what such a name stands for
            own_zone = ''
        part = (part or late or '').replace(',', '.')
        when = datetime.datetime.fromisoformat('%s %s%s%s' % (
            day.replace('/', '-'), clock, part, own_zone))
        return when.replace(tzinfo=when.tzinfo or zone).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _time_of_syslog(text, zone):
    """A time without a year is of the last twelve months."""
    if text.startswith('['):
        return None
    now = datetime.datetime.now(zone) + datetime.timedelta(days=1)
    text, _, part = text.partition('.')
    years = ([''] if text[:4].isdigit() else
             ['%d ' % year for year in range(now.year, now.year - 5, -1)])
    for year in years:
        try:
            when = datetime.datetime.strptime(
                year + text, '%Y %b %d %H:%M:%S').replace(tzinfo=zone)
        except ValueError:
            # the 29th of February
            continue
        if when <= now or not year:
            return when.timestamp() + float('0.' + (part or '0'))
    return None


def _get(record, names):
    """The first of some texts or numbers in an object, or None."""
    for name in names:
        value = _value(record, name)
        if isinstance(value, (str, int, float)) and value != '':
            return value
    return None


def _value(record, name):
    """What an object, or one inside it, has under a name with dots."""
    if not isinstance(record, dict):
        return None
    if record.get(name) is not None:
        return record[name]
    first, _, rest = name.partition('.')
    return _value(record.get(first), rest) if rest else None


def is_record(value):
    """Whether a value of JSON's has a line of a log in it (bool)."""
    if not isinstance(value, dict):
        return False
    if isinstance(value.get('MESSAGE'), list):
        return True
    return isinstance(_get(value, _MESSAGES), str) or any(
        isinstance(value.get(name), dict) and
        isinstance(_get(value[name], _MESSAGES), str) for name in _INSIDE)


def iso_of(text, form):
    """A time in another form, in UTC.

    :param text: str
    :param form: as time.strptime has it (str)
    :returns: ISO 8601 (str), or None where it is none
    """
    try:
        return datetime.datetime.strptime(text, form).isoformat(
            timespec='milliseconds')
    except ValueError:
        return None


def _json(text, zone, outer, depth):
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return _object(record, zone, outer, depth)


def _object(record, zone, outer, depth):
    if not isinstance(record, dict) or depth > _DEEPEST:
        return None
    if isinstance(record.get('MESSAGE'), list):
        # journalctl -o json gives what is no UTF-8 as numbers
        try:
            record['MESSAGE'] = bytes(record['MESSAGE']).decode('utf-8',
                                                                'replace')
        except (TypeError, ValueError):
            return None
    message = _get(record, _MESSAGES)
    outer = _around_json(outer, record, zone)
    if not isinstance(message, str):
        return next(filter(None, (
            _object(record.get(name), zone, outer, depth + 1)
            for name in _INSIDE)), None)
    message = message.replace('\0', '').rstrip('\r\n')
    extra = record.get('extra')
    instance = None
    for found in (extra if isinstance(extra, dict) else {}, record):
        for name in ('instance', 'instance_uuid', 'resource_uuid'):
            match = re.search(UUID, str(found.get(name) or ''), re.I)
            instance = instance or (match and match.group(0))
    level = _get(record, _LEVELS)
    level = None if level is None else str(level).upper()
    inner = _record(message, zone, outer, depth + 1)
    if inner is None:
        return _line(outer, None, level, message, instance)
    return inner._replace(
        level=inner.level or level,
        instance=inner.instance or (instance and instance.lower()))


def _around_json(outer, record, zone):
    host = _get(record, _HOSTS) or _source(record)
    times = [(name, _json_time(_get(record, (name,)), zone))
             for name in _TIMES]
    name, when = next((one for one in times if one[1] is not None),
                      (None, outer.when))
    # what a shipper has put in may be the time when it has read the line
    is_exact = name in ('created', '__REALTIME_TIMESTAMP') or (
        name == 'time' and 'log' in record)
    return _Outer(when, host if isinstance(host, str) else outer.host,
                  is_exact or (name is None and outer.is_exact), True)


def _source(record):
    source = record.get(_SOURCE)
    is_host = isinstance(source, str) and re.fullmatch(
        r'[A-Za-z0-9][\w.-]*', source) and (
            source.lower() not in _NO_HOSTS and not source.endswith('.log'))
    return source if is_host else None


def _json_time(value, zone):
    """Text, or a number of seconds, milli-, micro- or nanoseconds."""
    if isinstance(value, str):
        when = time_of(value, zone)
        if when is not None or not re.fullmatch(r'\d{1,20}(\.\d+)?', value):
            return when
    if value is None or isinstance(value, bool):
        return None
    try:
        when = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    for _ in range(3):
        if when >= _LATEST:
            when /= 1000
    return when if 0 < when < _LATEST else None


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
    return (_object(record, zone, _Outer(), 0) if 'MESSAGE' in record
            else None)
