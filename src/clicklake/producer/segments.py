"""The spool's files: what their bytes mean. Pure.

A segment is a header and frames. The header says up to where its events were acknowledged, and is the only part that is
written again; if it can't be read, all of them are sent again. A frame is a length, a CRC-32 and a
piece: an event's line, or several.

    header   "clkspl1\\n"   acknowledged u64   crc u32
    frame    length u32    crc u32            piece
"""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator

MAGIC = b"clkspl1\n"
_MARK = struct.Struct("<Q")
_CRC = struct.Struct("<I")
_FRAME = struct.Struct("<II")
HEADER_BYTES = len(MAGIC) + _MARK.size + _CRC.size
FRAME_BYTES = _FRAME.size


def _fastest() -> Callable[[bytes], int]:
    """isal's, where it is installed (the extra `transform` brings it), takes a quarter of the time."""
    try:
        from isal.isal_zlib import crc32
    except ImportError:
        return zlib.crc32
    return crc32


_crc32 = _fastest()


def header(acknowledged: int = HEADER_BYTES) -> bytes:
    mark = _MARK.pack(acknowledged)
    return MAGIC + mark + _CRC.pack(_crc32(mark))


def acknowledged(head: bytes) -> int:
    """Where the events begin that were not acknowledged."""
    if len(head) < HEADER_BYTES or not head.startswith(MAGIC):
        return HEADER_BYTES
    mark = head[len(MAGIC) : len(MAGIC) + _MARK.size]
    (crc,) = _CRC.unpack_from(head, len(MAGIC) + _MARK.size)
    return int(_MARK.unpack(mark)[0]) if _crc32(mark) == crc else HEADER_BYTES


def framed(lines: Iterable[bytes]) -> bytes:
    """A frame each."""
    pieces: list[bytes] = []
    for line in lines:
        pieces += (_FRAME.pack(len(line), _crc32(line)), line)
    return b"".join(pieces)


def frames(data: bytes) -> Iterator[tuple[bytes, int]]:
    """(line, where its frame ends), up to the first frame that is not whole. The line is empty if it is damaged."""
    at = 0
    while at + FRAME_BYTES <= len(data):
        length, crc = _FRAME.unpack_from(data, at)
        end = at + FRAME_BYTES + length
        if not length or end > len(data):
            return
        line = data[at + FRAME_BYTES : end]
        yield (line if _crc32(line) == crc else b""), end
        at = end


def is_unwritten(rest: bytes) -> bool:
    """Is what follows the last whole frame what a crash may leave of a frame that nobody was told of? No bytes, zeros,
    or less than a frame's head. Anything else may have been an event."""
    return len(rest) < FRAME_BYTES or not rest.strip(b"\0")
