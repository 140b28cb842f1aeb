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

"""What the facts of a migration mean: rules in a table, the first that fits.
"""

import dataclasses

from keeptrack.audit import finding

_CLOCKS = ('Times of different hosts were taken to agree within %g s; the '
           'order of lines that are closer than that is not known.')
_ONE_HOST = ('%(source)s and %(destination)s have no log of the same time: '
             'they may be one host under two names (an old and a new pod, an '
             'address and a name), and then nothing is lost; --host names the '
             'host of each log.')


@dataclasses.dataclass(frozen=True)
class Rule:
    """One reading of the facts.

    :ivar needs: facts that have to hold (tuple; one of a nested tuple)
    :ivar without: facts that must not hold (tuple)
    :ivar kind: a name in finding.KINDS, or None: no finding
    :ivar certainty: a name in finding.CERTAINTIES
    :ivar why: sentence for people, with %(source)s and %(destination)s
    """

    needs: tuple
    without: tuple
    kind: str | None
    certainty: str | None
    why: str


_ENDED = ('failed', 'cancelled', 'reset')
_FINISHED = 'nova-compute on %(source)s says that it finished the migration'
_BEGUN = ('nova-compute on %(source)s and on %(destination)s have begun to '
          'finish the migration')
_MOVED = ('The guest began to run on %(destination)s, and nova-compute on '
          '%(source)s did not finish the migration')

