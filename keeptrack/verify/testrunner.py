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

"""Runs the tests of one module, in a Nova tree, under that Nova's Python.

usage: testrunner.py RESULTS MODULE [PART/PARTS]

It is run by file name by another Python than the kit's, 2.7 included, so it
imports the standard library only.  RESULTS gets a line of JSON a test, at
once, with id, outcome (passed, failed, skipped) and, for a failure, its text,
and a last line that says that the module came to its end.  Tests that RESULTS
has an outcome of already are not run again.
"""

from __future__ import print_function

import json
import os
import sys
import traceback
import unittest
import zlib


class Recorder(unittest.TestResult):
    """Writes every outcome down as it comes."""

    def __init__(self, out):
        super(Recorder, self).__init__()
        self.out = out

    def record(self, name, outcome, text=''):
        self.out.write(json.dumps(
            {'id': name, 'outcome': outcome, 'text': text}) + '\n')
        self.out.flush()

    def _failed(self, test, err):
        self.record(test.id(), 'failed', self._exc_info_to_string(err, test))

    def addSuccess(self, test):
        self.record(test.id(), 'passed')

    def addError(self, test, err):
        self._failed(test, err)

    def addFailure(self, test, err):
        self._failed(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._failed(subtest, err)

    def addSkip(self, test, reason):
        self.record(test.id(), 'skipped', reason)

    def addExpectedFailure(self, test, err):
        self.record(test.id(), 'passed')

    def addUnexpectedSuccess(self, test):
        self.record(test.id(), 'failed', 'succeeded unexpectedly')


def flatten(suite):
    """The single tests of a suite, in order."""
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            for inner in flatten(test):
                yield inner
        else:
            yield test


def chosen(tests, part):
    """The tests of one part; a test is in the same part of any tree."""
    number, parts = [int(word) for word in part.split('/')]
    return [test for test in tests if zlib.crc32(
        test.id().encode('utf-8')) % parts == number - 1]


def finished(results):
    """The ids that an earlier process of the same part has written."""
    if not os.path.exists(results):
        return set()
    with open(results) as rows:
        return set(json.loads(row).get('id') for row in rows)


def main(results, module, part='1/1'):
    sys.path.insert(0, '')
    done = finished(results)
    with open(results, 'a') as out:
        recorder = Recorder(out)
        try:
            __import__(module)
            tests = list(flatten(
                unittest.defaultTestLoader.loadTestsFromName(module)))
        except Exception:
            recorder.record(module + ' (import)', 'failed',
                            traceback.format_exc())
            tests = None
        if tests == []:
            recorder.record(module + ' (no tests)', 'failed',
                            'the module holds no test')
        unittest.TestSuite([test for test in chosen(tests or [], part)
                            if test.id() not in done]).run(recorder)
        out.write(json.dumps({'end': True}) + '\n')


if __name__ == '__main__':
    main(*sys.argv[1:])
