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

"""The lifecycle events of a host's libvirt, as they happen."""

import re
import subprocess
import threading

_LINE = re.compile(r"event 'lifecycle' for domain '([^']*)': (.*)")

# what virsh calls the moments of a migration
SWITCH = ('host1', 'Suspended Migrated')
RUNS_THERE = ('host2', 'Resumed Migrated')
ENDED = ('host1', 'Stopped Migrated')


class Events:
    """Watches the libvirt of each host; a restart of libvirtd is noticed.

    :param nodes: dict of host to node.Node
    :param report: called with a host and the event (str, str)
    """

    def __init__(self, nodes, report):
        self._nodes = nodes
        self._report = report
        self._wanted = []
        self._watchers = {}
        self._lock = threading.Lock()

    def watch(self):
        """Watch the hosts that are not watched now."""
        for name, node in self._nodes.items():
            watcher = self._watchers.get(name)
            if watcher is None or watcher.poll() is not None:
                self._watchers[name] = process = node.popen(
                    ['virsh', 'event', '--all', '--loop'],
                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                    text=True)
                threading.Thread(target=self._read, args=(name, process),
                                 daemon=True).start()

    def _read(self, host, process):
        for line in process.stdout:
            found = _LINE.search(line)
            if found:
                self._tell(host, found.group(2).strip())

    def _tell(self, host, event):
        with self._lock:
            due = [each for each in self._wanted if each[0] == (host, event)]
            self._wanted = [each for each in self._wanted if each not in due]
        # act first: the moment passes
        for _, act, done in due:
            act()
            done.set()
        self._report(host, event)

    def when(self, moment, act):
        """Do something once, at a moment.

        :param moment: a host and an event (tuple of str)
        :param act: called without arguments
        :returns: a threading.Event that is set when it is done
        """
        done = threading.Event()
        with self._lock:
            self._wanted.append((moment, act, done))
        return done

    def forget(self):
        """Forget what has not happened yet."""
        with self._lock:
            self._wanted = []

    def close(self):
        """Stop watching."""
        for process in self._watchers.values():
            process.kill()
            process.wait()
