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


"""What Nova says of its instances, as the audit needs it: pure."""

import dataclasses
import datetime

from keeptrack.audit.hosts import guests
from keeptrack.audit.hosts import services

SCHEMA = 'keeptrack.nova/1'

# vm_states
ACTIVE, ERROR, DELETED = 'active', 'error', 'deleted'
OFF = ('stopped', 'suspended', 'shelved', 'shelved_offloaded', 'soft-delete')
# in these the guest has a domain that runs or is paused
THERE = (ACTIVE, 'paused', 'rescued')
MIGRATING = 'migrating'

_LONGEST = 2000


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """One instance.

    :ivar uuid: str
    :ivar host: of its nova-compute (str), or None
    :ivar node: what libvirt calls this host (str), or None
    :ivar vm_state: str
    :ivar task_state: str, or None
    :ivar power_state: Nova's number (int), or None
    :ivar updated: when the record was changed (s since the epoch), or None
    :ivar fault: the newest fault (str), or None
    :ivar fault_at: when that was (s since the epoch), or None
    :ivar migrating_since: when its migration was asked for, or None
    :ivar destination: of that migration (str), or None
    """

    uuid: str
    host: str | None
    node: str | None
    vm_state: str
    task_state: str | None = None
    power_state: int | None = None
    updated: float | None = None
    fault: str | None = None
    fault_at: float | None = None
    migrating_since: float | None = None
    destination: str | None = None

    @property
    def words(self):
        """What Nova says, for people (str)."""
        told = self.vm_state
        if self.task_state:
            told += ', task %s' % self.task_state
        return '%s, on %s' % (told, self.host) if self.host else told


@dataclasses.dataclass(frozen=True)
class View:
    """All that Nova says, once.

    :ivar when: when it was asked (s since the epoch, float)
    :ivar servers: dict of uuid to Server
    :ivar hosts: dict of a nova-compute's host to what libvirt calls it, or
        None where Nova does not tell
    :ivar unclear: instances that Nova told too little of: their cell is down
    :ivar services: dict of uuid to services.Services
    :ivar unasked: other services that were not asked: dict of name to why
    """

    when: float
    servers: dict
    hosts: dict
    unclear: int = 0
    services: dict = dataclasses.field(default_factory=dict)
    unasked: dict = dataclasses.field(default_factory=dict)


def to_dict(view):
    """A View as the schema keeptrack.nova/1 has it (dict)."""
    return {'schema': SCHEMA, 'when': view.when, 'hosts': view.hosts,
            'unclear': view.unclear, 'unasked': view.unasked,
            'services': {uuid: dataclasses.asdict(one)
                         for uuid, one in view.services.items()},
            'servers': [dataclasses.asdict(one)
                        for one in view.servers.values()]}


def from_dict(data):
    """The reverse of :func:`to_dict`, for what anybody may have written.

    :raises guests.Broken: when it is not of the schema
    """
    try:
        if data['schema'] != SCHEMA:
            raise guests.Broken('its schema is not %s' % SCHEMA)
        servers = {}
        for one in data['servers']:
            server = _server(one)
            if server.uuid in servers:
                raise guests.Broken('it has the server %s twice' % server.uuid)
            servers[server.uuid] = server
        # files of older versions have neither services nor unasked
        return View(
            float(_wanted('when', data['when'], (int, float))), servers,
            {_wanted('a host', name): _check('a host', node)
             for name, node in data['hosts'].items()},
            _wanted('unclear', data['unclear'], int),
            {uuid: _services(one)
             for uuid, one in data.get('services', {}).items()},
            {_wanted('a service', name): _wanted('a service', why)
             for name, why in data.get('unasked', {}).items()})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise guests.Broken('it is not of the schema %s: %s' % (
            SCHEMA, guests.short(error)))


def _services(one):
    providers = one['providers']
    return services.Services(
        tuple((_wanted('a port', port), _wanted('a port', host))
              for port, host in one['ports']),
        None if providers is None else
        tuple(_wanted('a provider', name) for name in providers),
        tuple(_wanted('a volume', volume) for volume in one['unattached']))


def _server(one):
    server = Server(**{
        field.name: _check(field.name, one.get(field.name), {
            float | None: (int, float), int | None: int}.get(field.type, str))
        for field in dataclasses.fields(Server)})
    if not guests.collector.UUID.match(server.uuid or ''):
        raise guests.Broken('a server has the uuid %s' % guests.short(
            server.uuid))
    _wanted('vm_state', server.vm_state)
    return server


def _wanted(what, value, kinds=str):
    if value in (None, ''):
        raise guests.Broken('%s is missing' % what)
    return _check(what, value, kinds)


def _check(what, value, kinds=str):
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise guests.Broken('%s is %s' % (what, guests.short(value)))
    if isinstance(value, str):
        if len(value) > _LONGEST:
            raise guests.Broken('%s is too long' % what)
        return guests.collector.one_line(value)
    if not abs(value) < 1e11:
        raise guests.Broken('%s is %s' % (what, guests.short(value)))
    return value


def seconds(text):
    """A time of Nova's API.

    :param text: ISO 8601, in UTC where it has no zone (str), or None
    :returns: seconds since the epoch (float), or None
    """
    try:
        found = datetime.datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    if found.tzinfo is None:
        found = found.replace(tzinfo=datetime.timezone.utc)
    return found.timestamp()
