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

"""Recognize the series for 2014 and 2015 in a tree.

A part is there when its modules are, with all that they import, and when Nova
calls every function of theirs that it is meant to call.  Which of them that
is differs between targets, and the module tells: a hook counts where the
module defines it.
"""

import dataclasses
import re

from keeptrack import source

DRIVER = 'nova/virt/libvirt/driver.py'
HOST = 'nova/virt/libvirt/host.py'
MANAGER = 'nova/compute/manager.py'
EVENT = 'nova/virt/event.py'

DECORATES, CALLS, ASKS = 'decorates', 'calls', 'asks'
OPENS = 'opens'

_COMPUTE, _LIBVIRT = 'nova.compute.', 'nova.virt.libvirt.'
_GUARD = _COMPUTE + 'migration_guard'
_FINDER = _LIBVIRT + 'guest_presence'

# the modules that the series adds, by the part that needs them
MONITOR = 'nova/virt/libvirt/migration_monitor.py'
END = 'nova/virt/libvirt/migration_end.py'
MONITOR_MODULES = (MONITOR, END)
EVENT_MODULES = ('nova/compute/migration_event.py',
                 'nova/virt/libvirt/event_reason.py')
GUARD_MODULES = tuple(
    ['nova/compute/%s.py' % name for name in (
        'guest_location', 'guest_search', 'migration_attempt',
        'migration_guard', 'migration_hold', 'migration_keeper',
        'migration_notice', 'migration_options', 'migration_record',
        'migration_settlement')] +
    ['nova/virt/bounded_call.py', 'nova/virt/libvirt/guest_presence.py',
     'nova/virt/libvirt/migration_job.py'])

# they are imported from each other by these names
OUR_MODULES = frozenset(
    path.rpartition('/')[2].removesuffix('.py')
    for path in MONITOR_MODULES + EVENT_MODULES + GUARD_MODULES)


@dataclasses.dataclass(frozen=True)
class Hook(object):
    """One place where Nova calls a module of the series.

    :ivar module: its dotted name (str)
    :ivar name: what is called (str)
    :ivar how: DECORATES, CALLS, ASKS: calls and uses the answer, OPENS: asks
        before all else, and goes on only if so (str)
    :ivar places: (path, class, pattern of a method's name), one of which has
        to call it (tuple of tuple of str)
    :ivar always: every target's module defines it (bool)
    """

    module: str
    name: str
    how: str
    places: tuple
    always: bool = False

    def lack(self, files):
        """Say what is wrong with it.

        :param files: a Files
        :returns: str; None where it is as it has to be
        """
        short = '%s.%s' % (self.module.split('.')[-1], self.name)
        for path, owner, method in self.places:
            file = files.get(path)
            if file is None or self.name not in file.code:
                continue
            # the last definition of a name is the one that counts
            last = {function.name: function
                    for function in file.functions(method, owner)}
            if any(self._is_used(file, function)
                   for function in last.values()):
                return None
        path, owner, method = self.places[0]
        return '%s does not use %s' % (
            path if re.search(r'\W', method) else '%s of %s' % (method, path),
            short)

    def _is_used(self, file, function):
        if function.broken:
            return False
        used = {DECORATES: function.decorators, CALLS: function.calls,
                ASKS: function.tested,
                OPENS: [name for name, negated in function.opening
                        if negated]}[self.how]
        wanted = '%s.%s' % (self.module, self.name)
        return any(file.resolved(name) == wanted for name in used)


