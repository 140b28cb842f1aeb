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

import pathlib

from cliff import columns
from cliff.formatters import base as formatters
from cliff.formatters import shell

from keeptrack.cli import common
from keeptrack.cli import lister
from keeptrack.cli import progress
from keeptrack import errors
from keeptrack.series import parts
from keeptrack.series import provenance
from keeptrack.series import recognition
from keeptrack.series import survey

COLUMNS = ('Ref', 'Release', 'Date', 'Target', 'Loop', 'Monitor', 'Guesses',
           'Events', 'Guard', 'Start', 'Vulnerable')


LINE_COLUMNS = ('Line', 'From', 'To') + COLUMNS[2:]


class Origin(columns.FormattableColumn):
    """Whose a part is: "keeptrack", "upstream" or None."""

    def human_readable(self):
        return self._value or '-'


class Truth(columns.FormattableColumn):
    """True, False, or None for what cannot be asked."""

    def human_readable(self):
        return {True: 'yes', False: 'no', None: '-'}[self._value]


class Parts(columns.FormattableColumn):
    """Every part with its origin and its commit."""

    def human_readable(self):
        lines = []
        for name, part in self._value.items():
            words = part['origin'] or 'missing'
            if part['commit']:
                words += ', ' + part['commit'][:12]
            lines.append('%-8s %s' % (name, words))
        return '\n'.join(lines)


class Notes(columns.FormattableColumn):
    """Sentences, a line each."""

    def human_readable(self):
        return '\n'.join(self._value) or 'none'


class Status(lister.Lister):
    """Show the target of a tree, and the parts of the fix that it has.

    With --all, print one row for every tag and branch of a clone of Nova, the
    newest release first.
    """

    column_help = (
        ('target', 'the target whose series is for this tree'),
        ('has, missing', 'parts of the fix, and whose they are: upstream or '
                         'keeptrack'),
        ('vulnerable', 'a guest can be lost as in bug 1414065'),
        ('guesses', "the end of a migration is guessed from libvirt's job"),
        ('loop', 'part: the wait after the end of a migration is removed'),
        ('monitor', 'part: the migration job is monitored'),
        ('events', 'part: a stop that a migration caused changes no state'),
        ('guard', 'part: the guest is observed before a rollback'),
        ('start', 'part: the guest is observed when nova-compute starts'),
        ('parts', 'each part, whose it is, and the commit that brought it'),
        ('notes', 'what is unusual in the tree'),
        ('Ref, Date', 'with --all: tag or branch, and its date'),
        ('Line, From, To', 'with --by-line: the release line, and its first '
                           'and last release with this row'),
    )

    def _load_formatter_plugins(self):
        plugins = super()._load_formatter_plugins()
        if 'shell' not in plugins.names():
            plugins.extensions.append(_Shell())
        return plugins

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        common.add_tree(parser, 'to examine')
        parser.add_argument(
            '--all', metavar='NOVA_REPO', dest='repo',
            help='examine every tag and branch of this clone, which may be '
                 'bare; nothing is checked out')
        parser.add_argument(
            '--by-line', action='store_true',
            help='with --all: one row for each release line, more where its '
                 'releases differ; without previews (b1, rc1)')
        return parser

    def take_action(self, parsed_args):
        if parsed_args.repo is not None:
            return self._all(parsed_args)
        if parsed_args.by_line:
            raise errors.KeeptrackError(
                '--by-line needs --all NOVA_REPO')
        with common.chosen_tree(self.app_args, parsed_args) as nova:
            found = nova.findings()
            target = recognition.of(
                nova, common.all_targets(self.app_args)).target
            commits, notes = {}, []
            if nova.is_clone:
                try:
                    if nova.git_refusal:
                        raise errors.KeeptrackError(nova.git_refusal)
                    commits, notes = provenance.commits(
                        nova.path, nova.head(), found)
                except errors.KeeptrackError as exc:
                    # the parts are known all the same
                    notes = ['the commits are unknown: %s' % exc]
            row = {
                'tree': (str(nova.path) if parsed_args.tree else
                         nova.path.name),
                'target': target.name if target else None,
                'release': nova.release(),
                'has': lister.Words(['%s (%s)' % pair
                                     for pair in found.origins.items()]),
                'missing': lister.Words(found.missing),
                'vulnerable': found.vulnerable,
                'guesses': found.guesses,
                'parts': Parts({name: {'origin': found.origins.get(name),
                                       'commit': commits.get(name)}
                                for name in parts.NAMES}),
                'notes': Notes(list(found.notes) + notes),
            }
        return tuple(row), tuple(row.values())

    def produce_output(self, parsed_args, column_names, data):
        if parsed_args.repo is not None:
            return super().produce_output(parsed_args, column_names, data)
        if not isinstance(self.formatter, formatters.SingleFormatter):
            return super().produce_output(parsed_args, column_names, [data])
        included, selector = self._generate_columns_and_selector(
            parsed_args, column_names)
        if selector:
            data = list(self._compress_iterable(data, selector))
        if parsed_args.formatter == 'value':
            data = [lister.flat(value) for value in data]
        self.formatter.emit_one(included, data, self.app.stdout, parsed_args)
        return 0

    def _all(self, parsed_args):
        if parsed_args.tree is not None or parsed_args.release is not None:
            raise errors.KeeptrackError(
                '--all examines a whole clone: leave TREE and --release out')
        if parsed_args.formatter == 'shell':
            raise errors.KeeptrackError(
                '-f shell is for one tree: choose another format with --all')
        folder = pathlib.Path(parsed_args.repo)
        if not folder.is_dir():
            raise errors.KeeptrackError(
                '%s is not a folder: name a clone of Nova' % folder)
        far = progress.Progress('examining tags and branches',
                                self.app.options.verbose_level == 0)
        rows, left_out = survey.examine(
            folder, common.all_targets(self.app_args),
            lambda number, count, ref: far.step(number, count, ref))
        far.step(len(rows) + len(left_out), len(rows) + len(left_out))
        for ref, why in left_out:
            self.app.LOG.debug('%s is left out: %s', ref, why)
        common.report('%d tags and branches examined, %d left out, which '
                      'hold no Nova with a libvirt driver (-v names them)' % (
                          len(rows), len(left_out)))
        if parsed_args.by_line:
            lines, left = survey.lines(rows)
            if left:
                common.report('%d of them are previews, or branches without '
                              'a release line: they are left out' % left)
            return LINE_COLUMNS, [
                [line.name, line.first.ref, line.last.ref] +
                self._cells(line.last) for line in lines]
        return COLUMNS, [[row.ref, row.release] + self._cells(row)
                         for row in rows]

    def _cells(self, row):
        found = row.findings
        return [row.date, Origin(row.target),
                *(Origin(found.origins.get(name))
                  for name in ('loop', 'monitor')), Truth(found.guesses),
                *(Origin(found.origins.get(name))
                  for name in ('events', 'guard', 'start')),
                Truth(found.vulnerable)]


class _Shell:
    """cliff's formatter of variables, beside those that make lists."""

    name = 'shell'

    def __init__(self):
        self.obj = shell.ShellFormatter()
