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

"""Snapshots for the tests."""

from keeptrack.cloud import recorder


def snapshot(**changes):
    """Return a Snapshot of a guest that has moved to host2.

    :param changes: attributes that differ
    """
    told = {
        'server': server(),
        'migrations': [{'id': 1, 'uuid': 'm', 'status': 'completed',
                        'source': 'host1', 'destination': 'host2'}],
        'allocations': [('host2', 'server')],
        'bindings': [('host2', 'ACTIVE')],
        'domains': {'host1': recorder.ABSENT, 'host2': 'running'},
        'qemus': {'host1': 0, 'host2': 1},
        'disks': {'host2': 20},
        'acknowledged': {'host1': None, 'host2': 16}}
    told.update(changes)
    return recorder.Snapshot(**told)


def server(host='host2', vm_state='active', task_state=None):
    """Return what Nova's API says of a server (dict)."""
    return {'status': vm_state.upper(), 'vm_state': vm_state,
            'task_state': task_state, 'host': host, 'fault': None}


def parked(**changes):
    """Return a Snapshot of a split brain that Nova has reported."""
    told = {
        'server': server('host1', 'error', 'migrating'),
        'migrations': [{'id': 1, 'uuid': 'm', 'status': 'running',
                        'source': 'host1', 'destination': 'host2'}],
        'allocations': [('host1', 'migration'), ('host2', 'server')],
        'bindings': [('host1', 'ACTIVE'), ('host2', 'INACTIVE')],
        'domains': {'host1': 'running', 'host2': 'paused'},
        'qemus': {'host1': 1, 'host2': 1},
        'disks': {'host1': 20, 'host2': 12},
        'acknowledged': {'host1': 16, 'host2': 8}}
    told.update(changes)
    return snapshot(**told)


def result(**changes):
    """Return a result of a campaign (dict)."""
    told = {'fault': 'none', 'nova': 'patched', 'run': 1, 'wrong': {},
            'split_brain': False, 'parked': False, 'not_run': None,
            'left': []}
    told.update(changes)
    return told
