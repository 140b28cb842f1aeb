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

"""What the lines of nova-compute mean.

Each sign has the shortest text that no other message of these releases has,
and where the message comes from.  Read in Nova's trees: juno-eol to zed-eom,
unmaintained/2023.1 to master (2026.2); all are at level info or above unless
the row says debug. languages.py has the same in other languages.
"""

import dataclasses
import re

from keeptrack.audit.logs import languages

UUID = r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'


@dataclasses.dataclass(frozen=True)
class Sign:
    """What one message means.

    :ivar name: what the rules know it by (str)
    :ivar pattern: a text of the message, searched for as it is (str)
    :ivar means: a few words for the time line (str)
    :ivar origin: file, method and releases it is written by (str)
    :ivar detail: a regular expression with one group, for what else the
                  message tells: a host or a power state; or None
    """

    name: str
    pattern: str
    means: str
    origin: str
    detail: str | None = None


_ALL = 'Juno to 2026.2'
_MANAGER = 'compute/manager.py: '
_DRIVER = 'virt/libvirt/driver.py: '
_QEMU = 'libvirt: qemu/INSTANCE.log'
_SERIES = 'the series: live_migration_recovery.py'

# what the guest did, as libvirt's events tell: the name of the state decides,
# in the language of the host
_EVENT = _MANAGER + 'handle_lifecycle_event, ' + _ALL
EVENTS = {sign.name: sign for sign in (
    Sign('started', '(Lifecycle Event', 'a domain was started', _EVENT),
    Sign('resumed', '(Lifecycle Event', 'the guest runs', _EVENT),
    Sign('paused', '(Lifecycle Event', 'the guest was paused', _EVENT),
    Sign('stopped', '(Lifecycle Event', 'the guest has stopped', _EVENT),
    Sign(languages.HALTED, '(Lifecycle Event',
         'the guest was paused or has stopped', _EVENT),
    Sign('left', '(Lifecycle Event', 'the guest has left',
         'the series: compute/manager.py'),
)}
UNKNOWN = Sign('unknown', '(Lifecycle Event', 'a state of an unknown language',
               _EVENT)