RULES = (
    Rule(('two-copies',), (), 'doubled', finding.CERTAIN,
         'nova-compute on %(source)s has logged a split brain.'),
    Rule(('arrived', 'started-again'), ('ended-there',), 'doubled',
         finding.LIKELY,
         _MOVED + '; Nova started it again on %(third)s, and no log shows '
         'that it had ended on %(destination)s.'),
    Rule(('arrived', 'recorded-elsewhere'), (), 'lost', finding.LIKELY,
         'The guest began to run on %(destination)s, and minutes later '
         'nova-compute there reports that the record still names %(source)s, '
         'of which no log was read.'),
    Rule(('arrived', 'restarted'), (), 'doubled', finding.CERTAIN,
         _MOVED + '; it has started the guest again on %(source)s.'),
    Rule(('arrived', 'source-back', 'source-left'), ('settled',),
         'doubled', finding.CERTAIN,
         'The guest began to run on %(destination)s, and it was paused and '
         'resumed on %(source)s in the same migration: two copies ran.'),
    Rule(('arrived', 'source-back'), ('settled',), 'doubled', finding.LIKELY,
         'The guest began to run on %(destination)s, and was seen to run on '
         '%(source)s after the migration had failed.'),
    Rule(('unfinished', 'recorded-there'), ('record-stayed',), None, None,
         'Nova has set the host all the same'),
    Rule(('unfinished', 'still-migrating-long'), (), 'lost', finding.LIKELY,
         _BEGUN + ', and minutes later the record still had the instance on '
         '%(source)s, migrating.'),
    Rule(('unfinished', 'still-migrating'), (), 'lost', finding.POSSIBLE,
         _BEGUN + ', and the record still had the instance on %(source)s, '
         'migrating; they may only be slow.'),
    Rule(('unfinished', ('taken-over', 'record-moved')),
         ('record-stayed', 'never-ran'), None, None,
         'the destination has the record'),
    Rule(('unfinished-long', 'copy-there'), (), 'lost', finding.LIKELY,
         'The guest is on %(destination)s. nova-compute on %(source)s has '
         'begun to finish the migration, and for minutes its log does not say '
         'that it has: the record may name %(source)s and stay migrating.'),
    Rule(('unfinished', 'copy-there'), (), 'lost', finding.POSSIBLE,
         'The guest is on %(destination)s. nova-compute on %(source)s has '
         'begun to finish the migration, and its log does not say that it '
         'has; it may only be slow.'),
    # the series observes both hosts before it acts
    Rule(('still-parked',), (), 'parked', finding.CERTAIN,
         'nova-compute on %(source)s has parked the instance and not freed '
         'it yet.'),
    Rule(('not-taken-over', ('still-migrating', 'copy-there')), (),
         'lost', finding.LIKELY,
         _FINISHED + ', and nova-compute on %(destination)s has never begun '
         'its part, though its log goes on: the record may stay with '
         '%(source)s, migrating.'),
    Rule(('still-migrating-long',), (), 'lost', finding.LIKELY,
         _FINISHED + ', and minutes later the record still had the instance '
         'there, migrating: %(destination)s has not taken it over.'),
    Rule(('still-migrating',), (), 'lost', finding.POSSIBLE,
         _FINISHED + ', and the record still had the instance there, '
         'migrating: %(destination)s may only be slow to take it over.'),
    Rule(('settled',), (), None, None, 'the series has found the guest'),
    Rule(('posted', 'post-failed', 'post-absent'), (), 'lost',
         finding.LIKELY,
         'nova-compute on %(source)s has finished the migration, and that on '
         '%(destination)s has not found the guest: it may run nowhere.'),
    Rule(('posted', 'post-failed', 'recorded-there'), ('record-stayed',),
         None, None, 'Nova has set the host all the same'),
    Rule(('posted', 'post-failed', ('post-error', 'record-moved')),
         ('record-stayed',), None, None, 'the destination has the record'),
    # it was only slow
    Rule(('posted', 'post-failed', 'post-timeout', 'taken-over'),
         ('record-stayed',), None, None, 'the destination has the record'),
    Rule(('posted', 'post-failed'), (), 'lost', finding.LIKELY,
         'The guest is on %(destination)s, where nova-compute failed to take '
         'it over: the record stays with %(source)s, which has finished.'),
    Rule(('posted', 'never-ran', ('post-absent', 'taken-over')), (), 'lost',
         finding.LIKELY,
         'nova-compute on %(source)s has finished the migration, and the '
         'guest has ended on %(destination)s before it ran there: it runs '
         'nowhere.'),
    Rule(('post-copy', ('failed', 'reset'), 'paused-there'), ('source-back',),
         'post-copy-failed', finding.CERTAIN,
         'The migration was in post-copy when it failed on %(source)s, and '
         'the guest was paused on %(destination)s.'),
    Rule(('post-copy', ('failed', 'reset')), ('source-back', 'arrived',
                                              'covered'),
         'post-copy-failed', finding.LIKELY,
         'The migration was in post-copy when it failed on %(source)s; no log '
         'of the destination.'),
    Rule(('arrived', 'sync-stop'), (), 'lost', finding.CERTAIN,
         _MOVED + ', and then marked the instance shut off.'),
    Rule(('arrived', 'ended-there', _ENDED), (), 'lost', finding.CERTAIN,
         _MOVED + ': it rolled back, and the guest was ended on '
         '%(destination)s after it had run there.'),
    Rule(('arrived', _ENDED), (), 'lost', finding.CERTAIN,
         _MOVED + ': it assumed that the guest had stayed.'),
    Rule(('arrived', 'silent'), (), 'lost', finding.LIKELY,
         _MOVED + ', and its log does not say that it failed.'),
    Rule((_ENDED, 'guest-here'), ('source-back',), 'lost', finding.LIKELY,
         'nova-compute on %(source)s did not finish the migration, and that '
         'on %(destination)s found the guest there when it was asked to clean '
         'up.'),
    Rule((('posted',), _ENDED), ('source-stopped',), None, None,
         'Nova has finished'),
    Rule(('posted',), (), None, None, 'Nova has finished'),
    # a guest that its user has paused does not begin to run there
    Rule((_ENDED, 'copy-there', 'source-stopped'),
         ('source-back', 'ended-there'), 'lost', finding.LIKELY,
         'A copy of the guest was left on %(destination)s, paused, and the '
         'guest has stopped on %(source)s, where the migration is said to '
         'have failed.'),
    Rule((_ENDED, 'qemu-migrated'), ('source-back', 'ended-there'), 'lost',
         finding.LIKELY,
         'nova-compute on %(source)s says that the live migration failed, and '
         'the log of its QEMU there says that the guest was migrated.'),
    Rule((_ENDED, 'sync-stop', 'qemu-ended'), ('source-paused', 'arrived'),
         None, None, 'the guest has ended on the source'),
    # the destination's log has it, and no copy ran there
    Rule((_ENDED, 'sync-stop', 'source-stopped', 'covered'), (), None, None,
         'the guest has ended on the source'),
    # libvirt pauses a guest before it moves, and no log that was read has it
    Rule((_ENDED, 'sync-stop', 'source-stopped', 'others-read'),
         ('source-paused', 'arrived'), None, None,
         'the guest has ended on the source'),
    Rule((('failed', 'cancelled'), 'sync-stop', 'source-stopped'),
         ('covered', 'source-back'), 'lost', finding.LIKELY,
         'The live migration is said to have failed, the guest stopped on '
         '%(source)s all the same, and Nova marked the instance shut off: '
         'libvirt stops it there when it has moved. A guest that ended by '
         'itself just then would look the same; the log of the destination '
         'is not among those that were read.'),
    Rule((_ENDED, 'source-left-then'), ('covered', 'source-back'),
         'unsettled', finding.POSSIBLE,
         'The live migration is said to have failed, the guest was paused or '
         'stopped on %(source)s as at the end of a migration, and nothing '
         'says that it was resumed there. The log of the destination is not '
         'among those that were read.'),
    Rule(('reset', 'restarted'), ('covered',), 'doubled', finding.POSSIBLE,
         'nova-compute on %(source)s has started in the middle of a live '
         'migration and started the guest again; whether it had moved, the '
         'logs that were read do not show.'),
)

