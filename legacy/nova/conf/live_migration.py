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

"""Options of how nova-compute looks for the guest of a live migration."""

from oslo_config import cfg
from oslo_config import types

default_opts = [
    cfg.Opt('live_migration_park_after',
            type=types.Integer(min=1),
            default=60,
            help='Seconds for which nova-compute goes on looking for the '
                 'guest of a live migration that has failed before it parks '
                 'the instance (vm_state error, task_state migrating), 1 at '
                 'least.'),
    cfg.Opt('live_migration_look_interval',
            type=types.Integer(min=10),
            default=60,
            help='Seconds between two rounds in which nova-compute looks for '
                 'the guests of parked instances, 10 at least. One that stays '
                 'parked is looked at more and more seldom, every 32 rounds '
                 'in the end.'),
    cfg.Opt('live_migration_rpc_timeout',
            type=types.Integer(min=1),
            default=10,
            help='Seconds that nova-compute on the destination of a live '
                 'migration has to answer whether the guest runs there, 1 at '
                 'least. It is asked only where the destination\'s libvirt '
                 'gives no answer.'),
]

libvirt_opts = [
    cfg.Opt('live_migration_ask_timeout',
            type=types.Integer(min=1),
            default=5,
            help='Seconds that libvirt, on this host or on the destination '
                 'of a live migration, has to answer where a guest is, 1 at '
                 'least. Without an answer the guest\'s presence there counts '
                 'as unknown.'),
]


def register_opts(conf):
    """Register the options.

    :param conf: oslo_config.cfg.ConfigOpts
    """
    conf.register_opts(default_opts)
    conf.register_opts(libvirt_opts, group='libvirt')


def list_opts():
    """Give the options by group, for who makes a sample or a reference.

    :returns: dict of str to list of oslo_config.cfg.Opt
    """
    return {'DEFAULT': default_opts, 'libvirt': libvirt_opts}
