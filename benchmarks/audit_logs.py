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

"""How fast keeptrack audit logs is beside rg, grep and zgrep, and its memory.

usage: audit_logs.py [--size GB] [--runs N] [--busy | LOG...]

A log of that size is made: of the logs that are named (as a drill leaves
them), or of lines as a busy nova-compute writes them at debug. Lines without
a sign come again and again, and a failed migration stands at the begin. With
--busy it is a log at info, of a host where guests are started and deleted all
day: every fifth line has a sign. rg
and grep count the lines with ten of the texts that the audit looks for, zgrep
those with one, in the same log packed. Each command's medians are printed, of
seconds and of seconds of processors, with their ratios to the first of its
table in the same run, and the largest process's memory. On a machine with
other work only the processors' ratio says much. The file's pages are in
memory. rg is skipped where it is not installed.
"""

import argparse
import concurrent.futures
import datetime
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid

from keeptrack.audit.logs import messages

PIECE = 64 << 20

_ID = 'd0f1e2c3-1111-4222-8333-444455556666'
_MIGRATION = (
    'VM Started (Lifecycle Event)', 'VM Paused (Lifecycle Event)',
    'Live Migration failure: internal error: received hangup',
    'Migration operation has aborted', 'VM Stopped (Lifecycle Event)')
_GUEST = ('VM Started (Lifecycle Event)', 'VM Resumed (Lifecycle Event)',
          'Terminating instance', 'Instance destroyed successfully.',
          'VM Stopped (Lifecycle Event)')
# level, logger and message: what goes on on a host where nothing is wrong
_IDLE = (
    ('DEBUG', 'oslo_concurrency.lockutils', 'Lock "compute_resources" acquired'
     ' by "nova.compute.resource_tracker.ResourceTracker._update_available_'
     'resource" :: waited 0.00%(small)ds inner lockutils.py:404'),
    ('DEBUG', 'oslo_service.periodic_task', 'Running periodic task '
     'ComputeManager._sync_power_states run_periodic_tasks'),
    ('DEBUG', 'nova.compute.manager', '[instance: %(uuid)s] Synchronizing '
     'state; current vm_state: active, current task_state: None, VM '
     'power_state: 1 _query_driver_power_state_and_sync'),
    ('DEBUG', 'nova.virt.libvirt.driver', '[instance: %(uuid)s] skipping disk '
     'for instance-%(small)08x as it does not have a path'),
    ('INFO', 'nova.compute.resource_tracker', 'Final resource view: name=cmp1 '
     'phys_ram=515%(small)dMB used_ram=%(small)d512MB phys_disk=890GB '
     'used_disk=%(small)dGB total_vcpus=96 used_vcpus=%(small)d'),
    ('DEBUG', 'oslo_concurrency.processutils', 'CMD "qemu-img info '
     '/var/lib/nova/instances/%(uuid)s/disk --force-share --output=json" '
     'returned: 0 in 0.0%(small)ds execute'),
    ('DEBUG', 'nova.network.neutron', '[instance: %(uuid)s] Updating instance '
     'network info cache; 1 ports, vif bound, %(small)d addresses'),
    ('WARNING', 'nova.compute.manager', '[instance: %(uuid)s] Received '
     'unexpected event network-changed-%(uuid)s for instance with vm_state '
     'active and task_state None.'))


def _line(when, level, logger, text):
    return '%s.%03d 7 %s %s [req-%s - - - - -] %s\n' % (
        datetime.datetime.fromtimestamp(when, datetime.timezone.utc).strftime(
            '%Y-%m-%d %H:%M:%S'), when * 1000 % 1000, level, logger, _ID, text)


def written():
    """A log of a failed migration and an idle day (bytes)."""
    chooser, when = random.Random(1), 1.7e9
    lines = [_line(when + place, 'INFO', 'nova.compute.manager',
                   '[instance: %s] %s' % (_ID, text))
             for place, text in enumerate(_MIGRATION)]
    for place in range(20000):
        level, logger, text = chooser.choice(_IDLE)
        lines.append(_line(when + 10 + place / 4, level, logger, text % {
            'uuid': uuid.UUID(int=chooser.getrandbits(128), version=4),
            'small': chooser.randrange(10, 100)}))
    return ''.join(lines).encode()


