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


"""The processes that the server forks: what each does from its first line."""

import importlib
import logging
import os
import random
import sys
import traceback

from agent import channel as channel_mod
from agent import enter_namespaces
from agent import libvirt_calls
from agent import nova_calls
from agent import recorder as recorder_mod
from agent import rpc
from agent import unpatched


def _begin(adapter, spec, where):
    """Connect, configure and log, as nova-compute and conductor do."""
    channel = channel_mod.Channel(spec['socket'], spec['role'])
    # a host's namespaces want a process of one thread
    if 'namespaces' in spec:
        enter_namespaces.enter(spec['namespaces'])
    recorder = recorder_mod.Recorder(channel.event, where)
    channel.on_command('libvirt', list)
    adapter.share_database()
    waiting = importlib.import_module(
        'agent.waiting_green' if unpatched.is_green()
        else 'agent.waiting_native')
    unknown = adapter.configure(
        merged(adapter.options(spec), spec['config']),
        rpc.Exchange(waiting, adapter.jsonutils, channel, recorder))
    adapter.set_up_logging()
    logging.getLogger().addHandler(nova_calls.Warnings(recorder))
    adapter.replace_services(spec, recorder)
    return channel, recorder, unknown


def merged(options, more):
    """Options with others over them.

    :param options: group to option to value (dict of dict)
    :param more: the same
    :returns: the same
    """
    return {group: dict(options.get(group, {}), **more.get(group, {}))
            for group in set(options) | set(more)}


def compute(adapter, spec):
    """Be a nova-compute.

    :param adapter: adapter of this Nova
    :param spec: dict: role, host (its name), namespaces, socket (the
        kit's), folder, log, database, instances (folder), name and xml (of
        the domain), virt_type, config, periodic (name of task to seconds),
        lifecycle_delay (seconds), clocks (see the adapter's set_clocks()),
        libvirt (modes, see libvirt_calls)
    """
    channel, recorder, unknown = _begin(adapter, spec, spec['role'])
    calls = libvirt_calls.LibvirtCalls(adapter.libvirt, recorder)
    channel.on_command('libvirt', calls.set_modes)
    nova_calls.record_manager(adapter.manager_class, recorder,
                              adapter.transition_name)
    if adapter.recovery_class is not None:
        recorder.record_calls(adapter.recovery_class, nova_calls.RECOVERY)
    nova_calls.record_driver(adapter.driver_class, recorder, calls.total)
    adapter.fit_periodic_tasks(spec['periodic'])
    adapter.set_clocks(spec['clocks'])
    calls.set_modes(spec['libvirt'])
    recorder.tell('compute', 'up', 'nova-compute starts',
                  {'pid': os.getpid(), 'unknown_options': unknown})
    channel.open()
    service = adapter.make_service()
    adapter.fit_driver(service.manager.driver, spec)
    service.start()
    recorder.tell('compute', 'initialized', 'nova-compute is up')
    service.wait()


def conductor(adapter, spec):
    """Be a conductor, for one migration.

    :param adapter: adapter of this Nova
    :param spec: as compute(); and uuid, destination (a host's name)
    """
    channel, recorder, _unknown = _begin(adapter, spec, 'drill')
    channel.open()
    recorder.call('live_migrate', adapter.migrate, spec)


def rows(adapter, spec):
    """Make the rows of a run in its database.

    :param adapter: adapter of this Nova
    :param spec: database; and see the adapter's make_rows()
    """
    adapter.configure(adapter.database_options(spec['database']))
    adapter.make_rows(spec)


ROLES = {'source': compute, 'destination': compute, 'conductor': conductor,
         'rows': rows}


def run(adapter, spec):
    """Be what a spec says, and end this process.

    :param adapter: adapter of this Nova
    :param spec: dict; its role is one of ROLES
    """
    status = 1
    # the server's state was forked along
    random.seed()
    try:
        ROLES[spec['role']](adapter, spec)
        status = 0
    except BaseException:
        logging.getLogger('keeptrack').critical('ended', exc_info=True)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # nothing of the server's that was forked along may be cleaned up
        os._exit(status)
