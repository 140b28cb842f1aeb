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


"""Compares where guests are with where Nova has them: pure.

One answer of each host, and Nova's records, if any, become findings by the
rules at the end of this file. See recheck.py for the second check.
"""

import dataclasses

from keeptrack.audit import finding
from keeptrack.audit.hosts import guests
from keeptrack.audit.hosts import identity
from keeptrack.audit.hosts import nova_record

# seconds by which the clocks of hosts, of Nova and ours may differ
ALLOWANCE = 2.0

# seconds
MIGRATING_AFTER = 3600

_NOVA_RUNNING = 1

# names in finding.KINDS
DOUBLED = 'doubled'
PAUSED_COPY = 'paused-copy'
SHELL = 'shell'
PARKED = 'parked'
MIGRATING_LONG = 'migrating-long'
RUNS_THOUGH_OFF = 'runs-though-off'
RUNS_IN_ERROR = 'runs-in-error'
RUNS_THOUGH_DELETED = 'runs-though-deleted'
RUNS_ELSEWHERE = 'runs-elsewhere'
RUNS_NOWHERE = 'runs-nowhere'
PORT_ELSEWHERE = 'port-elsewhere'
ALLOCATED_TWICE = 'allocated-twice'
ATTACHMENT_MISSING = 'attachment-missing'


@dataclasses.dataclass
class Round:
    """All that was seen, once.

    :ivar looks: list of guests.Look
    :ivar view: nova_record.View, or None
    :ivar deleted: what Nova has deleted of the guests that it does not list
        (dict of uuid to nova_record.Server)
    """

    looks: list
    view: object = None
    deleted: dict = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        kept, self.twins = identity.distinct(self.looks)
        self.places = identity.places(
            kept, self.view.hosts if self.view else {})
        self.by_host = {one.host: one for one in self.places if one.host}
        self.by_name = {one.name: one for one in self.places}
        self.seen = {}
        for place in self.places:
            for uuid, guest in place.look.guests.items():
                self.seen.setdefault(uuid, []).append((place, guest))

    @property
    def servers(self):
        """Nova's instances, what it has deleted as well (dict)."""
        return {**self.deleted, **(self.view.servers if self.view else {})}

    def unknown(self):
        """The guests that run and that Nova does not list (set of uuids)."""
        known = self.view.servers if self.view else {}
        return {uuid for uuid, found in self.seen.items()
                if uuid not in known and any(
                    guest.presence == guests.RUNS for _, guest in found)}


@dataclasses.dataclass(frozen=True)
class Case:
    """One instance in one round.

    :ivar uuid: str
    :ivar server: nova_record.Server, or None where Nova does not know it, or
        was not asked
    :ivar has_nova: whether Nova was asked (bool)
    :ivar seen: list of (identity.Place, guests.Guest)
    :ivar home: the Place of the host that Nova names; None if that is silent
    :ivar elsewhere_silent: hosts of Nova's that did not answer (int)
    :ivar now: seconds since the epoch (float)
    :ivar migrating_after: seconds (float)
    :ivar services: what the other services have of it (services.Services),
        or None
    """

    uuid: str
    server: object
    has_nova: bool
    seen: list
    home: object
    elsewhere_silent: int
    now: float
    migrating_after: float
    services: object = None

    def where(self, *presences):
        """The places where the guest has one of some presences (list)."""
        return [place for place, guest in self.seen
                if guest.presence in presences]

    @property
    def migrates(self):
        """Whether Nova says that it migrates (bool)."""
        return (self.server is not None and
                self.server.task_state == nova_record.MIGRATING)

    @property
    def is_old(self):
        """Whether it has been migrating for long (bool)."""
        since = self.server.migrating_since or self.server.updated
        return since is not None and self.now - since > self.migrating_after

    def is_home(self, place):
        """Whether a place is, or may be, the host that Nova names (bool)."""
        return (self.home is None if place.host is None else
                place.host == self.server.host)

    def finding(self, kind, certainty, *why, places=()):
        """Make a finding of this case."""
        hosts = []
        if self.server is not None and self.server.host:
            hosts.append(self.server.host)
        hosts += [place.name for place in places if place.name not in hosts]
        told = list(why)
        for place, guest in self.seen:
            told.append('libvirt on %s: %s.' % (place.name, guest.words))
        if self.server is not None:
            told.append('Nova: %s.' % self.server.words)
        return finding.Finding(kind, certainty, self.uuid, hosts, told,
                               self._moments())

    def _moments(self):
        found = []
        for place, guest in self.seen:
            if guest.since is not None:
                found.append(finding.Moment(
                    guest.since, place.name, 'libvirt',
                    "the guest's QEMU was started here", guest.name,
                    ALLOWANCE))
            found.append(finding.Moment(
                place.look.ended, place.name, 'libvirt', guest.words,
                '%s, domain %s' % (guest.name, guest.id), ALLOWANCE))
        if self.home is not None and self.home not in [
                place for place, _ in self.seen]:
            found.append(finding.Moment(
                self.home.look.ended, self.home.name, 'libvirt',
                'no such guest', '', ALLOWANCE))
        server = self.server
        if server is not None:
            for when, what, text in (
                    (server.migrating_since, 'live migration asked for',
                     'to %s' % server.destination),
                    (server.updated, "Nova's record was changed",
                     server.words),
                    (server.fault_at, 'Nova recorded a fault',
                     server.fault or '')):
                if when is not None:
                    found.append(finding.Moment(
                        when, server.host, 'Nova', what, text, ALLOWANCE))
        return sorted(found, key=lambda moment: moment.when)


