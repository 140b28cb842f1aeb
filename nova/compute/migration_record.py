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

A look at both hosts needs the destination's name, and so does a nova-compute
that was restarted in the middle. It is kept in system_metadata, since the
database of this release has no record of a live migration.
"""

PREFIX = 'live_migration_'

SOURCE = PREFIX + 'source'
DESTINATION = PREFIX + 'dest'
BLOCK = PREFIX + 'block'
TWO_COPIES = PREFIX + 'two_copies'
WHY = PREFIX + 'why'

# What of migrate_data the end of a migration depends on.
_FLAGS = ('is_shared_block_storage', 'is_shared_instance_path')

# A value of system_metadata has room for so many characters.
ROOM = 255


def begin(instance, dest, block_migration, migrate_data):
    """Remember a migration that begins, and nothing of earlier ones.

    :param instance: nova.objects.Instance, saved by the caller
    :param dest: str, name of the destination host
    :param block_migration: bool
    :param migrate_data: dict or None, as ComputeManager.live_migration has it
    """
    forget(instance)
    instance.system_metadata[SOURCE] = instance.host
    instance.system_metadata[DESTINATION] = dest
    _store(instance, BLOCK, block_migration)
    for flag in _FLAGS:
        if flag in (migrate_data or {}):
            _store(instance, PREFIX + flag, migrate_data[flag])


def forget(instance):
    """Drop what is remembered.

    :param instance: nova.objects.Instance, saved by the caller
    """
    instance.system_metadata = dict(
        (key, value) for key, value in instance.system_metadata.items()
        if not key.startswith(PREFIX))


def destination(instance):
    """Tell where the instance was to go.

    :param instance: nova.objects.Instance
    :returns: str, or None where nothing is remembered of a migration away
        from the host that the instance is on
    """
    if instance.system_metadata.get(SOURCE) != instance.host:
        return None
    return instance.system_metadata.get(DESTINATION)


def arguments(instance):
    """Give the arguments that the migration was begun with.

    :param instance: nova.objects.Instance
    :returns: tuple (block_migration, migrate_data), bool and dict
    """
    migrate_data = {}
    for flag in _FLAGS:
        if PREFIX + flag in instance.system_metadata:
            migrate_data[flag] = _load(instance, PREFIX + flag)
    return _load(instance, BLOCK), migrate_data


def set_two_copies(instance):
    """Remember that the guest was seen to run on both hosts.

    :param instance: nova.objects.Instance, saved by the caller
    """
    _store(instance, TWO_COPIES, True)


def has_two_copies(instance):
    """Tell whether the guest was ever seen to run on both hosts.

    :param instance: nova.objects.Instance
    :returns: bool
    """
    return _load(instance, TWO_COPIES)


def set_why(instance, why):
    """Remember why the instance is parked.

    :param instance: nova.objects.Instance, saved by the caller
    :param why: str, cut where it is too long
    """
    instance.system_metadata[WHY] = why[:ROOM]


def why(instance):
    """Tell why the instance is parked.

    :param instance: nova.objects.Instance
    :returns: str, or None where it is not parked
    """
    return instance.system_metadata.get(WHY)


def _store(instance, key, value):
    instance.system_metadata[key] = str(bool(value))


def _load(instance, key):
    return instance.system_metadata.get(key) == str(True)
