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

"""keeptrack refresh."""

from cliff import lister

from keeptrack.commands import common
from keeptrack import digests
from keeptrack import errors
from keeptrack import patchfile
from keeptrack import renewal
from keeptrack import series


class Refresh(lister.Lister):
    """Write the patches' new files again from their source.

    Hunks on files that Nova has are left as they are.  Exit status with
    --check: 0 when all is in step, 1 when something is not.
    """

    _status = 0

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        how = parser.add_mutually_exclusive_group()
        how.add_argument(
            '--check', action='store_true',
            help='change nothing; fail where a patch and its source differ, '
                 'or where a hunk would not land on a base')
        how.add_argument(
            '--bases', metavar='NOVA_REPO',
            help='measure the bases, too, in this clone of Nova, and write '
                 'the digests of the touched files')
        return parser

    def run(self, parsed_args):
        return super().run(parsed_args) or self._status

    def take_action(self, parsed_args):
        found = common.all_targets(self.app_args)
        rows = []
        shared = {}
        for target in found:
            source = target.source_folder
            if not (source / 'nova').is_dir():
                raise errors.KeeptrackError(
                    '%s has no nova/ to make patches from: run refresh in a '
                    'source checkout of keeptrack' % source)
            contents = renewal.renewed(target)
            renewal.refuse_two_contents(target, contents, shared)
            rows += [(target.name, name, what) for name, what in
                     renewal.differing(target, contents)]
            if not parsed_args.check:
                self._write(target, contents, parsed_args.bases)
            faults = self._prove(target, parsed_args)
            rows += [(target.name, '', fault) for fault in faults]
            if faults or parsed_args.check and rows:
                self._status = 1
        return ('Target', 'Patch', 'Differs' if parsed_args.check else
                'Written'), rows

    def _write(self, target, contents, repo):
        measured = None
        if repo is not None and not target.is_published:
            common.report('measuring the bases of %s' % target.name)
            measured = renewal.measure(target, repo).render()
        for name, text in contents.items():
            (target.folder / name).write_bytes(patchfile.encode(text))
        if measured is not None:
            (target.folder / digests.FILE).write_text(measured)

    def _prove(self, target, args):
        if target.is_published or not (args.check or args.bases):
            # what PyPI has is proved on the real trees, by tox -e releases
            return []
        return digests.prove(target, series.Series.load(target))
