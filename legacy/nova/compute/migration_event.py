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

"""What lifecycle events of a guest mean when a migration has caused them."""

import functools

from oslo_log import log as logging

from nova.compute import power_state
from nova.compute import task_states
from nova import context as nova_context
from nova import exception
from nova import objects
from nova.virt import event as virtevent

LOG = logging.getLogger(__name__)

LEFT = ('The guest was %(what)s here since it moves to another host; its '
        'state in the database stays as it is.')
ARRIVED = ('The guest has arrived by live migration and runs on this host '
           'now; waiting for the source host %(source)s to finish.')

_LEAVES = {
    virtevent.EVENT_LIFECYCLE_STOPPED: 'stopped',
    virtevent.EVENT_LIFECYCLE_PAUSED: 'paused',
}


def tell_migration(function):
    """Keep a migration's own events from being read as a user's or a crash.

    Decorates ComputeManager.handle_lifecycle_event. libvirt stops a guest on
    the source host because it runs elsewhere by then: recorded as a shutdown,
    a guest that runs can be started a second time. On the destination the
    guest begins to run before its record names that host, so the power state
    is stored here and now.

    :param function: handle_lifecycle_event(self, event)
    :returns: the decorated function
    """
    @functools.wraps(function)
    def handle_lifecycle_event(self, event):
        if event.reason == virtevent.REASON_MIGRATION:
            transition = event.get_transition()
            if transition in _LEAVES:
                LOG.info(LEFT, {'what': _LEAVES[transition]},
                         instance_uuid=event.get_instance_uuid())
                return
            if (transition == virtevent.EVENT_LIFECYCLE_RESUMED and
                    _has_arrived(self.host, event.get_instance_uuid())):
                return
        return function(self, event)
    return handle_lifecycle_event


def _has_arrived(host, uuid):
    """Record that a guest runs on the host that it was to reach.

    :param host: str, the name of this host
    :param uuid: str, the instance's
    :returns: bool; False where the event is not the end of a live migration
        to this host
    :raises: exception.InstanceNotFound
    """
    context = nova_context.get_admin_context()
    instance = objects.Instance.get_by_uuid(context, uuid)
    if instance.host == host or instance.task_state != task_states.MIGRATING:
        return False
    instance.power_state = power_state.RUNNING
    still = [task_states.MIGRATING]
    try:
        instance.save(expected_task_state=still)
    except exception.UnexpectedTaskStateError:
        # The source has finished or rolled back in this moment, and what it
        # stores is newer.
        return False
    LOG.info(ARRIVED, {'source': instance.host}, instance=instance)
    return True
