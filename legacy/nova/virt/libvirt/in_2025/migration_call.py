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

"""The outcome of the call that makes a live migration.

The thread that makes the call tells its monitor that it has ended, but not
how. In later releases the monitor has the thread's future.
"""

import functools


def keep_error(function):
    """Let the guest know what its migration has raised.

    :param function: LibvirtDriver._live_migration_operation
    :returns: the decorated function
    """
    @functools.wraps(function)
    def _live_migration_operation(self, context, instance, dest,
                                  block_migration, migrate_data, guest,
                                  device_names):
        try:
            function(self, context, instance, dest, block_migration,
                     migrate_data, guest, device_names)
        except Exception as error:
            guest.migration_error = error
            raise
    return _live_migration_operation


def with_its_outcome(function):
    """Give the monitor of a live migration the outcome, too.

    :param function: LibvirtDriver._live_migration_monitor
    :returns: the decorated function
    """
    @functools.wraps(function)
    def _live_migration_monitor(self, context, instance, guest, dest,
                                post_method, recover_method, block_migration,
                                migrate_data, finish_event, disk_paths):
        return function(self, context, instance, guest, dest, post_method,
                        recover_method, block_migration, migrate_data,
                        Call(guest, finish_event), disk_paths)
    return _live_migration_monitor


class Call(object):
    """What a future would tell of the call, besides what the event does.

    :param guest: nova.virt.libvirt.guest.Guest
    :param ended: what the release has: an event of eventlet's or of
        threading's, or a future
    """

    def __init__(self, guest, ended):
        self._guest = guest
        for name in ('done', 'is_set', 'ready'):
            if hasattr(ended, name):
                self._has_ended = getattr(ended, name)
                break

    def done(self):
        """Tell whether the call has ended (bool)."""
        return self._has_ended()

    # What monitors ask an event.
    is_set = ready = done

    def result(self):
        """Raise what the call has raised, if it has."""
        error = vars(self._guest).get('migration_error')
        if error is not None:
            raise error
