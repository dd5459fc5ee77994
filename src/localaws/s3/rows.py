"""The rows of objects: what is kept of each version beside its bytes. Every function works inside of the caller's
transaction, or on its connection for reading.

`s3_objects` has the current version of each key, in the byte order of the keys, so that a listing is a walk along its
primary key. `s3_versions` has the versions that are not current, and the delete markers, the newest of a key first. A
key whose newest version is a delete marker has no row in `s3_objects`.
"""

import itertools
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from localaws.s3.customer_keys import Segments
from localaws.store import Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS s3_objects (bucket TEXT NOT NULL, key BLOB NOT NULL, change INTEGER NOT NULL,
  size INTEGER NOT NULL, etag TEXT NOT NULL, modified REAL NOT NULL, path TEXT NOT NULL, description TEXT NOT NULL,
  version TEXT NOT NULL DEFAULT 'null', born INTEGER NOT NULL DEFAULT 0, file TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (bucket, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS s3_versions (bucket TEXT NOT NULL, key BLOB NOT NULL, change INTEGER NOT NULL,
  size INTEGER NOT NULL, etag TEXT NOT NULL, modified REAL NOT NULL, description TEXT NOT NULL,
  version TEXT NOT NULL, born INTEGER NOT NULL, file TEXT NOT NULL, marker INTEGER NOT NULL, staged TEXT,
  pending INTEGER NOT NULL, PRIMARY KEY (bucket, key, born DESC)) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS s3_versions_by_id ON s3_versions (bucket, key, version);
CREATE INDEX IF NOT EXISTS s3_versions_owed ON s3_versions (bucket, key) WHERE pending;
CREATE INDEX IF NOT EXISTS s3_versions_pending ON s3_versions (file) WHERE pending;
"""
_COLUMNS = "key, change, size, etag, modified, {}, description, version, born, file, {}"
_CURRENT = f"SELECT {_COLUMNS.format('path', '0, NULL, 0')} FROM s3_objects"
_OLDER = f"""SELECT {_COLUMNS.format("''", "marker, staged, pending")} FROM s3_versions"""


@dataclass(frozen=True, slots=True)
class Description:
    """What is told of an object beside its bytes.

    `fields`: members of GetObject's answer that come back as they were put (ContentType, Metadata ...);
    `checksums` by algorithm, of the kind `checksum_type`; `parts`: of a multipart object, each with "PartNumber",
    "Size" and its checksum; `upload`: the multipart upload that made it; `access`: its "Owner" and "Grants", if it is
    not the bucket owner's alone (see access.py); `sealed`: how its bytes are encrypted, if they are (customer_keys.py).
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    checksum_type: str = "FULL_OBJECT"
    tags: Mapping[str, str] = field(default_factory=dict)
    parts: Sequence[Mapping[str, Any]] = ()
    upload: str = ""
    access: Mapping[str, Any] = field(default_factory=dict)
    sealed: Segments = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of an object, or a delete marker. `change` is its generation, `etag` without quotes, `modified` epoch
    seconds, `version` "null" where there is no versioning, `born` the change that made it.

    Where its bytes are: disk.py. `path` is that of the current version; `file` the name that the others have, "" for
    one that was never anything but current; `staged` and `pending` are of versions that are not current.
    """

    key: str
    change: int
    size: int
    etag: str
    modified: float
    path: str
    description: Description
    version: str
    born: int
    file: str = ""
    is_marker: bool = False
    staged: str | None = None
    pending: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    """As it is listed."""

    stored: Stored
    is_latest: bool

    @property
    def key(self) -> str:
        return self.stored.key


def prepare(store: Store) -> None:
    store.migrate(_SCHEMA)
    store.add_column("s3_objects", "version", "TEXT NOT NULL DEFAULT 'null'")
    store.add_column("s3_objects", "born", "INTEGER NOT NULL DEFAULT 0")
    store.add_column("s3_objects", "file", "TEXT NOT NULL DEFAULT ''")


# Current versions


def current(db: sqlite3.Connection, bucket: str, key: str) -> Stored | None:
    row = db.execute(f"{_CURRENT} WHERE bucket = ? AND key = ?", (bucket, key.encode())).fetchone()
    return None if row is None else _stored(row)


def write_current(db: sqlite3.Connection, bucket: str, stored: Stored) -> None:
    """Insert or replace it."""
    row = (
        *(bucket, stored.key.encode(), stored.change, stored.size, stored.etag, stored.modified, stored.path),
        *(_text(stored.description), stored.version, stored.born, stored.file),
    )
    db.execute(f"INSERT OR REPLACE INTO s3_objects ({_OWN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


_OWN = "bucket, key, change, size, etag, modified, path, description, version, born, file"


def delete_current(db: sqlite3.Connection, bucket: str, key: str) -> None:
    db.execute("DELETE FROM s3_objects WHERE bucket = ? AND key = ?", (bucket, key.encode()))


def scan(db: sqlite3.Connection, bucket: str, start: bytes, stop: bytes | None, limit: int) -> Iterator[Stored]:
    """Current versions with start <= key < stop, in byte order."""
    query = f"{_CURRENT} WHERE bucket = ? AND key >= ? AND (? IS NULL OR key < ?) ORDER BY key LIMIT ?"
    return map(_stored, db.execute(query, (bucket, start, stop, stop, limit)))


# The others


def older(db: sqlite3.Connection, bucket: str, key: str, version: str) -> Stored | None:
    """The version or delete marker of that id that is not in `s3_objects`."""
    query = f"{_OLDER} WHERE bucket = ? AND key = ? AND version = ?"
    row = db.execute(query, (bucket, key.encode(), version)).fetchone()
    return None if row is None else _stored(row)


def newest_older(db: sqlite3.Connection, bucket: str, key: str) -> Stored | None:
    query = f"{_OLDER} WHERE bucket = ? AND key = ? ORDER BY born DESC LIMIT 1"
    row = db.execute(query, (bucket, key.encode())).fetchone()
    return None if row is None else _stored(row)


def write_older(db: sqlite3.Connection, bucket: str, stored: Stored) -> None:
    """Insert or replace it."""
    row = (
        *(bucket, stored.key.encode(), stored.change, stored.size, stored.etag, stored.modified),
        *(_text(stored.description), stored.version, stored.born, stored.file),
        *(stored.is_marker, stored.staged, stored.pending),
    )
    db.execute("INSERT OR REPLACE INTO s3_versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def delete_older(db: sqlite3.Connection, bucket: str, stored: Stored) -> None:
    query = "DELETE FROM s3_versions WHERE bucket = ? AND key = ? AND born = ?"
    db.execute(query, (bucket, stored.key.encode(), stored.born))


def is_newest(db: sqlite3.Connection, bucket: str, stored: Stored) -> bool:
    """Is the version the latest of its key?"""
    if current(db, bucket, stored.key) is not None:
        return stored.path != ""
    newest = newest_older(db, bucket, stored.key)
    return newest is not None and newest.born == stored.born


def scan_versions(
    db: sqlite3.Connection, bucket: str, start: bytes, stop: bytes | None, before: int | None, limit: int
) -> Iterator[Stored]:
    """All versions with start <= key < stop, in the byte order of their keys, the newest of a key first. `before`: of
    the key `start` only those that were born before that change."""
    first: Iterator[Stored] = iter(())
    if before is not None:
        own = "bucket = ? AND key = ? AND born < ?"
        first = _versions(db, own, (bucket, start, before), limit)
        start += b"\0"
    others = "bucket = ? AND key >= ? AND (? IS NULL OR key < ?)"
    rest = _versions(db, others, (bucket, start, stop, stop), limit)
    return itertools.islice(itertools.chain(first, rest), limit)


def _versions(db: sqlite3.Connection, where: str, values: tuple[Any, ...], limit: int) -> Iterator[Stored]:
    """SQLite merges the two tables as it walks along their keys, so that this costs what is read of it."""
    query = f"{_CURRENT} WHERE {where} UNION ALL {_OLDER} WHERE {where} ORDER BY key, born DESC LIMIT ?"
    return map(_stored, db.execute(query, (*values, *values, limit)))


def are_any(db: sqlite3.Connection, bucket: str) -> bool:
    query = "SELECT 1 FROM {} WHERE bucket = ? LIMIT 1"
    return any(db.execute(query.format(table), (bucket,)).fetchone() for table in ("s3_objects", "s3_versions"))


def after_prefix(prefix: bytes) -> bytes | None:
    """The first byte string that is greater than all that begin with `prefix`; None if there is none."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else None


def _stored(row: tuple[Any, ...]) -> Stored:
    key, change, size, etag, modified, path, description, version, born, file, is_marker, staged, pending = row
    told = Description(**json.loads(description))
    return Stored(
        key.decode(),
        change,
        size,
        etag,
        modified,
        path,
        told,
        version,
        born,
        file,
        bool(is_marker),
        staged,
        bool(pending),
    )


def _text(description: Description) -> str:
    kept = {name: value for name, value in asdict(description).items() if value}
    return json.dumps(kept, separators=(",", ":"))
