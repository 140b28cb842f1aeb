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

"""Observe the guest of a live migration, here and on its destination."""

from concurrent import futures
import contextlib
import threading

from nova.compute import guest_location
from nova import exception
from nova.virt.libvirt import guest as libvirt_guest
from nova.virt.libvirt import migration as libvirt_migrate

try:
    import libvirt
except ImportError:
    libvirt = None

Observation = guest_location.Observation
Presence = guest_location.Presence

# Seconds to wait for an answer: to find that a host is gone takes minutes.
TIMEOUT = 5
# Each without an answer may hold one of the 20 threads that eventlet has.
MAX_QUESTIONS = 8


class GuestObserver:
    """Observes guests; see ComputeDriver.observe_guest."""

    def __init__(self, host, uri_of):
        self._host = host
        self._uri_of = uri_of
        # Those to other hosts leave room for those to this host.
        self._slots = {here: threading.BoundedSemaphore(MAX_QUESTIONS)
                       for here in (True, False)}
        # host name, or uuid of an instance on this host: future of the
        # question that was not answered in time
        self._late = {}

    def observe(self, instance, migration=None):
        try:
            if migration is None:
                return self._ask(None, self._observe_here, instance)
            return self._ask(migration.dest_compute, self._observe_there,
                             instance, migration)
        except exception.InstanceNotFound:
            return _observation(libvirt.VIR_DOMAIN_SHUTOFF, 0)
        except Exception as error:
            return Observation(Presence.UNKNOWN, 'libvirt: %s' % error)

    def pause(self, instance, migration):
        def pause():
            with self._domain(instance, migration, read_only=False) as domain:
                if domain.state(0)[0] == libvirt.VIR_DOMAIN_RUNNING:
                    domain.suspend()

        self._ask(migration.dest_compute, pause)

    def _observe_here(self, instance):
        guest = self._host.get_guest(instance)
        job = guest.get_job_info().type
        return _observation(*guest._domain.state(0), migrating=(
            job == libvirt.VIR_DOMAIN_JOB_UNBOUNDED))

    def _observe_there(self, instance, migration):
        with self._domain(instance, migration) as domain:
            state, reason = domain.state(0)
        if state == libvirt.VIR_DOMAIN_PAUSED and reason in (
                libvirt.VIR_DOMAIN_PAUSED_MIGRATION,
                libvirt.VIR_DOMAIN_PAUSED_STARTING_UP):
            return Observation(Presence.INCOMING, 'libvirt')
        if state == libvirt.VIR_DOMAIN_SHUTOFF:
            return Observation(Presence.STOPPED, 'libvirt')
        return _observation(state, reason, migrating=(
            (state, reason) == (libvirt.VIR_DOMAIN_RUNNING,
                                libvirt.VIR_DOMAIN_RUNNING_POSTCOPY)))

    @contextlib.contextmanager
    def _domain(self, instance, migration, read_only=True):
        uri = self._uri_of(migration.dest_host or migration.dest_compute)
        connection = self._host._connect(uri, read_only)
        try:
            connection.setKeepAlive(5, 3)
            name = connection.getHostname()
            if name == self._host.get_hostname() or (
                    name != migration.dest_node):
                raise exception.InternalError(
                    '%s leads to %s: see live_migration_inbound_addr there' %
                    (uri, name))
            yield connection.lookupByUUIDString(instance.uuid)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                raise exception.InstanceNotFound(instance_id=instance.uuid)
            raise
        finally:
            connection.close()

    def _ask(self, host, function, *args):
        slots = self._slots[host is None]
        # A guest that hangs holds up no other one on this host.
        late = host or args[0].uuid
        if late in self._late and not self._late[late].done() or (
                not slots.acquire(timeout=TIMEOUT)):
            raise exception.InternalError('no answer to earlier questions yet')
        question = futures.Future()

        def ask():
            try:
                question.set_result(function(*args))
            except Exception as error:
                question.set_exception(error)
            finally:
                slots.release()

        threading.Thread(target=ask, daemon=True).start()
        try:
            return question.result(TIMEOUT)
        except futures.TimeoutError:
            self._late[late] = question
            raise exception.InternalError('no answer in %d s' % TIMEOUT)


def _observation(state, reason, migrating=False):
    """Make an Observation of virDomainState and its reason."""
    presence = Presence.RUNNING
    if state == libvirt.VIR_DOMAIN_SHUTOFF:
        presence, migrating = Presence.ABSENT, False
    elif state in (libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_CRASHED):
        presence = Presence.PAUSED
    return Observation(
        presence, 'libvirt', migrating, (state, reason) in (
            (libvirt.VIR_DOMAIN_PAUSED,
             libvirt.VIR_DOMAIN_PAUSED_POSTCOPY_FAILED),
            (libvirt.VIR_DOMAIN_RUNNING,
             # libvirt before 8.5 does not know it.
             getattr(libvirt, 'VIR_DOMAIN_RUNNING_POSTCOPY_FAILED', None))))


def read_job(guest, future):
    """Read the job of a live migration; only its call says how it has ended.

    :param future: of the call; None for one that an earlier process has made
    :returns: nova.virt.libvirt.guest.JobInfo
    """
    error = exception.MigrationError(reason='nova-compute was restarted')
    try:
        info = guest.get_job_info()
        ended = info.type != libvirt.VIR_DOMAIN_JOB_UNBOUNDED or (
            _observation(*guest._domain.state(0)).postcopy_failed)
    except libvirt.libvirtError:
        if future is None:
            # The connection may be closed for good: look again.
            raise
        info, ended = libvirt_guest.JobInfo(), False
    if future is not None:
        ended = future.done()
        error = future.exception() if ended else None
    if not ended:
        if info.type != libvirt.VIR_DOMAIN_JOB_UNBOUNDED:
            info.type = libvirt.VIR_DOMAIN_JOB_NONE
    elif error is None:
        if info.type in (libvirt.VIR_DOMAIN_JOB_NONE,
                         libvirt.VIR_DOMAIN_JOB_UNBOUNDED):
            info.type = libvirt_migrate.find_job_type(guest, None)
    elif (info.type == libvirt.VIR_DOMAIN_JOB_CANCELLED or
            isinstance(error, libvirt.libvirtError) and
            error.get_error_code() == libvirt.VIR_ERR_OPERATION_ABORTED):
        info.type = libvirt.VIR_DOMAIN_JOB_CANCELLED
    else:
        info.type = libvirt.VIR_DOMAIN_JOB_FAILED
    return info
