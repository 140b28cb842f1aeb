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

from keeptrack.series import blobs
from keeptrack.series import git
from keeptrack.series import parts

# upstream's own, see parts.py: to ask whether one of them lies behind HEAD is
# a hundred times faster than a search through ten years
_KNOWN = {
    'loop': ('584a44f0157e84ce0100da6ee4f7b94bbb4088e3',
             '6833176b56ecbef9565bccb06a372acba8487691'),
    'monitor': ('7dd6a4a19311136c02d89cd2afd97236b0f4cc27',),
}

# what a commit has in its changed lines when it brings or removes a part
_CHANGES = {
    ('loop', parts.UPSTREAM): 'wait_for_live_migration|LoopingCall',
    ('monitor', parts.UPSTREAM): '_live_migration_monitor',
    ('monitor', parts.OURS):
        'migration_(monitor|job)|find_job_type|guest_observer|read_job|^def ',
    ('events', parts.OURS): 'MIGRATED_AWAY',
    ('guard', parts.OURS):
        'live_migration|guest_observ|refuse_in_doubt|^def |^class ',
    ('start', parts.OURS): 'defer_start',
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
    shallow = git.line(folder, 'rev-parse',
                       '--is-shallow-repository') == 'true'
    with blobs.Blobs(folder) as objects:
        committed = _origins(objects, head)
        for name, origin in found.origins.items():
            brought[name] = None
            if committed.get(name) != origin:
                notes.append('%s: it is not committed' % name)
                continue
            known = _KNOWN.get(name, ()) if origin == parts.UPSTREAM else ()
            brought[name] = next(
                (commit for commit in known if git.succeeds(
                    folder, 'merge-base', '--is-ancestor', commit, head)),
                None) or _search(folder, objects, head, name, origin, shallow)
            if brought[name] is None:
                notes.append('%s: no commit of this clone has brought it%s' % (
                    name, ', which is a shallow one' if shallow else ''))
    return brought, notes


def _origins(objects, commit):
    """The parts that a commit has; none where it is no whole Nova (dict)."""
    try:
        return parts.examine(lambda path: objects.read(commit, path)).origins
    except parts.StrangeTree:
        return {}


def _search(folder, objects, head, name, origin, shallow):
    """The newest commit that has a part which its parent has not."""
    paths = (parts.PATHS[name] if origin == parts.OURS else [parts.DRIVER])
    with git.lines(folder, 'log', '--format=%H %P', '--extended-regexp',
                   '-G' + _CHANGES[name, origin], head, '--',
                   *paths) as rows:
        for row in rows:
            commit, *parents = row.split()
            if _origins(objects, commit).get(name) != origin:
                continue
            if not parents:
                return None if shallow else commit
            if _origins(objects, parents[0]).get(name) != origin:
                return commit
    return None
