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
"""Many runs: every fault on every tree, several testbeds at a time."""

import collections
import contextlib
import datetime
import json
import os
import pathlib
import platform
import queue
import re
import shutil
import subprocess
import tempfile
import threading
import time

from keeptrack.drill.checker import data_checker
from keeptrack.drill.checker import verdict
from keeptrack.drill.report import results_file
from keeptrack.drill.runner import run as run_mod
from keeptrack.drill.testbed import guest
from keeptrack.drill.testbed import nova_computes as nova_computes_mod
from keeptrack.drill.testbed import testbed as testbed_mod
from keeptrack import errors

# testbeds that fail to come up, or to be tidied, one after the other
PATIENCE = 3

# seconds between two times that results are stored while runs go on
STORE_EVERY = 15


class Campaign:
    """Works a plan off.

    :param plan: the generator.Plan
    :param output: folder for results and logs (pathlib.Path), or None
    :param report: called with a line as the work goes on
    :param keep_logs: keep the logs of every run, not only of those that came
        out wrong (bool)
    :param make_bench: makes what runs are done with: called with a
        contextlib.ExitStack, for what ends it, and the number of the testbed;
        None for a testbed of two hosts
    :param facts: what results say of the machine beside what machine() does
        (dict)
    """

    def __init__(self, plan, output, report, keep_logs=False,
                 make_bench=None, facts=None):
        self._plan = plan
        self._make_bench = make_bench or _Bench.make
        self._facts = facts or {}
        self._output = output
        self._report = report
        self._keep_logs = keep_logs
        self._tasks = queue.SimpleQueue()
        self._all = plan.tasks()
        for task in self._all:
            self._tasks.put(task)
        self._done = []
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._failure = None
        # of each testbed: how often it has failed since it last worked
        self._failed = collections.Counter()
        self._stored = time.monotonic()

    def run(self):
        """Do all runs; what is done counts also when it is interrupted.

        :returns: the results (dict)
        :raises KeeptrackError: when no testbed comes up
        """
        count = min(self._plan.testbeds, len(self._all))
        workers = [threading.Thread(target=self._work, args=(number,))
                   for number in range(count)]
        for worker in workers:
            worker.start()
        try:
            for worker in workers:
                worker.join()
        except BaseException:
            self._stopped.set()
            self._report('stopping: the runs under way are brought to '
                         'their end')
            for worker in workers:
                worker.join()
            self._store()
            raise
        self._store()
        if self._failure is not None:
            raise self._failure
        return self.results()

    def results(self):
        """What is known by now, in the form of the results file (dict)."""
        with self._lock:
            runs = list(self._done)
        order = {tree.name: number for number, tree in
                 enumerate(self._plan.trees)}
        runs.sort(key=lambda run: (run['fault'], order[run['tree']],
                                   run['storage'], run['seed']))
        return {
            'schema': results_file.SCHEMA,
            'made': datetime.datetime.now(datetime.timezone.utc).strftime(
                '%Y-%m-%dT%H:%M:%SZ'),
            'machine': dict(machine(), **self._facts),
            'seed': self._plan.seed,
            'trees': [tree.as_dict() for tree in self._plan.trees],
            'faults': [{'name': fault.name, 'title': fault.title}
                       for fault in self._plan.faults],
            'storages': list(self._plan.storages),
            'runs': runs,
        }

    def _store(self):
        """Write what is done by now; nothing is no result."""
        if self._output is None or not self._done:
            return
        self._stored = time.monotonic()
        path = self._output / 'results.json'
        fresh = path.with_suffix('.new')
        fresh.write_text(json.dumps(self.results()))
        os.replace(fresh, path)

    def _work(self, number):
        """Work tasks off in a testbed of one's own."""
        while not self._stopped.is_set() and not self._tasks.empty():
            try:
                with contextlib.ExitStack() as stack:
                    bench = self._make_bench(stack, number)
                    self._runs(bench, number)
            except errors.KeeptrackError as exc:
                self._report('testbed %d: %s' % (number, exc))
                self._bear(number, exc)
            except BaseException as exc:
                self._fail(exc)
                raise

    def _bear(self, number, exc):
        """Count that a testbed has failed; too often, and all ends."""
        self._failed[number] += 1
        if self._failed[number] >= PATIENCE:
            self._fail(exc)

    def _fail(self, exc):
        self._failure = exc
        self._stopped.set()

    def _runs(self, bench, number):
        while not self._stopped.is_set():
            try:
                task = tree, draw, storage = self._tasks.get_nowait()
            except queue.Empty:
                return
            try:
                found = bench.run(tree, draw, storage)
            except BaseException:
                # for the testbed that comes after this one
                self._tasks.put(task)
                raise
            found['tree'] = tree.name
            self._note(found, bench)
            if found['verdict'] == verdict.NOT_RUN and not found['missed']:
                # a testbed that does not work once is made anew
                self._bear(number, errors.KeeptrackError(found['why']))
                return
            self._failed[number] = 0

    def _note(self, found, bench):
        with self._lock:
            self._done.append(found)
            done = len(self._done)
        data = found['data']
        self._report('%d of %d: %s, %s, %s %+.2f s: %s (%s)%s' % (
            done, len(self._all), found['tree'], found['fault'],
            found['moment'], found['delay'], found['verdict'].upper(),
            found['why'], '; data on %s: %s (%s)' % (
                found['storage'], data['verdict'].upper(), data['why'])
            if data else ''))
        if self._output is not None:
            bad = (found['verdict'] not in (verdict.RIGHT, verdict.PARKED) or
                   data and data['verdict'] != data_checker.KEPT)
            if bad or self._keep_logs:
                bench.keep_logs(self._output / 'logs' / re.sub(
                    r'[^\w.+-]+', '-', '-'.join(
                        [found['tree'], found['fault']] +
                        ([found['storage']] if data else []) +
                        [found['seed'].rsplit('/', 1)[-1]])))
            with self._lock:
                due = time.monotonic() - self._stored > STORE_EVERY
                self._stored = time.monotonic() if due else self._stored
            if due:
                self._store()


