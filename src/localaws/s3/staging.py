"""Files that are to be objects or parts of uploads: in a directory of their own, durable before anybody is told."""

import errno
import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from localaws.durable import flush, make_directories, sync_directory, sync_file, write_file
from localaws.s3.customer_keys import Cipher, counter_of
from localaws.wire import Body

_PIECE = 2**20


class Staging:
    def __init__(self, directory: Path, ids: Callable[[], str]) -> None:
        self._directory = directory
        self._ids = ids
        make_directories(directory)

    def stage(self, body: Body) -> str:
        """The body as a durable staged file: its name. A spooled body is moved, not copied."""
        with self._new() as target:
            if body.file is None:
                write_file(target, body.data)
            else:
                sync_file(body.file)
                body.file.replace(target)
                sync_directory(self._directory)
        return target.name

    def stage_slices(self, slices: Iterable[tuple[IO[bytes], int, int]]) -> str:
        """The (file, start, length)s, one after the other, as a durable staged file: its name."""
        with self._new() as target:
            with target.open("xb", buffering=0) as file:
                for source, start, length in slices:
                    _copy(source.fileno(), start, length, file.fileno())
                flush(file.fileno())
            sync_directory(self._directory)
        return target.name

    def seal(self, name: str, size: int, key: bytes) -> str:
        """Encrypt a staged file; durable on return. The counter that it begins with."""
        with self.file(name).open("rb") as file:
            counter = counter_of(key, hashlib.file_digest(file, "sha256").digest())
        self.rewrite(name, Cipher(key, [(size, counter)]))
        return counter

    def rewrite(self, name: str, change: Callable[[int, bytes], bytes]) -> None:
        """Replace a staged file's bytes, piece by piece, by what `change(position, piece)` makes of them."""
        with self.file(name).open("r+b", buffering=0) as file:
            position = 0
            while piece := os.pread(file.fileno(), _PIECE, position):
                os.pwrite(file.fileno(), change(position, piece), position)
                position += len(piece)
            flush(file.fileno())

    @contextmanager
    def _new(self) -> Iterator[Path]:
        """A path in the staging directory; what can't be finished there (the disk is full) leaves nothing."""
        target = self._directory / self._ids()
        try:
            yield target
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def file(self, name: str) -> Path:
        return self._directory / name

    def discard(self, name: str | None) -> None:
        if name is not None:
            (self._directory / name).unlink(missing_ok=True)

    def sweep(self, kept: Collection[str | None]) -> None:
        """At the start: delete what was staged and is nobody's."""
        for entry in os.scandir(self._directory):
            if entry.name not in kept:
                self.discard(entry.name)


def _copy(source: int, start: int, length: int, target: int) -> None:
    """Inside the kernel where that is possible (Linux; Btrfs and XFS then share the blocks)."""
    while length:
        copied = _copy_range(source, start, min(length, 2**30), target)
        if not copied:
            raise OSError("a file became shorter while it was copied")
        start, length = start + copied, length - copied


def _copy_range(source: int, start: int, length: int, target: int) -> int:
    if hasattr(os, "copy_file_range"):
        try:
            return os.copy_file_range(source, target, length, offset_src=start)
        except OSError as e:
            if e.errno not in {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}:
                raise
    return os.write(target, os.pread(source, min(length, _PIECE), start))
