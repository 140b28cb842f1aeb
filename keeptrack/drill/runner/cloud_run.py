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
"""A run in the cloud, and what faults do to the cloud's services."""

import contextlib
import time

from keeptrack.drill.checker import verdict
from keeptrack.drill import faults
from keeptrack.drill import history
from keeptrack.drill import nemesis
from keeptrack.drill.runner import run
from keeptrack.drill.testbed.cloud import api
from keeptrack.drill.testbed.cloud import cloud_testbed
from keeptrack.drill.testbed.cloud import places
from keeptrack.drill.testbed import waiting

# seconds
_PARKS_WITHIN = 60
_COUNTS_AS_DOWN = 60
_LISTENS_WITHIN = 300


class CloudNemesis(nemesis.Nemesis):
    """Lays hands on the services of a cloud, too.

    :param server: the cloud_testbed.Server; for the other parameters see
        nemesis.Nemesis
    """

    def __init__(self, testbed, computes, server, history):
        super().__init__(testbed, computes, server, history)
        self._cloud = testbed.cloud

    def kill_service(self, name):
        """End a service of the cloud with SIGKILL.

        :param name: as keeptrack cloud status lists it (str)
        """
        self._cloud.kill(name)

    def start_service(self, name):
        """Start a service again, and wait until it is ready.

        :param name: as keeptrack cloud status lists it (str)
        """
        self._cloud.start(name)
        if name == 'rabbitmq':
            controller = self._cloud.nodes[places.CONTROLLER]
            waiting.until(
                _LISTENS_WITHIN, 'RabbitMQ does not come back',
                lambda: places.BROKER_PORT in controller.ports())
        elif name == 'mariadb':
            waiting.until(
                _LISTENS_WITHIN, 'MariaDB does not come back',
                self._cloud.databases.answers)

    def close_api(self, name):
        """Have an API answer 503.

        :param name: of a service with an API (str)
        """
        self._cloud.services.gate(name).touch()

    def open_api(self, name):
        """Have an API answer again."""
        self._cloud.services.gate(name).unlink()

    def act(self, what):
        """Do what a user or an operator does; a refusal is an event.

        :param what: 'delete', 'abort', 'evacuate' or 'migrate'
        """
        try:
            getattr(self.guest, what)()
        except api.Refused as exc:
            self._history.note('drill', 'fault', 'refused',
                               f'{what} is refused: {exc}')
        else:
            self._history.note('drill', 'fault', what, what)

    def await_parked(self):
        """Wait until the instance is parked; a while later is no error."""
        self._history.wait(
            lambda event: event['lane'] == 'record' and
            verdict.is_parked(event['data']), time.time() + _PARKS_WITHIN)

    def await_service_down(self, role):
        """Wait until Nova counts the nova-compute of a host as down."""
        node = cloud_testbed.ROLES[role]

        def is_down():
            found = self.testbed.api.get(
                'nova-api', f'/os-services?binary=nova-compute&host={node}')
            return found['services'][0]['state'] == 'down'
        waiting.until(_COUNTS_AS_DOWN,
                      f'nova-compute on {node} is not down', is_down, 0.5)


class _Serving:
    """The storage of a cloud's server, as a run wants to know it.

    :param server: a cloud_testbed.Server
    """

    writes = True
    shared = False

    def __init__(self, server):
        self.name = server.storage
        self.one_disk = server.one_disk
        self.disks = server.disks

    def take(self, event):
        """Nothing of it depends on events."""


class CloudRun(run.Run):
    """One run in a cloud.

    :param testbed: a cloud_testbed.CloudTestbed
    :param draw: a generator.Draw
    :param parks: the tree looks at parked instances again (bool)
    :param storage: where the disk is, a key of cloud_testbed.SERVERS
    :param keep: leave the server as it is in the end (bool)
    """

    times = run.Times(begins=120, decides=60, recovers=60, settles=90,
                      suspends=60, quiet=20, copy=1.0)

    def __init__(self, testbed, draw, parks, storage='copied', keep=False):
        self._server = cloud_testbed.SERVERS[storage](testbed)
        super().__init__(testbed, None, draw, parks,
                         record=self._read_record)
        self._computes = cloud_testbed.Computes(testbed, self._history,
                                                self._server)
        self._guest = self._server
        self._storage = _Serving(self._server)
        self._keep = keep

    def go(self):
        found = super().go()
        if not self._keep:
            with contextlib.suppress(api.Refused):
                self._testbed.restore()
            if self._server.uuid is not None:
                found['left_behind'] = self._server.remove()
        return found

    def _make_nemesis(self):
        return CloudNemesis(self._testbed, self._computes, self._server,
                            self._history)

    def _boot(self, stack):
        self._server.boot(self._testbed.hosts['source'])
        self._record_writes(stack, self._server.serial_paths())
        if self._draw.fault.paused:
            self._server.pause()

    def _start_computes(self, stack):
        """They run already."""

    def _read_record(self):
        """The record, or the last one while Nova's API cannot answer."""
        try:
            return self._server.record()
        except api.Refused:
            return self._record.record

    def _keep_writes(self):
        """Their lines are in the results."""

    def _moved(self):
        return bool(self._history.events('job'))

    def _begins(self, moment, delay):
        if moment != faults.END:
            return super()._begins(moment, delay)
        # nobody tells when libvirt's call ends, but its end is the source's
        return lambda event: (
            event['where'] == 'source' and event['lane'] == 'guest' and
            event['what'] == history.ABSENT or
            event['lane'] == 'record' and event['data']['migration'] in (
                'error', 'failed', 'cancelled'))

    def _is_over(self):
        return any(event['data']['task_state']
                   for event in self._history.events('record'))


class CloudBench:
    """A cloud that is up, for one run after the other.

    :param cloud: the cloud.Cloud, attached
    :param places: its places.Places
    :param report: called with a line as the work goes on
    :param keep: leave the last server as it is (bool)
    """

    def __init__(self, cloud, places, report, keep=False):
        self._cloud = cloud
        self._places = places
        self._report = report
        self._keep = keep
        self._sizes = {}

    def run(self, tree, draw, storage):
        """Do one run; what a result says (dict)."""
        nova = tree.path.name.rpartition('-')[2]
        if self._cloud.nova != nova:
            self._report(f'changing to {nova} Nova')
            self._cloud.change_nova(nova)
        self._sizes = {path: path.stat().st_size
                       for kind in ('nova', 'cinder') for path in
                       self._places.log.glob(f'{kind}-*.log')}
        testbed = cloud_testbed.CloudTestbed(self._cloud, self._places)
        return CloudRun(testbed, draw, tree.series, storage,
                        self._keep).go()

    def keep_logs(self, folder):
        """Copy what the services of Nova have logged since (pathlib.Path)."""
        folder.mkdir(parents=True, exist_ok=True)
        for path, size in self._sizes.items():
            with open(path, 'rb') as log:
                log.seek(size)
                (folder / path.name).write_bytes(log.read())
