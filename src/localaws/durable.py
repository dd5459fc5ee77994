"""Files that survive power loss.

A new file is durable when its bytes and its directory entry are both on disk (fsync(2): "calling fsync() does not
necessarily ensure that the entry in the directory containing the file has also reached disk"), so every function
here ends with an fsync of the directory too. macOS's fsync leaves the bytes in the drive's cache, so there it is
F_FULLFSYNC (fsync(2) on macOS).
"""

import errno
import fcntl
import os
import sqlite3
from pathlib import Path

_FULL_FSYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)


def says_full(error: BaseException | None) -> bool:
    """Is a full disk what it is about, or what it came of?"""
    while error is not None:
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return True
        if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def flush(fd: int) -> None:
    """Make an open file's bytes durable."""
    if _FULL_FSYNC is not None:
        fcntl.fcntl(fd, _FULL_FSYNC)
    else:
        os.fsync(fd)


def flush_data(fd: int) -> None:
    """`flush` without the times: fdatasync flushes a new length too, and reading needs no more (fdatasync(2))."""
    if hasattr(os, "fdatasync"):
        os.fdatasync(fd)
    else:
        flush(fd)


def sync_directory(path: Path) -> None:
    """Make the directory's entries durable."""
    fd = os.open(path, os.O_RDONLY)
    try:
        flush(fd)
    finally:
        os.close(fd)


def make_directories(path: Path) -> None:
    """Create `path` and its missing parents, each entry durable. One that is there already may have been made by a
    process that was killed before it could say so, so its entry is made durable again."""
    made = [p for p in (path, *path.parents) if not p.exists()] or [path]
    path.mkdir(parents=True, exist_ok=True)
    for directory in reversed(made):
        sync_directory(directory.parent)


def sync_file(path: Path) -> None:
    """Make the bytes of an existing file durable."""
    fd = os.open(path, os.O_RDONLY)
    try:
        flush(fd)
    finally:
        os.close(fd)


def write_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Create `path` with `data`; a crash leaves the whole file or none that anybody was told of."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        flush(file.fileno())
    sync_directory(path.parent)


def replace_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace `path` by `data` in one step: a reader sees the old bytes or the new, never a mixture."""
    temporary = path.with_name(path.name + ".new")
    write_file(temporary, data, mode)
    move_file(temporary, path)


def move_file(source: Path, target: Path) -> None:
    """Rename within one file system, durably; an existing target is replaced."""
    source.replace(target)
    sync_directory(target.parent)
    if source.parent != target.parent:
        sync_directory(source.parent)
