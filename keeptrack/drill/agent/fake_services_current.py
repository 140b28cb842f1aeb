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


"""What stands in for the services around Nova 20 to 34.

Neutron, Cinder and placement, at Nova's own interfaces to them.  What they
know is in one file, so that what one nova-compute has asked for, the other one
sees.
"""

import collections
import contextlib
import fcntl
import json
import uuid

from agent import fake_services

_NAMESPACE = uuid.UUID('9d1f6a0e-3a5e-4c0b-9a37-6a1c9b6f0f52')

_ACTIVE, _INACTIVE = 'ACTIVE', 'INACTIVE'

_RESOURCES = {'VCPU': 1, 'MEMORY_MB': 2048}

# names as in Nova's own of the same name
Allocations = collections.namedtuple('Allocations', 'allocations')
Traits = collections.namedtuple('Traits', 'traits generation')


class SharedRecord(object):
    """A file with what is known.

    :param path: of the file; it need not exist (str)
    """

    def __init__(self, path):
        self._path = path

    def write(self, known):
        """Begin anew.

        :param known: what JSON can hold (dict)
        """
        with open(self._path, 'w') as stream:
            json.dump(known, stream)

    @contextlib.contextmanager
    def changing(self):
        """Change what is known; nobody else does so meanwhile.

        :returns: a context manager of it (dict), which is stored at the end
            unless something is raised
        """
        with open(self._path, 'r+') as stream:
            # it is free as soon as the file is closed
            fcntl.flock(stream, fcntl.LOCK_EX)
            known = json.load(stream)
            yield known
            stream.seek(0)
            stream.truncate()
            json.dump(known, stream)


class _Needs(object):
    ledger = None
    no_attachment = None


def use(ledger, no_attachment):
    """Say where the stand-ins of this process keep what they know.

    :param ledger: SharedRecord
    :param no_attachment: makes what is raised where Cinder knows no
        attachment of an id: a callable that takes attachment_id (str)
    """
    _Needs.ledger = ledger
    _Needs.no_attachment = staticmethod(no_attachment)


def node_id(host):
    """The id of a host's compute node, and of its provider (str).

    :param host: its name (str)
    """
    return str(uuid.uuid5(_NAMESPACE, 'node ' + host))


def attachment_id(volume, host):
    """The id of the attachment of a volume to a host (str).

    :param volume: its id (str)
    :param host: name of the host (str)
    """
    return str(uuid.uuid5(_NAMESPACE, '%s on %s' % (volume, host)))


def beginning(instance, host, hosts):
    """What is known before the migration: all is on one host.

    :param instance: its id (str)
    :param host: name of the host that it is on (str)
    :param hosts: names of all hosts (iterable of str)
    :returns: for SharedRecord.write (dict)
    """
    return {
        'bindings': {host: _ACTIVE},
        'attachments': {attachment_id(fake_services.VOLUME, host): [
            fake_services.VOLUME, host]},
        'nodes': {node_id(name): name for name in hosts},
        'allocations': {instance: {node_id(host): {
            'resources': _RESOURCES}}},
    }


class Network(fake_services.Network):
    """In the place of nova.network.neutron.API."""

    def has_port_binding_extension(self, context=None, client=None):
        return True

    # its name until Nova 23
    supports_port_binding_extension = has_port_binding_extension

    def list_ports(self, context, **search):
        with _Needs.ledger.changing() as known:
            host = _active(known['bindings'])
        return {'ports': [
            {'id': vif['id'], 'binding:host_id': host,
             'binding:vif_type': vif['type'], 'binding:vnic_type': 'normal',
             'binding:profile': {}} for vif in fake_services.network_info()]}

    def get_binding_profile_allocation(self, context, port, mapping):
        """The port has no resources of its own."""

    def bind_ports_to_host(self, context, instance, host, vnic_types=None,
                           port_profiles=None):
        with _Needs.ledger.changing() as known:
            known['bindings'].setdefault(host, _INACTIVE)
        fake_services.tell('setup', 'port-bound', 'port bound to %s' % host,
                           host=host)
        return {vif['id']: {
            'host': host, 'vnic_type': 'normal', 'profile': {},
            'vif_type': vif['type'], 'vif_details': {}, 'status': _INACTIVE}
            for vif in fake_services.network_info()}

    def migrate_instance_start(self, context, instance, migration):
        self._activate(_destination(migration), False)

    def migrate_instance_finish(self, context, instance, migration,
                                provider_mappings):
        # Neutron makes a binding where there is none
        self._activate(_destination(migration), True)

    @staticmethod
    def _activate(host, make):
        with _Needs.ledger.changing() as known:
            bindings = known['bindings']
            before = _active(bindings)
            if before == host or not make and host not in bindings:
                return
            if before is not None:
                bindings[before] = _INACTIVE
            bindings[host] = _ACTIVE
        if before is not None:
            fake_services.tell('teardown', 'network-left',
                               'port taken from %s' % before, host=before)
        fake_services.tell('setup', 'network-moved', 'port given to %s' % host,
                           host=host)

    def setup_networks_on_host(self, context, instance, host=None,
                               teardown=False):
        # Nova only takes away the bindings to a host that is not the
        # instance's; a note in the port's profile is all that is set up
        if teardown and host and instance.host != host:
            self.cleanup_instance_network_on_host(context, instance, host)

    def cleanup_instance_network_on_host(self, context, instance, host):
        with _Needs.ledger.changing() as known:
            gone = known['bindings'].pop(host, None)
        if gone is not None:
            fake_services.tell('teardown', 'port-unbound',
                               'port bound to %s no more' % host, host=host,
                               status=gone)


