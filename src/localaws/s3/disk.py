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

In a versioned bucket a version that is current no more gets a name in `s3-versions/` before step 3 takes its place:
a link, so that its place is never empty, and an fsync. Its row in `s3_versions` is `pending` until that is settled. So
the bytes of any version are where they are found first:

    1. `s3-versions/<file>`      it is not current, or was not before it became so again
    2. `s3-staging/<staged>`     it was never brought to its place
    3. `s3/<bucket>/<path>`      its place

and of one key only one version can be at 3. The files of deleted versions are in `s3_discards` until they are gone.

The numbers of changes only grow, across restarts too: they are the objects' generations and the events' sequencers.
"""

import contextlib
import errno
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from localaws.durable import make_directories, sync_directory
from localaws.s3 import keys as s3_keys
from localaws.s3.staging import Staging
from localaws.store import Store

log = logging.getLogger("localaws.s3")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS s3_changes (change INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT NOT NULL,
  key BLOB NOT NULL, path TEXT NOT NULL, staged TEXT, file TEXT NOT NULL DEFAULT '', UNIQUE (bucket, key));
CREATE TABLE IF NOT EXISTS s3_discards (file TEXT PRIMARY KEY) WITHOUT ROWID;
"""
# What is to be done for a key, in one look: its last change, and before that its versions that lose their place.
_OWED = """SELECT change, path, staged, file, 0 FROM s3_changes WHERE bucket = :bucket AND key = :key
  UNION ALL SELECT change, '', staged, file, 1 FROM s3_versions INDEXED BY s3_versions_owed
  WHERE bucket = :bucket AND key = :key AND pending"""
_BATCH = 256  # changes that are settled together
_NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR})


@dataclass(frozen=True, slots=True)
class Change:
    """`path` is where the object lies, relative to its bucket's directory."""

    number: int
    path: str
    superseded: str | None  # the staged file of an earlier change that this one replaces


@dataclass(frozen=True, slots=True)
class _Followed:
    """`directories` are still to be fsynced; `kept` are versions whose bytes are in `s3-versions/`, durably: each one's
    file, and the change that it was current with. One that is restored and makes room again has another change, and
    what is settled of the earlier one says nothing of its bytes."""

    directories: set[Path]
    kept: list[tuple[str, int]]


