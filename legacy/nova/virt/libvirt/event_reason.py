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

"""Why libvirt says that a guest has changed its state."""

from nova.virt import event as virtevent

# virDomainEventType and the detail that goes with it, where a migration is
# the reason. The names are read from the binding of the moment; one that a
# binding does not know is never sent by it either.
_MIGRATION = (
    ('VIR_DOMAIN_EVENT_STARTED', 'VIR_DOMAIN_EVENT_STARTED_MIGRATED'),
    ('VIR_DOMAIN_EVENT_SUSPENDED', 'VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED'),
    ('VIR_DOMAIN_EVENT_RESUMED', 'VIR_DOMAIN_EVENT_RESUMED_MIGRATED'),
    ('VIR_DOMAIN_EVENT_STOPPED', 'VIR_DOMAIN_EVENT_STOPPED_MIGRATED'),
)


def of(libvirt, event, detail):
    """Give Nova's name for the reason of a libvirt lifecycle event.

    Called in libvirt's own thread: nothing here logs or waits.

    :param libvirt: the libvirt module
    :param event: int, virDomainEventType
    :param detail: int, what virConnectDomainEventCallback got with it
    :returns: nova.virt.event.REASON_MIGRATION, or None for anything else
    """
    for event_name, detail_name in _MIGRATION:
        if (event == getattr(libvirt, event_name, None) and
                detail == getattr(libvirt, detail_name, None)):
            return virtevent.REASON_MIGRATION
    return None
