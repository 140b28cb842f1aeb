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

"""Which files are read, and whose their names say that they are.

Two hosts that are taken for one hide a lost guest. So a name is taken for a
host's only where it can be nothing else.
"""

import ipaddress
import os
import re

from keeptrack.audit.logs import reading
from keeptrack import errors

# what rotation and packing leave at the end of a name
_ENDINGS = r'(?:[-.]\d[\dT:_-]*|\.(?:gz|xz|zst|old))*'
_NAME = re.compile(r'nova[-_]compute[-_.](?P<host>[\w.-]+?)\.log\b', re.I)
# a log of one host, whatever its folder is called
_OF_ONE = re.compile(r'(?:messages|syslog|instance-[0-9a-f]{8}\.log|'
                     r'libvirtd\.log|[0-9a-f]{2,64}-json\.log|'
                     r'\d+\.log)%s$' % _ENDINGS)
# POD_NAMESPACE_CONTAINER-ID.log: a pod comes and goes, its host stays
_POD = re.compile(r'[\w.-]+_[\w.-]+_[\w.-]+$')
_SOSREPORT = re.compile(
    r'sosreport-(?P<host>.+?)(?:[.-]\d{5,9})?-(?:\d{4}-\d\d-\d\d-[a-z]{7}|'
    r'\d{14})(?:-\w+)?$')
_PLAIN = re.compile(r'nova[-_]compute%s\.(?:log|txt|json)%s$'
                    % (_ENDINGS, _ENDINGS), re.I)
_ROTATED = re.compile(r'(\.log)%s$' % _ENDINGS, re.I)
_NUMBERS = re.compile(r'[\dT._-]+$')
_COMPUTES = re.compile(r'nova[-_]?compute|n-cpu', re.I)

# folders that lie between a host's own folder and its log
_NO_HOST = {'', '.', '..', 'nova', 'nova-compute', 'nova_compute', 'log',
            'logs', 'var', 'archive', 'old', 'tmp', 'containers',
            'container', 'kolla', 'kolla-logs', 'kolla_logs', 'docker',
            'podman', 'pods', 'volumes', '_data', 'openstack', 'stdouts',
            'lib', 'snap', 'libvirt', 'qemu', 'common', 'current', 'journal',
            'remote'}


def host_of(path):
    """The host that a log's name gives.

    nova-compute-HOST.log, or HOST/nova-compute.log and HOST/nova/...; the
    endings of rotated and packed logs do not matter, nor do folders of dates
    and pods. The folder of a log that is called otherwise may be that of many
    hosts' logs.

    :param path: of the log (str)
    :returns: str, or None
    """
    name = os.path.basename(path)
    found = _NAME.search(name)
    is_pod = found and _POD.match(name[:found.end('host')])
    if found and not is_pod and not _is_number(found['host']):
        return found['host']
    if is_pod or _PLAIN.match(name) or _OF_ONE.match(name):
        own = name.partition('-json.log')[0]
        for folder in reversed(os.path.dirname(path).split(os.sep)):
            report = _SOSREPORT.match(folder)
            if report:
                return report['host']
            if folder.lower() not in _NO_HOST and folder != own and not (
                    _is_number(folder) or _POD.match(folder)):
                return folder
    return None


def pod_of(path):
    """The pod that a log's name or folder names.

    :param path: of the log (str)
    :returns: str, or None
    """
    name = _ROTATED.sub('', os.path.basename(path))
    for one in (name, *reversed(os.path.dirname(path).split(os.sep))):
        if _POD.match(one) and is_computes(one):
            return one
    return None


def is_computes(path):
    """Whether a log's name says that it is nova-compute's (bool)."""
    return _COMPUTES.search(os.path.basename(path)) is not None


def _is_number(name):
    """Whether it is rotation that has put this into a name (bool)."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return _NUMBERS.match(name) is not None
    return False


def stand_in(path):
    """What stands for the host where it is not known.

    :param path: of the log (str)
    :returns: the path, the same for all rotated logs of one name (str)
    """
    return _ROTATED.sub(r'\1', path)


def files(paths):
    """The files to read: those named, and all below a folder.

    Links are followed. A file or a folder that is there under two names is
    read under one, and a link's only where there is no other: its lines would
    count as those of two hosts.

    :param paths: list of str
    :returns: list of str, sorted within a folder, and a dict of each folder
        that could not be read to why
    :raises KeeptrackError: for one that does not exist
    """
    walk = _Walk()
    for path in paths:
        if path != reading.STDIN and not os.path.lexists(path):
            raise errors.KeeptrackError('there is no %s' % path)
        if not os.path.isdir(path):
            walk.file(path)
    for path in paths:
        if os.path.isdir(path):
            walk.folder(path)
    walk.links()
    return walk.found, walk.unread


class _Walk:
    """Goes through folders, into each once.

    :ivar found: files (list of str)
    :ivar unread: folders that could not be read (dict of str to str)
    """

    def __init__(self):
        self.found, self.unread = [], {}
        self._seen, self._links = set(), []

    def file(self, path):
        if path == reading.STDIN:
            if path not in self.found:
                self.found.append(path)
        elif self._is_new(path):
            self.found.append(path)

    def folder(self, path):
        waiting = [path]
        while waiting:
            path = waiting.pop()
            if not self._is_new(path):
                continue
            try:
                with os.scandir(path) as entries:
                    entries = sorted(entries, key=lambda entry: entry.name)
                folders = {entry.path: None for entry in entries
                           if entry.is_dir(follow_symlinks=False)}
            except OSError as exc:
                self.unread[path] = exc.strerror or str(exc)
                continue
            waiting += reversed(folders)
            for entry in entries:
                if entry.is_symlink():
                    self._links.append(entry.path)
                elif entry.path not in folders:
                    self.file(entry.path)

    def links(self):
        """Follow what was only noted so far."""
        while self._links:
            path = self._links.pop(0)
            if os.path.isdir(path):
                self.folder(path)
            else:
                self.file(path)

    def _is_new(self, path):
        try:
            status = os.stat(path)
        except OSError:
            # reported when it is to be read
            return path not in self.found
        key = status.st_dev, status.st_ino
        is_new = key not in self._seen
        self._seen.add(key)
        return is_new


def host_option(text):
    """Take --host PATH=HOST apart.

    :param text: str
    :returns: path, host; ValueError when it is none
    """
    path, equals, host = text.rpartition('=')
    if not equals or not path or not host:
        raise ValueError(text)
    return path, host


def named_hosts(hosts, names):
    """Find the files whose host the user has given.

    :param hosts: dict of path to host, as the user has written it
    :param names: of the files that are read, as files() returns them
    :returns: dict of the file's name there to host
    :raises KeeptrackError: for a path that is not read: a slip of the pen
        would leave its log with another host
    """
    found = {}
    for path, host in hosts.items():
        same = _same(path, names, os.path.abspath) or _same(
            path, names, os.path.realpath)
        if not same:
            raise errors.KeeptrackError(
                '--host %s=%s: no such file is among those that are read'
                % (path, host))
        found.update(dict.fromkeys(same, host))
    return found


def _same(path, names, whole):
    if path == reading.STDIN:
        return [name for name in names if name == path]
    path = whole(path)
    return [name for name in names
            if name != reading.STDIN and whole(name) == path]
