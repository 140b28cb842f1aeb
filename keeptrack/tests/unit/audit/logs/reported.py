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

"""Logs rebuilt from public reports and formats, each with its verdict.

Names and ids are replaced. The messages are Nova's own formats; what happened
and how it is written is as the source of each case has it. The verdict was
written before the audit read the log.
"""

import collections
import datetime
import json

UUID = 'abc00001-1111-4222-8333-444455556666'
BEGIN = datetime.datetime(2024, 7, 11, 22, 10, tzinfo=datetime.timezone.utc)

# no finding and exit status 0; no finding and exit status 2
NONE, NOT_UNDERSTOOD = 'none', 'not understood'

STARTED = 'VM Started (Lifecycle Event)'
RESUMED = 'VM Resumed (Lifecycle Event)'
PAUSED = 'VM Paused (Lifecycle Event)'
STOPPED = 'VM Stopped (Lifecycle Event)'
BEGAN = 'Took 3.21 seconds for pre_live_migration on destination host cpt-b.'
FAILURE = 'Live Migration failure: internal error: received hangup'
ABORTED = 'Migration operation has aborted'
COMPLETED = 'Migration operation has completed'
POSTED = '_post_live_migration() is started..'
FINISHED = 'Migrating instance to cpt-b finished successfully.'
POSTED_THERE = 'Post operation of migration started'
MONITOR = 'Error monitoring migration: %s'
FAILED = 'Live migration failed.: %s'
POST_FAILED = 'Post live migration at destination cpt-b failed: %s'
DESTROYED = 'Instance destroyed successfully.'
REBOOTING = 'Rebooting instance'
EVACUATING = 'Evacuating instance'
DELETING = 'Terminating instance'
POWER = ('During _sync_instance_power_state the DB power_state (1) does not '
         'match the vm_power_state from the hypervisor (%d). Updating '
         'power_state in the DB to match the hypervisor.')
SHUT_OFF = 'Instance shutdown by itself. Calling the stop API.'
RECORD_AT_A = ('During the sync_power process the instance has moved from '
               'host cpt-a to host cpt-b')
MOVED = ('Instance ' + UUID + ' has been moved to another host cpt-b(cpt-b). '
         'There are allocations remaining against the source host that might '
         'need to be removed: {}.')
KEYSTONE = ('keystoneauth1.exceptions.http.ServiceUnavailable: The server is '
            'currently unavailable (HTTP 503)')

# bug 1414065: libvirt fails after the guest has moved
LOST_A = [(-2, BEGAN), (40, PAUSED), (71, FAILURE), (71.4, ABORTED),
          (86, STOPPED), (86.3, POWER % 4), (86.4, SHUT_OFF)]
LOST_B = [(1, STARTED), (40.3, RESUMED), (40.7, RECORD_AT_A)]
GOOD_A = [(-2, BEGAN), (20, PAUSED), (20.5, COMPLETED), (20.6, POSTED),
          (24, FINISHED), (36, STOPPED)]
GOOD_B = [(1, STARTED), (20.3, RESUMED), (22, POSTED_THERE)]
STAYED_A = [(-2, BEGAN), (10, FAILURE), (10.4, ABORTED)]
STAYED_B = [(1, STARTED), (25, STOPPED)]

_CONTEXT = '[req-11111111-2222-4333-8444-555555555555 u p - default default] '
_RECENT = ('[None req-11111111-2222-4333-8444-555555555555 u p - - default '
           'default] ')


def _moments(lines, first=-300, last=1500):
    """All lines of a log with those that say nothing of the instance."""
    quiet = [(at, None) for at in range(first, last + 1, 60)]
    return sorted(lines + quiet, key=lambda one: one[0])


def _time(second):
    return BEGIN + datetime.timedelta(seconds=second)


