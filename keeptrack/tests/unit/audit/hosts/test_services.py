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

"""What Neutron, Placement and Cinder have, and what follows from it."""

import json
import types
from unittest import mock

from keystoneauth1 import exceptions
import testtools

from keeptrack.audit.hosts import audit
from keeptrack.audit.hosts import comparing
from keeptrack.audit.hosts import guests
from keeptrack.audit.hosts import nova_record
from keeptrack.audit.hosts import services
from keeptrack.tests.unit.audit.hosts import sample

ONE, TWO = sample.UUID % 1, sample.UUID % 2


def port(device, host, owner='compute:nova', name='p'):
    return types.SimpleNamespace(device_id=device, device_owner=owner,
                                 binding_host_id=host, id=name)


def provider(uuid, root=None):
    return types.SimpleNamespace(id=uuid, name='name of ' + uuid,
                                 root_provider_id=root or uuid)


def answer(document):
    return mock.Mock(json=lambda: document)


class Cloud:
    """A connection with two hosts and a volume."""

    def __init__(self):
        self.network = mock.Mock()
        self.network.ports.return_value = [
            port(ONE, 'a'), port(ONE, 'b', name='q'), port(TWO, ''),
            port('r', 'c', owner='network:dhcp')]
        self.placement = mock.Mock()
        self.placement.resource_providers.return_value = [
            provider('a'), provider('b'), provider('pci', 'b')]
        self.placement.get.side_effect = lambda path, **kwargs: answer({
            'allocations': {ONE: {}} if '/b/' not in path else {TWO: {}}})
        self.block_storage = mock.Mock()
        self.pages = [
            {'attachments': [{'id': 'a', 'volume_id': 'v',
                              'instance': ONE}]},
            {'attachments': [{'id': 'b', 'volume_id': 'w',
                              'instance': None}]},
            {'attachments': []}]
        self.block_storage.get.side_effect = [
            answer(page) for page in self.pages]


class AskTestCase(testtools.TestCase):

    def test_all(self):
        found, unasked = services.ask(Cloud(), {ONE: ['v', 'w'], TWO: []})
        self.assertEqual({
            ONE: services.Services((('p', 'a'), ('q', 'b')),
                                   ('name of a', 'name of b'), ('w',)),
            TWO: services.Services((), ('name of b',))}, found)
        self.assertEqual({}, unasked)

    def test_one_that_is_not_there_is_told(self):
        cloud = Cloud()
        cloud.block_storage.get.side_effect = exceptions.EndpointNotFound()
        found, unasked = services.ask(cloud, {ONE: ['v']})
        self.assertEqual([services.CINDER], list(unasked))
        self.assertEqual((), found[ONE].unattached)
        self.assertEqual(2, len(found[ONE].ports))

    def test_an_error_of_ours_is_not_hidden(self):
        cloud = Cloud()
        cloud.network.ports.side_effect = KeyError
        self.assertRaises(KeyError, services.ask, cloud, {})


class CompareTestCase(testtools.TestCase):

    def found(self, told, at='a', unasked=(), **more):
        view = nova_record.View(
            sample.NOW, {ONE: sample.server(1, 'a', **more)},
            {'a': 'a', 'b': 'b'}, 0, {ONE: told}, dict(unasked))
        self.round = sample.around(
            [sample.look(name, *([sample.guest(1)] if name == at else []))
             for name in 'ab'], view)
        self.findings = comparing.compare(self.round, sample.NOW, 3600)
        return {(one.kind, one.certainty) for one in self.findings}

    def test_all_is_well(self):
        self.assertEqual(set(), self.found(services.Services(
            (('p', 'a'),), ('a',))))
        self.assertEqual(set(), self.found(services.Services()))

    def test_a_port_is_bound_elsewhere(self):
        self.assertEqual({('port-elsewhere', 'certain')}, self.found(
            services.Services((('p', 'a'), ('q', 'b')))))
        self.assertIn('port q is bound to b', self.findings[0].why[0])

    def test_allocations_on_two(self):
        told = services.Services(providers=('a', 'b'))
        self.assertEqual({('allocated-twice', 'likely')}, self.found(told))
        self.assertEqual(set(), self.found(told, vm_state='resized'))

    def test_an_attachment_is_missing(self):
        self.assertEqual({('attachment-missing', 'certain')}, self.found(
            services.Services(unattached=('v',))))

    def test_nothing_is_told_while_a_task_is_at_work(self):
        self.assertEqual(set(), self.found(
            services.Services((('q', 'b'),), ('a', 'b'), ('v',)),
            task_state='migrating', updated=sample.NOW - 1))

    def test_a_service_that_was_not_asked_is_told(self):
        self.found(services.Services(), unasked={'Cinder': 'no endpoint'})
        report = audit.make(self.round, [], [], None)
        self.assertEqual(['Cinder'], [one.where for one in report.failures()])


class RecordTestCase(testtools.TestCase):

    def view(self):
        return nova_record.View(
            sample.NOW, {ONE: sample.server(1, 'a')}, {'a': 'a'}, 0, {
                ONE: services.Services((('p', 'a'),), ('x',), ('v',))},
            {'Cinder': 'no endpoint'})

    def test_there_and_back(self):
        view = self.view()
        self.assertEqual(view, nova_record.from_dict(json.loads(
            json.dumps(nova_record.to_dict(view)))))

    def test_what_is_not_of_the_schema(self):
        for wrong in ([], {ONE: 1}, {ONE: {'ports': [['p']]}}, {ONE: {
                'ports': [], 'providers': 1, 'unattached': []}}, {ONE: {
                    'ports': [['p', None]], 'providers': None,
                    'unattached': []}}):
            data = nova_record.to_dict(self.view())
            data['services'] = wrong
            self.assertRaises(guests.Broken, nova_record.from_dict, data)

    def test_a_file_of_an_older_version(self):
        data = nova_record.to_dict(self.view())
        del data['services'], data['unasked']
        self.assertEqual({}, nova_record.from_dict(data).services)