class Files(object):
    """The files of a tree, each read and cut once.

    :param read: called with a path, returns the file's text or None
    """

    def __init__(self, read):
        self._read = read
        self._known = {}

    def get(self, path):
        """A file (source.Source), or None where there is none."""
        if path not in self._known:
            text = self._read(path)
            self._known[path] = None if text is None else source.of(text)
        return self._known[path]

    def module(self, dotted):
        """The file of a module, by its dotted name; None without one."""
        return self.get(dotted.replace('.', '/') + '.py')

    def lacks(self, dotted, seen=None):
        """What keeps a module of the series from being imported.

        :param dotted: its name (str)
        :returns: list of str, each a sentence
        """
        seen = set() if seen is None else seen
        if dotted in seen:
            return []
        seen.add(dotted)
        file = self.module(dotted)
        path = dotted.replace('.', '/')
        if file is None:
            return ['%s.py is not there' % path]
        damage = file.damage()
        found = ['%s.py: %s' % (path, damage)] if damage else []
        for package, name in file.imported():
            if package != 'nova' and not package.startswith('nova.'):
                continue
            if name in OUR_MODULES:
                found += self.lacks('%s.%s' % (package, name), seen)
            elif self._is_nowhere(package, name):
                found.append('%s.py imports %s.%s, which is not there' % (
                    path, package, name))
        return found

    def _is_nowhere(self, package, name):
        folder = package.replace('.', '/')
        if self.get('%s/%s.py' % (folder, name)) is not None or self.get(
                '%s/%s/__init__.py' % (folder, name)) is not None:
            return False
        owner = self.get(folder + '.py') or self.get(folder + '/__init__.py')
        return owner is None or not re.search(
            r'\b%s\b' % re.escape(name), owner.code)


def _manager(*methods):
    return tuple((MANAGER, 'ComputeManager', each) for each in methods)


def _driver(*methods):
    return tuple((DRIVER, 'LibvirtDriver', each) for each in methods)


_FOLLOW = Hook(_LIBVIRT + 'migration_monitor', 'follow', CALLS,
               _driver('_live_migration'), True)
_END = (
    Hook(_LIBVIRT + 'migration_end', 'told_by_the_call', DECORATES,
         _driver('_live_migration_monitor'), True),
    Hook(_LIBVIRT + 'migration_end', 'keep_error', DECORATES,
         _driver('_live_migration_operation')),
    Hook(_LIBVIRT + 'migration_end', 'told_in_any_case', DECORATES,
         _driver('_live_migration')),
)
_EVENTS = (
    Hook(_COMPUTE + 'migration_event', 'tell_migration', DECORATES,
         _manager('handle_lifecycle_event'), True),
    Hook(_LIBVIRT + 'event_reason', 'of', ASKS,
         ((HOST, 'Host', '_event_lifecycle_callback'),
          (DRIVER, 'LibvirtDriver', '_event_lifecycle_callback')), True),
)
_BEFORE_ROLLBACK = (
    Hook(_GUARD, 'find_guest_first', DECORATES,
         _manager('_rollback_live_migration'), True),
    Hook(_GUARD, 'remember_destination', DECORATES,
         _manager('live_migration')),
    Hook(_GUARD, 'park_when_it_fails', DECORATES,
         _manager('_post_live_migration')),
    Hook(_GUARD, 'refuse_in_doubt', DECORATES, _manager('restore_instance')),
    Hook(_GUARD, 'look_again', CALLS, _manager(r'_look_for_parked\w+')),
)
_AT_START = Hook(_GUARD, 'find_guest_at_start', OPENS,
                 _manager('_init_instance'))


def _check(files, hooks):
    """Look at hooks.

    :returns: bool, there is a trace of them; what is wrong (list of str)
    """
    modules = list(dict.fromkeys(hook.module for hook in hooks))
    lacks, used = [], 0
    for module in modules:
        lacks += files.lacks(module)
    for hook in hooks:
        file = files.module(hook.module)
        lack = hook.lack(files)
        if file is not None and not file.defines(hook.name):
            # another target's, unless Nova calls it all the same
            if hook.always or not lack:
                lacks.append('%s.py does not define %s' % (
                    hook.module.replace('.', '/'), hook.name))
            continue
        if lack:
            lacks.append(lack)
        else:
            used += 1
    trace = used > 0 or any(files.module(module) for module in modules)
    return trace, list(dict.fromkeys(lacks))


