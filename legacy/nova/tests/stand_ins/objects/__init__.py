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

"""Names that the tests replace: there is no database here."""

import copy


class Instance(object):
    @classmethod
    def get_by_uuid(cls, context, uuid, expected_attrs=None):
        raise NotImplementedError()


class InstanceList(object):
    @classmethod
    def get_by_filters(cls, context, filters, expected_attrs=None):
        raise NotImplementedError()


class Record(object):
    def __init__(self, **fields):
        self.__dict__.update(fields)

    def __contains__(self, name):
        return name in self.__dict__

    def obj_clone(self):
        return copy.deepcopy(self)


class Migration(Record):
    pass


class LibvirtLiveMigrateData(Record):
    pass


class BlockDeviceMappingList(object):
    @classmethod
    def get_by_instance_uuid(cls, context, uuid):
        raise NotImplementedError()


class MigrationList(object):
    @classmethod
    def get_by_filters(cls, context, filters):
        raise NotImplementedError()
