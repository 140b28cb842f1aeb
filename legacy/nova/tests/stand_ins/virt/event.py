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

"""Lifecycle events as they are once the series is in."""

EVENT_LIFECYCLE_STARTED = 0
EVENT_LIFECYCLE_STOPPED = 1
EVENT_LIFECYCLE_PAUSED = 2
EVENT_LIFECYCLE_RESUMED = 3

REASON_MIGRATION = 'migration'


class LifecycleEvent(object):
    def __init__(self, uuid, transition, timestamp=None, reason=None):
        self._uuid = uuid
        self._transition = transition
        self.reason = reason

    def get_instance_uuid(self):
        return self._uuid

    def get_transition(self):
        return self._transition
