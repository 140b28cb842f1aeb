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

"""Harm to an instance that no failed migration explains.

Files that are deleted or left, guests that a starting nova-compute ends,
records that stay.
"""

from keeptrack.audit import finding
from keeptrack.audit import host_name
from keeptrack.audit.logs import migrations

# seconds in which an instance's own deletion or migration has its files
# deleted: slow volumes included
_EARLIER = 600

# seconds after which an allocation is no longer one of a move under way, and a
# migration is no longer in a queue for certain
_LASTS = 600
_QUEUED = 3600


def find(instance, history, allowance, is_found=False):
    """Find what has harmed one instance.

    :param instance: uuid (str)
    :param history: migrations.InstanceHistory of it
    :param allowance: seconds that clocks may be apart (float)
    :param is_found: a migration of it is a finding already (bool)
    :returns: list of finding.Finding
    """
    events = history.events
    found = [make(instance, *args, allowance) for rule in (
        _ended_at_start, _files_deleted, _files_left, _disks_kept,
        _domain_left, _allocated_twice)
        for args in rule(events)]
    if not is_found:
        found += [make(instance, *args, allowance)
                  for args in _no_job(events)]
    return found


def make(instance, kind, certainty, hosts, why, events, allowance):
    """A finding with these events as its moments (finding.Finding)."""
    return finding.Finding(kind, certainty, instance, hosts, [why], [
        finding.Moment(one.when, one.host, one.source, one.means, one.text,
                       allowance / 2 if len(hosts) > 1 else 0.0)
        for one in events])


def _ended_at_start(events):
    for event in events.of(None, ('ended-at-start',)):
        home = events.last(None, ('posted-there', 'rebuilt'), event)
        if home is not None and home.host != event.host:
            # it was evacuated or has moved
            continue
        if home is not None:
            yield ('ended-at-start', finding.LIKELY, [event.host],
                   'nova-compute on %s ended the guest when it started, and '
                   'the instance was last moved to that host.' % event.host,
                   [home, event])
            continue
        last = events.last(event.host, migrations.LIFECYCLE, event)
        ended = events.of(event.host, ('stopped',), event.when,
                          event.when + _EARLIER)
        elsewhere = any(one.host != event.host for one in
                        events.of(None, ('started', 'resumed')))
        if ended and not elsewhere and (
                last is None or last.sign in ('started', 'resumed')):
            yield ('ended-at-start', finding.POSSIBLE, [event.host],
                   'nova-compute on %s ended the guest when it started; it '
                   'ran until then, and no log that was read shows that Nova '
                   'has started it elsewhere.' % event.host,
                   [event] + ended[:1])


def _files_deleted(events):
    for event in events.of(None, ('files-deleted',)):
        last = events.last(event.host, migrations.LIFECYCLE, event)
        # where it has left or was ended, its files are of no use
        explained = events.of(
            event.host, ('destroyed', 'deleted', 'posted', 'finished',
                         'ended-at-start', 'absent'),
            event.when - _EARLIER, event.when + migrations.STOP_AFTER)
        stopped = events.of(event.host, ('stopped',), event.when,
                            event.when + migrations.STOP_AFTER)
        if last and last.sign == 'resumed' and not explained + stopped:
            yield ('disks-deleted', finding.LIKELY, [event.host],
                   "The instance's files were deleted on %s, where the guest "
                   'was running and no log shows that it had ended.'
                   % event.host, [last, event])


def _files_left(events):
    for host in sorted(events.hosts):
        last = events.last(host, ('deletion',))
        if last and last.detail.endswith(' failed'):
            yield ('files-left', finding.LIKELY, [host],
                   'On %s %s could not be deleted, and no later attempt is '
                   'in the log.' % (host, last.detail.rpartition(' ')[0]),
                   [last])


def _disks_kept(events):
    for host in sorted(events.hosts):
        said = events.last(host, ('disks-kept',))
        there = said and said.detail
        if there and not any(
                host_name.short(one.host) == host_name.short(there)
                for one in events.of(None, ('files-deleted',), said.when)):
            yield ('files-left', finding.LIKELY, [there, host],
                   'nova-compute on %s keeps the disks that were copied to '
                   '%s, since the guest may have written to them.'
                   % (host, there), [said])


def _domain_left(events):
    for host in sorted(events.hosts):
        said = events.last(host, ('domain-left',))
        if said and said.detail:
            yield ('paused-copy', finding.POSSIBLE, [host, said.detail],
                   'nova-compute on %s could not clean up %s after an earlier '
                   'migration: a domain of the guest may be left there.'
                   % (host, said.detail), [said])


def _allocated_twice(events):
    for host in sorted(events.hosts):
        said = [one for one in events.of(host, ('record-at',))
                if 'allocations remaining' in one.text and
                'removed: {}' not in one.text]
        if said and said[-1].when - said[0].when >= _LASTS:
            yield ('allocated-twice', finding.LIKELY,
                   [host] + [one.detail for one in said[-1:] if one.detail],
                   'nova-compute on %s logs for minutes that Placement has '
                   'the instance there, too, while it is on another host.'
                   % host, [said[0], said[-1]])


def _no_job(events):
    for host in sorted(events.hosts):
        said = events.of(host, ('pending',))
        if len(said) > 1 and said[-1].when - said[0].when >= _QUEUED and \
                not events.of(host, ('began', 'watched', 'completed',
                                     'posted', 'rebuilt') + migrations.ENDS,
                              said[0].when):
            yield ('migrating-long', finding.POSSIBLE, [host],
                   'The record has it migrating from %s for %d minutes, and '
                   'nova-compute there monitors no migration of it; it may '
                   'wait in a queue.' % (
                       host, (said[-1].when - said[0].when) / 60),
                   [said[0], said[-1]])