def make(paths, size, target):
    """Write the log."""
    whole = b''.join(open(path, 'rb').read() for path in paths) or written()
    texts = re.compile(b'|'.join(re.escape(one.encode())
                                 for one in messages.PATTERNS))
    idle = b''.join(line for line in whole.splitlines(True)
                    if not texts.search(line))
    if not idle:
        sys.exit('these logs have no line without a sign: name others')
    idle *= max(1, PIECE // len(idle))
    with open(target, 'wb') as log:
        log.write(whole)
        while log.tell() < size:
            log.write(idle)


def make_busy(size, target):
    """Write a log at info in which every fifth line has a sign."""
    chooser, when = random.Random(1), 1.7e9
    idle = [_line(when, level, logger, text % {
        'uuid': uuid.UUID(int=chooser.getrandbits(128), version=4),
        'small': small}) for level, logger, text in _IDLE
        if level != 'DEBUG' for small in range(10, 100)]
    with open(target, 'w') as log:
        while log.tell() < size:
            guest = uuid.UUID(int=chooser.getrandbits(128), version=4)
            for text in _GUEST:
                when += chooser.random()
                log.write(_line(when, 'INFO', 'nova.compute.manager',
                                '[instance: %s] %s' % (guest, text)))
                log.writelines(chooser.choices(idle, k=4))


def run(words):
    """Run a command.

    :returns: seconds, seconds of processors, KiB of its largest process
    """
    began = time.monotonic()
    # with /dev/null grep stops at the first line
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(words, stdout=out, env=dict(
            os.environ, LC_ALL='C.UTF-8'), stderr=subprocess.DEVNULL)
        usage = os.wait4(process.pid, 0)[2]
    return (time.monotonic() - began, usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss)


def compare(runs, *commands):
    """Run commands in turn and print their ratios to the first."""
    results = {words: [] for words in commands}
    for _ in range(runs):
        for words in commands:
            results[words].append(run(words))
    first = None
    for words, several in results.items():
        seconds, used = (statistics.median(one[place] for one in several)
                         for place in (0, 1))
        first = first or (seconds, used)
        print('%-28s %7.2f s  ratio %5.2f  processors %7.2f s  ratio %5.2f  '
              '%7d KiB' % (
                  ' '.join(words[1:5] if words[0] == sys.executable else
                           (os.path.basename(words[0]), *words[1:3]))[:28],
                  seconds, seconds / first[0], used, used / first[1],
                  max(one[2] for one in several)), flush=True)
    print(flush=True)


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('logs', nargs='*', metavar='LOG')
    parser.add_argument('--size', type=float, default=5, metavar='GB')
    parser.add_argument('--runs', type=int, default=3, metavar='N')
    parser.add_argument('--busy', action='store_true',
                        help='a log at info with a sign in every fifth line')
    options = parser.parse_args()
    what = (make_busy,) if options.busy else (make, options.logs)
    ten = [one.pattern for one in messages.MESSAGES[:10]]
    texts = [word for one in ten for word in ('-e', one)]
    audit = (sys.executable, '-m', 'keeptrack', 'audit', 'logs')
    rg = shutil.which('rg', path=os.pathsep.join((
        os.path.dirname(sys.executable), os.environ.get('PATH', ''))))
    if rg is None:
        print('rg is not installed (pip install ripgrep): skipped')
    with tempfile.TemporaryDirectory(prefix='kt-bench-') as folder:
        log = os.path.join(folder, 'nova-compute-one.log')
        # in a process of its own: a child's memory begins with its parent's
        with concurrent.futures.ProcessPoolExecutor(1) as pool:
            pool.submit(*what, options.size * 1e9, log).result()
        run(('cat', log))
        searches = [(name, '-c', '-F', *texts, log)
                    for name in (rg, 'grep') if name]
        compare(options.runs, searches[0], audit + (log,), *searches[1:])
        packed = log + '.gz'
        subprocess.run(('gzip', '-1', log), check=True)
        compare(options.runs, ('zgrep', '-c', ten[0], packed),
                audit + (packed,))


if __name__ == '__main__':
    main()
