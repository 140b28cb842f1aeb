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

"""Reads logs in blocks of whole lines, whatever they are packed with.

Memory is bounded: a block has BLOCK bytes, and of a line that is longer than
LONGEST only the end of it is left out.
"""

import bz2
import functools
import gzip
import io
import lzma
import sys
import zlib

from isal import igzip
from isal import isal_zlib
import zstandard

BLOCK = 4 << 20
# of a file that is not packed: what fits into a processor's own cache is
# searched fastest
PLAIN = 256 << 10
LONGEST = 1 << 20

STDIN = '-'

_MAGIC = ((b'\x1f\x8b', 'gz'), (b'\xfd7zXZ\0', 'xz'),
          (b'\x28\xb5\x2f\xfd', 'zst'), (b'BZh', 'bz2'))
_UNPACK = 'it is an archive: unpack it, one folder a host'
# how what cannot be read as it is begins, at which byte, and what to do
_NO_LOG = ((0, b'LPKSHHRH', "it is journald's own file: read what journalctl "
            '-u UNIT -o export --file FILE prints'),
           (0, b'PK\x03\x04', _UNPACK), (0, b'7z\xbc\xaf\x27\x1c', _UNPACK),
           (257, b'ustar', _UNPACK),
           (0, b'\x04\x22\x4d\x18', 'it is packed with lz4: unpack it'))

# what an unpacker raises for what it cannot unpack
_DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error, isal_zlib.error,
           lzma.LZMAError, zstandard.ZstdError)


class Unreadable(Exception):
    """A log that cannot be read, or not to its end; the text says why."""


def packed(path):
    """What a file is packed with: gz, xz, zst, bz2, None; by its first bytes.

    :raises OSError: when it cannot be opened
    """
    with open(path, 'rb') as stream:
        head = stream.read(6)
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)),
                None)


def _open(path):
    if path == STDIN:
        return sys.stdin.buffer
    kind = packed(path)
    if kind == 'gz':
        return _Packed(path, igzip.open, gzip.open)
    if kind == 'xz':
        return _Packed(path, lzma.open, lzma.open)
    if kind == 'bz2':
        return _Packed(path, bz2.open, bz2.open)
    if kind == 'zst':
        return _Packed(path, _Zstd, _CarefulZstd)
    return open(path, 'rb', buffering=0)


class _Packed:
    """Unpacks, and hands out all that stands before damage.

    Where an unpacker fails, what it has unpacked in the same step is lost. So
    that is unpacked again, in small steps.

    :param path: of the file (str)
    :param fast: makes an unpacker of an open file
    :param careful: makes another, to go in small steps
    :ivar damage: why there is no more (exception), or None
    """

    _STEP = 512

    def __init__(self, path, fast, careful):
        self._file = open(path, 'rb')
        self._unpacker, self._careful = fast(self._file), careful
        self._at, self._is_careful = 0, False
        self.damage = None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self._unpacker.close()
        self._file.close()

    def read(self, size):
        """Read up to as many bytes; none at the end, or at damage."""
        if self.damage is not None:
            return b''
        if not self._is_careful:
            try:
                data = self._unpacker.read(size)
                self._at += len(data)
                return data
            except _DAMAGE + (OSError,):
                pass
        pieces, got = [], 0
        try:
            if not self._is_careful:
                self._begin_again()
            while got < size:
                pieces.append(self._unpacker.read1(min(self._STEP,
                                                       size - got)))
                got += len(pieces[-1])
                if not pieces[-1]:
                    break
        except _DAMAGE + (OSError,) as exc:
            self.damage = exc
        return b''.join(pieces)

    def _begin_again(self):
        self._is_careful = True
        self._unpacker.close()
        self._file.seek(0)
        self._unpacker = self._careful(self._file)
        left = self._at
        while left:
            data = self._unpacker.read1(min(left, BLOCK))
            if not data:
                break
            left -= len(data)


class _Zstd:
    """Unpacks zstd, and tells where it is cut off.

    zstandard's own reader takes the middle of a frame for its end.

    :param stream: the packed file
    """

    # an unpacked block has 128 KiB, and the shortest packed one 4 bytes: this
    # much cannot become more than 64 MiB
    _PIECE = 2048

    def __init__(self, stream):
        self._file = stream
        self._frame = None
        self._left, self._data = b'', bytearray()

    def close(self):
        """The file is closed by whoever has opened it."""

    def read(self, size):
        """Read as many bytes, fewer at the end.

        :raises EOFError: when the last frame is cut off
        """
        while len(self._data) < size and self._fill():
            pass
        return self._take(size)

    def read1(self, size):
        """Read up to as many bytes, those that come next; none at the end.

        :raises EOFError: when the last frame is cut off
        """
        while not self._data and self._fill():
            pass
        return self._take(size)

    def _fill(self):
        """Unpack a piece of one frame; returns whether there was one."""
        piece = self._left or self._file.read(self._PIECE)
        self._left = b''
        if not piece:
            if self._frame is not None and not self._data:
                raise EOFError('the last frame has no end')
            return False
        if self._frame is None:
            self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._data += self._frame.decompress(piece)
        if self._frame.eof:
            self._left, self._frame = self._frame.unused_data, None
        return True

    def _take(self, size):
        data = bytes(self._data[:size])
        del self._data[:size]
        return data


