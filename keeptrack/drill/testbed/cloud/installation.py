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

"""Installs a cloud: packages, a virtualenv, two Nova trees, an image."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

from keeptrack.drill.testbed.cloud import places as places_mod
from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import prerequisites
from keeptrack.drill.testbed import writing_guest

RELEASE = '34.0.0'

# of what a seed holds: the databases of another one are made anew
_LAYOUT = 3

_FOLDER = pathlib.Path(__file__).parent
_REQUIREMENTS = _FOLDER / 'requirements.txt'

# What makes Neutron find the mechanism driver.
_METADATA = 'Metadata-Version: 2.1\nName: keeptrack-tap\nVersion: 1\n'
_ENTRY_POINTS = ('[neutron.ml2.mechanism_drivers]\n'
                 'keeptrack_tap = tap_driver:TapDriver\n')


class Installation:
    """What clouds share, in the user's cache folder.

    :param places: the places.Places
    :param report: called with a line before work that takes a while
    """

    def __init__(self, places, report):
        self._places = places
        self._report = report

    def refuse_without(self):
        """Refuse when there is no installation of this version.

        :raises CloudError: with what to do
        """
        told = self._told()
        if (told.get('requirements'), told.get('layout')) != (
                _REQUIREMENTS.read_text(), _LAYOUT):
            raise errors.CloudError(
                f'no cloud is installed in {self._places.top}: run '
                'keeptrack cloud install')

    def _told(self):
        try:
            return json.loads(self._places.installed.read_text())
        except (OSError, ValueError):
            return {}

    def install(self, lay_out):
        """Install all that is not there yet.

        :param lay_out: called with a folder, makes a stock and a patched Nova
            tree in it and returns the path of each (dict of places.STOCK and
            places.PATCHED to pathlib.Path)
        :returns: seconds that each step took: dict of str to float
        :raises CloudError: when a step fails
        """
        prerequisites.refuse_other_users()
        took = {}
        self._places.top.mkdir(parents=True, exist_ok=True)
        if self._told().get('layout') != _LAYOUT:
            shutil.rmtree(self._places.seed, ignore_errors=True)
        self._places.installed.unlink(missing_ok=True)
        for name, step in (('packages', self._packages),
                           ('virtualenv', self._virtualenv),
                           ('nova', lambda: self._nova(lay_out)),
                           ('guest', self._guest),
                           ('services', self._scripts)):
            began = time.monotonic()
            step()
            took[name] = round(time.monotonic() - began, 1)
        self._places.installed.write_text(json.dumps(
            {'requirements': _REQUIREMENTS.read_text(), 'layout': _LAYOUT,
             'seconds': took}))
        return took

    def _packages(self):
        lacks = prerequisites.missing(cloud=True, build=True)
        if lacks and shutil.which('apt-get') is None:
            raise errors.CloudError(
                'this machine has no apt-get: ' + '; '.join(lacks))
        # a cloud without volumes does without the rest
        wanted = prerequisites.missing(cloud=True, build=True, volumes=True)
        if wanted and shutil.which('apt-get') is not None:
            self._report('installing Debian packages: ' + '; '.join(wanted))
            # Debian starts what it installs: nothing of it is needed here
            with _no_services():
                self._run('packages', 'apt-get', 'install', '--yes',
                          '--quiet', '--no-install-recommends',
                          *prerequisites.packages(),
                          DEBIAN_FRONTEND='noninteractive')
            lacks = prerequisites.missing(cloud=True, build=True)
        if lacks:
            raise errors.CloudError('still missing: ' + '; '.join(lacks))

    def _virtualenv(self):
        mark = self._places.env / 'keeptrack-requirements.txt'
        wanted = _REQUIREMENTS.read_text()
        if mark.exists() and mark.read_text() == wanted:
            return
        self._report(f'making {self._places.env} with OpenStack, which takes '
                     'some minutes')
        shutil.rmtree(self._places.env, ignore_errors=True)
        self._run('virtualenv', sys.executable, '-m', 'venv',
                  str(self._places.env))
        self._run('virtualenv', self._places.python, '-m', 'pip', 'install',
                  '--quiet', '--requirement', str(_REQUIREMENTS),
                  PIP_CONSTRAINT=os.devnull)
        mark.write_text(wanted)

    def _nova(self, lay_out):
        scratch = self._places.top / 'nova.new'
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            made = lay_out(scratch)
            for which in places_mod.NOVAS:
                folder = self._places.nova(which)
                shutil.rmtree(folder, ignore_errors=True)
                made[which].rename(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _guest(self):
        size = writing_guest.SECTORS * writing_guest.SECTOR
        self._run('image', 'qemu-img', 'create', '-f', 'qcow2',
                  str(self._places.image), str(size))

    def _scripts(self):
        """Copy what runs in the virtualenv, which does not have the kit."""
        for name in ('serve.py', 'catalog.py'):
            shutil.copy(_FOLDER / name, self._places.top / name)
        metadata = self._places.driver / 'keeptrack_tap-1.dist-info'
        metadata.mkdir(parents=True, exist_ok=True)
        (metadata / 'METADATA').write_text(_METADATA)
        (metadata / 'entry_points.txt').write_text(_ENTRY_POINTS)
        for name in ('tap_driver.py', 'ceph_driver.py'):
            shutil.copy(_FOLDER / name, self._places.driver)

    def _run(self, what, *command, **variables):
        log = self._places.top / 'install.log'
        with open(log, 'ab') as file:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                env=dict(os.environ, **variables))
        if done.returncode:
            raise errors.CloudError(
                f'the {what} cannot be installed '
                f'({" ".join(command[:4])} failed): see {log}')


@contextlib.contextmanager
def _no_services():
    """Let Debian packages start no daemon while they are installed."""
    policy = pathlib.Path('/usr/sbin/policy-rc.d')
    if policy.exists():
        # the machine's owner has decided
        yield
        return
    policy.write_text('#!/bin/sh\nexit 101\n')
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()
