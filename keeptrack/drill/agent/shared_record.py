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


"""What the services around Nova know, for all processes of a run.

One file, so that what one nova-compute has asked for, the other one sees.
"""

import contextlib
import fcntl
import json


class SharedRecord(object):
    """A file with what is known.

    :param path: of the file; it need not exist (str)
    """

    def __init__(self, path):
        self._path = path

    def write(self, known):
        """Begin anew.

        :param known: what JSON can hold (dict)
        """
        with open(self._path, 'w') as stream:
            json.dump(known, stream)

    @contextlib.contextmanager
    def changing(self):
        """Change what is known; nobody else does so meanwhile.

        :returns: a context manager of it (dict), which is stored at the end
            unless something is raised
        """
        with open(self._path, 'r+') as stream:
            # it is free as soon as the file is closed
            fcntl.flock(stream, fcntl.LOCK_EX)
            known = json.load(stream)
            yield known
            stream.seek(0)
            stream.truncate()
            json.dump(known, stream)
