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

"""The report of an audit: what was examined, what was not, what was found.

See doc/audit.rst for the schema.  Its name has a number that rises when a
program that reads the older one would misread the newer; keys may be added.
"""

import dataclasses
import datetime
import json
import time

from keeptrack.audit import finding as finding_mod

SCHEMA = 'keeptrack.audit/1'

LOGS = 'logs'
HOSTS = 'hosts'

# what is examined beside the hosts
NOVA = "Nova's API"

# exit statuses
NOTHING_FOUND, FOUND, COULD_NOT_LOOK = 0, 1, 2


@dataclasses.dataclass(frozen=True)
class LookedAt:
    """Something that was examined: a log, a host, Nova's API.

    :ivar name: of the file or the host (str)
    :ivar counts: of what was seen there (dict of str to int, float or str)
    """

    name: str
    counts: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class NotSeen:
    """Something that was not seen.

    :ivar where: a file, a host, or the audit as a whole (str)
    :ivar why: in words for people (str)
    :ivar is_failure: it should have been examined and could not be (bool);
                      False for what this kind of source never shows
    """

    where: str
    why: str
    is_failure: bool = True


@dataclasses.dataclass
class Report:
    """All that one audit reports.

    :ivar what: LOGS or HOSTS
    :ivar made: when, seconds since the epoch (float)
    :ivar looked_at: list of LookedAt
    :ivar not_seen: list of NotSeen
    :ivar findings: list of finding.Finding; kept sorted, the surest first
    """

    what: str
    looked_at: list = dataclasses.field(default_factory=list)
    not_seen: list = dataclasses.field(default_factory=list)
    findings: list = dataclasses.field(default_factory=list)
    made: float = dataclasses.field(default_factory=time.time)

    def __post_init__(self):
        self.findings = sorted(self.findings,
                               key=finding_mod.Finding.rank)

    def failures(self):
        """What should have been examined and could not be (list)."""
        return [one for one in self.not_seen if one.is_failure]

    def number_looked_at(self):
        """How many logs or hosts were examined (int)."""
        return sum(one.name != NOVA for one in self.looked_at)

    def status(self):
        """The exit status (int): of the three at the top of this module.

        Nothing found is reported only where all was examined.
        """
        if self.findings:
            return FOUND
        if self.failures() or not self.number_looked_at():
            return COULD_NOT_LOOK
        return NOTHING_FOUND

    def to_dict(self):
        """This as the schema has it (dict)."""
        return {
            'schema': SCHEMA,
            'what': self.what,
            'made': iso(self.made),
            'status': self.status(),
            'looked_at': [dataclasses.asdict(one) for one in self.looked_at],
            'not_seen': [dataclasses.asdict(one) for one in self.not_seen],
            'findings': [one.to_dict() for one in self.findings],
        }

    def to_json(self):
        """This as text (str)."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + '\n'


def iso(when):
    """A time as people and programs read it.

    :param when: seconds since the epoch (float), or None
    :returns: ISO 8601 in UTC with milliseconds (str), or None
    """
    if when is None:
        return None
    try:
        moment = datetime.datetime.fromtimestamp(when, datetime.timezone.utc)
    except (OverflowError, OSError, ValueError):
        return None
    return moment.isoformat(timespec='milliseconds')


def printable(text):
    """Somebody else's text, for a terminal.

    :param text: may have sequences that a terminal obeys, and halves of
                 characters that cannot be written (str)
    :returns: str, of the same length
    """
    if text.isprintable():
        return text
    return ''.join(one if one.isprintable() else
                   ' ' if one.isspace() else '?' for one in text)
