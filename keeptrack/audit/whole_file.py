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

"""Files that are there whole or not at all."""

import contextlib
import os
import pathlib
import tempfile

from keeptrack import errors

# others read them: a web server, node-exporter
_MODE = 0o644


def refuse_unwritable(path):
    """Raise before long work when its result could not be written.

    :param path: the file to be written (str or pathlib.Path)
    :raises KeeptrackError: when its folder is none or cannot be written to
    """
    path = pathlib.Path(path)
    if path.is_dir():
        raise errors.KeeptrackError('%s is a folder: name a file' % path)
    if path.exists() and not path.is_file():
        return
    if not path.parent.is_dir():
        raise errors.KeeptrackError(
            'cannot write %s: there is no folder %s' % (path, path.parent))
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise errors.KeeptrackError(
            'cannot write %s: no permission to write into %s'
            % (path, path.parent))


def write(path, text):
    """Write a file; who reads it sees the old one or the new one, no half.

    What is there and is no regular file (/dev/stdout) is written to.

    :param path: str or pathlib.Path
    :param text: str
    :raises KeeptrackError: when it cannot be written
    """
    path = pathlib.Path(path)
    data = text.encode('utf-8', 'backslashreplace')
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        else:
            _replace(path.resolve(), data)
    except OSError as exc:
        raise errors.KeeptrackError('cannot write %s: %s'
                                    % (path, exc.strerror or exc))


def _replace(path, data):
    # node-exporter takes whatever ends in .prom, so that this must not
    handle, name = tempfile.mkstemp('.tmp', '.' + path.name, path.parent)
    try:
        with os.fdopen(handle, 'wb') as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(stream.fileno(), _MODE)
            os.fsync(stream.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
