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

"""One reading of the job that libvirt has for a domain."""

# virDomainJobType, the same numbers in every libvirt
_BOUNDED = 1
_UNBOUNDED = 2


class MigrationJob(object):
    """How far a migration is, at one moment.

    :ivar active: bool, libvirt works on a job. It is False before a job has
        begun and after it has ended, however it ended.
    :ivar memory_total: int, bytes of memory that the guest has
    :ivar memory_processed: int, bytes sent, the repeated ones included
    :ivar memory_remaining: int, bytes still to send
    """

    def __init__(self, kind, total, processed, remaining):
        self.active = kind in (_BOUNDED, _UNBOUNDED)
        self.memory_total = total
        self.memory_processed = processed
        self.memory_remaining = remaining

    @property
    def percent_remaining(self):
        """Memory still to send, int, 0 to 100.

        0 as long as libvirt has not said how much there is.
        """
        if not self.memory_total:
            return 0
        return int(round(self.memory_remaining * 100.0 / self.memory_total))


def read(libvirt, domain):
    """Ask libvirt for the job of a domain.

    virDomainGetJobStats came with libvirt 1.0.3. Before, and with a binding
    that lacks it, virDomainGetJobInfo tells the same of the memory.

    :param libvirt: the libvirt module
    :param domain: libvirt.virDomain
    :returns: MigrationJob
    :raises: libvirt.libvirtError where libvirt cannot tell: the domain is
        gone, or the connection is
    """
    try:
        stats = domain.jobStats()
    except AttributeError:
        return _read_info(domain)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_SUPPORT:
            raise
        return _read_info(domain)
    return MigrationJob(stats.get('type', 0),
                        stats.get('memory_total', 0),
                        stats.get('memory_processed', 0),
                        stats.get('memory_remaining', 0))


def _read_info(domain):
    # type, times (2), data (3), memory (3), file (3)
    info = domain.jobInfo()
    return MigrationJob(info[0], info[6], info[7], info[8])