def _destination(migration):
    """The destination of a migration: a dict until Nova 25 (str)."""
    return (migration['dest_compute'] if isinstance(migration, dict)
            else migration.dest_compute)


def _active(bindings):
    """The host of the active one of a port's bindings (str or None)."""
    return next((host for host, status in sorted(bindings.items())
                 if status == _ACTIVE), None)


class Volume(fake_services.Volume):
    """In the place of nova.volume.cinder.API."""

    def attachment_create(self, context, volume, instance, connector=None,
                          mountpoint=None):
        host = connector['host']
        made = attachment_id(volume, host)
        with _Needs.ledger.changing() as known:
            known['attachments'][made] = [volume, host]
        fake_services.tell('setup', 'volume-attached',
                           'volume attached to %s' % host, volume=volume,
                           host=host)
        return {'id': made,
                'connection_info': fake_services.connection_info(volume)}

    def attachment_get(self, context, attachment):
        with _Needs.ledger.changing() as known:
            volume, _ = known['attachments'].get(attachment, (None, None))
        if volume is None:
            raise _Needs.no_attachment(attachment_id=attachment)
        return {'id': attachment,
                'connection_info': fake_services.connection_info(volume)}

    def attachment_get_all(self, context, instance_id=None, volume_id=None,
                           all_tenants=False):
        if not all_tenants and not context.project_id:
            # Cinder lists those of the project of Nova's user
            return []
        with _Needs.ledger.changing() as known:
            made = sorted(known['attachments'].items())
        # of the run's only instance
        return [{'id': attachment, 'volume_id': volume,
                 'connection_info': fake_services.connection_info(volume)}
                for attachment, (volume, _) in made]

    def attachment_complete(self, context, attachment):
        """It is known as one from the beginning."""

    def attachment_delete(self, context, attachment):
        with _Needs.ledger.changing() as known:
            # Nova's own ignores that there is none
            volume, host = known['attachments'].pop(attachment, (None, None))
        if host is not None:
            fake_services.tell('teardown', 'volume-detached',
                               'volume detached from %s' % host, volume=volume,
                               host=host)


class Placement(object):
    """In the place of nova.scheduler.client.report.SchedulerReportClient.

    It knows allocations and nothing of inventories: every host has enough.
    """

    def __init__(self, *args, **kwargs):
        """Nothing of what the real one needs is needed."""

    def get_allocs_for_consumer(self, context, consumer):
        made = self.get_allocations_for_consumer(context, consumer)
        return {'allocations': made, 'consumer_generation': 1,
                'project_id': 'drill', 'user_id': 'drill'}

    def get_allocations_for_consumer(self, context, consumer):
        with _Needs.ledger.changing() as known:
            return known['allocations'].get(consumer, {})

    def get_allocations_for_resource_provider(self, context, node):
        with _Needs.ledger.changing() as known:
            return Allocations({
                consumer: made[node] for consumer, made in
                known['allocations'].items() if node in made})

    def claim_resources(self, context, consumer, request, *args, **kwargs):
        self._change(lambda allocations: allocations.setdefault(
            consumer, {}).update(request['allocations']))
        return True

    def move_allocations(self, context, source, target, **kwargs):
        self._change(lambda allocations: allocations.update(
            {target: allocations.pop(source, {})}))
        return True

    def remove_provider_tree_from_instance_allocation(self, context, consumer,
                                                      node):
        self._change(lambda allocations: allocations.get(
            consumer, {}).pop(node, None))
        return True

    def delete_allocation_for_instance(self, context, consumer, *args,
                                       **kwargs):
        self._change(lambda allocations: allocations.pop(consumer, None))
        return True

    @staticmethod
    def _change(change):
        """Change allocations, and tell what that means for each host."""
        with _Needs.ledger.changing() as known:
            before = _allocated(known)
            change(known['allocations'])
            after = _allocated(known)
        for host in sorted(after - before):
            fake_services.tell('setup', 'allocation-made',
                               'resources of %s allocated' % host, host=host)
        for host in sorted(before - after):
            fake_services.tell('teardown', 'allocation-removed',
                               'resources of %s given back' % host, host=host)

    def get_provider_traits(self, context, node):
        return Traits(set(), 1)

    def set_traits_for_provider(self, context, node, traits, **kwargs):
        """Nobody asks for one."""

    def invalidate_resource_provider(self, name, **kwargs):
        """Nothing is kept of any."""


def _allocated(known):
    """The hosts with allocations (set of str)."""
    return {known['nodes'][node] for made in known['allocations'].values()
            for node in made}
