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

"""What the commands that print a list share."""

import textwrap

from cliff import columns
from cliff import lister


class Words(columns.FormattableColumn):
    """A list: itself for machines, a line of words for people."""

    def human_readable(self):
        return ', '.join(self._value) or 'none'


class Lister(lister.Lister):
    """A command that prints a table.

    :cvar column_help: name and meaning of every column (tuple of pairs)
    """

    column_help = ()

    # what a command that has printed its table exits with
    _status = 0

    def run(self, parsed_args):
        return super().run(parsed_args) or self._status

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        keep_paragraphs(parser)
        return parser

    def get_epilog(self):
        # cliff's names the package of a plug-in, for which it reads what is
        # installed: a fifth of a second
        return column_text(self.column_help)

    def produce_output(self, parsed_args, column_names, data):
        if parsed_args.formatter in ('csv', 'value'):
            data = [[flat(value) for value in row] for row in data]
        return super().produce_output(parsed_args, column_names, data)


def flat(value):
    """A value of a column as plain text has it, for csv and value.

    :param value: what a row holds
    :returns: str, int or float: the items of a list with spaces between, of
              a dictionary as key=value, of one in it the values that are
              there with commas between, yes or no, "" for None
    """
    if isinstance(value, columns.FormattableColumn):
        value = value.machine_readable()
    if value is None:
        return ''
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    if isinstance(value, dict):
        return ' '.join('%s=%s' % (key, flat(
            ','.join(filter(None, each.values())) if isinstance(each, dict)
            else each)) for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return ' '.join(str(flat(each)) for each in value)
    return value


def column_text(rows):
    """Columns and their meaning, as --help shows them (str)."""
    width = max((len(name) for name, _ in rows), default=0) + 4
    return '\n'.join(['columns:'] + [textwrap.fill(
        meaning, 78, initial_indent='  %-*s' % (width - 2, name),
        subsequent_indent=' ' * width) for name, meaning in rows]
    ) if rows else ''


def keep_paragraphs(parser):
    """Let a parser's --help keep the paragraphs and tables of its texts."""
    class Formatter(parser.formatter_class):

        def _fill_text(self, text, width, indent):
            return '\n\n'.join(
                part if '\n  ' in part else
                super(Formatter, self)._fill_text(part, width, indent)
                for part in text.split('\n\n'))

    parser.formatter_class = Formatter
