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

import pathlib

from keeptrack.cli import common
from keeptrack.cli import lister
from keeptrack import errors
from keeptrack.series import added_files
from keeptrack.series import digests
from keeptrack.series import format_patch
from keeptrack.series import series
from keeptrack.series import targets


class Refresh(lister.Lister):
    """Write nova/ and legacy/nova/ from the patches.

    It is for those who change the series, in a checkout of keeptrack. The
    patches are the source: the files that they add are written to nova/ and
    legacy/nova/, and --from writes the patches from the commits of a Nova
    branch.

    Exit status with --check: 0 when the folders and the patches agree, 1 when
    they differ.
    """

    column_help = (
        ('Target', 'the target'),
        ('Patch', 'the patch file, empty for nova/'),
        ('Differs', 'with --check: what differs; else Written: what was '
                    'written'),
    )

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        how = parser.add_mutually_exclusive_group()
        how.add_argument(
            '--check', action='store_true',
            help='change nothing; fail where the patches and what is shown of '
                 'them differ, or where a hunk would not land on a base')
        how.add_argument(
            '--bases', metavar='NOVA_REPO',
            help='measure the bases, too, in this clone of Nova, and write '
                 'the digests of the touched files')
        how.add_argument(
            '--from', metavar='COMMITS', dest='commits',
            help='write the patches of --target from these commits: a branch '
                 '(its commits that no remote branch and no tag has) or a '
                 'range BASE..TIP')
        parser.add_argument(
            '--repo', metavar='PATH',
            help='with --from: the clone of Nova (default: NOVA_REPO)')
        parser.add_argument(
            '--target', metavar='NAME',
            help='with --from: the target whose patches to write')
        return parser

    def take_action(self, parsed_args):
        if (parsed_args.commits is None) != (parsed_args.target is None):
            raise errors.KeeptrackError(
                '--from and --target belong together: name both')
        if parsed_args.repo is not None and parsed_args.commits is None:
            raise errors.KeeptrackError('--repo is for --from: leave it out')
        found = common.all_targets(self.app_args)
        before = ()
        if parsed_args.commits is not None:
            before = self._write_patches(found, parsed_args)
            found = common.all_targets(self.app_args)
        rows = self._refresh_composed(found, before, parsed_args)
        if parsed_args.bases is not None:
            self._measure(found, parsed_args.bases)
        for target in found:
            faults = self._prove(target, parsed_args)
            rows += [(target.name, '', fault) for fault in faults]
            if faults:
                self._status = 1
        if parsed_args.check and rows:
            self._status = 1
        return ('Target', 'Patch', 'Differs' if parsed_args.check else
                'Written'), rows

    def _refresh_composed(self, found, before, args):
        """What is shown of the patches."""
        checkout = found[0].checkout
        composition = added_files.compose(found)
        rows = [(name, '', fault) for name, fault in
                added_files.faults(checkout, found, composition)]
        if not args.check:
            added_files.write(checkout, found, composition, before)
            # what a file that no patch adds is there for, people have to say
            if added_files.strays(checkout, found, composition):
                self._status = 1
        return rows

    def _write_patches(self, found, args):
        """Write a target's patches from commits.

        :returns: the files that were shown of the patches until now
        """
        target = targets.by_name(found, args.target)
        repo = pathlib.Path(args.repo) if args.repo else common.nova_repo()
        if repo is None or not repo.is_dir():
            raise errors.KeeptrackError(
                'name the clone of Nova that has %s, with --repo or in '
                'NOVA_REPO' % args.commits)
        patches = format_patch.patches(repo, args.commits)
        try:
            before = set(added_files.compose(found).files)
        except errors.KeeptrackError:
            # a target that has no patches yet, or broken ones
            before = set()
        format_patch.write(target, patches, [
            other for other in found if other is not target])
        format_patch.link(found)
        common.report('%d patches of %s written from %s' % (
            len(patches), target.name, args.commits))
        return before

    def _measure(self, found, repo):
        measured = []
        for target in found:
            if target.shown_in:
                common.report('measuring the bases of %s' % target.name)
                measured.append(
                    (target, digests.measure(target, repo).render()))
        for target, text in measured:
            (target.folder / digests.FILE).write_text(text)

    def _prove(self, target, args):
        if not target.shown_in or not (args.check or args.bases):
            # proved on the real trees, by tox -e releases and -e trees
            return []
        return digests.prove(target, series.Series.load(target))
