"""The bytes of objects, and how they and their rows never disagree.

A change of an object is one committed row of `s3_changes`; the disk follows it:

    PUT      1. the bytes are staged: a file in `s3-staging/`, it and its directory entry fsynced
             2. one transaction writes the object's row, this change and the event: the point of no return
             3. the staged file is renamed to its place, and the answer leaves
    DELETE   the same without step 1; step 3 removes the file
    later    for a batch of changes: their directories are fsynced, then their rows leave `s3_changes`

Step 3 can be done again at any time and by anybody (`follow`), so a crash after step 2 is healed by doing it at the
next start. A reader opens the staged file if the object's last change is still here and the file is there, else the
file at its place, and then looks whether the row is still the same.

The numbers of changes only grow, across restarts too: they are the objects' generations and the events' sequencers.
"""

import errno
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from localaws.durable import flush, make_directories, sync_directory, sync_file, write_file
from localaws.s3 import keys as s3_keys
from localaws.store import Store
from localaws.wire import Body

log = logging.getLogger("localaws.s3")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS s3_changes (change INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL,
  key BLOB NOT NULL, path TEXT NOT NULL, staged TEXT, UNIQUE (bucket, key));
"""
_BATCH = 256  # changes that are settled together
_PIECE = 2**20


@dataclass(frozen=True, slots=True)
class Change:
    """`path` is where the object lies, relative to its bucket's directory."""

    number: int
    path: str
    superseded: str | None  # the staged file of an earlier change that this one replaces


