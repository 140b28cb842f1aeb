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

"""The settings of a host's libvirt, as its files have them."""

# Seconds, and how often nothing may be heard in that time: a lost peer shows
# within seconds.
KEEPALIVE = 1, 2

# No two hosts of one testbed may have the same, or libvirt refuses to migrate.
_UUIDS = {'source': '6b657074-7261-436b-8000-00000000000a',
          'destination': '6b657074-7261-436b-8000-00000000000b'}

_LIBVIRTD = """\
host_uuid = "%s"
listen_tls = 0
listen_tcp = 1
auth_tcp = "none"
auth_unix_ro = "none"
auth_unix_rw = "none"
keepalive_interval = %d
keepalive_count = %d
"""

# Nothing that reaches beyond the host: no cgroups, no labels, no virtlogd.
_QEMU = """\
user = "root"
group = "root"
dynamic_ownership = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
keepalive_interval = %d
keepalive_count = %d
"""


def files(role):
    """The files of /etc/libvirt.

    :param role: the host's (str)
    :returns: dict of name to content (str)
    """
    return {'libvirtd.conf': _LIBVIRTD % ((_UUIDS[role],) + KEEPALIVE),
            'qemu.conf': _QEMU % KEEPALIVE}
