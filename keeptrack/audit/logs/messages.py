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

Each has the shortest text that no other message of these releases has,
and where the message comes from.  Read in Nova's trees: juno-eol to zed-eom,
unmaintained/2023.1 to master (2026.2); all are at level info or above unless
the row says debug. languages.py has the same in other languages.
"""

import dataclasses
import re

from keeptrack.audit.logs import languages

UUID = r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'


@dataclasses.dataclass(frozen=True)
class Message:
    """What one message means.

    :ivar name: what the rules know it by (str)
    :ivar pattern: a text of the message, searched for as it is (str)
    :ivar means: a few words for the time line (str)
    :ivar origin: file, method and releases it is written by (str)
    :ivar detail: a regular expression with one group, for what else the
                  message says: a host or a power state; or None
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

# what the guest did, by libvirt's events: the name of the state decides,
# in the language of the host
_EVENT = _MANAGER + 'handle_lifecycle_event, ' + _ALL
EVENTS = {sign.name: sign for sign in (
    Message('started', '(Lifecycle Event', 'a domain was started', _EVENT),
    Message('resumed', '(Lifecycle Event', 'the guest runs', _EVENT),
    Message('paused', '(Lifecycle Event', 'the guest was paused', _EVENT),
    Message('stopped', '(Lifecycle Event', 'the guest has stopped', _EVENT),
    Message(languages.HALTED, '(Lifecycle Event',
            'the guest was paused or has stopped', _EVENT),
    Message('left', '(Lifecycle Event', 'the guest has left',
            'the series: compute/manager.py'),
)}
UNKNOWN = Message('unknown', '(Lifecycle Event',
                  'a state of an unknown language', _EVENT)