def compare(around, now, migrating_after=MIGRATING_AFTER):
    """Find what is wrong in one round.

    :param around: Round
    :param now: seconds since the epoch (float)
    :param migrating_after: seconds after which a migration is long (float)
    :returns: list of finding.Finding
    """
    servers = around.servers
    hosts = around.view.hosts if around.view else {}
    silent = len(set(hosts) - set(around.by_host))
    found = []
    for uuid in {**dict.fromkeys(around.seen), **dict.fromkeys(servers)}:
        server = servers.get(uuid)
        home = around.by_host.get(server.host) if server else None
        case = Case(uuid, server, around.view is not None,
                    around.seen.get(uuid, []), home, silent, now,
                    migrating_after,
                    around.view.services.get(uuid) if around.view else None)
        found += filter(None, [_first(_COPIES, case)] + (
            [_first(_RECORD, case)] if server else []))
        if case.services and server and not server.task_state:
            found += filter(None, [rule(case) for rule in _SERVICES])
    return found


def _first(rules, case):
    for rule in rules:
        told = rule(case)
        if told is not None:
            return told
    return None


# The rules. Each tells a finding, False for "no finding, and ask no further
# rule", or None for "ask the next".

def _doubled(case):
    places = case.where(guests.RUNS)
    if len(places) > 1:
        return case.finding(
            DOUBLED, finding.CERTAIN,
            'It runs on %s.' % ' and '.join(one.name for one in places),
            places=places)


def _paused_copy(case):
    places = case.where(guests.RUNS, guests.PAUSED)
    if len(places) > 1:
        return case.finding(
            PAUSED_COPY, finding.LIKELY,
            'It has a copy on each of %s, and one that is paused can go on at '
            'any time.' % ' and '.join(one.name for one in places),
            places=places)


def _shell(case):
    places = case.where(guests.SHELL)
    if not places or case.migrates:
        return None
    if case.server is not None and case.server.task_state:
        return None
    if case.has_nova and case.server is None:
        return None
    others = case.where(guests.RUNS, guests.PAUSED)
    return case.finding(
        SHELL,
        finding.LIKELY if case.server is not None else finding.POSSIBLE,
        'A domain on %s waits for its guest%s.' % (
            ' and '.join(one.name for one in places),
            ', and Nova knows of no migration' if case.server is not None
            else '; only Nova knows whether a migration is in progress'),
        places=others + places)


def _parked(case):
    server = case.server
    if case.migrates and server.vm_state == nova_record.ERROR:
        return case.finding(
            PARKED, finding.CERTAIN,
            'Why: %s' % (server.fault or 'Nova has no fault of it.'),
            places=[place for place, _ in case.seen])


def _migrating(case):
    server = case.server
    if not case.migrates:
        return None
    if not case.is_old:
        return False
    runs = case.where(guests.RUNS, guests.PAUSED)
    moved = [place for place in runs if not case.is_home(place)]
    quiet = case.home in runs and len(case.seen) == 1
    since = server.migrating_since or server.updated
    why = 'It has been migrating for %d minutes.' % ((case.now - since) / 60)
    if moved:
        why += ' The guest is on %s by now.' % moved[0].name
    elif quiet:
        why += ' No host that answered has a domain waiting for it.'
    return case.finding(
        MIGRATING_LONG,
        finding.LIKELY if moved or quiet else finding.POSSIBLE, why,
        places=[place for place, _ in case.seen])


