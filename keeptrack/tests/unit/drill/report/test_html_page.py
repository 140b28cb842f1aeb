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

import base64
import gzip
import hashlib
from html import parser
import json
import pathlib
import re
import shutil
import subprocess

from keeptrack.drill import faults
from keeptrack.drill.report import html_page
from keeptrack import errors
from keeptrack.tests import base
from keeptrack.tests.unit.drill import sample

HOSTILE = '</script><script>alert(1)</script><img src=x onerror=alert(2)>"\'&'


class Reader(parser.HTMLParser):
    """Takes a page apart."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.text = [], [], []
        self.scripts, self.cells = [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ('meta', 'rect'):
            self.open.append(tag)
        if tag == 'td':
            self.cells.append((dict(attrs)['data-tree'], []))

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, 'unbalanced %s' % tag

    def handle_data(self, data):
        if self.open and self.open[-1] == 'script':
            self.scripts.append((self.tags[-1][1], data))
        elif self.open and self.open[-1] != 'style':
            self.text.append(data)
            if self.cells and 'td' in self.open:
                self.cells[-1][1].append(data)

    def blocks(self):
        return {attrs['id']: json.loads(gzip.decompress(
            base64.b64decode(data, validate=True)))
            for attrs, data in self.scripts if 'id' in attrs}


class PageTestCase(base.TestCase):

    def read(self, results):
        path = self.folder / 'page.html'
        html_page.write_html(results, path)
        self.page = path.read_text(encoding='utf-8')
        reader = Reader(self.page)
        self.assertEqual([], reader.open)
        return reader

    def test_the_matrix_stands_without_a_script(self):
        results = sample.results(3)
        reader = self.read(results)
        self.assertEqual(3 * (1 + len(faults.FAULTS)), len(reader.cells))
        text = ' '.join(reader.text)
        for fault in results['faults']:
            self.assertIn(fault['title'], text)
        for words in ('juno-eol', 'juno-eol + series', '7dd6a4a', '2014.2.4',
                      'with the series', 'without the series',
                      '2026-11-23T22:00:00Z', 'libvirt 9.0.0', 'kvm yes',
                      '%d: %d faults, 3 trees' % (
                          9 * len(faults.FAULTS), len(faults.FAULTS))):
            self.assertIn(words, text)
        links = [attrs['href'] for tag, attrs in reader.tags if tag == 'a']
        self.assertIn('#cell-0-0', links)
        self.assertIn('#cell-22-2', links)

    def test_a_cell_tells_its_counts(self):
        results = sample.results(1, sample.TREES[:1], faults.FAULTS[:1])
        results['runs'] = [
            {'tree': 'juno-eol', 'fault': 'none', 'verdict': verdict,
             'unseen': verdict == 'lost', 'timeline': []}
            for verdict in ['right'] * 6 + ['parked'] * 5 + ['wrong'] * 4 +
            ['lost'] * 3 + ['split brain'] * 2 + ['not run']]
        reader = self.read(results)
        told = ['R', '6', 'P', '5', 'S', '2', 'W', '4', 'L', '3',
                '3 unseen · 1 not run']
        self.assertEqual([('juno-eol', told)] * 2, reader.cells)
        labels = [attrs['aria-label'] for tag, attrs in reader.tags
                  if tag == 'a' and 'aria-label' in attrs]
        self.assertEqual(['no fault on juno-eol: 6 right, 5 parked, 2 split '
                          'brain, 4 wrong, 3 lost, 1 not run'], labels)

    def test_a_cell_without_runs(self):
        results = sample.results(1, sample.TREES[:2], faults.FAULTS[:1])
        del results['runs'][1:]
        reader = self.read(results)
        self.assertEqual([['no runs']] * 2,
                         [told for tree, told in reader.cells
                          if tree == 'juno-eol + series'])
        self.assertEqual({'data-summary', 'data-cell-0-0'},
                         set(reader.blocks()))

    def test_no_runs_at_all(self):
        results = sample.results(0, (), ())
        self.assertEqual(['data-summary'], list(self.read(results).blocks()))

    def test_every_run_and_event_is_there(self):
        results = sample.results(2)
        blocks = self.read(results).blocks()
        summary = blocks['data-summary']
        self.assertEqual(
            [{key: value for key, value in run.items() if key != 'timeline'}
             for run in results['runs']], summary['runs'])
        fault_names = [fault['name'] for fault in results['faults']]
        tree_names = [tree['name'] for tree in results['trees']]
        for index, run in enumerate(results['runs']):
            events = blocks['data-cell-%d-%d' % (
                fault_names.index(run['fault']),
                tree_names.index(run['tree']))][str(index)]
            self.assertEqual(
                [(event['t'], event['where'], event['lane'], event['what'],
                  event['text'], event['data']) for event in run['timeline']],
                [tuple(event) + ('', {})[len(event) - 4:]
                 for event in events])

    def test_nothing_of_the_data_is_markup(self):
        results = sample.results(1, sample.TREES[:2], faults.FAULTS[:1])
        results['made'] = HOSTILE
        results['machine'] = {HOSTILE: HOSTILE}
        results['faults'][0]['title'] = HOSTILE
        for tree in results['trees']:
            tree.update(name=tree['name'] + HOSTILE, release=HOSTILE,
                        commit=HOSTILE)
        for run in results['runs']:
            run.update(tree=run['tree'] + HOSTILE, why=HOSTILE)
            run['timeline'][0].update(text=HOSTILE, lane=HOSTILE,
                                      data={HOSTILE: HOSTILE})
        reader = self.read(results)
        self.assertNotIn('<img', self.page)
        self.assertNotIn('alert(', ''.join(
            data for attrs, data in reader.scripts))
        self.assertIn(HOSTILE, reader.text)

    def test_only_the_page_itself_is_let_run(self):
        reader = self.read(sample.results(1))
        policy = [attrs['content'] for tag, attrs in reader.tags
                  if attrs.get('http-equiv') == 'Content-Security-Policy']
        scripts = [data for attrs, data in reader.scripts if not attrs]
        self.assertEqual((1, 1), (len(policy), len(scripts)))
        digest = base64.b64encode(hashlib.sha256(
            scripts[0].encode()).digest()).decode()
        self.assertIn("script-src 'sha256-%s'" % digest, policy[0])
        self.assertTrue(policy[0].startswith("default-src 'none'"))
        for tag, attrs in reader.tags:
            self.assertFalse({'style', 'src', 'srcset'} & set(attrs), tag)
            self.assertEqual([], [name for name in attrs
                                  if name.startswith('on')])
            self.assertNotEqual('link', tag)
        # the name of SVG is no address that is asked for
        self.assertEqual({'http://www.w3.org/2000/svg'}, set(re.findall(
            r'https?://[^\s"\')]*', self.page)))
        self.assertNotIn('innerHTML', self.page)

    def test_what_is_harm_is_what_the_verdict_says(self):
        node = shutil.which('node')
        if node is None:
            self.skipTest('there is no node')
        events = [{'t': 1, 'where': 'source', 'lane': 'guest',
                   'what': 'running', 'text': '', 'data': {}}] + [
            {'t': 2, 'where': 'source', 'lane': 'teardown', 'what': what,
             'text': '', 'data': data}
            for what, data in (('spared', {}), ('harmed', {'harm': 'I1'}))]
        folder = pathlib.Path(html_page.__file__).parent / 'assets'
        script = ''.join((folder / name).read_text()
                         for name in ('dom.js', 'history.js', 'lanes.js'))
        told = subprocess.run(
            [node, '-e', script + (
                'console.log(JSON.stringify(itemLane(new Past(%s), "teardown",'
                ' "source").items.map((item) => item.harm)))' %
                json.dumps(events))], capture_output=True, text=True)
        self.assertEqual(('[false,true]\n', ''), (told.stdout, told.stderr))

    def test_the_same_results_make_the_same_page(self):
        self.assertEqual(html_page.page(sample.results(1)),
                         html_page.page(sample.results(1)))

    def test_many_runs_make_a_page_of_some_megabytes(self):
        results = sample.results(22, noise=50)
        self.assertGreater(len(results['runs']), 1500)
        self.assertLess(len(html_page.page(results)), 15e6)

    def test_a_page_that_cannot_be_written(self):
        exc = self.assertRaises(
            errors.KeeptrackError, html_page.write_html, sample.results(1),
            self.folder / 'none' / 'page.html')
        self.assertIn('cannot write', str(exc))
