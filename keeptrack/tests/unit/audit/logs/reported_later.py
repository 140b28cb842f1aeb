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

"""Further logs, rebuilt from public reports after the rules were made.

As those of reported.py: names and ids are replaced, the messages are Nova's
own formats, and the verdict was written before the audit read the log. Where
it was wrong in the first run, a comment says so.
"""

import gzip
import json

from keeptrack.tests.unit.audit.logs import reported as r

Case, hosts, plain = r.Case, r.hosts, r.plain

_MANAGER = 'nova/compute/manager.py, '
_DRIVER = 'nova/virt/libvirt/driver.py, '
_EVACUATED = ('Destroying instance as it has been evacuated from this host '
              'but still exists in the hypervisor')
_RENAMED = 'Deleting instance as its host (cpt-a) is not equal to our host ' \
           '(cpt-a.example.org).'
_FILES = 'Deleting instance files /var/lib/nova/instances/%s_del' % r.UUID
_DELETION = ('Deletion of /var/lib/nova/instances/%s_del ' % r.UUID)
_REMAIN = r.MOVED.replace('{}', "{'resources': {'VCPU': 2, 'MEMORY_MB': "
                          "4096}}")
_POST_COPY = 'VM Postcopy started (Lifecycle Event)'


def _old(lines):
    """Folsom's time stamps: neither milliseconds nor a process."""
    return plain(lines, '%(iso)s ERROR nova.compute.manager [-] %(text)s',
                 '').replace('T22:', ' 22:').replace('T23:', ' 23:')


