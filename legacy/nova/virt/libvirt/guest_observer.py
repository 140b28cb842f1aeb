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

"""Observe the guest of a live migration, here and on its destination.

libvirt may take minutes to notice that a host is gone, so each question is
asked in a native thread of eventlet's pool and is waited for with a bound.
"""

import contextlib

from eventlet import semaphore
from eventlet import timeout
from eventlet import tpool
from oslo_config import cfg
import six

from nova.compute import guest_location
from nova import exception
from nova.i18n import _

CONF = cfg.CONF

Presence = guest_location.Presence

TIMEOUT = 5
# Each without an answer may hold one of the 20 threads that eventlet has.
MAX_QUESTIONS = 5

# virDomainState: running, blocked, being shut down and suspended by the guest
# all use the disks. A crashed one is kept for whoever looks at it.
_RUNNING, _PAUSED, _SHUTOFF, _CRASHED = 1, 3, 5, 6
# virDomainPausedReason: migration, starting up
_INCOMING = (2, 11)
# virDomainJobType
_JOB_UNBOUNDED = 2


class GuestObserver(object):
    """Observes guests, and ends their second copies.

    :param libvirt: the libvirt module
    :param uri: URI of the hypervisor of this host (str)
    """

    def __init__(self, libvirt, uri):
        self._libvirt, self._uri = libvirt, uri
        # Those to other hosts leave room for those to this host.
        self._slots = {True: semaphore.Semaphore(MAX_QUESTIONS),
                       False: semaphore.Semaphore(MAX_QUESTIONS)}
        # Questions without an answer in time: [host name], empty at the end
        self._late = []

    def observe(self, instance, host=None, node=None):
        """Say whether and how a guest is on a host of its live migration.

        :param host: name of the destination; None for this host (str)
        :param node: name that its hypervisor has for itself (str)
        :returns: nova.compute.guest_location.Observation, of the presence
            UNKNOWN unless the very host that was meant has answered
        """
        try:
            return self._ask(host, self._observe, instance, host, node)
        except exception.InstanceNotFound:
            return guest_location.Observation(Presence.ABSENT, 'libvirt')
        except (exception.NovaException, self._libvirt.libvirtError) as error:
            return guest_location.Observation(
                Presence.UNKNOWN, 'libvirt: %s' % six.text_type(error))

    def pause(self, instance, host, node):
        """Pause a guest on the destination if it runs there."""
        def pause():
            with self._domain(instance, host, node, False) as domain:
                if domain.state(0)[0] == _RUNNING:
                    domain.suspend()

        self._ask(host, pause)

    def remove(self, instance):
        """Remove the domain of a guest that has left, but nothing it uses."""
        def remove():
            with self._domain(instance, None, None, False) as domain:
                state = domain.state(0)[0]
                if state not in (_PAUSED, _SHUTOFF, _CRASHED):
                    raise exception.InstanceInvalidState(
                        attr='power state', instance_uuid=instance['uuid'],
                        state='running', method='remove')
                persistent = domain.isPersistent()
                if state != _SHUTOFF:
                    domain.destroy()
                if persistent:
                    domain.undefineFlags(
                        self._libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE)

        try:
            self._ask(None, remove)
        except exception.InstanceNotFound:
            pass

    def _observe(self, instance, host, node):
        with self._domain(instance, host, node) as domain:
            # While a QEMU ends, this takes seconds: the state is read after.
            migrating = host is None and self._has_job(domain)
            state, reason = domain.state(0)
        presence = Presence.RUNNING
        if state == _SHUTOFF:
            presence = Presence.STOPPED if host else Presence.ABSENT
        elif state in (_PAUSED, _CRASHED):
            presence = Presence.PAUSED
            if host and state == _PAUSED and reason in _INCOMING:
                presence = Presence.INCOMING
        return guest_location.Observation(
            presence, 'libvirt', state != _SHUTOFF and migrating)

    def _has_job(self, domain):
        try:
            return domain.jobInfo()[0] == _JOB_UNBOUNDED
        except self._libvirt.libvirtError as error:
            # Without jobs nobody knows; otherwise it does not run.
            answers = {self._libvirt.VIR_ERR_NO_SUPPORT: None,
                       self._libvirt.VIR_ERR_OPERATION_INVALID: False}
            if error.get_error_code() not in answers:
                raise
            return answers[error.get_error_code()]

    @contextlib.contextmanager
    def _domain(self, instance, host, node, read_only=True):
        uri = self._uri
        if host is not None:
            uri = CONF.libvirt.live_migration_uri % host
        connect = (self._libvirt.openReadOnly if read_only
                   else self._libvirt.open)
        connection = connect(uri)
        try:
            connection.setKeepAlive(5, 3)
            if host is not None:
                name = connection.getHostname()
                if name != node or name == instance['node']:
                    raise exception.NovaException(
                        _('%(uri)s leads to %(name)s, not to %(node)s') %
                        {'uri': uri, 'name': name, 'node': node})
            yield connection.lookupByUUIDString(instance['uuid'])
        except self._libvirt.libvirtError as error:
            if error.get_error_code() == self._libvirt.VIR_ERR_NO_DOMAIN:
                raise exception.InstanceNotFound(instance_id=instance['uuid'])
            raise
        finally:
            connection.close()

    def _ask(self, host, function, *args):
        question = [host]

        def ask():
            try:
                return function(*args)
            finally:
                question.pop()

        with timeout.Timeout(TIMEOUT, False):
            with self._slots[host is None]:
                self._late = [late for late in self._late if late]
                if question in self._late or host is not None and (
                        len(self._late) >= MAX_QUESTIONS):
                    raise exception.NovaException(
                        _('no answer to earlier questions yet'))
                try:
                    return tpool.execute(ask)
                except timeout.Timeout:
                    self._late.append(question)
                    raise
        raise exception.NovaException(_('no answer in %d s') % TIMEOUT)
