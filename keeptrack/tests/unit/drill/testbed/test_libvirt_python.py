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


import os
from unittest import mock
from xml.etree import ElementTree

from keeptrack.drill.testbed import libvirt_python
from keeptrack import errors
from keeptrack.tests import base

API = '''\
<?xml version="1.0" encoding="UTF-8"?>
<api name='libvirt'>
  <files>
    <file name='libvirt-common'>
     <summary>what is common</summary>
     <exports symbol='OLD' type='macro'/>
     <exports symbol='NEW_CONSTANT' type='enum'/>
     <exports symbol='virOld' type='function'/>
     <exports symbol='virNew' type='function'/>
    </file>
  </files>
  <symbols>
    <macro name='OLD' file='libvirt-common' params='a,b' version='1.2.0'>
      <info><![CDATA[Old <b>.]]></info>
      <arg name='a' info='first'/>
    </macro>
    <enum name='NEW_CONSTANT' file='x' value='3' type='y' version='9.0.0'/>
    <enum name='OLD_CONSTANT' file='x' value='3' type='y' version='5.10.0'/>
    <typedef name='t' file='x' type='enum'/>
    <struct name='s' file='x' type='struct _s' version='0.1.0'>
      <field name='f' type='int' info=''/>
    </struct>
    <function name='virNew' file='x' module='x' version='5.10.1'>
      <info><![CDATA[New.]]></info>
      <return type='int' info='0'/>
    </function>
    <function name='virOld' file='x' module='x' version='0.1.0'>
      <info><![CDATA[Old.]]></info>
      <return type='int' info='0'/>
    </function>
  </symbols>
</api>
'''


class WithoutNewerTestCase(base.TestCase):

    def names(self, newest):
        tree = ElementTree.fromstring(
            libvirt_python.without_newer(API, newest))
        return ([each.get('symbol') for each in tree.iter('exports')],
                [each.get('name') for each in tree.find('symbols')])

    def test_what_is_newer_goes(self):
        exports, symbols = self.names('5.10.0')
        self.assertEqual(['OLD', 'virOld'], exports)
        self.assertEqual(['OLD', 'OLD_CONSTANT', 't', 's', 'virOld'], symbols)

    def test_versions_are_no_text(self):
        self.assertEqual(['OLD', 'OLD_CONSTANT', 't', 's', 'virNew',
                          'virOld'], self.names('5.11.0')[1])
        self.assertEqual(['t', 's', 'virOld'], self.names('1.1.9')[1])

    def test_nothing_newer(self):
        self.assertEqual(API, libvirt_python.without_newer(API, '9.0.0'))


class MachineTestCase(base.TestCase):

    def setUp(self):
        super().setUp()
        self.path = self.folder / 'bin'
        self.path.mkdir()
        patch = mock.patch.dict(os.environ, PATH=str(self.path))
        patch.start()
        self.addCleanup(patch.stop)

    def command(self, name, script):
        path = self.path / name
        path.write_text('#!/bin/sh\n%s\n' % script)
        path.chmod(0o755)

    def pkg_config(self):
        api = self.folder / 'api'
        api.mkdir()
        for name in ('libvirt', 'libvirt-qemu', 'libvirt-lxc'):
            (api / (name + '-api.xml')).write_text(API)
            (api / (name + '.pc')).write_text(
                'prefix=/usr\n%s_api=%s/%s-api.xml\nLibs: -lvirt\n' % (
                    name.replace('-', '_'), api, name))
        self.command('gcc', 'true')
        self.command('pkg-config', '''\
case $1 in
    --exists) exit 0;;
    --modversion) echo 9.0.0;;
    --variable=pcfiledir) echo %(api)s;;
    --variable=*_api) echo %(api)s/$2-api.xml;;
esac''' % {'api': api})

    def test_what_is_missing_is_said_in_one_line(self):
        exc = self.assertRaises(errors.KeeptrackError, libvirt_python.Binding)
        self.assertIn('without gcc and pkg-config: install', str(exc))
        self.assertEqual(1, len(str(exc).splitlines()))
        self.command('gcc', 'true')
        self.command('pkg-config', 'exit 1')
        exc = self.assertRaises(errors.KeeptrackError, libvirt_python.Binding)
        self.assertIn('without libvirt-dev: install', str(exc))

    def test_lay_out(self):
        self.pkg_config()
        folder = self.folder / 'filtered'
        folder.mkdir()
        libvirt_python.lay_out(folder, '5.10.0')
        self.assertEqual(libvirt_python.without_newer(API, '5.10.0'),
                         (folder / 'libvirt-qemu-api.xml').read_text())
        self.assertEqual(
            'prefix=/usr\nlibvirt_api=%s/libvirt-api.xml\nLibs: -lvirt\n' %
            folder, (folder / 'libvirt.pc').read_text())

    def test_an_older_one_is_built_against_the_copies(self):
        self.pkg_config()
        calls = []

        def run(*command, **variables):
            calls.append(command)
            self.assertTrue(os.path.exists(os.path.join(
                variables['PKG_CONFIG_PATH'].split(':')[0], 'libvirt.pc')))
        one = libvirt_python.Binding('5.10.0')
        one.install('/env/python', run)
        self.assertEqual('/env/python', calls[0][0])
        self.assertEqual('libvirt-python==5.10.0', calls[0][-1])
        self.assertEqual(b'libvirt-python 5.10.0 on 9.0.0', one.told)

    def test_one_as_new_as_libvirt_is_built_as_it_is(self):
        self.pkg_config()
        calls = []
        libvirt_python.Binding().install(
            '/env/python', lambda *command, **variables: calls.append(
                (command[-1], variables)))
        self.assertEqual([('libvirt-python==9.0.0', {})], calls)