def _monitor(files):
    if _check(files, [_FOLLOW])[0]:
        trace, lacks = _check(files, [_FOLLOW])
        moved = files.get(DRIVER).function('_live_migration_operation',
                                           'LibvirtDriver')
        follows = files.get(DRIVER).function('_live_migration',
                                             'LibvirtDriver')
        if moved is None or moved.broken:
            lacks.append('%s has no _live_migration_operation' % DRIVER)
        elif follows is None or ('self._live_migration_operation'
                                 not in follows.names):
            lacks.append('_live_migration of %s does not pass '
                         '_live_migration_operation on' % DRIVER)
        return trace, lacks
    trace, lacks = _check(files, _END)
    monitor = files.get(DRIVER).function('_live_migration_monitor',
                                         'LibvirtDriver')
    if monitor is None:
        lacks.append('%s has no _live_migration_monitor' % DRIVER)
    return trace, lacks


def _events(files):
    trace, lacks = _check(files, _EVENTS)
    event = files.get(EVENT)
    if event is not None and event.damage():
        lacks.append('%s: %s' % (EVENT, event.damage()))
    if event is None or not event.defines('REASON_MIGRATION'):
        lacks.append('%s has no REASON_MIGRATION' % EVENT)
    made = event and event.function('__init__', 'LifecycleEvent')
    if not made or 'reason' not in made.parameters or (
            'self.reason' not in made.names):
        lacks.append('LifecycleEvent of %s keeps no reason' % EVENT)
    if not any(word == 'reason' and call.split('.')[-1] == 'LifecycleEvent'
               for path, owner in ((HOST, 'Host'), (DRIVER, 'LibvirtDriver'))
               if files.get(path) for function in files.get(path).functions(
                   '_event_lifecycle_callback', owner)
               for call, word in function.keywords):
        lacks.append('_event_lifecycle_callback gives LifecycleEvent no '
                     'reason')
    return trace, lacks


def _guard(files):
    trace, lacks = _check(files, _BEFORE_ROLLBACK)
    if trace:
        lacks += (_without_rounds(files) + _without_finder(files) +
                  _without_options(files))
    return trace, lacks


def _start(files):
    lack = _AT_START.lack(files)
    if lack:
        # the module comes with the guard; that alone is no half of a start
        return False, []
    lacks = []
    guard = files.module(_GUARD)
    if guard is not None and not guard.defines(_AT_START.name):
        lacks.append('%s.py does not define %s' % (
            _GUARD.replace('.', '/'), _AT_START.name))
    return True, (files.lacks(_GUARD) + lacks + _without_finder(files) +
                  _without_options(files))


def _without_finder(files):
    """Whom the guard asks where guests are; without one it does nothing."""
    driver = files.get(DRIVER)
    made = driver.function('__init__', 'LibvirtDriver')
    wanted = _FINDER + '.GuestFinder'
    if made is None or made.broken or not any(
            name == 'self.guest_finder' and driver.resolved(value) == wanted
            for name, value in made.assigned):
        return ['LibvirtDriver of %s has no guest_finder' % DRIVER]
    finder = files.module(_FINDER)
    if finder is not None and not finder.has_class('GuestFinder'):
        return ['%s.py has no class GuestFinder' % _FINDER.replace('.', '/')]
    return files.lacks(_FINDER)


def _without_rounds(files):
    """What is parked has to be looked at again and again."""
    rounds = [function for function in files.get(MANAGER).functions(
        r'_look_for_parked\w+', 'ComputeManager')]
    if rounds and not any(name.split('.')[-1] == 'periodic_task'
                          for name in rounds[-1].decorators):
        return ['%s of %s is no periodic task' % (rounds[-1].name, MANAGER)]
    return []


def _without_options(files):
    """The options that the manager reads have to be registered."""
    if 'live_migration_look_interval' not in files.get(MANAGER).code:
        return []
    return files.lacks('nova.compute.migration_options')


# what is looked at for each part; returns whether there is a trace of it, and
# what is wrong with it
LOOKS = {'monitor': _monitor, 'events': _events, 'guard': _guard,
         'start': _start}
