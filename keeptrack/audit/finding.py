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
    CERTAIN: 'what was seen has one explanation only',
    LIKELY: 'another explanation would need a second fault that was not '
            'seen',
    POSSIBLE: 'what was seen does not decide it: check the hosts',
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


_CHECK_BOTH = (
    'Find the host where the guest runs: virsh -r list --all on both hosts, '
    'or keeptrack audit hosts. Until then do not start, reboot, evacuate or '
    'delete the instance.')

# In the order in which an operator should check them.  Some kinds only one of
# the audits has: logs are less exact than hosts.
KINDS = {kind.name: kind for kind in (
    Kind('doubled', 'One guest runs on two hosts', (
        'Suspend one copy at once (virsh suspend). Destroy neither copy '
        'before you know which of them has the newer data.',
        'See doc/operators.rst for how to find the stale copy and end it.')),
    Kind('lost', 'The guest has moved, and Nova has lost track of it', (
        _CHECK_BOTH,
        'Correct the record (host, state) only after you have seen the guest: '
        'a start before that makes a second copy on the same disks.')),
    Kind('runs-elsewhere', "The guest runs on another host than Nova's", (
        _CHECK_BOTH,
        'Do not restart nova-compute where the guest runs: it may end the '
        'guest as evacuated.')),
    Kind('runs-though-off', 'The guest runs, and Nova says it does not', (
        _CHECK_BOTH,)),
    Kind('runs-in-error', 'The guest runs, and Nova says error', (
        _CHECK_BOTH,)),
    Kind('runs-though-deleted', 'The guest runs, and Nova says deleted', (
        'Check whether the instance belongs to another cell or cloud before '
        'you do anything to the guest.',)),
    Kind('runs-nowhere', 'Nova says active, and the guest runs nowhere', (
        'Find out how the guest ended: see the log of its QEMU in '
        '/var/log/libvirt/qemu, and that of the host.',
        'Start it again only after you have searched all hosts for it.')),
    Kind('ended-at-start', 'nova-compute ended the guest when it started', (
        'Search all hosts for the guest. If it runs nowhere, check that its '
        'disks still exist before you start it.',
        'Before another nova-compute starts, check that its host name is the '
        "one that Nova has, and that all evacuations in Nova's list of "
        'migrations were requested.')),
    Kind('disks-deleted', 'Files of the guest were deleted while it ran', (
        'Do not stop or reboot the guest: its QEMU may still have the files '
        'open. First copy its data from inside the guest, or its disks with '
        'virsh blockcopy.',)),
    Kind('post-copy-failed', 'A post-copy migration failed: neither copy has '
         'all of the memory', (
             'End neither QEMU before you have read virsh -r domjobinfo and '
             'domstate --reason on both hosts: libvirt from 9.1 may recover '
             'the migration (virsh migrate --postcopy-resume).',
             'Otherwise end both, check that the record names the host that '
             'is to run the guest, and start it again from its disks.')),
    Kind('unsettled', 'A live migration failed, and it is not known where '
         'the guest is', (_CHECK_BOTH,)),
    Kind('migrating-long', 'The instance has been migrating for long', (
        'Check whether its migration makes progress: virsh -r domjobinfo on '
        'the source.',)),
    Kind('port-elsewhere', 'A port is bound to another host than the '
         "guest's", (
             'Bind the port to the host of the guest: openstack port set '
             '--host HOST PORT. Until then traffic may go to the other host.',
         )),
    Kind('attachment-missing', 'Cinder has no attachment of a volume that '
         'the guest has', (
             'Do not attach the volume to another instance: two would write '
             'to it. Put the attachment back (openstack volume attachment '
             'create, on the host of the guest) before the guest is moved or '
             'stopped.',)),
    Kind('allocated-twice', 'Placement has the instance on more than one '
         'host', (
             'Find the host where the guest runs; then see openstack resource '
             'provider allocation show UUID, and remove the allocation of the '
             'other host (nova-manage placement audit --delete finds it).',)),
    Kind('files-left', 'Files of the guest are left on a host', (
        'Before you delete them, check that no guest and no running migration '
        'uses them, on any host if the folder is shared.',)),
    Kind('parked', 'The instance is parked: it is not known where its guest '
         'is', (
             'See the last line about it in the log of nova-compute, and '
             'doc/operators.rst.',)),
    Kind('paused-copy', 'A second, paused copy of the guest is left', (
        'Before you remove the paused copy, check that the other one runs on '
        'the host that Nova names. Keep its disks.',)),
    Kind('shell', 'An incoming domain is left that waits for its guest', (
        'It is paused and has never run: end it with virsh destroy. Keep its '
        'disks.',)),
)}

_RANK = {name: rank for rank, name in enumerate(KINDS)}
_SURENESS = {name: rank for rank, name in enumerate(CERTAINTIES)}


@dataclasses.dataclass(frozen=True)
class Moment:
    """Something that happened, as one line of a time line.

    :ivar when: seconds since the epoch, UTC (float), or None if unknown
    :ivar host: where (str), or None if unknown
    :ivar source: where it was read: a file and its line, 'libvirt', 'Nova'
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


@dataclasses.dataclass(frozen=True)
class Finding:
    """One instance that a human has to check.

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
                'moments': [dataclasses.asdict(one) for one in self.moments],
                'next': list(self.next)}
