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

"""The patches as packagers use them: quilt, git, dpkg-source, rpmbuild.

They are used as they lie in patches/<target>, symbolic links and all.
"""

import os
import shutil
import subprocess

import fixtures

from keeptrack.series import git
from keeptrack.series import series
from keeptrack.tests.trees import test_series

# as little as dpkg-source takes
_DEBIAN = {
    'source/format': '3.0 (quilt)\n',
    'control': 'Source: nova\nMaintainer: A. Uthor <a@example.org>\n\n'
               'Package: nova\nArchitecture: all\nDescription: Nova\n',
    'changelog': 'nova (1-1) unstable; urgency=low\n\n  * New.\n\n'
                 ' -- A. Uthor <a@example.org>  '
                 'Mon, 02 Feb 2015 10:00:00 +0000\n',
}

_SPEC = """\
%%global upstream_version 1
Name: openstack-nova
Version: 1
Release: 1
Summary: Nova
License: Apache-2.0
BuildArch: noarch
Source0: nova-1.tar.gz
%s

%%description
Nova

%%prep
%s
"""


class PackagersTestCase(test_series.TreesTestCase):

    def trees(self):
        """Each target and, at its newest base, a tree that apply has made."""
        for target in self.targets:
            newest = self.newest(target)
            applied = self.clone(newest.commit, 'applied')
            self.apply(applied)
            yield target, newest, applied

    def need(self, command, package):
        if shutil.which(command) is None:
            self.skipTest('NOT TESTED: %s is not installed (Debian: %s)' % (
                command, package))

    def succeeds(self, folder, *argv, **variables):
        done = subprocess.run(
            argv, cwd=folder, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
            env=dict(os.environ, LC_ALL='C', **variables))
        self.assertEqual(0, done.returncode, done.stdout)
        return done.stdout

    def assertSame(self, target, one, other):
        """Two trees agree in what the series touches."""
        for path in series.Series.load(target).paths():
            self.assertEqual((one / path).read_bytes(),
                             (other / path).read_bytes(), path)

    def test_quilt(self):
        self.need('quilt', 'quilt')
        for target, base, applied in self.trees():
            folder = self.unpack(base)
            where = {'QUILT_PATCHES': str(target.folder)}
            quilt = ('quilt', '--quiltrc=-')
            # without fuzz, as rpm and dpkg-source want it
            self.succeeds(folder, *quilt, 'push', '-a', '--fuzz=0', **where)
            self.assertSame(target, applied, folder)
            self.assertFalse(self.status(folder)['vulnerable'])
            self.assertEqual(series.names(target), self.succeeds(
                folder, *quilt, 'applied', **where).split())
            self.succeeds(folder, *quilt, 'pop', '-a', **where)
            self.assertTrue(self.status(folder)['vulnerable'])

    def test_git_quiltimport(self):
        for variable in ('GIT_COMMITTER_NAME', 'GIT_COMMITTER_EMAIL'):
            self.useFixture(fixtures.EnvironmentVariable(variable, 'c'))
        for target, base, applied in self.trees():
            folder = self.clone(base.commit)
            git.run(folder, 'quiltimport', '--patches', str(target.folder))
            self.assertSame(target, applied, folder)
            titles = [patch.title for patch in
                      series.Series.load(target).patches]
            self.assertEqual(titles, git.line(
                folder, 'log', '--reverse', '--format=%s',
                base.commit + '..HEAD').split('\n'))

    def test_a_debian_source_package(self):
        self.need('dpkg-source', 'dpkg-dev')
        for target, base, applied in self.trees():
            folder = self.unpack(base, 'nova-1')
            patches = folder / 'debian' / 'patches'
            (folder / 'debian' / 'source').mkdir(parents=True)
            for name, text in _DEBIAN.items():
                (folder / 'debian' / name).write_text(text)
            status, out, err = self.run_keeptrack(
                '--patches', str(test_series.PATCHES), 'export', '--deb',
                '--target', target.name, '--output', str(patches))
            self.assertEqual((0, ''), (status, err))
            (patches / 'series').write_text(out)
            self.succeeds(folder, 'dpkg-source', '--before-build', '.')
            self.assertSame(target, applied, folder)
            self.succeeds(folder, 'dpkg-source', '--after-build', '.')
            shutil.rmtree(folder)

    def test_an_rpm_spec_file(self):
        self.need('rpmbuild', 'rpm')
        for target, base, applied in self.trees():
            top = self.folder / 'rpm'
            for name in ('SOURCES', 'SPECS'):
                (top / name).mkdir(parents=True)
            git.run(applied, 'archive', '--prefix=nova-1/', '-o',
                    str(top / 'SOURCES' / 'nova-1.tar.gz'), base.commit)
            status, out, err = self.run_keeptrack(
                '--patches', str(test_series.PATCHES), 'export', '--rpm',
                '--target', target.name, '--first', '7', '--output',
                str(top / 'SOURCES'))
            self.assertEqual((0, ''), (status, err))
            head, prep = out.split('\n\n')
            # both ways that a spec file may choose
            for words in (prep, '%setup -q -n nova-1\n' + '\n'.join(
                    line.lstrip('#').replace('%%', '%')
                    for line in prep.split('\n') if 'patch -P' in line)):
                spec = top / 'SPECS' / 'nova.spec'
                spec.write_text(_SPEC % (head, words))
                self.succeeds(top, 'rpmbuild', '-bp', '--define',
                              '_topdir %s' % top, str(spec))
                found = next(top.glob('BUILD/**/nova-1/setup.cfg')).parent
                self.assertSame(target, applied, found)
                shutil.rmtree(top / 'BUILD')
            shutil.rmtree(top)
