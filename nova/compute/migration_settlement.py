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

"""Bring one live migration in doubt to its end.

Each look at the hosts and what follows from it happen under the instance's
lock, and on a record that was read anew. Where nothing can be decided the
instance is parked: vm_state ERROR with task_state kept at migrating, so that
neither a user nor a restart of nova-compute can start a second copy.
"""

import time

from oslo_log import log as logging
from oslo_utils import excutils

from nova.compute import guest_location
from nova.compute import guest_search
from nova.compute import migration_record
from nova.compute import power_state
from nova.compute import task_states
from nova.compute import utils as compute_utils
from nova.compute import vm_states
from nova import exception
from nova import utils

LOG = logging.getLogger(__name__)

# Seconds between the first two looks; every further pause is twice as long.
FIRST_PAUSE = 1
LONGEST_PAUSE = 15

# Seconds after which an answer that was not sure is, if it is given again.
SURE_AFTER = 5

SEEN = ('Live migration to %(dest)s in doubt. The guest is on %(host)s: '
        '%(source)s; on %(dest)s: %(destination)s. %(parked)s%(does)s '
        '%(human)s')
# A fault has room for 255 characters, so it does without who was asked.
FAULT = ('guest on %(host)s: %(source)s; on %(dest)s: %(destination)s. '
         '%(does)s %(human)s')
NOWHERE_KNOWN = 'an unknown host'
PARKED = 'The instance is parked (vm_state error, task_state migrating). '
GONE = ('Live migration in doubt, but the instance was deleted meanwhile: '
        'Nova leaves both hosts alone. If its guest runs on %s, nova-compute '
        'there deals with it (running_deleted_instance_action).')
CHANGED = ('Live migration in doubt, but the instance was changed meanwhile '
           '(host: %(host)s, task_state: %(task)s): Nova leaves it to whoever '
           'did that.')
NOT_SUSPENDED = ('TWO COPIES OF ONE GUEST MAY WRITE TO ONE DISK. The one on '
                 '%(dest)s could not be suspended: %(error)s. Suspend it '
                 'there at once (virsh suspend %(uuid)s).')
SUSPENDED = 'The copy of the guest on %s is suspended.'
REMOVING = ('Nova asks %s to remove the empty domain that the live migration '
            'has left there; disks are not touched.')
ENDING = ('Nova ends the paused copy of the guest on this host; the guest '
          'runs on %s.')
FAILED = ('The guest has moved to %(dest)s, but finishing its live migration '
          'has failed: %(error)s. %(parked)sNova tries again.')

NEVER_LEFT = 'libvirt was not asked yet to migrate'

_POWER_STATES = {
    guest_location.RUNNING: power_state.RUNNING,
    guest_location.PAUSED: power_state.PAUSED,
    guest_location.ABSENT: power_state.SHUTDOWN,
}


class Attempt(object):
    """One live migration, as ComputeManager's methods want to be told of it.

    :ivar uuid: str, the instance's
    :ivar is_prepared: bool, the destination has said that it is prepared
    :ivar arguments: tuple, what _post_live_migration and
        _rollback_live_migration take
    """

    def __init__(self, context, instance, dest, block_migration,
                 migrate_data):
        self.context = context
        self.instance = instance
        self.uuid = instance['uuid']
        self.dest = dest
        self.arguments = (context, instance, dest, block_migration,
                          migrate_data)
        # ComputeManager.live_migration adds it before it calls the driver.
        self.is_prepared = 'pre_live_migration_result' in (migrate_data or {})


class Memory(object):
    """What is known of one instance from one look to the next.

    :ivar said: what was last said of it: nothing is said twice
    :ivar unsure_since: float, time of the first of the answers in a row that
        were not sure; None where the last one was
    """

    def __init__(self):
        self.said = None
        self.unsure_since = None