def _text(message, context=_CONTEXT):
    if message is None:
        return context + 'Final resource view: name=n phys_ram=1MB'
    if message.startswith('Exception') or UUID in message[:50]:
        return context + message
    return '%s[instance: %s] %s' % (context, UUID, message)


def _clock(second, form='%Y-%m-%d %H:%M:%S', digits=3):
    when = _time(second)
    return when.strftime(form) + '.' + ('%06d' % when.microsecond)[:digits]


def _line(second, message, context=_CONTEXT):
    return '%s 7 INFO nova.compute.%s %s' % (
        _clock(second), 'manager' if message else 'resource_tracker',
        _text(message, context))


def plain(lines, frame='%(line)s', context=_CONTEXT, first=-300, last=1500,
          **words):
    """oslo.log's default lines, each in a frame."""
    return ''.join(frame % {
        'line': _line(second, message, context),
        'iso': _time(second).strftime('%Y-%m-%dT%H:%M:%S'),
        'syslog': _time(second).strftime('%b %d %H:%M:%S'),
        'bare': _line(second, message, context).partition(' 7 ')[2],
        'text': _text(message, context), **words} + '\n'
        for second, message in _moments(lines, first, last))


def objects(lines, make, first=-300, last=1500):
    """One JSON object a line."""
    return ''.join(json.dumps(make(second, message)) + '\n'
                   for second, message in _moments(lines, first, last))


def _kolla(host):
    return lambda second, message: {
        'Timestamp': _clock(second), 'Pid': '7', 'log_level': 'INFO',
        'python_module': 'nova.compute.manager', 'Payload': _text(message),
        'Hostname': host, 'Logger': 'openstack.nova',
        'programname': 'nova-compute',
        '@timestamp': _time(second).isoformat()}


def _elastic(host):
    return lambda second, message: {
        '_index': 'flog-2024.07.11', '_id': 'x%d' % (second * 10),
        '_source': _kolla(host)(second, message)}


def _oslo_json(host):
    return lambda second, message: {
        'message': message or 'Final resource view', 'asctime': _clock(second),
        'name': 'nova.compute.manager', 'levelname': 'INFO',
        'hostname': host, 'created': _time(second).timestamp(),
        'extra': {'instance': '[instance: %s] ' % UUID if message else ''}}


def _fluent(host):
    return lambda second, message: {
        'message': message or 'Final resource view',
        'time': _clock(second, '%Y-%m-%dT%H:%M:%S'), 'level': 'INFO',
        'name': 'nova.compute.manager', 'hostname': host, 'traceback': None,
        'extra': {'instance': '[instance: %s] ' % UUID if message else ''}}


def _loki(host):
    return lambda second, message: {
        'labels': {'host': host, 'job': 'nova'}, 'line': _line(second,
                                                               message),
        'timestamp': _time(second).isoformat()}


def _docker(second, message):
    return {'log': _line(second, message) + '\n', 'stream': 'stderr',
            'time': _time(second).isoformat()}


def hosts(a, b, name='%s/nova-compute.log', make=plain, **kwargs):
    return {name % 'cpt-a': make(a, **kwargs), name % 'cpt-b': make(b,
                                                                    **kwargs)}


def framed(frame, name='%s/messages', a=LOST_A, b=LOST_B):
    return {name % host: plain(lines, frame, host=host)
            for host, lines in (('cpt-a', a), ('cpt-b', b))}


def one_file(frame, name='all.log', a=LOST_A, b=LOST_B):
    return {name: ''.join(framed(frame, a=a, b=b).values())}


def jsons(make, name='all.json'):
    return {name: objects(LOST_A, make('cpt-a')) +
            objects(LOST_B, make('cpt-b'))}


def lost_in(started, resumed, paused, stopped, failure, aborted, power=None,
            shut_off=None):
    """Bug 1414065, in another language."""
    a = [(40, paused), (71, failure), (71.4, aborted), (86, stopped)]
    if shut_off:
        a += [(86.3, power), (86.4, shut_off)]
    return hosts(a, [(1, started), (40.3, resumed)])


