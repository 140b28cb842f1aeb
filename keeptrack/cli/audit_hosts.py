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

"""keeptrack audit hosts: where the guests are, and where Nova has them."""

import os
import pathlib
import sys

from keeptrack.audit.hosts import asking
from keeptrack.audit.hosts import audit
from keeptrack.audit.hosts import collected
from keeptrack.audit.hosts import comparing
from keeptrack.audit.hosts import guests
from keeptrack.audit.hosts import nova_record
from keeptrack.audit.hosts import nova_view
from keeptrack.audit import report
from keeptrack.cli import audit_output
from keeptrack.cli import common
from keeptrack import errors


class AuditHosts(audit_output.AuditLister):
    """Find the guests that Nova has lost track of, by asking the hosts.

    The guests of each host are read over libvirt, on read-only connections,
    and compared with Nova's records, if --os-cloud or --nova names them.
    Reported are guests that run on two hosts, on another host than Nova's, on
    no host, or although Nova has them stopped; incoming domains without a
    migration; and instances that are parked or have been migrating for long.
    Neutron, Placement and Cinder are asked with Nova: ports that are bound to
    another host, allocations on two hosts, and volumes without an attachment
    are reported. Each finding is checked again after a pause, and reported if
    it remains. Nothing is changed.

    Without HOST, all compute hosts of Nova are asked.

    Exit status: 0 when nothing was found, 1 when something was found, 2 when
    nothing was found and a host could not be examined, or for bad input.
    """

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'hosts', metavar='HOST', nargs='*',
            help='the name of a host, or a URI of libvirt (default: all of '
                 "Nova's compute hosts)")
        parser.add_argument(
            '--hosts-file', metavar='FILE',
            help='read more hosts from this file, one on each line; - for '
                 'standard input')
        parser.add_argument(
            '--uri', metavar='URI', default=asking.URI,
            help="libvirt's URI of a host, with %%s for its name, as in "
                 "Nova's live_migration_uri (default: %(default)s)")
        parser.add_argument(
            '--from', metavar='FILE', dest='collected', nargs='+',
            help='read what keeptrack audit collect has written, files or '
                 'folders of files, in place of asking hosts; collect each '
                 'host twice, with a pause, so that findings are checked '
                 'again')
        add_nova(parser)
        parser.add_argument(
            '--nova', metavar='FILE',
            help="read Nova's records from what audit collect --nova has "
                 'written')
        parser.add_argument(
            '--forks', metavar='N', type=int, default=asking.FORKS,
            help='hosts to ask at a time (default: %(default)s)')
        parser.add_argument(
            '--timeout', metavar='S', type=float, default=asking.TIMEOUT,
            help='seconds for a host to answer (default: %(default)s)')
        parser.add_argument(
            '--pause', metavar='S', type=float, default=audit.PAUSE,
            help='seconds between two checks (default: %(default)s)')
        parser.add_argument(
            '--migrating-after', metavar='S', type=float,
            default=comparing.MIGRATING_AFTER,
            help='seconds after which a migration is reported as long '
                 '(default: %(default)s)')
        return parser

    def look(self, parsed_args):
        _refuse_numbers(parsed_args)
        names = _names(parsed_args)
        if parsed_args.collected:
            return self._collected(parsed_args, names)
        if parsed_args.nova:
            raise errors.KeeptrackError(
                '--nova needs --from: records that were collected earlier '
                'cannot be compared with hosts that are asked now')
        nova = nova_of(parsed_args)
        if not names and nova is None:
            raise errors.KeeptrackError(
                'no hosts: name some, or let Nova name them (--os-cloud)')
        targets = [asking.target(name, parsed_args.uri) for name in names]
        asking.target('host', parsed_args.uri)
        return audit.Live(targets, parsed_args.uri, nova, parsed_args,
                          common.report).report()

    @staticmethod
    def _collected(args, names):
        looks, not_seen = collected.load(args.collected)
        came = {look.asked for look in looks}
        not_seen += [report.NotSeen(name, 'nothing was collected of it')
                     for name in names if name not in came]
        first, second, shared = collected.rounds(looks)
        not_seen += shared
        view = deleted = None
        if args.nova:
            view = load_view(args.nova)
        else:
            nova = nova_of(args)
            if nova is not None:
                view, deleted = nova.view(), nova.deleted
        if not looks:
            return report.Report(report.HOSTS, [], not_seen)
        found = audit.collected(first, second, view, deleted,
                                args.migrating_after)
        found.not_seen[:0] = not_seen
        return found


def add_nova(parser):
    """Give a parser the options that name a cloud."""
    parser.add_argument(
        '--os-cloud', metavar='NAME', default=os.environ.get('OS_CLOUD'),
        help='the cloud in clouds.yaml, with the credentials of an '
             'administrator (default: OS_CLOUD)')


def nova_of(args):
    """Nova's API as the user has named it (nova_view.Nova), or None."""
    if args.os_cloud or os.environ.get('OS_AUTH_URL'):
        return nova_view.Nova.connect(args.os_cloud)
    return None


def load_view(name):
    """Read Nova's view from a file.

    :raises KeeptrackError: when it is none
    """
    try:
        return nova_record.from_dict(collected.load_json(
            pathlib.Path(name), collected.LARGEST_VIEW))
    except guests.Broken as error:
        raise errors.KeeptrackError("%s does not hold Nova's records: %s"
                                    % (name, error))


def _refuse_numbers(args):
    for name, least in (('forks', 1), ('timeout', 0.1), ('pause', 0),
                        ('migrating_after', 0)):
        # what is no number is not larger either
        if not least <= getattr(args, name) < 1e7:
            raise errors.KeeptrackError('--%s needs a number from %g on' % (
                name.replace('_', '-'), least))


def _names(args):
    """The hosts that the user names, each once (list of str)."""
    names = list(args.hosts)
    if args.hosts_file:
        try:
            lines = (sys.stdin.read() if args.hosts_file == '-' else
                     pathlib.Path(args.hosts_file).read_text('utf-8'))
        except (OSError, ValueError) as error:
            raise errors.KeeptrackError('cannot read %s: %s' % (
                args.hosts_file, getattr(error, 'strerror', None) or error))
        for line in lines.splitlines():
            word = line.partition('#')[0].strip()
            if word:
                names.append(word)
        if not names:
            raise errors.KeeptrackError('%s names no host' % args.hosts_file)
    return list(dict.fromkeys(names))
