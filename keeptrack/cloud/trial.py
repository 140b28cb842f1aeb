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

"""One trial: a server, a migration, a fault, and what became of it."""

import shutil
import signal
import time

from keeptrack.cloud import api
from keeptrack.cloud import checker
from keeptrack.cloud import cloud as cloud_mod
from keeptrack.cloud import errors
from keeptrack.cloud import events
from keeptrack.cloud import places as places_mod
from keeptrack.cloud import recorder
from keeptrack.drill.testbed import processes

# seconds
_BOOTS_WITHIN = 120
_COUNTS_WITHIN = 60
_STRIKES_WITHIN = 90
_SETTLES_WITHIN = 90
_GONE_WITHIN = 60
_BROKER_WITHIN = 300
_POLL = 0.5

_SERVER = 'trial'

_BUSY = ('queued', 'accepted', 'preparing', 'pre-migrating', 'running',
         'running (post-copy)', 'post-migrating')


def servers():
    """Return the servers of earlier trials that are still there.

    :returns: their ids (list of str)
    :raises api.Refused: when Nova cannot answer
    """
    told = api.Api().get('nova-api', f'/servers?name=^{_SERVER}$')
    return [each['id'] for each in told['servers']]


class TrialError(errors.CloudError):
    """A trial did not come so far that it says anything about Nova."""


