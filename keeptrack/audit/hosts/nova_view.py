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


"""Asks Nova for its instances and hosts, through openstacksdk; reads only."""

import contextlib
import time

from keeptrack.audit.hosts import collector
from keeptrack.audit.hosts import nova_record
from keeptrack.audit.hosts import services
from keeptrack import errors

# Instances that are asked for one by one: what Nova's list cannot tell.
MOST_MIGRATIONS = 500
MOST_UNKNOWN = 500

# Hypervisors that libvirt is not behind.
_NO_LIBVIRT = ('ironic', 'vmware vcenter server', 'hyperv', 'zvm', 'fake')

# of a migration that has not ended
_UNFINISHED = ('accepted', 'queued', 'preparing', 'running', 'post-migrating',
               'pre-migrating', 'migrating')


class Nova:
    """Nova's API, for an admin.

    :param compute: the compute proxy of an openstack.connection.Connection
    :param connection: that connection, to ask Neutron, Placement and Cinder,
        too; None to ask Nova alone
    """

    def __init__(self, compute, connection=None):
        self._compute = compute
        self._connection = connection

    @classmethod
    def connect(cls, cloud):
        """Make one of clouds.yaml or the environment.

        :param cloud: a name in clouds.yaml, or None for the environment's
        :raises KeeptrackError: when there is no openstacksdk, or no cloud
        """
        try:
            import openstack
        except ImportError:
            raise errors.KeeptrackError(
                "Nova's view needs openstacksdk: pip install "
                "'keeptrack[openstack]', or leave out --os-cloud")
        with _told():
            connection = openstack.connect(cloud=cloud)
            return cls(connection.compute, connection)

    def view(self):
        """Ask for all instances of all projects, and for all hosts.

        :returns: nova_record.View
        :raises KeeptrackError: when Nova does not answer, or does not tell
            what an admin sees
        """
        when = time.time()
        with _told():
            hosts = self._hosts()
            servers, volumes, unclear = {}, {}, 0
            for told in self._compute.servers(details=True,
                                              all_projects=True):
                server = _server(told)
                if server is None:
                    unclear += 1
                else:
                    servers[server.uuid] = server
                    volumes[server.uuid] = _volumes(told)
            migrating = [one for one in servers.values()
                         if one.task_state == nova_record.MIGRATING]
            for server in migrating[:MOST_MIGRATIONS]:
                servers[server.uuid] = self._with_migration(server)
        if servers and not any(one.host or one.node
                               for one in servers.values()) and any(
                one.vm_state in nova_record.THERE
                for one in servers.values()):
            raise errors.KeeptrackError(
                'Nova does not tell on which hosts its instances are: that '
                'needs the rights of an admin')
        asked, unasked = (services.ask(self._connection, volumes)
                          if self._connection is not None else ({}, {}))
        return nova_record.View(when, servers, hosts, unclear, {
            uuid: one for uuid, one in asked.items() if uuid in servers},
            unasked)

    def _hosts(self):
        found = {}
        for told in self._compute.hypervisors(details=True):
            if (told.hypervisor_type or '').lower() in _NO_LIBVIRT:
                continue
            host = (told.service_details or {}).get('host') or told.name
            found[host] = told.name
        return found

    def _with_migration(self, server):
        """A server that migrates, with its unfinished migration."""
        for told in self._compute.migrations(server_id=server.uuid):
            if (told.server_id == server.uuid and
                    (told.status or '').lower() in _UNFINISHED):
                return _replace(server, told)
        return server

    def deleted(self, uuids):
        """Find which of some instances Nova has deleted.

        :param uuids: those that Nova does not list (iterable of str)
        :returns: dict of uuid to nova_record.Server; what Nova never had, or
            has forgotten, is not in it
        """
        found = {}
        with _told():
            for uuid in sorted(uuids)[:MOST_UNKNOWN]:
                for told in self._compute.servers(
                        details=True, all_projects=True, deleted_only=True,
                        id=uuid):
                    server = _server(told)
                    if server is not None and server.uuid == uuid:
                        found[uuid] = server
        return found


@contextlib.contextmanager
def _told():
    """Say in one line what openstacksdk raises."""
    try:
        yield
    except Exception as error:
        if not services.is_answer(error):
            raise
        raise errors.KeeptrackError('Nova cannot be asked: %s' %
                                    collector.one_line(error)) from error


def _text(value):
    return collector.one_line(value) if isinstance(value, str) and value \
        else None


def _volumes(told):
    return [one['id'] for one in told.attached_volumes or ()
            if isinstance(one, dict) and one.get('id')]


def _server(told):
    """Make a Server of what openstacksdk has read; None of too little."""
    state = _text(told.vm_state)
    uuid = (told.id or '').lower()
    if state is None or not collector.UUID.match(uuid):
        return None
    if _text(told.status) == 'DELETED':
        state = nova_record.DELETED
    fault = told.fault if isinstance(told.fault, dict) else {}
    power = told.power_state
    return nova_record.Server(
        uuid, _text(told.compute_host), _text(told.hypervisor_hostname),
        state, _text(told.task_state), power if type(power) is int else None,
        nova_record.seconds(told.updated_at), _text(fault.get('message')),
        nova_record.seconds(fault.get('created')))


def _replace(server, told):
    return nova_record.dataclasses.replace(
        server, migrating_since=nova_record.seconds(told.created_at),
        destination=_text(told.dest_compute))
