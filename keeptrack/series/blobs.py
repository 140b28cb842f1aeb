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

"""Files of any commit of a clone, without a checkout."""

import collections
import contextlib

from keeptrack import errors
from keeptrack.series import git
from keeptrack.series import patchfile

# files of one clone that are kept in memory: neighbouring releases share many
_KEPT = 64


class Blobs(object):
    """Reads files by one ``git cat-file --batch`` for all of them.

    Another one tells which file is the same as one that was read already.  To
    be used in a with block, which ends both.

    :param folder: a clone, bare or not (path)
    """

    def __init__(self, folder):
        self._folder = folder
        self._processes = []
        self._texts = collections.OrderedDict()

    def __enter__(self):
        for how in ('--batch-check', '--batch'):
            self._processes.append(git.start(self._folder, 'cat-file', how))
        self._names, self._contents = self._processes
        return self

    def __exit__(self, *unused):
        for process in self._processes:
            # one that has ended by itself takes no more
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            process.stdout.close()
            process.stderr.close()
            process.wait()

    def blob(self, commit, path):
        """The id of a file.

        :param commit: id or name of a commit (str)
        :param path: path from the top of the tree (str)
        :returns: str; None where the commit has no such file
        """
        answer = self._ask(self._names, '%s:%s' % (commit, path))
        words = answer.split(' ')
        return words[0] if len(words) == 3 and words[1] == 'blob' else None

    def commit(self, name):
        """The id of a commit; None where the clone has no such (str)."""
        words = self._ask(self._names, '%s^{commit}' % name).split(' ')
        return words[0] if len(words) == 3 else None

    def read(self, commit, path):
        """The text of a file; None where the commit has no such file."""
        blob = self.blob(commit, path)
        if blob is None:
            return None
        if blob in self._texts:
            self._texts.move_to_end(blob)
            return self._texts[blob]
        words = self._ask(self._contents, blob).split(' ')
        if len(words) != 3:
            raise errors.KeeptrackError(
                '%s lacks the content of %s of %s: fetch it, or use a whole '
                'clone' % (self._folder, path, commit))
        data = self._contents.stdout.read(int(words[2]) + 1)[:-1]
        self._texts[blob] = text = patchfile.decode(data)
        while len(self._texts) > _KEPT:
            self._texts.popitem(last=False)
        return text

    def _ask(self, process, question):
        # one that has ended answers nothing, and has said why
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(question.encode(
                'utf-8', 'surrogateescape') + b'\n')
            process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            raise git.GitError(('cat-file',), process.stderr.read().decode(
                'utf-8', 'replace'))
        return answer.decode('utf-8', 'surrogateescape').rstrip('\n')
