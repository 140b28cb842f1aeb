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

"""The targets: which Novas there are patches for.

A target is a folder patches/<name>/ with these files:

``series``
    names of the patches, one a line, in order; ``#`` begins a comment.
``*.patch``
    as git format-patch -U1 writes them.  One that serves several targets is
    a symbolic link in all but one of them.
``constraints.txt``
    a set of pins, for pip, with which the target's tests run.
``digests.toml``
    written by ``keeptrack refresh --bases``: see digests.py.  It is
    a file of its own since it is long and nobody writes it by hand.  Only
    targets with ``shown_in`` have it: the others are proved on the real trees.
``target.toml``
    the rest, with these keys (all of them are needed, but where "optional"
    is said):

    - ``name``: that of the folder.  ``title``: for people.
    - ``python``: the version that runs it, as "2.7".
    - ``releases``: a PEP 440 specifier of the versions that belong to it.
    - ``with``, ``without``: optional; parts of the fix (see
      parts.py) that the tree must have, or must not have, from
      upstream.  They tell trees of one version apart.
    - ``with_files``, ``without_files``: optional; files that the tree must
      have, or must not have, where its version does not tell enough.
    - ``service_version``, ``oldest_service``: optional; the SERVICE_VERSION
      and, where lines share that, the OLDEST_SUPPORTED_SERVICE_VERSION in
      nova/objects/service.py of every release of the target's line.
    - ``picked_from``: optional; the name of the target that its patches are
      backports of, see cherry_pick.py.
    - ``shown_in``: optional; the folder of the checkout whose nova/ shows the
      files that the patches add (added_files.py): "legacy".  Without
      it that is nova/ itself.
    - ``shown_as``: optional; a list of [from, to], the beginnings of paths
      that are shown under another name.
    - ``differs``: shown files that this target adds in another version than
      the newest target that is shown there, or not at all.  Written by
      ``keeptrack refresh``.
    - ``[prerequisite]``: optional; a commit of upstream's that has to be
      there first: ``commit`` (full id), ``title``, ``ref`` (one that carries
      it), ``releases`` (those that lack it), and how to tell: a tree has it
      when the regular expression ``gone`` is not found in ``file``.
    - ``[[bases]]``: the commits that the patches are proved on, the newest
      first: ``name``, ``release``, and either ``ref``, ``commit`` and,
      optional, ``needs_prerequisite``, or ``published = true``: that
      release's archive on PyPI.
    - ``[tests]``: ``modules`` (Nova's own, run before and after the series),
      ``ours`` (that the series adds; written by ``keeptrack refresh``),
      ``environment`` (a table of variables) and,
      optional, ``parts`` (a table: how many processes share a slow
      module) and ``setup`` (commands to run in the tree first, each a list;
      "python" there is the virtualenv's).
"""

import dataclasses
import os
import pathlib
import re
import sysconfig
import tomllib

from packaging import specifiers
from packaging import version

from keeptrack import errors

_SERVICES = 'nova/objects/service.py'


@dataclasses.dataclass(frozen=True)
class Prerequisite:
    """A commit of upstream's that the patches stand on.

    The fields are the keys of the same names in target.toml.
    """

    commit: str
    title: str
    ref: str
    releases: tuple
    file: str
    gone: str

    def missing(self, text):
        """Tell whether a tree lacks it.

        :param text: content of the tree's :attr:`file` (str)
        :returns: bool
        """
        return re.search(self.gone, text, re.MULTILINE) is not None


@dataclasses.dataclass(frozen=True)
class Base:
    """A commit, or a published release, that the patches are proved on."""

    name: str
    release: str
    ref: str = None
    commit: str = None
    needs_prerequisite: bool = False
    published: bool = False

    def __post_init__(self):
        if self.published == (self.commit is not None):
            raise ValueError('the base %s needs a commit or to be published, '
                             'and not both' % self.name)


