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

"""A mechanism driver of Neutron's ML2 plugin for hosts without an agent.

A port is bound, on any host, to a tap device that leads nowhere, and is
active at once.  Ports, bindings and events are otherwise Neutron's own.
It is copied into the cloud's folder, where Neutron finds it by ENTRY_POINTS.
"""

from neutron_lib.api.definitions import portbindings
from neutron_lib import constants
from neutron_lib.plugins.ml2 import api


class TapDriver(api.MechanismDriver):
    """Binds every port to a tap device."""

    def initialize(self):
        pass

    @property
    def connectivity(self):
        return portbindings.CONNECTIVITY_L2

    def bind_port(self, context):
        context.set_binding(
            context.segments_to_bind[0][api.ID], portbindings.VIF_TYPE_TAP,
            {portbindings.CAP_PORT_FILTER: False},
            status=constants.PORT_STATUS_ACTIVE)
