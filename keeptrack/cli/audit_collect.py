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

"""keeptrack audit collect: one host's guests, or Nova's view, as JSON."""

import json

from cliff import command

from keeptrack.audit.hosts import asking
from keeptrack.audit.hosts import collector
from keeptrack.audit.hosts import nova_record
from keeptrack.audit import whole_file
from keeptrack.cli import audit_hosts
from keeptrack.cli import lister
from keeptrack import errors


class AuditCollect(command.Command):
    """Write the guests of one host as JSON, for keeptrack audit hosts --from.

    It asks libvirt on a read-only connection, by libvirt-python or virsh,
    whichever is installed, and changes nothing. A host without keeptrack can
    run contrib/ansible/roles/keeptrack_audit/files/keeptrack_collect.py,
    which is the same code and needs only Python 2.7, or 3.4 and later.
    """

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        lister.keep_paragraphs(parser)
        parser.add_argument(
            '--uri', default=collector.OWN_URI,
            help="libvirt's URI (default: %(default)s)")
        parser.add_argument(
            '--name', help="the host's name in the report; use Nova's "
                           "(default: the host's own)")
        parser.add_argument(
            '--nova', action='store_true',
            help="write Nova's records, all instances and hosts, in place of "
                 "a host's guests")
        audit_hosts.add_nova(parser)
        parser.add_argument(
            '--timeout', metavar='S', type=float, default=asking.TIMEOUT,
            help='seconds for libvirt to answer (default: %(default)s)')
        parser.add_argument(
            '--output', metavar='FILE',
            help='write to this file (default: standard output)')
        return parser

    def take_action(self, parsed_args):
        if parsed_args.output is not None:
            whole_file.refuse_unwritable(parsed_args.output)
        found = (self._nova if parsed_args.nova else self._host)(parsed_args)
        text = json.dumps(found, indent=1, sort_keys=True) + '\n'
        if parsed_args.output is not None:
            whole_file.write(parsed_args.output, text)
        else:
            self.app.stdout.write(text)

    @staticmethod
    def _nova(args):
        nova = audit_hosts.nova_of(args)
        if nova is None:
            raise errors.KeeptrackError('--nova needs a cloud: --os-cloud')
        return nova_record.to_dict(nova.view())

    @staticmethod
    def _host(args):
        if not 0 < args.timeout < 1e7:
            raise errors.KeeptrackError('--timeout needs a number above 0')
        try:
            return collector.bounded(args.timeout, collector.look, args.uri,
                                     args.name)
        except collector.CannotLook as error:
            raise errors.KeeptrackError('%s: %s' % (args.uri, error))
