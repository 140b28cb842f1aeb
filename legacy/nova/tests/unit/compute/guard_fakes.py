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

"""Two hosts, a database row and a ComputeManager, as the guard knows them."""

import copy

from nova.compute import guest_location as where
from nova import exception

UUID = 'cef19ce0-0ca2-11df-855d-b19fbce37686'
MIGRATION = '7a4d3f0e-6d5c-4b0b-9a63-1f1c3a4d6e55'
SOURCE = 'src'
DESTINATION = 'dst'


class Clock(object):
    """Stands in for the module time: sleeping takes no time.

    :param tick: callable, called after every sleep
    """

    def __init__(self, tick=None):
        self.now = 1000.0
        self.slept = []
        self.tick = tick

    def time(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds
        if self.tick:
            self.tick()


class World(object):
    """Where the guest is, what the database says, and what was done.

    :ivar presences: dict, host to what libvirt there would answer
    :ivar rpc: dict, host to what nova-compute there would answer: a presence,
        or an exception to raise
    :ivar row: dict, the instance's record; None once it is deleted
    :ivar done: list of what was done to which host
    :ivar faults: list of str, the instance's faults
    :ivar migration: record of the migration, where this release has one
    :ivar bdms: list of records of the instance's block devices
    """

    def __init__(self, source=where.RUNNING, destination=where.ABSENT):
        self.presences = {SOURCE: source, DESTINATION: destination}
        self.flags = {SOURCE: {}, DESTINATION: {}}
        self.rpc = {}
        self.row = {'host': SOURCE, 'vm_state': 'active',
                    'task_state': 'migrating', 'power_state': 1, 'progress': 0,
                    'system_metadata': {'image_os': 'plan9'}}
        self.done = []
        self.faults = []
        self.migration = None
        # of the same instance, before that one
        self.earlier = []
        self.bdms = []

    def sighting(self, host):
        return where.Sighting(self.presences[host], 'libvirt at %s' % host,
                              **self.flags[host])


class FakeInstance(object):
    """A record that is read and stored as Nova's objects are.

    Only what was changed is stored, and a dictionary as a whole.
    """

    uuid = UUID
    metadata = {}
    updated_at = created_at = None

    def __init__(self, world):
        self._world = world
        self._load()

    def __getitem__(self, name):
        return getattr(self, name)

    def _load(self):
        if self._world.row is None:
            raise exception.InstanceNotFound(instance_id=self.uuid)
        self.__dict__.update(copy.deepcopy(self._world.row))
        self._clean = copy.deepcopy(self._world.row)

    def refresh(self):
        self._load()

    def get_network_info(self):
        return []

    def obj_clone(self):
        return copy.copy(self)

    def __deepcopy__(self, memo):
        # As in Nova, a copy takes its metadata for changed.
        clone = copy.copy(self)
        clone.system_metadata = dict(self.system_metadata)
        clone._clean = dict(self._clean, system_metadata=None)
        return clone

    def obj_reset_changes(self):
        clean = {}
        for name in self._clean:
            clean[name] = copy.deepcopy(getattr(self, name))
        self._clean = clean

    def save(self, expected_task_state=None):
        row = self._world.row
        if row is None:
            raise exception.InstanceNotFound(instance_id=self.uuid)
        if (expected_task_state and
                row['task_state'] not in expected_task_state):
            raise exception.UnexpectedTaskStateError(
                instance_uuid=UUID, actual=row['task_state'],
                expected=expected_task_state)
        for name in row:
            if getattr(self, name) != self._clean[name]:
                row[name] = copy.deepcopy(getattr(self, name))
        self._load()


class FakeGuestFinder(object):

    def __init__(self, world):
        self._world = world

    def look(self, instance, host=None):
        return self._world.sighting(host or SOURCE)

    def suspend(self, instance, host):
        self._world.done.append(('suspend', host))

    def end_paused(self, instance):
        self._world.done.append(('end', SOURCE))


class FakeDriver(object):

    def __init__(self, world):
        self._world = world
        self.guest_finder = FakeGuestFinder(world)


class FakeRPC(object):

    def __init__(self, world):
        self._world = world
        self.client = self
        self.cap = None
        self.destination_listens = True
        self.sent = None

    def can_send_version(self, version):
        return self.cap is None

    def post_live_migration_at_destination(self, context, instance,
                                           block_migration, host):
        self._world.done.append(('cast', host))
        if self.destination_listens:
            instance.host = host
            instance.task_state = None
            instance.save(expected_task_state=['migrating'])

    def get_instance_diagnostics(self, context, instance):
        answer = self._world.rpc.get(instance.host, Exception('no such host'))
        if isinstance(answer, Exception):
            raise answer
        if answer == where.RUNNING:
            return {}
        self._world.faults.append('it does not run here')
        raise exception.InstanceInvalidState(
            attr='power_state', instance_uuid=UUID, state=1,
            method='get_diagnostics')

    def rollback_live_migration_at_destination(
            self, context, instance, host, destroy_disks=True,
            migrate_data=None):
        self._world.done.append(('remove', host, destroy_disks))
        self.sent = migrate_data
