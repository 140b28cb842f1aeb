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
"""Writes down, as a run goes on, what the guest, libvirt and Nova do."""

import threading
import time

from keeptrack.drill import errors
from keeptrack.drill import verdict

# seconds between two readings of Nova's record
POLL = 0.05


class Witness(object):
    """Sees what happens in one run, and tells the time line.

    :param timeline: the run's timeline.Timeline
    :param read_record: gives Nova's record of the instance (dict)
    :param parks: the tree looks at parked instances again (bool)

    :ivar record: the record as it was read last (dict), or None
    """

    def __init__(self, timeline, read_record, parks):
        self.record = None
        self._timeline = timeline
        self._read_record = read_record
        self._parks = parks
        self._parked = []
        self._failure = None
        self._stopped = threading.Event()
        self._poller = threading.Thread(target=self._poll, daemon=True)

    def start(self):
        """Begin to read the record."""
        self._poller.start()

    def stop(self):
        """Read the record no more."""
        self._stopped.set()
        self._poller.join()

    def check(self):
        """Raise a LabError if the record could not be read."""
        if self._failure is not None:
            raise errors.LabError("Nova's record of the instance cannot be "
                                  'read: %r' % self._failure)

    # callbacks of the lab

    def on_guest(self, when, role, state, why):
        """A guest's state has changed on a host."""
        self._timeline.note(role, 'guest', state, why or state, when=when)

    def on_daemon(self, when, role, state):
        """A host's libvirtd has another state."""
        self._timeline.note(role, 'daemon', state,
                            'libvirtd is %s' % state, when=when)

    def on_job(self, when, role, status):
        """QEMU's migration has another status."""
        self._timeline.note(role, 'job', status, 'migration: %s' % status,
                            when=when)

    # Nova's record

    def _poll(self):
        try:
            while not self._stopped.wait(POLL):
                self._take(self._read_record())
        except Exception as exc:
            # for check(): a record that nobody reads looks quiet
            self._failure = exc

    def _take(self, record):
        if record == self.record:
            return
        now = time.time()
        self._note_parking(record, now)
        self.record = record
        self._timeline.note('drill', 'record', 'record', ', '.join(
            '%s %s' % (name, record[name]) for name in
            ('host', 'vm_state', 'task_state', 'power_state')) + ''.join(
                '; %s: %s' % (name, record[name])
                for name in ('migration', 'fault') if record.get(name)),
            record, when=now)

    def is_parked(self, record):
        """Tell whether a record is that of a parked instance (bool)."""
        return self._parks and verdict.is_parked(record)

    def _note_parking(self, record, now):
        was = self.record is not None and self.is_parked(self.record)
        if self.is_parked(record) and not was:
            self._parked.append([now, None])
        elif was and not self.is_parked(record):
            self._parked[-1][1] = now

    def parked(self, now):
        """How long the instance was parked, in all.

        :param now: the time, where it still is (seconds since the epoch)
        :returns: seconds (float), or None where it never was
        """
        if not self._parked:
            return None
        return sum((ends or now) - begins for begins, ends in self._parked)

    def freed(self):
        """Tell when the instance was freed last.

        :returns: seconds since the epoch (float), or None where it was never
            parked, or still is
        """
        return self._parked[-1][1] if self._parked else None
