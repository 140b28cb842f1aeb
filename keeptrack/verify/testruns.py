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

"""Test modules run in several trees, in parallel, and their outcomes."""

import collections
import concurrent.futures
import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

_RUNNER = pathlib.Path(__file__).with_name('testrunner.py')

# seconds without news after which the user is told that work goes on
_QUIET = 30

# seconds in which no test ends after which a process is ended: it hangs.  The
# longest tests of Nova's sleep for a minute, and two beside others; some of
# its functional ones wait for ever: of its CellDatabases fixture's lock two
# green threads can hold each other up.
_STANDSTILL = 240

# seconds between two looks whether there is news
_LOOK = 5

# how often a part is gone on with before the test that it stands at counts as
# one that hangs
_TRIES = 2


@dataclasses.dataclass(frozen=True)
class Job:
    """One process: a part of a module, in a tree.

    :ivar label: the tree's name in reports (str)
    :ivar folder: the tree (pathlib.Path)
    :ivar module: a test module (str)
    :ivar part: "1/4" for the first of four parts (str)
    """

    label: str
    folder: pathlib.Path
    module: str
    part: str = '1/1'


class Outcomes:
    """What came of the tests of one module in one tree."""

    def __init__(self):
        self.by_id = {}
        self.texts = {}

    def add(self, name, outcome, text=''):
        """Note a test's outcome; one that failed once has failed."""
        if self.by_id.get(name) != 'failed':
            self.by_id[name] = outcome
        if outcome == 'failed':
            self.texts[name] = text

    def ids(self, outcome):
        """The tests that came out so (set of str)."""
        return {name for name, each in self.by_id.items() if each == outcome}


def is_no_test(name):
    """Tell whether an id is no test's but a module's that did not run."""
    return name.endswith(')') and ' (' in name


class Runner:
    """Runs jobs with one Python.

    Their trees are copies: bytecode may be written there, which spares every
    process but the first two seconds.

    :param python: path of the Python (str)
    :param environment: variables for the tests (dict of str)
    :param processes: how many at a time (int)
    :param report: called with a line as the work goes on
    """

    def __init__(self, python, environment, processes, report):
        self._python = python
        self._environment = dict(
            {name: value for name, value in os.environ.items()
             if not name.startswith(('PYTHON', 'OS_', 'GIT_'))},
            **environment)
        self._processes = processes
        self._report = report
        self._running = set()
        self._stopped = False

    def setup(self, commands, folder):
        """Run a target's setup commands in a tree.

        :param commands: each a list of words; "python" is this runner's
        :param folder: the tree (pathlib.Path)
        :raises subprocess.CalledProcessError: when one fails
        """
        for command in commands:
            subprocess.run(
                [self._python if word == 'python' else word
                 for word in command], cwd=folder, env=self._environment,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                check=True)

    def run(self, jobs):
        """Run jobs, and end them all when interrupted.

        :param jobs: list of Job; the long ones should come first
        :returns: dict: (label, module) to Outcomes
        """
        outcomes = collections.defaultdict(Outcomes)
        with tempfile.TemporaryDirectory(prefix='keeptrack-') as folder, \
                concurrent.futures.ThreadPoolExecutor(
                    self._processes) as pool:
            futures = {
                pool.submit(self._one, job, pathlib.Path(
                    folder, '%d.json' % number)): job
                for number, job in enumerate(jobs)}
            try:
                self._collect(futures, outcomes)
            except BaseException:
                self._stop(futures)
                raise
        return dict(outcomes)

    def _collect(self, futures, outcomes):
        waiting = set(futures)
        began = time.monotonic()

        def say(words):
            self._report('%d of %d test processes done, %d min: %s' % (
                len(futures) - len(waiting), len(futures),
                (time.monotonic() - began) // 60, words))

        while waiting:
            done, waiting = concurrent.futures.wait(
                waiting, timeout=_QUIET,
                return_when=concurrent.futures.FIRST_COMPLETED)
            if not done:
                say('%d are running' % len(self._running))
            for future in done:
                job = futures[future]
                rows, seconds = future.result()
                failed = 0
                for name, outcome, text in rows:
                    outcomes[job.label, job.module].add(name, outcome, text)
                    failed += outcome == 'failed'
                say('%s: %s%s: %d tests, %d failed, %d s' % (
                    job.label, job.module,
                    '' if job.part == '1/1' else ' part ' + job.part,
                    len(rows), failed, seconds))

    def _stop(self, futures):
        self._stopped = True
        for future in futures:
            future.cancel()
        for process in list(self._running):
            _kill(process)

    def _one(self, job, results):
        began = time.monotonic()
        left, known = _TRIES, 0
        while True:
            rows, hangs = self._try(job, results)
            if not hangs:
                break
            if len(rows) > known:
                left, known = _TRIES, len(rows)
            left -= 1
            self._report('%s: %s: no test ended for %d s, and the process is '
                         '%s' % (job.label, job.module, _STANDSTILL,
                                 'started again' if left else 'given up'))
            if not left:
                break
        return rows, time.monotonic() - began

    def _try(self, job, results):
        """Run a process, for the tests that have no outcome yet.

        :returns: tuple of its rows and whether it was ended since it hung
        """
        if self._stopped:
            return [], False
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(
                [self._python, str(_RUNNER), str(results), job.module,
                 job.part], cwd=job.folder, env=self._environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
            self._running.add(process)
            if self._stopped:
                # the others were ended between our first check and now
                _kill(process)
            hangs = not _ends(process, results)
            if hangs:
                _kill(process)
            status = process.wait()
            self._running.discard(process)
            _drop_rest(results)
            rows, ended = _read(results)
            if not ended:
                log.seek(0)
                last = log.read()[-2000:].decode('utf-8', 'replace')
                rows.append(('%s (%s)' % (
                    job.module, 'no test ended for %d s' % _STANDSTILL
                    if hangs else 'process ended with status %d' % status),
                    'failed', last))
        return rows, hangs


def _kill(process):
    """End a process and all that it has started; it may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _ends(process, results):
    """Wait for a process as long as its tests come to their ends.

    :param process: subprocess.Popen
    :param results: the file that it adds a line to for every test
    :returns: bool, False where it stands still
    """
    size, since = -1, time.monotonic()
    while True:
        try:
            process.wait(min(_LOOK, _STANDSTILL))
            return True
        except subprocess.TimeoutExpired:
            now = results.stat().st_size if results.exists() else 0
            if now != size:
                size, since = now, time.monotonic()
            elif time.monotonic() - since >= _STANDSTILL:
                return False


def _drop_rest(results):
    """Drop a row that a process was ended in the middle of."""
    if results.exists():
        os.truncate(results, results.read_bytes().rfind(b'\n') + 1)


def _read(results):
    """Rows of a results file, and whether it came to its end."""
    if not results.exists():
        return [], False
    lines = [json.loads(line) for line in
             results.read_text(errors='replace').split('\n')[:-1]]
    ended = bool(lines) and 'end' in lines[-1]
    return [(row['id'], row['outcome'], row['text'])
            for row in lines if 'id' in row], ended
