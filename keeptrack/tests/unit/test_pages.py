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

import pathlib
import re

import keeptrack
from keeptrack.tests import base

TOP = pathlib.Path(keeptrack.__file__).resolve().parents[1]


class PagesTestCase(base.TestCase):
    """README.rst and doc/: what they link to is there."""

    def links(self, page):
        """The files that a page links to (set of pathlib.Path)."""
        found = re.findall(r'<([^<>:]+)>`_', page.read_text())
        return {(page.parent / name.strip().partition('#')[0]).resolve()
                for name in found}

    def test_links_lead_somewhere(self):
        for page in [TOP / 'README.rst', *TOP.glob('doc/*.rst')]:
            for path in self.links(page):
                self.assertTrue(path.exists(), '%s: %s' % (page, path))

    def test_every_page_is_reached_and_leads_back(self):
        readme = TOP / 'README.rst'
        for page in TOP.glob('doc/*.rst'):
            self.assertIn(page, self.links(readme))
            self.assertTrue({readme, TOP / 'doc' / 'operators.rst'} &
                            self.links(page), page)
