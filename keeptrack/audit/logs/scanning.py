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

"""Goes through logs, in two processes, and keeps the events of each instance.

What is kept of a log is its events, compressed.
"""

import concurrent.futures
import dataclasses
import datetime
import functools
import itertools
import os
import re

from keeptrack.audit.logs import documents
from keeptrack.audit.logs import event_store
from keeptrack.audit.logs import filtering
from keeptrack.audit.logs import formats
from keeptrack.audit.logs import languages
from keeptrack.audit.logs import libvirtd
from keeptrack.audit.logs import messages
from keeptrack.audit.logs import paths as log_paths
from keeptrack.audit.logs import reading
from keeptrack.audit import report
from keeptrack import errors

PROCESSES = 2

# a plain file is shared out between processes in parts of this many bytes
PART = 64 << 20

# characters of a line that a report shows
SHOWN = 500

# lines at each end of a part that show what time it covers; in between, every
# reading.BLOCK bytes, one at each end of a block shows that time goes on
_EDGE = 8

# ids of a line that could not be read behind which a message may begin
_IDS = 20

# names of states of an unknown language that a report has
_STATES = 10

_EXPORT = b'__REALTIME_TIMESTAMP='

# QEMU's command line, in the log of each domain
_DOMAIN = re.compile(rb'^-uuid (%s) ' % messages.UUID.encode(), re.M)

# only nova-compute has these loggers; nova-scheduler has nova.virt.hardware
_COMPUTE = (b'nova.compute.manager', b'nova.compute.resource_tracker',
            b'nova.virt.libvirt')
_LOGGER = re.compile(rb'[ "|](?:%s)[.\w]*[ "|:\]]' % b'|'.join(
    map(re.escape, _COMPUTE)))

# what may have written a message of the table
_LOGGERS = ('nova.compute.', 'nova.virt.', 'oslo_messaging.',
            'oslo.messaging.', 'nova.openstack.')

# levels at which nova-compute writes what a guest did
_GUEST_LEVELS = ('DEBUG', 'INFO', 'AUDIT')


@dataclasses.dataclass
class Seen:
    """What was seen in one log, or a part of one.

    :ivar path: str
    :ivar size: bytes, unpacked (int)
    :ivar hits: lines with a sign (int)
    :ivar records: one line in a block is tried: how many were records (int)
    :ivar first: time of the first record that was looked at (float), or None
    :ivar last: and of the last (float), or None
    :ivar hosts: hosts that it is of (set of str)
    :ivar is_named: the host is known, not only the path (bool)
    :ivar back: seconds that its clock went back (float)
    :ivar problem: why it was not read, or not to its end (str), or None
    :ivar debug: it has lines at debug (bool)
    :ivar has_info: it has lines at info, or below, or of no level (bool)
    :ivar is_computes: nova-compute has written to it (bool)
    :ivar has_no_text: it has lines that are no text in UTF-8 (bool)
    :ivar foreign: names of states in a language that is not known (set)
    :ivar unread: lines with a sign that could not be read (int)
    :ivar unread_at: the byte where the first of them begins (int), or None
    :ivar events: event_store.EventStore
    :ivar is_libvirts: libvirtd has written it (bool)
    :ivar libvirtd_entries: the last of libvirtd's that matter (list of
                            libvirtd.Entry)
    """

    path: str
    size: int = 0
    hits: int = 0
    records: int = 0
    first: float | None = None
    last: float | None = None
    hosts: set = dataclasses.field(default_factory=set)
    is_named: bool = True
    back: float = 0.0
    problem: str | None = None
    debug: bool = False
    has_info: bool = False
    is_computes: bool = False
    has_no_text: bool = False
    foreign: set = dataclasses.field(default_factory=set)
    unread: int = 0
    unread_at: int | None = None
    events: event_store.EventStore = dataclasses.field(
        default_factory=event_store.EventStore)
    is_libvirts: bool = False
    libvirtd_entries: list = dataclasses.field(default_factory=list)

    def merge(self, other):
        """Take what another part of the same log has shown."""
        self.size += other.size
        self.hits += other.hits
        self.records += other.records
        self.hosts |= other.hosts
        self.is_named = self.is_named and other.is_named
        self.back = max(self.back, other.back)
        self.problem = self.problem or other.problem
        self.debug = self.debug or other.debug
        self.has_info = self.has_info or other.has_info
        self.is_computes = self.is_computes or other.is_computes
        self.has_no_text = self.has_no_text or other.has_no_text
        self.foreign |= other.foreign
        self.unread += other.unread
        self.is_libvirts = self.is_libvirts or other.is_libvirts
        self.libvirtd_entries = (self.libvirtd_entries + other.
                                 libvirtd_entries)[-libvirtd.KEPT:]
        if self.unread_at is None:
            self.unread_at = other.unread_at
        times = [one for one in (self.first, self.last, other.first,
                                 other.last) if one is not None]
        if times:
            self.first, self.last = min(times), max(times)
        self.events.merge(other.events)


