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

"""What the audit commands share: where the report goes, and the status."""

import abc
import logging

from cliff import columns

from keeptrack.audit import page
from keeptrack.audit import prometheus
from keeptrack.audit import report as report_mod
from keeptrack.audit import whole_file
from keeptrack.cli import lister

LOG = logging.getLogger(__name__)

# lines on stderr of what was not seen; the report has them all
_TOLD = 10

COLUMNS = ('Instance', 'Finding', 'Certainty', 'Hosts', 'When', 'Why', 'Next')


class Sentences(columns.FormattableColumn):
    """Sentences: all of them for machines, the first for people."""

    def human_readable(self):
        return self._value[0] if self._value else ''


class Title(columns.FormattableColumn):
    """A finding: its kind for machines, its title for people."""

    def human_readable(self):
        return self._value.title

    def machine_readable(self):
        return self._value.kind


class When(columns.FormattableColumn):
    """A time: seconds of the day are enough for people."""

    def human_readable(self):
        return (report_mod.iso(self._value) or '')[:19].replace('T', ' ')

    def machine_readable(self):
        return report_mod.iso(self._value)


class AuditLister(lister.Lister, metaclass=abc.ABCMeta):
    """A command that examines something and reports.

    A subclass adds its arguments in get_parser() and has look().
    """

    column_help = (
        ('Instance', "the instance's UUID"),
        ('Finding', 'what has happened to its guest'),
        ('Certainty', 'certain, likely or possible'),
        ('Hosts', 'the hosts that have it or had it'),
        ('When', 'the time of the finding, UTC'),
        ('Why', 'the first reason; csv, json, --html and --json have all'),
        ('Next', 'what to do first; csv, json, --html and --json have all'),
    )

    _status = report_mod.NOTHING_FOUND

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        group = parser.add_argument_group('report')
        group.add_argument(
            '--html', metavar='FILE',
            help='write a page with the time line of every finding')
        group.add_argument(
            '--json', metavar='FILE',
            help='write the whole report (schema %s)' % report_mod.SCHEMA)
        group.add_argument(
            '--prometheus', metavar='FILE',
            help="write the numbers of findings to a textfile for "
                 "node-exporter, which reads files that end in .prom")
        return parser

    @abc.abstractmethod
    def look(self, parsed_args):
        """Look, and change nothing.

        :param parsed_args: argparse.Namespace
        :returns: report.Report
        :raises KeeptrackError: when the user has to put something right
        """

    def take_action(self, parsed_args):
        for path in (parsed_args.html, parsed_args.json,
                     parsed_args.prometheus):
            if path is not None:
                whole_file.refuse_unwritable(path)
        found = self.look(parsed_args)
        self._write(parsed_args, found)
        self._tell(found)
        self._status = found.status()
        return COLUMNS, [
            (one.instance, Title(one), one.certainty, lister.Words(one.hosts),
             When(one.when), Sentences(list(one.why)),
             Sentences(list(one.next))) for one in found.findings]

    @staticmethod
    def _write(args, found):
        for path, make in ((args.json, report_mod.Report.to_json),
                           (args.html, page.text),
                           (args.prometheus, prometheus.text)):
            if path is not None:
                whole_file.write(path, make(found))

    @staticmethod
    def _tell(found):
        failures = found.failures()
        for one in failures[:_TOLD]:
            LOG.info('not seen: %s', report_mod.printable(
                '%s: %s' % (one.where, one.why)))
        if len(failures) > _TOLD:
            LOG.info('not seen: %d more, see --json and --html',
                     len(failures) - _TOLD)
        LOG.info('examined %d, could not examine %d, found %d',
                 found.number_looked_at(),
                 len({one.where for one in failures}), len(found.findings))