MOVES = (
    Case('name-not-resolved', 'github.com/rcbops/chef-cookbooks issue 258',
         r.NONE, {'cpt-a/nova-compute.log': _old(
             [(0, 'Live Migration failure: operation failed: Failed to '
               'connect to remote libvirt URI qemu+tcp://cpt-b/system')])}),
    Case('disk-path-exists', 'github.com/rcbops/chef-cookbooks issue 262',
         r.NONE, {'cpt-a/nova-compute.log': _old(
             [(0, 'During wait destroy, instance disappeared.')]),
             'cpt-b/nova-compute.log': _old(
             [(1, 'Exception during message handling')])}),
    Case('destination-closed-its-qemu', 'bug 1535232', r.NONE, hosts(
        [(5, 'Live Migration failure: internal error: early end of file from '
          'monitor, possible problem: load of migration failed'),
         (5.3, r.ABORTED)],
        [(1, r.STARTED), (5.1, r.STOPPED), (6, r.DESTROYED)])),
    Case('volume-not-prepared', 'github.com/emc-openstack/vnx-direct-driver '
         'issue 4', r.NONE, hosts(
             [(3, 'Pre live migration failed at cpt-b')],
             [(2, 'Exception during message handling: VolumeDeviceNotFound')],
         )),
    Case('qemu-closed-the-monitor', 'devopsaitoolkit.com, live migration '
         'failure', r.NONE, hosts(
             [(-2, r.BEGAN), (30, 'Live Migration failure: internal error: '
                              'qemu unexpectedly closed the monitor'),
              (30.4, r.ABORTED)],
             [(1, r.STARTED), (29.9, r.STOPPED)], context=r._RECENT)),
    Case('kubectl-good', 'platform9.com, virtual machine migration issues',
         r.NONE, r.one_file('[pod/nova-compute-%(host)s/nova-compute] '
                            '%(line)s', a=r.GOOD_A, b=r.GOOD_B)),
    Case('aborted-by-an-operator', 'docs of OSP 13, aborting live migration',
         r.NONE, hosts(
             [(-2, r.BEGAN), (200, 'Live Migration failure: operation '
                              'aborted: migration out: canceled by client'),
              (200.2, 'Migration operation was cancelled')],
             [(1, r.STARTED), (200.1, r.STOPPED)])),
    Case('forced-to-complete', 'docs of OSP 16, forcing live migration',
         r.NONE, hosts(
             [(-2, r.BEGAN), (300, r.PAUSED), (330, r.COMPLETED),
              (330.1, r.POSTED), (333, r.FINISHED), (345, r.STOPPED)],
             [(1, r.STARTED), (329.9, r.RESUMED), (331, r.POSTED_THERE)])),
    Case('guest-powers-off-meanwhile', 'github.com/autotest/tp-libvirt pull '
         'request 4738', r.NONE, hosts(
             [(-2, r.BEGAN), (20, 'Live Migration failure: operation failed: '
                              'domain is not running'), (20.4, r.ABORTED),
              (35, r.STOPPED), (35.3, r.POWER % 4), (35.4, r.SHUT_OFF)],
             [(1, r.STARTED), (19.9, r.STOPPED)])),
    Case('paused-guest-moves', 'github.com/autotest/tp-libvirt pull request '
         '3418', r.NONE, hosts(
             [(-60, r.PAUSED), (-2, r.BEGAN), (20, r.COMPLETED),
              (20.1, r.POSTED), (23, r.FINISHED), (35, r.STOPPED)],
             [(1, r.STARTED), (20, r.PAUSED), (22, r.POSTED_THERE)])),
    Case('destination-libvirtd-restarted', 'a drill: libvirtd ends the '
         'incoming domain, and Nova finishes all the same', 'lost', hosts(
             [(-2, r.BEGAN), (5, r.FAILURE), (7, r.POSTED), (8, r.FINISHED),
              (9, r.STOPPED)],
             [(8, r.POSTED_THERE), (9, 'Paused i' + r.SHUT_OFF[1:]),
              (9.1, r.DESTROYED)])),
    Case('hard-rebooted-at-once', _MANAGER + 'reboot_instance', r.NONE, {
        'cpt-a/nova-compute.log': plain(r.STAYED_A + [
            (13, r.DESTROYED), (15, r.STARTED), (15.3, r.RESUMED),
            (28, r.STOPPED)])}),
    Case('suspended-minutes-later', _MANAGER + 'suspend_instance', r.NONE, {
        'cpt-a/nova-compute.log': plain(r.STAYED_A + [
            (178, r.STOPPED), (210, r.STARTED), (210.3, r.RESUMED)])}),
    Case('lost-and-moved-on', 'bug 1414065, a record that an operator has '
         'corrected', 'lost', {
             'cpt-a/nova-compute.log': plain(r.LOST_A),
             'cpt-b/nova-compute.log': plain(r.LOST_B[:2] + [
                 (second + 200, text.replace('cpt-b', 'cpt-c'))
                 for second, text in r.GOOD_A]),
             'cpt-c/nova-compute.log': plain([
                 (second + 200, text) for second, text in r.GOOD_B])}),
    Case('post-copy-network-lost', 'github.com/kubevirt/'
         'hyperconverged-cluster-operator pull request 2774; ' + _DRIVER +
         'Train', 'post-copy-failed', hosts(
             [(-2, r.BEGAN), (60, _POST_COPY),
              (80, "Live Migration failure: operation failed: job 'migration "
               "out' failed in post-copy phase"), (80.4, r.ABORTED)],
             [(1, r.STARTED), (60.2, r.RESUMED), (80.1, r.PAUSED)])),
    Case('post-copy-network-lost-source-only', _DRIVER + 'Train',
         'post-copy-failed', {'cpt-a/nova-compute.log': plain(
             [(-2, r.BEGAN), (60, _POST_COPY),
              (80, "Live Migration failure: operation failed: job 'migration "
               "out' failed in post-copy phase"), (80.4, r.ABORTED)])}),
    Case('post-copy-error-after-it-has-moved', 'bug 1414065; ' + _DRIVER +
         'Train', 'lost', hosts(
             [(-2, r.BEGAN), (60, _POST_COPY), (90, r.FAILURE),
              (90.4, r.ABORTED), (105, r.STOPPED)],
             [(1, r.STARTED), (60.2, r.RESUMED)])),
)

