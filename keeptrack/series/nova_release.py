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

"""Nova releases, as the package index that pip is configured for has them."""

import contextlib
import importlib.util
import logging
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

from packaging import specifiers
from packaging import version

from keeptrack import errors
from keeptrack.series import pip_output

LOG = logging.getLogger(__name__)


@contextlib.contextmanager
def unpacked(release=None, report=lambda line: None):
    """A Nova release, unpacked in a temporary folder.

    :param release: which one; by default the newest (str or None)
    :param report: called with a line before work that takes a while
    :returns: a context manager of the tree's top (pathlib.Path), whose name
              is nova-<version>; the folder is removed at its end
    :raises KeeptrackError: when the index has no such release
    """
    with tempfile.TemporaryDirectory(prefix='keeptrack-') as folder:
        report('getting %s from the package index' % (
            'Nova %s' % release if release else 'the newest Nova release'))
        archive = _download(pathlib.Path(folder), release)
        report('unpacking %s' % archive.name)
        yield _unpack(archive, pathlib.Path(folder))


def newest(specifier, report=lambda line: None):
    """The newest release of some that the package index has.

    :param specifier: a PEP 440 specifier, as ">=32.0,<33" (str)
    :param report: called with a line before work that takes a while
    :returns: str
    :raises KeeptrackError: when the index has none
    """
    report('asking the package index for Nova %s' % specifier)
    result = _pip('index', 'versions', 'nova')
    found = re.search(r'^Available versions: (.*)$', result.stdout,
                      re.MULTILINE)
    known = specifiers.SpecifierSet(specifier).filter(
        version.Version(word.strip()) for word in
        (found.group(1).split(',') if found else ()))
    try:
        return str(max(known))
    except ValueError:
        raise errors.KeeptrackError(
            'cannot find Nova %s: %s; or name a tree' % (
                specifier, pip_output.explain(result.stderr)
                if result.returncode else 'the package index has none'))


def _pip(*words):
    if importlib.util.find_spec('pip') is None:
        raise errors.KeeptrackError(
            'getting a Nova release needs pip, which this Python does '
            'not have: install it, or name a tree')
    LOG.debug('pip %s', ' '.join(words))
    return subprocess.run(
        [sys.executable, '-m', 'pip', '--disable-pip-version-check', *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)


def _download(folder, release):
    result = _pip('download', '--quiet', '--no-deps', '--no-binary', 'nova',
                  '--dest', str(folder),
                  'nova==%s' % release if release else 'nova')
    found = sorted(folder.glob('nova-*.tar.gz'))
    if result.returncode or not found:
        raise errors.KeeptrackError(
            'cannot download Nova%s: %s; or name a tree' % (
                ' ' + release if release else '',
                pip_output.explain(result.stderr)))
    return found[-1]


def _unpack(archive, folder):
    try:
        with tarfile.open(archive) as tar:
            if hasattr(tarfile, 'data_filter'):
                tar.extractall(folder, filter='data')
            else:
                tar.extractall(folder)
    except (OSError, tarfile.TarError) as exc:
        raise errors.KeeptrackError('%s could not be unpacked: %s' % (
            archive.name, exc))
    return folder / archive.name[:-len('.tar.gz')]