class Trial:
    """One trial.

    :param cloud: the cloud.Cloud, attached
    :param places: its places.Places
    :param report: called with a line for everything that happens
    :ivar cloud: see above
    :ivar history: what happened: list of (seconds, text)
    :ivar kept: hosts whose disk Nova may not delete: see checker.check
    """

    def __init__(self, cloud, places, report=lambda line: None):
        self.cloud = cloud
        self.history = []
        self.kept = set()
        self._places = places
        self._report = report
        self._began = time.monotonic()
        self._api = api.Api()
        self._recorder = None
        self._name = None
        self._last = None
        self._events = events.Events(
            {host: cloud.nodes[host] for host in places_mod.HOSTS},
            lambda host, event: self.tell(f'libvirt on {host}: {event}'))

    def tell(self, text):
        """Add a line to the history."""
        seconds = round(time.monotonic() - self._began, 2)
        self.history.append((seconds, text))
        self._report(f'{seconds:7.2f} {text}')

    def adopt(self, uuid):
        """Take over the server of an earlier trial, to remove it.

        :param uuid: the server's id (str)
        """
        self._recorder = recorder.Recorder(
            self._places, self.cloud.nodes, self._api, uuid, None)

    # what faults use

    def boot(self):
        """Start a server on host1, and wait until its guest writes.

        :raises TrialError: when it does not
        """
        self._events.watch()
        flavor = self._find('nova-api', '/flavors', 'flavors', 'small')
        image = self._find('glance', '/images', 'images', 'calm')
        network = self._find('neutron', '/networks', 'networks', 'net')
        told = self._api.post('nova-api', '/servers', {'server': {
            'name': _SERVER, 'flavorRef': flavor, 'imageRef': image,
            'host': 'host1', 'networks': [{'uuid': network}]}})
        uuid = told['server']['id']
        self.adopt(uuid)
        self._until(_BOOTS_WITHIN, 'the server does not boot',
                    lambda: self._recorder.server()['status'] in (
                        'ACTIVE', 'ERROR'))
        server = self._recorder.server()
        if server['status'] == 'ERROR':
            raise TrialError(f'the server does not boot: {server["fault"]}')
        self._name = self._api.get('nova-api', f'/servers/{uuid}')['server'][
            'OS-EXT-SRV-ATTR:instance_name']
        self._recorder = recorder.Recorder(
            self._places, self.cloud.nodes, self._api, uuid, self._name)
        self._recorder.find_port()
        self._until(_COUNTS_WITHIN, 'the guest writes nothing',
                    lambda: self._recorder.acknowledged('host1'))
        self.tell(f'server {uuid} is active and writes')

    def _find(self, service, path, kind, name):
        for each in self._api.get(service, path)[kind]:
            if each['name'] == name:
                return each['id']
        raise TrialError(f'there is no {name} among the {kind}')

    @staticmethod
    def _until(seconds, complaint, ready):
        until = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > until:
                raise TrialError(f'{complaint} within {seconds} s')
            time.sleep(_POLL)

    def migrate(self, destination='host2'):
        """Ask Nova to live-migrate the server."""
        self.act(f'live-migrate to {destination}', lambda: self._action(
            {'os-migrateLive': {'host': destination,
                                'block_migration': 'auto'}}))

    def evacuate(self):
        """Ask Nova to rebuild the server on host2."""
        self._action({'evacuate': {'host': 'host2'}})

    def _action(self, body):
        self._api.post('nova-api', f'/servers/{self._recorder.uuid}/action',
                       body)

    def delete(self):
        """Ask Nova to delete the server."""
        self._api.delete('nova-api', f'/servers/{self._recorder.uuid}')

    def abort(self):
        """Ask Nova to abort the migration."""
        newest = self._recorder.migrations()[0]['id']
        self._api.delete('nova-api', f'/servers/{self._recorder.uuid}'
                         f'/migrations/{newest}')

    def act(self, text, work):
        """Do something; a refusal by an API is told, and nothing else.

        :param text: what is done (str)
        :param work: called without arguments
        """
        try:
            work()
        except api.Refused as exc:
            self.tell(f'{text}: refused: {exc}')
        else:
            self.tell(text)

    def when(self, moment, work):
        """Do something at a moment: see events.Events.when."""
        return self._events.when(moment, work)

    def wait(self, struck):
        """Wait until a fault has struck.

        :param struck: what when() has returned
        :raises TrialError: when the moment does not come
        """
        if not struck.wait(_STRIKES_WITHIN):
            raise TrialError('the migration did not come to the moment of '
                             'the fault')

    def wait_job(self):
        """Wait until libvirt on host1 copies memory."""
        self._until(_STRIKES_WITHIN, 'no memory is copied', self._copies)
        self.tell('memory is being copied')

    def _copies(self):
        told = self.cloud.nodes['host1'].run(
            ['virsh', 'domjobinfo', self._name], capture_output=True,
            text=True, timeout=30).stdout
        words = [line.split() for line in told.splitlines()]
        return any(word[:2] == ['Memory', 'processed:'] and word[2] != '0.000'
                   for word in words)

    def wait_service_down(self, host):
        """Wait until Nova counts the nova-compute of a host as down."""
        def is_down():
            told = self._api.get(
                'nova-api', f'/os-services?binary=nova-compute&host={host}')
            return told['services'][0]['state'] == 'down'
        self._until(_GONE_WITHIN, f'nova-compute on {host} is up', is_down)

    def start(self, service):
        """Start a service again."""
        self.act(f'start {service}', lambda: self.cloud.start(service))

    def wait_broker(self):
        """Wait until RabbitMQ takes connections, which is its repair."""
        controller = self.cloud.nodes[places_mod.CONTROLLER]
        self._until(_BROKER_WITHIN, 'RabbitMQ does not come back',
                    lambda: places_mod.BROKER_PORT in controller.ports())
        self.tell('RabbitMQ takes connections')

    def gate(self, service):
        """Return the file that makes an API answer 503 (pathlib.Path)."""
        return self.cloud.services.gate(service)

    def power_off(self, host):
        """End nova-compute, libvirtd and all guests of a host."""
        self.cloud.kill(f'nova-compute-{host}')
        self.cloud.kill(f'libvirtd-{host}')
        processes.kill([process.pid for process in
                        self.cloud.nodes[host].processes()
                        if process.is_guest])

    def power_on(self, host):
        """Start libvirtd and nova-compute of a host."""
        self.start(f'libvirtd-{host}')
        self.start(f'nova-compute-{host}')

    def end_second_copy(self):
        """End the copy on host2, as the manual tells an operator to."""
        copies = [self._recorder.domain(host) for host in places_mod.HOSTS]
        if copies in (['running', 'running'], ['running', 'paused']):
            self._virsh('host2', 'destroy', self._name)
            self.kept.add('host2')
            self.tell('virsh destroy on host2')

    def _virsh(self, host, *words):
        return self.cloud.nodes[host].run(
            ['virsh', '--quiet', *words], capture_output=True, text=True,
            timeout=30)

    def settle(self, within, parked=True):
        """Wait until Nova has ended or parked what it does.

        :param within: seconds (float)
        :param parked: a parked instance is enough (bool)
        """
        until = time.monotonic() + within
        while time.monotonic() < until and not self._is_settled(parked):
            time.sleep(_POLL)

    def _is_settled(self, parked=True):
        try:
            server = self._recorder.server()
            migrations = self._recorder.migrations()
        except api.Refused:
            return False
        if server is None:
            return True
        now = (f'Nova: {server["vm_state"]}, task {server["task_state"]}, '
               f'on {server["host"]}, migration '
               f'{migrations[0]["status"] if migrations else "none"}')
        if now != self._last:
            self._last = now
            self.tell(now)
        if server['vm_state'] == 'error' and server['task_state']:
            return parked
        return (server['task_state'] is None and
                not any(each['status'] in _BUSY for each in migrations))

    def note(self, when):
        """Add what everybody says to the history.

        :param when: str
        """
        try:
            found = self._recorder.snapshot()
        except errors.CloudError as exc:
            self.tell(f'{when}: {exc}')
            return
        self.tell(f'{when}: {found}')

    # the end

    def judge(self):
        """Wait until everything is right, or stays as it is.

        :returns: the last recorder.Snapshot, dict of column to what is wrong
            or None
        """
        until = time.monotonic() + _SETTLES_WITHIN
        while True:
            try:
                self._is_settled()
                snapshot = self._recorder.snapshot()
            except errors.CloudError:
                # what has been repaired needs time to come back
                if time.monotonic() > until:
                    raise
                time.sleep(_POLL)
                continue
            wrong = checker.check(snapshot, self.kept)
            if not any(wrong.values()) or time.monotonic() > until:
                self.tell(f'in the end: {snapshot}')
                return snapshot, wrong
            time.sleep(2)

    def clean(self):
        """Bring everything back, and remove the server.

        :returns: what Nova has left behind (list of str)
        :raises CloudError: when the cloud is not as it was
        """
        self._events.close()
        left = []
        for gate in self._places.run.glob('*.unavailable'):
            gate.unlink()
        self.cloud.network.heal()
        for name in self.cloud.services.all():
            if self.cloud.state(name) == cloud_mod.STALLED:
                self.cloud.signal(name, signal.SIGCONT)
            elif self.cloud.state(name) == cloud_mod.DOWN:
                self.cloud.start(name)
        self._wait_services()
        if self._recorder is not None:
            left = self._remove()
        return left

    def _wait_services(self):
        def all_up():
            try:
                told = self._api.get('nova-api', '/os-services')['services']
            except api.Refused:
                return False
            return all(each['state'] == 'up' for each in told)
        self._until(120, 'the services do not come back', all_up)

    def _remove(self):
        left = []
        uuid = self._recorder.uuid
        consumers = [uuid] + [each['uuid']
                              for each in self._recorder.migrations()]
        if not self._is_deleted():
            # a task that hangs keeps Nova from it
            left.append('the server, until its state was reset')
            self.act('reset the state', lambda: self._action(
                {'os-resetState': {'state': 'active'}}))
            if not self._is_deleted():
                left.append('the server')
        for consumer in consumers:
            path = f'/allocations/{consumer}'
            if self._api.get('placement', path)['allocations']:
                left.append(f'allocation of {consumer}')
                self._api.delete('placement', path)
        for host in places_mod.HOSTS:
            left += self._clear(host, uuid)
        return left

    def _is_deleted(self):
        """Delete the server, and wait until it is gone (bool)."""
        try:
            self.delete()
        except api.Refused:
            # it is gone, or going
            pass
        until = time.monotonic() + _GONE_WITHIN
        while self._recorder.server() is not None:
            if time.monotonic() > until:
                return False
            time.sleep(_POLL)
        return True

    def _clear(self, host, uuid):
        left = []
        node = self.cloud.nodes[host]
        guests = [process.pid for process in node.processes()
                  if process.is_guest]
        if guests:
            left.append(f'{len(guests)} QEMU on {host}')
            processes.kill(guests)
        domains = self._virsh(host, 'list', '--all', '--name').stdout
        for name in domains.split():
            left.append(f'domain {name} on {host}')
            self._virsh(host, 'undefine', name)
        folder = self._places.instances(host)
        for path in folder.glob(f'{uuid}*'):
            if host not in self.kept:
                left.append(f'{path.name} on {host}')
            shutil.rmtree(path)
        return left
