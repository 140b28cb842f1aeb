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

"""keeptrack cloud: a small OpenStack on this machine."""

import argparse
import shlex

from cliff import command

from keeptrack.cli import common
from keeptrack.cli import lister
from keeptrack.drill.testbed.cloud import cloud
from keeptrack.drill.testbed.cloud import installation
from keeptrack.drill.testbed.cloud import places as places_mod
from keeptrack.drill.testbed.cloud import settings
from keeptrack.drill.testbed import prerequisites
from keeptrack import errors
from keeptrack.series import nova_release
from keeptrack.series import tree as tree_mod
from keeptrack.verify import verification


def _cloud():
    return cloud.Cloud(places_mod.Places.default(), common.report)


class Install(lister.Lister):
    """Install a cloud: Debian packages, OpenStack from PyPI, both Novas.

    OpenStack goes into a virtualenv in the user's cache folder, beside Nova
    34.0.0 as it was released and the same with the series. Then the databases
    of the first cloud are made, which later ones begin with. What is there
    already is kept. Prints the time that each step has taken.
    """

    column_help = (
        ('Step', 'what was installed or made'),
        ('Seconds', 'how long that took'),
    )

    def take_action(self, parsed_args):
        prerequisites.refuse_other_users()
        places = places_mod.Places.default()
        if _cloud().nova:
            raise errors.KeeptrackError(
                'the cloud is up: run keeptrack cloud down first')
        took = installation.Installation(places, common.report).install(
            self._lay_out)
        if not places.seed.is_dir():
            common.report('making the databases of the first cloud')
            made = _cloud()
            made.make_seed()
            took['databases'] = made.seconds
        return ('Step', 'Seconds'), list(took.items())

    def _lay_out(self, folder):
        with nova_release.unpacked(installation.RELEASE,
                                   common.report) as top:
            nova = tree_mod.Tree(top)
            target, series = common.require_target(self.app_args, nova)
            common.report('applying the series to a copy of it')
            copies = verification.lay_out(nova, target, series, folder)
        return {places_mod.STOCK: copies[verification.BEFORE],
                places_mod.PATCHED: copies[verification.AFTER]}


class Up(command.Command):
    """Bring the cloud up: two hosts, and all services of OpenStack.

    It stays up until keeptrack cloud down. Where it is up already, only Nova
    is restarted, and only if the other one is asked for.
    """

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        defaults = settings.Options()
        parser.add_argument(
            '--nova', choices=places_mod.NOVAS, default=places_mod.PATCHED,
            help='with the series, or as it was released (default: '
                 '%(default)s)')
        parser.add_argument(
            '--bandwidth', metavar='MIB', type=int,
            default=defaults.bandwidth,
            help='of a live migration, in MiB/s (default: %(default)s)')
        parser.add_argument(
            '--power-sync', metavar='S', type=int,
            default=defaults.power_sync,
            help="seconds between two of Nova's power-state syncs (default: "
                 "%(default)s; Nova's own: 600)")
        parser.add_argument(
            '--recovery', metavar='S', type=int, default=defaults.recovery,
            help='seconds between two checks of live migrations that have '
                 'not ended (default: %(default)s)')
        parser.add_argument(
            '--volumes', action='store_true',
            help='with Cinder, whose volumes are in Ceph (default: without '
                 'both)')
        return parser

    def take_action(self, parsed_args):
        common.refuse_below_one(parsed_args, 'bandwidth', 'power_sync',
                                'recovery')
        made = _cloud()
        made.up(parsed_args.nova, settings.Options(
            parsed_args.bandwidth, parsed_args.power_sync,
            parsed_args.recovery, parsed_args.volumes))
        common.report(f'the cloud is up, with {parsed_args.nova} Nova: try '
                      'keeptrack cloud os server list')


class Down(command.Command):
    """End the cloud; nothing of it is left but the installation."""

    def take_action(self, parsed_args):
        was = _cloud().down()
        common.report('the cloud is down' if was else
                      'there was no cloud to end')


class Status(lister.Lister):
    """List the services of the cloud: state, process, memory in MiB.

    Exit status: 0 when all of them are up, 1 when one is not.
    """

    column_help = (
        ('Service', 'the service, with its host where there are two'),
        ('Node', 'where it runs: ctl, host1 or host2'),
        ('State', 'up, or what is wrong'),
        ('Process', 'its process id on this machine'),
        ('MiB', 'memory: its own, and its share of what it shares (PSS)'),
    )

    def take_action(self, parsed_args):
        found = _cloud().attach()
        rows = found.status()
        if any(row[2] != cloud.UP for row in rows):
            self._status = 1
        common.report(f'{found.nova} Nova; {found.memory()} MiB in all')
        return ('Service', 'Node', 'State', 'Process', 'MiB'), rows


class Openrc(command.Command):
    """Print the environment of an administrator's client, for a shell.

    The cloud can be reached only from its own network: keeptrack cloud os
    runs a client there.
    """

    def take_action(self, parsed_args):
        for name, value in settings.openrc().items():
            self.app.stdout.write(f'export {name}={shlex.quote(value)}\n')


class On(command.Command):
    """Run a command on a node: keeptrack cloud on host2 virsh list.

    Its exit status becomes that of keeptrack.
    """

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument('node', metavar='NODE',
                            help=', '.join(places_mod.NODES))
        parser.add_argument('words', metavar='COMMAND',
                            nargs=argparse.REMAINDER,
                            help='and its arguments; sh when there is none')
        return parser

    def take_action(self, parsed_args):
        if parsed_args.node not in places_mod.NODES:
            raise errors.KeeptrackError(
                f'there is no node {parsed_args.node}: take one of ' +
                ', '.join(places_mod.NODES))
        return _cloud().attach().nodes[parsed_args.node].run(
            parsed_args.words or ['sh'], stdin=None).returncode


class Os(command.Command):
    """Run the openstack client as the administrator.

    Everything after "os" is the client's: keeptrack cloud os server list.
    Its exit status becomes that of keeptrack.
    """

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument('words', metavar='ARGS', nargs=argparse.REMAINDER,
                            help='arguments of the openstack client; paths '
                                 'have to be absolute')
        return parser

    def take_action(self, parsed_args):
        return _cloud().attach().client(parsed_args.words)
