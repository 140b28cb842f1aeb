#!/usr/bin/env python3
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


"""Tell which guests a host has, as JSON, and change nothing.

This file runs on its own on a compute host: with Python 2.7 or 3.4 and later,
and either the libvirt binding or virsh, whichever is there. keeptrack itself
asks other hosts through it, so that there is one way to look at a host only.

The document's schema, keeptrack.guests/1, is in doc/audit-hosts.rst.
"""

from __future__ import print_function

import argparse
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

SCHEMA = 'keeptrack.guests/1'

OWN_URI = 'qemu:///system'

# virDomainState, and what virsh calls them: the words of the schema.
STATES = ('no state', 'running', 'idle', 'paused', 'in shutdown', 'shut off',
          'crashed', 'pmsuspended')

# The reasons of these states (virDomain...Reason), as virsh calls them too.
REASONS = {
    'running': ('unknown', 'booted', 'migrated', 'restored', 'from snapshot',
                'unpaused', 'migration canceled', 'save canceled',
                'event wakeup', 'crashed', 'post-copy', 'post-copy failed'),
    'paused': ('unknown', 'user', 'migrating', 'saving', 'dumping',
               'I/O error', 'watchdog', 'from snapshot', 'shutting down',
               'creating snapshot', 'crashed', 'starting up', 'post-copy',
               'post-copy failed', 'api error'),
    'shut off': ('unknown', 'shutdown', 'destroyed', 'crashed', 'migrated',
                 'saved', 'failed', 'from snapshot', 'daemon'),
}

