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

"""keeptrack cloud drill: break live migrations in the cloud."""

import pathlib

from cliff import lister

from keeptrack.cli import common
from keeptrack.cloud import campaign
from keeptrack.cloud import cloud
from keeptrack.cloud import errors
from keeptrack.cloud import faults
from keeptrack.cloud import places as places_mod
from keeptrack.cloud import report

_DESCRIPTION = '''\
Break live migrations in the cloud, and ask everybody where the guest is.

The cloud has to be up. Each run boots a server on host1 by Nova's API, has it
live-migrated to host2, injects a fault and repairs it. Nova then has a minute
and a half: Nova's API, placement, Neutron, libvirt, QEMU and the disks of both
hosts are compared, and the writes that the guest has reported with what is on
its disk. Patched and stock Nova stand side by side.

Exit status: 0 when nothing was wrong with the first Nova, 1 when something
was or a run was not possible, 2 when the drill could not be run.
'''


class Drill(lister.Lister):
    __doc__ = _DESCRIPTION

    _status = 0

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--list', action='store_true', help='list the faults, run none')
        parser.add_argument(
            '--fault', metavar='F', action='append',
            help='this fault only; can be given again')
        parser.add_argument(
            '--nova', choices=places_mod.NOVAS, action='append',
            help='this Nova only (default: patched, then stock)')
        parser.add_argument(
            '--runs', metavar='N', type=int, default=1,
            help='of each fault on each Nova (default: %(default)s)')
        parser.add_argument(
            '--keep', action='store_true',
            help='with one --fault and one --nova: leave the server as it is '
                 'in the end, to look at; the next drill removes it')
        parser.add_argument(
            '--output', metavar='FOLDER', default='keeptrack-cloud-drill',
            help='a new folder for results.json and, for every run, its '
                 'history and the logs of nova-compute (default: '
                 './%(default)s)')
        parser.add_argument(
            '--from', metavar='FILE', dest='results', action='append',
            help='run nothing, report on such a results.json; can be given '
                 'again')
        return parser

    def run(self, parsed_args):
        return super().run(parsed_args) or self._status

    def take_action(self, parsed_args):
        if parsed_args.list:
            return ('Fault', 'What happens'), [
                (fault.name, fault.title) for fault in faults.FAULTS]
        if parsed_args.results:
            results = [result for name in parsed_args.results
                       for result in report.load(pathlib.Path(name))]
        else:
            results = self._drill(parsed_args)
        first = results[0]['nova'] if results else None
        if any(result['wrong'] or result['not_run'] for result in results
               if result['nova'] == first):
            self._status = 1
        return report.rows(results)

    def _drill(self, args):
        chosen = self._faults(args.fault)
        if args.runs < 1:
            raise errors.CloudError('--runs needs a number from 1 on')
        novas = list(dict.fromkeys(args.nova or places_mod.NOVAS))
        if args.keep and (len(chosen), len(novas), args.runs) != (1, 1, 1):
            raise errors.CloudError(
                '--keep needs one --fault, one --nova and one run')
        places = places_mod.Places.default()
        found = cloud.Cloud(places, common.report).attach()
        folder = pathlib.Path(args.output).absolute()
        try:
            folder.mkdir(parents=True)
        except OSError as exc:
            raise errors.CloudError(
                f'the folder {folder} cannot be made: {exc.strerror}')
        found.nodes[places_mod.CONTROLLER].enter_network()
        return campaign.Campaign(found, places, folder, common.report,
                                 args.keep).run(chosen, novas, args.runs)

    @staticmethod
    def _faults(names):
        for name in names or ():
            if faults.by_name(name) is None:
                raise errors.CloudError(
                    f'there is no fault {name}: keeptrack cloud drill --list '
                    'lists them')
        return [faults.by_name(name) for name in dict.fromkeys(
            names or [fault.name for fault in faults.FAULTS])]
