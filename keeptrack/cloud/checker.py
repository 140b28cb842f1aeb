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

"""Judges a snapshot: what is right, what is wrong, column by column.

It asks nobody: a Snapshot is all that it knows.
"""

from keeptrack.cloud import places
from keeptrack.cloud import recorder

COLUMNS = ('host', 'state', 'allocation', 'binding', 'disk', 'data')

# A guest's domain states, and what Nova's vm_state has to be.
_FITS = {'running': ('active',), 'paused': ('paused',),
         'stopped': ('stopped',)}

# a migration that Nova has not ended
_OPEN = ('queued', 'accepted', 'preparing', 'pre-migrating', 'running',
         'running (post-copy)', 'post-migrating', 'reverted')


def check(snapshot, kept=()):
    """Judge where an instance has ended.

    :param snapshot: a recorder.Snapshot
    :param kept: hosts whose disk Nova may not delete: a second copy of the
        guest has written to it, and nobody has compared the two
    :returns: dict of column to what is wrong (str), or None where it is right
    """
    if snapshot.server is None:
        return _deleted(snapshot)
    return {'host': _host(snapshot), 'state': _state(snapshot),
            'allocation': _allocation(snapshot),
            'binding': _binding(snapshot), 'disk': _disk(snapshot, kept),
            'data': _data(snapshot, kept)}


def is_split_brain(snapshot):
    """Tell whether both hosts have a copy that has run (bool)."""
    return all(state in ('running', 'paused')
               for state in snapshot.domains.values())


def is_parked(snapshot):
    """Tell whether Nova keeps the instance in doubt, for all to see (bool)."""
    server = snapshot.server
    return (server is not None and server['vm_state'] == 'error' and
            server['task_state'] == 'migrating')


def _running(snapshot):
    return [host for host, state in snapshot.domains.items()
            if state == 'running']


def _host(snapshot):
    """The record names the host that has the guest, and no other has it."""
    recorded = snapshot.server['host']
    running = _running(snapshot)
    if len(running) > 1:
        return 'both hosts run the guest'
    if is_split_brain(snapshot):
        # one copy is paused: right only if Nova says so
        return (None if is_parked(snapshot) else
                'a second copy is paused, and nobody is told')
    if running and running[0] != recorded:
        return f'the guest runs on {running[0]}, the record says {recorded}'
    others = [host for host, state in snapshot.domains.items()
              if state != recorder.ABSENT and host != recorded]
    if others:
        return (f'{others[0]} has a domain that is '
                f'{snapshot.domains[others[0]]}')
    for host in places.HOSTS:
        if bool(snapshot.qemus[host]) != (snapshot.domains[host] in (
                'running', 'paused')):
            return (f'{host} has {snapshot.qemus[host]} QEMUs and a domain '
                    f'that is {snapshot.domains[host]}')
    return None


def _state(snapshot):
    """The record's state is the guest's, and every migration has ended."""
    server = snapshot.server
    if is_split_brain(snapshot) and is_parked(snapshot):
        return None
    guest = ('running' if _running(snapshot) else
             snapshot.domains.get(server['host'], recorder.ABSENT))
    if server['task_state'] is not None:
        return f'{server["vm_state"]}, task {server["task_state"]}'
    if server['vm_state'] not in _FITS.get(guest, ('stopped',)):
        return f'{server["vm_state"]}, the guest is {guest}'
    still = [each['status'] for each in snapshot.migrations
             if each['status'] in _OPEN]
    return f'a migration is still {still[0]}' if still else None


def _allocation(snapshot):
    if is_split_brain(snapshot) and is_parked(snapshot):
        return None
    wanted = [(snapshot.server['host'], 'server')]
    if snapshot.allocations == wanted:
        return None
    return _listed(f'{kind} on {host}'
                   for host, kind in snapshot.allocations) or 'none'


def _binding(snapshot):
    if snapshot.bindings is None:
        return 'Neutron does not answer'
    if is_split_brain(snapshot) and is_parked(snapshot):
        return None
    if snapshot.bindings == [(snapshot.server['host'], 'ACTIVE')]:
        return None
    return _listed(f'{host} {status}'
                   for host, status in snapshot.bindings) or 'none'


def _disk(snapshot, kept):
    """One copy of the disk, unless both may have been written to."""
    recorded = snapshot.server['host']
    if recorded not in snapshot.disks:
        return f'no disk on {recorded}'
    deleted = [host for host in kept if host not in snapshot.disks]
    if deleted:
        return f'the disk of the second copy on {deleted[0]} is deleted'
    others = [host for host in snapshot.disks
              if host != recorded and host not in kept]
    if others and not (is_split_brain(snapshot) and is_parked(snapshot)):
        return f'a disk on {others[0]}, too'
    return None


def _data(snapshot, kept):
    """Every count that the guest has reported as written is on the disk."""
    recorded = snapshot.server['host']
    known = [count for host, count in snapshot.acknowledged.items()
             if count is not None and (host == recorded or
                                       host not in kept)]
    if not known:
        return 'the guest has reported nothing'
    last = max(known)
    if is_split_brain(snapshot):
        # either copy may be the one that is kept
        found = max((count or 0 for count in snapshot.disks.values()),
                    default=0)
    else:
        found = snapshot.disks.get(recorded) or 0
    return None if found >= last else f'{last - found} writes are lost'


def _deleted(snapshot):
    """Nothing is left of an instance that was deleted."""
    left = [f'{host} has a domain that is {state}'
            for host, state in snapshot.domains.items()
            if state != recorder.ABSENT]
    left += [f'{host} has a QEMU' for host, count in snapshot.qemus.items()
             if count]
    return {'host': left[0] if left else None, 'state': None,
            'allocation': _listed(f'{kind} on {host}' for host, kind in
                                  snapshot.allocations) or None,
            'binding': _listed(f'{host} {status}' for host, status in
                               snapshot.bindings or ()) or None,
            'disk': _listed(f'a disk on {host}'
                            for host in snapshot.disks) or None,
            'data': None}


def _listed(words):
    return ', '.join(words)