HARM = (
    Case('host-was-renamed', 'nova-specs, liberty/robustify_evacuate; ' +
         _MANAGER + 'Kilo', 'ended-at-start', {
             'cpt-a/nova-compute.log': plain(
                 [(-200, r.STARTED), (-199, r.RESUMED), (0, _RENAMED),
                  (2, r.DESTROYED), (3, _FILES), (3.1, _DELETION +
                                                  'complete'),
                  (17, r.STOPPED)])}),
    Case('evacuated-and-the-host-returns', 'danplanet.com, evacuate in nova',
         r.NONE, {
             'cpt-a/nova-compute.log': plain(
                 [(-250, r.STARTED), (-249, r.RESUMED), (1200, _EVACUATED),
                  (1201, r.DESTROYED), (1202, _FILES)]),
             'cpt-b/nova-compute.log': plain(
                 [(600, r.EVACUATING), (610, r.STARTED), (611, r.RESUMED)])}),
    Case('the-host-returns-source-only', 'danplanet.com, evacuate in nova',
         r.NONE, {'cpt-a/nova-compute.log': plain(
             [(-250, r.STARTED), (-249, r.RESUMED), (1200, _EVACUATED),
              (1201, r.DESTROYED), (1202, _FILES)])}),
    Case('evacuated-brought-back-and-ended', _MANAGER + 'Train: an evacuation '
         'that stays "done" until the next start', 'ended-at-start', {
             'cpt-b/nova-compute.log': plain(
                 [(0, r.EVACUATING), (10, r.STARTED), (11, r.RESUMED),
                  (318, r.PAUSED), (320, r.COMPLETED), (320.1, r.POSTED),
                  (323, 'Migrating instance to cpt-a finished '
                   'successfully.'), (335, r.STOPPED)]),
             'cpt-a/nova-compute.log': plain(
                 [(301, r.STARTED), (319.9, r.RESUMED),
                  (322, r.POSTED_THERE), (1200, _EVACUATED),
                  (1201, r.DESTROYED), (1202, _FILES), (1216, r.STOPPED)])}),
    Case('folder-could-not-be-deleted', _DRIVER + 'delete_instance_files',
         'files-left', {'cpt-a/nova-compute.log': plain(
             [(0, r.DELETING), (2, r.DESTROYED), (3, _FILES),
              (3.5, _DELETION + 'failed'), (900, _FILES),
              (900.5, _DELETION + 'failed')])}),
    Case('folder-was-deleted-later', _DRIVER + 'delete_instance_files',
         r.NONE, {'cpt-a/nova-compute.log': plain(
             [(0, r.DELETING), (2, r.DESTROYED), (3, _FILES),
              (3.5, _DELETION + 'failed'), (900, _FILES),
              (900.5, _DELETION + 'complete')])}),
    Case('files-deleted-under-a-guest', _DRIVER + 'cleanup, a shared folder '
         'taken for a local one', 'disks-deleted', {
             'cpt-b/nova-compute.log': plain(
                 [(-100, r.STARTED), (-99, r.RESUMED), (600, _FILES),
                  (600.2, _DELETION + 'complete')])}),
    Case('allocations-on-two', 'nova-specs, queens/migration-allocations; '
         'nova/compute/resource_tracker.py, Pike', 'allocated-twice', {
             'cpt-a/nova-compute.log': plain(r.GOOD_A + [
                 (at, _REMAIN) for at in range(120, 1400, 60)])}),
    Case('migrating-with-no-job', _MANAGER + '_sync_power_states',
         'migrating-long', {'cpt-a/nova-compute.log': plain(
             [(at, 'During sync_power_state the instance has a pending task '
               '(migrating). Skip.') for at in range(0, 7300, 600)],
             last=7500)}),
)


