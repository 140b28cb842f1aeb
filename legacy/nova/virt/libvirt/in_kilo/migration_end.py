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

"""How a live migration ends is told by the call that makes it.

A job that is gone, a domain that is gone and an answer that did not come say
nothing of where the guest is: whoever is told that the migration has failed
looks for it.

The thread that makes the call tells its monitor that it has ended, but not
how, and the monitor has the domain as libvirt gives it: in later releases it
has a future and a guest.
"""

import functools
import sys
import time

from oslo_log import log as logging
from oslo_utils import excutils

from nova.virt.libvirt import host
from nova.virt.libvirt import migration_job

LOG = logging.getLogger(__name__)

NOT_READ = 'The job of the live migration cannot be read now: %s'
NOT_FOLLOWED = ('Following a live migration has failed; libvirt goes on with '
                'it, and Nova follows it again: %s')

# virErrorNumber
_OPERATION_ABORTED = 78

# Seconds before a monitor that has failed begins again.
PAUSE = 5


def keep_error(function):
    """Let the domain know what its migration has raised.

    :param function: LibvirtDriver._live_migration_operation
    :returns: the decorated function
    """
    @functools.wraps(function)
    def _live_migration_operation(self, context, instance, dest,
                                  block_migration, migrate_data, dom):
        try:
            function(self, context, instance, dest, block_migration,
                     migrate_data, dom)
        except BaseException:
            # Also what ends a green thread from outside.
            dom.migration_error = sys.exc_info()[1]
            raise
    return _live_migration_operation


def told_by_the_call(function):
    """Let the monitor of a live migration learn of its end from the call.

    What else the monitor fails at, be it to store the progress, ends it no
    longer: it begins again until it has told the end.

    :param function: LibvirtDriver._live_migration_monitor
    :returns: the decorated function
    """
    @functools.wraps(function)
    def _live_migration_monitor(self, context, instance, dest,
                                post_method, recover_method, block_migration,
                                migrate_data, dom, finish_event):
        moving = MovingDomain(dom, instance, finish_event.ready)
        told = _Told()
        while True:
            try:
                return function(self, context, instance, dest,
                                told.by(post_method),
                                told.by(recover_method), block_migration,
                                migrate_data, moving, finish_event)
            except Exception as error:
                if told.once:
                    raise
                LOG.warning(NOT_FOLLOWED, error, instance=instance)
            time.sleep(PAUSE)
    return _live_migration_monitor


def told_in_any_case(function):
    """Tell the end of a migration also where it was never begun.

    It has a thread of its own, and nobody else hears what it raises.

    :param function: LibvirtDriver._live_migration
    :returns: the decorated function
    """
    @functools.wraps(function)
    def _live_migration(self, context, instance, dest, post_method,
                        recover_method, block_migration, migrate_data):
        told = _Told()
        try:
            function(self, context, instance, dest, told.by(post_method),
                     told.by(recover_method), block_migration, migrate_data)
        except Exception:
            with excutils.save_and_reraise_exception():
                if not told.once:
                    recover_method(context, instance, dest, block_migration,
                                   migrate_data)
    return _live_migration


class _Told(object):
    """Knows whether the end of a migration was told."""

    def __init__(self):
        self.once = False

    def by(self, method):
        """Give a method that does the same, and is noticed."""
        def tell(*args, **kwargs):
            self.once = True
            return method(*args, **kwargs)
        return tell


class MovingDomain(object):
    """A domain whose job is over when the call that moves it is, not before.

    :param domain: libvirt.virDomain
    :param instance: nova.objects.Instance
    :param has_ended: callable without arguments; bool, the call has ended
    """

    def __init__(self, domain, instance, has_ended):
        self._domain = domain
        self._instance = instance
        self._has_ended = has_ended
        # That of the module which Nova's tests give a fake one.
        self._libvirt = host.libvirt

    def __getattr__(self, name):
        return getattr(self._domain, name)

    def jobStats(self):
        """Read the job.

        :returns: dict as libvirt's; its type is VIR_DOMAIN_JOB_NONE where the
            job cannot be read, or tells of an end before the call has ended
        """
        job = None
        if not self._has_ended():
            job = self._read()
        if self._has_ended():
            return {'type': self._end()}
        if job is None or not job.active:
            return {'type': self._libvirt.VIR_DOMAIN_JOB_NONE}
        return {'type': self._libvirt.VIR_DOMAIN_JOB_UNBOUNDED,
                'memory_total': job.memory_total,
                'memory_processed': job.memory_processed,
                'memory_remaining': job.memory_remaining}

    def isActive(self):
        """Tell whether the migration has failed.

        The monitor asks this once the call has ended, to find that out.

        :returns: bool
        """
        return self._end() != self._libvirt.VIR_DOMAIN_JOB_COMPLETED

    def _read(self):
        try:
            return migration_job.read(self._libvirt, self._domain)
        except self._libvirt.libvirtError as error:
            # libvirtd may be restarting, and the call knows more.
            LOG.debug(NOT_READ, error, instance=self._instance)

    def _end(self):
        """Tell how the call has ended.

        :returns: int, virDomainJobType: completed only where the call has
            returned and the guest is no longer here
        """
        error = vars(self._domain).get('migration_error')
        if self._is_abort(error):
            return self._libvirt.VIR_DOMAIN_JOB_CANCELLED
        if error is None and not self._stays():
            return self._libvirt.VIR_DOMAIN_JOB_COMPLETED
        return self._libvirt.VIR_DOMAIN_JOB_FAILED

    def _stays(self):
        try:
            return bool(self._domain.isActive())
        except self._libvirt.libvirtError:
            return False

    def _is_abort(self, error):
        return (isinstance(error, self._libvirt.libvirtError) and
                error.get_error_code() == _OPERATION_ABORTED)