def good_in(started, resumed, paused, stopped, completed, posted, finished,
            there):
    return hosts([(20, paused), (20.5, completed), (20.6, posted),
                  (24, finished), (36, stopped)],
                 [(1, started), (20.3, resumed), (22, there)])


Case = collections.namedtuple('Case', 'name source verdict files')

_OPERATOR = 'github.com/openstack-k8s-operators/nova-operator '
_MANAGER = 'nova/compute/manager.py, '
_PO = 'nova/locale, '

STORIES = (
    Case('post-copy-paused-guest-died', _OPERATOR + 'pull request 777',
         'lost', {
             'sosreport-cpt-a-2024-07-11-rujznhs/var/log/messages': plain(
                 [(39, 'Live Migration failure: operation failed: domain is '
                   'not running: libvirt.libvirtError: operation failed'),
                  (40, COMPLETED), (40.1, POSTED),
                  (47, POST_FAILED % (
                      'nova.exception_Remote.InstanceNotFound_Remote: '
                      'Instance %s could not be found.' % UUID))],
                 '%(syslog)s np1 nova_compute[9]: %(line)s#033[00m',
                 _RECENT),
             'sosreport-cpt-b-2024-07-11-hiwjsys/var/log/messages': plain(
                 [(1, STARTED), (39, STOPPED), (46, POSTED_THERE),
                  (46.8, 'Exception during message handling: '
                   'nova.exception.InstanceNotFound: Instance %s could not '
                   'be found.' % UUID)],
                 '%(syslog)s np2 nova_compute[9]: %(line)s#033[00m',
                 _RECENT)}),
    Case('paused-guest-stays', _OPERATOR + 'pull request 621', NONE, hosts(
        [(-2, BEGAN), (8, 'Live Migration failure: End of file while reading '
                       'data: : Input/output error'), (8.4, ABORTED)],
        [(1, STARTED), (7.9, STOPPED)], context=_RECENT)),
    Case('cold-migration', _OPERATOR + 'issue 480', NONE, hosts(
        [(0, 'Migrating'), (5, STOPPED), (5.1, DESTROYED)],
        [(30, STARTED), (30.4, RESUMED)], context=_RECENT)),
    Case('evacuated', 'nova-specs, liberty/robustify_evacuate', NONE, {
        'cpt-a/nova-compute.log': plain(
            [(1, STARTED), (20.3, RESUMED), (22, POSTED_THERE)], last=300) +
        plain([(1300, 'Destroying instance as it has been evacuated from this '
                      'host but still exists in the hypervisor'),
               (1301, DESTROYED)], first=1200),
        'cpt-b/nova-compute.log': plain(
            [(600, EVACUATING), (610, STARTED), (610.2, RESUMED)]),
        'cpt-c/nova-compute.log': plain(
            [(one, text.replace('cpt-b', 'cpt-a')) for one, text in
             GOOD_A])}),
    Case('keystone-down-in-the-finish', 'bug 2143972, ' + _MANAGER + 'Queens',
         'lost', hosts(
             [(-2, BEGAN), (40, PAUSED), (40.6, COMPLETED), (40.7, POSTED),
              (45, MONITOR % KEYSTONE), (45.5, FAILED % KEYSTONE),
              (56, STOPPED), (640, POWER % 0)], LOST_B)),
    Case('answer-came-late', _MANAGER + '_post_live_migration, Ocata', NONE,
         hosts([(-2, BEGAN), (20, PAUSED), (20.5, COMPLETED), (20.6, POSTED),
                (82, POST_FAILED % 'oslo_messaging.exceptions.'
                 'MessagingTimeout: Timed out waiting for a reply'),
                (95, STOPPED)],
               [(1, STARTED), (20.3, RESUMED), (22, POSTED_THERE)])),
    Case('destination-failed-record-stayed', 'bug 1685340', 'lost', hosts(
        [(-2, BEGAN), (40, PAUSED), (40.6, COMPLETED), (40.7, POSTED),
         (44, POST_FAILED % 'neutronclient.common.exceptions.'
          'ServiceUnavailable: 503'), (56, STOPPED)],
        LOST_B + [(43, POSTED_THERE), (900, RECORD_AT_A)])),
    Case('source-died-at-the-switch-over', 'bug 1978983', 'lost', {
        'cpt-a/nova-compute.log': plain([(-2, BEGAN), (40, PAUSED)], last=0),
        'cpt-b/nova-compute.log': plain(LOST_B + [(700, RECORD_AT_A)])}),
    Case('hard-reboot-hours-later', 'bug 1414065', 'doubled', hosts(
        LOST_A + [(9000, REBOOTING), (9002, STARTED), (9002.5, RESUMED)],
        LOST_B, last=9600)),
    Case('suspended-and-resumed-there', _MANAGER + 'suspend_instance', NONE,
         hosts(GOOD_A, GOOD_B + [(50, STOPPED), (80, 'Resuming'),
                                 (82, STARTED), (82.3, RESUMED)])),
    Case('paused-there-by-a-user', _MANAGER + 'pause_instance', NONE, hosts(
        GOOD_A, GOOD_B + [(60, 'Pausing'), (60.2, PAUSED), (90, 'Unpausing'),
                          (90.2, RESUMED)])),
    Case('source-libvirtd-killed-after-boot', 'bug 1414065, a guest that had '
         'just been started', 'lost', hosts(
             [(-60, STARTED), (-59.5, RESUMED), (-2, BEGAN),
              (41, 'Live Migration failure: Cannot recv data: Connection '
               'reset by peer'), (41.5, ABORTED), (80, POWER % 3)], LOST_B)),
    Case('deleted-where-it-went', _MANAGER + 'terminate_instance', NONE, hosts(
        GOOD_A, GOOD_B + [(40, DELETING), (42, DESTROYED), (43, STOPPED)])),
    Case('deleted-after-a-failure', _MANAGER + 'terminate_instance', NONE, {
        'cpt-a/nova-compute.log': plain(STAYED_A + [
            (60, DELETING), (61, STOPPED), (62, DESTROYED)])}),
    Case('rebuilt-after-a-failure', _MANAGER + 'rebuild_instance', NONE, hosts(
        STAYED_A + [(60, 'Rebuilding instance'), (62, DESTROYED),
                    (70, STARTED), (70.3, RESUMED), (77, STOPPED)],
        STAYED_B)),
    Case('post-copy', 'nova/virt/event.py, Train', NONE, hosts(
        [(-2, BEGAN), (15, 'VM Postcopy started (Lifecycle Event)'),
         (40, 'VM Migration completed (Lifecycle Event)'), (40.5, COMPLETED),
         (40.6, POSTED), (44, FINISHED), (56, STOPPED)],
        [(1, STARTED), (15.3, RESUMED), (42, POSTED_THERE)])),
    Case('there-and-back', _MANAGER + 'Train', NONE, hosts(
        GOOD_A + [(201, STARTED), (220.3, RESUMED), (222, POSTED_THERE)],
        GOOD_B + [(220, PAUSED), (220.5, COMPLETED), (220.6, POSTED),
                  (224, FINISHED.replace('cpt-b', 'cpt-a')),
                  (236, STOPPED)])),
    Case('there-and-lost-on-the-way-back', 'bug 1414065', 'lost', hosts(
        GOOD_A + [(301, STARTED), (340.3, RESUMED)],
        GOOD_B + [(340, PAUSED), (371, FAILURE), (371.4, ABORTED),
                  (386, STOPPED), (386.3, POWER % 4), (386.4, SHUT_OFF)])),
    Case('resource-tracker-names-the-host', 'nova/compute/resource_tracker.py'
         ', Queens', NONE, hosts(
             [(-2, BEGAN), (40, PAUSED), (40.6, COMPLETED), (40.7, POSTED),
              (45, MONITOR % 'x'), (45.5, FAILED % 'x'), (56, STOPPED),
              (120, MOVED)], LOST_B)),
    Case('evacuated-while-it-ran-there', 'bug 1978983, with an error first',
         'doubled', {
             'cpt-a/nova-compute.log': plain(LOST_A[:4], last=60),
             'cpt-b/nova-compute.log': plain(LOST_B),
             'cpt-c/nova-compute.log': plain(
                 [(900, EVACUATING), (910, STARTED), (910.2, RESUMED)])}),
)

