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

"""Follow one live migration to its end.

The libvirt call that migrates blocks until it returns or raises, so it has a
thread of its own. What it raises is no news of where the guest is: the answer
may have been lost on the way, and libvirt may still be at work. Nothing is
guessed here. The call returned, or anything else happened: that is all that
is told, once, and whoever is told looks for the guest.
"""

import copy
import time

from oslo_config import cfg
from oslo_config import types
from oslo_log import log as logging

import nova.conf
from nova.virt import bounded_call
from nova.virt.libvirt import migration_job

LOG = logging.getLogger(__name__)

monitor_opts = [
    cfg.Opt('live_migration_job_interval',
            type=types.Integer(min=100),
            default=500,
            help='Milliseconds between two looks at the job of a live '
                 'migration, 100 at least. A longer interval makes fewer '
                 'calls to libvirt; the end of the migration is seen at once '
                 'in any case.'),
]

CONF = nova.conf.CONF
CONF.register_opts(monitor_opts, 'libvirt')

# Seconds of migration between two reports of its progress: every one is
# stored and logged at debug, and at info as seldom as the second says.
REPORT = 5
REPORT_INFO = 30

# Seconds between two looks, at most, where the job cannot be read.
SELDOM = 10

PROGRESS = ('Live migration has been running for %(seconds)d s, %(percent)d%% '
            'of the memory remain (bytes processed: %(processed)d, remaining: '
            '%(remaining)d, total: %(total)d)')
STILL_RUNNING = ('libvirt has raised, but it still works on the live '
                 'migration of this guest; waiting until it is over: %s')
NOT_READ = 'The job of the live migration cannot be read now: %s'
NOT_STORED = 'The progress of the live migration could not be stored: %s'


def follow(operate, find_domain, libvirt, post_method, recover_method,
           context, instance, dest, block_migration, migrate_data):
    """Run a migration, watch it, and tell its end to exactly one of two.

    :param operate: callable; makes the libvirt call and raises what libvirt
        raises. It takes the arguments of the driver's _live_migration, and
        gets callbacks that do nothing.
    :param find_domain: callable without arguments; gives the libvirt.virDomain
        of the guest on this host, on the connection of the moment
    :param libvirt: the libvirt module
    :param post_method: callable for when the call has returned; takes context,
        instance, dest, block_migration and migrate_data
    :param recover_method: callable for anything else; takes the same
    :param context: security context
    :param instance: the instance that is migrated; a copy of it stores the
        progress, 0 to 100
    :param dest: str, name of the destination host
    :param block_migration: bool
    :param migrate_data: dict or None
    :raises: what operate has raised, after recover_method is through; what
        post_method or recover_method raise

    virDomainMigrateToURI with VIR_MIGRATE_PEER2PEER returns when the source
    has confirmed and ended its own copy.
    """
    watch = JobWatch(find_domain, libvirt, instance)
    returned = False
    try:
        call = bounded_call.BoundedCall(
            operate, context, instance, dest, _nothing, _nothing,
            block_migration, migrate_data)
        bounded_call.BoundedCall(watch.until, call)
        call.wait()
        returned = call.error is None
        if not returned:
            watch.wait_for_idle(call.error)
    finally:
        # The watcher is only asked to stop: it may be in the middle of a
        # question to a libvirtd that hangs, no reason to wait for it here.
        watch.stop()
        if not returned:
            recover_method(context, instance, dest, block_migration,
                           migrate_data=migrate_data)
    call.result()
    post_method(context, instance, dest, block_migration, migrate_data)


def _nothing(*args):
    """Stand in for a callback: the end is told by follow() alone."""


class JobWatch(object):
    """Looks at a migration's job at an interval and reports its progress.

    :param find_domain: see follow()
    :param libvirt: the libvirt module
    :param instance: see follow()
    """

    def __init__(self, find_domain, libvirt, instance):
        self._find_domain = find_domain
        self._libvirt = libvirt
        self._instance = instance
        # Not the instance itself: its other holder saves it too, and a save
        # in flight would wipe what that one has changed in the meantime.
        self._progress_of = None
        self._domain = None
        self._pause = self._interval()
        self._stopped = False
        self._began = time.time()
        self._reported = None
        self._informed = self._began

    def until(self, operation):
        """Look until the operation has ended; raises nothing.

        :param operation: BoundedCall
        """
        # The domain is found before it is needed: once the call has failed,
        # that may mean to connect to libvirtd anew, which takes its time.
        self._read()
        while not operation.wait(self._pause):
            job = self._read()
            if job is not None and job.active and not operation.ended:
                self._report(job)

    def stop(self):
        """Store nothing from now on."""
        self._stopped = True

    def wait_for_idle(self, error):
        """Wait as long as libvirt says that it still works on the job.

        A host that cannot be asked ends the wait: there is nothing to wait
        for, and whoever looks for the guest next finds that out again.

        :param error: what the libvirt call has raised
        """
        told = False
        while True:
            look = bounded_call.BoundedCall(self._read)
            if not look.wait(CONF.libvirt.live_migration_ask_timeout):
                return
            job = look.result()
            if job is None or not job.active:
                return
            if not told:
                LOG.warning(STILL_RUNNING, error, instance=self._instance)
                told = True
            self._report(job)
            time.sleep(self._pause)

    @staticmethod
    def _interval():
        return CONF.libvirt.live_migration_job_interval / 1000.0

    def _read(self):
        """Read the job, or give None where that cannot be done now.

        libvirtd may be restarting, or its connection be replaced: the domain
        is looked up anew after every failure, at growing intervals since each
        attempt to connect is logged by the driver.
        """
        try:
            if self._domain is None:
                self._domain = self._find_domain()
            job = migration_job.read(self._libvirt, self._domain)
        except Exception as error:
            if self._pause == self._interval():
                LOG.debug(NOT_READ, error, instance=self._instance)
            self._domain = None
            self._pause = min(2 * self._pause, SELDOM)
            return None
        self._pause = self._interval()
        return job

    def _report(self, job):
        now = time.time()
        if self._reported is not None and now - self._reported < REPORT:
            return
        self._reported = now
        log = LOG.debug
        if now - self._informed >= REPORT_INFO:
            self._informed = now
            log = LOG.info
        log(PROGRESS, {'seconds': now - self._began,
                       'percent': job.percent_remaining,
                       'processed': job.memory_processed,
                       'remaining': job.memory_remaining,
                       'total': job.memory_total}, instance=self._instance)
        self._store(100 - job.percent_remaining)

    def _store(self, progress):
        if self._stopped:
            return
        try:
            if self._progress_of is None:
                self._progress_of = copy.deepcopy(self._instance)
                # A copy takes all its metadata for changed, and would store
                # it over what others store in the meantime.
                self._progress_of.obj_reset_changes()
            self._progress_of.progress = progress
            self._progress_of.save()
        except Exception as error:
            # The guest moves on, whatever becomes of its record.
            LOG.debug(NOT_STORED, error, instance=self._instance)