def scan(paths, hosts, zone=datetime.timezone.utc, processes=PROCESSES,
         progress=lambda done, total: None):
    """Go through logs.

    :param paths: list of str, as paths.files() returns them
    :param hosts: dict of such a path to host, where the user says so
    :param zone: of time stamps without one (datetime.tzinfo)
    :param processes: how many to use (int)
    :param progress: called with parts done and in all
    :returns: list of Seen, one a path
    :raises KeeptrackError: when a process was ended from outside
    """
    parts = [part for path in paths for part in _parts(path)]
    seen = {path: Seen(path) for path in paths}
    if processes < 2 or len(parts) < 2 or reading.STDIN in paths:
        for done, part in enumerate(parts, 1):
            seen[part[0]].merge(_scan_part(part, hosts.get(part[0]), zone))
            progress(done, len(parts))
        return list(seen.values())
    # before the processes: where they are forked, they have it
    filtering.make()
    try:
        with concurrent.futures.ProcessPoolExecutor(processes) as pool:
            waiting = [pool.submit(_scan_part, part, hosts.get(part[0]), zone)
                       for part in parts]
            for done, one in enumerate(
                    concurrent.futures.as_completed(waiting), 1):
                found = one.result()
                seen[found.path].merge(found)
                progress(done, len(parts))
    except concurrent.futures.BrokenExecutor as exc:
        raise errors.KeeptrackError(
            'a process that read logs was ended from outside (out of memory?):'
            ' %s' % exc)
    return list(seen.values())


def _parts(path):
    """A log, shared out: list of (path, begin, end)."""
    try:
        if (path == reading.STDIN or not os.path.isfile(path) or
                reading.packed(path) or _is_export(path) or
                _is_document(path)):
            return [(path, 0, None)]
        size = os.path.getsize(path)
    except OSError:
        return [(path, 0, None)]
    begins = list(range(0, max(size, 1), PART))
    return [(path, begin, end) for begin, end in
            zip(begins, begins[1:] + [None])]


def _is_export(path):
    with open(path, 'rb') as stream:
        return _EXPORT in stream.read(4096)


def _is_document(path):
    with open(path, 'rb') as stream:
        return documents.kind(stream.read(reading.LONGEST)) is not None


def _scan_part(part, host, zone):
    path, begin, end = part
    seen = Seen(path, is_computes=log_paths.is_computes(path))
    if path != reading.STDIN and not os.path.isfile(path):
        seen.problem = 'it is no file'
        return seen
    try:
        _Scan(seen, host or log_paths.host_of(path), zone,
              host is not None).run(begin, end)
    except reading.Unreadable as exc:
        seen.problem = str(exc)
    seen.events.pack()
    return seen


