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

"""Monitor the job of a live migration beside the call that migrates."""

from eventlet import greenthread
from eventlet import timeout
from oslo_utils import excutils

from nova.i18n import _LI
from nova.i18n import _LW
from nova.openstack.common import log as logging

LOG = logging.getLogger(__name__)

# Seconds between two readings of the job.
INTERVAL = 5


def monitor(driver, context, instance, dest, post_method, recover_method,
            block_migration, migrate_data):
    """Migrate a guest, report the progress, and call one of two methods.

    :param driver: nova.virt.libvirt.driver.LibvirtDriver
    :param post_method: called when libvirt has returned
    :param recover_method: called for anything else: that libvirt raises does
        not say where the guest is
    """
    call = greenthread.spawn(
        driver._live_migration_operation, context, instance, dest,
        block_migration, migrate_data)
    try:
        while not _ended(call):
            # A libvirtd that hangs must not hide the end of the call.
            with timeout.Timeout(INTERVAL, False):
                _report(driver, instance)
    except Exception as error:
        with excutils.save_and_reraise_exception():
            LOG.warning(_LW('libvirt has not ended the live migration well: '
                            '%s'), error, instance=instance)
            recover_method(context, instance, dest, block_migration,
                           migrate_data)
    post_method(context, instance, dest, block_migration, migrate_data)


def _ended(call):
    with timeout.Timeout(INTERVAL, False):
        call.wait()
        return True
    return False


def _report(driver, instance):
    try:
        info = driver._host.get_domain(instance).jobInfo()
        total, processed, remaining = info[6:9]
        if total:
            instance.progress = 100 - 100 * remaining // total
            instance.save()
            LOG.info(_LI('Live migration: %(percent)d%% of the memory sent '
                         '(bytes processed=%(processed)d, remaining='
                         '%(remaining)d, total=%(total)d)'),
                     {'percent': instance.progress, 'processed': processed,
                      'remaining': remaining, 'total': total},
                     instance=instance)
    except Exception as error:
        # The guest moves on whether or not its progress is known.
        LOG.debug('The job of the live migration cannot be read: %s', error,
                  instance=instance)
