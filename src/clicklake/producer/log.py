"""One producer's lines on the disk: append-only segments, oldest first, with a part of them in memory.

    append()       the bytes are the operating system's before it returns, so they survive the process's end
    sync()         makes them survive the machine's
    peek()         the oldest lines that were not acknowledged: from memory, and where memory had no room, from the disk
    acknowledge()  a mark in the segment's header; a segment that is acknowledged to its end is deleted

Whoever has the lock file locked (flock(2)) owns the segments beside it. The kernel lets go of it when the process ends,
however it does, so nothing has to be cleaned up by hand: see spool.py.
"""

import contextlib
import errno
import fcntl
import os
import threading
from collections import deque
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from clicklake.producer import segments
from clicklake.producer.errors import SpoolError
from clicklake.producer.event import STAMP_BYTES
from clicklake.producer.memory import some
from clicklake.producer.packing import BYTES_PER_RECORD

_SEGMENT_BYTES = 8 * 1024 * 1024
_FRAME_AT_MOST = BYTES_PER_RECORD + segments.FRAME_BYTES
_FULL_FSYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: fsync(2) leaves bytes in the drive's cache

_FOLDERS_MADE = 5  # clicklake/spool/<endpoint>/<region>, and what holds them

Position = tuple[int, int]  # a segment's number, an offset in it


