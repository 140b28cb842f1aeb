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
"""

import functools

from oslo_log import log as logging

from nova.compute import guest_location
from nova.virt.libvirt import guest as libvirt_guest

LOG = logging.getLogger(__name__)

NOT_READ = 'The job of the live migration cannot be read now: %s'
NOT_RESUMED = ('The guest was paused to complete its live migration to '
               '%(dest)s, which has failed. It is not resumed here: %(dest)s '
               'is not seen to be without it: %(sighting)s')

# virErrorNumber
_OPERATION_ABORTED = 78


def told_by_the_call(function):
    """Let the monitor of a live migration learn of its end from the call.

    :param function: LibvirtDriver._live_migration_monitor
    :returns: the decorated function
    """
    @functools.wraps(function)
    def _live_migration_monitor(self, context, instance, guest, dest,
                                post_method, recover_method, block_migration,
                                migrate_data, future, disk_paths):
        moving = MovingGuest(guest, instance, future,
                             functools.partial(_may_resume, self, instance,
                                               dest, migrate_data))
        return function(self, context, instance, moving, dest, post_method,
                        recover_method, block_migration, migrate_data, future,
                        disk_paths)
    return _live_migration_monitor


def _may_resume(driver, instance, dest, migrate_data):
    """Tell whether a guest that was paused here may run here again."""
    address = dest
    if 'target_connect_addr' in migrate_data:
        # where the migration itself connects to
        address = migrate_data.target_connect_addr or dest
    sighting = driver.guest_finder.look(instance, address)
    if sighting.presence == guest_location.ABSENT:
        return True
    LOG.warning(NOT_RESUMED, {'dest': dest, 'sighting': sighting},
                instance=instance)
    return False


class MovingGuest(libvirt_guest.Guest):
    """A guest whose job is over when the call that moves it is, not before.

    :param guest: nova.virt.libvirt.guest.Guest
    :param instance: nova.objects.Instance
    :param future: future of the thread that makes the call
    :param may_resume: callable without arguments; bool, no other copy can run
    """

    def __init__(self, guest, instance, future, may_resume):
        super().__init__(guest._domain)
        self._instance = instance
        self._future = future
        self._may_resume = may_resume
        self._cancelled = False
        # That of the module which Nova's tests give a fake one.
        self._libvirt = libvirt_guest.libvirt

    def get_job_info(self):
        """Read the job.

        :returns: nova.virt.libvirt.guest.JobInfo: of type
            VIR_DOMAIN_JOB_NONE where it cannot be read, or tells of an end
            before the call has ended
        """
        try:
            info = super().get_job_info()
        except self._libvirt.libvirtError as error:
            # libvirtd may be restarting, and the call knows more.
            LOG.debug(NOT_READ, error, instance=self._instance)
            info = libvirt_guest.JobInfo()
        self._cancelled |= info.type == self._libvirt.VIR_DOMAIN_JOB_CANCELLED
        if self._has_ended():
            info.type = self._end(info.type)
        elif info.type != self._libvirt.VIR_DOMAIN_JOB_UNBOUNDED:
            info.type = self._libvirt.VIR_DOMAIN_JOB_NONE
        return info

    def resume(self):
        """Resume it, unless a copy may run on the destination."""
        if self._may_resume():
            super().resume()

    def _end(self, job_type):
        """Tell how the call has ended.

        :param job_type: int, virDomainJobType as it was read
        :returns: int, virDomainJobType: completed only where the call has
            returned, and its job says so or the guest is no longer here
        """
        error = self._error()
        if self._cancelled or self._is_abort(error):
            return self._libvirt.VIR_DOMAIN_JOB_CANCELLED
        if error is None and (
                job_type == self._libvirt.VIR_DOMAIN_JOB_COMPLETED or
                job_type != self._libvirt.VIR_DOMAIN_JOB_FAILED and
                not self._stays()):
            return self._libvirt.VIR_DOMAIN_JOB_COMPLETED
        return self._libvirt.VIR_DOMAIN_JOB_FAILED

    def _stays(self):
        try:
            return self.is_active()
        except self._libvirt.libvirtError:
            return False

    def _has_ended(self):
        return self._future.done()

    def _error(self):
        """Give what the call has raised, or None."""
        try:
            self._future.result()
        except Exception as error:
            return error

    def _is_abort(self, error):
        return (isinstance(error, self._libvirt.libvirtError) and
                error.get_error_code() == _OPERATION_ABORTED)
