"""A delivery stream's write-ahead log: what was acknowledged is here until S3 has it.

One segment file becomes one S3 object. A segment is named for what its object's name needs (`<arrival of its first
record in ms>-v<version of the stream's configuration>-<id>.log`), so delivering it again after a crash writes the same
bytes under the same key.

A segment is a row of frames, one a request: 4 bytes length, 4 bytes CRC-32, then the bytes as they will be delivered.
A crash can only tear the last frame, which nobody was told of. Reading stops there, and the file is set aside: should
more than that be behind the tear, because a disk lied, it is still there. A frame whose bytes are damaged while its
length still leads to a whole one costs that one frame. No frame is empty, so that zeros, which a crash may leave at a
file's end, are none.
"""

import contextlib
import os
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from isal.isal_zlib import crc32

from localaws.durable import flush_data, move_file, sync_directory

_FRAME = struct.Struct("<II")
_NAME = re.compile(r"([0-9]+)-(?:v([0-9]+)-)?(.*)\.log")


def frame(data: bytes) -> bytes:
    """What `append` takes; of no bytes there is nothing to keep."""
    return _FRAME.pack(len(data), crc32(data)) + data if data else b""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A segment that waits for its delivery. `records` is 0 for one that an earlier run left. `version` is that of the
    stream's configuration, None in a name of the time when it was not in there."""

    path: Path
    arrival_ms: int
    version: int | None
    name: str
    bytes: int
    records: int = 0

    @classmethod
    def of(cls, path: Path, bytes: int, records: int = 0) -> "Sealed":  # noqa: A002 - the field's name
        found = _NAME.fullmatch(path.name)
        if found is None:
            raise ValueError(f"{path.name} is not the name of a segment")
        arrival_ms, version, name = found.groups()
        return cls(path, int(arrival_ms), int(version) if version else None, name, bytes, records)


class Segment:
    """A segment that is being written. `append` returns when the bytes are on disk; after an error the segment keeps
    what was whole before, and must be sealed."""

    def __init__(self, folder: Path, arrival_ms: int, version: int, name: str) -> None:
        self.path = folder / f"{arrival_ms}-v{version}-{name}.log"
        self.arrival_ms = arrival_ms
        self.version = version
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

    def seal(self) -> Sealed:
        with contextlib.suppress(OSError):  # what was acknowledged is on disk already
            os.close(self._fd)
        return Sealed.of(self.path, self.bytes, self.records)


def segments(folder: Path) -> list[Sealed]:
    """Segments left by an earlier run, oldest first."""
    files = (path for path in folder.glob("*.log") if _NAME.fullmatch(path.name))
    return sorted((Sealed.of(path, path.stat().st_size) for path in files), key=lambda segment: segment.arrival_ms)


def reassign(segment: Sealed, version: int) -> Sealed:
    """Make it a segment of another version of the stream's configuration."""
    path = segment.path.with_name(f"{segment.arrival_ms}-v{version}-{segment.name}.log")
    move_file(segment.path, path)
    return Sealed.of(path, segment.bytes, segment.records)


def read(path: Path) -> tuple[bytes, int]:
    """The bytes to deliver, every whole frame in order; and how many bytes of the segment are in none."""
    data = path.read_bytes()
    whole = [memoryview(data)[start:end] for start, end in frames(data)]
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
    return bool(end) and crc32(memoryview(data)[start + _FRAME.size : end]) == _FRAME.unpack_from(data, start)[1]


def aside(path: Path) -> Path:
    """Where a segment that is not whole is kept for a person to look at; nothing reads it again."""
    return path.with_suffix(".torn")


def set_aside(path: Path) -> None:
    move_file(path, aside(path))


def remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    sync_directory(path.parent)
