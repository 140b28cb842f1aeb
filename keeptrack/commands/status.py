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

"""keeptrack status."""

from cliff import show

from keeptrack.commands import common
from keeptrack import parts


class Status(show.ShowOne):
    """Show which target a tree is, and which parts of the fix it has.

    The parts: loop (the pointless wait after a migration is gone), monitor
    (the migration job is watched), events (a stop that migration caused
    changes no state), guard (the guest is looked for before a rollback),
    start (the guest is looked for when nova-compute starts).
    """

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        common.add_tree(parser, 'to look at')
        return parser

    def take_action(self, parsed_args):
        with common.chosen_tree(self.app_args, parsed_args) as nova:
            found = nova.parts()
            target = common.find_target(self.app_args, nova)
            row = {
                'tree': (str(nova.path) if parsed_args.tree else
                         nova.path.name),
                'target': target.name if target else None,
                'release': nova.release(),
                'has': common.Words(['%s (%s)' % pair
                                     for pair in found.items()]),
                'missing': common.Words(parts.missing(found)),
                'vulnerable': parts.vulnerable(found),
            }
        return tuple(row), tuple(row.values())