class Settlement(object):
    """Looks for the guest of one migration and acts on what it sees.

    :param manager: ComputeManager of the source host
    :param attempt: Attempt
    :param roll_back: callable, takes the attempt's arguments
    :param decided: set of uuids; this one's is in it while ComputeManager's
        own methods are called
    :param memory: Memory of the instance

    :ivar urgent: bool, two copies run and neither could be stopped
    """

    def __init__(self, manager, attempt, roll_back, decided, memory):
        self.manager = manager
        self.attempt = attempt
        self.context = attempt.context
        self.instance = attempt.instance
        self.dest = attempt.dest
        self.urgent = False
        self._roll_back = roll_back
        self._decided = decided
        self._memory = memory
        self._stayed = None
        self._act = {
            guest_location.ROLL_BACK: self._stay,
            guest_location.NOWHERE: self._stay,
            guest_location.FINISH: self._move,
            guest_location.SHELL: self._shell,
            guest_location.BOTH: self._both,
        }

    def never_left(self):
        """The driver was not called yet: there is nothing to ask elsewhere.

        A migration that cannot be prepared, since its destination is down for
        instance, is rolled back as ever.
        """
        self._stayed = guest_location.Sighting(guest_location.ABSENT,
                                               NEVER_LEFT)

    def run(self, patience, park=True):
        """Look until something is decided, for a bounded time.

        :param patience: int, seconds; 0 looks once
        :param park: bool, park the instance if nothing can be decided
        """
        ends = time.time() + patience
        pause = FIRST_PAUSE
        # A single look that parks nothing is the first after a restart.
        waited = park and patience == 0
        while True:
            left = ends - time.time()
            last = left <= 0
            settled = self._locked(self._look_and_act, last and park, waited)
            if settled or last:
                return
            time.sleep(max(0, min(pause, left)))
            pause = min(2 * pause, LONGEST_PAUSE)
            waited = time.time() > ends - patience / 2.0

    def finish(self, post):
        """Finish forward, and park the instance if that fails.

        :param post: callable, takes the attempt's arguments
        :returns: what post returns
        :raises: what post raises
        """
        # Dropped from the record by the destination, which stores what it is
        # sent when it takes the instance over.
        migration_record.forget(self.instance)
        try:
            return post(*self.attempt.arguments)
        except Exception as error:
            with excutils.save_and_reraise_exception():
                self._locked(self._park_unfinished, error)

    def _locked(self, function, *args):
        @utils.synchronized(self.attempt.uuid)
        def call():
            return function(*args)
        return call()

    def _look_and_act(self, park, waited):
        """Look once, and act.

        :param park: bool, park the instance if nothing is decided now
        :param waited: bool, libvirt had its time to end what it had begun
        :returns: bool, nothing is left to look for
        """
        if not self._is_ours():
            return True
        search = self._search()
        decision = self._decide(search)
        act = self._act.get(decision)
        if act is not None and act(decision, search, waited):
            return True
        if park and decision is not guest_location.MOVING:
            self._park(decision, search)
        else:
            self._say(decision, search)
            self._correct_fault(decision, search)
        return False

    def _decide(self, search):
        decision = guest_location.decide(
            search.source, search.destination,
            migration_record.has_two_copies(self.instance))
        if search.destination.sure:
            self._memory.unsure_since = None
            return decision
        if self._memory.unsure_since is None:
            self._memory.unsure_since = time.time()
        if time.time() - self._memory.unsure_since < SURE_AFTER:
            return guest_location.DOUBT
        return decision

    def _search(self):
        if self._stayed is not None:
            return guest_search.Search(
                self.manager.driver.guest_finder.look(self.instance),
                self._stayed)
        return guest_search.look(
            self.manager, self.context, self.instance, self.dest,
            migration_record.has_two_copies(self.instance))

    def _is_ours(self):
        """Read the record anew, and tell whether there is something to do."""
        try:
            self.instance.refresh()
        except exception.InstanceNotFound:
            LOG.info(GONE, self.dest, instance=self.instance)
            return False
        if (self.instance.host == self.manager.host and
                self.instance.task_state == task_states.MIGRATING):
            return True
        self._leave()
        return False

    def _leave(self):
        LOG.info(CHANGED, {'host': self.instance.host,
                           'task': self.instance.task_state},
                 instance=self.instance)

    # What follows from a decision. Each answers whether all is done.

    def _stay(self, decision, search, waited):
        self._say(decision, search)
        self._correct_fault(decision, search, always=self._stayed is None)
        if search.refused:
            # It does not run there, but whether anything is left is unknown.
            self._remove_shell()
        migration_record.forget(self.instance)
        self.instance.power_state = _POWER_STATES[search.source.presence]
        try:
            self._call(self._roll_back)
        except (exception.UnexpectedTaskStateError,
                exception.InstanceNotFound):
            # It stores the instance before it touches a host.
            self._leave()
        return True

    def _move(self, decision, search, waited):
        ends_itself = search.source.presence == guest_location.PAUSED
        if ends_itself and not waited:
            return False
        self._say(decision, search)
        self._correct_fault(decision, search)
        try:
            if ends_itself:
                LOG.info(ENDING, self.dest, instance=self.instance)
                self.manager.driver.power_off(self.instance)
            migration_record.forget(self.instance)
            self._call(self.manager._post_live_migration)
        except Exception as error:
            self._park_unfinished(error)
        return True

    def _shell(self, decision, search, waited):
        if waited:
            self._remove_shell()
        return False

    def _both(self, decision, search, waited):
        # Stored first: once one of them is suspended, nothing else tells the
        # copy from an empty domain that waits for its guest.
        migration_record.set_two_copies(self.instance)
        if not self._park(decision, search):
            return True
        try:
            self.manager.driver.guest_finder.suspend(self.instance, self.dest)
        except Exception as error:
            self.urgent = True
            LOG.critical(NOT_SUSPENDED, {'dest': self.dest, 'error': error,
                                         'uuid': self.attempt.uuid},
                         instance=self.instance)
        else:
            LOG.warning(SUSPENDED, self.dest, instance=self.instance)
        return True

    def _call(self, method):
        """Call one of ComputeManager's methods, which is let through."""
        self._decided.add(self.attempt.uuid)
        try:
            method(*self.attempt.arguments)
        finally:
            self._decided.discard(self.attempt.uuid)

    def _remove_shell(self):
        LOG.info(REMOVING, self.dest, instance=self.instance)
        # No migrate_data: with it the destination deletes the folder of an
        # instance whose storage both hosts share.
        self.manager.compute_rpcapi.rollback_live_migration_at_destination(
            self.context, self.instance, self.dest, destroy_disks=False,
            migrate_data={})

    # Parking, and what is told to people.

    def _park(self, decision, search):
        """Park the instance for want of a decision.

        :returns: bool, False where the record belongs to somebody else now
        """
        why = '%s: %s/%s' % (decision.name, search.source.presence,
                             search.destination.presence)
        known = self._is_parked(why)
        if not self._store_parked(why):
            return False
        if not known:
            self._say(decision, search, parked=True)
        self._correct_fault(decision, search, always=not known)
        return True

    def _park_unfinished(self, error):
        why = 'not finished'
        if not self._is_ours() or self._is_parked(why):
            return
        if self._store_parked(why):
            text = FAILED % {'dest': self.dest, 'error': error,
                             'parked': PARKED}
            LOG.error(text, instance=self.instance, exc_info=True)
            self._add_fault(text)

    def _is_parked(self, why):
        return (self.instance.vm_state == vm_states.ERROR and
                migration_record.why(self.instance) == why)

    def _store_parked(self, why):
        migration_record.set_why(self.instance, why)
        self.instance.vm_state = vm_states.ERROR
        try:
            self.instance.save(expected_task_state=[task_states.MIGRATING])
        except (exception.UnexpectedTaskStateError,
                exception.InstanceNotFound):
            self._leave()
            return False
        return True

    def _say(self, decision, search, parked=False):
        presences = (decision.name, search.source.presence,
                     search.destination.presence, parked)
        if self._memory.said == presences:
            return
        self._memory.said = presences
        level = 'error' if parked else decision.level
        getattr(LOG, level)(self._sentence(decision, search, parked),
                            instance=self.instance)

    def _sentence(self, decision, search, parked=False):
        return (SEEN % {'host': self.manager.host,
                        'dest': self.dest or NOWHERE_KNOWN,
                        'source': search.source,
                        'destination': search.destination,
                        'parked': PARKED if parked else '',
                        'does': decision.does,
                        'human': decision.human}).strip()

    def _correct_fault(self, decision, search, always=False):
        """Let the newest fault of the instance say what is true.

        A destination that was asked over RPC and refused has stored its
        refusal as one.
        """
        if always or search.refused:
            self._add_fault(FAULT % {
                'host': self.manager.host,
                'dest': self.dest or NOWHERE_KNOWN,
                'source': search.source.presence,
                'destination': search.destination.presence,
                'does': decision.does, 'human': decision.human})

    def _add_fault(self, text):
        compute_utils.add_instance_fault_from_exc(
            self.context, self.instance,
            exception.MigrationError(reason=text))
