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

"""keeptrack cache: the virtualenvs and files that it keeps."""

import datetime
import shutil

from cliff import command

from keeptrack.cli import common
from keeptrack.cli import lister
from keeptrack import errors
from keeptrack.verify import environment


class CacheShow(lister.Lister):
    """List what keeptrack keeps in its cache folder, and the disk space.

    The folder is ~/.cache/keeptrack, or keeptrack in XDG_CACHE_HOME. It holds
    the virtualenvs of verify and drill, so that a second run takes less time.
    """

    column_help = (
        ('Name', 'the name to give to keeptrack cache clear'),
        ('MiB', 'disk space, with the log of its installation'),
        ('Made', 'when it was made'),
    )

    def take_action(self, parsed_args):
        found = entries()
        common.report('%s: %d entries, %d MiB' % (
            environment.cache_folder(), len(found),
            sum(map(size, sum(found.values(), []))) >> 20))
        return ('Name', 'MiB', 'Made'), [
            (name, sum(map(size, paths)) >> 20,
             datetime.datetime.fromtimestamp(min(
                 path.stat().st_mtime for path in paths)).isoformat(
                     ' ', 'minutes')) for name, paths in found.items()]


class CacheClear(command.Command):
    """Remove what keeptrack keeps in its cache folder.

    verify and drill make again what they need. Do not clear what a verify or
    a drill that runs is using.
    """

    def get_parser(self, prog_name):
        parser = super().get_parser(prog_name)
        lister.keep_paragraphs(parser)
        parser.add_argument(
            'names', metavar='NAME', nargs='*',
            help='an entry, as keeptrack cache show lists it (default: all)')
        return parser

    def take_action(self, parsed_args):
        found = entries()
        for name in parsed_args.names:
            if name not in found:
                raise errors.KeeptrackError(
                    'the cache has no %s: it has %s' % (
                        name, ', '.join(found) or 'nothing'))
        paths = sum((found[name] for name in parsed_args.names or found), [])
        freed = sum(map(size, paths))
        try:
            for path in paths:
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        except OSError as exc:
            raise errors.KeeptrackError('%s cannot be removed: %s' % (
                exc.filename, exc.strerror))
        self.app.stdout.write('%s: %d MiB removed\n' % (
            environment.cache_folder(), freed >> 20))


def entries():
    """What the cache holds.

    :returns: dict of name to its paths: what is kept, and its log (list of
              pathlib.Path), the newest last
    """
    folder = environment.cache_folder()
    found = {}
    for path in sorted(folder.iterdir() if folder.is_dir() else (),
                       key=lambda path: path.lstat().st_mtime):
        name = path.name.removesuffix('.log')
        found.setdefault(name, []).append(path)
    return found


def size(path):
    """The disk space of a file or folder (int, bytes)."""
    found = [path]
    if path.is_dir() and not path.is_symlink():
        found += path.rglob('*')
    return sum(each.lstat().st_blocks for each in found) * 512
