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

from unittest import mock

from oslo_utils.fixture import uuidsentinel as uuids

from nova.compute import guest_location
from nova.compute import live_migration_recovery
from nova import exception
from nova import objects
from nova import test

Presence = guest_location.Presence


class RefuseInDoubtTestCase(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.rpcapi = mock.Mock()
        self.prepare = self.rpcapi.router.client.return_value.prepare
        self.prepare.return_value.call.side_effect = self._call
        # by the name of the method: what it raises
        self.errors = {}
        self.instance = objects.Instance(uuid=uuids.instance, host='src')
        self.service = objects.Service(forced_down=False)
        self.up = True
        for target, name in (
                (objects.Service, 'get_by_compute_host'),
                (live_migration_recovery.servicegroup, 'API'),
                (objects.MigrationList, 'get_by_filters')):
            patcher = mock.patch.object(target, name)
            setattr(self, name, patcher.start())
            self.addCleanup(patcher.stop)
        self.get_by_compute_host.return_value = self.service
        self.API.return_value.service_is_up.side_effect = lambda _: self.up
        self.get_by_filters.return_value = [
            objects.Migration(dest_compute='dest')]

    def _call(self, context, method, instance, **kwargs):
        if method in self.errors:
            raise self.errors[method]

    def assertAnswer(self, presence, *args):
        seen = live_migration_recovery.ask_compute(
            self.rpcapi, mock.sentinel.context, self.instance, 'dest', *args)
        self.assertEqual(Presence(presence), seen.presence)
        refuse = (live_migration_recovery.refuse_in_doubt, self.rpcapi,
                  mock.sentinel.context, self.instance, 'evacuate')
        if seen.presence == Presence.ABSENT:
            self.assertEqual(self.get_by_filters.return_value,
                             refuse[0](*refuse[1:]))
        else:
            self.assertRaises(exception.InstanceInvalidState, *refuse)
        return seen

    def test_running(self):
        self.assertAnswer('running')
        self.errors['validate_console_port'] = (
            exception.ConsoleTypeUnavailable(console_type='serial'))
        self.assertAnswer('running')
        for call in self.prepare.call_args_list:
            self.assertEqual('dest', call.kwargs['server'])
            # rpc_response_timeout is a minute.
            self.assertLess(call.kwargs['timeout'], 10)

    def test_absent(self):
        self.errors['validate_console_port'] = (
            exception.InstanceNotFound(instance_id=uuids.instance))
        self.assertAnswer('absent')

    def test_unknown(self):
        """Paused, shut off, without an answer: it may be there."""
        for error in (exception.InstanceInvalidState(
                attr='power state', instance_uuid=uuids.instance,
                state='paused', method='get_diagnostics'),
                Exception('timed out\nTraceback')):
            self.errors['get_instance_diagnostics'] = error
            seen = self.assertAnswer('unknown')
            self.assertEqual(isinstance(error, exception.NovaException),
                             seen.alive)
            self.assertNotIn('Traceback', str(seen))

    def test_not_asked(self):
        self.up = False
        self.assertAnswer('unknown')
        self.service.forced_down = True
        for args in ((), (0,)):
            self.assertTrue(self.assertAnswer('absent', *args).fenced)
        self.prepare.assert_not_called()

    def test_nothing_in_doubt(self):
        self.get_by_filters.return_value = []
        self.assertEqual([], live_migration_recovery.refuse_in_doubt(
            self.rpcapi, mock.sentinel.context, self.instance, 'restore'))
        self.prepare.assert_not_called()
