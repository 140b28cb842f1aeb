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

"""Volumes of the cloud's Cinder."""

from keeptrack.drill.testbed.cloud import api as api_mod
from keeptrack.drill.testbed.cloud import settings
from keeptrack.drill.testbed import errors
from keeptrack.drill.testbed import waiting

# GiB; Cinder makes none that is smaller
_SIZE = 1

# seconds.  Ceph lets go of a disk 30 s after its user was killed.
_MADE_WITHIN = 180
_GONE_WITHIN = 90
_POLL = 0.5

_ATTACHED = 'attached'


def create(api, name, image):
    """Have Cinder make a volume.

    :param api: an api.Api
    :param name: str
    :param image: the id of the image that it holds (str)
    :returns: a Volume
    :raises TestbedError: when Cinder does not make it
    """
    made = Volume(api, api.post('cinder', '/volumes', {'volume': {
        'name': name, 'size': _SIZE, 'imageRef': image}})['volume']['id'])

    def ready():
        status = made.status()
        if status not in ('creating', 'downloading', 'available'):
            raise errors.CloudError(f'the volume is not made: {status}')
        return status == 'available'
    waiting.until(_MADE_WITHIN, 'the volume is not made', ready, _POLL)
    return made


def named(api, name):
    """Return the volumes of a name (list of Volume)."""
    return [Volume(api, each['id']) for each in api.get(
        'cinder', f'/volumes?all_tenants=1&name={name}')['volumes']]


class Volume:
    """A volume.

    :param api: an api.Api
    :param uuid: its id (str)
    :ivar uuid: see above
    :ivar disk: as QEMU names it on a node (str)
    """

    def __init__(self, api, uuid):
        self._api = api
        self.uuid = uuid
        self.disk = f'rbd:{settings.POOL}/volume-{uuid}'

    def _ask(self):
        try:
            return self._api.get('cinder', f'/volumes/{self.uuid}')['volume']
        except api_mod.Refused as exc:
            if exc.status == 404:
                return None
            raise

    def status(self):
        """Return what Cinder says it is (str), or None when it is gone."""
        told = self._ask()
        return told and told['status']

    def attachments(self):
        """Ask Cinder for its attachments, whatever their state.

        :returns: dict of an attachment's id (str) to its host, or to its
            state where it is not attached (str)
        :raises Refused: when Cinder cannot answer
        """
        told = self._ask()
        # only here is the host; only there are those that are not attached
        hosts = {each['attachment_id']: each['host_name']
                 for each in (told or {}).get('attachments', ())}
        listed = self._api.get(
            'cinder', '/attachments/detail?all_tenants=1&volume_id='
            f'{self.uuid}')['attachments']
        return {each['id']: hosts.get(each['id']) or each['status']
                for each in listed}

    def remove(self):
        """Delete it, unless Nova has asked Cinder for that.

        :returns: what was left of it (list of str)
        :raises TestbedError: when Cinder cannot delete it
        """
        waiting.until(_GONE_WITHIN, 'the volume is being deleted and stays',
                      lambda: self.status() != 'deleting', _POLL)
        status = self.status()
        if status is None:
            return []
        attached = self.attachments()
        left = [f'the volume, {status}'] + [
            f'an attachment of the volume: {each}'
            for each in attached.values()]
        self._act('os-reset_status', {'status': 'available',
                                      'attach_status': 'detached'})
        self._act('os-force_delete', {})
        waiting.until(_GONE_WITHIN, 'the volume is not deleted',
                      lambda: self.status() is None, _POLL)
        return left

    def _act(self, what, told):
        self._api.post('cinder', f'/volumes/{self.uuid}/action', {what: told})
