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

"""One line, in all that is put around it."""

import datetime
import json
import zoneinfo

from oslo_log import formatters

from keeptrack.audit.logs import formats
from keeptrack.tests import base
from keeptrack.tests.unit.audit.logs import written as w

NOON = datetime.datetime(2024, 7, 11, 12, 0, 1, 500000,
                         datetime.timezone.utc).timestamp()
TEXT = ('[req-1 u p - - -] [instance: %s] VM Paused (Lifecycle Event)'
        % w.UUID)
LOG = 'INFO nova.compute.manager ' + TEXT
LINE = '2024-07-11 12:00:01.500 7 ' + LOG

# what is put around, and the host that it tells
FRAMES = (
    ('%s', None),
    ('Jul 11 12:00:01 cpt-a nova-compute[7]: %s', 'cpt-a'),
    ('<134>Jul  1 12:00:01 cpt-a nova_compute: %s', 'cpt-a'),
    ('2024-07-11T12:00:01.5+00:00 cpt-a nova-compute[7]: %s', 'cpt-a'),
    ('2024-07-11T12:00:01+0000 cpt-a nova-compute[7]: %s', 'cpt-a'),
    ('Thu 2024-07-11 12:00:01 UTC cpt-a nova-compute[7]: %s', 'cpt-a'),
    ('<134>1 2024-07-11T12:00:01.5Z cpt-a nova-compute 7 - - %s', 'cpt-a'),
    ('<134>1 2024-07-11T12:00:01Z cpt-a n 7 ID [x@1 a="b] c"][y d="e"] %s',
     'cpt-a'),
    ('2024-07-11T12:00:01.500123456Z stderr F %s', None),
    ('2024-07-11T12:00:01.500123456Z %s', None),
    ('[pod/nova-compute-default-x7k2p/nova-compute] %s',
     'pod/nova-compute-default-x7k2p'),
    ('nova_compute_1  | %s', 'nova_compute_1'),
    ('nova-compute-x nova-compute %s', 'nova-compute-x'),
    ('[nova-compute-x] %s', 'nova-compute-x'),
    ('openstack/nova-compute-x[nova-compute]: %s', 'openstack/nova-compute-x'),
    ('cpt-a: %s', 'cpt-a'),
    ('    MESSAGE=%s', None),
    ('logs/cpt-a/nova-compute.log:%s', 'cpt-a'),
    ('logs/cpt-a/nova-compute.log:12:%s', 'cpt-a'),
    ('sosreport-cpt-a-2024-07-11-abcdefg/var/log/messages:Jul 11 12:00:01 '
     'cpt-a nova_compute[9]: %s#033[00m', 'cpt-a'),
    ('nova-compute.log.1.2024-07-11_12:00:00 %s', 'nova-compute.log'),
    ('2024-07-11T12:00:01Z {container="nova", host="cpt-a"} %s', 'cpt-a'),
    ('\x1b[00;36m%s\x1b[00m', None),
)

# the same, where the line is a text in an object
OBJECTS = (
    ({'log': LINE + '\n', 'stream': 'stderr',
      'time': '2024-07-11T12:00:01.500Z'}, None),
    ({'log': LINE, 'kubernetes': {'host': 'cpt-a', 'pod_name': 'x'}}, 'cpt-a'),
    ({'message': LINE, 'host': {'name': 'cpt-a'}, 'log': {'offset': 1},
      '@timestamp': '2024-07-11T15:00:00Z'}, 'cpt-a'),
    ({'labels': {'hostname': 'cpt-a'}, 'line': LINE,
      'timestamp': '2024-07-11T12:00:01.5Z'}, 'cpt-a'),
    ({'_index': 'x', '_source': {'message': LINE, 'Hostname': 'cpt-a'}},
     'cpt-a'),
    ({'Payload': TEXT, 'Hostname': 'cpt-a', 'log_level': 'INFO',
      'Timestamp': '2024-07-11 12:00:01.500', 'Logger': 'openstack.nova',
      'python_module': 'nova.compute.manager'}, 'cpt-a'),
    ({'MESSAGE': LINE, '_HOSTNAME': 'cpt-a',
      '__REALTIME_TIMESTAMP': str(int(NOON * 1e6))}, 'cpt-a'),
)


