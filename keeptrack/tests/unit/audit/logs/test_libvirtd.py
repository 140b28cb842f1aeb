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

"""libvirtd's own logs beside those of nova-compute."""

from keeptrack.audit.logs import audit
from keeptrack.audit.logs import libvirtd
from keeptrack.tests.unit.audit.logs import auditing
from keeptrack.tests.unit.audit.logs import written as w

_TIME = '2015-01-23 16:00:%06.3f+0000: 7: '
_BEGIN = _TIME % 0 + 'info : libvirt version: 9.0.0\n' + (
    _TIME % 0 + 'info : hostname: %s.example.org\n')
_TAINT = ("warning : qemuDomainObjTaintMsg:6603 : Domain id=1 name='%s' "
          'uuid=%s is tainted: host-cpu\n')
_NAMELESS = ('error : qemuMigrationJobCheckStatus:1880 : operation failed: '
             'migration out job: unexpectedly failed\n')
_CLOSED = ("error : qemuProcessReportLogError:1971 : internal error: QEMU "
           "unexpectedly closed the monitor (vm='%s'): no memory\n"
           'qemu-system-x86_64: load of migration failed\n')
_NOISE = 'error : virNetSocketReadWire:1793 : End of file while reading data\n'
ONE, OTHER = 'instance-00000001', 'instance-00000002'


class LibvirtdTestCase(auditing.LogsTestCase):

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def write_nova(self):
        for host, lines in (('a', auditing.SOURCE),
                            ('b', auditing.DESTINATION)):
            self.write('logs/%s/nova-compute.log' % host, w.default(lines))

    def look_at(self, *names):
        return audit.run([str(self.folder / name) for name in names],
                         processes=1)

    def moments(self, report):
        return [(one.when - w.BEGIN, one.host, one.what, one.text)
                for one in report.findings[0].moments
                if 'libvirt' in one.what and 'libvirtd.log' in one.source]

    def test_what_it_says_is_shown_beside_a_finding(self):
        self.write_nova()
        before = self.look_at('logs').findings
        self.write('logs/a/libvirtd.log', _BEGIN % 'a' + ''.join((
            _TIME % 0.5 + _TAINT % (OTHER, w.OTHER),
            _TIME % 1 + _NOISE,
            _TIME % 2 + _CLOSED % OTHER,
            _TIME % 3 + _NAMELESS,
            _TIME % 59 + _NAMELESS)))
        self.write('logs/b/libvirtd.log', _BEGIN % 'b' + ''.join((
            _TIME % 1 + _TAINT % (ONE, w.UUID),
            _TIME % 1 + _TAINT % (ONE, w.UUID),
            _TIME % 2 + _CLOSED % ONE)))
        report = self.look_at('logs')
        self.assertEqual(
            [(one.kind, one.certainty, one.hosts, one.why, one.when)
             for one in before],
            [(one.kind, one.certainty, one.hosts, one.why, one.when)
             for one in report.findings])
        self.assertEqual([
            (1, 'b.example.org', 'libvirt has started a QEMU of it'),
            (2, 'b.example.org', 'libvirt reports an error'),
            (3, 'a.example.org', 'libvirt reports an error, it does not say '
             'of which guest')], [one[:3] for one in self.moments(report)])
        self.assertIn('no memory qemu-system-x86_64: load of migration',
                      self.moments(report)[1][3])

    def test_a_domain_whose_uuid_is_not_known_is_named(self):
        self.write_nova()
        self.write('logs/a/libvirtd.log',
                   _BEGIN % 'a' + _TIME % 2 + _CLOSED % OTHER)
        self.assertEqual(
            ['libvirt reports an error of ' + OTHER],
            [one[2] for one in self.moments(self.look_at('logs'))])

    def test_alone_it_is_not_enough(self):
        self.write('logs/a/libvirtd.log', _BEGIN % 'a' + _TIME % 2 + _NAMELESS)
        for name in ('logs', 'logs/a/libvirtd.log'):
            report = self.look_at(name)
            self.assertEqual(2, report.status())
            self.assertEqual(['logs'], [
                one.where for one in report.failures()])
            self.assertIn('libvirtd does not log', report.failures()[0].why)

    def test_a_named_one_is_no_failure(self):
        self.write('nova-compute-b.log', w.default(auditing.DESTINATION))
        self.write('libvirtd.log', _BEGIN % 'b' + _TIME % 2 + _NOISE)
        report = self.look_at('nova-compute-b.log', 'libvirtd.log')
        self.assertEqual((0, []), (report.status(), report.failures()))

    def test_a_log_of_nova_with_such_a_line_is_novas(self):
        self.write('nova-compute-a.log', _BEGIN.encode() + w.default(
            auditing.SOURCE))
        self.write('nova-compute-b.log', w.default(auditing.DESTINATION))
        self.assertEqual(1, self.look_at('nova-compute-a.log',
                                         'nova-compute-b.log').status())

    def test_only_the_last_lines_are_kept(self):
        text = _BEGIN % 'a' + (_TIME % 2 + _NAMELESS) * (libvirtd.KEPT + 9)
        self.write('logs/a/libvirtd.log', text)
        self.write_nova()
        self.assertLess(len(self.moments(self.look_at('logs'))), 50)