SIGNS = (
    # a live migration begins
    Sign('began', 'for pre_live_migration on', 'a live migration begins',
         _MANAGER + '_do_live_migration, Rocky to 2026.2',
         r'destination host (\S+?)\.?$'),
    Sign('watched', 'igration running for', 'Nova watches the migration',
         _DRIVER + '_live_migration_monitor, Kilo to 2026.2'),
    # and how Nova says that it ended
    Sign('failed', 'Live Migration failure:', 'libvirt raised an error',
         _DRIVER + '_live_migration, Juno; _live_migration_operation, Kilo '
         'to 2026.2'),
    Sign('failed', 'Live migration failed.',
         'Nova says: the live migration failed',
         _MANAGER + '_do_live_migration, Kilo to 2026.2'),
    Sign('failed', 'igration operation has aborted',
         'Nova says: aborted, rolls back',
         _DRIVER + '_live_migration_monitor, Kilo to 2026.2'),
    Sign('cancelled', 'igration operation was cancelled',
         'Nova says: cancelled, rolls back',
         _DRIVER + '_live_migration_monitor, Kilo to 2026.2'),
    Sign('failed', 'Error monitoring migration:',
         'watching the migration failed',
         _DRIVER + 'thread_finished and _live_migration, Kilo to 2026.2'),
    Sign('pre-failed', 'Pre live migration failed at',
         'preparing the destination failed',
         _MANAGER + 'live_migration and others, ' + _ALL,
         r'failed at ([\w.-]+)'),
    Sign('completed', 'igration operation has completed',
         'Nova says: completed',
         _DRIVER + '_live_migration_monitor, Kilo to 2026.2'),
    Sign('posted', '_post_live_migration() is started',
         'Nova takes the guest to have moved',
         _MANAGER + '_post_live_migration, ' + _ALL),
    Sign('finished', 'finished successfully.', 'Nova says: finished',
         _MANAGER + '_post_live_migration, ' + _ALL,
         r'Migrating instance to (\S+) finished'),
    Sign('posted-there', 'Post operation of migration started',
         'Nova takes the guest to have arrived',
         _MANAGER + 'post_live_migration_at_destination, ' + _ALL),
    Sign('post-failed', 'Post live migration at destination',
         'the destination has not taken the guest over',
         _MANAGER + '_post_live_migration, Ocata to 2026.2',
         r'destination (\S+) failed'),
    Sign('post-error', 'Unexpected error during post live migration at',
         'the destination has the record, in error',
         _MANAGER + 'post_live_migration_at_destination, Mitaka to 2026.2'),
    Sign('missing', 'Exception during message handling',
         'the guest was not found here',
         'oslo_messaging/rpc/server.py, ' + _ALL,
         r'(InstanceNotFound)'),
    # where the record is: the first is written where the guest is
    Sign('record-at', 'instance has moved from host',
         'the record is on another host',
         _MANAGER + '_sync_instance_power_state, ' + _ALL,
         r'from host (\S+) to host'),
    Sign('record-at', 'has been moved to another host',
         'the record is on another host',
         'compute/resource_tracker.py: '
         '_remove_deleted_instances_allocations, Pike to 2026.2',
         r'another host ([^\s(]+)'),
    # what a user or an operator does
    Sign('rebuilt', 'Evacuating instance', 'Nova starts it here: evacuated',
         _MANAGER + 'rebuild_instance, Stein to 2026.2'),
    Sign('rebuilt', 'Rebuilding instance',
         'Nova starts it here: evacuated or rebuilt',
         _MANAGER + 'rebuild_instance, ' + _ALL),
    Sign('deleted', 'Terminating instance', 'a user deletes it',
         _MANAGER + 'terminate_instance, Mitaka to 2026.2'),
    # what is ended or deleted for good
    Sign('ended-at-start', 'ing instance as it has been evacuated from',
         'nova-compute ends the guest: it was evacuated from here',
         _MANAGER + '_destroy_evacuated_instances, Liberty to 2026.2'),
    Sign('ended-at-start', 'Deleting instance as its host (',
         'nova-compute ends the guest: its record names another host',
         _MANAGER + '_destroy_evacuated_instances, Juno, Kilo',
         r'its host \((\S+)\) is not'),
    Sign('files-deleted', 'Deleting instance files',
         "the instance's files are deleted here",
         _DRIVER + 'delete_instance_files, ' + _ALL, r'files (\S+)'),
    Sign('deletion', 'Deletion of ', "the instance's files were deleted",
         _DRIVER + 'delete_instance_files, ' + _ALL,
         r'Deletion of (\S+ (?:failed|complete))'),
    # what the power-state sync saw and did
    Sign('power', 'does not match the vm_power_state',
         'the power state in the database was corrected',
         _MANAGER + '_sync_instance_power_state, ' + _ALL,
         r'hypervisor \((\d)\)'),
    Sign('pending', 'pending task (migrating)',
         'the record still has it here, migrating',
         _MANAGER + '_query_driver_power_state_and_sync, ' + _ALL),
    Sign('sync-stop', 'nstance shutdown by itself. Calling',
         'Nova marks the instance shut off',
         _MANAGER + '_sync_instance_power_state, ' + _ALL),
    Sign('absent', 'nstance is unexpectedly not found',
         'the guest was not found here',
         _MANAGER + '_sync_instance_power_state, ' + _ALL),
    # a nova-compute that starts in the middle, and a second start
    Sign('reset', 'found in migrating state during',
         'nova-compute has started and drops the migration',
         _MANAGER + '_init_instance, ' + _ALL),
    Sign('restarted', 'Rebooting instance after nova-compute restart',
         'nova-compute starts the guest again',
         _MANAGER + '_init_instance, ' + _ALL),
    Sign('destroyed', 'Instance destroyed successfully',
         'Nova has ended the guest here',
         _DRIVER + '_wait_for_destroy, ' + _ALL),
    # what other logs say of it: who asked, and how its QEMU ended
    Sign('asked', '/action HTTP/', 'a user asks Nova for an action',
         'nova-api: the log of requests, ' + _ALL,
         r'POST /\S*/servers/(%s)/action HTTP/' % UUID),
    Sign('conductor-failed', ' unexpectedly failed.',
         'nova-conductor: the migration failed',
         'conductor/manager.py: _live_migrate, ' + _ALL,
         r'Migration of instance (%s) to host \S+ unexp' % UUID),
    Sign('qemu-migrating', ': initiating migration',
         'QEMU begins to send the guest', _QEMU, r'(initiating migration)$'),
    Sign('qemu-ended', ': shutting down, reason=', 'QEMU has ended', _QEMU,
         r'shutting down, reason=(\w+)'),
    # what this project's series writes
    Sign('two-copies', 'SPLIT BRAIN: ',
         'the series reports a split brain', _SERIES),
    Sign('settled', 'Nova will finish the migration',
         'the series has found the guest: it has moved', _SERIES),
    Sign('rolled-back', 'Nova will roll the migration back',
         'the series has found the guest: it has stayed', _SERIES),
    Sign('parked', 'The instance is parked (vm_state',
         'the series has parked the instance', _SERIES),
    Sign('guest-here', 'Not cleaning up: the guest is here',
         'the series has found the guest here',
         'the series: compute/manager.py; live_migration_recovery.py'),
    Sign('disks-kept', 'The disks that were copied to',
         'the series keeps the disks on the destination', _SERIES,
         r'copied to (\S+) are kept'),
    Sign('settled', 'but this host is not cleaned up:',
         'the series has found the guest: it has moved',
         _SERIES + ', Juno, Kilo'),
    Sign('domain-left', 'before this one was not cleaned up',
         'an earlier migration may have left a domain',
         _SERIES + ', Juno, Kilo', r'migration to (\S+) before'),
    Sign('failed', 'libvirt has not ended the live migration well',
         'libvirt raised an error', 'the series: migration_monitor.py, Juno'),
)

# those of other programs than nova-compute
OTHERS = ('asked', 'conductor-failed', 'qemu-migrating', 'qemu-ended')

# their pattern alone says nothing
_NEED_DETAIL = ('finished', 'missing', 'post-failed', 'deletion') + OTHERS

_NAMED = {}
for _sign in SIGNS:
    _NAMED.setdefault(_sign.name, _sign)

# what to search for
PATTERNS = sorted({sign.pattern for sign in SIGNS} | languages.patterns())

_DETAILS = {sign.pattern: re.compile(sign.detail)
            for sign in SIGNS if sign.detail}


def find(text):
    """The sign that a message is, and what else it tells.

    :param text: the message (str)
    :returns: Sign and str or None; None, None for any other message
    """
    state = languages.state(text)
    if state is not None:
        sign = languages.STATES.get(state, UNKNOWN.name)
        return (EVENTS.get(sign) if sign != UNKNOWN.name else UNKNOWN), state
    for sign in SIGNS:
        if sign.pattern in text:
            match = (_DETAILS[sign.pattern].search(text)
                     if sign.detail else None)
            if sign.name in _NEED_DETAIL and match is None:
                continue
            return sign, match.group(1) if match else None
    name, detail = languages.find(text)
    return _NAMED.get(name), detail
