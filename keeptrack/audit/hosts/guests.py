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


"""What a host has said of its guests, checked: nobody's word is taken for it.

The same check stands in front of the answer of a libvirtd and of a file that
was collected: both may be broken, or mean harm.
"""

import dataclasses

from keeptrack.audit.hosts import collector
from keeptrack import errors

RUNS = 'runs'
PAUSED = 'paused'
# an empty domain that waits for its guest, or one that the guest has left
SHELL = 'shell'
OFF = 'off'

_PRESENCES = {'running': RUNS, 'idle': RUNS, 'in shutdown': RUNS,
              'pmsuspended': RUNS, 'paused': PAUSED, 'crashed': PAUSED,
              'no state': PAUSED, 'shut off': OFF}

# of a paused domain whose guest is not there yet, or not any more
_SHELLS = ('migrating', 'starting up', 'post-copy')

# seconds: nothing before libvirt was, nothing after this century
_EARLIEST, _LATEST = 1e9, 4.2e9


@dataclasses.dataclass(frozen=True, slots=True)
class Guest:
    """One domain of a host.

    :ivar uuid: str
    :ivar name: str
    :ivar state: a word of collector.STATES
    :ivar reason: str, or None
    :ivar id: libvirt's number of the running domain (int), or None
    :ivar since: when its QEMU was started (s since the epoch), or None
    """

    uuid: str
    name: str
    state: str
    reason: str | None = None
    id: int | None = None
    since: float | None = None

    @property
    def presence(self):
        """RUNS, PAUSED, SHELL or OFF (str)."""
        found = _PRESENCES[self.state]
        if self.state == 'paused' and self.reason in _SHELLS:
            return SHELL
        return found

    @property
    def words(self):
        """The state for people (str)."""
        return ('%s (%s)' % (self.state, self.reason) if self.reason
                else self.state)


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """All that one host has said, once.

    :ivar asked: what it was called by whoever asked (str)
    :ivar uri: libvirt's URI (str)
    :ivar hostname: what it calls itself (str)
    :ivar host_uuid: str, or None
    :ivar began: when it was asked (s since the epoch, float)
    :ivar ended: when it had answered (s since the epoch, float)
    :ivar guests: dict of uuid to Guest
    """

    asked: str
    uri: str
    hostname: str
    host_uuid: str | None
    began: float
    ended: float
    guests: dict


class Broken(errors.KeeptrackError):
    """A document that is not of the schema; the text says where."""


def read(document):
    """Make a Look of a document of the schema keeptrack.guests/1.

    :param document: what json.loads has made of it
    :returns: Look
    :raises Broken: when it is not of the schema
    """
    if not isinstance(document, dict):
        raise Broken('it is no JSON object')
    schema = document.get('schema')
    if schema != collector.SCHEMA:
        raise Broken('its schema is %s, not %s' % (
            short(schema), collector.SCHEMA))
    hostname = _text(document, 'hostname', 255)
    asked = document.get('asked')
    asked = hostname if asked is None else _text(document, 'asked', 1000)
    listed = document.get('guests')
    if not isinstance(listed, list):
        raise Broken('guests is no list')
    if len(listed) > collector.MOST_GUESTS:
        raise Broken('it has %d guests: more than any host has' % len(listed))
    guests = {}
    for one in listed:
        guest = _guest(one)
        if guest.uuid in guests:
            raise Broken('it has the guest %s twice' % guest.uuid)
        guests[guest.uuid] = guest
    began, ended = _time(document, 'began'), _time(document, 'ended')
    if ended < began:
        raise Broken('it ended before it began')
    return Look(asked, _text(document, 'uri', 1000), hostname,
                _uuid(document.get('host_uuid'), 'host_uuid')
                if document.get('host_uuid') is not None else None,
                began, ended, guests)


def short(value):
    """Somebody else's value for one of our lines (str)."""
    return collector.one_line(repr(value))[:60]


def _guest(one):
    if not isinstance(one, dict):
        raise Broken('a guest is no JSON object')
    state, reason = one.get('state'), one.get('reason')
    if not isinstance(state, str) or state not in collector.STATES:
        raise Broken('a guest has the state %s' % short(state))
    if reason is not None:
        reason = _text(one, 'reason', 100)
    number = one.get('id')
    if number is not None and type(number) is not int:
        raise Broken('a guest has the id %s' % short(number))
    return Guest(_uuid(one.get('uuid'), 'a uuid'),
                 _text(one, 'name', collector.LONGEST_NAME), state, reason,
                 number, None if one.get('since') is None else
                 _time(one, 'since'))


def _text(data, key, longest):
    value = data.get(key)
    if not isinstance(value, str) or not value or len(value) > longest:
        raise Broken('%s is %s' % (key, short(value)))
    return collector.one_line(value)


def _uuid(value, what):
    if not isinstance(value, str) or not collector.UUID.match(value):
        raise Broken('%s is %s' % (what, short(value)))
    return value


def _time(data, key):
    value = data.get(key)
    # what is no number is not between them; an integer may be of any size
    if (isinstance(value, bool) or not isinstance(value, (int, float)) or
            not _EARLIEST < value < _LATEST):
        raise Broken('%s is %s' % (key, short(value)))
    return float(value)
