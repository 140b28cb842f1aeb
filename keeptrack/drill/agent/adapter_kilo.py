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


"""What differs in Nova 2015.1 (Kilo)."""

import importlib

from agent import adapter_juno


class Adapter(adapter_juno.Adapter):
    """Nova 2015.1."""

    config_module = 'oslo_config.cfg'
    messaging_package = 'oslo_messaging'
    jsonutils_module = 'oslo_serialization.jsonutils'
    timeutils_module = 'oslo_utils.timeutils'

    def set_up_logging(self):
        """Log as the options say; Nova's own module went early in 2015."""
        try:
            super(Adapter, self).set_up_logging()
        except ImportError:
            importlib.import_module('oslo_log.log').setup(self.conf, 'nova')

    def _import_hypervisor(self):
        super(Adapter, self)._import_hypervisor()
        host = importlib.import_module('nova.virt.libvirt.host')
        host.libvirt = importlib.import_module('libvirt')

    @staticmethod
    def _set_lifecycle_delay(driver, seconds):
        driver._lifecycle_delay = seconds
        driver._host._lifecycle_delay = seconds
