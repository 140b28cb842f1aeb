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

"""Exceptions that the series' modules catch or raise."""


class NovaException(Exception):
    def __init__(self, message=None, **kwargs):
        super(NovaException, self).__init__(message or str(kwargs))
        self.kwargs = kwargs


class InstanceInvalidState(NovaException):
    pass


class InstanceNotFound(NovaException):
    pass


class MigrationError(NovaException):
    pass


class PortBindingDeletionFailed(NovaException):
    pass


class UnexpectedTaskStateError(NovaException):
    pass


class VolumeAttachmentNotFound(NovaException):
    # Nova's own is not made without
    def __init__(self, attachment_id):
        super(VolumeAttachmentNotFound, self).__init__(
            attachment_id=attachment_id)