def _csv(host, lines):
    return 'time,host,message\n' + ''.join(
        '"Jul 11, 2024 @ %s",%s,"%s"\n' % (
            line[11:23], host, line.replace('"', '""'))
        for line in plain(lines).splitlines())


def _vector(host):
    return lambda second, message: {
        'file': '/var/log/nova/nova-compute.log', 'host': host,
        'message': r._line(second, message), 'source_type': 'file',
        'timestamp': r._time(second).isoformat()}


def _datadog(host):
    return lambda second, message: {
        'id': 'x', 'type': 'log', 'attributes': {
            'host': host, 'message': r._line(second, message),
            'timestamp': r._time(second).isoformat()}}


def _rotated(host, lines):
    whole = plain(lines).splitlines(True)
    first = len(whole) // 3
    return {'%s/nova/nova-compute.log.1.gz' % host:
            gzip.compress(''.join(whole[:first]).encode(), mtime=0),
            '%s/nova/nova-compute.log' % host: ''.join(whole[first:])}


def _other(lines):
    """The lines of another instance."""
    return plain(lines).replace(r.UUID, r.UUID.replace('abc', 'def'))


# The first run did not understand the CSV, Datadog's and Fluent Bit's, and
# said so; Logstash's it took for the log of one host, and found nothing.
# Fluent Bit's stdout stays refused.
FORMATS = (
    Case('kibana-csv', 'elastic.co, CSV reports', 'lost', {
        'all.csv': _csv('cpt-a', r.LOST_A) + _csv('cpt-b', r.LOST_B)}),
    Case('kibana-csv-a-host', 'elastic.co, CSV reports', 'lost', {
        'cpt-a/nova-compute.csv': _csv('cpt-a', r.LOST_A),
        'cpt-b/nova-compute.csv': _csv('cpt-b', r.LOST_B)}),
    Case('vector', 'vector.dev, file source', 'lost', r.jsons(_vector)),
    Case('datadog', 'docs.datadoghq.com, logs API', 'lost',
         r.jsons(_datadog)),
    Case('fluent-bit-stdout', 'docs.fluentbit.io, stdout output',
         r.NOT_UNDERSTOOD, {'all.txt': ''.join(
             '[0] nova.compute: [1720735800.000000000, {"log"=>"%s", '
             '"host"=>"%s"}]\n' % (line, host)
             for host, lines in (('cpt-a', r.LOST_A), ('cpt-b', r.LOST_B))
             for line in plain(lines).splitlines())}),
    Case('openstack-ansible', 'docs.openstack.org, openstack-ansible, logs',
         'lost', {
             'openstack/log/cpt-a/nova/nova-compute.log': plain(r.LOST_A),
             'openstack/log/cpt-b/nova/nova-compute.log': plain(r.LOST_B)}),
    Case('rotated-in-between', 'logrotate', 'lost', {
        **_rotated('cpt-a', r.LOST_A), **_rotated('cpt-b', r.LOST_B)}),
    Case('one-of-two-guests', 'bug 1414065', 'lost', {
        'cpt-a/nova-compute.log': plain(r.LOST_A) + _other(r.GOOD_A),
        'cpt-b/nova-compute.log': plain(r.LOST_B) + _other(r.GOOD_B)}),
    Case('clocks-apart', 'bug 1414065, NTP not running', 'lost', hosts(
        r.LOST_A, [(second - 4, text) for second, text in r.LOST_B])),
    Case('rsyslog-escapes', 'rsyslog.com, escape of control characters',
         'lost', r.framed('%(syslog)s %(host)s nova-compute: %(line)s#012')),
    Case('docker-compose-v2', 'docs.docker.com, docker compose logs -t',
         'lost', r.one_file('%(host)s  | %(iso)s.000000000Z %(line)s')),
    Case('logs-of-a-pod-in-a-folder', 'must-gather of OpenShift', 'lost', {
        'must-gather/namespaces/openstack/pods/nova-compute-%s/nova-compute/'
        'nova-compute/logs/current.log' % host: ''.join(
            '%s' % line for line in plain(
                lines, '%(iso)s.000000000Z %(line)s').splitlines(True))
        for host, lines in (('cpt-a', r.LOST_A), ('cpt-b', r.LOST_B))}),
    Case('sos-in-messages-with-priority', 'systemd, journalctl -o '
         'short-iso-precise', 'lost', r.framed(
             '%(iso)s.000000+0000 %(host)s nova-compute[77]: %(line)s')),
    Case('logstash-plain-codec', 'elastic.co, logstash line codec', 'lost',
         r.one_file('%(iso)s.000Z %(host)s %(line)s')),
)

