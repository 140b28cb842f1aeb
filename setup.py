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
import pathlib
import re

import setuptools

_HERE = pathlib.Path(__file__).resolve().parent


def archived_version():
    """The version of an archive of the repository, where pbr finds no git.

    :returns: the tag, what follows it as a development version, or 0.0.0
              where there is no tag (str)
    """
    told = (_HERE / '.archive-version').read_text().strip()
    found = re.fullmatch(r'(\d+\.\d+\.)(\d+)(?:-(\d+)-g[0-9a-f]+)?', told)
    if found is None:
        return '0.0.0'
    line, last, later = found.groups()
    if later is None:
        return line + last
    return '%s%d.dev%s' % (line, int(last) + 1, later)


if not any((_HERE / name).exists() for name in ('.git', 'PKG-INFO')):
    os.environ.setdefault('PBR_VERSION', archived_version())

setuptools.setup(setup_requires=['pbr>=6.0.0'], pbr=True)
