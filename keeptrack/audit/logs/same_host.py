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

"""One host under two names: its address and its name, short and in full.

Two hosts that are taken for one hide a lost guest, so only a name that begins
another, or the same lines at the same milliseconds, makes two names one.
"""

import collections
import dataclasses
import ipaddress
import itertools
import math

# of the lines of both in the time of those that they share
_SHARE = 0.8


@dataclasses.dataclass
class _Shared:
    """Lines that two names have in common.

    :ivar number: of them (int)
    :ivar first: time of the first (float)
    :ivar last: and of the last (float)
    :ivar signs: names of their signs (set of str)
    """

    number: int = 0
    first: float = math.inf
    last: float = -math.inf
    signs: set = dataclasses.field(default_factory=set)


def names(shards, hosts):
    """Find the names that are those of one host.

    :param shards: callable that goes through all events: returns an iterable
        of dict of uuid to list of event_store.Event
    :param hosts: all names (iterable of str)
    :returns: dict of each name that is not used to the one that is
    """
    groups = {name: {name} for name in sorted(hosts)}
    shared = collections.defaultdict(_Shared)
    for when, sign, several in _lines(shards, 2) if len(groups) > 1 else ():
        for pair in itertools.combinations(sorted(several), 2):
            one = shared[pair]
            one.number += 1
            one.first, one.last = min(one.first, when), max(one.last, when)
            one.signs.add(sign)
    pairs = _same(shards, {pair: one for pair, one in shared.items()
                           if len(one.signs) > 1})
    full = collections.defaultdict(set)
    for name in groups:
        full[name.lower().partition('.')[0]].add(name)
    # cmp1 may be any of cmp1.x.org and cmp1.y.org
    pairs += [tuple(same) for short, same in full.items()
              if len(same) == 2 and short in {one.lower() for one in same}
              and not any(_is_address(one) for one in same)]
    for one, other in pairs:
        if groups[one] is not groups[other]:
            groups[one] |= groups[other]
            for name in groups[other]:
                groups[name] = groups[one]
    best = {name: min(group, key=_rank) for name, group in groups.items()}
    return {name: to for name, to in best.items() if name != to}


def _lines(shards, least):
    """Go through the lines of the instances that as many names have.

    :returns: generator of float, str, set of str: a line's time and sign, and
        the names that have it
    """
    for events in shards():
        for found in events.values():
            if len({one.host for one in found}) < least:
                continue
            by_line = collections.defaultdict(set)
            for one in found:
                by_line[one.when, one.sign, one.text].add(one.host)
            for (when, sign, _), several in by_line.items():
                yield when, sign, several


def _same(shards, candidates):
    """The pairs that have most lines of the time of the shared ones."""
    by_name = collections.defaultdict(list)
    for pair in candidates:
        for name in pair:
            by_name[name].append(pair)
    numbers = collections.Counter()
    for when, _, several in _lines(shards, 1) if candidates else ():
        for name in several:
            numbers.update((pair, name) for pair in by_name.get(name, ())
                           if candidates[pair].first <= when <=
                           candidates[pair].last)
    return [pair for pair, one in candidates.items() if one.number >=
            _SHARE * max(numbers[pair, name] for name in pair)]


def _is_address(name):
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _rank(name):
    """A host's own name goes before a path, a pod or an address."""
    return '/' in name, _is_address(name), len(name), name
