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

"""How fast keeptrack audit logs is beside grep, and how much memory it takes.

usage: audit_logs.py [--size GB] [--runs N] LOG...

A log of that size is made of some of nova-compute's: these once, and then
their lines without a sign again and again, as a host that migrates a guest
now and then writes them.  grep counts one instance's uuid in it, plain, and
zgrep in the same log packed.  Each command's median is told, with its ratio to
the other's of the same run; the file's pages are in memory for both.
"""

import argparse
import concurrent.futures
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

from keeptrack.audit.logs import filtering
from keeptrack.audit.logs import formats

PIECE = 64 << 20


def make(paths, size, target):
    """Write the log; returns a uuid that stands in it."""
    whole = b''.join(open(path, 'rb').read() for path in paths)
    signs = re.compile(b'|'.join(re.escape(one.encode())
                                 for one in filtering.PATTERNS))
    idle = b''.join(line for line in whole.splitlines(True)
                    if not signs.search(line))
    if not idle:
        sys.exit('these logs have no line without a sign: name others')
    idle *= max(1, PIECE // len(idle))
    with open(target, 'wb') as log:
        log.write(whole)
        while log.tell() < size:
            log.write(idle)
    found = re.search(formats.UUID.encode(), whole)
    return found.group().decode() if found else 'none'


def run(words):
    """Run a command; returns seconds and the most memory it had, in KiB."""
    began = time.monotonic()
    # with /dev/null grep stops at the first line
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(words, stdout=out,
                                   stderr=subprocess.DEVNULL)
        usage = os.wait4(process.pid, 0)[2]
    return time.monotonic() - began, usage.ru_maxrss


def compare(runs, first, second):
    """Run two commands in turn and tell their ratio."""
    times, memory = {first: [], second: []}, {}
    for _ in range(runs):
        for words in (first, second):
            seconds, memory[words] = run(words)
            times[words].append(seconds)
    medians = {words: statistics.median(times[words]) for words in times}
    for words in (first, second):
        print('%-24s %7.2f s  ratio %5.2f  %6d KiB' % (
            ' '.join(words[:2]), medians[words],
            medians[words] / medians[first], memory[words]), flush=True)


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('logs', nargs='+', metavar='LOG')
    parser.add_argument('--size', type=float, default=5, metavar='GB')
    parser.add_argument('--runs', type=int, default=3, metavar='N')
    options = parser.parse_args()
    audit = (sys.executable, '-m', 'keeptrack.cli', 'audit', 'logs')
    with tempfile.TemporaryDirectory(prefix='kt-bench-') as folder:
        log = os.path.join(folder, 'nova-compute-one.log')
        # in a process of its own: a child's memory begins with its parent's
        with concurrent.futures.ProcessPoolExecutor(1) as pool:
            uuid = pool.submit(make, options.logs, options.size * 1e9,
                               log).result()
        run(('cat', log))
        compare(options.runs, ('grep', '-c', uuid, log), audit + (log,))
        compare(1, ('grep', '-cE', formats.UUID, log), audit + (log,))
        packed = log + '.gz'
        subprocess.run(('gzip', '-1', log), check=True)
        compare(options.runs, ('zgrep', '-c', uuid, packed),
                audit + (packed,))


if __name__ == '__main__':
    main()
