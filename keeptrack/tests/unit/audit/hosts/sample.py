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


"""What the tests of the audit of hosts share."""

from keeptrack.audit.hosts import comparing
from keeptrack.audit.hosts import guests
from keeptrack.audit.hosts import nova_record

NOW = 1.8e9
UUID = '00000000-0000-4000-8000-%012d'


def guest(number, state='running', reason='booted', **more):
    return guests.Guest(UUID % number, 'instance-%08x' % number, state,
                        reason, more.pop('id', number), **more)


def look(name, *found, hostname=None, host_uuid=None, at=NOW, asked=None):
    return guests.Look(asked or name, 'qemu+tcp://%s/system' % name,
                       hostname or name, host_uuid or 'uuid of %s' % name, at,
                       at + 1, {one.uuid: one for one in found})


def server(number, host, vm_state='active', **more):
    return nova_record.Server(
        UUID % number, host, host, vm_state,
        **dict({'updated': NOW - 1e5}, **more))


def view(hosts, *servers, when=NOW):
    return nova_record.View(
        when, {one.uuid: one for one in servers},
        hosts if isinstance(hosts, dict) else dict(zip(hosts, hosts)))


def around(looks, nova=None, **more):
    return comparing.Round(looks, nova, **more)


def document(**changes):
    return dict({
        'schema': 'keeptrack.guests/1', 'asked': 'a', 'uri': 'qemu:///system',
        'hostname': 'a', 'host_uuid': UUID % 9, 'began': NOW,
        'ended': NOW + 1, 'guests': [{
            'uuid': UUID % 1, 'name': 'i', 'state': 'running',
            'reason': 'booted', 'id': 1, 'since': None}]}, **changes)