FORMATS = (
    Case('cri-with-json', 'kubernetes.io, CRI; oslo.log JSONFormatter',
         'lost', {
             '%s/containers/nova-compute-default-%s_openstack_nova-compute-'
             '01.log' % (host, pod): ''.join(
                 '2024-07-11T22:00:00.000000000Z stderr F %s\n' % line
                 for line in objects(lines, _oslo_json(host)).splitlines())
             for host, pod, lines in (('cpt-a', 'fc5s4', LOST_A),
                                      ('cpt-b', '9xk2p', LOST_B))}),
    Case('kubectl-prefix', 'kubernetes.io, kubectl logs --prefix', 'lost',
         one_file('[pod/nova-compute-default-%(host)s/nova-compute] '
                  '%(line)s')),
    Case('kolla-fluentd', 'kolla-ansible, central logging guide', 'lost',
         jsons(_kolla)),
    Case('opensearch-export', 'kolla-ansible, central logging guide', 'lost',
         jsons(_elastic)),
    Case('oslo-fluent-formatter', 'oslo.log, FluentFormatter', 'lost',
         jsons(_fluent)),
    Case('loki', 'grafana.com, logcli -o jsonl', 'lost', jsons(_loki)),
    Case('grep', _OPERATOR + 'pull request 777', 'lost', one_file(
        'sosreport-%(host)s-2024-07-11-rujznhs/var/log/nova/'
        'nova-compute.log:%(line)s', 'found.txt')),
    Case('loghub', 'github.com/logpai/loghub, OpenStack', 'lost', {
        'OpenStack.log': plain(
            LOST_A, 'nova-compute.log.1.2024-07-11_22:10:00 %(line)s')}),
    Case('devstack', 'devstack, logging_default_format_string', 'lost',
         framed('%(syslog)s.0 %(host)s nova-compute[9]: \x1b[00;36m%(bare)s'
                '\x1b[00m', '%s/screen-n-cpu.txt',
                [(int(second), text) for second, text in LOST_A],
                [(int(second), text) for second, text in LOST_B])),
    Case('own-format', 'oslo.log, logging_context_format_string', 'lost',
         framed('%(iso)s,000 | INFO | nova-compute | %(text)s',
                '%s/nova-compute.log')),
    Case('zones', 'oslo.log, log_date_format', 'lost', {
        'cpt-a/nova-compute.log': plain(
            LOST_A, '%(iso)s+00:00.000 7 INFO nova.compute.manager %(text)s'),
        'cpt-b/nova-compute.log': plain(
            [(second + 7200, text) for second, text in LOST_B],
            '%(iso)s+02:00.000 7 INFO nova.compute.manager %(text)s',
            first=6900, last=8700)}),
    Case('unknown-format', 'oslo.log, log_date_format', NOT_UNDERSTOOD, {
        'cpt-a/nova-compute.log': plain(LOST_A, '11/Jul/2024 %(text)s'),
        'cpt-b/nova-compute.log': plain(LOST_B)}),
    Case('docker-logs-t', 'docs.docker.com, docker logs --timestamps', 'lost',
         framed('%(iso)s.000000001Z %(line)s', '%s/nova-compute.log')),
    Case('sosreports', 'sos report, two of one host', 'lost', {
        'sosreport-cpt-a-2024-07-10-abcdefg/var/log/nova/nova-compute.log':
            plain([], first=-90000, last=-86400),
        'sosreport-cpt-a-2024-07-11-bcdefgh/var/log/nova/nova-compute.log':
            plain(LOST_A),
        'sosreport-cpt-b-2024-07-11-cdefghi/var/log/nova/nova-compute.log':
            plain(LOST_B)}),
    Case('others-only', 'issue of the audit: no nova-compute', NOT_UNDERSTOOD,
         {'ctl/nova-conductor.log': '2024-07-11 22:10:00.000 7 INFO '
          'nova.conductor.manager [-] x\n'}),
    Case('utf-16', 'PowerShell, Out-File', NOT_UNDERSTOOD, {
        'cpt-a/nova-compute.log': plain(LOST_A).encode('utf-16'),
        'cpt-b/nova-compute.log': plain(LOST_B)}),
)

