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

"""Tell whether a guest is on a host, by asking the libvirtd there.

Each question opens a connection of its own, in a native thread that nobody
has to wait for: to a host that is gone, libvirt tries to connect for minutes.
"""

from nova.compute import guest_location
import nova.conf
from nova.virt import bounded_call
from nova.virt.libvirt import migration_job

CONF = nova.conf.CONF

# virDomainState
_PRESENCES = {
    1: guest_location.RUNNING,   # running
    2: guest_location.RUNNING,   # blocked on a resource
    3: guest_location.PAUSED,    # paused
    4: guest_location.RUNNING,   # shutting down, still there
    5: guest_location.ABSENT,    # shut off
    6: guest_location.PAUSED,    # crashed, and kept for whoever looks
    7: guest_location.RUNNING,   # asleep, but it wakes by itself
}
_RUNNING = 1
_PAUSED = 3

# virDomainRunningReason of one whose memory is still on the source:
# post-copy, and post-copy that has failed.
_POSTCOPY = (10, 11)

# virDomainPausedReason of a domain that waits for its guest to arrive:
# migration, starting up. Any other reason belongs to one that has run.
_WAITS_FOR_GUEST = (2, 11)

# virDomainUndefineFlagsValues. What the guest may share with its copy on the
# other host stays; without them libvirt refuses to undefine what has an NVRAM.
_UNDEFINE = ('VIR_DOMAIN_UNDEFINE_MANAGED_SAVE',
             'VIR_DOMAIN_UNDEFINE_KEEP_NVRAM',
             'VIR_DOMAIN_UNDEFINE_KEEP_TPM')

# Questions to one host that may be without an answer at a time. Each is a
# thread, and a host that is down answers none of them.
UNANSWERED = 8
_unanswered = {}


class GuestFinder(object):
    """Finds guests on this host and on others.

    :param libvirt: the libvirt module
    :param own_uri: str, libvirt URI of this host
    :param uri_of: callable; gives the libvirt URI of another host by its
        name. None takes the option live_migration_uri, the driver's own.
    """

    def __init__(self, libvirt, own_uri, uri_of=None):
        self._libvirt = libvirt
        self._own_uri = own_uri
        self._uri_of = uri_of or _migration_uri

    def look(self, instance, host=None):
        """Tell whether a guest is on a host.

        :param instance: the guest's instance
        :param host: str, name of another host, which is asked at its
            live_migration_uri; None for this one. The connection is
            read-only.
        :returns: guest_location.Sighting, of presence UNKNOWN where the host
            does not answer in time or answers with an error
        """
        uri = self._uri_of(host) if host else self._own_uri
        how = 'libvirt at %s' % uri
        try:
            return _ask(uri, _look_here if host is None else _look_there,
                        self._libvirt, uri, instance['uuid'], how)
        except Exception as error:
            return guest_location.Sighting(guest_location.UNKNOWN,
                                           '%s: %s' % (how, error))

    def suspend(self, instance, host):
        """Suspend a guest on another host if it runs there.

        :param instance: the guest's instance
        :param host: str, name of the host; the connection may write
        :raises: libvirt.libvirtError where libvirt refuses; NoAnswer
        """
        uri = self._uri_of(host)
        _ask(uri, _suspend, self._libvirt, uri, instance['uuid'])

    def end_paused(self, instance):
        """End what a migration has left of a guest on this host.

        Its QEMU is killed and its definition removed; disks, volumes and
        network are not touched.

        :param instance: the guest's instance
        :raises: StillRuns where it is not paused; libvirt.libvirtError where
            libvirt refuses; NoAnswer
        """
        _ask(self._own_uri, _end_paused, self._libvirt, self._own_uri,
             instance['uuid'])


class NoAnswer(Exception):
    """A host has not answered in time."""


class StillRuns(Exception):
    """A guest that was to be ended is not paused."""


def _migration_uri(host):
    return CONF.libvirt.live_migration_uri % host


def _ask(uri, function, *args):
    """Run a function that blocks in libvirt, and wait for it with a bound."""
    waiting = [call for call in _unanswered.get(uri, ()) if not call.ended]
    _unanswered[uri] = waiting
    if len(waiting) >= UNANSWERED:
        raise NoAnswer('%d earlier questions have no answer yet'
                       % len(waiting))
    call = bounded_call.NativeCall(function, *args)
    waiting.append(call)
    seconds = CONF.libvirt.live_migration_ask_timeout
    if not call.wait(seconds):
        raise NoAnswer('no answer within %d s' % seconds)
    return call.result()


def _look_here(libvirt, uri, uuid, how):
    """Look at the source, which alone has a job to be read."""
    return _look(libvirt, uri, uuid, how, _has_job)


def _look_there(libvirt, uri, uuid, how):
    return _look(libvirt, uri, uuid, how, _in_postcopy)


def _in_postcopy(libvirt, domain):
    """Tell whether a guest runs on memory that is still on the source.

    The source has no job any more where its libvirtd has lost it.
    """
    state, reason = domain.state(0)
    return state == _RUNNING and reason in _POSTCOPY


def _look(libvirt, uri, uuid, how, has_job):
    connection = libvirt.openReadOnly(uri)
    try:
        domain = connection.lookupByUUIDString(uuid)
        # The job first: while a QEMU is ended, this question waits for
        # seconds, and a state that was read before is old by then.
        moving = has_job(libvirt, domain)
        state, reason = domain.state(0)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
            raise
        return guest_location.Sighting(guest_location.ABSENT, how)
    finally:
        connection.close()
    presence = _PRESENCES.get(state, guest_location.UNKNOWN)
    return guest_location.Sighting(
        presence, how, moving=moving and presence != guest_location.ABSENT,
        diverged=state == _PAUSED and reason not in _WAITS_FOR_GUEST)


def _has_job(libvirt, domain):
    try:
        return migration_job.read(libvirt, domain).active
    except libvirt.libvirtError as error:
        # It does not run.
        if error.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID:
            raise
        return False


def _suspend(libvirt, uri, uuid):
    def act(domain):
        if _PRESENCES.get(domain.state(0)[0]) == guest_location.RUNNING:
            domain.suspend()
    _act(libvirt, uri, uuid, act)


def _end_paused(libvirt, uri, uuid):
    keep = 0
    for name in _UNDEFINE:
        keep |= getattr(libvirt, name, 0)

    def act(domain):
        state = domain.state(0)[0]
        if _PRESENCES.get(state) == guest_location.RUNNING:
            raise StillRuns('the guest runs on this host')
        persistent = domain.isPersistent()
        if state == _PAUSED:
            domain.destroy()
        if persistent:
            domain.undefineFlags(keep)
    _act(libvirt, uri, uuid, act)


def _act(libvirt, uri, uuid, act):
    """Do something to a domain; one that is gone needs nothing done."""
    connection = libvirt.open(uri)
    try:
        act(connection.lookupByUUIDString(uuid))
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
            raise
    finally:
        connection.close()
