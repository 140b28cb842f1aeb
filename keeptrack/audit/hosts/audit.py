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


"""The audit of hosts from the first question to the report."""

import collections
import time

from keeptrack.audit.hosts import asking
from keeptrack.audit.hosts import comparing
from keeptrack.audit.hosts import guests
from keeptrack.audit.hosts import nova_record
from keeptrack.audit.hosts import nova_view
from keeptrack.audit.hosts import recheck
from keeptrack.audit import report
from keeptrack import errors

# seconds between the two checks
PAUSE = 10

WITHOUT_NOVA = ('Nova was not asked: only guests with two copies, and empty '
                'domains, can be found without it (--os-cloud, --nova)')

_NOT_CHECKED = '; not checked: %d of Nova\'s instances'


class Live:
    """Asks the hosts themselves, and Nova if there is one.

    :param targets: list of asking.Target; empty for all hosts that Nova has
    :param template: of a host's URI, with %s
    :param nova: nova_view.Nova, or None
    :param options: of the command: forks, timeout, pause, migrating_after
    :param tell: called with a line for the user
    :param ask: asks hosts, as asking.ask does
    """

    def __init__(self, targets, template, nova, options, tell,
                 ask=asking.ask):
        self._targets = targets
        self._template = template
        self._nova = nova
        self._options = options
        self._tell = tell
        self._ask = ask

    def report(self):
        """Ask all hosts, and check again what was found.

        :returns: report.Report
        :raises KeeptrackError: when Nova cannot be asked
        """
        view = self._nova.view() if self._nova else None
        targets = self._targets or [
            asking.target(name, self._template) for name in view.hosts]
        if not targets:
            raise errors.KeeptrackError('Nova names no host with libvirt')
        self._tell('asking %d hosts' % len(targets))
        first, silences, seconds = self._round(targets, view)
        found = self._compare(first)
        kept = found
        if found:
            kept = self._look_again(first, found, targets, silences)
        return make(first, silences, kept, seconds)

    def _look_again(self, first, found, targets, silences):
        names = recheck.hosts_to_look_at(found)
        silent = {one.target for one in silences}
        some = [target for target in targets if target not in silent and (
            names is None or self._is_named(first, target, names))]
        self._tell('%d to be looked at again in %g s, on %d hosts' % (
            len(found), self._options.pause, len(some)))
        time.sleep(self._options.pause)
        view = self._nova.view() if self._nova else None
        second, _, _ = self._round(some, view)
        return recheck.confirm(first, found, second, self._compare(second))

    @staticmethod
    def _is_named(first, target, names):
        return any(place.look.asked == target.name and place.name in names
                   for place in first.places)

    def _round(self, targets, view):
        looks, silences, began = [], [], time.monotonic()
        for told in self._ask(targets, self._options.forks,
                              self._options.timeout):
            (looks if isinstance(told, guests.Look) else
             silences).append(told)
        around = comparing.Round(looks, view)
        if self._nova is not None:
            unknown = around.unknown()
            if unknown:
                around.deleted = self._nova.deleted(unknown)
        return around, silences, time.monotonic() - began

    def _compare(self, around):
        return comparing.compare(around, time.time(),
                                 self._options.migrating_after)


def collected(first, second, view, deleted, migrating_after):
    """Report on what was collected.

    :param first: the first answer of each host (list of guests.Look)
    :param second: the second, where there is one (list of guests.Look)
    :param view: nova_record.View, or None
    :param deleted: finds what Nova has deleted, as nova_view.Nova.deleted
        does; None where it cannot be asked
    :param migrating_after: seconds (float)
    :returns: report.Report
    """
    rounds = []
    for looks in (first, second):
        around = comparing.Round(looks, view)
        if deleted is not None and view is not None and around.unknown():
            around.deleted = deleted(around.unknown())
        rounds.append(around)
    now = time.time()
    found = [comparing.compare(around, now, migrating_after)
             for around in rounds]
    kept = (recheck.confirm(rounds[0], found[0], rounds[1], found[1])
            if second else recheck.once(rounds[0], found[0]))
    return make(rounds[0], [], kept, None)


def make(around, silences, found, seconds):
    """Make the report.

    :param around: comparing.Round
    :param silences: list of asking.Silence
    :param found: list of finding.Finding
    :param seconds: that asking took (float), or None
    :returns: report.Report
    """
    servers = around.view.servers if around.view else {}
    looked_at = []
    if around.view is not None:
        looked_at.append(report.LookedAt(report.NOVA, {
            'instances': len(servers), 'hosts': len(around.view.hosts)}))
    for place in sorted(around.places, key=lambda place: place.name):
        look = place.look
        counts = {
            'uri': look.uri, 'guests': len(look.guests),
            'running': sum(guest.presence == guests.RUNS
                           for guest in look.guests.values()),
            'seconds': round(look.ended - look.began, 3)}
        if around.view is not None:
            counts['unknown_to_nova'] = sum(
                uuid not in servers for uuid in look.guests)
        looked_at.append(report.LookedAt(place.name, counts))
    return report.Report(report.HOSTS, looked_at,
                         _not_seen(around, silences), found)


def _not_seen(around, silences):
    found = []
    untold = collections.Counter()
    if around.view is None:
        found.append(report.NotSeen('Nova', WITHOUT_NOVA, False))
    else:
        # a host without active instances may have guests all the same
        untold.update(dict.fromkeys(
            set(around.view.hosts) - set(around.by_host), 0))
        untold.update(
            one.host for one in around.view.servers.values()
            if one.vm_state in nova_record.THERE and
            one.host not in around.by_host and one.uuid not in around.seen)
        found += [report.NotSeen(name, 'it was not asked: %s' % why)
                  for name, why in sorted(around.view.unasked.items())]
    names = {}
    for silence in silences:
        names[silence.target.name] = silence.why
    for look, other in around.twins:
        names[look.asked] = ('it is the host that %s is, too: %s'
                             % (other.asked, look.hostname))
    for place in around.places:
        if place.doubt:
            names[place.name] = place.doubt
    for name, why in names.items():
        count = untold.pop(name, 0)
        if count:
            why += _NOT_CHECKED % count
        found.append(report.NotSeen(name, why))
    for host, count in sorted(untold.items(), key=str):
        why = 'it was not examined under this name'
        if count:
            why += _NOT_CHECKED % count
        found.append(report.NotSeen(str(host), why))
    if around.view is not None and around.view.unclear:
        found.append(report.NotSeen(
            'Nova', 'it says too little about %d instances: a cell of it is '
            'down' % around.view.unclear))
    if around.view is not None and \
            len(around.unknown()) > nova_view.MOST_UNKNOWN:
        found.append(report.NotSeen(
            'Nova', 'of the guests that it does not list, only %d were '
            'looked up among the deleted ones' % nova_view.MOST_UNKNOWN))
    return found
