"""Gzip members to chunks of plain bytes, as far as they can be read.

A member is read with isal, the fastest decoder that handles several members (RFC 1952, section 2.2). Where it stops at
damage, zlib reads the same member again, at last one byte at a time, so that every byte before the damage is kept.
"""

import zlib
from collections.abc import Generator, Iterator
from typing import cast

from isal import isal_zlib
from isal.igzip_lib import IsalError

MAGIC = b"\x1f\x8b"
GZIP = 31  # window bits: a gzip header and trailer around the deflate stream
CHUNK = 1 << 20
_BROKEN = cast("type[Exception]", IsalError)  # its stub calls it an instance
STEP = 1 << 12


class DamageError(Exception):
    """The stream ends early or is broken; `rest` are the compressed bytes that could not be read."""

    def __init__(self, reason: str, rest: bytes) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rest = rest


class Plain:
    """The decompressed bytes of `raw`, chunk by chunk; bytes without gzip's magic are taken as they are.

    Afterwards `size` is how many came and `damage` is why they ended too early, if they did.
    """

    def __init__(self, raw: bytes, chunk_size: int = CHUNK) -> None:
        self.size = 0
        self.damage: DamageError | None = None
        self._raw, self._chunk_size = raw, chunk_size

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in _chunks(self._raw, self._chunk_size):
                self.size += len(chunk)
                yield chunk
        except DamageError as e:
            self.damage = e


def _chunks(raw: bytes, size: int) -> Iterator[bytes]:
    if not raw.startswith(MAGIC):
        yield from (raw[at : at + size] for at in range(0, len(raw), size))
        return
    rest = raw
    while rest:
        if not rest.startswith(MAGIC):
            raise DamageError("bytes after the last gzip member", rest)
        rest = yield from _member(rest, size)
        rest = rest.lstrip(b"\0") if rest[:1] == b"\0" else rest  # padding, as gzip(1) allows


def _member(data: bytes, size: int) -> Generator[bytes, None, bytes]:
    """One member's bytes; returns what follows it."""
    decoder = isal_zlib.decompressobj(GZIP)
    done, pending = 0, data
    while not decoder.eof:
        try:
            chunk = decoder.decompress(pending, size)
        except _BROKEN:
            yield from _to_the_damage(data, done)
            return b""
        pending = decoder.unconsumed_tail
        done += len(chunk)
        if chunk:
            yield chunk
        elif not decoder.eof and not pending:
            raise DamageError("the gzip stream is cut off", b"")
    return bytes(decoder.unused_data)


def _to_the_damage(data: bytes, done: int) -> Iterator[bytes]:
    """What can be read of a broken member after its first `done` bytes; always raises DamageError."""
    decoder, at, step, skip = zlib.decompressobj(GZIP), 0, STEP, done
    while at < len(data):
        before = decoder.copy()
        try:
            chunk = decoder.decompress(data[at : at + step])
        except zlib.error:
            if step == 1:
                raise DamageError("the gzip stream is broken", data[at:]) from None
            decoder, step = before, 1
            continue
        at += step
        if skip < len(chunk):
            yield chunk[skip:]
        skip = max(0, skip - len(chunk))
    raise DamageError("the gzip stream is cut off", b"")
