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

"""Measure how nova-compute recovers many live migrations at once.

usage: cd TREE; PYTHON live_migration_recovery.py [--parked N]
           [--concurrent N] [--call S] [--dead]

TREE is a Nova tree with the series, PYTHON one that has what Nova and its
tests need ("keeptrack verify" makes such a virtualenv).  ComputeManager, its
rollback, the guest observer and the database (SQLite) are real; Neutron,
Cinder, Placement, RPC and libvirt are replaced, and each call of libvirt
takes S seconds (0.03).

parked: N instances (300) whose destination does not answer are parked; then
both hosts answer again.  Prints in how many rounds of the periodic task all
are active, and how long the rounds take.

concurrent: N live migrations (1,000) fail at the same moment, each in a
thread of its own as in nova-compute.  Prints how many threads there are
besides those.  With --dead no call of the destination's libvirt returns.
"""

import argparse
import os
import sys
import threading
import time
from unittest import mock

os.environ.setdefault('OS_STDERR_CAPTURE', '1')
# native threads, as nova-compute has in 2026.2
os.environ.setdefault('OS_NOVA_DISABLE_EVENTLET_PATCHING', 'true')
sys.path.insert(0, os.getcwd())

# first: it chooses the threads
from nova.tests import functional  # noqa: E402,F401
from nova.compute import live_migration_recovery  # noqa: E402,H306
from nova.compute import manager as compute_manager  # noqa: E402
from nova.compute import task_states  # noqa: E402
from nova.compute import vm_states  # noqa: E402
from nova import context as nova_context  # noqa: E402
from nova.network import model as network_model  # noqa: E402
from nova import objects  # noqa: E402
from nova import test  # noqa: E402
from nova.tests.fixtures import libvirt as fakelibvirt  # noqa: E402
from nova.tests.unit import fake_flavor  # noqa: E402
from nova.virt.libvirt import guest_observer  # noqa: E402


class Libvirt:
    """The libvirt of both hosts; each call takes its time.

    :param seconds: that a call takes (float)
    """

    def __init__(self, seconds):
        self._seconds = seconds
        #: whether the destination refuses connections
        self.refuses = False
        #: set to end the calls that do not return
        self.returns = threading.Event()
        self.returns.set()

    def _take(self):
        time.sleep(self._seconds)

    def get_hostname(self):
        return 'src'

    def get_guest(self, instance):
        self._take()
        guest = mock.Mock()
        guest.get_job_info.side_effect = self._job
        guest._domain.state.side_effect = self._state
        return guest

    def _job(self):
        self._take()
        return mock.Mock(type=fakelibvirt.VIR_DOMAIN_JOB_NONE)

    def _state(self, flags):
        self._take()
        return (fakelibvirt.VIR_DOMAIN_RUNNING, 1)

    def _connect(self, uri, read_only):
        self._take()
        self.returns.wait()
        if self.refuses:
            raise fakelibvirt.make_libvirtError(
                fakelibvirt.libvirtError, 'refused',
                error_code=fakelibvirt.VIR_ERR_SYSTEM_ERROR)
        connection = mock.Mock()
        connection.getHostname.return_value = 'dest'
        connection.lookupByUUIDString.side_effect = (
            fakelibvirt.make_libvirtError(
                fakelibvirt.libvirtError, 'no domain',
                error_code=fakelibvirt.VIR_ERR_NO_DOMAIN))
        return connection


