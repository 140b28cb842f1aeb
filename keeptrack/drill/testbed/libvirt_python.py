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


"""libvirt's binding for the Python that a Nova tree runs in.

The one that an old Python still builds and uses is older than the libvirt of
today, and stops at functions that it does not know.  So it is built against
copies of libvirt's own description (API XML) from which those are taken out.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from packaging import version

from keeptrack import errors

# pkg-config's name of a library: the variable that names its description
_DESCRIPTIONS = {
    'libvirt': 'libvirt_api',
    'libvirt-qemu': 'libvirt_qemu_api',
    'libvirt-lxc': 'libvirt_lxc_api',
}

_SYMBOLS = re.compile(r'(<symbols>\n?)(.*?)( *</symbols>)', re.DOTALL)

# a symbol: an element that is closed at once, or one with children.  What is
# older than the file's own record of versions has none.
_SYMBOL = re.compile(
    r'^ *<(?P<kind>\w+) (?P<told>[^>]*?)(?:/>|>.*?</(?P=kind)>)\n?',
    re.DOTALL | re.MULTILINE)
_NAME = re.compile(r"\bname='([^']*)'")
_VERSION = re.compile(r"\bversion='([^']*)'")
_EXPORT = re.compile(r"^ *<exports symbol='([^']*)'[^>]*/>\n?", re.MULTILINE)


def without_newer(text, newest):
    """Take out of a description of libvirt what is newer than a version.

    :param text: the API XML (str)
    :param newest: the last version that stays, as "5.10.0" (str)
    :returns: the XML without the others (str)
    """
    limit = version.Version(newest)
    gone = set()

    def symbol(found):
        told = _VERSION.search(found['told'])
        if told is None or version.Version(told[1]) <= limit:
            return found[0]
        gone.add(_NAME.search(found['told'])[1])
        return ''

    text = _SYMBOLS.sub(
        lambda found: found[1] + _SYMBOL.sub(symbol, found[2]) + found[3],
        text)
    return _EXPORT.sub(
        lambda found: '' if found[1] in gone else found[0], text)


def installed_libvirt():
    """The version of the libvirt that things here are built against (str).

    :raises KeeptrackError: when something to build with is missing
    """
    missing = [name for name in ('gcc', 'pkg-config')
               if shutil.which(name) is None]
    if not missing and subprocess.run(
            ('pkg-config', '--exists', 'libvirt'), stdin=subprocess.DEVNULL,
            capture_output=True).returncode:
        missing = ['libvirt-dev']
    if missing:
        raise errors.KeeptrackError(
            "libvirt's binding for Nova's Python cannot be built without %s: "
            'install it (Debian: apt-get install gcc pkg-config libvirt-dev)'
            % ' and '.join(missing))
    return _ask('--modversion', 'libvirt')


def _ask(*words):
    result = subprocess.run(('pkg-config',) + words, stdin=subprocess.DEVNULL,
                            capture_output=True, text=True)
    if result.returncode or not result.stdout.strip():
        raise errors.KeeptrackError(
            'pkg-config %s tells nothing (%s): is libvirt-dev whole?' % (
                ' '.join(words), result.stderr.strip()))
    return result.stdout.strip()


def lay_out(folder, newest):
    """Write what a binding of some age needs to be built here.

    :param folder: where to (pathlib.Path)
    :param newest: the binding's version (str)
    :raises KeeptrackError: when libvirt's own files cannot be found
    """
    for library, variable in _DESCRIPTIONS.items():
        described = pathlib.Path(_ask('--variable=' + variable, library))
        told = pathlib.Path(_ask('--variable=pcfiledir', library),
                            library + '.pc')
        try:
            (folder / described.name).write_text(
                without_newer(described.read_text(), newest))
            lines = told.read_text().splitlines(keepends=True)
        except OSError as exc:
            raise errors.KeeptrackError('%s cannot be read: %s' % (
                exc.filename, exc.strerror))
        # the build asks for all of them by libvirt.pc, or each by its own
        (folder / told.name).write_text(''.join(
            re.sub(r'^(libvirt\w*_api=).*/(.*)$',
                   lambda found: found[1] + str(folder / found[2]), line)
            for line in lines))


class Binding:
    """An addition to an environment.Environment.

    :param wanted: the binding's version (str), or None for the one of the
        libvirt that is installed
    :raises KeeptrackError: when something to build it with is missing
    """

    def __init__(self, wanted=None):
        self._libvirt = installed_libvirt()
        self._version = wanted or self._libvirt

    @property
    def told(self):
        """What another environment is made for another of (bytes)."""
        return ('libvirt-python %s on %s' % (
            self._version, self._libvirt)).encode()

    def install(self, python, run):
        """Build the binding and install it.

        :param python: the environment's Python (str)
        :param run: runs a command with environment variables
        :raises KeeptrackError: when it cannot be built
        """
        with tempfile.TemporaryDirectory(prefix='keeptrack-') as name:
            variables = {}
            if version.Version(self._version) < version.Version(
                    self._libvirt):
                lay_out(pathlib.Path(name), self._version)
                variables['PKG_CONFIG_PATH'] = os.pathsep.join(
                    [name] + os.environ.get('PKG_CONFIG_PATH', '').split(
                        os.pathsep)).rstrip(os.pathsep)
            run(python, '-m', 'pip', 'install', '--no-deps',
                # a wheel in pip's cache was built against another libvirt
                '--no-cache-dir', '--no-binary', 'libvirt-python',
                'libvirt-python==' + self._version, **variables)
