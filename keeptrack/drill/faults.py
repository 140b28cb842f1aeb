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
"""The faults: what is broken, when, and for how long.

A table and what its entries do to a nemesis (see keeptrack/drill/nemesis.py).
Everything random comes from the generator that is passed in, so that a seed
gives the same fault at the same moment to every tree.
"""

import dataclasses
import operator
import typing

from keeptrack.drill.testbed import network

# Moments, by what is waited for before the delay begins to count.
BEFORE = 'before'    # Nova is asked to migrate
COPY = 'copy'        # QEMU has begun to send memory
SWITCH = 'switch'    # around the time that the guest stops on the source
AFTER = 'after'      # the guest runs on the destination, libvirt cleans up
END = 'end'          # the libvirt call is over, Nova finishes

MOMENTS = (BEFORE, COPY, SWITCH, AFTER, END)

# seconds that a fault may begin after its moment: from, to
DELAYS = {
    BEFORE: (0.0, 0.4),
    COPY: (0.0, 1.9),
    SWITCH: (-0.4, 0.15),
    AFTER: (0.0, 0.4),
    END: (0.0, 0.6),
}

# how a fault ends
NEVER = 'never'        # what is dead stays dead
SETTLED = 'settled'    # not before Nova has made up its mind, or parked

# seconds of a fault that is over by itself
MOMENT = (0.1, 2.0)
SECONDS = (1.5, 5.0)
AT_ONCE = (0.0, 0.3)

# The copy takes twice as long: time for a nova-compute that is restarted.
SLOWLY = {'libvirt': {'live_migration_bandwidth': 1}}


def nothing(nemesis):
    """Do nothing."""


@dataclasses.dataclass(frozen=True)
class Fault:
    """One kind of fault.

    :ivar name: as the command line has it (str)
    :ivar title: for people (str)
    :ivar moments: when it may strike (tuple of MOMENTS)
    :ivar strike: called with the nemesis at the moment
    :ivar heal: called with the nemesis when the fault is to end
    :ivar lasts: NEVER, SETTLED, or seconds (from, to)
    :ivar set_up: called with the nemesis before the migration begins
    :ivar paused: the user has paused the guest before it moves (bool)
    :ivar resumes: nova-compute may start guests when it starts: the option
        resume_guests_state_on_host_boot is set in about half of the runs
        (bool)
    :ivar config: Nova's options for it: group to option to value (dict of
        dict), or None
    :ivar in_cloud: a cloud can have it: it needs neither the drill's own code
        or options in nova-compute nor a guest of 2 GiB (bool)
    :ivar switch_until: seconds from SWITCH that it may strike, where the end
        of DELAYS would be too late to hit anything (float), or None
    """

    name: str
    title: str
    moments: tuple
    strike: typing.Callable = nothing
    heal: typing.Callable = nothing
    lasts: object = NEVER
    set_up: typing.Callable = nothing
    paused: bool = False
    resumes: bool = False
    config: dict = None
    switch_until: float = None
    in_cloud: bool = True

    def delays(self, moment):
        """Seconds that it may begin after a moment: from, to (tuple).

        :param moment: one of MOMENTS
        """
        first, last = DELAYS[moment]
        if moment == SWITCH and self.switch_until is not None:
            last = self.switch_until
        return first, last


# what calls a method of the nemesis
_do = operator.methodcaller


def _computes(method, *arguments):
    return lambda nemesis: getattr(nemesis.computes, method)(*arguments)


def _libvirt(*modes):
    return _computes('libvirt', 'source', list(modes))


def _daemons(action, *roles):
    def act(nemesis):
        for role in roles:
            getattr(nemesis.testbed.hosts[role].libvirtd, action)()
    return act


def _start_and_abort(nemesis):
    nemesis.start_compute('source')
    nemesis.await_computes(10)
    nemesis.abort_job()


def _abort_without_compute(nemesis):
    nemesis.computes.kill('destination')
    nemesis.abort_job()


