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

"""Where is a guest that was being moved, and what follows from it?

One table answers for every pair of sightings, one of the source host and one
of the destination. It does no I/O and imports nothing: whoever looks at the
hosts builds a Sighting of each, asks decide(), and acts.
"""

# Presence of a guest on a host.
RUNNING = 'running'
PAUSED = 'paused'
# Shut off, or unknown to the hypervisor there.
ABSENT = 'absent'
# The host could not be asked.
UNKNOWN = 'unknown'

PRESENCES = (RUNNING, PAUSED, ABSENT, UNKNOWN)


class Sighting(object):
    """What one look at one host has shown.

    :ivar presence: one of PRESENCES
    :ivar how: str, for people: who was asked, or why there is no answer
    :ivar moving: bool, the hypervisor still works on a job of this guest; on
        the destination: the guest runs, but its memory is still on the source
    :ivar diverged: bool, the guest is paused, but it has executed here since
        it arrived, so it is a copy with a life of its own
    :ivar sure: bool; False for an answer that may change by itself in the
        next moment, and has to be given twice
    """

    def __init__(self, presence, how, moving=False, diverged=False,
                 sure=True):
        self.presence = presence
        self.how = how
        self.moving = moving
        self.diverged = diverged
        self.sure = sure

    def __str__(self):
        return '%s (%s)' % (self.presence, self.how)


class Decision(object):
    """What a pair of sightings means.

    :ivar name: str, a short name for logs and tests
    :ivar does: str, what Nova does now
    :ivar human: str, what a human should do, empty where nothing
    :ivar level: str, how loud to say it: info, warning or error
    """

    def __init__(self, name, level, does, human=''):
        self.name = name
        self.level = level
        self.does = does
        self.human = human

    def __repr__(self):
        return '<Decision %s>' % self.name


ROLL_BACK = Decision(
    'roll back', 'info',
    'The guest has stayed: Nova rolls the migration back.')
STAYED_PAUSED = Decision(
    'stayed paused', 'warning',
    'The guest has stayed, paused: Nova rolls the migration back.',
    'If its user has not paused it, it may have run on the destination since: '
    'hard reboot it then, do not resume it.')
UNRECORDED = Decision(
    'unrecorded', 'warning',
    'No record says where the guest was to go: Nova touches no host.',
    'See that the guest runs on one host only and that Nova names that host, '
    'then use nova reset-state --active.')
NOWHERE = Decision(
    'nowhere', 'warning',
    'The guest runs nowhere: Nova rolls the migration back and '
    'records it shut down.',
    'Look into the log of its QEMU on both hosts, then start it.')
LEFTOVER = Decision(
    'leftover', 'info',
    'The guest has moved: Nova gives libvirt time to end the paused copy on '
    'the source, then ends it, and finishes the migration.')
MOVED_PAUSED = Decision(
    'moved paused', 'warning',
    'The guest has moved, and is paused there: Nova finishes the migration.',
    'If neither its user nor an error of its disks has paused it, resume it '
    'on the destination (virsh resume).')
UNSURE = Decision(
    'unsure', 'info',
    'Nova asks the destination a second time before it believes that the '
    'guest does not run there.')
FINISH = Decision(
    'finish', 'info',
    'The guest has moved: Nova finishes the migration.')
SHELL = Decision(
    'shell', 'info',
    'Nova waits until what is paused on the destination is gone, and removes '
    'it if it stays.')
SWITCHING = Decision(
    'switching', 'warning',
    'Neither copy runs yet: Nova looks again.',
    'If it stays so, resume the guest on one host only.')
INCOMPLETE = Decision(
    'incomplete', 'warning',
    'The guest has died on the source, and what waits for it on the '
    'destination has never run: Nova waits until that is gone.',
    'If it stays, look into the log of its QEMU on both hosts, then destroy '
    'it on the destination (virsh destroy).')
MOVING = Decision(
    'moving', 'info',
    'libvirt still works on the migration: Nova leaves it alone '
    'and looks again.')
DOUBT = Decision(
    'doubt', 'warning',
    'Nova touches neither host and looks again.',
    'Bring back what could not be asked. Do not start the guest anywhere.')
BOTH = Decision(
    'both', 'error',
    'TWO COPIES OF ONE GUEST. libvirt has decided for the source; '
    'Nova tears down neither and suspends the copy on the destination if it '
    'may.',
    'Check the disks, then destroy one of the two domains (virsh destroy). '
    'Nova goes on once libvirt on both hosts tells it so; where it may not '
    'ask the other one, use nova reset-state --active after that.')

APART = Decision(
    'apart', 'error',
    'Two copies of this guest were seen to run, of which Nova suspends '
    'one where it may: Nova touches neither now.',
    'Check the disks, then destroy one of the two domains (virsh destroy). '
    'Nova goes on once libvirt on both hosts tells it so; where it may not '
    'ask the other one, use nova reset-state --active after that.')

# source, destination
_TABLE = {
    (RUNNING, RUNNING): BOTH,
    (RUNNING, PAUSED): SHELL,
    (RUNNING, ABSENT): ROLL_BACK,
    (RUNNING, UNKNOWN): DOUBT,
    (PAUSED, RUNNING): LEFTOVER,
    (PAUSED, PAUSED): SWITCHING,
    (PAUSED, ABSENT): STAYED_PAUSED,
    (PAUSED, UNKNOWN): DOUBT,
    (ABSENT, RUNNING): FINISH,
    (ABSENT, PAUSED): INCOMPLETE,
    (ABSENT, ABSENT): NOWHERE,
    (ABSENT, UNKNOWN): DOUBT,
    (UNKNOWN, RUNNING): DOUBT,
    (UNKNOWN, PAUSED): DOUBT,
    (UNKNOWN, ABSENT): DOUBT,
    (UNKNOWN, UNKNOWN): DOUBT,
}


def decide(source, destination, two_copies=False):
    """Tell what a look at both hosts means.

    :param source: Sighting of the host that the guest was to leave
    :param destination: Sighting of the host that it was to reach, taken
        after the source's
    :param two_copies: bool, both were seen to run before. From then on the
        two differ, and only the absence of one of them decides anything.
    :returns: one of the Decisions of this module
    """
    decision = _TABLE[(source.presence, destination.presence)]
    if source.moving or decision is LEFTOVER and destination.moving:
        return MOVING
    if destination.presence == PAUSED and source.presence == ABSENT:
        # What moved is paused for a reason of its own, a user's for instance.
        return (MOVED_PAUSED if destination.diverged or two_copies
                else INCOMPLETE)
    presences = (source.presence, destination.presence)
    if decision is BOTH or ABSENT in presences and UNKNOWN not in presences:
        return decision
    if two_copies or (decision is SHELL and destination.diverged):
        return APART
    return decision
