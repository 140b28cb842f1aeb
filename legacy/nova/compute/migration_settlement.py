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

from oslo_utils import excutils

from nova.compute import guest_location
from nova.compute import guest_search
from nova.compute import migration_hold
from nova.compute import migration_notice
from nova.compute import migration_record
from nova.compute import power_state
from nova.compute import task_states
from nova.compute import vm_states
from nova import exception
from nova import utils

# Seconds between the first two looks; every further pause is twice as long.
FIRST_PAUSE = 1
LONGEST_PAUSE = 15

# Seconds after which an answer that was not sure is, if it is given again.
SURE_AFTER = 5

_POWER_STATES = {
    guest_location.RUNNING: power_state.RUNNING,
    guest_location.PAUSED: power_state.PAUSED,
    guest_location.ABSENT: power_state.SHUTDOWN,
}


class Memory(object):
    """What is known of one instance from one look to the next.

    :ivar said: what was last said of it: nothing is said twice
    :ivar unsure_since: float, time of the first of the answers in a row that
        were not sure; None where the last one was
    :ivar posted: bool, all that the source has to do to finish is done, and
        the destination was told to do the rest
    """

    def __init__(self):
        self.said = None
        self.unsure_since = None
        self.posted = False


class Settlement(object):
    """Looks for the guest of one migration and acts on what it sees.

    :param manager: ComputeManager of the source host
    :param attempt: migration_attempt.Attempt
    :param memory: Memory of the instance
    :param may_act: see migration_hold.Hold
    :param owned: see migration_hold.Hold
    """

    def __init__(self, manager, attempt, memory, may_act, owned=False):
        self.manager = manager
        self.attempt = attempt
        self.context = attempt.context
        self.instance = attempt.instance
        self.dest = attempt.dest
        self._looks_soon = False
        self._memory = memory
        self._notice = migration_notice.Notice(manager, attempt, memory)
        self._hold = migration_hold.Hold(
            self.instance, manager.host, self._notice, may_act, owned)
        self._stayed = None
        self._rolls_back = False
        self._act = {
            guest_location.ROLL_BACK: self._stay,
            guest_location.STAYED_PAUSED: self._stay,
            guest_location.NOWHERE: self._stay,
            guest_location.FINISH: self._move,
            guest_location.MOVED_PAUSED: self._move,
            guest_location.LEFTOVER: self._end_leftover,
            guest_location.SHELL: self._shell,
            guest_location.BOTH: self._both,
        }

    @property
    def news(self):
        """Whether it is worth to look again soon, bool."""
        return self._looks_soon or self._notice.news

    def never_left(self):
        """The driver was not called yet: there is nothing to ask elsewhere.

        A migration that cannot be prepared, since its destination is down for
        instance, is rolled back as ever.
        """
        self._stayed = guest_location.Sighting(
            guest_location.ABSENT, migration_notice.NEVER_LEFT)

    def run(self, patience, park=True):
        """Look until something is decided, for a bounded time.

        :param patience: int, seconds; 0 looks once
        :param park: bool, park the instance if nothing can be decided
        :returns: bool, nothing is left to decide
        """
        ends = time.time() + patience
        pause = FIRST_PAUSE
        # A single look that parks nothing is the first after a restart.
        waited = park and patience == 0
        while True:
            left = ends - time.time()
            last = left <= 0
            settled = self._look_safely(last, park, waited)
            if settled or last:
                return settled
            time.sleep(max(0, min(pause, left)))
            pause = min(2 * pause, LONGEST_PAUSE)
            waited = time.time() > ends - patience / 2.0

    def finish(self):
        """Finish forward, and park the instance if that fails.

        For a migration that libvirt has ended well: no look is needed.

        :raises: what _post_live_migration raises
        """
        if not self._locked(self._hold.renew):
            return
        try:
            self._post()
        except Exception as error:
            with excutils.save_and_reraise_exception():
                self._locked(self._park_unfinished, error)

    def _look_safely(self, last, park, waited):
        """Look once; an error ends nothing as long as there is time left.

        The database or the message bus may be away for a moment, too. What
        a rollback raises on its way is its caller's, as it always was.
        """
        try:
            return self._locked(self._look_and_act, last and park, waited)
        except Exception as error:
            if last or self._rolls_back:
                raise
            self._notice.say('warning', migration_notice.LOOK_AGAIN,
                             error=error)
            return False

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
        if not self._hold.renew():
            return True
        if not self.dest:
            return self._without_record(park)
        search = self._search()
        decision = self._decide(search)
        act = self._act.get(decision)
        if act is not None and act(decision, search, waited):
            return True
        if decision is guest_location.MOVING:
            self._looks_soon = True
        if park and decision is not guest_location.MOVING:
            self._park(decision, search)
        else:
            self._notice.seen(decision, search)
            self._notice.correct_fault(decision, search)
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
            return guest_location.UNSURE
        return decision

    def _search(self):
        if self._stayed is not None:
            return guest_search.Search(
                self.manager.driver.guest_finder.look(self.instance),
                self._stayed)
        return guest_search.look(
            self.manager, self.context, self.instance, self.dest,
            self.attempt.address,
            migration_record.has_two_copies(self.instance))

    def _without_record(self, park):
        """Look at an instance of which nothing is remembered.

        Its migration has never reached this process: the conductor has given
        up, or nova-compute was upgraded in the middle.
        """
        source = self.manager.driver.guest_finder.look(self.instance)
        if self.attempt.never_left or (
                source.presence == guest_location.RUNNING and
                not source.moving):
            self._notice.say('warning', migration_notice.NEVER_BEGAN)
            self.instance.task_state = None
            self.instance.vm_state = vm_states.ACTIVE
            self._hold.save(task_states.MIGRATING)
            return True
        search = guest_search.Search(source, guest_location.Sighting(
            guest_location.UNKNOWN, 'nobody knows which host to ask'))
        if park and not source.moving:
            self._park(guest_location.UNRECORDED, search)
        return False

    # What follows from a decision. Each answers whether all is done.

    def _stay(self, decision, search, waited):
        self._notice.seen(decision, search)
        self._notice.correct_fault(decision, search,
                                   always=self._stayed is None)
        if search.refused:
            # It does not run there, but whether anything is left is unknown.
            self._remove_shell()
        two_copies = migration_record.has_two_copies(self.instance)
        self._hold.free()
        keeps_disks = self.attempt.copies_disks and (
            two_copies or self._may_have_run_there(decision))
        self.instance.power_state = _POWER_STATES[search.source.presence]
        self.instance.progress = 0
        self._rolls_back = True
        try:
            self.attempt.roll_back(self.manager, keeps_disks)
        except (exception.UnexpectedTaskStateError,
                exception.InstanceNotFound):
            # Somebody else has changed the record meanwhile: it is read anew.
            self._hold.renew()
            return True
        except Exception:
            with excutils.save_and_reraise_exception():
                self._stop_if_nowhere(decision)
        self._stop_if_nowhere(decision)
        if keeps_disks:
            self._notice.say('warning', migration_notice.DISKS_KEPT)
        return True

    def _may_have_run_there(self, decision):
        """Tell whether the guest may have run on the destination, and ended.

        What it has written there is on no disk of the source's.
        """
        if self._stayed is not None:
            return False
        return (decision is guest_location.NOWHERE or
                # Paused by the switch-over, and not by its user.
                decision is guest_location.STAYED_PAUSED and
                self.instance.vm_state != vm_states.PAUSED)

    def _stop_if_nowhere(self, decision):
        """Record that the guest is stopped, which a rollback never does.

        The power state alone would not last: the periodic sync of them takes
        a guest without a definition for one that cannot be asked.
        """
        if (decision is guest_location.NOWHERE and
                self.instance.task_state is None):
            self.instance.vm_state = vm_states.STOPPED
            self._hold.save(None)

    def _end_leftover(self, decision, search, waited):
        if not waited:
            return False
        self._notice.say('info', migration_notice.ENDING)
        return self._move(decision, search, waited)

    def _move(self, decision, search, waited):
        self._notice.seen(decision, search)
        self._notice.correct_fault(decision, search)
        if not self.attempt.can_finish(self.manager):
            # The periodic task does it.
            self._looks_soon = True
            return True
        try:
            # Also a definition without a guest: it could be started.
            self.manager.driver.guest_finder.end_paused(self.instance)
            self._post()
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
        ours = True
        try:
            ours = self._park(decision, search)
        finally:
            # Also where it could not be stored: both write to the disks.
            if ours:
                self._suspend_copy()
        return True

    def _suspend_copy(self):
        self._looks_soon = True
        try:
            self.manager.driver.guest_finder.suspend(self.instance,
                                                     self.attempt.address)
        except Exception as error:
            self._notice.say('critical', migration_notice.NOT_SUSPENDED,
                             error=error)
        else:
            self._notice.say('warning', migration_notice.SUSPENDED)

    def _post(self):
        """Have the source's part done, once, and the destination's."""
        # Dropped from the record by the destination, which stores what it is
        # sent when it takes the instance over.
        self._hold.free()
        self.instance.progress = 0
        if self._memory.posted:
            self.attempt.finish_at_destination(self.manager)
            return
        self.attempt.finish(self.manager)
        self._memory.posted = True

    def _remove_shell(self):
        # Said once it is done: whether it can be is the attempt's to know.
        self._notice.say(*(
            ('info', migration_notice.REMOVING)
            if self.attempt.remove_shell(self.manager)
            else ('warning', migration_notice.NOT_REMOVED)))

    # Parking, and what is told to people.

    def _park(self, decision, search):
        """Park the instance for want of a decision.

        :returns: bool, False where the record belongs to somebody else now
        """
        why = '%s: %s/%s' % (decision.name, search.source.presence,
                             search.destination.presence)
        known = self._hold.is_parked(why)
        self.attempt.remember_address()
        if not self._hold.park(why):
            return False
        if not known:
            self._notice.seen(decision, search, parked=True)
        self._notice.correct_fault(decision, search, always=not known)
        return True

    def _park_unfinished(self, error):
        why = 'not finished'
        if not self._hold.renew():
            self._notice.say('error', migration_notice.FINISH_FAILED,
                             error=error, exc_info=True)
            if self.instance.host == self.dest:
                self.attempt.end_in_error(self.manager)
        elif not self._hold.is_parked(why) and self._hold.park(why):
            self._notice.unfinished(error)
