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
"""What happens when: the runs of a campaign, and each run's share of chance.

Everything random comes from seeds, so that a seed gives the same fault at the
same moment to every tree.
"""

import dataclasses
import random
import zlib

from keeptrack.drill import faults as faults_mod


@dataclasses.dataclass(frozen=True)
class Draw:
    """One run's share of chance.

    :ivar fault: the faults.Fault
    :ivar seed: what it was drawn from (str)
    :ivar moment: one of faults.MOMENTS
    :ivar delay: seconds from the moment to the fault (float); below 0 it is
        counted from the expected end of the copy
    :ivar lasts: faults.NEVER, SETTLED or seconds (float)
    :ivar shared: both hosts share the instances' folder (bool)
    :ivar resumes: resume_guests_state_on_host_boot (bool)
    """

    fault: faults_mod.Fault
    seed: str
    moment: str
    delay: float
    lasts: object
    shared: bool
    resumes: bool


def draw(fault, number, generator, seed):
    """Draw the moment and the rest of one run.

    The moments take turns; with them the shared folder does, so that every
    moment is seen with and without one.  Where that begins is another place
    for every fault: one run of each is no run of one moment.

    :param fault: a faults.Fault
    :param number: the run's, from 0 (int)
    :param generator: a random.Random of this run
    :param seed: what it was made from (str)
    :returns: a Draw
    """
    number += zlib.crc32(fault.name.encode())
    moment = fault.moments[number % len(fault.moments)]
    lasts = fault.lasts
    if isinstance(lasts, tuple):
        lasts = generator.uniform(*lasts)
    return Draw(fault, seed, moment,
                generator.uniform(*fault.delays(moment)), lasts,
                number // len(fault.moments) % 2 == 1,
                fault.resumes and generator.random() < 0.5)


@dataclasses.dataclass
class Plan:
    """What is to be run.

    :ivar trees: list of drilled_trees.DrilledTree
    :ivar faults: list of faults.Fault
    :ivar runs: of each fault on each tree (int)
    :ivar seed: of all that is random (str)
    :ivar testbeds: how many at a time (int)
    :ivar storages: keys of storage.KINDS (tuple of str)
    :ivar tree_by_tree: all runs of a tree before those of the next (bool)
    """

    trees: list
    faults: list
    runs: int
    seed: str
    testbeds: int
    storages: tuple = ('none',)
    tree_by_tree: bool = False

    def tasks(self):
        """All runs: tuples of tree, draw and storage (list).

        Run by run, so that what an interrupted drill has done is balanced;
        a run's chance is the same on every tree and storage.
        """
        tasks = []
        for number in range(self.runs):
            for fault in self.faults:
                seed = '%s/%s/%d' % (self.seed, fault.name, number)
                drawn = draw(fault, number, random.Random(seed), seed)
                tasks += [(tree, drawn, storage)
                          for storage in self.storages
                          for tree in self.trees]
        if self.tree_by_tree:
            tasks.sort(key=lambda task: self.trees.index(task[0]))
        return tasks
