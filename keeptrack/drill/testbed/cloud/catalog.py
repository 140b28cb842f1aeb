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

"""Fill the service catalog, and make what a first server needs.

catalog.py accounts JSON | things JSON: run by name in the services'
virtualenv, which has openstacksdk.
"""

import json
import sys

import openstack


def accounts(cloud, told):
    """Make the services' users and endpoints.

    :param cloud: an openstack.connection.Connection
    :param told: dict: "password", "region", and "services": a list of
        [user, type, URL]
    """
    identity = cloud.identity
    project = identity.create_project(name='service', domain_id='default')
    roles = [identity.find_role(name) or identity.create_role(name=name)
             for name in ('admin', 'service')]
    for name, kind, url in told['services']:
        user = identity.create_user(name=name, password=told['password'],
                                    domain_id='default')
        for role in roles:
            identity.assign_project_role_to_user(project, user, role)
        service = identity.create_service(name=name, type=kind)
        for interface in ('public', 'internal', 'admin'):
            identity.create_endpoint(service_id=service.id, url=url,
                                     interface=interface,
                                     region_id=told['region'])


def things(cloud, told):
    """Make an image, a flavor and a network.

    :param cloud: an openstack.connection.Connection
    :param told: dict: "image": the file
    """
    # the guest's firmware knows IDE disks
    cloud.image.create_image(
        name='writer', filename=told['image'], disk_format='qcow2',
        container_format='bare', visibility='public', wait=True,
        hw_disk_bus='ide')
    cloud.compute.create_flavor(name='small', ram=256, vcpus=1, disk=1)
    network = cloud.network.create_network(name='net')
    cloud.network.create_subnet(
        network_id=network.id, name='subnet', ip_version=4,
        cidr='198.51.100.0/24', enable_dhcp=False)


if __name__ == '__main__':
    {'accounts': accounts, 'things': things}[sys.argv[1]](
        openstack.connect(), json.loads(sys.argv[2]))
