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

"""The audit of logs: from paths to a report."""

import collections
import datetime

from keeptrack.audit.logs import event_store
from keeptrack.audit.logs import harm
from keeptrack.audit.logs import judgement
from keeptrack.audit.logs import libvirtd
from keeptrack.audit.logs import migrations
from keeptrack.audit.logs import paths as log_paths
from keeptrack.audit.logs import same_host
from keeptrack.audit.logs import scanning
from keeptrack.audit import report as report_mod

CLOCKS = 5.0

# seconds in which an old pod may end while the new one begins
_OVERLAP = 60

_NEVER = (
    ('regular logs', 'When a live migration begins, nova-compute says at '
     'level info from Rocky on only; an abort by an administrator that '
     'succeeds and a rollback that goes well leave little or nothing there.'),
    ('regular logs', 'A guest that is paused, ended or started by anything '
     'else than Nova is seen only while libvirt and nova-compute run: events '
     'while either was down are in no log.'),
    ('logs', 'They say what happened, not where the guest is now: see '
     'keeptrack audit hosts.'),
)


def run(paths, hosts=None, zone=datetime.timezone.utc, clocks=CLOCKS,
        processes=scanning.PROCESSES, progress=lambda done, total: None):
    """Read logs and judge what they show.

    :param paths: files and folders, '-' for standard input (list of str)
    :param hosts: dict of path to host, where the user says so
    :param zone: of time stamps without one (datetime.tzinfo)
    :param clocks: seconds that clocks of hosts may be apart (float)
    :param processes: how many to use (int)
    :param progress: called with parts done and in all
    :returns: report.Report
    :raises KeeptrackError: for a path that does not exist, and for a host's
        that is not read
    """
    files, unread = log_paths.files(paths)
    seen = scanning.scan(files, log_paths.named_hosts(hosts or {}, files),
                         zone, processes, progress)
    _separate_pods(seen)
    covered = collections.defaultdict(list)
    for one in seen:
        for host in one.hosts:
            # one of warnings only, or of another program, does not say what a
            # guest did
            if one.first is not None and one.has_info and one.is_computes:
                covered[host].append((one.first, one.last))
    stores = [one.events for one in seen]
    same = same_host.names(lambda: event_store.shards(stores),
                           set(covered).union(*(one.hosts for one in stores)))
    for name, other in same.items():
        covered[other] += covered.pop(name, [])
    findings, unclear, mixed, zones = [], 0, set(), set()
    for events in event_store.shards(stores):
        for uuid, found in events.items():
            history = migrations.InstanceHistory([
                one._replace(host=same[one.host])
                if one.host in same else one for one in found],
                covered, clocks)
            judged = judgement.judge(uuid, history.migrations(), clocks)
            findings += judged + harm.find(uuid, history, clocks, bool(judged))
            unclear += history.is_unclear
            mixed |= history.mixed
            zones |= history.zones
    findings.sort(key=lambda one: one.instance)
    findings = libvirtd.add_to_findings(
        findings, [entry for one in seen for entry in one.libvirtd_entries],
        clocks)
    return report_mod.Report(
        report_mod.LOGS, [_looked_at(one) for one in seen if one.records],
        [report_mod.NotSeen(*one) for one in unread.items()] +
        [report_mod.NotSeen(name, 'it was read as a name of %s, whose lines '
                            'are the same or whose name begins so' % other,
                            False) for name, other in same.items()] +
        _unclear(unclear) + _mixed(mixed) + _zones(zones) +
        _not_seen(seen, set(paths), zone), findings)


def _separate_pods(seen):
    """Let a pod stand for its host where a folder has those of many hosts.

    A host's old and new pod do not run at the same time.
    """
    by_host = collections.defaultdict(lambda: collections.defaultdict(list))
    for one in seen:
        pod = log_paths.pod_of(one.path)
        host = log_paths.host_of(one.path)
        if pod and one.first is not None and one.hosts == {host}:
            by_host[host][pod].append(one)
    for pods in by_host.values():
        times = sorted((min(one.first for one in logs),
                        max(one.last for one in logs))
                       for logs in pods.values())
        if not any(end - begin > _OVERLAP for (_, end), (begin, _) in zip(
                times, times[1:])):
            continue
        for pod, logs in pods.items():
            for one in logs:
                one.hosts, one.is_named = {pod}, False
                one.events.set_host(pod)


def _looked_at(one):
    return report_mod.LookedAt(one.path, {
        'host': ', '.join(sorted(one.hosts)), 'bytes': one.size,
        'signs': one.hits, 'from': report_mod.iso(one.first),
        'to': report_mod.iso(one.last),
        'level': 'debug' if one.debug else 'info'})


def _unclear(number):
    return [report_mod.NotSeen(
        'logs', "The host's language (Portuguese or Turkish) has one word for "
        'paused and stopped: which of them %d instances were after a '
        'migration is not known.' % number)] if number else []


def _mixed(hosts):
    return [report_mod.NotSeen(
        host, 'its lines are of both hosts of a migration: separate the logs '
        'of the two hosts, or name the host of each with --host PATH=HOST')
        for host in sorted(hosts)]


def _zones(zones):
    return [report_mod.NotSeen(
        other, 'its times seem to be %+.2f h from those of %s: the two logs '
        'have no time zone, and seem to be in different ones'
        % (seconds / 3600, host)) for host, other, seconds in sorted(zones)]


def _not_seen(seen, named, zone):
    found = []
    for one in seen:
        if one.problem:
            found.append(report_mod.NotSeen(one.path, one.problem))
        elif not (one.records or one.unread):
            found.append(report_mod.NotSeen(
                one.path, 'it is empty' if not one.size else
                'no line in it is one of a log that nova-compute writes',
                # below a folder there may be anything
                one.path in named or bool(one.size and one.is_computes)))
        if one.records and one.is_computes and one.has_no_text:
            found.append(report_mod.NotSeen(
                one.path, 'some of its lines are no text in UTF-8: convert it '
                'or repair it'))
        if one.records and one.is_computes and not one.has_info:
            found.append(report_mod.NotSeen(
                one.path, 'it has no line at level info: what guests did is '
                'not in it', False))
        if one.foreign:
            found.append(report_mod.NotSeen(
                one.path, 'its lifecycle events are in a language that is not '
                'known: %s' % ', '.join(sorted(one.foreign))))
        if one.unread:
            found.append(report_mod.NotSeen(
                one.path, '%d lines that nova-compute writes are in a format '
                'that is not known, the first at byte %d'
                % (one.unread, one.unread_at)))
        if one.records and one.is_computes and not one.is_named:
            found.append(report_mod.NotSeen(
                one.path, 'its host is not known: the path or the pod stands '
                'for it; --host PATH=HOST names it', False))
        if one.back > 60 and one.is_computes:
            found.append(report_mod.NotSeen(
                one.path, 'its clock goes back by %.0f s or its lines are not '
                'in order: times before and after may be mixed up, or it has '
                'the lines of more than one host' % one.back,
                not one.is_named and bool(
                    one.events.signs & set(migrations.ENDS))))
    if seen and not any(one.is_failure for one in found) and not any(
            one.records and one.is_computes for one in seen):
        found.append(report_mod.NotSeen(
            'logs', 'none of them is one that nova-compute has written' + (
                ': libvirtd does not log what guests did, so read the logs of '
                'nova-compute with its own'
                if any(one.is_libvirts for one in seen) else '')))
    found += [report_mod.NotSeen(where, why, False) for where, why in _NEVER]
    found.append(report_mod.NotSeen(
        'times', 'Time stamps without a time zone were read as %s.' % zone,
        False))
    return found
