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

"""Finds the few lines that matter among gigabytes that do not.

The search goes at memory speed only for few and short texts, whose first
bytes are rare (ahocorasick_rs compares many bytes at once then): so a block is
searched for parts of the messages, and what is around a part for the messages
themselves. Those with other characters than ASCII's are looked for only in
lines that have such.
"""

import functools

import ahocorasick_rs

from keeptrack.audit.logs import messages

# Each message in ASCII has one of these. Chosen by measuring on nova-compute's
# own logs at debug: 0.2 s a GB, where the messages as they are take 2.2 s.
PARTS = (
    ' (migrating)', ' a crear instancia', " dell'istanza", ' during',
    ' gestartet', ' moved ', ' se ha movido del ho', ' se sama vypnula.',
    ' successfully', "'instance ", '(Ereignis im Lebensz', '(Evento ',
    '(Lifecycle Event', ': initiating migration', ': shutting down, reas',
    'Deleting instance as ', 'Deleting instance fil', 'Deletion of ',
    'Evacuating instance', 'Fallimento di Live M', 'Instanz',
    'Rebooting instance a', 'Rebuilding instance', 'SPLIT BRAIN: ',
    'Terminating instance', 'The disks that were c', 'amente.', 'corso da ',
    'Rolled back the live', 'ctedly ', 'grazione ', 'he instance is parke',
    'ing instance as it ha', 'iniciad', 'l roll ', 'll finish the migrat',
    'n HTTP/', 'n running for', 'o de Ciclo de vida', 'on Operation abgebro',
    'on fail', 'on has ', 'on was cancelled', 'or pre_live_migratio',
    'ot clean', 'ror monitoring migra', 'started', 've migration a',
    've-Migration fehlges', 'vm_power_state', 'wn by itself. Callin')

# with more parts than these, and than one in so many bytes, all of a block is
# searched for the messages as they are
_FEW, _EVERY = 8, 1000

# a character that JSON has by its number
_BY_NUMBER = b'\\u'
# bytes in which a log that is full of them has one
_HEAD = 4096

_ASCII = [one.encode() for one in messages.PATTERNS
          if one.isascii() and _BY_NUMBER.decode() not in one]
_OTHER = [one.encode() for one in messages.PATTERNS
          if one.encode() not in _ASCII]
_LONGEST = max(len(one) for one in _ASCII)


@functools.cache
def make():
    """What finds the patterns of messages.py.

    :returns: a callable: bytes, and whether all of them are ASCII, to the list
        of where patterns end (int); of patterns that overlap one, and in no
        order
    """
    return _Search()


def _automaton(texts):
    # only of this kind are texts found many bytes at once
    return ahocorasick_rs.BytesAhoCorasick(
        texts, matchkind=ahocorasick_rs.MatchKind.LeftmostFirst)


class _Search:
    def __init__(self):
        self._parts = _automaton([one.encode() for one in PARTS])
        self._ascii, self._other = _automaton(_ASCII), _automaton(_OTHER)
        self._by_number = _automaton([_BY_NUMBER])

    def __call__(self, data, is_ascii):
        found = self._parts.find_matches_as_indexes(data)
        if len(found) > max(_FEW, len(data) // _EVERY):
            # these parts are common here
            found = [(0, 0, len(data))]
        ends = []
        for _, begin, end in found:
            # the message's own part may be one that overlaps this
            begin = max(begin - _LONGEST, 0)
            ends += [begin + one[2] for one in
                     self._ascii.find_matches_as_indexes(
                         data[begin:end + _LONGEST])]
        if not is_ascii or b'\\' in data and (
                # bytes.find() is slow for two bytes
                _BY_NUMBER in data[:_HEAD] or
                self._by_number.find_matches_as_indexes(data)):
            ends += self._others(data)
        return ends

    def _others(self, data):
        at = 0
        for line in data.split(b'\n'):
            if not line.isascii() or _BY_NUMBER in line:
                for found in self._other.find_matches_as_indexes(line):
                    yield at + found[2]
            at += len(line) + 1