# signs that a finding shows
_SHOWN = ('started', 'resumed', 'paused', 'stopped', 'left', 'failed',
          'cancelled', 'reset', 'pre-failed', 'began', 'watched', 'completed',
          'posted', 'finished', 'posted-there', 'post-failed', 'post-error',
          'missing', 'record-at', 'rebuilt', 'deleted', 'power', 'pending',
          'sync-stop', 'absent', 'restarted', 'destroyed', 'two-copies',
          'parked', 'settled', 'rolled-back', 'guest-here', 'disks-kept',
          'domain-left', 'asked', 'conductor-failed',
          'qemu-migrating', 'qemu-ended')

# moments in one finding: those of days of retries are cut in the middle
_MOMENTS = 80


def judge(instance, migrations, allowance):
    """Judge the migrations of one instance.

    :param instance: uuid (str)
    :param migrations: list of migrations.Migration
    :param allowance: seconds that clocks may be apart (float)
    :returns: list of finding.Finding
    """
    found = []
    for migration in migrations:
        rule = rule_for(migration.facts)
        if rule is None or rule.kind is None:
            continue
        found.append(_finding(instance, migration, rule, allowance))
    if any(one.kind == 'doubled' for one in found):
        # the series parks it then, too
        found = [one for one in found if one.kind != 'parked']
    return found


def rule_for(facts):
    """The first rule that fits.

    :param facts: set of str
    :returns: Rule, or None
    """
    for rule in RULES:
        if all(any(one in facts for one in need) if isinstance(need, tuple)
               else need in facts for need in rule.needs) and not any(
                   one in facts for one in rule.without):
            return rule
    return None


def _finding(instance, migration, rule, allowance):
    names = {'source': migration.source, 'third': migration.third,
             'destination': migration.destination or 'another host'}
    hosts = list(dict.fromkeys(host for host in (
        migration.source, migration.destination, migration.third) if host))
    events = [one for one in migration.events if one.sign in _SHOWN]
    if len(events) > _MOMENTS:
        events = events[:_MOMENTS // 2] + events[-_MOMENTS // 2:]
    why = [rule.why % names]
    why += ['%s: %s' % (one.host, one.text) for one in events
            if one.sign == 'failed'][:1]
    certainty = rule.certainty
    if 'one-host' in migration.facts:
        certainty = finding.POSSIBLE
        why.append(_ONE_HOST % names)
    if len(hosts) > 1:
        why.append(_CLOCKS % allowance)
    return finding.Finding(
        rule.kind, certainty, instance, hosts, why,
        [finding.Moment(one.when, one.host, one.source, one.means, one.text,
                        allowance / 2 if len(hosts) > 1 else 0.0)
         for one in events])
