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
"""keeptrack drill: real hosts, real guests, real faults."""

import contextlib
import pathlib
import tempfile

from keeptrack.cli import common
from keeptrack.cli import lister
from keeptrack.drill.checker import verdict
from keeptrack.drill import drilled_trees
from keeptrack.drill import faults
from keeptrack.drill import generator
from keeptrack.drill.report import callback_delay
from keeptrack.drill.report import html_page
from keeptrack.drill.report import results_file
from keeptrack.drill.report import sums
from keeptrack.drill.report import table
from keeptrack.drill.runner import campaign
from keeptrack.drill.runner import cloud_run
from keeptrack.drill.testbed.cloud import cloud
from keeptrack.drill.testbed.cloud import cloud_testbed
from keeptrack.drill.testbed.cloud import places as places_mod
from keeptrack.drill.testbed import generations
from keeptrack.drill.testbed import prerequisites
from keeptrack.drill.testbed import runtime
from keeptrack.drill.testbed import storage
from keeptrack.drill.testbed import writing_guest
from keeptrack import errors
from keeptrack.series import tree as tree_mod
from keeptrack.verify import verification

_DESCRIPTION = '''\
Inject faults into live migrations of a real guest, and compare Nova's record
with the host that runs the guest.

Two hosts are made on this machine, each with a libvirtd of its own. The
driver and the manager of a Nova tree migrate a guest between them, while a
fault happens at a random moment. During the migration and at its end, Nova's
record is compared with the host that runs the guest's QEMU. It needs root and
some packages (missing ones are named), and changes nothing but what it has
started.

Without TREE, the newest release that has a target is drilled with the series
and without it.

Exit status: 0 when no run of the first tree has the verdict wrong, lost or
not run; 1 when one has; 2 for bad input, or when no run was possible.
'''


