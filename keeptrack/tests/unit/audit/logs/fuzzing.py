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

"""Fuzzed logs: those of reported.py, damaged and packed at random.

usage: python -m keeptrack.tests.unit.audit.logs.fuzzing [NUMBER [SEED]]

What is done to a log decides what the audit may still say:

- same: what it says of the log as it was; nothing of it has changed for a
  reader (packing, lines of others, line ends);
- loud: not exit status 0, since lines that matter cannot be read as they are
  (a time stamp is damaged, a packed file is cut off);
- any: what it likes, but it has to say it (bytes are lost anywhere).
"""

import bz2
import collections
import dataclasses
import gzip
import json
import lzma
import pathlib
import random
import sys
import tempfile

import zstandard

from keeptrack.audit.logs import audit
from keeptrack.audit import page
from keeptrack.audit import prometheus
from keeptrack.audit import report as report_mod
from keeptrack.tests.unit.audit.logs import reported
from keeptrack.tests.unit.audit.logs import reported_later

SAME, LOUD, ANY = 'same', 'loud', 'any'

_PACK = (gzip.compress, lzma.compress, bz2.compress,
         zstandard.ZstdCompressor(write_checksum=True).compress)
_OTHERS = (b'', b'Traceback (most recent call last):',
           b'  File "/usr/lib/python3/dist-packages/x.py", line 1, in f',
           b'2024-07-11 22:10:00.000 7 ERROR oslo.messaging [-] lost: x',
           b'\xff\xfe no text', b'{"message": 1}', b'{', b'[instance: x] y')
_TIMES = (b'someday', b'2024-13-41 25:61:61.000', b'11.07.24 22h10',
          b'9999999999999', b'')


@dataclasses.dataclass(frozen=True)
class Problem:
    """What the audit should not have said.

    :ivar seed: of the log (int)
    :ivar case: name of the case that it was made of (str)
    :ivar done: what was done to it (str)
    :ivar what: what was wrong (str)
    """

    seed: int
    case: str
    done: str
    what: str


def _noise(rng, data):
    data = bytearray(data)
    for _ in range(rng.choice((1, 3, 30, 300))):
        at = rng.randrange(len(data) + 1)
        data[at:at + rng.randrange(9)] = rng.randbytes(rng.randrange(9))
    return bytes(data)


def _cut(rng, data):
    for _ in range(rng.choice((1, 5, 20))):
        at = rng.randrange(len(data) + 1)
        data = data[:at] + data[at + rng.randrange(1, 300):]
    return data


def _marks(rng, data):
    data = bytearray(data)
    for _ in range(rng.choice((1, 10, 100))):
        at = rng.randrange(len(data) + 1)
        data[at:at] = rng.choice((b'\n', b'{', b'"', b'\0', b'[', b'\\u',
                                  b'\\', b'\r', b'\x1b[', b'<13>1 ', b'='))
    return bytes(data)


def _other_lines(rng, data):
    lines = data.split(b'\n')
    for _ in range(rng.choice((1, 10, 100))):
        lines.insert(rng.randrange(len(lines)), rng.choice(_OTHERS))
    return b'\n'.join(lines)


def _line_ends(rng, data):
    return data.replace(b'\n', b'\r\n')


def _no_end(rng, data):
    return data.rstrip(b'\n')


def _twice(rng, data):
    lines = data.split(b'\n')[:-1]
    return b'\n'.join(line for one in lines
                      for line in [one] * rng.choice((1, 1, 2))) + b'\n'


def _packed(rng, data):
    return rng.choice(_PACK)(data)


def _cut_off(rng, data):
    data = rng.choice(_PACK)(data)
    return data[:rng.randrange(20, len(data) - 1)]


def _no_time(rng, data):
    """Damage the time of all lines of the instance: of nova's default."""
    return b'\n'.join(
        rng.choice(_TIMES) + line[23:] if reported.UUID.encode() in line
        else line for line in data.split(b'\n'))


