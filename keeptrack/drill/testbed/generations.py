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


"""The generations of Nova that a drill can run, and what each needs.

What differs inside of Nova itself is in keeptrack/drill/agent/adapter_*.py.
"""

import dataclasses
import pathlib

from packaging import specifiers
from packaging import version

from keeptrack import errors
from keeptrack.series import targets

_HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Generation:
    """Novas that run in the same environment and take the same adapter.

    :ivar name: of the environment that is made for it (str)
    :ivar title: for people (str)
    :ivar releases: a PEP 440 specifier of the versions that belong to it
    :ivar python: the version that runs it, as "2.7" (str)
    :ivar target: the target whose constraints.txt is used (str); None where
        the constraints are the drill's own
    :ivar binding: the version of libvirt's binding, None for that of the
        installed libvirt (str or None)
    :ivar adapter: module and class in keeptrack/drill/agent (str)
    :ivar patches: the folder that its target is in (pathlib.Path); None for
        the kit's own
    """

    name: str
    title: str
    releases: str
    python: str
    target: str
    binding: str
    adapter: str
    patches: pathlib.Path = None

    @property
    def folder(self):
        """Where its constraints.txt is (pathlib.Path)."""
        if self.target is None:
            return _HERE / self.name
        return (self.patches or targets.default_folder()) / self.target

    def fits(self, release):
        """Tell whether a version belongs to it.

        :param release: a tree's version (str)
        :returns: bool
        """
        return specifiers.SpecifierSet(self.releases).contains(
            version.Version(release), prereleases=True)


# libvirt-python 5.10.0 is the last for Python 2.7
GENERATIONS = (
    Generation('juno', 'Nova 2014.2 (Juno)', '>=2014.2,<2014.3', '2.7',
               'juno', '5.10.0', 'adapter_juno.Adapter'),
    Generation('kilo', 'Nova 2015.1 (Kilo)', '>=2015.1.dev0,<2015.2', '2.7',
               'kilo', '5.10.0', 'adapter_juno.Kilo'),
    Generation('train', 'Nova 20 (Train)', '>=20.0.0,<21', '3.6', 'train',
               None, 'adapter_current.Train'),
    Generation('ussuri', 'Nova 21 (Ussuri)', '>=21.0.0,<22', '3.8', 'ussuri',
               None, 'adapter_current.Wallaby'),
    Generation('victoria', 'Nova 22 (Victoria)', '>=22.0.0,<23', '3.8',
               'victoria', None, 'adapter_current.Wallaby'),
    Generation('wallaby', 'Nova 23 (Wallaby)', '>=23.0.0,<24', '3.8',
               'wallaby', None, 'adapter_current.Wallaby'),
    Generation('xena', 'Nova 24 (Xena)', '>=24.0.0,<25', '3.8', 'xena',
               None, 'adapter_current.Adapter'),
    Generation('yoga', 'Nova 25 (Yoga)', '>=25.0.0,<26', '3.8', 'yoga',
               None, 'adapter_current.Adapter'),
    Generation('2024.1', 'Nova 26 to 29 (Zed to 2024.1)', '>=26.0.0,<30',
               '3.11', '2024.1', None, 'adapter_current.Adapter'),
    Generation('current', 'Nova 31 to 34 (2025.1 to 2026.2)', '>=31.0.0,<35',
               '3.11', None, None, 'adapter_current.Adapter'),
)


def of(tree, patches=None):
    """The generation that a tree belongs to.

    :param tree: a tree.Tree
    :param patches: the folder of targets (pathlib.Path); None for the kit's
    :returns: the Generation
    :raises KeeptrackError: when drills do not know such a Nova
    """
    release = tree.release()
    try:
        for generation in GENERATIONS:
            if generation.fits(release or ''):
                return dataclasses.replace(generation, patches=patches)
    except version.InvalidVersion:
        # no version is none of these
        pass
    raise errors.KeeptrackError(
        '%s is Nova %s, which no drill can run: it can run %s' % (
            tree.path, release or 'of an unknown version', ', '.join(
                generation.title for generation in GENERATIONS)))
