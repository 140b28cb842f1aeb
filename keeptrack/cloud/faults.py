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

"""Faults that strike a live migration in the cloud, and their repair.

Each is a function that gets a trial.Trial: it boots a server on host1, lets
Nova migrate it to host2, breaks something at a moment, and repairs it.
"""

import dataclasses
import signal
import time

from keeptrack.cloud import events


@dataclasses.dataclass(frozen=True)
class Fault:
    """A fault.

    :ivar name: as users give it (str)
    :ivar title: what happens (str)
    :ivar run: called with a trial.Trial
    """

    name: str
    title: str
    run: object


FAULTS = []


def _fault(title):
    """Add the function that follows to FAULTS, under its own name."""
    def add(run):
        FAULTS.append(Fault(run.__name__.replace('_', '-'), title, run))
        return run
    return add


def by_name(name):
    """Return the Fault of a name, or None."""
    return {fault.name: fault for fault in FAULTS}.get(name)


def _kill(trial, service):
    return lambda: trial.act(f'kill {service}',
                             lambda: trial.cloud.kill(service))


@_fault('nothing breaks')
def none(trial):
    trial.boot()
    trial.migrate()
    trial.settle(60)


@_fault("the source's libvirtd dies as the guest resumes over there; "
        'back after 20 s')
def source_libvirtd_killed(trial):
    trial.boot()
    struck = trial.when(events.RUNS_THERE, _kill(trial, 'libvirtd-host1'))
    trial.migrate()
    trial.wait(struck)
    time.sleep(20)
    trial.note('while libvirtd is down')
    trial.start('libvirtd-host1')


@_fault("the source's nova-compute dies as the guest resumes over "
        'there; back after 5 s')
def source_compute_killed(trial):
    trial.boot()
    struck = trial.when(events.RUNS_THERE,
                        _kill(trial, 'nova-compute-host1'))
    trial.migrate()
    trial.wait(struck)
    time.sleep(5)
    trial.start('nova-compute-host1')


@_fault("the destination's libvirtd stalls at the switch-over, for 6 s")
def destination_libvirtd_stalled(trial):
    _stall(trial)


def _stall(trial):
    trial.boot()
    struck = trial.when(events.SWITCH, lambda: trial.act(
        'stall libvirtd-host2',
        lambda: trial.cloud.signal('libvirtd-host2', signal.SIGSTOP)))
    trial.migrate()
    trial.wait(struck)
    time.sleep(6)
    trial.act('resume libvirtd-host2',
              lambda: trial.cloud.signal('libvirtd-host2', signal.SIGCONT))


@_fault("the destination's libvirtd stalls at the switch-over, for 6 s; an "
        'operator ends the copy over there, and migrates again')
def destination_stalled_then_again(trial):
    _stall(trial)
    trial.settle(60)
    trial.note('before the operator comes')
    trial.end_second_copy()
    trial.settle(90, parked=False)
    trial.migrate()
    trial.settle(60)


@_fault('the destination loses power while memory is copied; back '
        'after 40 s')
def destination_powered_off(trial):
    trial.boot()
    trial.migrate()
    trial.wait_job()
    trial.act('power off host2', lambda: trial.power_off('host2'))
    trial.settle(40)
    trial.note('while host2 is off')
    trial.power_on('host2')


@_fault('Neutron answers 503 from the switch-over on, for 30 s')
def neutron_unavailable(trial):
    trial.boot()
    struck = trial.when(events.SWITCH, lambda: trial.act(
        'Neutron: 503', lambda: trial.gate('neutron').touch()))
    trial.migrate()
    trial.wait(struck)
    time.sleep(30)
    trial.note('while Neutron answers 503')
    trial.act('Neutron: available', lambda: trial.gate('neutron').unlink())


@_fault('a user deletes the server while memory is copied')
def deleted(trial):
    trial.boot()
    trial.migrate()
    trial.wait_job()
    trial.act('delete', trial.delete)


@_fault('an operator aborts the migration while memory is copied')
def aborted(trial):
    trial.boot()
    trial.migrate()
    trial.wait_job()
    trial.act('abort', trial.abort)


@_fault("the destination's libvirtd stalls at the switch-over; with "
        "the source's nova-compute down, a user evacuates to the "
        'destination')
def parked_then_evacuated(trial):
    _stall(trial)
    trial.settle(60)
    trial.act('kill nova-compute-host1',
              lambda: trial.cloud.kill('nova-compute-host1'))
    trial.wait_service_down('host1')
    trial.act('evacuate', trial.evacuate)
    trial.settle(45)
    trial.note('after the evacuation was asked for')
    trial.start('nova-compute-host1')
    time.sleep(15)


@_fault('RabbitMQ dies as the guest resumes over there; back after 20 '
        's')
def broker_killed(trial):
    trial.boot()
    struck = trial.when(events.RUNS_THERE, _kill(trial, 'rabbitmq'))
    trial.migrate()
    trial.wait(struck)
    time.sleep(20)
    trial.start('rabbitmq')
    trial.wait_broker()
