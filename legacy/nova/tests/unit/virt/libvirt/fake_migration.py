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

"""A libvirt module and a domain as far as a migration needs them."""


# virDomainUndefineFlagsValues
UNDEFINE = {'MANAGED_SAVE': 1, 'KEEP_NVRAM': 8, 'KEEP_TPM': 64}


class FakeLibvirtError(Exception):

    def __init__(self, message='libvirt failed', code=38):
        super(FakeLibvirtError, self).__init__(message)
        self._code = code

    def get_error_code(self):
        return self._code


class FakeLibvirt(object):
    """Holds what the modules read of the binding; the numbers are libvirt's.

    :param connection: what every connection is, or an exception to raise
    """

    libvirtError = FakeLibvirtError
    VIR_ERR_NO_SUPPORT = 3
    VIR_ERR_NO_DOMAIN = 42
    VIR_ERR_OPERATION_INVALID = 55

    def __init__(self, connection=None):
        self.connection = connection
        for name, flag in UNDEFINE.items():
            setattr(self, 'VIR_DOMAIN_UNDEFINE_' + name, flag)
        self.opened = []

    def open(self, uri):
        self.opened.append(('rw', uri))
        if isinstance(self.connection, Exception):
            raise self.connection
        return self.connection

    def openReadOnly(self, uri):
        connection = self.open(uri)
        self.opened[-1] = ('ro', uri)
        return connection


class FakeDomain(object):
    """A domain with a scripted job.

    :param jobs: what jobStats gives, one after the other, the last for ever:
        dicts, or exceptions to raise
    """

    def __init__(self, *jobs):
        self.jobs = list(jobs)
        self.looks = 0

    def jobStats(self):
        self.looks += 1
        job = self.jobs.pop(0) if len(self.jobs) > 1 else self.jobs[0]
        if isinstance(job, Exception):
            raise job
        return job


def job(kind=2, total=1000, processed=100, remaining=750):
    """Give what jobStats returns in a migration."""
    return {'type': kind, 'memory_total': total,
            'memory_processed': processed, 'memory_remaining': remaining}
