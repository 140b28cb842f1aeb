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
    result = (context, instance, dest, block_migration, migrate_data)
    # What libvirt last said: bytes in all, processed, remaining
    memory, reader = [], None
    try:
        while not _ended(call):
            # While libvirtd hangs, each question holds a native thread of
            # eventlet's pool: there is one at a time.
            if reader is None or reader.dead:
                _report(instance, *memory)
                reader = greenthread.spawn(_read, driver, instance, memory)
    except Exception:
        with excutils.save_and_reraise_exception():
            recover_method(*result)
    post_method(*result)


def _ended(call):
    with timeout.Timeout(INTERVAL, False):
        call.wait()
        return True
    return False


def _read(driver, instance, memory):
    try:
        info = driver._host.get_domain(instance).jobInfo()
        memory[:] = info[6:9]
    except Exception as error:
        # The guest moves on whether or not its progress is known.
        LOG.debug('The job of the live migration cannot be read: %s', error,
                  instance=instance)


def _report(instance, total=0, processed=0, remaining=0):
    if not total:
        return
    LOG.info(_LI('Live migration: %(processed)d bytes of memory processed, '
                 '%(remaining)d of %(total)d remaining'),
             {'processed': processed, 'remaining': remaining, 'total': total},
             instance=instance)
    try:
        instance.progress = 100 - 100 * remaining // total
        instance.save()
    except Exception as error:
        LOG.debug('The progress of the live migration cannot be stored: %s',
                  error, instance=instance)