UUID = re.compile('[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
_HOST_UUID = re.compile(r'<host>\s*<uuid>([0-9a-f-]{36})</uuid>')

# What a host may answer: more is no host's, but somebody's who means harm.
MOST_GUESTS = 20000
LONGEST_NAME = 255

# guests that one virsh is asked for: a command line has an end
_AT_A_TIME = 200

# After a guest's uuid, which virsh's echo ends with a line end or without.
_TOLD_BY_VIRSH = re.compile(
    r'\s*(?P<id>-|\d{1,9})\s*\n(?P<state>[a-z ]+?)(?: \((?P<reason>.*)\))?'
    r'\s*\n(?P<name>.+)\n')

# Where libvirt keeps the process ids of its QEMUs.
_PID_FOLDERS = ('/run/libvirt/qemu', '/var/run/libvirt/qemu')


class CannotLook(Exception):
    """A host could not be asked; the text says why, in one line."""


def look(uri, asked=None, libvirt=None):
    """Look at all guests of a host; blocks as long as libvirt does.

    :param uri: libvirt's URI of the host (str)
    :param asked: what the host is called by whoever asks (str), or None
    :param libvirt: the binding; None to take it or virsh, as there is
    :returns: the document (dict)
    :raises CannotLook: when libvirt answers with an error
    """
    libvirt = libvirt or binding()
    began = time.time()
    if libvirt is not None:
        found = _by_binding(libvirt, uri)
    else:
        found = _by_virsh(uri)
    if len(found['guests']) > MOST_GUESTS:
        raise CannotLook('it says to have %d guests: more than any host has'
                         % len(found['guests']))
    if is_local(uri):
        for guest in found['guests']:
            guest['since'] = since(guest['name'], guest['uuid'])
    return dict(found, schema=SCHEMA, asked=asked, uri=uri, began=began,
                ended=time.time())


def binding():
    """The libvirt binding, or None where there is none."""
    try:
        import libvirt
    except ImportError:
        return None
    # it would write every error on stderr as well
    libvirt.registerErrorHandler(lambda context, error: None, None)
    return libvirt


def is_local(uri):
    """Tell whether a URI is that of the host's own libvirt (bool)."""
    return re.match(r'[a-z]+(\+unix)?:///', uri) is not None


def one_line(text):
    """A text of somebody else's without line ends, and not too long."""
    return ' '.join(''.join(
        character if character.isalnum() or 32 <= ord(character) < 127 else
        ' ' for character in '%s' % (text,)).split())[:300]


# By the binding

def _by_binding(libvirt, uri):
    try:
        connection = libvirt.openReadOnly(uri)
        try:
            return {
                'by': 'libvirt-python',
                'hostname': connection.getHostname(),
                'host_uuid': host_uuid(connection.getCapabilities()),
                'hypervisor': connection.getType(),
                'libvirt': _version(connection.getLibVersion()),
                'guests': [_guest(*one)
                           for one in _states(libvirt, connection)],
            }
        finally:
            connection.close()
    except libvirt.libvirtError as error:
        raise CannotLook(one_line(error))


def _states(libvirt, connection):
    """Every domain with its state and the reason (iterator of tuple)."""
    try:
        # one question for all of them, from libvirt 1.2.8 on
        stats = connection.getAllDomainStats(libvirt.VIR_DOMAIN_STATS_STATE,
                                             0)
    except AttributeError:
        stats = None
    except libvirt.libvirtError as error:
        if error.get_error_code() not in (libvirt.VIR_ERR_NO_SUPPORT,
                                          libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED,
                                          libvirt.VIR_ERR_RPC):
            raise
        stats = None
    if stats is not None:
        for domain, values in stats:
            yield domain, values.get('state.state'), values.get('state.reason')
        return
    for domain in connection.listAllDomains(0):
        try:
            state, reason = domain.state(0)
        except libvirt.libvirtError as error:
            # it has gone meanwhile
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                raise
            continue
        yield domain, state, reason


def _guest(domain, state, reason):
    number = domain.ID()
    known = isinstance(state, int) and 0 <= state < len(STATES)
    return {'uuid': domain.UUIDString(), 'name': domain.name(),
            'id': number if number >= 0 else None,
            'state': STATES[state] if known else STATES[0],
            'reason': _reason(STATES[state] if known else '', reason)}


def _reason(state, number):
    words = REASONS.get(state, ())
    if isinstance(number, int) and 0 <= number < len(words):
        return words[number]
    return None if number in (None, 0) else 'code %s' % number


def _version(number):
    return '%d.%d.%d' % (number // 1000000, number // 1000 % 1000,
                         number % 1000)


def host_uuid(capabilities):
    """The uuid of the host.

    :param capabilities: XML, of a libvirt that is not to be trusted: it is
        searched, not parsed (str)
    :returns: str, or None where it does not tell
    """
    found = _HOST_UUID.search(capabilities)
    return found.group(1) if found and UUID.match(found.group(1)) else None


# By virsh

def _by_virsh(uri):
    host = _virsh(uri, 'hostname')
    uuids = [line for line in _virsh(uri, 'list', '--all', '--uuid').split()
             if UUID.match(line)]
    guests = []
    for begin in range(0, len(uuids[:MOST_GUESTS]), _AT_A_TIME):
        some = uuids[begin:begin + _AT_A_TIME]
        # what has gone meanwhile answers nothing: its uuid is the mark
        text = _virsh(uri, '; '.join(
            'echo %s; domid %s; domstate --reason %s; domname %s'
            % (uuid, uuid, uuid, uuid) for uuid in some), may_fail=True)
        guests += guests_of_virsh(text, some)
    version = re.search(r'libvirt (\d+\.\d+\.\d+)', _virsh(uri, 'version'))
    scheme = re.match('[a-z]+', uri)
    return {'by': 'virsh', 'hostname': host.strip(),
            'host_uuid': host_uuid(_virsh(uri, 'capabilities')),
            'hypervisor': scheme.group().upper() if scheme else None,
            'libvirt': version.group(1) if version else None,
            'guests': guests}


def guests_of_virsh(text, uuids):
    """Read what virsh has said of some guests.

    :param text: for each its uuid, and unless it has gone the id, the state
        and the name, a line each (str)
    :param uuids: of the guests, in this order (list of str)
    :returns: list of dict
    """
    guests, at = [], 0
    for uuid in uuids:
        at = text.find(uuid, at)
        if at < 0:
            break
        at += len(uuid)
        told = _TOLD_BY_VIRSH.match(text, at)
        if told is not None and told.group('state') in STATES:
            at = told.end()
            number = told.group('id')
            guests.append({
                'uuid': uuid, 'name': told.group('name'),
                'id': None if number == '-' else int(number),
                'state': told.group('state'),
                'reason': told.group('reason')})
    return guests


def _virsh(uri, *words, **options):
    environment = dict(os.environ, LC_ALL='C')
    try:
        process = subprocess.Popen(
            ('virsh', '--readonly', '--quiet', '--connect', uri) + words,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=environment)
    except OSError as error:
        raise CannotLook('neither the libvirt binding for Python nor virsh '
                         'is there (%s)' % error.strerror)
    out, err = [part.decode('utf-8', 'replace')
                for part in process.communicate()]
    if process.returncode and not options.get('may_fail'):
        raise CannotLook('virsh %s: %s' % (words[0], one_line(err) or
                                           'it has failed'))
    return out


# On the host itself

def since(name, uuid, folders=_PID_FOLDERS, proc='/proc'):
    """When a guest's QEMU was started on this host.

    :param name: the guest's, for libvirt (str)
    :param uuid: the guest's (str)
    :param folders: where process ids are looked for
    :param proc: where the kernel tells of processes
    :returns: seconds since the epoch (float), or None where it cannot be told
    """
    if '/' in name or '\0' in name:
        return None
    for folder in folders:
        try:
            with io.open(os.path.join(folder, name + '.pid')) as stream:
                pid = int(stream.read(20))
            with io.open('%s/%d/cmdline' % (proc, pid), 'rb') as stream:
                if uuid.encode('ascii') not in stream.read(1 << 20):
                    continue    # the number has come again
            with io.open('%s/%d/stat' % (proc, pid), 'rb') as stream:
                ticks = int(stream.read(4096).rpartition(b') ')[2].split()[19])
            with io.open(proc + '/stat', 'rb') as stream:
                boot = re.search(br'^btime (\d+)$', stream.read(), re.M)
            return (float(boot.group(1)) +
                    float(ticks) / os.sysconf('SC_CLK_TCK'))
        except (IOError, OSError, ValueError, IndexError, AttributeError):
            continue
    return None


def bounded(seconds, function, *arguments):
    """Call a function that may hang in libvirt, and not wait for ever.

    :param seconds: how long to wait (float)
    :returns: what the function returns
    :raises: what the function raises; CannotLook when it takes too long, and
        its thread then goes on until the process ends
    """
    result = []

    def work():
        try:
            result.append((function(*arguments), None))
        except Exception as error:
            result.append((None, error))

    thread = threading.Thread(target=work)
    thread.daemon = True
    thread.start()
    thread.join(seconds)
    if not result:
        raise CannotLook('no answer within %g s' % seconds)
    value, error = result[0]
    if error is not None:
        raise error
    return value


def _write(path, text):
    """Write a file whole, or not at all."""
    folder = os.path.dirname(os.path.abspath(path))
    handle, name = tempfile.mkstemp('.tmp', '.keeptrack-', folder)
    try:
        with os.fdopen(handle, 'wb') as stream:
            stream.write(text.encode('utf-8'))
        os.rename(name, path)
    except BaseException:
        os.unlink(name)
        raise


def main(arguments=None):
    """Run this file on its own; returns the exit status (int)."""
    parser = argparse.ArgumentParser(
        description='Tell which guests this host has, as JSON. It only reads.')
    parser.add_argument('--uri', default=OWN_URI,
                        help="libvirt's URI (default: %(default)s)")
    parser.add_argument('--name', help='what the host is called in the report')
    parser.add_argument('--timeout', type=float, default=30, metavar='S',
                        help='seconds to wait (default: %(default)s)')
    parser.add_argument('--output', metavar='FILE',
                        help='write there instead of on standard output')
    options = parser.parse_args(arguments)
    # what is no number is not larger either
    if not 0 < options.timeout < 1e7:
        parser.error('--timeout needs a number above 0')
    status = 0
    try:
        found = bounded(options.timeout, look, options.uri, options.name)
        text = json.dumps(found, indent=1, sort_keys=True) + '\n'
        if options.output:
            _write(options.output, text)
        else:
            sys.stdout.write(text)
            sys.stdout.flush()
    except (CannotLook, EnvironmentError) as error:
        print('cannot read the guests of %s: %s' % (
            options.uri, error), file=sys.stderr)
        status = 2
    return status


if __name__ == '__main__':
    code = main()
    sys.stderr.flush()
    # a thread that hangs in libvirt would keep the process
    os._exit(code)
