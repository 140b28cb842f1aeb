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

"""The errors in libvirtd's own log at the time of a finding.

At its default level libvirtd logs errors and warnings, most without the name
of a domain. So its lines never decide; those of a finding's hosts and time are
shown with it. A warning about a QEMU that has started has the name of its
domain and the UUID. Read in logs of libvirt 9.0.0 with faults; later releases
add the name to more messages.
"""

import collections
import dataclasses
import functools
import re

import ahocorasick_rs

from keeptrack.audit import finding as finding_mod
from keeptrack.audit import host_name
from keeptrack.audit.logs import formats

# bytes at the begin of a log that tell whose it is
HEAD = 4096

# of one log: the last lines are kept; and shown beside one finding
KEPT = 5000
_SHOWN = 20

_LINE = re.compile(
    r'(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d{4}): \d+: '
    r'(?P<level>debug|info|warning|error) : (?:\w+:\d+ : )?(?P<text>.*)$',
    re.S)
_BEGIN = re.compile(rb'^[-\d]{10} [\d:.]{12}[+-]\d{4}: \d+: \w+ : ', re.M)
# lines to keep, and what libvirtd says when it starts
_KEPT = re.compile(
    rb'[^\n]{28}: \d+: (?:info : hostname: |warning : qemuDomainObjTaint|'
    rb"error : (?:qemu|[^\n]*(?:migrat|keepalive|\(vm='|[Dd]omain |monitor|"
    rb'client socket is closed|destination host)))', re.M)
_HOSTNAME = re.compile(r'hostname: (\S+)$')
_STARTED = re.compile(r"Domain id=\d+ name='(?P<domain>[^']+)' "
                      r'uuid=(?P<instance>%s) is tainted' % formats.UUID)
_NOT_FOUND = re.compile(r"no domain with matching uuid '(?P<instance>%s)' "
                        r'\((?P<domain>[^)]+)\)' % formats.UUID)
_NAMED = re.compile(r"(?:\(vm=|[Dd]omain )'(?P<domain>[^']+)'"
                    r'|\b(?P<other>instance-[0-9a-f]{8})\b')


@dataclasses.dataclass(frozen=True)
class Entry:
    """One entry of libvirtd's log.

    :ivar when: seconds since the epoch (float)
    :ivar host: where (str)
    :ivar instance: uuid (str), or None where the line has none
    :ivar domain: libvirt's name of it (str), or None
    :ivar is_start: it says that a QEMU was started (bool)
    :ivar source: file and byte (str)
    :ivar text: the line, cut (str)
    """

    when: float
    host: str
    instance: str | None
    domain: str | None
    is_start: bool
    source: str
    text: str


def is_log(head):
    """Whether a log is libvirtd's, or that of a modular daemon (bool).

    :param head: the first bytes of it (bytes)
    """
    found = head[:HEAD].split(b'\n')
    return any(map(_BEGIN.match, found)) and not any(map(formats.parse, found))


@functools.cache
def _automaton():
    return ahocorasick_rs.BytesAhoCorasick(
        [b': error : ', b' : qemuDomainObjTaint', b': info : hostname: '])


def lines(data):
    """Find the lines to keep, with what goes on in the next line.

    :param data: whole lines (bytes)
    :returns: generator of (int, bytes): where a line begins, and itself
    """
    done = -1
    for _, at, _ in _automaton().find_matches_as_indexes(data):
        begin = data.rfind(b'\n', 0, at) + 1
        match = _KEPT.match(data, begin) if begin > done else None
        done = begin
        if match is None:
            continue
        end = _BEGIN.search(data, match.end())
        end = len(data) if end is None else end.start()
        yield begin, bytes(data[begin:end]).rstrip()


def parse(data, zone=None):
    """Read one line.

    :param data: bytes
    :param zone: not used: libvirtd writes its own
    :returns: formats.Line, or None where it is none of libvirtd's
    """
    match = _LINE.match(data.decode('utf-8', 'replace').rstrip('\r\n'))
    when = match and formats.time_of(match['time'])
    if when is None:
        return None
    return formats.Line(when, None, match['level'].upper(), None,
                        ' '.join(match['text'].split('\n')))


def hostname(text):
    """The host that libvirtd names when it starts (str), or None."""
    match = _HOSTNAME.match(text)
    return match and match[1]


def make_entry(line, host, source, text):
    """Find out which guest a line is about.

    :param line: formats.Line
    :param host: where (str)
    :param source: file and byte (str)
    :param text: the line, cut and fit to be printed (str)
    :returns: Entry
    """
    start = _STARTED.match(line.text)
    match = start or _NOT_FOUND.search(line.text)
    named = match or _NAMED.search(line.text)
    domain = named and (named['domain'] or named['other'])
    return Entry(line.when, host, match and match['instance'].lower(), domain,
                 start is not None, source, text)


def add_to_findings(findings, entries, allowance):
    """Add to each finding what libvirtd logged on its hosts at its time.

    :param findings: list of finding.Finding
    :param entries: list of Entry
    :param allowance: seconds that clocks of two hosts may be apart (float)
    :returns: list of finding.Finding
    """
    by_host = collections.defaultdict(list)
    instances = {}
    for one in sorted(entries, key=lambda one: one.when):
        host = host_name.short(one.host)
        if one.instance:
            instances[host, one.domain] = one.instance
        elif one.domain:
            # drills, and clouds with many databases, use a name again
            one = dataclasses.replace(
                one, instance=instances.get((host, one.domain)))
        by_host[host].append(one)
    return [_with(one, by_host, allowance) for one in findings]


def _with(finding, by_host, allowance):
    times = [one.when for one in finding.moments if one.when is not None]
    found, started = [], set()
    for host in {host_name.short(host) for host in finding.hosts}:
        for one in by_host[host] if times else ():
            if not min(times) <= one.when <= max(times) + allowance:
                continue
            if one.instance not in (None, finding.instance):
                continue
            # there is a warning for each of its unusual options
            if one.is_start:
                start = (host, round(one.when / 5))
                if start in started:
                    continue
                started.add(start)
            found.append(one)
    found.sort(key=lambda one: (one.instance is None, one.when))
    moments = [finding_mod.Moment(
        one.when, one.host, one.source,
        'libvirt has started a QEMU of it' if one.is_start else
        'libvirt reports an error' if one.instance else
        'libvirt reports an error of %s' % one.domain if one.domain else
        'libvirt reports an error, it does not say of which guest',
        one.text, allowance / 2 if len(finding.hosts) > 1 else 0.0)
        for one in found[:_SHOWN]]
    if not moments:
        return finding
    return dataclasses.replace(finding, moments=sorted(
        (*finding.moments, *moments),
        key=lambda one: (one.when is None, one.when)))
