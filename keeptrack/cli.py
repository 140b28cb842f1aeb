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

"""The keeptrack command: a cliff application, nothing else."""

import sys

from cliff import app
from cliff import commandmanager
from pbr import version

from keeptrack import signals

# a user's mistake and a tree that cannot be worked on alike
REFUSED = 2


class KeeptrackApp(app.App):
    """Puts the commands of the namespace keeptrack.commands on the line."""

    def __init__(self):
        super().__init__(
            description='Keeps Nova from losing track of a running guest: '
                        'patches for Nova, and the proof that they work.',
            version=version.VersionInfo('keeptrack').release_string(),
            command_manager=commandmanager.CommandManager(
                'keeptrack.commands'),
            deferred_help=True)
        self._failed = False

    def build_option_parser(self, description, version, argparse_kwargs=None):
        # or it would take export --deb for --debug
        parser = super().build_option_parser(
            description, version, dict(argparse_kwargs or {},
                                       allow_abbrev=False))
        parser.add_argument(
            '--patches', metavar='FOLDER',
            help='take the targets from this folder, not those that came '
                 'with keeptrack')
        return parser

    def interact(self):
        # cliff would open a shell; who names no command wants to know them
        self.run(['--help'])

    def run_subcommand(self, argv):
        self._failed = False
        result = super().run_subcommand(argv)
        return REFUSED if self._failed else result

    def clean_up(self, cmd, result, err):
        # cliff has printed the error by now; an interrupt it leaves to us
        self._failed = isinstance(err, Exception)
        if isinstance(err, KeyboardInterrupt):
            self.LOG.error('interrupted: %s',
                           str(err) or 'the tree is as it was')


def main(argv=None):
    """Run the command line.

    :param argv: arguments, by default those of the process (list of str)
    :returns: the exit status (int)
    """
    signals.terminate_like_interrupt()
    return KeeptrackApp().run(sys.argv[1:] if argv is None else argv)


if __name__ == '__main__':
    sys.exit(main())
