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
import ipaddress
import itertools

# of the lines of both in the time of those that they share
_SHARE = 0.8


def names(events, hosts):
    """Find the names that are those of one host.

    :param events: dict of uuid to list of scanning.Event
    :param hosts: names of hosts (iterable of str)
    :returns: dict of each name that is not used to the one that is
    """
    lines = collections.defaultdict(set)
    for uuid, found in events.items():
        for one in found:
            lines[one.host].add((one.when, uuid, one.sign, one.text))
    groups = {name: {name} for name in sorted({*hosts, *lines})}
    shared = collections.defaultdict(set)
    by_line = collections.defaultdict(set)
    for name, own in lines.items():
        for line in own:
            by_line[line].add(name)
    for line, several in by_line.items():
        for pair in itertools.combinations(sorted(several), 2):
            shared[pair].add(line)
    pairs = [pair for pair, same in shared.items()
             if _are_one(same, *(lines[name] for name in pair))]
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


def _are_one(shared, *all_lines):
    if len({line[2] for line in shared}) < 2:
        return False
    first, last = (end(line[0] for line in shared) for end in (min, max))
    return len(shared) >= _SHARE * max(
        sum(first <= line[0] <= last for line in lines)
        for lines in all_lines)


def _is_address(name):
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _rank(name):
    """A host's own name goes before a path, a pod or an address."""
    return '/' in name, _is_address(name), len(name), name
