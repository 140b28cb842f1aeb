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


"""Checks again: only what remains is a finding.

A migration in progress can look like a fault for a moment. So what the first
check finds has to remain in a second one, all of which is later than all of
the first, and Nova's record must not have changed between them. If there is no
second check, what the first has found is possible: it was not refuted.
"""

import dataclasses

from keeptrack.audit import finding
from keeptrack.audit.hosts import comparing

# of these Nova's record alone decides, which may be written on the way
_NOVA_ONLY = (comparing.PARKED, comparing.MIGRATING_LONG)
# of these Nova's record decides nothing
_HOSTS_ONLY = (comparing.DOUBLED, comparing.PAUSED_COPY)

ONCE = 'It was seen only once: %s.'


def hosts_to_look_at(findings):
    """The hosts whose answer a second check needs.

    :param findings: of the first check
    :returns: set of names, or None for all of them: a guest that was seen
        nowhere may be anywhere
    """
    if any(one.kind in (comparing.RUNS_NOWHERE, comparing.MIGRATING_LONG)
           for one in findings):
        return None
    return {name for one in findings for name in one.hosts}


def confirm(first, findings, second, again):
    """Keep what remains.

    :param first: the comparing.Round of the first check
    :param findings: what it has shown (list of finding.Finding)
    :param second: the comparing.Round of the second check, of the hosts that
        it needs at least
    :param again: what that has shown (list of finding.Finding)
    :returns: list of finding.Finding
    """
    later = {_key(one): one for one in again}
    kept = []
    for one in findings:
        other = later.get(_key(one))
        if other is None:
            why = _not_refuted(one, first, second)
        else:
            why = _not_proven(one, first, second)
            if why is False:
                continue
        if other is None and why is None:
            continue
        kept.append(_merged(one, other, why))
    return kept


def _key(one):
    return one.kind, one.instance, frozenset(one.hosts)


def _not_refuted(one, first, second):
    """Why a finding is missing in the second check: None if it was refuted."""
    missing = []
    for name in one.hosts:
        before, after = first.by_name.get(name), second.by_name.get(name)
        if before is None:
            continue
        if after is None:
            missing.append(name)
        elif _presence(before, one.instance) != _presence(after, one.instance):
            return None
    if _changed(one, first, second):
        return None
    if missing:
        return '%s did not answer the second time' % ' and '.join(missing)
    return None


def _presence(place, uuid):
    guest = place.look.guests.get(uuid)
    return guest.presence if guest else None


def _changed(one, first, second):
    """Whether Nova's record has changed between two checks of it (bool)."""
    if one.kind in _HOSTS_ONLY or first.view is None or second.view is None:
        return False
    before, after = (around.servers.get(one.instance)
                     for around in (first, second))
    if before is None or after is None:
        return before is not after
    if one.kind in _NOVA_ONLY:
        return False
    return _settled(before) != _settled(after)


def _settled(server):
    return (server.host, server.vm_state, server.task_state, server.updated)


def _not_proven(one, first, second):
    """What is wrong with a finding that both checks have.

    :returns: None if nothing is, False if it does not remain, or why it is
        not sure (str)
    """
    if one.kind in _NOVA_ONLY:
        return None
    if _changed(one, first, second):
        return False
    before = [first.by_name[name].look for name in one.hosts
              if name in first.by_name]
    after = [second.by_name[name].look for name in one.hosts
             if name in second.by_name]
    if before and after and (max(look.ended for look in before) >=
                             min(look.began for look in after)):
        return ('one host was checked twice before another was checked '
                'for the first time')
    if (one.kind not in _HOSTS_ONLY and first.view is not None and
            first.view is second.view):
        return _one_view(one, first, before, after)
    return None


def _one_view(one, first, before, after):
    """The same, where Nova was asked only once."""
    server = first.servers.get(one.instance)
    if server is None or not before:
        return None
    updated = server.updated
    if (updated is not None and updated + comparing.ALLOWANCE >
            min(look.began for look in before)):
        return False
    if first.view.when < max(look.ended for look in after or before):
        return 'Nova was asked once, before the hosts'
    return None


def _merged(one, other, why):
    moments = list(one.moments)
    if other is not None:
        moments += [moment for moment in other.moments
                    if moment not in moments]
    moments.sort(key=lambda moment: moment.when)
    base = other or one
    if why is None:
        return dataclasses.replace(base, moments=tuple(moments))
    return dataclasses.replace(
        base, moments=tuple(moments), certainty=finding.POSSIBLE,
        why=base.why + (ONCE % why if other is None else
                        'It is not sure: %s.' % why,))


def once(around, findings):
    """What to make of findings of hosts that were asked only once.

    :param around: the comparing.Round
    :param findings: list of finding.Finding
    :returns: list of finding.Finding
    """
    kept = []
    for one in findings:
        if one.kind in _NOVA_ONLY:
            kept.append(one)
            continue
        before = [around.by_name[name].look for name in one.hosts
                  if name in around.by_name]
        if one.kind not in _HOSTS_ONLY and around.view is not None and \
                _one_view(one, around, before, ()) is False:
            continue
        kept.append(_merged(one, None, 'each host was asked once'))
    return kept