_BOTH = (('cpt-a', r.LOST_A), ('cpt-b', r.LOST_B))


def _objects(make):
    """Of each line, one object: what it is called, host and second, line."""
    return [make(host, r._time(second), r._line(second, message))
            for host, lines in _BOTH for second, message in r._moments(lines)]


def _export(make, name='all.json'):
    return {name: ''.join(json.dumps(one) + '\n' for one in _objects(make))}


def _ns(when):
    return '%d' % (when.timestamp() * 1e9)


def _otlp(host, when, line):
    return {'resourceLogs': [{
        'resource': {'attributes': [
            {'key': 'host.name', 'value': {'stringValue': host}}]},
        'scopeLogs': [{'logRecords': [
            {'timeUnixNano': _ns(when), 'body': {'stringValue': line}}]}]}]}


def _hit(host, when, line):
    return {'_index': 'x', '_source': {
        'Payload': line, 'Hostname': host, '@timestamp': when.isoformat()}}


def _grafana(host, when, line):
    return {'line': line, 'timestamp': _ns(when), 'fields': {'host': host}}


def _journal(host, when, line):
    return {'MESSAGE': line, '_HOSTNAME': host,
            '__REALTIME_TIMESTAMP': '%d' % (when.timestamp() * 1e6)}


def _under(lines, head):
    return {'all.txt': ''.join(head % host + '\n' + plain(one)
                               for host, one in lines)}


def _instance_as(form):
    return {'%s/nova-compute.log' % host: plain(lines).replace(
        '[instance: %s] ' % r.UUID, form) for host, lines in _BOTH}


