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

"""keeptrack audit logs."""

import math
import os
import zoneinfo

from keeptrack.audit.logs import audit
from keeptrack.audit.logs import paths as log_paths
from keeptrack.audit.logs import reading
from keeptrack.cli import audit_output
from keeptrack.cli import progress
from keeptrack import errors


class AuditLogs(audit_output.AuditLister):
    """Find guests that live migrations have lost, in logs of nova-compute.

    It reads logs of Juno to 2026.2, of any number of hosts, as oslo.log,
    journalctl, syslog daemons, container runtimes and log shippers write
    them, plain or compressed with gzip, xz, zstd or bzip2. Give it the logs
    of both hosts of a migration: the log of one host proves little.

    Exit status: 0 when nothing was found, 1 when something was found, 2 when
    nothing was found and a part of the logs was not understood, or for bad
    input.
    """

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        parser.add_argument(
            'paths', metavar='PATH', nargs='+',
            help='a log, a folder (all files below it), or - for standard '
                 'input')
        parser.add_argument(
            '--host', metavar='PATH=HOST', action='append', default=[],
            help="the host of a log, where neither the log nor its path "
                 "(nova-compute-HOST.log, HOST/nova-compute.log) names it; "
                 "PATH is one of the files that are read; can be repeated")
        parser.add_argument(
            '--clock-difference', metavar='SECONDS', type=float,
            default=audit.CLOCKS,
            help='by how much clocks of hosts may differ '
                 '(default: %(default)g)')
        parser.add_argument(
            '--timezone', metavar='ZONE', default='UTC',
            help="the hosts' time zone, for time stamps without one "
                 "(default: UTC)")
        return parser

    def look(self, parsed_args):
        clocks = parsed_args.clock_difference
        if not math.isfinite(clocks) or clocks < 0:
            raise errors.KeeptrackError(
                '--clock-difference needs seconds, 0 or more')
        try:
            zone = zoneinfo.ZoneInfo(parsed_args.timezone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise errors.KeeptrackError(
                'there is no time zone %s: name one as Europe/Berlin'
                % parsed_args.timezone)
        paths = [path if path == reading.STDIN else os.path.normpath(path)
                 for path in parsed_args.paths]
        try:
            hosts = dict(log_paths.host_option(one)
                         for one in parsed_args.host)
        except ValueError as exc:
            raise errors.KeeptrackError(
                '--host needs PATH=HOST, not %s' % exc)
        return audit.run(paths, hosts, zone, clocks,
                         progress=progress.Progress(
                             'reading parts of logs',
                             self.app.options.verbose_level == 0).step)