def _utf_16(rng, data):
    return data.decode('utf-8', 'replace').encode('utf-16')


# a document has no lines of its own that could be repeated or left out
_DOCUMENTS = ('.csv', 'q.json')
CASES = [case for case in reported.CASES + reported_later.CASES
         if not any(name.endswith(_DOCUMENTS) for name in case.files)]

DAMAGES = {one[0].__name__.lstrip('_'): one for one in (
    (_noise, ANY), (_cut, ANY), (_marks, ANY), (_other_lines, SAME),
    (_line_ends, SAME), (_no_end, SAME), (_twice, SAME), (_packed, SAME),
    (_cut_off, LOUD), (_no_time, LOUD), (_utf_16, LOUD))}


def _verdict(report):
    """What is to stay the same: kinds of findings, and the exit status."""
    return sorted({one.kind for one in report.findings}), report.status()


def _look(case, folder, change=lambda name, data: data):
    for name, data in case.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(change(name, data if isinstance(data, bytes)
                                else data.encode()))
    return audit.run([str(folder)], processes=1)


def _is_default(case):
    """Whether all its lines are oslo.log's default, with nothing around."""
    return all(isinstance(data, str) and data.startswith('2024-07-11 ')
               and data[24:26] == '7 ' for data in case.files.values())


class Fuzzer:
    """Makes logs and has them audited.

    :ivar statuses: how many logs had which exit status (Counter)
    """

    def __init__(self):
        self.statuses = collections.Counter()
        self._plain = {}

    def check(self, seed):
        """Audit the log of one seed.

        :param seed: int
        :returns: Problem, or None
        """
        rng = random.Random(seed)
        case = rng.choice(CASES)
        done = rng.choice([name for name, (change, may) in DAMAGES.items()
                           if change is not _no_time or _is_default(case)])
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            if case.name not in self._plain:
                self._plain[case.name] = _verdict(_look(case,
                                                        folder / 'plain'))
            try:
                return self._check(rng, seed, case, done, folder / 'fuzzed')
            except Exception as exc:
                return Problem(seed, case.name, done, repr(exc))

    def _check(self, rng, seed, case, done, folder):
        change, may = DAMAGES[done]
        # what is packed has no lines, and is not packed twice
        report = _look(case, folder, lambda name, data: (
            data if may != ANY and data.startswith(b'\x1f\x8b') else
            change(rng, data)))
        kinds, status = _verdict(report)
        self.statuses[status] += 1
        wrong = self._wrong(report, kinds, status)
        before = self._plain[case.name]
        if may == SAME and (kinds, status) != before:
            wrong = wrong or 'it was %s %d, and is %s %d' % (
                before[0], before[1], kinds, status)
        if may == LOUD and status == report_mod.NOTHING_FOUND:
            wrong = wrong or 'exit status 0'
        return Problem(seed, case.name, done, wrong) if wrong else None

    @staticmethod
    def _wrong(report, kinds, status):
        """What holds of every report; returns what does not, or None."""
        if json.loads(report.to_json()) != report.to_dict():
            return 'its JSON says something else'
        if '<html' not in page.text(report) or not prometheus.text(report):
            return 'it cannot be shown'
        if bool(kinds) != (status == report_mod.FOUND):
            return 'exit status %d with findings %s' % (status, kinds)
        if status == report_mod.NOTHING_FOUND and report.failures():
            return 'exit status 0, and not all was read'
        return None


def main(number=1000, seed=1):
    """Audit as many logs and print what was wrong."""
    fuzzer, problems = Fuzzer(), 0
    for one in range(seed, seed + number):
        problem = fuzzer.check(one)
        if problem:
            problems += 1
            print(problem, flush=True)
    print('%d logs, exit statuses %s, %d problems' % (
        number, dict(sorted(fuzzer.statuses.items())), problems))
    return problems != 0


if __name__ == '__main__':
    sys.exit(main(*(int(one) for one in sys.argv[1:3])))