HOSTS = (
    Case('hosts-under-two-names', 'rsyslog, by address and by name', NONE, {
        '%s/%s' % (address, name): plain(lines, frame, host=host)
        for address, host, lines in (
            ('10.0.0.1', 'cpt-a', STAYED_A + [
                (60, REBOOTING), (62, DESTROYED), (63, STARTED),
                (63.2, RESUMED), (77, STOPPED)]),
            ('10.0.0.2', 'cpt-b', STAYED_B))
        for name, frame in (
            ('nova-compute.log', '%(line)s'),
            ('daemon.log', '%(syslog)s %(host)s nova-compute: %(line)s'))}),
)

LANGUAGES = (
    Case('zh-mitaka', _PO + 'zh_CN, Mitaka', 'lost', lost_in(
        'VM 已开始 (生命周期事件)', 'VM 已恢复 (生命周期事件)',
        'VM 已暂停 (生命周期事件)', 'VM 已停止 (生命周期事件)',
        '在线迁移失败：internal error', '放弃迁移操作',
        '在同步实例电源状态期间，DB电源状态 (1) 与监测器上虚拟机电源状态 (4)不一致。'
        '更新DB中的电源状态与监测器匹配',
        '实例被它自己关闭。调用stop API。当前虚拟机虚拟机状态： active')),
    Case('zh-train', _PO + 'zh_CN, Train', 'lost', lost_in(
        'VM 已开始 (Lifecycle Event)', 'VM 已恢复 (Lifecycle Event)',
        'VM 已暂停 (Lifecycle Event)', 'VM 已停止 (Lifecycle Event)',
        FAILURE, ABORTED)),
    Case('es-liberty', _PO + 'es, Liberty', 'lost', lost_in(
        'VM Arrancado (Evento de Ciclo de vida)',
        'VM Reanudada (Evento de Ciclo de vida)',
        'VM Pausada (Evento de Ciclo de vida)',
        'VM Se ha detenido (Evento de Ciclo de vida)',
        'Fallo en migración en vivo: internal error',
        'La operación de migración ha sido abortada')),
    Case('de-newton', _PO + 'de, Newton', 'lost', lost_in(
        'VM Gestartet (Ereignis im Lebenszyklus)',
        'VM Fortgesetzt (Ereignis im Lebenszyklus)',
        'VM Pausiert (Ereignis im Lebenszyklus)',
        'VM Gestoppt (Ereignis im Lebenszyklus)',
        'Live-Migration fehlgeschlagen: internal error',
        'Migration Operation abgebrochen')),
    Case('fr-mitaka', _PO + 'fr, Mitaka', 'lost', lost_in(
        'VM Démarré (Lifecycle Event)', 'VM Reprise (Lifecycle Event)',
        'VM En pause (Lifecycle Event)', 'VM Arrêté (Lifecycle Event)',
        'Migration Directe a échoué : internal error',
        'La migration a été interrompu ')),
    Case('it-kilo', _PO + 'it, Kilo to Ocata', 'lost', lost_in(
        'VM Avviato (Evento Lifecycle)', 'VM Ripristinato (Evento Lifecycle)',
        'VM In pausa (Evento Lifecycle)', 'VM Di arresto (Evento Lifecycle)',
        'Fallimento di Live Migration: internal error', ABORTED)),
    Case('cs-ocata', _PO + 'cs, Ocata', 'lost', lost_in(
        'VM Spuštěno (Událost životního cyklu)',
        'VM Obnoveno (Událost životního cyklu)',
        'VM Pozastaveno (Událost životního cyklu)',
        'VM Zastaveno (Událost životního cyklu)',
        'Selhání přesunu za běhu: internal error',
        'Operace přesunu byla ukončena')),
    Case('pt-ocata', _PO + 'pt_BR, Ocata', 'lost', lost_in(
        'MV Iniciado (Evento de Ciclo de Vida)',
        'MV Retomado (Evento de Ciclo de Vida)',
        'MV Interrompido (Evento de Ciclo de Vida)',
        'MV Interrompido (Evento de Ciclo de Vida)',
        'Falha na Migração em Tempo Real: internal error',
        'A operação de migração foi interrompida')),
    Case('zh-json', _PO + 'zh_CN, master; oslo.log JSONFormatter', 'lost', {
        'all.json': objects([
            (40, 'VM 已暂停 (Lifecycle Event)'), (71, FAILURE),
            (86, 'VM 已停止 (Lifecycle Event)')], _oslo_json('cpt-a')) +
        objects([(1, 'VM 已开始 (Lifecycle Event)'),
                 (40.3, 'VM 已恢复 (Lifecycle Event)')],
                _oslo_json('cpt-b'))}),
    Case('pt-a-copy-may-be-left', _PO + 'pt_BR: one word for both',
         NOT_UNDERSTOOD, hosts(
             [(10, FAILURE), (10.4, ABORTED)],
             [(1, 'VM Iniciado (Lifecycle Event)'),
              (25, 'VM Interrompido (Lifecycle Event)')])),
    Case('tr-zed', _PO + 'tr_TR, Zed', NONE, good_in(
        'VM Başlatıldı (Lifecycle Event)', 'VM Devam Edildi (Lifecycle Event)',
        'VM Durduruldu (Lifecycle Event)', 'VM Durduruldu (Lifecycle Event)',
        COMPLETED, POSTED, FINISHED, POSTED_THERE)),
    Case('ko-newton', _PO + 'ko_KR, Newton', NONE, good_in(
        'VM 작동함 (라이프사이클 이벤트)', 'VM 재시작함 (라이프사이클 이벤트)',
        'VM 정지함 (라이프사이클 이벤트)', 'VM 중지됨 (라이프사이클 이벤트)',
        '마이그레이션 조작이 완료됨', '_post_live_migration()이 시작됩니다. ',
        '인스턴스를 cpt-b(으)로 마이그레이션하는 작업이 성공적으로 완료되었습니다.',
        '마이그레이션의 사후 오퍼레이션이 시작했음')),
    Case('ja-master', _PO + 'ja, master', 'lost', lost_in(
        'VM 開始済み (Lifecycle Event)', 'VM 再開済み (Lifecycle Event)',
        'VM 一時停止済み (Lifecycle Event)', 'VM 停止済み (Lifecycle Event)',
        FAILURE, ABORTED)),
    Case('unknown-language', 'oslo.i18n, a catalogue of a vendor',
         NOT_UNDERSTOOD, lost_in(
             'VM Käynnistetty (Lifecycle Event)',
             'VM Jatkettu (Lifecycle Event)',
             'VM Keskeytetty (Lifecycle Event)',
             'VM Pysäytetty (Lifecycle Event)', 'x', 'y')),
)

CASES = STORIES + FORMATS + HOSTS + LANGUAGES