def _busy(case):
    # a task is at work, and will put the record right
    return False if case.server.task_state else None


def _though_off(case):
    server, places = case.server, case.where(guests.RUNS)
    kinds = {nova_record.ERROR: RUNS_IN_ERROR,
             nova_record.DELETED: RUNS_THOUGH_DELETED}
    kind = kinds.get(server.vm_state)
    if server.vm_state in nova_record.OFF:
        kind = RUNS_THOUGH_OFF
    if not places or kind is None:
        return None
    elsewhere = [one for one in places if not case.is_home(one)]
    why = 'It runs on %s, and Nova says %s' % (
        ' and '.join(one.name for one in places), server.vm_state)
    if elsewhere and server.host:
        why += ' and names %s' % server.host
    certainty = finding.CERTAIN
    if kind == RUNS_IN_ERROR and not elsewhere:
        # many things end in error, and Nova knows that it runs
        certainty = (finding.POSSIBLE if server.power_state == _NOVA_RUNNING
                     else finding.LIKELY)
    return case.finding(kind, certainty, why + '.', places=places)


def _elsewhere(case):
    server = case.server
    if not server.host or server.vm_state == nova_record.DELETED:
        return None
    places = case.where(guests.RUNS, guests.PAUSED)
    if not places or any(case.is_home(place) for place in places):
        return None
    return case.finding(
        RUNS_ELSEWHERE, finding.CERTAIN,
        'It is on %s, and Nova names %s%s.' % (
            ' and '.join(one.name for one in places), server.host,
            ', which does not have it running' if case.home
            else ', which did not answer'), places=places)


def _nowhere(case):
    server = case.server
    if server.vm_state not in nova_record.THERE or case.home is None:
        return None
    if case.where(guests.RUNS, guests.PAUSED, guests.SHELL):
        return None
    defined = case.where(guests.OFF)
    why, certainty = 'No host that answered runs it', finding.CERTAIN
    if case.elsewhere_silent:
        certainty = finding.LIKELY
        why += '; %d of the hosts that Nova names did not answer, or were ' \
            'not asked' % case.elsewhere_silent
    elif case.home in defined:
        certainty = finding.LIKELY
        why += '; its domain is shut off'
    return case.finding(RUNS_NOWHERE, certainty, why + '.',
                        places=defined)


def _port_elsewhere(case):
    places = case.where(guests.RUNS, guests.PAUSED)
    if len(places) != 1 or places[0].host is None:
        return None
    wrong = [(port, host) for port, host in case.services.ports
             if host != places[0].host]
    if not wrong:
        return None
    return case.finding(
        PORT_ELSEWHERE, finding.CERTAIN, 'It is on %s, and %s.' % (
            places[0].name, ' and '.join(
                'port %s is bound to %s' % one for one in wrong)),
        places=places)


def _allocated_twice(case):
    names = case.services.providers
    # before Queens a resize has both until it is confirmed
    if not names or len(names) < 2 or case.server.vm_state == 'resized':
        return None
    return case.finding(
        ALLOCATED_TWICE, finding.LIKELY,
        'Placement has it on %s, and no task is at work.'
        % ' and '.join(names), places=case.where(guests.RUNS, guests.PAUSED))


def _attachment_missing(case):
    places = case.where(guests.RUNS, guests.PAUSED)
    if not places or not case.services.unattached:
        return None
    return case.finding(
        ATTACHMENT_MISSING, finding.CERTAIN,
        'It is on %s with %s, of which Cinder has no attachment to it.' % (
            ' and '.join(one.name for one in places), ' and '.join(
                'volume %s' % one for one in case.services.unattached)),
        places=places)


# All of these may be found of an instance.
_SERVICES = (_port_elsewhere, _allocated_twice, _attachment_missing)
# One of each table may be found of an instance.
_COPIES = (_doubled, _paused_copy, _shell)
# A record that a task is about to change is judged by none of the later rules.
_RECORD = (_parked, _migrating, _busy, _though_off, _elsewhere, _nowhere)
