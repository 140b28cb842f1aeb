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

"""Look for a guest on the two hosts of its live migration.

The source is this host. The destination is asked over libvirt, which tells
all, and where nova-compute may not connect there, through the nova-compute
that runs on it.
"""

from nova.compute import guest_location
import nova.conf
from nova import exception
from nova.virt import bounded_call

CONF = nova.conf.CONF


class Search(object):
    """One look at both hosts.

    :ivar source: guest_location.Sighting of this host
    :ivar destination: guest_location.Sighting of the destination
    :ivar refused: bool, the destination's nova-compute has refused to answer
        for a guest that does not run there. It has recorded that refusal as
        a fault of the instance, which misleads whoever reads it.
    """

    def __init__(self, source, destination, refused=False):
        self.source = source
        self.destination = destination
        self.refused = refused


def look(manager, context, instance, dest, address, two_copies=False):
    """Look at both hosts, the source first.

    :param manager: ComputeManager of the source host
    :param context: security context
    :param instance: nova.objects.Instance
    :param dest: str, name of the destination host
    :param address: str, where libvirt on the destination is asked
    :param two_copies: bool, the guest was seen to run on both hosts before,
        so that "does not run" is not as much as "is not there"
    :returns: Search
    """
    source = manager.driver.guest_finder.look(instance)
    destination = manager.driver.guest_finder.look(instance, address)
    refused = False
    if destination.presence == guest_location.UNKNOWN:
        answer, refused = _ask_compute(manager, context, instance, dest,
                                       source, two_copies)
        answer.how = '%s; %s' % (destination.how, answer.how)
        destination = answer
    if destination.presence == source.presence == guest_location.RUNNING:
        # The guest may have moved between the two looks.
        source = manager.driver.guest_finder.look(instance)
    return Search(source, destination, refused)


def _ask_compute(manager, context, instance, dest, source, two_copies):
    """Ask nova-compute on the destination whether the guest runs there.

    get_instance_diagnostics (RPC 3.31) goes to the instance's host and
    answers for a guest that runs, so it is called with a copy of the instance
    that names the destination. For any other guest it raises
    InstanceInvalidState, be it paused or not there at all.

    :returns: tuple of guest_location.Sighting and bool, whether nova-compute
        has refused
    """
    how = 'nova-compute on %s' % dest
    elsewhere = instance.obj_clone()
    elsewhere.host = dest
    call = bounded_call.BoundedCall(
        manager.compute_rpcapi.get_instance_diagnostics, context, elsewhere)
    if not call.wait(CONF.live_migration_rpc_timeout):
        return guest_location.Sighting(
            guest_location.UNKNOWN, '%s: no answer within %d s' %
            (how, CONF.live_migration_rpc_timeout)), False
    if call.error is None:
        return guest_location.Sighting(guest_location.RUNNING, how), False
    if not isinstance(call.error, exception.InstanceInvalidState):
        # An error from over there has its traceback below the first line.
        return guest_location.Sighting(
            guest_location.UNKNOWN,
            ('%s: %s' % (how, call.error)).split('\n')[0]), False
    if source.presence == guest_location.RUNNING and not two_copies:
        # libvirt has given up the other before it lets the source run. But
        # one that was asked to run there in a moment when it could not
        # answer does so as soon as it can.
        return guest_location.Sighting(
            guest_location.ABSENT, '%s: it does not run there' % how,
            sure=False), True
    return guest_location.Sighting(
        guest_location.UNKNOWN, '%s: it does not run there, but may be '
        'paused' % how), True
