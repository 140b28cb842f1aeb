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


"""Files of collected JSON: read with bounds, and none spoils the others."""

import dataclasses
import json
import pathlib

from keeptrack.audit.hosts import guests
from keeptrack.audit import report

# bytes: some 300 a guest are usual, and no host has 20,000
LARGEST = 16 * 1024 * 1024
# of Nova's view: some 400 an instance
LARGEST_VIEW = 512 * 1024 * 1024

# Two rounds are what a report can use.
ROUNDS = 2


def load_json(path, largest=LARGEST):
    """Read one JSON file that may be anything.

    :param path: pathlib.Path
    :param largest: bytes that are read at most (int)
    :returns: what it holds
    :raises Broken: one line that says why not
    """
    try:
        if not path.is_file():
            raise guests.Broken('it is no file')
        with path.open('rb') as stream:
            data = stream.read(largest + 1)
    except OSError as error:
        raise guests.Broken(error.strerror or str(error))
    if len(data) > largest:
        raise guests.Broken('it is larger than %d MiB' % (largest >> 20))
    try:
        return json.loads(data.decode('utf-8'), parse_constant=_no_number,
                          object_pairs_hook=_once)
    except UnicodeDecodeError:
        raise guests.Broken('it is no UTF-8')
    except RecursionError:
        raise guests.Broken('it is nested too deeply')
    except ValueError as error:
        raise guests.Broken('it is no JSON: %s' % guests.short(str(error)))


def _no_number(name):
    raise ValueError('%s is no number' % name)


def _once(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError('a key is there twice')
    return found


def load(names):
    """Read the documents of many hosts.

    :param names: files and folders, in which every .json counts (list of str)
    :returns: a list of guests.Look, and a list of report.NotSeen
    """
    looks, not_seen = [], []
    for path in _files(names, not_seen):
        try:
            looks.append(guests.read(load_json(path)))
        except guests.Broken as error:
            not_seen.append(report.NotSeen(str(path), str(error)))
    return looks, not_seen


def _files(names, not_seen):
    for name in names:
        path = pathlib.Path(name)
        if not path.is_dir():
            yield path
            continue
        found = sorted(path.rglob('*.json'))
        if not found:
            not_seen.append(report.NotSeen(name, 'no .json is in it'))
        yield from found


def rounds(looks):
    """Sort what was collected into two rounds.

    Two hosts that go by one name are kept apart by their uuids: as two looks
    at one host they would hide a guest that runs on both.

    :param looks: list of guests.Look
    :returns: the first and the second round (lists of guests.Look): of each
        host the last two; one that was collected once is in the first only;
        and a list of report.NotSeen of names that more than one host has
    """
    by_name = {}
    for look in looks:
        by_name.setdefault((look.asked, look.uri), []).append(look)
    first, second, not_seen = [], [], []
    for (name, _), found in by_name.items():
        hosts = _apart(name, found, not_seen)
        for found in hosts:
            found = sorted(found, key=lambda look: look.began)[-ROUNDS:]
            first.append(found[0])
            second.extend(found[1:])
    return first, second, not_seen


def _apart(name, looks, not_seen):
    """The looks at each of the hosts that have a name (list of lists)."""
    uuids = sorted({look.host_uuid for look in looks} - {None})
    if len(uuids) < 2:
        return [looks]
    why = 'it is the name of %d hosts, of the uuids %s: collect each with a ' \
        '--name of its own' % (len(uuids), ' and '.join(uuids))
    untold = sum(look.host_uuid is None for look in looks)
    if untold:
        why += '; %d files name no uuid and were left out' % untold
    not_seen.append(report.NotSeen(name, why))
    return [[dataclasses.replace(look, asked='%s (%s)' % (name, uuid))
             for look in looks if look.host_uuid == uuid] for uuid in uuids]
