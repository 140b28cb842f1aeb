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

import collections


class Presence(object):
    RUNNING = 'running'
    PAUSED = 'paused'
    # A domain on the destination that waits for its guest: it never ran there.
    INCOMING = 'incoming'
    # Shut off on the destination, where it may have run.
    STOPPED = 'stopped'
    # Not defined; on the source, shut off as well.
    ABSENT = 'absent'
    UNKNOWN = 'unknown'


class Observation(collections.namedtuple(
        'Observation', 'presence origin migrating alive')):

    # alive: the host is up, but does not know yet.
    def __new__(cls, presence, origin, migrating=False, alive=False):
        return super(Observation, cls).__new__(
            cls, presence, origin, migrating, alive)

    def __str__(self):
        return '%s (%s)' % (self.presence, self.origin)


class Action(object):
    FINISH = 'finish the migration'
    ROLL_BACK = 'roll the migration back'
    ROLL_BACK_SOURCE = 'roll the migration back on the source'
    SPLIT_BRAIN = 'pause the guest on the destination'
    PARK = 'leave both hosts alone and check again'
    MONITOR = 'monitor the migration, which is still in progress'
    WAIT = 'give the hypervisor time and check again'


_FENCE = ('Bring the host that does not answer back, or fence it and delete '
          'its compute service.')
_CHOOSE = 'Compare the disks, then destroy one of the domains (virsh destroy).'
_RESUME = ('Look at the QEMU logs, then resume or start the guest on one host '
           '(virsh resume, virsh start) and destroy the other domain.')
_REMOVE = 'Destroy the domain on the destination if it stays (virsh destroy).'

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
    if split and destination.presence == Presence.UNKNOWN:
        return Action.PARK, _FENCE
    if source.migrating:
        return Action.MONITOR, ''
    pair = (source.presence, destination.presence)
    if user_paused and ('%s by user' % pair[0], pair[1]) in _TABLE:
        pair = ('%s by user' % pair[0], pair[1])
    action, patient, advice = _TABLE.get(pair, (Action.PARK, True, _FENCE))
    if split and not finishing and action == Action.FINISH and (
            destination.presence != Presence.RUNNING):
        # That copy may be the older one.
        return Action.PARK, _RESUME
    if (patient or destination.alive) and not waited:
        return Action.WAIT, ''
    if finishing and action == Action.ROLL_BACK and (
            source.presence == Presence.ABSENT):
        return Action.FINISH, advice
    return action, advice
