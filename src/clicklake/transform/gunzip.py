"""Gzip members to chunks of plain bytes, as far as they can be read.

A member is read with isal, the fastest decoder that handles several members (RFC 1952, section 2.2). Where it stops at
damage, zlib reads the same member again, at last one byte at a time, so that every byte before the damage is kept.
"""

import io
import zlib
from collections.abc import Generator, Iterator
from typing import BinaryIO, cast

from isal import isal_zlib
from isal.igzip_lib import IsalError

MAGIC = b"\x1f\x8b"
GZIP = 31  # window bits: a gzip header and trailer around the deflate stream
CHUNK = 1 << 20
_BROKEN = cast("type[Exception]", IsalError)  # its stub calls it an instance
STEP = 1 << 12
READ = 1 << 18  # compressed bytes at once


class DamageError(Exception):
    """The stream ends early or is broken; `rest` are the compressed bytes that could not be read."""

    def __init__(self, reason: str, rest: bytes) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rest = rest


class Plain:
    """The decompressed bytes of `raw`, chunk by chunk; bytes without gzip's magic are taken as they are.

    Afterwards `size_in` and `size` are how many went in and came out, and `damage` is why they ended too early, if
    they did.
    """

    def __init__(self, raw: bytes | BinaryIO, chunk_size: int = CHUNK) -> None:
        """`raw` is the object, or a file of it that can seek."""
        self._raw = io.BytesIO(raw) if isinstance(raw, bytes) else raw
        self._chunk_size = chunk_size
        self.size_in = self._raw.seek(0, io.SEEK_END)
        self.size = 0
        self.damage: DamageError | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in _chunks(self._raw, self._chunk_size):
                self.size += len(chunk)
                yield chunk
        except DamageError as e:
            self.damage = e


def _chunks(raw: BinaryIO, size: int) -> Iterator[bytes]:
    raw.seek(0)
    if raw.read(len(MAGIC)) != MAGIC:
        raw.seek(0)
        yield from iter(lambda: raw.read(size), b"")
        return
    start = 0
    while True:
        start = yield from _member(raw, start, size)
        raw.seek(start)
        while (byte := raw.read(1)) == b"\0":  # padding, as gzip(1) allows
            start += 1
        if not byte:
            return
        rest = byte + raw.read(1)
        if rest != MAGIC:
            raise DamageError("bytes after the last gzip member", rest + raw.read())


def _member(raw: BinaryIO, start: int, size: int) -> Generator[bytes, None, int]:
    """The bytes of the member at `start`; returns where it ends."""
    decoder = isal_zlib.decompressobj(GZIP)
    raw.seek(start)
    done, pending = 0, b""
    while not decoder.eof:
        pending = pending or raw.read(READ)
        try:
            chunk = decoder.decompress(pending, size)
        except _BROKEN:
            yield from _to_the_damage(raw, start, done)
        if not (pending or chunk or decoder.eof):
            raise DamageError("the gzip stream is cut off", b"")
        pending = decoder.unconsumed_tail
        done += len(chunk)
        if chunk:
            yield chunk
    return raw.tell() - len(decoder.unused_data)


def _to_the_damage(raw: BinaryIO, start: int, done: int) -> Iterator[bytes]:
    """What can be read of the broken member at `start` after its first `done` bytes; always raises DamageError."""
    raw.seek(start)
    decoder, step, skip = zlib.decompressobj(GZIP), STEP, done
    while piece := raw.read(step):
        before = decoder.copy()
        try:
            chunk = decoder.decompress(piece)
        except zlib.error:
            raw.seek(-len(piece), io.SEEK_CUR)
            if step == 1:
                raise DamageError("the gzip stream is broken", raw.read()) from None
            decoder, step = before, 1
            continue
        if skip < len(chunk):
            yield chunk[skip:]
        skip = max(0, skip - len(chunk))
    raise DamageError("the gzip stream is cut off", b"")