def _cut(nemesis):
    nemesis.testbed.network.cut()


def _heal(nemesis):
    nemesis.testbed.network.heal()


def _libvirt_daemon_faults():
    for role in ('source', 'destination'):
        yield Fault(
            role + '-libvirtd-killed', "the %s's libvirtd is killed" % role,
            MOMENTS, _daemons('kill', role), _daemons('start', role), SETTLED)
        yield Fault(
            role + '-libvirtd-restarted',
            "the %s's libvirtd is killed and started again" % role,
            MOMENTS, _daemons('kill', role), _daemons('start', role), MOMENT)
        yield Fault(
            role + '-libvirtd-stalled',
            "the %s's libvirtd is stopped for seconds, then continues" % role,
            MOMENTS, _daemons('stall', role), _daemons('resume', role),
            SECONDS)


FAULTS = (
    Fault('none', 'no fault', (BEFORE,)),
    Fault('error-after-success',
          'libvirt raises after the guest has moved', (BEFORE,),
          set_up=_libvirt('error-after-success'), in_cloud=False),
) + tuple(_libvirt_daemon_faults()) + (
    Fault('both-libvirtd-restarted',
          'both libvirtd are killed and started again', MOMENTS,
          _daemons('kill', 'source', 'destination'),
          _daemons('start', 'source', 'destination'), MOMENT),
    Fault('source-qemu-killed', "the source's QEMU is killed",
          (BEFORE, COPY, SWITCH), _do('kill_qemu', 'source'),
          switch_until=-0.05),
    Fault('destination-qemu-killed', "the destination's QEMU is killed",
          (COPY, SWITCH, AFTER, END), _do('kill_qemu', 'destination')),
    Fault('network-cut', 'the network between the hosts is cut for good',
          MOMENTS, _cut, _heal, SETTLED),
    Fault('network-cut-briefly',
          'the network between the hosts is cut for seconds', MOMENTS,
          _cut, _heal, SECONDS),
    Fault('job-aborted', 'an admin aborts the job', (COPY, SWITCH),
          _do('abort_job'), switch_until=-0.05),
    Fault('destination-refuses', 'the destination refuses to prepare',
          (BEFORE,), set_up=_do('occupy_name')),
    Fault('destination-out-of-memory',
          'the destination has no memory for the guest', (BEFORE,),
          set_up=_do('limit_memory'), in_cloud=False),
    Fault('source-compute-killed',
          "the source's nova-compute is killed and started again", MOMENTS,
          _computes('kill', 'source'), _do('start_compute', 'source'), SECONDS,
          resumes=True),
    Fault('source-compute-restarted',
          "the source's nova-compute is killed and started again at once, in "
          'the middle of a long copy', (COPY,), _computes('kill', 'source'),
          _do('start_compute', 'source'), AT_ONCE, config=SLOWLY,
          in_cloud=False),
    Fault('job-aborted-after-restart',
          "an admin aborts the job after the source's nova-compute was "
          'killed and started again', (COPY,), _computes('kill', 'source'),
          _start_and_abort, AT_ONCE, config=SLOWLY, in_cloud=False),
    Fault('destination-compute-killed',
          "the destination's nova-compute is killed and started again",
          MOMENTS, _computes('kill', 'destination'),
          _do('start_compute', 'destination'), SECONDS),
    Fault('source-power-cut',
          'the source loses power and is started again', MOMENTS,
          _do('cut_power', 'source'), _do('restore_power', 'source'), SECONDS,
          resumes=True),
    Fault('destination-power-cut',
          'the destination loses power until Nova has decided', MOMENTS,
          _do('cut_power', 'destination'),
          _do('restore_power', 'destination'), SETTLED),
    Fault('job-aborted-without-compute',
          "an admin aborts the job while the destination's nova-compute is "
          'down', (COPY, SWITCH), _abort_without_compute,
          _do('start_compute', 'destination'), SETTLED, switch_until=-0.05),
    Fault('rpc-silent',
          'libvirt raises after the guest has moved; RPC to the destination '
          'times out, its libvirt answers', (BEFORE, COPY, SWITCH, AFTER),
          _computes('rpc', 'destination', 'silent'),
          _computes('rpc', 'destination', 'normal'), SETTLED,
          set_up=_libvirt('error-after-success'), in_cloud=False),
    Fault('libvirt-silent',
          "libvirt raises after the guest has moved; nova-compute may not "
          "ask the destination's libvirt, RPC answers", (BEFORE,),
          set_up=_libvirt('error-after-success', 'no-remote'), in_cloud=False),
    Fault('broker-away', 'no RPC message arrives for seconds',
          (SWITCH, AFTER, END),
          _computes('hold_messages'), _computes('release_messages'), SECONDS,
          in_cloud=False),
    Fault('database-away', 'the database takes no writes for seconds',
          (SWITCH, AFTER, END),
          _computes('hold_database'), _computes('release_database'), SECONDS,
          in_cloud=False),
    Fault('wrong-address',
          "the destination gives the source's address for its own", (BEFORE,),
          config={'libvirt': {
              'live_migration_inbound_addr': network.ADDRESSES['source']}},
          in_cloud=False),
    Fault('paused-guest', 'the user has paused the guest before it moves',
          (BEFORE,), paused=True),
    Fault('paused-guest-error',
          'the user has paused the guest; libvirt raises after it has moved',
          (BEFORE,), set_up=_libvirt('error-after-success'), paused=True,
          in_cloud=False),
    Fault('paused-guest-libvirtd-restarted',
          "the user has paused the guest; the destination's libvirtd is "
          'killed and started again', MOMENTS,
          _daemons('kill', 'destination'), _daemons('start', 'destination'),
          MOMENT, paused=True),
)

