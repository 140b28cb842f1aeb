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

"""Which commit brought a part of the fix into a clone."""

import os
import signal

from keeptrack.series import blobs
from keeptrack.series import current_series
from keeptrack.series import git
from keeptrack.series import parts

# upstream's own; see parts.py.  That one of them lies behind HEAD is
# told a hundred times faster than a search through ten years.
_KNOWN = {
    'loop': ('584a44f0157e84ce0100da6ee4f7b94bbb4088e3',
             '6833176b56ecbef9565bccb06a372acba8487691'),
    'monitor': ('7dd6a4a19311136c02d89cd2afd97236b0f4cc27',),
}

# what a commit has in its changed lines when it brings or takes a part, and
# the files that it changes then
_SIGNS = {
    ('loop', parts.UPSTREAM): ('wait_for_live_migration|LoopingCall',
                               (parts.DRIVER,)),
    ('monitor', parts.UPSTREAM): ('_live_migration_monitor',
                                  (parts.DRIVER,)),
    ('monitor', parts.OURS): (
        'migration_(monitor|job)|find_job_type|guest_observer|read_job|^def ',
        current_series.paths('monitor')),
    ('events', parts.OURS): ('MIGRATED_AWAY',
                             current_series.paths('events')),
    ('guard', parts.OURS): (
        'live_migration|guest_observ|refuse_in_doubt|^def |^class ',
        current_series.paths('guard')),
    ('start', parts.OURS): ('defer_start', current_series.paths('start')),
}


def commits(folder, head, found):
    """The commits that brought the parts of a clone's tree.

    :param folder: the clone (path)
    :param head: the commit that is checked out (str)
    :param found: what the tree has: a parts.Findings
    :returns: dict of str: part to the commit's id, or to None where history
              does not tell; notes (list of str)
    """
    brought, notes = {}, []
    with blobs.Blobs(folder) as objects:
        history = _History(folder, objects)
        committed = history.origins(head)
        behind = _behind(folder, objects, head)
        for name, origin in found.origins.items():
            brought[name] = None
            if committed.get(name) != origin:
                notes.append('%s: it is not committed' % name)
                continue
            known = [commit for commit in _KNOWN.get(name, ())
                     if origin == parts.UPSTREAM and commit in behind]
            brought[name] = (known[0] if known else
                             _search(folder, history, head, name, origin))
            if brought[name] is None:
                notes.append('%s: no commit of this clone has brought it%s' % (
                    name, ', which is a shallow one' if history.is_shallow
                    else ''))
    return brought, notes


class _History(object):
    """What the commits of a clone have."""

    def __init__(self, folder, objects):
        self._objects = objects
        self._known = {}
        shallow = git.line(folder, 'rev-parse', '--git-path', 'shallow')
        self.is_shallow = os.path.exists(os.path.join(folder, shallow))

    def origins(self, commit):
        """The parts that a commit has; none where it is no whole Nova."""
        if commit not in self._known:
            try:
                self._known[commit] = parts.detect(
                    lambda path: self._objects.read(commit, path))
            except parts.StrangeTree:
                self._known[commit] = {}
        return self._known[commit]

    def parent(self, commit):
        """The first parent's id, or None."""
        return self._objects.commit(commit + '~1')


def _behind(folder, objects, head):
    """The known commits that lie behind a commit (set of str)."""
    here = [commit for names in _KNOWN.values() for commit in names
            if objects.commit(commit)]
    if not here:
        return set()
    # one walk for all: what is left are those that do not lie behind it
    left = git.line(folder, 'rev-list', *here, '--not', head, '--').split()
    return set(here) - set(left)


def _search(folder, history, head, name, origin):
    """The newest commit that has a part which its parent has not."""
    pattern, paths = _SIGNS[name, origin]
    process = git.start(folder, 'log', '--format=%H', '--extended-regexp',
                        '-G' + pattern, head, '--', *paths)
    try:
        for line in process.stdout:
            commit = line.decode().strip()
            parent = history.parent(commit)
            if history.origins(commit).get(name) != origin:
                continue
            if parent is None and history.is_shallow:
                return None
            if parent is None or (
                    history.origins(parent).get(name) != origin):
                return commit
        return None
    finally:
        # enough is known; git may have years to go
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()
        try:
            os.killpg(process.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        process.wait()
