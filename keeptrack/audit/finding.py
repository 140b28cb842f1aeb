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

"""What an audit finds: the kinds, how sure it is, and the time line.

No input, no output: both audits (of logs and of hosts) make findings, and the
report, the page and the metrics show them.
"""

import dataclasses

CERTAIN = 'certain'
LIKELY = 'likely'
POSSIBLE = 'possible'

# the surest first; the words are part of the report's schema
CERTAINTIES = {
    CERTAIN: 'what was seen leaves no other reading',
    LIKELY: 'another reading would need something else to have gone wrong '
            'unseen',
    POSSIBLE: 'what was seen cannot tell: look',
}


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of finding.

    :ivar name: what programs know it by, part of the report's schema (str)
    :ivar title: what people read (str)
    :ivar next: what to check or do next, in this order (tuple of str)
    """

    name: str
    title: str
    next: tuple


_LOOK_AT_BOTH = (
    'Look where the guest runs, on both hosts: virsh -r list --all, or '
    'keeptrack audit hosts. Until that is known, let nobody start, reboot, '
    'evacuate or delete the instance.')

# The order is that in which an operator should look.  Some kinds only one of
# the audits makes: what logs show is less exact than what hosts tell.
KINDS = {kind.name: kind for kind in (
    Kind('doubled', 'One guest runs on two hosts', (
        'Suspend one copy at once (virsh suspend); destroy none before it is '
        'known which of them has the newer data.',
        'Which copy is stale, and how to end it, is told in '
        'doc/operators.rst.')),
    Kind('lost', 'The guest has moved, and Nova has lost track of it', (
        _LOOK_AT_BOTH,
        'Put the record right (host, state) only once the guest was seen; '
        'a start before that makes a second copy on the same disks.')),
    Kind('runs-elsewhere', "The guest runs on another host than Nova's", (
        _LOOK_AT_BOTH,
        'Do not restart nova-compute where the guest runs: it may end the '
        'guest as a leftover.')),
    Kind('runs-though-off', 'The guest runs, and Nova says it does not', (
        _LOOK_AT_BOTH,)),
    Kind('runs-in-error', 'The guest runs, and Nova says error', (
        _LOOK_AT_BOTH,)),
    Kind('runs-though-deleted', 'The guest runs, and Nova says deleted', (
        'See whether the instance belongs to another cell or cloud before '
        'anything is done to the guest.',)),
    Kind('runs-nowhere', 'Nova says active, and the guest runs nowhere', (
        'See how the guest ended: the log of its QEMU in '
        '/var/log/libvirt/qemu, and that of the host.',
        'Start it again only once it was looked for on all hosts.')),
    Kind('ended-at-start', 'nova-compute ended the guest when it started', (
        'Look for the guest on all hosts; if it runs nowhere, see that its '
        'disks are still there before it is started.',
        'Before another nova-compute starts, see that its host name is the '
        "one that Nova has, and that the host's migrations of the kind "
        'evacuation are those that were asked for.')),
    Kind('disks-deleted', 'Files of the guest were deleted while it ran', (
        'Do not stop or reboot the guest: its QEMU may still have the files '
        'open. Copy its data from inside the guest, or virsh blockcopy its '
        'disks, first.',)),
    Kind('post-copy-failed', 'A post-copy migration failed: neither copy has '
         'all of the memory', (
             'End neither QEMU before virsh -r domjobinfo and domstate '
             '--reason were read on both hosts: libvirt from 9.1 may recover '
             'the migration (virsh migrate --postcopy-resume).',
             'Otherwise end both, see that the record names the host that is '
             'to run it, and start the guest again from its disks.')),
    Kind('unsettled', 'A live migration failed, and where the guest is was '
         'not settled', (_LOOK_AT_BOTH,)),
    Kind('migrating-long', 'The instance has been migrating for long', (
        'See whether its migration goes on: virsh -r domjobinfo on the '
        'source.',)),
    Kind('port-elsewhere', 'A port is bound to another host than the '
         "guest's", (
             'Have the port bound where the guest is: openstack port set '
             '--host HOST PORT; traffic may go to the other host until then.',
         )),
    Kind('attachment-missing', 'Cinder has no attachment of a volume that '
         'the guest has', (
             'Do not attach the volume to another instance: two would write '
             'to it. Put the attachment back (openstack volume attachment '
             'create, on the host of the guest) before the guest is moved or '
             'stopped.',)),
    Kind('allocated-twice', 'Placement has the instance on more than one '
         'host', (
             'See where the guest is; then openstack resource provider '
             'allocation show UUID, and remove what is of the other host '
             '(nova-manage placement audit --delete finds it).',)),
    Kind('files-left', 'Files of the guest are left on a host', (
        'See that no guest and no running migration uses them, on any host '
        'if the folder is shared, before they are deleted.',)),
    Kind('parked', 'The instance is parked: where its guest is, is not '
         'known', (
             'Read the last line that nova-compute wrote of it, and '
             'doc/operators.rst.',)),
    Kind('paused-copy', 'A second, paused copy of the guest is left', (
        'See that the other copy runs and is the one that Nova names before '
        'the paused one is removed; leave its disks alone.',)),
    Kind('shell', 'An empty domain is left that waits for a guest', (
        'It is paused and has never run: virsh destroy ends it; leave its '
        'disks alone.',)),
)}

_RANK = {name: rank for rank, name in enumerate(KINDS)}
_SURENESS = {name: rank for rank, name in enumerate(CERTAINTIES)}


@dataclasses.dataclass(frozen=True)
class Moment:
    """Something that happened, as one line of a time line.

    :ivar when: seconds since the epoch, UTC (float), or None if unknown
    :ivar host: where (str), or None if unknown
    :ivar source: where it is told: a file and its line, 'libvirt', 'Nova'
    :ivar what: what it means, a few words (str)
    :ivar text: what was read, as it was (str)
    :ivar allowance: by how many seconds the time may be off (float)
    """

    when: float | None
    host: str | None
    source: str
    what: str
    text: str = ''
    allowance: float = 0.0

    def to_dict(self):
        """This as the report's schema has it (dict)."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data):
        """The reverse of :meth:`to_dict`; KeyError where a key is missing."""
        return cls(**{field.name: data[field.name]
                      for field in dataclasses.fields(cls)})


