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


"""The wrapper of a domain, as far as the series needs it."""

libvirt = None


class JobInfo(object):
    def __init__(self, type=0):
        self.type = type


class Guest(object):
    def __init__(self, domain):
        self._domain = domain

    def get_job_info(self):
        raise NotImplementedError()

    def is_active(self):
        return self._domain.isActive()

    def resume(self):
        self._domain.resume()