class _CarefulZstd(_Zstd):
    _PIECE = 64


def blocks(path, begin=0, end=None, ends=b'\n'):
    """Read a log in blocks that end with a line.

    :param path: of a file, or STDIN (str)
    :param begin: where to begin, in a file that is not packed: the first line
                  that begins there or after it (int)
    :param end: read the lines that begin before this (int); None for all
    :param ends: what ends an entry, a line's end or an empty line (bytes)
    :returns: generator of (int, bytes or bytearray): the offset of a block,
        and itself, which may change when the next is asked for, but for the
        last
    :raises Unreadable: when it cannot be read, or not to its end
    """
    try:
        with _open(path) as stream:
            yield from _whole(stream, begin, end, ends)
            if isinstance(stream, _Packed) and stream.damage is not None:
                raise stream.damage
    except _DAMAGE as exc:
        raise Unreadable('damaged or cut off, read as far as it goes: %s'
                         % exc)
    except OSError as exc:
        raise Unreadable(exc.strerror or str(exc))


def whole(path, largest):
    """Read all of a file, unpacked.

    :param path: of a file (str)
    :param largest: bytes that it may have (int)
    :returns: bytes
    :raises Unreadable: when it is larger, or cannot be read to its end
    """
    pieces, size = [], 0
    try:
        with _open(path) as stream:
            while size <= largest:
                data = stream.read(BLOCK)
                if not data:
                    break
                pieces.append(data)
                size += len(data)
            if isinstance(stream, _Packed) and stream.damage is not None:
                raise stream.damage
    except _DAMAGE as exc:
        raise Unreadable('damaged or cut off: %s' % exc)
    except OSError as exc:
        raise Unreadable(exc.strerror or str(exc))
    if size > largest:
        raise Unreadable('it is one document of more than %d MiB: export one '
                         'record a line' % (largest >> 20))
    return b''.join(pieces)


class _Reader:
    """Reads into one buffer: new memory costs as much as a search.

    :param stream: a file, opened without a buffer
    """

    def __init__(self, stream):
        self._stream, self._data = stream, bytearray()

    def read(self):
        """Read the next bytes (bytearray); b'' at the end, changes nothing."""
        length = len(self._data)
        self._data.extend(bytes(PLAIN - length))
        got = self._stream.readinto(self._data)
        del self._data[got or length:]
        return self._data if got else b''


def _whole(stream, begin, end, ends):
    at, rest, skipping = 0, b'', False
    is_plain = isinstance(stream, io.FileIO)
    read = _Reader(stream).read if is_plain else functools.partial(
        stream.read, BLOCK)
    if begin:
        # one byte before: a line that begins just here is ours
        at = begin - 1
        stream.seek(at)
        skipping = True
    while end is None or at < end:
        data = read()
        if not data:
            break
        if not at:
            for place, begins, why in _NO_LOG:
                if data.startswith(begins, place):
                    raise Unreadable(why)
        if skipping:
            found = data.find(ends)
            if found < 0:
                at += len(data)
                continue
            skipping = False
            at += found + len(ends)
            data = data[found + len(ends):]
        data = rest + data if rest else data
        if end is not None and at + len(data) > end:
            # the line that begins before the end is the last
            last = data.find(ends, max(0, end - at - 1))
            if last >= 0:
                yield at, data[:last + len(ends)]
                return
        cut = data.rfind(ends)
        if cut < 0:
            if len(data) > LONGEST:
                yield at, data[:LONGEST]
                at, rest, skipping = at + len(data), b'', True
            else:
                rest = data[:]
            continue
        if is_plain:
            # cheaper than to put what is left before what comes next
            at += cut + len(ends)
            stream.seek(at)
            del data[cut + len(ends):]
            yield at - len(data), data
            rest = b''
            continue
        yield at, data[:cut + len(ends)]
        at += cut + len(ends)
        rest = data[cut + len(ends):]
        if len(rest) > LONGEST:
            yield at, rest[:LONGEST]
            at, rest, skipping = at + len(rest), b'', True
    if rest:
        yield at, rest
