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

import contextlib
import functools

from keeptrack import errors
from keeptrack.series import git
from keeptrack.series import patchfile


class Blobs:
    """Reads files by ``git cat-file``, one process for all of them.

    Another one says which file is the same as one that was read already.  To
    be used in a with block, which ends both.

    :param folder: a clone, bare or not (path)
    """

    def __init__(self, folder):
        self._folder = folder
        # neighbouring releases share many files
        self._text = functools.lru_cache(maxsize=64)(self._text)

    def __enter__(self):
        self._names, self._contents = [
            git.start(self._folder, 'cat-file', how)
            for how in ('--batch-check', '--batch')]
        return self

    def __exit__(self, *unused):
        git.end(self._names)
        git.end(self._contents)

    def blob(self, commit, path):
        """The id of a file.

        :param commit: id or name of a commit (str)
        :param path: path from the top of the tree (str)
        :returns: str; None where the commit has no such file
        """
        words = self._ask(self._names, '%s:%s' % (commit, path))
        return words[0] if words[1:2] == ['blob'] else None

    def read(self, commit, path):
        """The text of a file; None where the commit has no such file."""
        blob = self.blob(commit, path)
        if blob is None:
            return None
        text = self._text(blob)
        if text is None:
            raise errors.KeeptrackError(
                '%s lacks the content of %s of %s: fetch it, or use a whole '
                'clone' % (self._folder, path, commit))
        return text

    def _text(self, blob):
        words = self._ask(self._contents, blob)
        return patchfile.decode(self._contents.stdout.read(
            int(words[2]) + 1)[:-1]) if len(words) == 3 else None

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
        return answer.decode('utf-8', 'surrogateescape').split()