class FormatsTestCase(base.TestCase):

    def check(self, line, host, what=None):
        found = formats.parse(line.encode())
        self.assertIsNotNone(found, line)
        self.assertEqual(
            (NOON, host, 'INFO', w.UUID, 'VM Paused (Lifecycle Event)'),
            (found.when, found.host, found.level, found.instance,
             found.text.strip('#03[m')), line)

    def test_frames(self):
        for frame, host in FRAMES:
            self.check(frame % LINE, host)

    def test_objects(self):
        for record, host in OBJECTS:
            self.check(json.dumps(record), host)

    def test_frames_around_objects(self):
        for record, host in OBJECTS:
            self.check('2024-07-11T12:00:01.500123456Z stderr F ' +
                       json.dumps(record), host)

    def test_a_line_without_a_time_has_the_frames(self):
        for frame, host in (
                ('2024-07-11T12:00:01.500Z cpt-a nova-compute[7]: %s',
                 'cpt-a'),
                ('2024 Jul 11 12:00:01.500 cpt-a nova-compute[7]: %s',
                 'cpt-a')):
            self.check(frame % LOG, host)
            self.assertIsNone(formats.parse(LOG.encode()))

    def test_a_time_without_a_year_is_not_of_the_future(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        for days in (0, -1, 2, 200):
            then = now + datetime.timedelta(days=days)
            found = formats.parse((then.strftime(
                '%b %d %H:%M:%S cpt-a nova-compute[7]: ') + LOG).encode())
            self.assertTrue(-366 * 86400 < found.when - now.timestamp() <
                            2 * 86400, days)

    def test_a_date_format_with_a_zone(self):
        for time in ('2024-07-11 14:00:01 +0200.500',
                     '2024-07-11T14:00:01+02:00.500',
                     '2024-07-11 14:00:01.500 +0200',
                     '2024-07-11 12:00:01 UTC.500',
                     '2024-07-11T12:00:01.500Z', '2024-07-11 12:00:01,500',
                     '2024/07/11 12:00:01.500'):
            self.check('%s 7 %s' % (time, LOG), None)

    def test_a_format_of_an_operators_own(self):
        for line in (
                '2024-07-11 12:00:01.500 | INFO | nova-compute | %s',
                '[2024-07-11 12:00:01.500] [INFO] nova.compute.manager: %s',
                'INFO 2024-07-11 12:00:01.500 7 nova.compute.manager %s',
                '2024-07-11 12:00:01.500 7 nova.compute.manager INFO %s'):
            self.check(line % TEXT, None)

    def test_the_zone_that_the_frame_tells(self):
        # the line has the host's own time, and the runtime's is UTC
        self.check('2024-07-11T12:00:01.501Z stderr F ' +
                   LINE.replace('12:00:01', '14:00:01'), None)
        # a shipper may read a line hours later
        self.check(json.dumps({'message': LINE, '@timestamp':
                               '2024-07-11T18:00:00Z'}), None)

    def test_oslo_logs_fluent_formatter(self):
        formatter = formatters.FluentFormatter(datefmt='%Y-%m-%d %H:%M:%S')
        formatter.hostname = 'cpt-a'
        record = next(w.records([(0, 'VM Paused (Lifecycle Event)')]))
        found = formats.parse(json.dumps(formatter.format(record)).encode())
        self.assertEqual(
            ('cpt-a', w.UUID, 'VM Paused (Lifecycle Event)'),
            (found.host, found.instance, found.text))

    def test_who_has_two_request_ids(self):
        for ids, is_recent in (('None req-1', True), ('req-2 req-1', True),
                               ('req-1', False), ('-', False)):
            line = '2024-07-11 12:00:01.500 7 INFO nova [%s u p] x' % ids
            self.assertEqual(is_recent,
                             formats.parse(line.encode()).is_recent)

    def test_a_usual_line_is_read_as_in_colour(self):
        # a line with colours is taken apart piece by piece
        for zone in (datetime.timezone.utc, zoneinfo.ZoneInfo('Asia/Kolkata')):
            for ids in ('', '[-] ', '[req-1 u p - - -] ', '[None req-1 u] ',
                        '[req-1 req-2 u p] ', '[instance %s] ' % w.UUID):
                for text in ('VM Paused (Lifecycle Event)', 'a\x00b', '',
                             '[x] y', '[instance: %s] y' % w.UUID, 'e\u0301'):
                    for clock in ('12:00:01.5', '12:00:01.500', '12:00:60.500',
                                  '25:00:01.500', '12:00:59.999'):
                        line = '2024-03-31 %s 7 INFO n.c %s[instance: %s] %s' \
                            % (clock, ids, w.UUID.replace('1', '2'), text)
                        self.assertEqual(*(
                            formats.parse(one.encode(), zone)
                            for one in ('\x1b[00m' + line, line)), line)

    def test_what_is_no_record(self):
        for line in ('said "%s' % LINE, 'x' * 1000, '{' * 1000, LOG,
                     '<134>1 ' * 100 + LINE, json.dumps({'MESSAGE': [1e9]}),
                     json.dumps({'message': {'message': LINE}}),
                     json.dumps([LINE]), 'a/' * 400000,
                     'nova-' + 'a.log' * 200000, '2024-07-11T12:00:01Z {' +
                     'host="' * 100000):
            self.assertIsNone(formats.parse(line.encode()), line)
