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

"""Read how a live migration goes on: only its call says how it has ended."""

from oslo_log import log as logging

from nova.virt.libvirt import host

LOG = logging.getLogger(__name__)


def outcome(thread):
    """Return what the thread that migrates has raised, or None."""
    try:
        thread.wait()
    except Exception as error:
        return error


def read_job(libvirt, dom, finish_event):
    """Read the job of a live migration.

    :param finish_event: eventlet.event.Event that gets the outcome
    :returns: nova.virt.libvirt.host.DomainJobInfo, COMPLETED or FAILED once
        the call has ended and never before
    """
    info = host.DomainJobInfo()
    try:
        info = host.DomainJobInfo.for_domain(dom)
    except libvirt.libvirtError as error:
        # libvirtd may be restarting; the call ends then, too.
        LOG.debug('The job of the live migration cannot be read: %s', error)
    if finish_event.ready():
        info.type = (libvirt.VIR_DOMAIN_JOB_FAILED if finish_event.wait()
                     else libvirt.VIR_DOMAIN_JOB_COMPLETED)
    elif info.type != libvirt.VIR_DOMAIN_JOB_UNBOUNDED:
        info.type = libvirt.VIR_DOMAIN_JOB_NONE
    return info
