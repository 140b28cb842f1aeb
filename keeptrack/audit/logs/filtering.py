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
searched for parts of the messages, and a line with a part for the messages
themselves. Those with other characters than ASCII's are looked for only in
lines that have such.
"""

import functools

import ahocorasick_rs

from keeptrack.audit.logs import messages

# Each message in ASCII has one of these. Up to 32 of at least four bytes are
# found at memory speed: by Teddy, which puts those that are eight apart in
# this order into one of eight buckets, and stops wherever the halves of four
# bytes in a row are halves of first bytes in one bucket. The bytes and the
# order were chosen to make that rare: no stop in 66 KB of nova-compute's own
# logs at debug, one in 300 bytes of Nova's source. 0.1 s a GB; the messages as
# they are take 2.3 s.
PARTS = (
    'lding instance', 't clean', 'ssage handling', 'edly ',
    'fter nova-compute re', 'e is parked (vm_stat', 'migrati',
    'Terminating instance', 'on operati', 'reignis im Lebenszyk', '(Evento',
    'troyed successfully', 'cycle Event', 'nula.', 'n running for', 'acuat',
    'vm_power_state', 'Deleti', 'ished successfully.', 'Ciclo de vida',
    'moved', 'Volver a crear insta', 'n HTTP/', 'ntrouvable contre to',
    'Migrazione pre live ', 't were copied to', ' shut', 'tanz',
    'IT BRAIN: ', 'ncia ', 'Migrati', 'lder copy')

# a character that JSON has by its number
_BY_NUMBER = b'\\u'
# bytes in which a log that is full of them has one
_HEAD = 4096

_ASCII = [one.encode() for one in messages.PATTERNS
          if one.isascii() and _BY_NUMBER.decode() not in one]
_OTHER = [one.encode() for one in messages.PATTERNS
          if one.encode() not in _ASCII]


@functools.cache
def make():
    """What finds the patterns of messages.py.

    :returns: a callable: bytes, and whether all of them are ASCII, to the list
        of where a pattern ends in each line that has one (int), in no order;
        in a line with other characters there may be more
    """
    return _Search()


def _automaton(texts):
    # only of this kind are texts found many bytes at once
    return ahocorasick_rs.BytesAhoCorasick(
        texts, matchkind=ahocorasick_rs.MatchKind.LeftmostFirst)


@functools.cache
def _one(text):
    return _automaton([text])


def places(text, data):
    """Find one text, faster than bytes.find() does where its bytes are usual.

    :param text: bytes
    :param data: bytes
    :returns: list of where it begins (int)
    """
    return [begin for _, begin, _ in _one(text).find_matches_as_indexes(data)]


class _Search:
    def __init__(self):
        self._parts = _automaton([one.encode() for one in PARTS])
        self._ascii = _automaton(_ASCII)

    @functools.cached_property
    def _other(self):
        # most logs need none
        return _automaton(_OTHER)

    def __call__(self, data, is_ascii):
        ends, done = [], 0
        for _, begin, end in self._parts.find_matches_as_indexes(data):
            if end <= done:
                continue
            begin = data.rfind(b'\n', 0, begin) + 1
            done = data.find(b'\n', end)
            done = len(data) if done < 0 else done
            found = self._ascii.find_matches_as_indexes(data[begin:done])
            if found:
                ends.append(begin + found[0][2])
        if not is_ascii or b'\\' in data and (
                _BY_NUMBER in data[:_HEAD] or places(_BY_NUMBER, data)):
            ends += self._others(data)
        return ends

    def _others(self, data):
        at = 0
        for line in data.split(b'\n'):
            if not line.isascii() or _BY_NUMBER in line:
                for found in self._other.find_matches_as_indexes(line):
                    yield at + found[2]
            at += len(line) + 1
