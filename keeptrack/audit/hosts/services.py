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


"""Asks Neutron, Placement and Cinder what they have of Nova's instances.

Through openstacksdk's connection, read-only, in a few lists: one of all ports,
one of allocations a compute node, one of all attachments.
"""

import dataclasses

from keeptrack.audit.hosts import collector

NEUTRON, PLACEMENT, CINDER = 'Neutron', 'Placement', 'Cinder'

# attachments are listed from this version of the API on
_ATTACHMENTS = '3.27'


@dataclasses.dataclass(frozen=True)
class Services:
    """What the other services have of one instance.

    :ivar ports: (port's id, host it is bound to) of each bound port (tuple)
    :ivar providers: names of the root providers that Placement has it on
        (tuple of str), or None where Placement was not asked
    :ivar unattached: volumes that Nova has attached to it, and Cinder has no
        attachment of (tuple of str)
    """

    ports: tuple = ()
    providers: tuple | None = None
    unattached: tuple = ()


def ask(connection, volumes):
    """Ask the services.

    :param connection: openstack.connection.Connection
    :param volumes: dict of an instance's uuid to the ids of its volumes, as
        Nova has them
    :returns: dict of uuid to Services, and a dict of each service that could
        not be asked to why (str)
    """
    asked, unasked = {}, {}
    for name, one in ((NEUTRON, _ports), (PLACEMENT, _providers),
                      (CINDER, _attachments)):
        try:
            asked[name] = one(connection)
        except Exception as error:
            # any service may be missing, broken or closed to this user: the
            # others count all the same
            if not is_answer(error):
                raise
            unasked[name] = '%s: %s' % (type(error).__name__,
                                        collector.one_line(error))
    ports, providers, attached = (asked.get(name) for name in (
        NEUTRON, PLACEMENT, CINDER))
    found = {}
    for uuid in {*volumes, *(ports or {}), *(providers or {})}:
        found[uuid] = Services(
            tuple(sorted((ports or {}).get(uuid, ()))),
            None if providers is None else
            tuple(sorted(providers.get(uuid, ()))),
            () if attached is None else tuple(sorted(
                one for one in volumes.get(uuid, ())
                if (one, uuid) not in attached)))
    return found, unasked


def is_answer(error):
    """Tell whether a service, or the way to it, has raised this (bool)."""
    return type(error).__module__.split('.')[0] in (
        'openstack', 'keystoneauth1', 'requests', 'urllib3', 'yaml')


def _ports(connection):
    found = {}
    for port in connection.network.ports():
        if (port.device_owner or '').startswith('compute:') and \
                port.binding_host_id and port.device_id:
            found.setdefault(port.device_id.lower(), []).append(
                (str(port.id), collector.one_line(port.binding_host_id)))
    return found


def _providers(connection):
    listed = {one.id: one for one in
              connection.placement.resource_providers()}
    found = {}
    for uuid, one in listed.items():
        root = listed.get(one.root_provider_id, one)
        for consumer in _get(connection.placement,
                             '/resource_providers/%s/allocations' % uuid)[
                                 'allocations']:
            found.setdefault(consumer.lower(), set()).add(
                collector.one_line(root.name))
    return found


def _attachments(connection):
    """All attachments (set of volume's id and instance's uuid).

    Cinder lists at most osapi_max_limit of them (1,000) at a time, and has no
    link to the next ones: cinder/api/v3/views/attachments.py.
    """
    found, ids, path = set(), set(), '/attachments?all_tenants=1'
    while True:
        page = _get(connection.block_storage, path, _ATTACHMENTS)[
            'attachments']
        if ids.issuperset(one['id'] for one in page):
            return found
        ids |= {one['id'] for one in page}
        found |= {(one['volume_id'], (one.get('instance') or '').lower())
                  for one in page}
        path = '/attachments?all_tenants=1&marker=' + page[-1]['id']


def _get(proxy, path, version=None):
    answer = proxy.get(path, microversion=version)
    answer.raise_for_status()
    return answer.json()