@dataclasses.dataclass(frozen=True)
class Finding:
    """One instance that a human has to look at.

    :ivar kind: a name in KINDS (str)
    :ivar certainty: a name in CERTAINTIES (str)
    :ivar instance: the instance's uuid (str)
    :ivar hosts: the hosts that take part, source first if known (tuple of str)
    :ivar why: sentences: what was seen (tuple of str)
    :ivar moments: what happened, in order (tuple of Moment)
    :ivar next: sentences: what to check next; of the kind's if empty
    :raises ValueError: for a kind or a certainty that there is not
    """

    kind: str
    certainty: str
    instance: str
    hosts: tuple = ()
    why: tuple = ()
    moments: tuple = ()
    next: tuple = ()

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError('no such kind of finding: %s' % (self.kind,))
        if self.certainty not in CERTAINTIES:
            raise ValueError('no such certainty: %s' % (self.certainty,))
        for name in ('hosts', 'why', 'moments', 'next'):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not self.next:
            object.__setattr__(self, 'next', KINDS[self.kind].next)

    @property
    def title(self):
        """What people read instead of the kind (str)."""
        return KINDS[self.kind].title

    @property
    def when(self):
        """The first time that is known of it (float), or None."""
        return min((moment.when for moment in self.moments
                    if moment.when is not None), default=None)

    def rank(self):
        """Sorts the surest first, then what is worst (tuple)."""
        return (_SURENESS[self.certainty], _RANK[self.kind], self.when or 0,
                self.instance)

    def to_dict(self):
        """This as the report's schema has it (dict)."""
        return {'kind': self.kind, 'title': self.title,
                'certainty': self.certainty, 'instance': self.instance,
                'hosts': list(self.hosts), 'why': list(self.why),
                'moments': [moment.to_dict() for moment in self.moments],
                'next': list(self.next)}

    @classmethod
    def from_dict(cls, data):
        """The reverse of :meth:`to_dict`.

        :raises KeyError: where a key is missing
        :raises ValueError: for an unknown kind or certainty
        """
        return cls(data['kind'], data['certainty'], data['instance'],
                   data['hosts'], data['why'],
                   [Moment.from_dict(one) for one in data['moments']],
                   data['next'])
