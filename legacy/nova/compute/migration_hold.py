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

"""Hold on to the record of an instance that migrates, as long as it is ours.

A user or another service may change or delete it at any time. Then it is left
to whoever did that.
"""

from nova.compute import migration_notice
from nova.compute import migration_record
from nova.compute import task_states
from nova.compute import vm_states
from nova import exception


class Hold(object):
    """The record of one instance; used under the instance's lock.

    :param instance: nova.objects.Instance
    :param host: str, name of the source host
    :param notice: migration_notice.Notice
    :param may_act: callable without arguments; bool, whether nobody else
        works on the instance
    :param owned: bool, the migration was made by this process, and is ended
        by nobody else
    """

    def __init__(self, instance, host, notice, may_act, owned):
        self._instance = instance
        self._host = host
        self._notice = notice
        self._may_act = may_act
        self._owned = owned

    def renew(self):
        """Read the record anew, and tell whether there is something to do.

        :returns: bool
        """
        try:
            self._instance.refresh()
        except exception.InstanceNotFound:
            self._notice.gone()
            return False
        if not self._may_act():
            return False
        if self._instance.host == self._host:
            if self._instance.task_state == task_states.MIGRATING:
                return True
            if self._instance.task_state is None and self._owned:
                return self._take_back()
        self._notice.left_alone()
        return False

    def _take_back(self):
        """Undo a reset-state in the middle of the migration.

        Its guest may be anywhere, and a user could start a second copy.
        """
        self._notice.say('warning', migration_notice.TAKEN_BACK)
        self._instance.task_state = task_states.MIGRATING
        return self.save(None)

    def save(self, task):
        """Store the instance; tell whether it was still to be stored.

        :param task: str or None, its task as long as nobody else has begun
            something
        :returns: bool
        """
        try:
            self._instance.save(expected_task_state=[task])
        except (exception.UnexpectedTaskStateError,
                exception.InstanceNotFound):
            self._notice.left_alone()
            return False
        return True

    def is_parked(self, why):
        """Tell whether the instance is parked for a reason.

        :param why: str
        :returns: bool
        """
        return (self._instance.vm_state == vm_states.ERROR and
                migration_record.why(self._instance) == why)

    def park(self, why):
        """Park the instance; tell whether it was still ours.

        :param why: str
        :returns: bool
        """
        state = self._instance.vm_state
        if state == vm_states.ERROR:
            state = (migration_record.unparked_state(self._instance) or
                     vm_states.ACTIVE)
        migration_record.set_why(self._instance, why, state)
        self._instance.vm_state = vm_states.ERROR
        return self.save(task_states.MIGRATING)

    def free(self):
        """Drop all that is remembered; what was parked is so no longer.

        The record is stored by what comes next.
        """
        if self._instance.vm_state == vm_states.ERROR:
            self._instance.vm_state = (
                migration_record.unparked_state(self._instance) or
                vm_states.ACTIVE)
        migration_record.forget(self._instance)
