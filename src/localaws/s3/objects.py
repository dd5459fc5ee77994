"""Objects: their rows, and every transaction that changes one.

`s3_objects` has one row for each object, in the byte order of the keys, so that a listing is a walk along its primary
key. How rows and files stay in step is s3_disk.py's.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from localaws.errors import AwsError
from localaws.s3.buckets import Bucket, Buckets
from localaws.s3.disk import Change, Disk
from localaws.store import Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS s3_objects (bucket TEXT NOT NULL, key BLOB NOT NULL, change INTEGER NOT NULL,
  size INTEGER NOT NULL, etag TEXT NOT NULL, modified REAL NOT NULL, path TEXT NOT NULL, description TEXT NOT NULL,
  PRIMARY KEY (bucket, key)) WITHOUT ROWID;
"""
_COLUMNS = "key, o.change, size, etag, modified, o.path, description"
_SELECT = f"SELECT {_COLUMNS} FROM s3_objects o WHERE bucket = ?"
_TRIES = 100

Announce = Callable[[str, Bucket, str, int, "Stored | None"], None]
"""(event name, bucket, key, change, what was stored), called in the transaction."""


@dataclass(frozen=True, slots=True)
class Description:
    """What is told of an object beside its bytes.

    `fields`: members of GetObject's answer that come back as they were put (ContentType, Metadata ...);
    `checksums` by algorithm, of the kind `checksum_type`; `parts`: of a multipart object, each with "PartNumber",
    "Size" and its checksum; `upload`: the multipart upload that made it.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    checksum_type: str = "FULL_OBJECT"
    tags: Mapping[str, str] = field(default_factory=dict)
    parts: Sequence[Mapping[str, Any]] = ()
    upload: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """One object. `change` is its generation, `etag` without quotes, `modified` epoch seconds."""

    key: str
    change: int
    size: int
    etag: str
    modified: float
    path: str
    description: Description


@dataclass(frozen=True, slots=True)
class StoredFile:
    key: str
    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class New:
    """An object to be: `staged` is the name of its staged file."""

    bucket: str
    key: str
    staged: str
    size: int
    etag: str
    description: Description
    event: str


class Objects:
    """`changed()` is called after each transaction that announced an event."""

    def __init__(
        self,
        store: Store,
        disk: Disk,
        buckets: Buckets,
        clock: Callable[[], float],
        announce: Announce,
        changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._disk = disk
        self._buckets = buckets
        self._clock = clock
        self._announce = announce
        self._changed = changed
        store.migrate(_SCHEMA)

    # Changing

    def put(
        self,
        new: New,
        condition: Callable[[Stored | None], None],
        also: Callable[[], object] = lambda: None,
    ) -> Stored:
        """Durable on return. `condition` sees what was there before and may raise; `also` is done in the transaction.

        The staged file is the object's from the commit on; if this raises it is gone.
        """

        def commit(db: sqlite3.Connection) -> tuple[Stored, Change]:
            bucket = self._buckets.get(new.bucket, db)
            old = _find(db, new.bucket, new.key)
            condition(old)
            change = self._disk.record(db, new.bucket, new.key, new.staged, old.path if old else None)
            modified = self._clock()
            stored = Stored(new.key, change.number, new.size, new.etag, modified, change.path, new.description)
            _write(db, new.bucket, stored)
            also()
            self._announce(new.event, bucket, new.key, change.number, stored)
            return stored, change

        try:
            stored, change = self._store.together(commit)
        except BaseException as e:
            if not _may_be_committed(e):
                self._disk.discard(new.staged)
            raise
        self._changed()
        self._disk.follow(new.bucket, new.key)
        self._disk.discard(change.superseded)
        return stored

    def delete(
        self, bucket: str, keys: Sequence[str], condition: Callable[[Stored | None], None]
    ) -> dict[str, AwsError]:
        """Delete those that are there, all in one durable transaction; the ones that `condition` refused, with why."""
        refused: dict[str, AwsError] = {}
        superseded = []
        with self._store.write() as db:
            home = self._buckets.get(bucket, db)
            for key in keys:
                old = _find(db, bucket, key)
                try:
                    condition(old)
                except AwsError as e:
                    refused[key] = e
                    continue
                if old is None:
                    continue
                change = self._disk.record(db, bucket, key, None, old.path)
                superseded.append(change.superseded)
                db.execute("DELETE FROM s3_objects WHERE bucket = ? AND key = ?", (bucket, key.encode()))
                self._announce("ObjectRemoved:Delete", home, key, change.number, None)
        self._changed()
        for key in keys:
            self._disk.follow(bucket, key)
        for name in superseded:
            self._disk.discard(name)
        return refused

    def describe(self, bucket: str, key: str, change: Callable[[Description], Description]) -> Stored:
        """Replace the object's description, not its bytes. Raises NoSuchKey."""
        with self._store.write() as db:
            old = self.get(bucket, key, db)
            stored = replace(old, description=change(old.description))
            _write(db, bucket, stored)
        return stored

    def check_empty(self, bucket: str, db: sqlite3.Connection | None = None) -> None:
        """Raises NoSuchBucket, BucketNotEmpty."""
        self._buckets.get(bucket, db)
        query = "SELECT 1 FROM s3_objects WHERE bucket = ? LIMIT 1"
        if (db or self._store.read()).execute(query, (bucket,)).fetchone():
            text = "The bucket you tried to delete is not empty"
            raise AwsError("BucketNotEmpty", text, 409, BucketName=bucket)

    def delete_bucket(self, bucket: str) -> None:
        """Raises NoSuchBucket, BucketNotEmpty."""
        with self._store.write() as db:
            self.check_empty(bucket, db)
            db.execute("DELETE FROM s3_buckets WHERE name = ?", (bucket,))
        self._disk.remove_bucket(bucket)

    # Reading

    def find(self, bucket: str, key: str) -> Stored | None:
        return _find(self._store.read(), bucket, key)

    def get(self, bucket: str, key: str, db: sqlite3.Connection | None = None) -> Stored:
        """Raises NoSuchBucket, NoSuchKey."""
        stored = _find(db or self._store.read(), bucket, key)
        if stored is None:
            self._buckets.get(bucket, db)
            raise AwsError("NoSuchKey", "The specified key does not exist.", 404, Key=key)
        return stored

    def open(self, bucket: str, key: str) -> tuple[Stored, IO[bytes]]:
        """The object and its file, of one and the same put; the caller closes it. Raises NoSuchBucket, NoSuchKey."""
        staged_of = "SELECT staged FROM s3_changes WHERE change = ?"
        for _ in range(_TRIES):
            stored = self.get(bucket, key)
            row = self._store.read().execute(staged_of, (stored.change,)).fetchone()
            file = self._disk.open(bucket, stored.path, row and row[0])
            now = self.find(bucket, key)
            if file is not None and now is not None and now.change == stored.change:
                return stored, file
            if file is not None:
                file.close()
            elif now is not None and now.change == stored.change:
                raise AwsError("InternalError", f"The object's file {stored.path!r} is gone", 500)
        raise AwsError("SlowDown", "The object changes faster than it can be read", 503)

    def scan(self, bucket: str, start: bytes, stop: bytes | None, limit: int) -> Iterator[Stored]:
        """Objects with start <= key < stop, in byte order."""
        query = f"{_SELECT} AND key >= ? AND (? IS NULL OR key < ?) ORDER BY key LIMIT ?"
        for row in self._store.read().execute(query, (bucket, start, stop, stop, limit)):
            yield _stored(row)

    def files(self, bucket: str, prefix: str) -> list[StoredFile]:
        """Every object under `prefix`, in the order of the keys."""
        query = """SELECT o.key, o.path, size, staged FROM s3_objects o LEFT JOIN s3_changes c USING (change)
            WHERE o.bucket = ? AND o.key >= ? AND (? IS NULL OR o.key < ?) ORDER BY o.key"""
        start, stop = prefix.encode(), after_prefix(prefix.encode())
        found = []
        for key, path, size, staged in self._store.read().execute(query, (bucket, start, stop, stop)).fetchall():
            if staged is not None:
                self._disk.follow(bucket, key.decode())
            found.append(StoredFile(key.decode(), self._disk.place(bucket, path), size))
        return found


def after_prefix(prefix: bytes) -> bytes | None:
    """The first byte string that is greater than all that begin with `prefix`; None if there is none."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else None


def _may_be_committed(error: BaseException) -> bool:
    """An fsync that failed: the row may come back after a crash, and would then need its file."""
    return isinstance(error, sqlite3.Error) and error.sqlite_errorname.startswith("SQLITE_IOERR")


def _find(db: sqlite3.Connection, bucket: str, key: str) -> Stored | None:
    row = db.execute(f"{_SELECT} AND key = ?", (bucket, key.encode())).fetchone()
    return None if row is None else _stored(row)


def _stored(row: tuple[bytes, int, int, str, float, str, str]) -> Stored:
    key, change, size, etag, modified, path, description = row
    return Stored(key.decode(), change, size, etag, modified, path, Description(**json.loads(description)))


def _write(db: sqlite3.Connection, bucket: str, stored: Stored) -> None:
    description = {name: value for name, value in asdict(stored.description).items() if value}
    row = (
        bucket,
        stored.key.encode(),
        stored.change,
        stored.size,
        stored.etag,
        stored.modified,
        stored.path,
        json.dumps(description, separators=(",", ":")),
    )
    db.execute("INSERT OR REPLACE INTO s3_objects VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