class Log:
    """Its caller holds the lock, but for `sync`."""

    def __init__(self, folder: Path, owner: str, lock: int, most: int, memory: int, *, syncs: bool = True) -> None:
        """`lock`: the locked file's descriptor; at most `most` bytes on the disk, `memory` in memory; `syncs`: will
        sync() be called?"""
        self.owner = owner
        self.size = 0
        self.reserved = 0  # bytes of `most` that others use
        self.damaged: list[Path] = []
        self._folder, self._lock, self._most, self._memory = folder, lock, most, memory
        self._segment_bytes = min(_SEGMENT_BYTES, most // 4)
        self._sizes = {number: path.stat().st_size for number, path in _found(folder, owner)}
        self.used = sum(self._sizes.values())  # bytes on the disk
        self._lines: deque[bytes] = deque()
        self._ends: deque[Position] = deque()  # where each line's frame ends
        self._fd: int | None = None
        self._number = max(self._sizes, default=0)
        self._read = self._marked = self._start()
        self._broken: set[int] = set()
        self._syncs = syncs
        self._full: deque[int] = deque()  # descriptors of segments to sync and close
        self._dirty = self._is_new = self._is_suspect = False
        self._is_kept = False  # are the folder's own entries on the disk?
        self.failures = 0  # of sync()
        self._syncing = threading.Lock()
        self._closed = False

    @property
    def is_behind(self) -> bool:
        """Has the disk lines that are not in memory?"""
        return self._read < self._end()

    @property
    def is_empty(self) -> bool:
        return not self._lines and not self.is_behind

    @property
    def room(self) -> int:
        """Bytes that could be appended now, as far as it is known."""
        try:
            disk = os.statvfs(self._folder)
        except OSError:
            return 0
        return max(0, min(self._most - self.used - self.reserved, disk.f_bavail * disk.f_frsize))

    # --- writing -----------------------------------------------------------------------------------------------------

    def append(self, lines: list[bytes]) -> bool:
        """All of them, or none: False if there is no room. Raises SpoolError if the disk takes no more."""
        data = segments.framed(lines)
        if self.used + self.reserved + len(data) > self._most:
            return False
        try:
            full = self._sizes.get(self._number, 0) > max(0, self._segment_bytes - len(data))
            if self._fd is None or full or self._is_suspect:
                self._begin_segment()
            at = self._sizes[self._number]
            _write(self._fd, data, at)
        except OSError as e:
            raise SpoolError(f"the spool can't be written ({e.strerror})", f"is there room in {self._folder}?") from e
        follows = self._read >= (self._number, at)
        self._sizes[self._number] = at + len(data)
        self.used += len(data)
        self._dirty = True
        if follows and (not self._lines or self.size + len(data) <= self._memory):
            self._hold_all(lines, at)
        return True

    def _begin_segment(self) -> None:
        if self._fd is not None:
            if self._syncs:
                self._full.append(self._fd)
            else:
                os.close(self._fd)
            self._fd = None
        follows = not self.is_behind
        path = self._path(self._number + 1)
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._number += 1
        self._sizes[self._number] = segments.HEADER_BYTES
        self.used += segments.HEADER_BYTES
        _write(self._fd, segments.header(), 0)
        self._dirty = self._is_new = True
        self._is_suspect = False
        if follows:
            self._read = (self._number, segments.HEADER_BYTES)

    def sync(self, since: int | None = None) -> None:
        """Make what was appended survive power loss. Who comes while it is under way waits for the next one, which is
        for all of them. Raises OSError, also if another one failed since `failures` was `since`: Linux may take the
        pages of a sync that failed for written (fsync(2), "EIO"), and the next one says nothing of them."""
        with self._syncing:
            if self._dirty and not self._closed:
                self._dirty = False  # what is appended from here on is the next one's
                try:
                    self._sync_all()
                except OSError:
                    self.failures += 1
                    # A hole in a segment hides what is behind it from whoever reads it after a crash.
                    self._dirty = self._is_suspect = True
                    raise
            if since is not None and self.failures != since:
                raise OSError(errno.EIO, "an earlier sync failed")

    def _sync_all(self) -> None:
        if self._is_new:
            self._is_new = False
            try:
                self._sync_folders()
            except OSError:
                self._is_new = True
                raise
        while True:
            while self._full:
                full = self._full.popleft()
                try:
                    _sync(full)
                finally:
                    os.close(full)
            fd = self._fd
            if fd is not None:
                _sync(fd)
            if not self._full:  # else it became full meanwhile, and another one is written
                return

    def _sync_folders(self) -> None:
        """The segment's entry; and before the first one those of the folders that spool.py may have made."""
        _sync_folder(self._folder)
        if not self._is_kept:
            for above in list(self._folder.parents)[:_FOLDERS_MADE]:
                with contextlib.suppress(PermissionError):  # then it is not one of ours
                    _sync_folder(above)
            self._is_kept = True

    # --- reading -----------------------------------------------------------------------------------------------------

    def peek(self, limit: int, skip: int = 0) -> list[bytes]:
        """Up to so many bytes of the oldest lines but the first `skip`; they stay until they are acknowledged."""
        while self.is_behind and self.size - _size(islice(self._lines, skip)) < limit:
            self._load(limit)
        return some(self._lines, limit, skip)

    def _load(self, limit: int) -> None:
        """Up to so many more bytes from the disk; at least a step forward."""
        number, at = self._read
        size = self._sizes.get(number, 0)  # its segment may be acknowledged and gone
        if at >= size:
            following = min(n for n in self._sizes if n > number)
            self._read = (following, self._beginning(following))
            return
        fd = os.open(self._path(number), os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = os.pread(fd, min(size - at, limit + _FRAME_AT_MOST), at)
        finally:
            os.close(fd)
        read = 0
        for line, end in segments.frames(data):
            if read >= limit:
                break
            read = end
            if line:
                self._hold(line, (number, at + end))
            else:
                self._broken.add(number)
        self._read = (number, at + read)
        if not read:
            if not segments.is_unwritten(data):
                self._broken.add(number)
            self._read = (number, size)

    def _hold(self, line: bytes, end: Position) -> None:
        self._lines.append(line)
        self._ends.append(end)
        self.size += len(line) + STAMP_BYTES
        self._read = end

    def _hold_all(self, lines: list[bytes], at: int) -> None:
        """Lines that were just written behind each other, from there on in this segment."""
        self._lines += lines
        for line in lines:
            at += segments.FRAME_BYTES + len(line)
            self._ends.append((self._number, at))
            self.size += len(line) + STAMP_BYTES
        self._read = (self._number, at)

    # --- acknowledging -----------------------------------------------------------------------------------------------

    def acknowledge(self, count: int) -> None:
        """The oldest `count` lines need not be kept any more."""
        if self._closed:
            return  # somebody else may own the segments by now, and sends the lines again
        self.size -= sum(len(self._lines.popleft()) for _ in range(count)) + count * STAMP_BYTES
        for _ in range(count):
            self._marked = self._ends.popleft()
        if self.is_empty:
            self._marked = self._read
        number, at = self._marked
        for done in [
            n for n in self._sizes if n < number or (n == number and n != self._writing and at >= self._sizes[n])
        ]:
            self._delete(done)
        if number in self._sizes:
            self._mark(number, at)

    def _mark(self, number: int, at: int) -> None:
        fd = self._fd if number == self._writing and self._fd is not None else os.open(self._path(number), os.O_RDWR)
        try:
            os.pwrite(fd, segments.header(at), 0)
        finally:
            if fd != self._fd:
                os.close(fd)

    def _delete(self, number: int) -> None:
        path = self._path(number)
        self.used -= self._sizes.pop(number)
        if number in self._broken:
            aside = path.with_suffix(".damaged")
            path.rename(aside)
            self.damaged.append(aside)
        else:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of it: what is left is there for whoever adopts it. Nothing is left of one that is empty."""
        if self._closed:
            return
        if self._syncs:
            with contextlib.suppress(OSError):  # it is in the file all the same, and nobody can do more about it now
                self.sync()
        with self._syncing:
            self._closed = True
            for fd in (*self._full, self._fd):
                if fd is not None:
                    os.close(fd)
            self._full.clear()
            self._fd = None
        if self.is_empty:
            for number in list(self._sizes):
                self._delete(number)
            lock_path(self._folder, self.owner).unlink(missing_ok=True)
        os.close(self._lock)

    def abandon(self) -> None:
        """In a forked child: the parent's descriptors are closed, and its lock stays the parent's (flock(2))."""
        self._closed = True
        for fd in (*self._full, self._fd, self._lock):
            if fd is not None:
                with contextlib.suppress(OSError):
                    os.close(fd)

    # --- places ------------------------------------------------------------------------------------------------------

    @property
    def _writing(self) -> int | None:
        return self._number if self._fd is not None else None

    def _end(self) -> Position:
        return (self._number, self._sizes.get(self._number, 0))

    def _start(self) -> Position:
        oldest = min(self._sizes, default=0)
        return (oldest, self._beginning(oldest)) if oldest else (0, 0)

    def _beginning(self, number: int) -> int:
        with self._path(number).open("rb") as file:
            return segments.acknowledged(file.read(segments.HEADER_BYTES))

    def _path(self, number: int) -> Path:
        return self._folder / f"{self.owner}.{number:08}.spool"


def _size(lines: Iterable[bytes]) -> int:
    return sum(len(line) + STAMP_BYTES for line in lines)


def lock_path(folder: Path, owner: str) -> Path:
    return folder / f"{owner}.lock"


def _found(folder: Path, owner: str) -> list[tuple[int, Path]]:
    return sorted((int(path.name.split(".")[1]), path) for path in folder.glob(f"{owner}.*.spool"))


def _write(fd: int | None, data: bytes, at: int) -> None:
    """All or nothing: what a full disk took of it is cut off again."""
    assert fd is not None
    try:
        if os.pwrite(fd, data, at) == len(data):
            return
        raise OSError(28, "the disk is full")
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(fd, at)
        raise


def _sync(fd: int) -> None:
    if _FULL_FSYNC is not None:
        fcntl.fcntl(fd, _FULL_FSYNC)
    else:
        os.fsync(fd)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        _sync(fd)
    finally:
        os.close(fd)