class _Bench:
    """A testbed and the computes that were opened in it."""

    @classmethod
    def make(cls, stack, number):
        """Bring a testbed up, which the stack ends."""
        # short: the names of UNIX sockets in it are limited to 107 bytes
        folder = pathlib.Path(tempfile.mkdtemp(prefix='kt'))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        testbed = testbed_mod.Testbed(folder / 'l', number)
        stack.callback(testbed.stop)
        testbed.start()
        return cls(testbed, folder, stack)

    def __init__(self, testbed, folder, stack):
        self._testbed = testbed
        self._folder = folder
        self._stack = stack
        self._computes = {}
        self._run = None
        self._last = None
        self._old_logs = None

    def run(self, tree, draw, storage):
        """Do one run; what a result says (dict)."""
        if tree.name not in self._computes:
            folder = self._folder / ('c%d' % len(self._computes))
            folder.mkdir()
            opened = nova_computes_mod.NovaComputes(
                tree.runtime, folder, self._testbed,
                lambda event: self._run.on_event(event))
            self._computes[tree.name] = opened
            self._stack.callback(opened.close)
            opened.open()
        self._last = self._computes[tree.name]
        self._old_logs = self._last.logs
        self._run = run_mod.Run(self._testbed, self._last, draw,
                                tree.series, storage=storage)
        return self._run.go()

    def keep_logs(self, folder):
        """Copy the logs of the last run, if it made any (pathlib.Path)."""
        logs = self._last.logs
        # a run that fails early leaves those of the one before, or none
        if logs != self._old_logs:
            shutil.copytree(logs, folder, dirs_exist_ok=True)


def machine():
    """What the runs were made on (dict)."""
    return {'kvm': guest.kvm_available(), 'cpus': os.cpu_count(),
            'libvirt': _version('libvirtd', r'libvirt\w*\) (\S+)'),
            'qemu': _version('qemu-system-x86_64', r'version (\S+)'),
            'kernel': platform.release()}


def _version(command, pattern):
    """The version that a command tells (str); None when it does not."""
    try:
        told = subprocess.run([command, '--version'], capture_output=True,
                              text=True, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        # results that do not say it are better than none
        return None
    found = re.search(pattern, told)
    return found.group(1) if found else told.strip()