# Without a comment: the first run had them right. Found nothing in silence:
# the two in one file, those of syslog-ng, rsyslog's template, OpenTelemetry,
# Graylog, fluentd's file and the two instance formats. Refused: all others.
EXPORTS = (
    Case('stern', 'github.com/stern/stern', 'lost', r.one_file(
        'nova-compute-default-%(host)s nova-compute %(line)s')),
    Case('pdsh', 'github.com/chaos/pdsh', 'lost', r.one_file(
        '%(host)s: %(line)s')),
    Case('fuel', 'docs of Fuel 6, remote logs', 'lost', r.framed(
        '%(iso)s.000000+00:00 info:  %(line)s', '%s/nova-compute.log')),
    Case('fuel-nova-all', 'docs of Fuel 6, remote logs', 'lost', r.framed(
        '<183>%(syslog)s %(host)s nova-compute %(line)s', '%s/nova-all.log')),
    Case('fluentd-file', 'docs.fluentd.org, out_file', 'lost', {
        'nova.log': ''.join('%s\tnova.compute\t%s\n' % (
            when.isoformat(), json.dumps({'Payload': line, 'Hostname': host}))
            for host, when, line in _objects(lambda *one: one))}),
    Case('splunk', 'docs.splunk.com, export as JSON', 'lost', _export(
        lambda host, when, line: {'preview': False, 'result': {
            '_raw': line, '_time': when.isoformat(), 'host': host}})),
    Case('google-cloud', 'cloud.google.com, gcloud logging read', 'lost',
         _export(lambda host, when, line: {
             'textPayload': line, 'timestamp': when.isoformat(),
             'labels': {'node_name': host}})),
    Case('syslog-ng', 'syslog-ng, format-json', 'lost', _export(
        lambda host, when, line: {'PROGRAM': 'nova-compute', 'MESSAGE': line,
                                  'HOST': host, 'DATE': 'Jul 11 22:10:00'})),
    Case('rsyslog-json', 'rsyslog.com, a template of JSON', 'lost', _export(
        lambda host, when, line: {'@timestamp': when.isoformat(),
                                  'host': host, 'message': ' ' + line})),
    Case('opentelemetry', 'opentelemetry.io, logs', 'lost', _export(
        lambda host, when, line: {'body': line, 'resource': {
            'host.name': host}, 'timestamp': when.isoformat()})),
    Case('otlp', 'opentelemetry.io, OTLP', 'lost', _export(_otlp, 'q.json')),
    Case('graylog', 'go2docs.graylog.org, export', 'lost', _export(
        lambda host, when, line: {'message': line, 'source': host,
                                  'timestamp': when.isoformat()})),
    Case('loki-answer', 'grafana.com, query_range', 'lost', {
        'q.json': json.dumps({'status': 'success', 'data': {'result': [
            {'stream': {'host': host}, 'values': [
                [_ns(r._time(second)), r._line(second, message)]
                for second, message in r._moments(lines)]}
            for host, lines in _BOTH]}})}),
    Case('elasticsearch-answer', 'elastic.co, search API', 'lost', {
        'q.json': json.dumps({'took': 1, 'hits': {'hits': _objects(_hit)}})}),
    Case('elasticsearch-pretty', 'elastic.co, search API', 'lost', {
        'q.json': json.dumps({'hits': {'hits': _objects(_hit)}}, indent=2)}),
    Case('grafana-list', 'grafana.com, inspector', 'lost', {
        'q.json': json.dumps(_objects(_grafana), indent=2)}),
    Case('journal-json-pretty', 'systemd, journalctl -o json-pretty', 'lost',
         {'q.json': ''.join(json.dumps(one, indent=8) + '\n'
                            for one in _objects(_journal))}),
    Case('pods-of-all-hosts', 'kubernetes.io, /var/log/containers', 'lost', {
        'containers/nova-compute-default-%s_openstack_nova-compute-%s.log' % (
            pod, 8 * pod): plain(lines, '%(iso)s.0Z stderr F %(line)s')
        for pod, (_, lines) in zip(('fc5s4', '9xk2p'), _BOTH)}),
    Case('two-time-zones', 'oslo.log writes local time', r.NOT_UNDERSTOOD,
         hosts([(second + 3600, text) for second, text in r.LOST_A], r.LOST_B,
               last=5400)),
    Case('tail-of-two', 'coreutils, tail a b', r.NOT_UNDERSTOOD,
         _under(_BOTH, '==> %s/nova-compute.log <==')),
    Case('ansible', 'docs.ansible.com, ad hoc', r.NOT_UNDERSTOOD,
         _under(_BOTH, '%s | CHANGED | rc=0 >>')),
    Case('own-instance-format', 'oslo.log, instance_format', 'lost',
         _instance_as('[instance-00000012 %s] ' % r.UUID)),
    Case('no-instance-format', 'oslo.log, instance_format',
         r.NOT_UNDERSTOOD, _instance_as('')),
    Case('gb18030', 'a host whose locale is zh_CN.GB18030', r.NOT_UNDERSTOOD,
         {'cpt-a/nova-compute.log': plain([(0, 'VM 已暂停 (生命周期事件)')])
          .encode('gb18030')}),
    Case('unknown-language-throughout', 'a catalogue of a vendor',
         r.NOT_UNDERSTOOD, {'cpt-a/nova-compute.log': plain(
             [(0, 'VM Zatrzymano (Zdarzenie cyklu)')])}),
    Case('warnings-only', 'oslo.log, a level of warning', 'lost', {
        name: text.replace(' INFO ', ' WARNING ') for name, text in hosts(
            [(71, r.FAILURE), (71.4, r.ABORTED), (86, r.SHUT_OFF)],
            []).items()}),
    Case('destination-only', _MANAGER + '_sync_instance_power_state', 'lost',
         {'cpt-b/nova-compute.log': plain(r.LOST_B + [
             (900, r.RECORD_AT_A)])}),
)

