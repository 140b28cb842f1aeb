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


"""Which of Nova's hosts has answered: a libvirtd may lie about its name.

Nova knows a host by the name of its nova-compute and by what libvirt there
calls it. An answer counts as a host of Nova's only if both do not contradict
each other; otherwise it is a host that nothing is known of, and the one that
was to be asked has not answered.
"""

import dataclasses

from keeptrack.audit import host_name

# what many a host calls itself
_NOBODY = ('localhost', 'localhost.localdomain')


@dataclasses.dataclass(frozen=True)
class Place:
    """A host that has answered.

    :ivar name: what it is called in findings (str)
    :ivar host: the name that Nova has for it (str), or None if it has none,
        or none that is sure
    :ivar look: its guests.Look
    :ivar doubt: why it is not sure (str), or None
    """

    name: str
    host: str | None
    look: object
    doubt: str | None = None


def distinct(looks):
    """Leave out the second answer of one and the same host.

    The host's uuid and name have to be the same: some makers give one uuid to
    all their boards. Where the names differ, or there is no uuid, it is the
    same libvirtd when all its running guests have the same numbers, too.

    :param looks: list of guests.Look
    :returns: list of guests.Look, list of (left out, kept)
    """
    kept, twins = [], []
    by_uuid, by_guests = {}, {}
    for look in sorted(looks, key=_lies):
        numbers = frozenset((uuid, guest.id) for uuid, guest
                            in look.guests.items() if guest.id is not None)
        key = (look.host_uuid, look.hostname) if look.host_uuid else None
        other = by_uuid.get(key) if key else None
        same_machine = (look.host_uuid or look.hostname, numbers)
        if other is None and numbers:
            other = by_guests.get(same_machine)
        if other is not None:
            twins.append((look, other))
            continue
        kept.append(look)
        if key:
            by_uuid[key] = look
        if numbers:
            by_guests[same_machine] = look
    return kept, twins


def _lies(look):
    """Whether a host calls itself otherwise than it was asked (bool)."""
    return host_name.short(look.asked) != host_name.short(look.hostname)


def places(looks, hosts):
    """Say which host of Nova's each answer is.

    :param looks: list of guests.Look, of distinct hosts
    :param hosts: as nova_record.View has them (dict); empty without Nova
    :returns: list of Place
    """
    names = _Names(hosts)
    found = [_place(look, names) for look in looks]
    claims = {}
    for place in found:
        if place.host is not None:
            claims.setdefault(place.host, []).append(place)
    # two that say to be one host: whoever was asked by this name is it
    for host, rivals in claims.items():
        if len(rivals) == 1:
            continue
        true = [one for one in rivals if names.find(one.look.asked) == host]
        for one in rivals:
            if len(true) != 1 or one is not true[0]:
                found[found.index(one)] = dataclasses.replace(
                    one, name=one.look.asked, host=None,
                    doubt='it says to be %s, as another does' % host)
    return found


def _place(look, names):
    asked, called = names.find(look.asked), names.find(look.hostname)
    if not names:
        return Place(look.asked, None, look)
    if called is not None and asked in (None, called):
        return Place(called, called, look)
    if called is not None:
        return Place(look.asked, None, look, 'it was asked as %s and says to '
                     'be %s' % (look.asked, look.hostname))
    if asked is not None and names.node(asked) is None:
        # nothing that its name could contradict
        return Place(asked, asked, look)
    if asked is not None:
        return Place(look.asked, None, look, 'it calls itself %s, and Nova '
                     'knows it as %s' % (look.hostname, names.node(asked)))
    return Place(look.asked, None, look, 'it calls itself %s, which is none '
                 'of the hosts that Nova names' % look.hostname)


class _Names:
    """Finds a host of Nova's by any of its names."""

    def __init__(self, hosts):
        self._hosts = hosts
        self._exact, self._short = {}, {}
        for host, node in hosts.items():
            for name in {host, node} - {None}:
                self._exact[name.lower()] = host
                self._short.setdefault(host_name.short(name), set()).add(
                    host)

    def __bool__(self):
        return bool(self._hosts)

    def node(self, host):
        return self._hosts[host]

    def find(self, name):
        """The host that has a name, whole or its first part; or None."""
        name = name.lower()
        if name in self._exact:
            return self._exact[name]
        if name in _NOBODY:
            return None
        found = self._short.get(host_name.short(name), ())
        return next(iter(found)) if len(found) == 1 else None