class _Scan:
    """Goes through one part."""

    def __init__(self, seen, host, zone, is_given):
        self._seen, self._zone = seen, zone
        self._host, self._is_given = host, is_given
        self._find = filtering.make()
        # where the time that is covered was looked at last, and what was not
        self._looked, self._last = None, None
        self._is_document = False
        # whose QEMU it is the log of
        self._domain = None

    def run(self, begin, end):
        blocks = reading.blocks(self._seen.path, begin, end)
        is_export = None
        left = b''
        for offset, data in blocks:
            if is_export is None:
                is_export = _EXPORT in data[:4096]
                self._seen.is_libvirts = libvirtd.is_log(data)
                make_lines = None if is_export or begin else documents.kind(
                    data)
                if make_lines is not None:
                    return self._document(make_lines)
            if is_export:
                # an entry may go on in the next block
                offset -= len(left)
                data = left + data
                cut = data.rfind(b'\n\n')
                if cut < 0 and len(data) < 2 * reading.BLOCK:
                    left = data
                    continue
                left = data[cut + 2:] if cut >= 0 else b''
                data = data[:cut + 2] if cut >= 0 else data
            self._block(offset, data, is_export)
            self._seen.size += len(data)
        if left:
            self._block(0, left, True)
            self._seen.size += len(left)
        if self._last is not None:
            self._edges(*self._last)

    def _document(self, make_lines):
        if self._seen.path == reading.STDIN:
            raise reading.Unreadable('it is one document: write it to a file, '
                                     'and read that')
        # its only line may be longer than any line of a log
        data = reading.whole(self._seen.path, documents.LARGEST)
        self._seen.size += len(data)
        self._is_document = True
        self._block(0, make_lines(data), False)
        if self._last is not None:
            self._edges(*self._last)

    def _libvirts(self, offset, data):
        seen = self._seen
        for begin, entry in libvirtd.lines(data):
            line = libvirtd.parse(entry[:reading.LONGEST])
            if line is None:
                continue
            name = libvirtd.hostname(line.text)
            if name and not self._is_given:
                self._host = report.printable(name)
            elif not name:
                seen.hits += 1
                seen.libvirtd_entries.append(libvirtd.make_entry(
                    line, self._where(line), '%s, byte %d'
                    % (seen.path, offset + begin), _shown(line.text[:SHOWN])))
        del seen.libvirtd_entries[:-libvirtd.KEPT]
        self._edges(data, b'\n', libvirtd.parse)

    def _block(self, offset, data, is_export):
        if self._seen.is_libvirts:
            self._libvirts(offset, data)
            return
        parse = formats.parse_export if is_export else formats.parse
        ends = b'\n\n' if is_export else b'\n'
        self._last = data, ends, parse
        if not self._seen.is_computes:
            self._seen.is_computes = any(
                one in data for one in _COMPUTE) and (
                    _LOGGER.search(data) is not None)
        if self._looked is None or offset - self._looked >= reading.BLOCK:
            self._edges(data, ends, parse,
                        _EDGE if self._looked is None else 1)
            self._unknown_states(offset, data, ends, parse)
            self._looked, self._last = offset, None
        is_ascii = data.isascii()
        if not (self._seen.has_no_text or is_ascii):
            self._seen.has_no_text = _has_other_encoding(data)
        if not self._seen.is_computes and b'\n-uuid ' in data:
            found = _DOMAIN.search(data)
            self._domain = found and found[1].decode()
        done = 0
        for hit in sorted(self._find(data, is_ascii)):
            if hit <= done:
                continue
            begin = data.rfind(ends, 0, hit - 1)
            begin = 0 if begin < 0 else begin + len(ends)
            done = data.find(ends, hit)
            done = len(data) if done < 0 else done
            entry = data[begin:done]
            line = (parse(entry, self._zone)
                    if len(entry) <= reading.LONGEST else None)
            if line is not None and line.when is not None:
                self._line(line, offset + begin)
            else:
                self._not_read(entry, offset + begin)

    def _unknown_states(self, offset, data, ends, parse):
        """Look for events of a language that is not known."""
        for at in filtering.places(languages.ANY_STATE, data):
            begin = data.rfind(ends, 0, at) + 1
            end = data.find(ends, at)
            end = len(data) if end < 0 else end
            state = data[at + 2:end].decode('utf-8', 'replace').rstrip()
            sign, detail = messages.find(state)
            if sign is messages.UNKNOWN:
                if parse(data[begin:end].strip(b'\n'), self._zone) is None:
                    self._count_unread(offset + begin)
                else:
                    self._foreign(detail)

    def _foreign(self, state):
        if len(self._seen.foreign) < _STATES:
            self._seen.foreign.add(report.printable(state))

    def _not_read(self, entry, offset):
        """Count a line that has a sign of an instance, in a form unknown."""
        text = entry[:reading.LONGEST].decode('utf-8', 'replace')
        # the first may be that of a request
        ends = [found.end() for found in itertools.islice(
            re.finditer(formats.UUID + r'\]? ?', text, re.I), _IDS)]
        found = {messages.find(text[end:])[0] for end in [0] + ends}
        # a web server's log of requests is none of nova-compute's
        if ends and any(one is not None and one.name not in messages.OTHERS
                        for one in found):
            self._count_unread(offset)

    def _count_unread(self, offset):
        self._seen.unread += 1
        if self._seen.unread_at is None:
            self._seen.unread_at = offset

    def _edges(self, data, ends, parse, number=_EDGE):
        """Look at the first and the last lines: the time that is covered."""
        for one in _outermost(data, ends, number):
            line = (parse(one, self._zone)
                    if 0 < len(one) <= reading.LONGEST else None)
            seen = self._seen
            if line is None or line.when is None:
                seen.has_no_text = seen.has_no_text or formats.is_no_text(one)
                continue
            seen.records += 1
            seen.debug = seen.debug or line.level == 'DEBUG'
            self._level(line)
            seen.back = max(seen.back, (seen.last or line.when) - line.when)
            seen.first = min(line.when, seen.first or line.when)
            seen.last = max(line.when, seen.last or line.when)
            seen.hosts.add(self._where(line))

    def _level(self, line):
        if not self._seen.has_info:
            self._seen.has_info = (line.level is None or
                                   line.level in _GUEST_LEVELS)

    def _where(self, line):
        if self._is_given:
            return self._host
        host = line.host or self._host
        if host is None:
            self._seen.is_named = False
            host = report.printable(log_paths.stand_in(self._seen.path))
        return host

    def _line(self, line, offset):
        sign, detail = _meaning(line.text)
        if sign is None:
            return
        seen = self._seen
        self._level(line)
        is_others = sign.name in messages.OTHERS
        if not is_others and line.logger and (
                not line.logger.startswith(_LOGGERS)):
            # Masakari evacuates instances, too
            return
        instance = line.instance
        if sign.name.startswith('qemu-'):
            instance = self._domain
        elif is_others:
            instance = detail.lower()
        if instance is None:
            if sign in messages.EVENTS.values() or sign is messages.UNKNOWN:
                # an operator's own instance_format
                self._count_unread(offset)
            return
        if sign is messages.UNKNOWN:
            self._foreign(detail)
            return
        where = self._where(line)
        if not is_others and sign.name != 'missing':
            seen.is_computes = True
            seen.hosts.add(where)
        seen.hits += 1
        seen.events.add(instance, event_store.Event(
            line.when, where, sign.name, sign.means, detail,
            seen.path, None if self._is_document else offset,
            _shown(line.text[:SHOWN]), line.is_recent))


def _meaning(text):
    return (_meaning_of_short if len(text) <= SHOWN else messages.find)(text)


# most of the lines that matter come again and again
_meaning_of_short = functools.lru_cache(1024)(messages.find)
_shown = functools.lru_cache(1024)(report.printable)


def _has_other_encoding(data):
    """Whether a line about an instance is no UTF-8 (bool)."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return any(formats.is_of_instance(line) and not formats.is_utf8(line)
                   for line in data.split(b'\n') if not line.isascii())
    return False


def _outermost(data, ends, number):
    """The first and the last lines of a block, each whole and once (list).

    Of an entry of the journal that is cut, the rest may not name its host.
    """
    first, last, at, end = [], [], 0, len(data)
    while len(first) < number and at < end:
        found = data.find(ends, at)
        found = end if found < 0 else found
        first.append(data[at:found])
        at = found + len(ends)
    if data.endswith(ends):
        end -= len(ends)
    while len(last) < number and end > at:
        found = data.rfind(ends, at, end)
        found = at if found < 0 else found + len(ends)
        last.append(data[found:end])
        end = found - len(ends)
    return first + last[::-1]