class Cloud(test.TestCase):
    """A nova-compute with its database, for use outside of a test run."""

    def runTest(self):
        """Do nothing: the fixtures alone are wanted."""

    def prepare(self, seconds):
        """Make the manager.

        :param seconds: that a call of libvirt takes (float)
        """
        # test.TestCase.setUp gives the fixtures
        self.setUp()
        self.context = nova_context.get_admin_context()
        self.libvirt = Libvirt(seconds)
        self.flags(compute_driver='fake.FakeDriverWithPciResources')
        guest_observer.libvirt = fakelibvirt
        with mock.patch('nova.virt.driver.load_compute_driver'):
            self.manager = compute_manager.ComputeManager()
        self.manager.host = 'src'
        observer = guest_observer.GuestObserver(
            self.libvirt, lambda host: 'qemu+tcp://%s/system' % host)
        driver = self.manager.driver = mock.Mock()
        driver.capabilities = {'supports_guest_observation': True}
        driver.observe_guest.side_effect = observer.observe
        for name in ('network_api', 'volume_api', 'compute_rpcapi', 'rt',
                     'reportclient', 'notifier'):
            setattr(self.manager, name, mock.Mock())
        for name in ('_notify_about_instance_usage', '_revert_allocation'):
            setattr(self.manager, name, mock.Mock())
        self.useFixture(_Replaced())
        self.recovery = self.manager._live_migration_recovery

    def migrate(self):
        """Make a running instance that is about to leave.

        :returns: its Instance and LibvirtLiveMigrateData
        """
        instance = objects.Instance(
            self.context, host='src', vm_state=vm_states.ACTIVE,
            task_state=task_states.MIGRATING, project_id='project',
            user_id='user', system_metadata={}, metadata={},
            flavor=fake_flavor.fake_flavor_obj(self.context),
            info_cache=objects.InstanceInfoCache(
                network_info=network_model.NetworkInfo()))
        instance.create()
        migration = objects.Migration(
            self.context, instance_uuid=instance.uuid, source_compute='src',
            source_node='src', dest_compute='dest', dest_node='dest',
            dest_compute_id=1,
            status='running', migration_type='live-migration')
        migration.create()
        return instance, objects.LibvirtLiveMigrateData(
            migration=migration, block_migration=False,
            is_shared_instance_path=True, is_shared_block_storage=True)

    def recover(self, instance, data):
        """Do what the driver does at the end of a failed live migration."""
        self.recovery.recover(
            self.context, instance, 'dest', data,
            source_bdms=objects.BlockDeviceMappingList(objects=[]))

    def check_all(self):
        """Check all live migrations, and wait until that is done."""
        self.recovery.check_all(self.context)
        self.recovery._checker.join()

    def states(self):
        """Count the instances by state.

        :returns: dict of (vm_state, task_state) to int
        """
        found = {}
        for instance in objects.InstanceList.get_by_host(self.context, 'src'):
            key = (instance.vm_state, instance.task_state)
            found[key] = found.get(key, 0) + 1
        return found


class _Replaced:
    """A fixture: what the manager's rollback calls outside of itself."""

    def setUp(self):
        self._patches = [
            mock.patch.object(live_migration_recovery.servicegroup, 'API'),
            mock.patch.object(objects.Service, 'get_by_compute_host',
                              return_value=objects.Service(
                                  forced_down=False)),
            mock.patch('nova.compute.utils.'
                       'notify_about_instance_action'),
            mock.patch.object(objects.InstancePCIRequests,
                              'get_by_instance_uuid',
                              return_value=objects.InstancePCIRequests(
                                  requests=[])),
        ]
        api = self._patches[0].start()
        api.return_value.service_is_up.return_value = False
        for patch in self._patches[1:]:
            patch.start()

    def cleanUp(self):
        for patch in self._patches:
            patch.stop()

    def getDetails(self):
        return {}


def parked(cloud, number):
    """Measure the rounds until parked instances are active.

    :param cloud: Cloud
    :param number: of instances (int)
    :returns: exit status (int)
    """
    away = mock.patch.object(
        cloud.libvirt, '_state',
        lambda flags: (fakelibvirt.VIR_DOMAIN_PAUSED, 1))
    cloud.libvirt.refuses = True
    with away:
        for _ in range(number):
            cloud.recover(*cloud.migrate())
        for _ in range(live_migration_recovery.CHECKS):
            cloud.check_all()
    before = cloud.states()
    print('parked:', before)
    if before != {('error', 'migrating'): number}:
        return 1
    cloud.libvirt.refuses = False
    for number_of_rounds in range(1, 4):
        started = time.monotonic()
        cloud.check_all()
        print('round %d: %.1f s, %s' % (
            number_of_rounds, time.monotonic() - started, cloud.states()))
        if cloud.states() == {('active', None): number}:
            return 0
    return 1


def concurrent(cloud, number, dead):
    """Measure the threads that recovery adds.

    :param cloud: Cloud
    :param number: of live migrations that fail together (int)
    :param dead: whether the destination's calls do not return (bool)
    :returns: exit status (int)
    """
    migrations = [cloud.migrate() for _ in range(number)]
    if dead:
        cloud.libvirt.returns.clear()
    threads = [threading.Thread(target=cloud.recover, args=each, daemon=True)
               for each in migrations]
    before, most, started = threading.active_count(), 0, time.monotonic()
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        alive = sum(thread.is_alive() for thread in threads)
        most = max(most, threading.active_count() - alive - before)
        time.sleep(0.005)
    print('%d at once: at most %d more threads, %.1f s, %s' % (
        number, most, time.monotonic() - started, cloud.states()))
    cloud.libvirt.returns.set()
    return int(most > 16)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.partition('\n')[0])
    parser.add_argument('--parked', type=int, default=300)
    parser.add_argument('--concurrent', type=int, default=1000)
    parser.add_argument('--call', type=float, default=0.03)
    parser.add_argument('--dead', action='store_true')
    args = parser.parse_args()
    status = 0
    for measure, number, more in (
            (parked, args.parked, ()),
            (concurrent, args.concurrent, (args.dead,))):
        if number:
            cloud = Cloud()
            cloud.prepare(args.call)
            try:
                status |= measure(cloud, number, *more)
            finally:
                cloud.doCleanups()
    return status


if __name__ == '__main__':
    sys.exit(main())
