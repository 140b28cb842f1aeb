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


"""Records what a nova-compute does, from outside of its methods."""

import logging

from agent import recorder as recorder_mod

AGAIN = 10

# of any Nova; what one lacks is passed over
_MANAGER = (
    'init_host', '_init_instance', '_destroy_evacuated_instances',
    '_reset_live_migration', '_do_live_migration',
    '_post_live_migration_update_host', '_cleanup_pre_live_migration',
    'live_migration_abort', 'drop_move_claim_at_destination',
    'check_can_live_migrate_destination', 'check_can_live_migrate_source',
    'pre_live_migration', 'live_migration', '_post_live_migration',
    'post_live_migration_at_destination', '_rollback_live_migration',
    'rollback_live_migration_at_destination', 'remove_volume_connection',
    'get_instance_diagnostics', 'handle_lifecycle_event', 'stop_instance',
    'start_instance', 'reboot_instance',
)

#: methods of the series' LiveMigrationRecovery
RECOVERY = (
    'recover', '_finish', '_roll_back', '_monitor', '_park', '_pause_copy',
    '_clean_up_destination', '_leave',
)


def record_manager(manager_class, recorder, transition_name):
    """Record a manager's calls, and the events that it gets.

    :param manager_class: nova's ComputeManager
    :param recorder: recorder.Recorder
    :param transition_name: names a lifecycle event's transition
    """
    recorder.record_calls(manager_class, _MANAGER)

    def make(function):
        def handle_lifecycle_event(self, event):
            name = transition_name(event)
            reason = getattr(event, 'reason', None)
            recorder.tell('event', name, 'event: %s%s' % (
                name, ' (%s)' % reason if reason else ''),
                {'reason': reason} if reason else {})
            return function(self, event)
        return handle_lifecycle_event
    recorder_mod.replace(manager_class, 'handle_lifecycle_event', make)


def record_driver(driver_class, recorder, count_calls):
    """Record which callback a driver calls, and what files it deletes.

    :param driver_class: nova's LibvirtDriver
    :param recorder: recorder.Recorder
    :param count_calls: tells how often libvirt was called by now
    """
    def calling_back(function):
        def migrate(self, context, instance, dest, post_method,
                    recover_method, *args, **kwargs):
            return function(
                self, context, instance, dest,
                _telling(recorder, 'post', post_method, count_calls),
                _telling(recorder, 'recover', recover_method, count_calls),
                *args, **kwargs)
        return migrate
    for name in ('live_migration', 'monitor_live_migration'):
        recorder_mod.replace(driver_class, name, calling_back)

    def deleting(function):
        def delete_instance_files(self, *args, **kwargs):
            recorder.tell('teardown', 'disks-deleted',
                          "the instance's files are deleted")
            return function(self, *args, **kwargs)
        return delete_instance_files
    recorder_mod.replace(driver_class, 'delete_instance_files', deleting)


def _telling(recorder, which, callback, count_calls):
    def called(*args, **kwargs):
        recorder.tell('callback', which, 'the driver calls %s_method' % which,
                      {'calls': count_calls()})
        return callback(*args, **kwargs)
    return called


class Warnings(logging.Handler):
    """Sends warnings and worse as events.

    What periodic tasks say again and again is sent once in AGAIN seconds.

    :param recorder: recorder.Recorder
    """

    def __init__(self, recorder):
        logging.Handler.__init__(self, logging.WARNING)
        self._recorder = recorder
        self._sent = {}

    def emit(self, record):
        try:
            text = record.getMessage()
        except Exception:
            self.handleError(record)
            return
        if record.created - self._sent.get(text, 0) < AGAIN:
            return
        self._sent[text] = record.created
        self._recorder.tell(
            'log', record.levelname.lower(), text,
            {'logger': record.name, 'exception': (
                recorder_mod.told(record.exc_info[1])
                if record.exc_info and record.exc_info[1] else None)},
            record.created)
