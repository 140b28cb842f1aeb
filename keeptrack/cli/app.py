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

"""The keeptrack command line: a cliff application."""

from importlib import metadata
import logging
import sys
import textwrap

from cliff import app
from cliff import commandmanager
from cliff import complete
from pbr import version

from keeptrack import signals

# a user's mistake and a tree that cannot be worked on alike
REFUSED = 2

# what lists the names that an option takes
_NAMES = {
    '--target': 'targets -f value -c Name',
    '--release': 'targets -f value -c Name -c Releases',
    '--fault': 'drill --list -f value -c Fault',
}


class Commands(commandmanager.CommandManager):
    """The commands, each imported when it is run.

    cliff's own manager imports all of them at every start: half a second.
    """

    def load_commands(self, namespace):
        self.group_list.append(namespace)
        for one in metadata.entry_points(group=namespace):
            self.commands[one.name.replace('_', ' ')] = one


class Complete(complete.CompleteCommand):
    """Print a script that lets bash complete commands, options and names.

    Names are those of targets, releases and faults. Load it with
    eval "$(keeptrack complete)" in ~/.bashrc; it needs bash-completion.
    """

    def take_action(self, parsed_args):
        super().take_action(parsed_args)
        if parsed_args.shell != 'bash':
            return
        name = parsed_args.name or self.app.NAME
        cases = '\n'.join('    %s) names=$(%s %s 2>/dev/null);;' % (
            option, name, words) for option, words in _NAMES.items())
        self.app.stdout.write(textwrap.dedent('''\
            _%(function)s_names()
            {
              local names
              case "${COMP_WORDS[COMP_CWORD-1]}" in
            %(cases)s
                *) _%(function)s; return;;
              esac
              COMPREPLY=( $(compgen -W "$names" -- \\
                            "${COMP_WORDS[COMP_CWORD]}") )
            }
            complete -F _%(function)s_names %(name)s
            ''') % {'function': name.replace('-', '_'), 'cases': cases,
                    'name': name})


class KeeptrackApp(app.App):
    """Runs the commands of the entry point group keeptrack.commands."""

    NAME = 'keeptrack'

    def __init__(self):
        super().__init__(
            description='Patches that keep OpenStack Nova from losing track '
                        'of a running guest: apply them to a Nova tree, run '
                        "Nova's tests with them, inject faults, and find "
                        'guests that are already lost.',
            version=version.VersionInfo('keeptrack').release_string(),
            command_manager=Commands('keeptrack.commands'),
            deferred_help=True)
        self.command_manager.add_command('complete', Complete)
        self._failed = False

    def build_option_parser(self, description, version, argparse_kwargs=None):
        # or it would take export --deb for --debug
        parser = super().build_option_parser(
            description, version, dict(argparse_kwargs or {},
                                       allow_abbrev=False))
        for action in parser._actions:
            action.help = _HELP.get((action.option_strings or [''])[-1],
                                    action.help)
        parser.add_argument(
            '--patches', metavar='FOLDER',
            help='read the targets from this folder, not those that are '
                 'installed with keeptrack')
        return parser

    def configure_logging(self):
        """Send progress and errors to stderr, and all to --log-file.

        Progress is logged at level info by loggers of keeptrack; records of
        libraries are shown from level warning on, and with -v or --debug all.
        """
        root = logging.getLogger('')
        root.setLevel(logging.DEBUG)
        # it names every plug-in that it finds
        logging.getLogger('stevedore').setLevel(logging.INFO)
        if self.options.log_file:
            try:
                log = logging.FileHandler(self.options.log_file,
                                          encoding='utf-8',
                                          errors='surrogateescape')
            except OSError as exc:
                self.parser.error('--log-file %s cannot be written: %s' % (
                    self.options.log_file, exc.strerror))
            log.setFormatter(logging.Formatter(self.LOG_FILE_MESSAGE_FORMAT))
            root.addHandler(log)
        failures = logging.StreamHandler(self.stderr)
        failures.setLevel(logging.WARNING)
        root.addHandler(failures)
        if self.options.verbose_level == 0:
            return
        all_of_it = self.options.debug or self.options.verbose_level > 1
        progress = logging.StreamHandler()
        progress.setLevel(logging.DEBUG if all_of_it else logging.INFO)
        progress.addFilter(lambda record: record.levelno < logging.WARNING and
                           (all_of_it or record.name.startswith('keeptrack')))
        progress.setFormatter(logging.Formatter('keeptrack: %(message)s'))
        root.addHandler(progress)

    def interact(self):
        # without a command cliff would open a shell of its own
        self.run(['--help'])

    def run_subcommand(self, argv):
        self._failed = False
        result = super().run_subcommand(argv)
        return REFUSED if self._failed else result

    def clean_up(self, cmd, result, err):
        # cliff has logged the error already; it leaves an interrupt to us
        self._failed = isinstance(err, Exception)
        if isinstance(err, KeyboardInterrupt):
            self.LOG.error(': '.join(filter(None, (
                'interrupted', str(err)))))


# of cliff's options, what they do here
_HELP = {
    '--verbose': 'show more: every command that keeptrack runs',
    '--quiet': 'show no progress: results and errors only',
    '--log-file': 'append everything to this file, with times: progress, '
                  'commands, errors',
    '--debug': 'show more, as -v, and the traceback of an error',
}


def main(argv=None):
    """Run the command line.

    :param argv: arguments, by default those of the process (list of str)
    :returns: the exit status (int)
    """
    signals.terminate_like_interrupt()
    for stream in (sys.stdout, sys.stderr):
        # a path that is not UTF-8 is printed as it was given
        stream.reconfigure(errors='surrogateescape')
    return KeeptrackApp().run(sys.argv[1:] if argv is None else argv)