_SEEN = ('Live migration to cpt-b: the guest is %s (libvirt) on cpt-a and %s '
         '(libvirt) on cpt-b. Nova will %s.')
_FINISH = _SEEN % ('absent', 'running', 'finish the migration')
_ROLL_BACK = _SEEN % ('running', 'absent', 'roll the migration back')
_PARK = ('The live migration to cpt-b is in doubt: x. The instance is parked '
         '(vm_state error, task_state migrating) and checked again. y')
_KEPT = ('The disks that were copied to cpt-b are kept: the guest may have '
         'written to them. Delete the older ones.')
_HERE = 'Not cleaning up: the guest is here.'
_RAN_B = [(1, r.STARTED), (40.3, r.RESUMED)]
_FREED_A = [(71, r.FAILURE), (71.5, _PARK), (900, _FINISH), (900.5, r.POSTED),
            (905, r.FINISHED)]

# Of the first run, wrong: all but the first, parked and split-brain.
SERIES = (
    Case('series-finished', 'the series', r.NONE, hosts(
        [(71, r.FAILURE), (71.2, 'VM Migrated away (Lifecycle Event)'),
         (71.5, _FINISH), (71.6, r.POSTED), (75, r.FINISHED)],
        _RAN_B + [(73, r.POSTED_THERE)])),
    Case('series-parked', 'the series', 'parked', hosts(
        [(40, r.PAUSED), (71, r.FAILURE), (71.5, _PARK)], _RAN_B)),
    Case('series-parked-and-freed', 'the series', r.NONE, hosts(
        _FREED_A, _RAN_B + [(903, r.POSTED_THERE)])),
    Case('series-parked-after-a-restart', 'the series', 'parked', {
        'cpt-a/nova-compute.log': plain([(120, _PARK)])}),
    Case('series-parked-and-deleted', 'the series', r.NONE, {
        'cpt-a/nova-compute.log': plain([
            (71, r.FAILURE), (71.5, _PARK), (500, r.DELETING)])}),
    Case('series-split-brain', 'the series', 'doubled', hosts(
        [(71, r.FAILURE), (71.5, _PARK), (71.6, 'SPLIT BRAIN: x')], _RAN_B)),
    Case('series-split-brain-seen-late', 'the series', 'doubled', hosts(
        [(71, r.FAILURE), (72, _ROLL_BACK), (1200, _PARK),
         (1200.1, 'SPLIT BRAIN: x')], _RAN_B)),
    Case('series-disks-kept', 'the series', 'files-left', hosts(
        r.STAYED_A + [(11, _ROLL_BACK), (12, _KEPT)], r.STAYED_B)),
    Case('series-on-the-destination-only', 'the series', 'lost', hosts(
        [(71, r.FAILURE), (71.4, r.ABORTED)], [(72, _HERE)])),
    Case('series-domain-left', 'the series, Juno', 'paused-copy', {
        'cpt-a/nova-compute.log': plain([
            (0, 'The live migration to cpt-b before this one was not cleaned '
             'up: x')])}),
    Case('resized-to-a-third-host', _MANAGER + 'resize_instance', r.NONE, {
        'cpt-a/nova-compute.log': plain(r.GOOD_A),
        'cpt-b/nova-compute.log': plain(r.GOOD_B + [
            (100, 'Migrating'), (103, r.DESTROYED), (118, r.STOPPED)]),
        'cpt-c/nova-compute.log': plain([(125, r.STARTED),
                                         (125.3, r.RESUMED)])}),
)