MESSAGES = (
    # a live migration begins
    Message('began', 'for pre_live_migration on', 'a live migration begins',
            _MANAGER + '_do_live_migration, Rocky to 2026.2',
            r'destination host (\S+?)\.?$'),
    Message('watched', 'igration running for', 'Nova watches the migration',
            _DRIVER + '_live_migration_monitor, Kilo to 2026.2'),
    # and how Nova says that it ended
    Message('failed', 'Live Migration failure:', 'libvirt raised an error',
            _DRIVER + '_live_migration, Juno; _live_migration_operation, Kilo '
            'to 2026.2'),
    Message('failed', 'Live migration failed.',
            'Nova says: the live migration failed',
            _MANAGER + '_do_live_migration, Kilo to 2026.2'),
    Message('failed', 'igration operation has aborted',
            'Nova says: aborted, rolls back',
            _DRIVER + '_live_migration_monitor, Kilo to 2026.2'),
    Message('cancelled', 'igration operation was cancelled',
            'Nova says: cancelled, rolls back',
            _DRIVER + '_live_migration_monitor, Kilo to 2026.2'),
    Message('failed', 'Error monitoring migration:',
            'watching the migration failed',
            _DRIVER + 'thread_finished and _live_migration, Kilo to 2026.2'),
    Message('pre-failed', 'Pre live migration failed at',
            'preparing the destination failed',
            _MANAGER + 'live_migration and others, ' + _ALL,
            r'failed at ([\w.-]+)'),
    Message('completed', 'igration operation has completed',
            'Nova says: completed',
            _DRIVER + '_live_migration_monitor, Kilo to 2026.2'),
    Message('posted', '_post_live_migration() is started',
            'Nova takes the guest to have moved',
            _MANAGER + '_post_live_migration, ' + _ALL),
    Message('finished', 'finished successfully.', 'Nova says: finished',
            _MANAGER + '_post_live_migration, ' + _ALL,
            r'Migrating instance to (\S+) finished'),
    Message('posted-there', 'Post operation of migration started',
            'Nova takes the guest to have arrived',
            _MANAGER + 'post_live_migration_at_destination, ' + _ALL),
    Message('post-failed', 'Post live migration at destination',
            'the destination has not taken the guest over',
            _MANAGER + '_post_live_migration, Ocata to 2026.2',
            r'destination (\S+) failed'),
    Message('post-error', 'Unexpected error during post live migration at',
            'the destination has the record, in error',
            _MANAGER + 'post_live_migration_at_destination, Mitaka to 2026.2'),
    Message('missing', 'Exception during message handling',
            'the guest was not found here',
            'oslo_messaging/rpc/server.py, ' + _ALL,
            r'(InstanceNotFound)'),
    # where the record is: the first is written where the guest is
    Message('record-at', 'instance has moved from host',
            'the record is on another host',
            _MANAGER + '_sync_instance_power_state, ' + _ALL,
            r'from host (\S+) to host'),
    Message('record-at', 'has been moved to another host',
            'the record is on another host',
            'compute/resource_tracker.py: '
            '_remove_deleted_instances_allocations, Pike to 2026.2',
            r'another host ([^\s(]+)'),
    # what a user or an operator does
    Message('rebuilt', 'Evacuating instance', 'Nova starts it here: evacuated',
            _MANAGER + 'rebuild_instance, Stein to 2026.2'),
    Message('rebuilt', 'Rebuilding instance',
            'Nova starts it here: evacuated or rebuilt',
            _MANAGER + 'rebuild_instance, ' + _ALL),
    Message('deleted', 'Terminating instance', 'a user deletes it',
            _MANAGER + 'terminate_instance, Mitaka to 2026.2'),
    # what is ended or deleted for good
    Message('ended-at-start', 'ing instance as it has been evacuated from',
            'nova-compute ends the guest: it was evacuated from here',
            _MANAGER + '_destroy_evacuated_instances, Liberty to 2026.2'),
    Message('ended-at-start', 'Deleting instance as its host (',
            'nova-compute ends the guest: its record names another host',
            _MANAGER + '_destroy_evacuated_instances, Juno, Kilo',
            r'its host \((\S+)\) is not'),
    Message('files-deleted', 'Deleting instance files',
            "the instance's files are deleted here",
            _DRIVER + 'delete_instance_files, ' + _ALL, r'files (\S+)'),
    Message('deletion', 'Deletion of ', "the instance's files were deleted",
            _DRIVER + 'delete_instance_files, ' + _ALL,
            r'Deletion of (\S+ (?:failed|complete))'),
    # what the power-state sync saw and did
    Message('power', 'does not match the vm_power_state',
            'the power state in the database was corrected',
            _MANAGER + '_sync_instance_power_state, ' + _ALL,
            r'hypervisor \((\d)\)'),
    Message('pending', 'pending task (migrating)',
            'the record still has it here, migrating',
            _MANAGER + '_query_driver_power_state_and_sync, ' + _ALL),
    Message('sync-stop', 'nstance shutdown by itself. Calling',
            'Nova marks the instance shut off',
            _MANAGER + '_sync_instance_power_state, ' + _ALL),
    Message('absent', 'nstance is unexpectedly not found',
            'the guest was not found here',
            _MANAGER + '_sync_instance_power_state, ' + _ALL),
    # a nova-compute that starts in the middle, and a second start
    Message('reset', 'found in migrating state during',
            'nova-compute has started and drops the migration',
            _MANAGER + '_init_instance, ' + _ALL),
    Message('restarted', 'Rebooting instance after nova-compute restart',
            'nova-compute starts the guest again',
            _MANAGER + '_init_instance, ' + _ALL),
    Message('destroyed', 'Instance destroyed successfully',
            'Nova has ended the guest here',
            _DRIVER + '_wait_for_destroy, ' + _ALL),
    # what other logs say of it: who asked, and how its QEMU ended
    Message('asked', '/action HTTP/', 'a user asks Nova for an action',
            'nova-api: the log of requests, ' + _ALL,
            r'POST /\S*/servers/(%s)/action HTTP/' % UUID),
    Message('conductor-failed', ' unexpectedly failed.',
            'nova-conductor: the migration failed',
            'conductor/manager.py: _live_migrate, ' + _ALL,
            r'Migration of instance (%s) to host \S+ unexp' % UUID),
    Message('qemu-migrating', ': initiating migration',
            'QEMU begins to send the guest', _QEMU,
            r'(initiating migration)$'),
    Message('qemu-ended', ': shutting down, reason=', 'QEMU has ended', _QEMU,
            r'shutting down, reason=(\w+)'),
    # what this project's series writes
    Message('two-copies', 'SPLIT BRAIN: ',
            'the series reports a split brain', _SERIES),
    Message('two-copies', 'Pausing an older copy of the guest on ',
            'the series has found a second copy later', _SERIES),
    Message('settled', 'Nova will finish the migration',
            'the series has found the guest: it has moved', _SERIES),
    Message('rolled-back', 'Nova will roll the migration back',
            'the series has found the guest: it has stayed', _SERIES),
    Message('parked', 'The instance is parked (vm_state',
            'the series has parked the instance', _SERIES),
    Message('rolled-back', 'Rolled back the live migration on this host alone',
            'the series has found the guest: it has stayed', _SERIES),
    Message('guest-here', 'Not cleaning up',
            'the series has found the guest here',
            'the series: compute/manager.py; live_migration_recovery.py'),
    Message('disks-kept', 'The disks that were copied to',
            'the series keeps the disks on the destination', _SERIES,
            r'copied to (\S+) are kept'),
    Message('settled', 'but this host is not cleaned up:',
            'the series has found the guest: it has moved',
            _SERIES + ', Juno, Kilo'),
    Message('domain-left', 'before this one was not cleaned up',
            'an earlier migration may have left a domain',
            _SERIES + ', Juno, Kilo', r'migration to (\S+) before'),
)

# those of other programs than nova-compute
OTHERS = ('asked', 'conductor-failed', 'qemu-migrating', 'qemu-ended')

# their pattern alone says nothing
_NEED_DETAIL = ('finished', 'missing', 'post-failed', 'deletion') + OTHERS

_NAMED = {}
for _sign in MESSAGES:
    _NAMED.setdefault(_sign.name, _sign)

# what to search for
PATTERNS = sorted({sign.pattern for sign in MESSAGES} | languages.patterns())

_DETAILS = {sign.pattern: re.compile(sign.detail)
            for sign in MESSAGES if sign.detail}


def find(text):
    """Which message a text is, and what else it says.

    :param text: the message (str)
    :returns: Message and str or None; None, None for any other message
    """
    state = languages.state(text)
    if state is not None:
        sign = languages.STATES.get(state, UNKNOWN.name)
        return (EVENTS.get(sign) if sign != UNKNOWN.name else UNKNOWN), state
    for sign in MESSAGES:
        if sign.pattern in text:
            match = (_DETAILS[sign.pattern].search(text)
                     if sign.detail else None)
            if sign.name in _NEED_DETAIL and match is None:
                continue
            return sign, match.group(1) if match else None
    name, detail = languages.find(text)
    return _NAMED.get(name), detail