BY_NAME = {fault.name: fault for fault in FAULTS}


def _evacuate_once_parked(nemesis):
    nemesis.testbed.hosts['destination'].libvirtd.resume()
    nemesis.await_parked()
    nemesis.computes.kill('source')
    nemesis.await_service_down('source')
    nemesis.act('evacuate')
    nemesis.start_compute('source')


# seconds of a service that is away
_AWAY = (10.0, 20.0)

# Those above that a cloud can have, and those that need the real services
# around Nova.
OF_CLOUD = tuple(fault for fault in FAULTS if fault.in_cloud) + (
    Fault('neutron-unavailable', 'Neutron answers 503 for seconds',
          (SWITCH, AFTER), _do('close_api', 'neutron'),
          _do('open_api', 'neutron'), (20.0, 40.0)),
    Fault('broker-killed', 'RabbitMQ is killed and started again',
          (SWITCH, AFTER), _do('kill_service', 'rabbitmq'),
          _do('start_service', 'rabbitmq'), _AWAY),
    Fault('database-killed', 'MariaDB is killed and started again',
          (SWITCH, AFTER), _do('kill_service', 'mariadb'),
          _do('start_service', 'mariadb'), _AWAY),
    Fault('conductor-killed', 'nova-conductor is killed and started again',
          (SWITCH, AFTER), _do('kill_service', 'nova-conductor'),
          _do('start_service', 'nova-conductor'), _AWAY),
    Fault('deleted', 'a user deletes the server', (COPY, SWITCH),
          _do('act', 'delete')),
    Fault('migrated-again', 'a user asks for a second live migration',
          (COPY, SWITCH), _do('act', 'migrate')),
    Fault('aborted', 'an operator aborts the migration by the API', (COPY,),
          _do('act', 'abort')),
    Fault('parked-then-evacuated',
          "the destination's libvirtd stalls; with the source's nova-compute "
          'down, a user evacuates to the destination', (SWITCH,),
          _daemons('stall', 'destination'), _evacuate_once_parked,
          (5.0, 7.0)),
)

BY_NAME_OF_CLOUD = {fault.name: fault for fault in OF_CLOUD}