class Disk:
    def __init__(self, store: Store, root: Path, ids: Callable[[], str]) -> None:
        self._store = store
        self._buckets = root / "s3"
        self._staging = root / "s3-staging"
        self._ids = ids
        self._placing = threading.Lock()
        self._settling = threading.Lock()
        self._placed: dict[int, set[Path]] = {}  # followed, not settled: the directories that are still to be fsynced
        self._reserved: dict[tuple[str, str], str] = {}  # paths of new objects that are not at their place yet
        make_directories(self._buckets)
        make_directories(self._staging)
        store.migrate(_SCHEMA)

    # Staging

    def stage(self, body: Body) -> str:
        """The body as a durable staged file: its name. A spooled body is moved, not copied."""
        with self._new() as target:
            if body.file is None:
                write_file(target, body.data)
            else:
                sync_file(body.file)
                body.file.replace(target)
                sync_directory(self._staging)
        return target.name

    def stage_slices(self, slices: Iterable[tuple[IO[bytes], int, int]]) -> str:
        """The (file, start, length)s, one after the other, as a durable staged file: its name."""
        with self._new() as target:
            with target.open("xb", buffering=0) as file:
                for source, start, length in slices:
                    _copy(source.fileno(), start, length, file.fileno())
                flush(file.fileno())
            sync_directory(self._staging)
        return target.name

    @contextmanager
    def _new(self) -> Iterator[Path]:
        """A path in the staging directory; what can't be finished there (the disk is full) leaves nothing."""
        target = self._staging / self._ids()
        try:
            yield target
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def staged(self, name: str) -> Path:
        return self._staging / name

    def discard(self, name: str | None) -> None:
        if name is not None:
            (self._staging / name).unlink(missing_ok=True)

    # Changes

    def record(self, db: sqlite3.Connection, bucket: str, key: str, staged: str | None, path: str | None) -> Change:
        """Note, in the caller's transaction, that the object becomes the staged file, or nothing.

        `path` is where the object lies now, None for a new one. `follow` is owed after the commit.
        """
        query = "SELECT path, staged FROM s3_changes WHERE bucket = ? AND key = ?"
        before = db.execute(query, (bucket, key.encode())).fetchone() or (path, None)
        chosen: str = before[0] or self._choose(bucket, key)
        row = (bucket, key.encode(), chosen, staged)
        done = db.execute("INSERT OR REPLACE INTO s3_changes (bucket, key, path, staged) VALUES (?, ?, ?, ?)", row)
        assert done.lastrowid is not None
        return Change(done.lastrowid, chosen, before[1])

    def _choose(self, bucket: str, key: str) -> str:
        """Its own name if the file system can hold that and nothing is in its way, else its name beside the others."""
        directory = self._buckets / bucket
        others = [path for (b, _), path in list(self._reserved.items()) if b == bucket]
        good = (
            s3_keys.can_be_plain(directory, key)
            and not any(s3_keys.in_the_way(key, other) for other in others)
            and s3_keys.is_free(directory / key, directory)
        )
        chosen = key if good else s3_keys.side_path(key)
        self._reserved[bucket, key] = chosen
        return chosen

    def follow(self, bucket: str, key: str) -> None:
        """Make the disk what the key's last committed change says."""
        query = "SELECT change, path, staged FROM s3_changes WHERE bucket = ? AND key = ?"
        with self._placing:
            row = self._store.read().execute(query, (bucket, key.encode())).fetchone()
            if row is None or row[0] in self._placed:
                return
            number, path, staged = row
            try:
                self._placed[number] = self._place(bucket, path, staged) if staged else self._remove(bucket, path)
            except OSError:  # the object is whole and is read from where it was staged; the next start tries again
                log.exception("%s of bucket %s can't be brought to its place", path, bucket)
            self._reserved.pop((bucket, key), None)
            full = len(self._placed) >= _BATCH
        if full:
            self.settle()

    def _place(self, bucket: str, path: str, staged: str) -> set[Path]:
        target = self._buckets / bucket / path
        changed = _make_way(target.parent)
        try:
            (self._staging / staged).replace(target)
        except FileNotFoundError:
            if not target.exists():  # else it was done before
                raise
        return changed

    def _remove(self, bucket: str, path: str) -> set[Path]:
        """Remove the file and the directories that it leaves empty."""
        directory = self._buckets / bucket
        target = directory / path
        target.unlink(missing_ok=True)
        parent = target.parent
        while parent != directory:
            try:
                parent.rmdir()
            except OSError as e:
                if e.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT}:
                    raise
                if e.errno != errno.ENOENT:
                    break
            parent = parent.parent
        return {parent}

    def settle(self) -> None:
        """Make the places of what was followed durable, and forget those changes."""
        with self._settling:
            with self._placing:
                placed, self._placed = self._placed, {}
            for directory in set().union(*placed.values()):
                _sync_nearest(directory)
            with self._store.write() as db:
                db.executemany("DELETE FROM s3_changes WHERE change = ?", [(number,) for number in placed])

    def recover(self, kept: Collection[str]) -> None:
        """At the start: finish what was committed, delete what was staged and never committed; `kept` are parts."""
        for bucket, key in self._store.read().execute("SELECT bucket, key FROM s3_changes").fetchall():
            self.follow(bucket, key.decode())
        self.settle()
        left = {name for (name,) in self._store.read().execute("SELECT staged FROM s3_changes")}
        for entry in os.scandir(self._staging):
            if entry.name not in left and entry.name not in kept:
                self.discard(entry.name)

    # Reading

    def open(self, bucket: str, path: str, staged: str | None) -> IO[bytes] | None:
        """The object's file; None if it is at neither place, so that the caller looks at the row again."""
        places = [self._buckets / bucket / path]
        if staged is not None:
            places.insert(0, self._staging / staged)
        for place in places:
            try:
                return place.open("rb", buffering=0)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                continue
        return None

    def place(self, bucket: str, path: str) -> Path:
        return self._buckets / bucket / path

    # Buckets

    def make_bucket(self, bucket: str) -> None:
        make_directories(self._buckets / bucket)

    def remove_bucket(self, bucket: str) -> None:
        """Remove the bucket's directory; what lies there and is no object stays."""
        directory = self._buckets / bucket
        with self._placing:
            for path in (directory / s3_keys.SIDE, directory):
                try:
                    path.rmdir()
                except OSError as e:
                    if e.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT}:
                        raise
        sync_directory(self._buckets)


def _make_way(directory: Path) -> set[Path]:
    """Create the directory and its missing parents: every directory whose entries changed or will."""
    changed = {directory}
    missing = directory
    while not missing.exists():
        missing = missing.parent
        changed.add(missing)
    directory.mkdir(parents=True, exist_ok=True)
    return changed


def _sync_nearest(directory: Path) -> None:
    """Sync it, or what is left of the way to it: an object that was deleted may have taken its directory along."""
    while True:
        try:
            return sync_directory(directory)
        except (FileNotFoundError, NotADirectoryError):
            directory = directory.parent


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
