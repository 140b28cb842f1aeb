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

import itertools
from unittest import mock

from keeptrack.drill.testbed.cloud import api as api_mod
from keeptrack.drill.testbed.cloud import volumes
from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import waiting
from keeptrack.tests import base

LISTED = '/attachments/detail?all_tenants=1&volume_id=v'


class FakeCinder:
    """Gives one answer after the other; the last one again and again."""

    def __init__(self, *statuses):
        self.statuses = list(statuses)
        self.attached = []
        self.listed = []
        self.did = []

    def get(self, service, path):
        if path == LISTED:
            return {'attachments': self.listed}
        status = (self.statuses.pop(0) if len(self.statuses) > 1
                  else self.statuses[0])
        if status is None:
            raise api_mod.Refused(404, 'gone')
        return {'volume': {'status': status, 'attachments': self.attached}}

    def post(self, service, path, body):
        self.did.append(list(body)[0])
        if 'os-force_delete' in body:
            self.statuses = ['deleting', None]
        return {'volume': {'id': 'v'}}


class VolumesTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        # a second passes at every look at the clock
        patcher = mock.patch.object(waiting, 'time', mock.Mock(
            monotonic=itertools.count().__next__))
        patcher.start()
        self.addCleanup(patcher.stop)

    def test_it_is_there_when_it_holds_the_image(self):
        cinder = FakeCinder('creating', 'downloading', 'available')
        made = volumes.create(cinder, 'drill', 'i')
        self.assertEqual(('v', 'available'), (made.uuid, made.status()))

    def test_one_that_is_not_made(self):
        exc = self.assertRaises(
            errors.CloudError, volumes.create,
            FakeCinder('creating', 'error'), 'drill', 'i')
        self.assertIn('error', str(exc))

    def test_an_attachment_has_a_host_once_it_is_attached(self):
        cinder = FakeCinder('in-use')
        cinder.attached = [{'attachment_id': 'a', 'host_name': 'host1'}]
        cinder.listed = [{'id': 'a', 'status': 'attached'},
                         {'id': 'b', 'status': 'attaching'}]
        self.assertEqual({'a': 'host1', 'b': 'attaching'},
                         volumes.Volume(cinder, 'v').attachments())

    def test_the_attachments_of_a_volume_that_is_gone(self):
        self.assertEqual({}, volumes.Volume(
            FakeCinder(None), 'v').attachments())

    def test_nova_has_deleted_it(self):
        cinder = FakeCinder('deleting', 'deleting', None)
        self.assertEqual([], volumes.Volume(cinder, 'v').remove())
        self.assertEqual([], cinder.did)

    def test_nova_has_left_it(self):
        cinder = FakeCinder('in-use')
        cinder.attached = [{'attachment_id': 'a', 'host_name': 'host1'}]
        cinder.listed = [{'id': 'a', 'status': 'attached'}]
        self.assertEqual(
            ['the volume, in-use', 'an attachment of the volume: host1'],
            volumes.Volume(cinder, 'v').remove())
        self.assertEqual(['os-reset_status', 'os-force_delete'], cinder.did)

    def test_one_that_cannot_be_deleted(self):
        self.assertRaises(errors.TestbedError, volumes.Volume(
            FakeCinder('deleting'), 'v').remove)
