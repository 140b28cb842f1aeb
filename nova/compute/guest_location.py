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

"""Decide how a live migration ends by where its guest is."""

import enum
import typing as ty


class Presence(enum.Enum):
    RUNNING = 'running'
    PAUSED = 'paused'
    # A domain on the destination that waits for its guest: it never ran there.
    INCOMING = 'incoming'
    # Shut off on the destination, where it may have run.
    STOPPED = 'stopped'
    # Not defined; on the source, shut off as well.
    ABSENT = 'absent'
    UNKNOWN = 'unknown'


class Observation(ty.NamedTuple):
    presence: Presence
    origin: str
    migrating: bool = False
    # The memory of the guest is on both hosts for good.
    postcopy_failed: bool = False
    fenced: bool = False
    # The host is up, but does not know yet.
    alive: bool = False

    def __str__(self):
        return '%s (%s)' % (self.presence.value, self.origin)


class Action(enum.Enum):
    FINISH = 'finish the migration'
    ROLL_BACK = 'roll the migration back'
    ROLL_BACK_SOURCE = 'roll the migration back on the source'
    SPLIT_BRAIN = 'pause the guest on the destination'
    PARK = 'leave both hosts alone and check again'
    MONITOR = 'monitor the migration, which is still in progress'
    WAIT = 'give the hypervisor time and check again'


_FENCE = ('Bring the host that does not answer back, or fence it and force '
          'its compute service down.')
_CHOOSE = 'Compare the disks, then destroy one of the domains (virsh destroy).'
_RESUME = ('Look at the QEMU logs, then resume or start the guest on one host '
           '(virsh resume, virsh start) and destroy the other domain.')
_REMOVE = 'Destroy the domain on the destination if it stays (virsh destroy).'
_POSTCOPY = ('Recover the migration (virsh migrate --postcopy-resume), or '
             'destroy both domains.')

# (source, destination): (action, whether to wait before, advice)
_TABLE = {
    ('running', 'running'): (Action.SPLIT_BRAIN, False, _CHOOSE),
    ('running', 'paused'): (Action.PARK, True, _CHOOSE),
    ('running', 'incoming'): (Action.ROLL_BACK, True, ''),
    ('running', 'stopped'): (Action.ROLL_BACK, True, ''),
    ('running', 'absent'): (Action.ROLL_BACK, False, ''),
    ('running', 'unknown'): (Action.ROLL_BACK_SOURCE, False, ''),
    ('paused', 'running'): (Action.FINISH, True, ''),
    ('paused', 'paused'): (Action.PARK, True, _RESUME),
    ('paused', 'incoming'): (Action.PARK, True, _RESUME),
    ('paused', 'stopped'): (Action.FINISH, True, ''),
    ('paused', 'absent'): (Action.ROLL_BACK, False, ''),
    # It has not run on the destination.
    ('paused by user', 'paused'): (Action.FINISH, True, ''),
    ('paused by user', 'incoming'): (Action.ROLL_BACK, True, ''),
    ('paused by user', 'stopped'): (Action.ROLL_BACK, True, ''),
    ('paused by user', 'unknown'): (Action.ROLL_BACK_SOURCE, True, ''),
    ('absent', 'running'): (Action.FINISH, False, ''),
    ('absent', 'paused'): (Action.FINISH, False, ''),
    ('absent', 'incoming'): (Action.PARK, True, _REMOVE),
    ('absent', 'stopped'): (Action.FINISH, False, ''),
    ('absent', 'absent'): (Action.ROLL_BACK, False, ''),
}


def decide(source, destination, waited, finishing=False, user_paused=False,
           split=False):
    """Say what follows from where a guest is.

    :param source: Observation of the host that the guest was to leave
    :param destination: Observation of the host that it was to reach
    :param waited: the hypervisor had its time to end what it does (bool)
    :param finishing: the source has given up what the guest uses (bool)
    :param user_paused: its user had paused the guest before (bool)
    :param split: both copies were seen to have run (bool)
    :returns: an Action, and what an operator can do (str)
    """
    if source.postcopy_failed or destination.postcopy_failed:
        return Action.PARK, _POSTCOPY
    if split and destination.presence == Presence.UNKNOWN:
        return Action.PARK, _FENCE
    if source.migrating:
        return Action.MONITOR, ''
    pair = (source.presence.value, destination.presence.value)
    if user_paused and ('%s by user' % pair[0], pair[1]) in _TABLE:
        pair = ('%s by user' % pair[0], pair[1])
    action, patient, advice = _TABLE.get(pair, (Action.PARK, True, _FENCE))
    if split and not finishing and action == Action.FINISH and (
            destination.presence != Presence.RUNNING):
        # That copy may be the older one.
        return Action.PARK, _RESUME
    # In post-copy the guest runs on memory that is still on the source.
    if (patient or destination.alive) and (
            not waited or destination.migrating):
        return Action.WAIT, ''
    if action == Action.ROLL_BACK:
        if finishing and source.presence == Presence.ABSENT:
            return Action.FINISH, advice
        if destination.fenced:
            return Action.ROLL_BACK_SOURCE, advice
    return action, advice
