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

"""What people are told of a live migration in doubt.

One line says where the guest is, how that is known, what Nova does, and what
a human should do; none is said again while nothing has changed.
"""

from oslo_log import log as logging

from nova.compute import utils as compute_utils
from nova import exception

LOG = logging.getLogger(__name__)

SEEN = ('Live migration to %(dest)s: the guest is on %(host)s: '
        '%(source)s; on %(dest)s: %(destination)s. %(parked)s%(does)s '
        '%(human)s')
PARKED = 'The instance is parked (vm_state error, task_state migrating). '
NEVER_LEFT = 'libvirt was not asked yet to migrate'
GONE = ('Live migration to %(dest)s in doubt, but the instance was deleted '
        'meanwhile: Nova leaves both hosts alone. If its guest runs on '
        '%(dest)s, nova-compute there deals with it '
        '(running_deleted_instance_action).')
CHANGED = ('Live migration to %(dest)s in doubt, but the instance was changed '
           'meanwhile (host: %(now_on)s, task_state: %(task)s): Nova leaves '
           'it to whoever did that.')
TAKEN_BACK = ('The task of this instance was reset in the middle of its live '
              'migration to %(dest)s, which has not ended. Nova sets it to '
              'migrating again until it knows where the guest is.')
NEVER_BEGAN = ('The instance was migrating, but nova-compute was never asked '
               'to migrate it, and its guest runs here: Nova clears the task.')
LOOK_AGAIN = ('Looking for the guest of a live migration has failed; Nova '
              'looks again: %(error)s')
ENDING = ('Nova ends the paused copy of the guest on this host and removes '
          'its definition; the guest runs on %(dest)s.')
REMOVING = ('Nova asks %(dest)s to remove the empty domain that the live '
            'migration has left there; disks are not touched.')
NOT_REMOVED = ('An empty domain may be left on %(dest)s. It is not removed: '
               'with upgrade_levels below 3.32 the destination would delete '
               'disks. Destroy the domain (virsh destroy %(uuid)s) if it is '
               'paused there.')
DISKS_KEPT = ('The disks that the live migration has copied to %(dest)s are '
              'kept there: the guest may have run on %(dest)s, and then they '
              'are newer than those on this host. Compare them before the '
              'guest is started, then delete the older ones.')
SUSPENDED = 'The copy of the guest on %(dest)s is suspended.'
NOT_SUSPENDED = ('TWO COPIES OF ONE GUEST MAY WRITE TO ONE DISK. The one on '
                 '%(dest)s could not be suspended: %(error)s. Suspend it '
                 'there at once (virsh suspend %(uuid)s).')
UNFINISHED = ('The guest has moved to %(dest)s, but finishing its live '
              'migration has failed: %(error)s. ' + PARKED +
              'Nova tries again.')
FINISH_FAILED = ('Finishing the live migration to %(dest)s has failed: '
                 '%(error)s')

# In faults, which users see: no names of hosts, and 255 characters at most.
UNFINISHED_FAULT = ('The guest has moved, but its live migration could not '
                    'be finished: Nova tries again.')
CALL_HUMAN = ' An administrator has to look at it.'


class Notice(object):
    """Tells people of one live migration.

    :param manager: ComputeManager of the source host
    :param attempt: migration_attempt.Attempt
    :param memory: migration_settlement.Memory of the instance

    :ivar news: bool, something was seen that was not seen the last time
    """

    def __init__(self, manager, attempt, memory):
        self.news = False
        self._host = manager.host
        self._context = attempt.context
        self._instance = attempt.instance
        self._names = {'dest': attempt.dest or 'an unknown host',
                       'uuid': attempt.uuid}
        self._memory = memory

    def say(self, level, text, error=None, **kwargs):
        """Log one of the texts of this module.

        :param level: str, the name of a method of a logger
        :param text: str, with names in it
        :param error: exception, or None
        :param kwargs: what else the logger takes
        """
        getattr(LOG, level)(text, dict(self._names, error=error),
                            instance=self._instance, **kwargs)

    def seen(self, decision, search, parked=False):
        """Tell what a look has shown and what follows, unless it is old.

        :param decision: guest_location.Decision
        :param search: guest_search.Search
        :param parked: bool, the instance was parked for it
        """
        said = (decision.name, search.source.presence,
                search.destination.presence, parked)
        if self._memory.said == said:
            return
        self._memory.said = said
        self.news = True
        text = SEEN % dict(self._names, host=self._host,
                           source=search.source,
                           destination=search.destination,
                           parked=PARKED if parked else '',
                           does=decision.does, human=decision.human)
        getattr(LOG, 'error' if parked else decision.level)(
            text.strip(), instance=self._instance)

    def gone(self):
        """Tell that the instance was deleted."""
        self.say('warning', GONE)

    def left_alone(self):
        """Tell that somebody else has the instance now."""
        LOG.warning(CHANGED, dict(self._names, now_on=self._instance.host,
                                  task=self._instance.task_state),
                    instance=self._instance)

    def unfinished(self, error):
        """Tell that the instance is parked since finishing has failed.

        :param error: exception, the one that is being handled
        """
        self.say('error', UNFINISHED, error=error, exc_info=True)
        self._add_fault(UNFINISHED_FAULT)

    def correct_fault(self, decision, search, always=False):
        """Let the newest fault of the instance say what is true.

        A destination that was asked over RPC and refused has stored its
        refusal as one.

        :param decision: guest_location.Decision
        :param search: guest_search.Search
        :param always: bool, also where nobody has refused
        """
        if always or search.refused:
            self._add_fault(decision.does +
                            (CALL_HUMAN if decision.human else ''))

    def _add_fault(self, text):
        compute_utils.add_instance_fault_from_exc(
            self._context, self._instance,
            exception.MigrationError(reason=text))