@dataclasses.dataclass(frozen=True)
class Target:
    """One target; the fields are the keys of target.toml.

    :ivar folder: where its files are (pathlib.Path)
    """

    folder: pathlib.Path
    name: str
    title: str
    python: str
    releases: str
    with_parts: frozenset
    without_parts: frozenset
    with_files: tuple
    without_files: tuple
    service_version: int
    oldest_service: str
    picked_from: str
    shown_in: str
    shown_as: tuple
    differs: tuple
    prerequisite: Prerequisite
    bases: tuple
    test_modules: tuple
    our_modules: tuple
    environment: dict
    test_parts: dict
    setup: tuple

    @property
    def is_published(self):
        """Whether it is proved on releases from PyPI (bool)."""
        return any(base.published for base in self.bases)

    @property
    def checkout(self):
        """The folder that holds the patches and their sources (Path)."""
        return self.folder.parent.parent

    def fits(self, release, upstream, has_file):
        """Tell whether a tree is one of this target's.

        :param release: the tree's version (str, or None when not known)
        :param upstream: parts that it has from upstream (set of str)
        :param has_file: called with a path, tells whether the tree has it
        :returns: bool
        """
        if not is_version(release):
            return False
        known = version.Version(release)
        return (specifiers.SpecifierSet(self.releases).contains(
            known, prereleases=True) and self.with_parts <= upstream and
            not self.without_parts & upstream and
            all(map(has_file, self.with_files)) and
            not any(map(has_file, self.without_files)))

    def is_line(self, read):
        """Tell whether a tree is of this target's release line.

        :param read: called with a path, returns the file's text or None
        :returns: bool; False where the target does not say how to tell
        """
        text = read(_SERVICES) or ''
        return self.service_version is not None and all(
            wanted is None or re.search(pattern % wanted, text, re.MULTILINE)
            for pattern, wanted in (
                (r'^SERVICE_VERSION = %d$', self.service_version),
                (r"^OLDEST_SUPPORTED_SERVICE_VERSION = '%s'$",
                 self.oldest_service)))

    def proved_releases(self):
        """The releases that the patches are proved on, the oldest first.

        :returns: list of str
        """
        return list(dict.fromkeys(
            base.release for base in reversed(self.bases)))

    def base(self, release=None):
        """The base of a release, or the newest.

        :param release: a release or the name of a base (str or None)
        :returns: the Base, or None when the target has no such
        """
        for base in self.bases:
            if release in (None, base.release, base.name):
                return base
        return None


def is_version(word):
    """Tell whether a text is a version as Python's packages have it.

    :param word: str or None
    :returns: bool
    """
    try:
        version.Version(word or '')
    except version.InvalidVersion:
        return False
    return True


def default_folder():
    """Where this keeptrack's own targets are.

    :returns: patches/ of the source checkout that this file is in, else what
              the installation put under its data folder (pathlib.Path)
    :raises KeeptrackError: when neither is there
    """
    checkout = pathlib.Path(__file__).resolve().parents[2]
    found = [checkout / 'patches'] if (checkout / 'setup.cfg').exists() else []
    # pip install --target puts the data beside the packages
    found.append(checkout / 'share' / 'keeptrack' / 'patches')
    schemes = [sysconfig.get_default_scheme(),
               sysconfig.get_preferred_scheme('user')]
    found += [pathlib.Path(sysconfig.get_path('data', scheme), 'share',
                           'keeptrack', 'patches') for scheme in schemes]
    for folder in found:
        if folder.is_dir():
            return folder
    raise errors.KeeptrackError(
        'keeptrack finds no patches of its own, neither beside its sources '
        'nor installed: install it again, or name a folder with --patches')


def load_all(folder):
    """Read every target, the newest Nova first.

    :param folder: a folder of targets (pathlib.Path)
    :returns: list of Target
    :raises KeeptrackError: when a target.toml cannot be used
    """
    if not folder.is_dir():
        raise errors.KeeptrackError(
            '%s is no folder: name one that holds targets' % folder)
    found = [load(path.parent) for path in folder.glob('*/target.toml')]
    return sorted(found, key=_age)


