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

"""Names of one host: in full, short, or its address."""

import ipaddress


def short(name):
    """What all names of a host have in common.

    :param name: of a host (str)
    :returns: its first part; the whole of an address, of which the first part
        says nothing (str, lower case)
    """
    name = name.lower()
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name.partition('.')[0]
    return name
