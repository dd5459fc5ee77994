"""A delivery stream's write-ahead log: what was acknowledged is here until S3 has it.

One segment file becomes one S3 object. A segment is named for what its object's name needs (`<arrival of its first
record in ms>-<id>.log`), so delivering it again after a crash writes the same bytes under the same key.

A segment is a row of frames, one a request: 4 bytes length, 4 bytes CRC-32, then the bytes as they will be delivered.
A crash can only tear the last frame, which nobody was told of. Reading stops there, and the file is set aside: should
more than that be behind the tear, because a disk lied, it is still there. A frame whose bytes are damaged while its
length still leads to a whole one costs that one frame. No frame is empty, so that zeros, which a crash may leave at a
file's end, are none.
"""

import contextlib
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from localaws.durable import flush_data, move_file, sync_directory

_FRAME = struct.Struct("<II")


def frame(data: bytes) -> bytes:
    """What `append` takes; of no bytes there is nothing to keep."""
    return _FRAME.pack(len(data), zlib.crc32(data)) + data if data else b""


class Segment:
    """A segment that is being written. `append` returns when the bytes are on disk; after an error the segment keeps
    what was whole before, and must be sealed."""

    def __init__(self, folder: Path, arrival_ms: int, name: str) -> None:
        self.path = folder / f"{arrival_ms}-{name}.log"
        self.arrival_ms = arrival_ms
        self.bytes = 0
        self.records = 0
        self._end = 0
        self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            sync_directory(folder)
        except OSError:
            os.close(self._fd)
            self.path.unlink(missing_ok=True)
            raise

    def append(self, frames: Sequence[bytes]) -> None:
        data = b"".join(frames)
        try:
            written = 0
            while written < len(data):
                written += os.write(self._fd, memoryview(data)[written:])
            flush_data(self._fd)
        except OSError:
            os.ftruncate(self._fd, self._end)
            raise
        self._end += len(data)
        self.bytes += len(data) - _FRAME.size * sum(map(bool, frames))

    def seal(self) -> Path:
        with contextlib.suppress(OSError):  # what was acknowledged is on disk already
            os.close(self._fd)
        return self.path


def segments(folder: Path) -> list[Path]:
    """Segments left by an earlier run, oldest first."""
    return sorted(folder.glob("*.log"), key=lambda path: int(path.name.partition("-")[0]))


def read(path: Path) -> tuple[bytes, int]:
    """The bytes to deliver, every whole frame in order; and how many bytes of the segment are in none."""
    data = path.read_bytes()
    whole = [data[start:end] for start, end in frames(data)]
    return b"".join(whole), len(data) - sum(_FRAME.size + len(part) for part in whole)


def frames(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the bytes of each whole frame begin and end."""
    position = 0
    while end := _end(data, position):
        if _is_whole(data, position, end):
            yield position + _FRAME.size, end
        elif not _is_whole(data, end, _end(data, end)):
            return
        position = end


def _end(data: bytes, start: int) -> int:
    """Where a frame that begins here would end; 0 if none can."""
    if start + _FRAME.size > len(data):
        return 0
    length, _ = _FRAME.unpack_from(data, start)
    end: int = start + _FRAME.size + length
    return end if length and end <= len(data) else 0


def _is_whole(data: bytes, start: int, end: int) -> bool:
    return bool(end) and zlib.crc32(memoryview(data)[start + _FRAME.size : end]) == _FRAME.unpack_from(data, start)[1]


def set_aside(path: Path) -> Path:
    """Keep a segment that is not whole for a person to look at; nothing reads it again."""
    kept = path.with_suffix(".torn")
    move_file(path, kept)
    return kept


def remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    sync_directory(path.parent)
