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

"""What an instance's record keeps of its live migration.

A look at both hosts depends on it, and so does a nova-compute that was
restarted in the middle. It is kept in system_metadata until the migration has
ended.
"""

PREFIX = 'live_migration_'

TWO_COPIES = 'two_copies'
WHY = 'why'
VM_STATE = 'vm_state'

# A value of system_metadata has room for so many characters.
ROOM = 255


def keep(instance, name, value):
    """Remember something.

    :param instance: nova.objects.Instance, saved by the caller
    :param name: str
    :param value: str, of at most ROOM characters
    """
    instance.system_metadata[PREFIX + name] = value


def keep_flag(instance, name, value):
    """Remember whether something is so.

    :param instance: nova.objects.Instance, saved by the caller
    :param name: str
    :param value: bool
    """
    keep(instance, name, str(bool(value)))


def kept(instance, name):
    """Give what is remembered.

    :param instance: nova.objects.Instance
    :param name: str
    :returns: str, or None where nothing is
    """
    return instance.system_metadata.get(PREFIX + name)


def kept_under(instance, prefix):
    """Give all that is remembered under names that begin alike.

    :param instance: nova.objects.Instance
    :param prefix: str, how they begin
    :returns: dict of str, the rest of a name, to str
    """
    begins = PREFIX + prefix
    found = {}
    for key, value in instance.system_metadata.items():
        if key.startswith(begins):
            found[key[len(begins):]] = value
    return found


def flag(instance, name):
    """Tell whether something is so.

    :param instance: nova.objects.Instance
    :param name: str
    :returns: bool
    """
    return kept(instance, name) == str(True)


def forget(instance):
    """Drop what is remembered.

    :param instance: nova.objects.Instance, saved by the caller
    """
    left = {}
    for key, value in instance.system_metadata.items():
        if not key.startswith(PREFIX):
            left[key] = value
    # set as a whole, for save to see that it has changed
    instance.system_metadata = left


def set_two_copies(instance):
    """Remember that the guest was seen to run on both hosts.

    :param instance: nova.objects.Instance, saved by the caller
    """
    keep_flag(instance, TWO_COPIES, True)


def has_two_copies(instance):
    """Tell whether the guest was ever seen to run on both hosts.

    :param instance: nova.objects.Instance
    :returns: bool
    """
    return flag(instance, TWO_COPIES)


def set_why(instance, why, vm_state):
    """Remember why the instance is parked, and what it is without that.

    :param instance: nova.objects.Instance, saved by the caller
    :param why: str, cut where it is too long
    :param vm_state: str, one of nova.compute.vm_states
    """
    keep(instance, WHY, why[:ROOM])
    keep(instance, VM_STATE, vm_state)


def why(instance):
    """Tell why the instance is parked.

    :param instance: nova.objects.Instance
    :returns: str, or None where it is not parked
    """
    return kept(instance, WHY)


def unparked_state(instance):
    """Tell what the instance is, but for being parked.

    :param instance: nova.objects.Instance
    :returns: str, one of nova.compute.vm_states; None where it is not parked
    """
    return kept(instance, VM_STATE)
