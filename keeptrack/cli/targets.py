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

"""keeptrack targets."""

from keeptrack.cli import common
from keeptrack.cli import lister
from keeptrack.series import series


class Targets(lister.Lister):
    """List the targets: the releases of Nova that have patches."""

    column_help = (
        ('Name', 'what --target and --release take, and the folder in '
                 'patches/'),
        ('Releases', 'the releases of Nova that the patches are tested on'),
        ('Patches', 'number of patches in the series'),
        ('Python', "the version that runs the target's tests; a later "
                   'Python 3 does, too'),
    )

    def take_action(self, parsed_args):
        return (('Name', 'Releases', 'Patches', 'Python'),
                [(target.name, lister.Words(target.proved_releases()),
                  len(series.names(target)), target.python)
                 for target in common.all_targets(self.app_args)])
