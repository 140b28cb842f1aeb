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

"""What packagers put into a spec file or into debian/patches."""

import os

from keeptrack import errors
from keeptrack.series import inplace
from keeptrack.series import patchfile
from keeptrack.series import series

# what an RPM spec file has room for, and rpmbuild takes
FIRST, LAST = 1, 9999


def rpm(target, first=FIRST, folder=None):
    """The lines of a spec file.

    Comments escape the percent sign: rpm expands macros in them, too.

    :param target: a targets.Target
    :param first: the number of the first patch (int)
    :param folder: where the patches have been copied to; None for nowhere
    :returns: list of str
    :raises KeeptrackError: when the numbers are too high or too low
    """
    names = series.names(target)
    if not FIRST <= first <= LAST + 1 - len(names):
        raise errors.KeeptrackError(
            'patches are numbered from %d to %d: choose another --first'
            % (FIRST, LAST))
    numbers = range(first, first + len(names))
    return (
        _head(target) + ['# Beside the spec file, in SOURCES or the dist-git:']
        + _files(target, names, folder) +
        ['# In the preamble, after the last Source and Patch:'] +
        ['Patch%04d:        %s' % pair for pair in zip(numbers, names)] +
        ['', '# In %%prep, if nothing there does it yet; all patches at once:',
         '%autosetup -n nova-%{version} -p1',
         '# (RDO names the folder nova-%%{upstream_version});',
         '# or after %%setup, each without the # and with one percent sign:'] +
        ['#%%%%patch -P %d -p1' % number for number in numbers])


def deb(target, folder=None):
    """The lines of a debian/patches/series.

    :param target: a targets.Target
    :param folder: where the patches have been copied to; None for nowhere
    :returns: list of str
    """
    names = series.names(target)
    return (_head(target) + ['# In debian/patches, source format 3.0 (quilt):']
            + _files(target, names, folder) +
            ['# At the end of debian/patches/series:'] + names)


def copy(target, folder):
    """Copy a target's patches into a folder, as files of their own.

    All of them or none; nothing is overwritten.

    :param target: a targets.Target
    :param folder: made where there is none; its parent has to be there
        (pathlib.Path)
    :raises KeeptrackError: when they cannot be copied
    """
    files = {}
    for name in series.names(target):
        text = _content(target, name)
        files[os.path.join(folder.name, name)] = patchfile.split_lines(text)
        if os.path.lexists(folder / name):
            raise errors.KeeptrackError(
                '%s is there already: name another folder, or remove it'
                % (folder / name))
    if folder.exists() and not folder.is_dir():
        raise errors.KeeptrackError(
            '%s is no folder: name one for the patches' % folder)
    inplace.write(folder.parent, files)


def _content(target, name):
    text = series.text(target.folder / name)
    # a checkout without symbolic links holds their targets' names instead
    patchfile.parse(name, text)
    return text


def _head(target):
    lines = ['# keeptrack %s: %s' % (target.name, target.title)]
    first = target.prerequisite
    if first is not None:
        lines.append('# %s need %s below it (%s): keeptrack apply picks it.'
                     % (', '.join(first.releases), first.commit[:12],
                        first.title.replace('%', '%%')))
    return lines


def _files(target, names, folder):
    if folder is not None:
        return ['#   copied to %s' % folder]
    return ['#   ' + os.path.realpath(target.folder / name) for name in names]