class Drill(lister.Lister):
    __doc__ = _DESCRIPTION

    column_help = (
        ('Fault, Tree', 'the fault, and the tree into whose migrations it was '
                        'injected'),
        ('Runs', 'migrations; Not run is the number of those that the '
                 'machine could not run'),
        ('Right', "Nova's record has the guest's host and state"),
        ('Parked', 'the instance is parked: Nova checks it again'),
        ('Wrong', "Nova's record does not fit, or something was done that "
                  'must never be done'),
        ('Lost', "the guest runs and Nova's record names another host or "
                 'says stopped; or Nova ended the only copy'),
        ('Split brain', 'both hosts ran the guest, and Nova has reported it'),
        ('Unseen', 'a split brain that Nova has not reported'),
        ('Left', 'runs that left something to do for an operator'),
        ('Parked s, Free s', 'seconds until it was parked, and from there '
                             'until it was decided: median and maximum'),
    )

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        common.add_tree(parser, 'to drill')
        parser.add_argument(
            '--against', metavar='TREE', action='append', default=[],
            help='drill this tree also, with the same faults at the same '
                 'moments; can be repeated')
        parser.add_argument(
            '--fault', metavar='F', action='append',
            help='this fault only; can be repeated (see --list)')
        parser.add_argument(
            '--list', action='store_true', help='list the faults and exit')
        parser.add_argument(
            '--runs', metavar='N', type=int,
            help='runs of each fault on each tree (default: 1)')
        parser.add_argument(
            '--storage', metavar='NAME', action='append',
            choices=list(dict.fromkeys([*storage.KINDS,
                                        *cloud_testbed.SERVERS])),
            help="where the guest's disk is: %s; with --cloud: copied (the "
                 "default), or volume, a volume of Cinder's; can be given "
                 'again (default: none)' % '; '.join(
                     '%s, %s' % (kind.name, kind.title)
                     for kind in storage.KINDS.values()))
        parser.add_argument(
            '--testbeds', metavar='N', type=int,
            help='pairs of hosts at a time (default: 2)')
        parser.add_argument(
            '--seed', metavar='S',
            help='the seed of random moments: the same seed repeats them '
                 '(default: 1)')
        parser.add_argument(
            '--output', metavar='FOLDER',
            help='a new folder for results.json, report.html and the logs of '
                 'runs that ended wrong (default: ./keeptrack-drill)')
        parser.add_argument(
            '--keep-logs', action='store_true',
            help="keep every run's logs")
        parser.add_argument(
            '--from', metavar='FILE', dest='results', action='append',
            help='report on the results.json of an earlier drill; can be '
                 'repeated, to report on several drills at once')
        parser.add_argument(
            '--callback-delay', action='store_true',
            help='list how long the driver took to report the end of each '
                 'migration, in place of the verdicts')
        parser.add_argument(
            '--cloud', action='store_true',
            help='in the cloud of keeptrack cloud up, with its patched and '
                 'its stock Nova; --list --cloud lists the faults')
        parser.add_argument(
            '--nova', choices=places_mod.NOVAS, action='append',
            help='with --cloud: this Nova only (default: patched, then '
                 'stock)')
        parser.add_argument(
            '--keep', action='store_true',
            help='with --cloud, one --fault and one --nova: leave the server '
                 'as it is in the end; the next drill removes it')
        parser.add_argument(
            '--python', metavar='PYTHON',
            help="the Python of the trees' virtualenvs")
        return parser

    def take_action(self, parsed_args):
        self._table = (faults.BY_NAME_OF_CLOUD if parsed_args.cloud
                       else faults.BY_NAME)
        if parsed_args.list:
            return self._list(parsed_args)
        chosen = self._faults(parsed_args)
        if parsed_args.results:
            self._refuse(parsed_args, '--from runs no drill', 'tree',
                         'release', 'against', 'runs', 'testbeds', 'seed',
                         'storage', 'nova', 'keep', 'keep_logs', 'python')
            results = self._load(parsed_args, chosen)
        with self._output_folder(parsed_args) as folder:
            if not parsed_args.results:
                results = self._drill(parsed_args, chosen, folder)
            html_page.write_html(results, folder / 'report.html')
        common.report('the time line of every run is in %s' % (
            folder / 'report.html'))
        self._tell(results)
        list_rows = (
            callback_delay.rows if parsed_args.callback_delay else
            table.parts_rows if 'cloud' in results['machine'] else table.rows)
        return list_rows(results)

    def _list(self, args):
        """The faults; for people in two columns, which a terminal has."""
        if args.formatter == 'table':
            return ('Fault', 'What happens, and when'), [
                (fault.name, '%s (%s)' % (
                    fault.title, ', '.join(fault.moments)))
                for fault in self._table.values()]
        return ('Fault', 'What happens', 'Moments'), [
            (fault.name, fault.title, list(fault.moments))
            for fault in self._table.values()]

    @staticmethod
    def _refuse(args, why, *names):
        """Refuse arguments that do not fit the others.

        :param why: what they do not fit (str)
        :param names: of the arguments (str)
        """
        for name in names:
            value = getattr(args, name)
            # 0 is a number that was given
            if value is not None and value is not False and value != []:
                raise errors.KeeptrackError('%s: leave out %s' % (
                    why, 'TREE' if name == 'tree' else
                    '--' + name.replace('_', '-')))

    @staticmethod
    def _load(args, chosen):
        results = results_file.merge([
            results_file.load(pathlib.Path(name)) for name in args.results])
        if not args.fault:
            return results
        names = [fault.name for fault in chosen]
        known = [fault['name'] for fault in results['faults']]
        for name in names:
            if name not in known:
                raise errors.KeeptrackError(
                    'there is no fault %s in these results: they have %s' % (
                        name, ', '.join(known) or 'none'))
        return dict(results, faults=[
            fault for fault in results['faults'] if fault['name'] in names],
            runs=[run for run in results['runs'] if run['fault'] in names])

    @staticmethod
    @contextlib.contextmanager
    def _output_folder(args):
        """Make the folder for what comes out; nothing is left of none."""
        folder = pathlib.Path(args.output or 'keeptrack-drill')
        try:
            if folder.exists() and (not folder.is_dir() or
                                    any(folder.iterdir())):
                raise errors.KeeptrackError(
                    '%s exists already: name another folder with --output'
                    % folder)
            made = [path for path in (folder, *folder.parents)
                    if not path.exists()]
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise errors.KeeptrackError('%s cannot be made: %s' % (
                folder, exc.strerror))
        try:
            yield folder
        finally:
            # of what was made here; one that holds something stays
            with contextlib.suppress(OSError):
                for path in made:
                    path.rmdir()

    def _drill(self, args, chosen, folder):
        common.refuse_both(args)
        common.refuse_below_one(args, 'runs', 'testbeds')
        if args.cloud:
            return self._drill_cloud(args, chosen, folder)
        for name in ('nova', 'keep'):
            if getattr(args, name):
                raise errors.KeeptrackError('--%s needs --cloud' % name)
        storages = tuple(dict.fromkeys(args.storage or ['none']))
        for name in storages:
            if name not in storage.KINDS:
                raise errors.KeeptrackError(
                    f'--storage {name} needs --cloud')
        writes = any(storage.KINDS[name].writes for name in storages)
        prerequisites.refuse_without(writes)
        if writes:
            writing_guest.firmware()
        with contextlib.ExitStack() as stack:
            found = self._trees(args, stack)
            for tree in found:
                if writes:
                    self._refuse_disk(tree)
                tree.runtime.ensure()
            plan = generator.Plan(
                found, chosen, args.runs or 1, args.seed or '1',
                args.testbeds or 2, storages)
            common.report('%d runs: %d faults, %d trees, %d testbeds' % (
                len(plan.tasks()), len(chosen), len(found), plan.testbeds))
            return campaign.Campaign(plan, folder, common.report,
                                     args.keep_logs).run()

    def _drill_cloud(self, args, chosen, folder):
        self._refuse(args, '--cloud has two hosts and both Novas', 'tree',
                     'release', 'against', 'testbeds', 'python')
        storages = tuple(dict.fromkeys(
            args.storage or [cloud_testbed.Server.storage]))
        for name in storages:
            if name not in cloud_testbed.SERVERS:
                raise errors.KeeptrackError(
                    '--cloud has no storage %s: take one of %s' % (
                        name, ', '.join(cloud_testbed.SERVERS)))
        novas = list(dict.fromkeys(args.nova or places_mod.NOVAS))
        if args.keep and (len(chosen), len(novas), len(storages),
                          args.runs or 1) != (1, 1, 1, 1):
            raise errors.KeeptrackError(
                '--keep needs one --fault, one --nova and one run')
        places = places_mod.Places.default()
        found = cloud.Cloud(places, common.report).attach()
        if (cloud_testbed.VolumeServer.storage in storages and
                not found.settings.options.volumes):
            raise errors.KeeptrackError(
                'the cloud has no volumes: run keeptrack cloud down, then '
                'keeptrack cloud up --volumes')
        # for this thread, and for those that it starts
        found.nodes[places_mod.CONTROLLER].enter_network()
        trees = drilled_trees.named(
            [tree_mod.Tree(places.nova(nova)) for nova in novas],
            lambda tree: None)
        plan = generator.Plan(
            trees, chosen, args.runs or 1, args.seed or '1', 1,
            storages, tree_by_tree=True)
        return campaign.Campaign(
            plan, folder, common.report, args.keep_logs,
            lambda stack, number: cloud_run.CloudBench(
                found, places, common.report, args.keep),
            {'cloud': 'yes'}).run()

    @staticmethod
    def _refuse_disk(tree):
        if tree.runtime.generation.name != 'current':
            raise errors.KeeptrackError(
                '%s: guests with a disk need %s' % (
                    tree.name, generations.GENERATIONS[-1].title))

    def _faults(self, args):
        if not args.fault:
            return list(self._table.values())
        for name in args.fault:
            if name not in self._table:
                raise errors.KeeptrackError(
                    'there is no fault %s: keeptrack drill --list%s names '
                    'them' % (name, ' --cloud' if args.cloud else ''))
        return [self._table[name] for name in dict.fromkeys(args.fault)]

    def _trees(self, args, stack):
        against = [tree_mod.Tree(name) for name in args.against]
        if args.tree is not None:
            trees = [tree_mod.Tree(args.tree)]
        else:
            folder = pathlib.Path(stack.enter_context(
                tempfile.TemporaryDirectory(prefix='keeptrack-')))
            trees = self._newest(args, folder)
        patches = self.app_args.patches
        patches = pathlib.Path(patches) if patches else None
        return drilled_trees.named(
            trees + against, lambda tree: runtime.Runtime(
                tree, common.report, args.python, patches=patches))

    def _newest(self, args, folder):
        """The newest release with a target: with the series, without it."""
        with common.chosen_tree(self.app_args, args) as nova:
            target, series = common.require_target(self.app_args, nova)
            common.report('laying out Nova %s with the series and without it'
                          % nova.release())
            copies = verification.lay_out(
                nova, target, series, folder,
                common.prerequisite_source(nova, target))
        return [tree_mod.Tree(copies[label]) for label in (
            verification.AFTER, verification.BEFORE)]

    def _tell(self, results):
        """The sums on stderr, and the exit status: the first tree's."""
        for number, tree in enumerate(results['trees']):
            one = sums.Sum.of(run for run in results['runs']
                              if run['tree'] == tree['name'])
            common.report('%s: %d runs: %s' % (
                tree['name'], one.runs, ', '.join(
                    '%d %s' % (count, name)
                    for name, count in one.counts.items())))
            if number == 0 and any(one.counts[name] for name in (
                    verdict.WRONG, verdict.LOST, verdict.NOT_RUN)):
                self._status = 1
        for (kind, name), runs in sums.by_storage(results).items():
            one = sums.Sum.of(runs)
            common.report('%s on %s: data of %d runs: %s; %d records lost' % (
                name, kind, len(runs), ', '.join(
                    '%d %s' % (count, word)
                    for word, count in one.data.items()), one.lost))
            if name == results['trees'][0]['name'] and any(
                    run['data'].get('broken') for run in runs):
                self._status = 1