def _age(target):
    """What sorts targets, the newest first: 2015.1 came before 12.0."""
    release = version.Version(target.bases[0].release)
    return (release.major > 2000, *(-part for part in release.release))


def load(folder):
    """Read one target.

    :param folder: its folder (pathlib.Path)
    :returns: the Target
    :raises KeeptrackError: when its target.toml cannot be used
    """
    path = folder / 'target.toml'
    try:
        with open(path, 'rb') as f:
            return _target(folder, tomllib.load(f))
    except KeyError as exc:
        raise errors.KeeptrackError('%s lacks the key %s' % (path, exc))
    except (OSError, TypeError, ValueError,
            specifiers.InvalidSpecifier) as exc:
        raise errors.KeeptrackError('%s cannot be used: %s' % (path, exc))


def by_name(targets, name):
    """The target of that name.

    :raises KeeptrackError: when there is none
    """
    for target in targets:
        if target.name == name:
            return target
    raise errors.KeeptrackError('there is no target %s: there is %s' % (
        name, ', '.join(target.name for target in targets) or 'none'))


def for_tree(targets, release, upstream, has_file):
    """The target that a tree belongs to; see :meth:`Target.fits`.

    :returns: the Target, or None
    """
    return next((target for target in targets
                 if target.fits(release, upstream, has_file)), None)


def rewrite(folder, lists):
    """Replace lists of texts in a target.toml, and nothing else of it.

    :param folder: the target's (pathlib.Path)
    :param lists: a key that stands once at the start of a line, to its new
                  list (dict); one that is not there joins the top-level keys
    """
    path = folder / 'target.toml'
    text = old = path.read_text()
    for key, values in lists.items():
        line = '%s = [%s]\n' % (key, ''.join(
            '\n    "%s",' % value for value in values) + (
                '\n' if values else ''))
        text, count = re.subn(r'^%s = \[[^\]]*\]\n' % key,
                              lambda found: line, text, flags=re.MULTILINE)
        if not count and values:
            # above the first table and the comment that belongs to it
            head, table, rest = re.split(
                r'((?:\n#.*)*\n\[)', text, maxsplit=1)
            text = head.rstrip('\n') + '\n' + line + table + rest
    if text != old:
        path.write_text(text)


def _target(folder, data):
    if data['name'] != folder.name:
        raise ValueError('its name is not that of its folder')
    if not data['bases']:
        raise ValueError('it names no base')
    specifiers.SpecifierSet(data['releases'])
    prerequisite = data.get('prerequisite')
    if prerequisite is not None:
        prerequisite = Prerequisite(**dict(
            prerequisite, releases=tuple(prerequisite['releases'])))
        re.compile(prerequisite.gone)
    tests = data['tests']
    return Target(
        folder=folder, name=data['name'], title=data['title'],
        python=data['python'], releases=data['releases'],
        with_parts=frozenset(data.get('with', ())),
        without_parts=frozenset(data.get('without', ())),
        with_files=tuple(data.get('with_files', ())),
        without_files=tuple(data.get('without_files', ())),
        service_version=data.get('service_version'),
        oldest_service=data.get('oldest_service'),
        picked_from=data.get('picked_from'),
        shown_in=data.get('shown_in', ''),
        shown_as=tuple((old, new) for old, new in data.get('shown_as', ())),
        differs=tuple(data.get('differs', ())),
        prerequisite=prerequisite,
        bases=tuple(Base(**base) for base in data['bases']),
        test_modules=tuple(tests['modules']), our_modules=tuple(tests['ours']),
        environment={name: os.fspath(value) for name, value in
                     tests['environment'].items()},
        test_parts=dict(tests.get('parts', {})),
        setup=tuple(tuple(row) for row in tests.get('setup', ())))
