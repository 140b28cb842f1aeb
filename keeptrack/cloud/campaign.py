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

"""Runs faults in the cloud, on each Nova, and keeps what was found."""

import dataclasses
import json

from keeptrack.cloud import checker
from keeptrack.cloud import errors
from keeptrack.cloud import places as places_mod
from keeptrack.cloud import trial as trial_mod

NOT_RUN = 'not run'


class Campaign:
    """Some faults, some Novas, some runs.

    :param cloud: the cloud.Cloud, attached
    :param places: its places.Places
    :param folder: for results.json and a text of every trial (pathlib.Path)
    :param report: called with a line for everything that happens
    :param keep: leave the last server and its fault's work as they are (bool)
    """

    def __init__(self, cloud, places, folder, report, keep=False):
        self._cloud = cloud
        self._places = places
        self._folder = folder
        self._report = report
        self._keep = keep
        self._results = []

    def run(self, faults, novas, runs):
        """Run all trials; results.json is written after each.

        :param faults: list of faults.Fault
        :param novas: Nova trees: list of str
        :param runs: of each fault on each tree (int)
        :returns: list of dicts: see report.rows
        :raises CloudError: when the cloud cannot be brought back
        """
        self._remove_kept()
        for nova in novas:
            if self._cloud.nova != nova:
                self._report(f'changing to {nova} Nova')
                self._cloud.change_nova(nova)
            for fault in faults:
                for number in range(1, runs + 1):
                    self._report(f'{nova} Nova: {fault.name}, run {number}')
                    self._one(fault, nova, number)
        return self._results

    def _remove_kept(self):
        """Remove what an earlier campaign was told to keep."""
        for uuid in trial_mod.servers():
            self._report(f'removing server {uuid} of an earlier drill')
            trial = trial_mod.Trial(self._cloud, self._places, self._report)
            trial.adopt(uuid)
            trial.clean()

    def _one(self, fault, nova, number):
        offsets = self._log_sizes()
        trial = trial_mod.Trial(self._cloud, self._places, self._report)
        result = {'fault': fault.name, 'nova': nova, 'run': number,
                  'wrong': {}, 'split_brain': False, 'parked': False,
                  'not_run': None}
        try:
            fault.run(trial)
            snapshot, wrong = trial.judge()
            result.update(
                wrong={name: what for name, what in wrong.items() if what},
                split_brain=checker.is_split_brain(snapshot),
                parked=checker.is_parked(snapshot),
                kept=sorted(trial.kept),
                snapshot=dataclasses.asdict(snapshot))
        except errors.CloudError as exc:
            result['not_run'] = str(exc)
        trial.tell(f'wrong: {result["wrong"] or "nothing"}; '
                   f'not run: {result["not_run"] or "no"}')
        result['left'] = [] if self._keep else trial.clean()
        result['seconds'] = trial.history[-1][0]
        self._results.append(result)
        (self._folder / 'results.json').write_text(
            json.dumps(self._results, indent=1))
        self._write(f'{nova}-{fault.name}-{number}.txt', trial, result,
                    offsets)

    def _logs(self):
        return [self._places.log / f'nova-compute-{host}.log'
                for host in places_mod.HOSTS]

    def _log_sizes(self):
        return {path: path.stat().st_size for path in self._logs()}

    def _write(self, name, trial, result, offsets):
        lines = [f'{seconds:8.2f} {text}' for seconds, text in trial.history]
        lines.append(f'left behind: {result["left"] or "nothing"}')
        with open(self._folder / name, 'w') as file:
            file.write('\n'.join(lines) + '\n')
            for path, offset in offsets.items():
                file.write(f'\n{path.name}\n')
                with open(path, errors='replace') as log:
                    log.seek(offset)
                    file.write(log.read())
