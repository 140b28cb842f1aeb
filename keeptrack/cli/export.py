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

"""keeptrack export."""

import pathlib

from cliff import command

from keeptrack.cli import common
from keeptrack.cli import lister
from keeptrack import errors
from keeptrack.series import packagers
from keeptrack.series import targets


class Export(command.Command):
    """Print the lines that an RPM spec file or debian/patches needs.

    Comments in the output say where each line goes, and which files belong
    beside it. --output also copies the patches, symbolic links as files.
    """

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        lister.keep_paragraphs(parser)
        parser.add_argument(
            '--rpm', action='store_true',
            help='lines for a spec file: PatchNNNN and %%autosetup')
        parser.add_argument(
            '--deb', action='store_true',
            help='lines for debian/patches/series')
        parser.add_argument(
            '--target', metavar='T',
            help='a target, as keeptrack targets lists it (default: the '
                 'newest)')
        parser.add_argument(
            '--first', metavar='N', type=int,
            help='with --rpm: the number of the first patch (default 1)')
        parser.add_argument(
            '--output', metavar='FOLDER',
            help='copy the patches to this folder, all of them or none; '
                 'nothing is overwritten')
        return parser

    def take_action(self, parsed_args):
        if parsed_args.rpm == parsed_args.deb:
            raise errors.KeeptrackError('choose one: --rpm or --deb')
        if parsed_args.first is not None and parsed_args.deb:
            raise errors.KeeptrackError(
                '--first numbers the patches of a spec file: leave it out '
                'with --deb')
        known = common.all_targets(self.app_args)
        target = (known[0] if parsed_args.target is None else
                  targets.by_name(known, parsed_args.target))
        folder = (pathlib.Path(parsed_args.output)
                  if parsed_args.output is not None else None)
        if parsed_args.rpm:
            first = (packagers.FIRST if parsed_args.first is None
                     else parsed_args.first)
            lines = packagers.rpm(target, first, folder)
        else:
            lines = packagers.deb(target, folder)
        if folder is not None:
            packagers.copy(target, folder)
        self.app.stdout.write('\n'.join(lines) + '\n')