class Disk:
    def __init__(self, store: Store, root: Path, ids: Callable[[], str]) -> None:
        self._store = store
        self._buckets = root / "s3"
        self.staging = Staging(root / "s3-staging", ids)
        self._versions = root / "s3-versions"
        self._placing = threading.Lock()
        self._settling = threading.Lock()
        self._placed: dict[int, _Followed] = {}  # by change: followed, not settled
        self._gone: set[str] = set()  # versions' files that were removed, which is not settled
        self._reserved: dict[tuple[str, str], str] = {}  # paths of new objects that are not at their place yet
        make_directories(self._buckets)
        make_directories(self._versions)
        store.migrate(_SCHEMA)
        store.add_column("s3_changes", "file", "TEXT NOT NULL DEFAULT ''")

    # Changes

    def record(
        self, db: sqlite3.Connection, bucket: str, key: str, staged: str | None, path: str | None, file: str = ""
    ) -> Change:
        """Note, in the caller's transaction, that the object becomes the staged file, the version `file`, or nothing.

        `path` is where the object lies now, None for a new one. `follow` is owed after the commit.
        """
        query = "SELECT path, staged FROM s3_changes WHERE bucket = ? AND key = ?"
        before = db.execute(query, (bucket, key.encode())).fetchone() or (path, None)
        place: str | None = before[0]
        chosen = place if place and (path or self._is_there(bucket, place)) else self._choose(bucket, key)
        if path is None:
            self._reserved[bucket, key] = chosen
        row = (bucket, key.encode(), chosen, staged, file)
        query = "INSERT OR REPLACE INTO s3_changes (bucket, key, path, staged, file) VALUES (?, ?, ?, ?, ?)"
        done = db.execute(query, row)
        assert done.lastrowid is not None
        return Change(done.lastrowid, chosen, before[1])

    def number(self, db: sqlite3.Connection) -> int:
        """The number of a change that no file has to follow."""
        db.execute("INSERT INTO s3_changes (bucket, key, path) VALUES ('', '', '')")
        (number,) = db.execute("SELECT last_insert_rowid()").fetchone()
        db.execute("DELETE FROM s3_changes WHERE change = ?", (number,))
        return int(number)

    def doom(self, db: sqlite3.Connection, file: str) -> None:
        """Note, in the caller's transaction, that a version's file is of no use any more. `remove` is owed."""
        if file:
            db.execute("INSERT OR IGNORE INTO s3_discards VALUES (?)", (file,))

    def _is_there(self, bucket: str, path: str) -> bool:
        """Is the file of an object that was deleted still there? If it is gone, another key may have taken its way."""
        return (self._buckets / bucket / path).is_file()

    def _choose(self, bucket: str, key: str) -> str:
        """Its own name if the file system can hold that and nothing is in its way, else its name beside the others. The
        key's own reservation is one whose transaction was undone, on a full disk, say."""
        directory = self._buckets / bucket
        others = [path for (b, k), path in list(self._reserved.items()) if b == bucket and k != key]
        good = (
            s3_keys.can_be_plain(directory, key)
            and not any(s3_keys.in_the_way(key, other) for other in others)
            and s3_keys.is_free(directory / key, directory)
        )
        return key if good else s3_keys.side_path(key)

    def follow(self, bucket: str, key: str) -> None:
        """Make the disk what the key's last committed change says."""
        with self._placing:
            owed = self._store.read().execute(_OWED, {"bucket": bucket, "key": key.encode()}).fetchall()
            if not owed or owed[0][0] in self._placed:
                return
            (number, path, staged, file, _), *pending = owed
            try:
                self._keep([row[2:4] for row in pending], self._buckets / bucket / path)
                stays = staged is not None or file != ""
                directories = self._place(bucket, path, staged, file) if stays else self._remove(bucket, path)
                self._placed[number] = _Followed(directories, [(row[3], row[0]) for row in pending])
            except OSError:  # the object is whole and is read from where it was staged; the next start tries again
                log.exception("%s of bucket %s can't be brought to its place", path, bucket)
            self._reserved.pop((bucket, key), None)
            full = len(self._placed) >= _BATCH
        if full:
            self.settle()

    def _keep(self, pending: Collection[tuple[str | None, str]], place: Path) -> None:
        """Give each (staged, file) its name among the versions, durably: after that its place may be taken."""
        for staged, file in pending:
            target = self._versions / file
            if not target.exists() and not (staged and _moved(self.staging.file(staged), target)):
                os.link(place, target)
        if pending:
            sync_directory(self._versions)

    def _place(self, bucket: str, path: str, staged: str | None, file: str) -> set[Path]:
        target = self._buckets / bucket / path
        changed = _make_way(target.parent)
        sources = ([self._versions / file] if file else []) + ([self.staging.file(staged)] if staged else [])
        if not any(_moved(source, target) for source in sources) and not target.exists():  # else it was done before
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(sources[-1]))
        return changed | ({self._versions} if file else set())

    def _remove(self, bucket: str, path: str) -> set[Path]:
        """Remove the file and the directories that it leaves empty; of what was gone before, another object may be in
        the way by now."""
        directory = self._buckets / bucket
        target = directory / path
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            target.unlink()
        parent = target.parent
        while parent != directory:
            try:
                parent.rmdir()
            except OSError as e:
                if e.errno not in {errno.ENOTEMPTY, errno.EEXIST, *_NOT_THERE}:
                    raise
                if e.errno not in _NOT_THERE:
                    break
            parent = parent.parent
        return {parent}

    def settle(self) -> None:
        """Make the places of what was followed durable, and forget those changes."""
        with self._settling:
            with self._placing:
                placed, self._placed = self._placed, {}
                gone, self._gone = self._gone, set()
            directories = set().union(*(followed.directories for followed in placed.values()))
            # From the top down: else a file whose new name is durable could be in a directory that is not.
            for directory in sorted(directories | ({self._versions} if gone else set())):
                _sync_nearest(directory)
            kept = [version for followed in placed.values() for version in followed.kept]
            with self._store.write() as db:
                db.executemany("DELETE FROM s3_changes WHERE change = ?", [(number,) for number in placed])
                db.executemany(
                    "UPDATE s3_versions SET pending = 0, staged = NULL WHERE file = ? AND change = ? AND pending", kept
                )
                db.executemany("DELETE FROM s3_discards WHERE file = ?", [(file,) for file in gone])

    def remove(self, files: Iterable[str], staged: Iterable[str | None]) -> None:
        """Remove what was doomed: versions' files, and files that stayed staged. After `follow`, which may be moving
        one of them this moment."""
        with self._placing:
            for name in staged:
                self.staging.discard(name)
            for file in filter(None, files):
                (self._versions / file).unlink(missing_ok=True)
                self._gone.add(file)
            full = len(self._gone) >= _BATCH
        if full:
            self.settle()

    def recover(self, kept: Collection[str]) -> None:
        """At the start: finish what was committed, delete what was staged and never committed; `kept` are parts."""
        query = "SELECT bucket, key FROM s3_changes ORDER BY change"  # one may need the way that an earlier one clears
        for bucket, key in self._store.read().execute(query).fetchall():
            self.follow(bucket, key.decode())
        self.remove([file for (file,) in self._store.read().execute("SELECT file FROM s3_discards")], [])
        self.settle()
        query = "SELECT staged FROM s3_changes UNION SELECT staged FROM s3_versions WHERE pending"
        left = {name for (name,) in self._store.read().execute(query)}
        self.staging.sweep(left | set(kept))

    # Reading

    def open(self, bucket: str, path: str, change: int) -> IO[bytes] | None:
        """The current version's file; None if it is nowhere, so that the caller looks at the row again."""
        row = self._store.read().execute("SELECT staged, file FROM s3_changes WHERE change = ?", (change,)).fetchone()
        staged: str | None = row[0] if row else None
        file: str = row[1] if row else ""
        places = ([self._versions / file] if file else []) + ([self.staging.file(staged)] if staged else [])
        for place in (*places, self._buckets / bucket / path):
            try:
                return place.open("rb", buffering=0)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                continue
        return None

    def open_version(self, file: str) -> IO[bytes] | None:
        """The file of a version that is not current and that was followed; None if it is not there."""
        try:
            return (self._versions / file).open("rb", buffering=0)
        except FileNotFoundError:
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


def _moved(source: Path, target: Path) -> bool:
    """Rename; False if the source is not there. Of two links of one file both would stay (rename(2))."""
    try:
        source.replace(target)
    except FileNotFoundError:
        return False
    source.unlink(missing_ok=True)
    return True


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
