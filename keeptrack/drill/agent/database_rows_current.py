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


"""The rows of a run, made with the objects of Nova 20 to 34."""

import importlib
import json
import os

from agent import fake_services
from agent import fake_services_current

_POWER_STATES = {'running': 1, 'paused': 3}

# what a fresh compute node says of itself; it does so anew when it starts
_NODE = {
    'vcpus': 0, 'memory_mb': 0, 'local_gb': 0, 'vcpus_used': 0,
    'memory_mb_used': 0, 'local_gb_used': 0, 'hypervisor_type': 'QEMU',
    'hypervisor_version': 0, 'cpu_info': '{}', 'mapped': 1,
}

# of a disk that was made of one
_IMAGE = '0c6a5d1e-7f5b-4b0e-9d55-2f1d7a3c8e90'

_CELL = 'a0e1b7c2-3d44-4f5e-8a66-7b8c9d0e1f2a'


def ledger_of(spec):
    """The run's ledger (fake_services_current.SharedRecord).

    :param spec: see nova_process.run()
    """
    return fake_services_current.SharedRecord(
        os.path.join(spec['folder'], 'services.json'))


def state_folder(spec, role):
    """The folder for the state of a host's nova-compute (str).

    :param spec: see nova_process.run()
    :param role: the host's (str)
    """
    return os.path.join(spec['folder'], 'state', role)


def make(context, spec, database):
    """Make what a migration needs.

    :param context: of an admin
    :param spec: uuid, hosts (role to name), vm_state, power_state, folder,
        disk (dict, or None: the guest has none, Nova believes in its volume;
        else device, bus, and local: it is a file of the instance's, not its
        volume)
    :param database: the URL of the cell's database (str)
    """
    objects = importlib.import_module('nova.objects')
    cell = objects.CellMapping(
        context, uuid=_CELL, name='drill', database_connection=database,
        # as the cell without services has it: messages go the usual way
        transport_url='none:///', disabled=False)
    cell.create()
    for role, host in spec['hosts'].items():
        node = _make_host(objects, context, cell, host)
        if role == 'source':
            source = node
        os.mkdir(state_folder(spec, role))
        with open(os.path.join(state_folder(spec, role), 'compute_id'),
                  'w') as stream:
            stream.write(node.uuid)
    disk = spec.get('disk') or {'device': 'vda', 'bus': 'virtio',
                                'local': False}
    _make_instance(objects, context, spec, source, disk)
    objects.InstanceMapping(
        context, instance_uuid=spec['uuid'], project_id='drill',
        user_id='drill', cell_mapping=cell).create()
    if disk['local']:
        _make_local_disk(objects, context, spec, disk)
    _make_volume(objects, context, spec, disk)
    ledger_of(spec).write(fake_services_current.beginning(
        spec['uuid'], spec['hosts']['source'], spec['hosts'].values()))


def _make_host(objects, context, cell, host):
    service = objects.Service(context, host=host, binary='nova-compute',
                              topic='compute', report_count=1)
    service.create()
    node = objects.ComputeNode(
        context, uuid=fake_services_current.node_id(host), host=host,
        service_id=service.id, hypervisor_hostname=host, **_NODE)
    node.create()
    objects.HostMapping(context, host=host, cell_mapping=cell).create()
    return node


def _make_instance(objects, context, spec, node, disk):
    timeutils = importlib.import_module('oslo_utils.timeutils')
    utc = importlib.import_module('datetime').timezone.utc
    flavor = objects.Flavor(
        context, id=1, flavorid='1', name='drill', memory_mb=2048, vcpus=1,
        root_gb=1, ephemeral_gb=0, swap=0, rxtx_factor=1.0, vcpu_weight=0,
        disabled=False, is_public=True, extra_specs={}, description=None)
    cache = objects.InstanceInfoCache(
        context, instance_uuid=spec['uuid'],
        network_info=fake_services.hydrated())
    # an instance knows its node's id since Nova 28
    more = ({'compute_id': node.id}
            if 'compute_id' in objects.Instance.fields else {})
    objects.Instance(
        context, uuid=spec['uuid'], host=node.host,
        node=node.hypervisor_hostname, launched_on=node.host,
        launched_at=timeutils.utcnow().replace(tzinfo=utc),
        vm_state=spec['vm_state'], task_state=None,
        power_state=_POWER_STATES[spec['power_state']],
        user_id='drill', project_id='drill', hostname='drill',
        display_name='drill', memory_mb=flavor.memory_mb,
        vcpus=flavor.vcpus, root_gb=flavor.root_gb, ephemeral_gb=0,
        instance_type_id=flavor.id, flavor=flavor,
        image_ref=_IMAGE if disk['local'] else '',
        root_device_name='/dev/' + disk['device'], config_drive='',
        architecture='x86_64', os_type='linux', reservation_id='r-drill',
        launch_index=0, system_metadata={}, info_cache=cache,
        numa_topology=None, pci_requests=objects.InstancePCIRequests(
            instance_uuid=spec['uuid'], requests=[]), **more).create()


def _make_local_disk(objects, context, spec, disk):
    objects.BlockDeviceMapping(
        context, instance_uuid=spec['uuid'], source_type='image',
        destination_type='local', device_type='disk', disk_bus=disk['bus'],
        boot_index=0, image_id=_IMAGE, volume_size=1,
        device_name='/dev/' + disk['device'], no_device=False,
        delete_on_termination=True).create()


def _make_volume(objects, context, spec, disk):
    first = not disk['local']
    volume = fake_services.VOLUME
    objects.BlockDeviceMapping(
        context, instance_uuid=spec['uuid'], source_type='volume',
        destination_type='volume', device_type='disk',
        disk_bus=disk['bus'] if first else 'virtio',
        boot_index=0 if first else -1, volume_id=volume, volume_size=1,
        device_name='/dev/' + (disk['device'] if first else 'vdb'),
        no_device=False, delete_on_termination=False,
        connection_info=json.dumps(fake_services.connection_info(volume)),
        attachment_id=fake_services_current.attachment_id(
            volume, spec['hosts']['source'])).create()
