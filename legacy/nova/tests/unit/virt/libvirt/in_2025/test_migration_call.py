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


import concurrent.futures
import threading
from unittest import mock

from nova import test
from nova.virt.libvirt import migration_call

ARGS = ('post', 'recover', False, 'data')


class Guest(object):
    """All that is needed of one."""


class Driver(object):

    def __init__(self):
        self.raises = None
        self.calls = []

    @migration_call.keep_error
    def _live_migration_operation(self, *args):
        self.calls.append(args)
        if self.raises:
            raise self.raises

    @migration_call.with_its_outcome
    def _live_migration_monitor(self, context, instance, guest, dest,
                                post_method, recover_method, block_migration,
                                migrate_data, finish_event, disk_paths):
        self.call = finish_event
        self.told = (post_method, recover_method, block_migration,
                     migrate_data)


class MigrationCallTestCase(test.NoDBTestCase):

    def setUp(self):
        super().setUp()
        self.guest = Guest()
        self.driver = Driver()

    def migrate(self):
        self.driver._live_migration_operation(
            'context', 'instance', 'dst', False, 'data', self.guest, [])

    def monitor(self, ended):
        self.driver._live_migration_monitor(
            'context', 'instance', self.guest, 'dst', *ARGS, ended, [])
        return self.driver.call

    def test_a_call_that_returns_has_no_error(self):
        self.migrate()
        self.assertIsNone(self.monitor(threading.Event()).result())
        self.assertEqual(ARGS, self.driver.told)

    def test_what_a_call_raises_is_known_and_raised(self):
        self.driver.raises = ValueError('no')
        self.assertRaises(ValueError, self.migrate)
        self.assertRaises(ValueError, self.monitor(threading.Event()).result)

    def test_its_end_is_told_by_what_the_release_has(self):
        event = threading.Event()
        green = mock.Mock(spec=['ready'])
        green.ready.return_value = False
        future = concurrent.futures.Future()
        calls = [self.monitor(each) for each in (event, green, future)]
        self.assertEqual([False] * 3, [call.done() for call in calls])
        event.set()
        green.ready.return_value = True
        future.set_result(None)
        for call in calls:
            self.assertTrue(call.done() and call.is_set() and call.ready())