_QEMU = '''2024-07-11 20:00:00.000+0000: starting up libvirt version: 8.0.0
/usr/bin/qemu-system-x86_64 \\
-name guest=instance-00000001,debug-threads=on \\
-uuid %s \\
2024-07-11 22:10:05.000+0000: initiating migration
2024-07-11 22:11:10.000+0000: shutting down, reason=%%s
''' % r.UUID
_QEMUS = 'cpt-a/libvirt/qemu/instance-00000001.log'
_UNSEEN_A = [(71, r.FAILURE), (71.4, r.ABORTED)]
_ENDED_A = _UNSEEN_A + [(86, r.STOPPED), (86.3, r.POWER % 4),
                        (86.4, r.SHUT_OFF)]


def _service(text, last=1500):
    return ''.join('%s 7 ERROR nova.service [-] %s\n' % (r._clock(at), text)
                   for at in range(-300, last, 60))


_ASKED = _service('10.0.0.9 "POST /v2.1/servers/%s/action HTTP/1.1" status: '
                  '202' % r.UUID, last=-200)
_CONDUCTOR = _service('Migration of instance %s to host cpt-b unexpectedly '
                      'failed.' % r.UUID)

# Beside nova-compute's logs those of others. Of the first run, wrong: the
# first two, and a conductor's log that counted as that of another host.
OTHERS = (
    Case('qemu-was-migrated', 'libvirt, qemuProcessStop', 'lost', {
        'cpt-a/nova-compute.log': plain(_UNSEEN_A),
        _QEMUS: _QEMU % 'migrated'}),
    Case('qemu-has-crashed', 'libvirt, qemuProcessStop', r.NONE, {
        'cpt-a/nova-compute.log': plain(_ENDED_A),
        _QEMUS: _QEMU % 'crashed'}),
    Case('qemu-of-a-good-one', 'libvirt, qemuProcessStop', r.NONE, {
        'cpt-a/nova-compute.log': plain(r.GOOD_A),
        'cpt-b/nova-compute.log': plain(r.GOOD_B),
        _QEMUS: _QEMU % 'migrated'}),
    Case('qemu-only', 'libvirt, qemuProcessStop', r.NOT_UNDERSTOOD, {
        _QEMUS: _QEMU % 'migrated'}),
    Case('conductor-beside-the-source', 'nova/conductor/manager.py', 'lost', {
        'cpt-a/nova-compute.log': plain(_ENDED_A),
        'ctl/nova-conductor.log': _CONDUCTOR, 'ctl/nova-api.log': _ASKED}),
    Case('conductor-and-api-only', 'nova/conductor/manager.py',
         r.NOT_UNDERSTOOD, {'ctl/nova-conductor.log': _CONDUCTOR,
                            'ctl/nova-api.log': _ASKED}),
    Case('requests-of-a-web-server', 'httpd, combined log format', r.NONE, {
        'cpt-a/nova-compute.log': plain(r.GOOD_A),
        'cpt-b/nova-compute.log': plain(r.GOOD_B),
        'ctl/access.log': '10.0.0.9 - - [11/Jul/2024:22:10:00 +0000] "POST '
        '/v2.1/servers/%s/action HTTP/1.1" 202\n' % r.UUID}),
    Case('masakari', 'masakari/engine', 'lost', {
        'cpt-a/nova-compute.log': plain(_ENDED_A),
        'ctl/masakari-engine.log': _service(
            'Evacuating instance %s' % r.UUID)}),
    Case('another-agent-goes-on', 'a nova-compute that was ended', r.NONE, {
        'cpt-a/nova-compute.log': plain(r.GOOD_A[:4], last=21),
        'cpt-a/neutron-agent.log': _service('x'),
        'cpt-b/nova-compute.log': plain(r.GOOD_B[:2], last=25)}),
)

CASES = MOVES + HARM + FORMATS + EXPORTS + SERIES + OTHERS
