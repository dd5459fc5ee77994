"""Multipart uploads in progress: their rows and those of their parts. A part is a staged file that has a row."""

import itertools
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from localaws.errors import AwsError
from localaws.s3.buckets import Buckets
from localaws.store import Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS s3_uploads (upload TEXT PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT NULL,
  initiated REAL NOT NULL, description TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS s3_uploads_of ON s3_uploads (bucket, key, initiated, upload);
CREATE TABLE IF NOT EXISTS s3_parts (upload TEXT NOT NULL, number INTEGER NOT NULL, staged TEXT NOT NULL,
  size INTEGER NOT NULL, md5 BLOB NOT NULL, modified REAL NOT NULL, checksum TEXT NOT NULL,
  PRIMARY KEY (upload, number)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Upload:
    """`fields` and `tags` will be the object's; `algorithm` is the checksum's that the client asked for, "" for none
    (then the parts get S3's default); `initiated` is epoch seconds; `before` the object's generation at that time;
    `access` will be the object's."""

    id: str
    bucket: str
    key: str
    initiated: float
    fields: Mapping[str, Any]
    tags: Mapping[str, str]
    algorithm: str
    checksum_type: str
    before: int | None = None
    access: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """`md5` raw; of an encrypted part the counter that it begins with, instead. `checksum` base64, of the upload's
    algorithm or S3's default."""

    number: int
    staged: str
    size: int
    md5: bytes
    modified: float
    checksum: str

    @property
    def etag(self) -> str:
        return f'"{self.md5.hex()}"'


class Uploads:
    def __init__(self, store: Store, buckets: Buckets) -> None:
        self._store = store
        self._buckets = buckets
        store.migrate(_SCHEMA)

    def staged(self) -> set[str]:
        """The names of all parts' staged files."""
        return {name for (name,) in self._store.read().execute("SELECT staged FROM s3_parts")}

    def create(self, upload: Upload) -> None:
        """Durable on return. Raises NoSuchBucket."""
        kept = {
            "fields": upload.fields,
            "tags": upload.tags,
            "algorithm": upload.algorithm,
            "checksum_type": upload.checksum_type,
            "before": upload.before,
            "access": upload.access,
        }
        row = (upload.id, upload.bucket, upload.key.encode(), upload.initiated, json.dumps(kept))
        with self._store.write() as db:
            self._buckets.get(upload.bucket, db)
            db.execute("INSERT INTO s3_uploads VALUES (?, ?, ?, ?, ?)", row)

    def get(self, upload: str, bucket: str, key: str) -> Upload:
        """Raises NoSuchBucket, NoSuchUpload."""
        query = "SELECT initiated, description FROM s3_uploads WHERE upload = ? AND bucket = ? AND key = ?"
        row = self._store.read().execute(query, (upload, bucket, key.encode())).fetchone()
        if row is None:
            self._buckets.get(bucket)
            raise _no_such_upload(upload)
        return Upload(upload, bucket, key, row[0], **json.loads(row[1]))

    def find(self, upload: str) -> tuple[str, str] | None:
        """(bucket, key) of the upload."""
        row = self._store.read().execute("SELECT bucket, key FROM s3_uploads WHERE upload = ?", (upload,)).fetchone()
        return None if row is None else (row[0], row[1].decode())

    def scan(
        self, bucket: str, start: bytes, stop: bytes | None, behind: tuple[float, str] | None, limit: int
    ) -> Iterator[Upload]:
        """With start <= key < stop, in the order of their keys, then of their age. `behind`: of the key `start` only
        those that follow this (initiated, id)."""
        first: Iterator[Upload] = iter(())
        if behind is not None:
            first = self._select("key = ? AND (initiated, upload) > (?, ?)", (bucket, start, *behind), limit)
            start += b"\0"
        rest = self._select("key >= ? AND (? IS NULL OR key < ?)", (bucket, start, stop, stop), limit)
        return itertools.islice(itertools.chain(first, rest), limit)

    def _select(self, where: str, values: tuple[Any, ...], limit: int) -> Iterator[Upload]:
        query = f"SELECT upload, key, initiated, description FROM s3_uploads WHERE bucket = ? AND {where}"
        rows = self._store.read().execute(f"{query} ORDER BY key, initiated, upload LIMIT ?", (*values, limit))
        for upload, key, initiated, description in rows:
            yield Upload(upload, values[0], key.decode(), initiated, **json.loads(description))

    def parts(self, upload: Upload) -> list[Part]:
        query = "SELECT number, staged, size, md5, modified, checksum FROM s3_parts WHERE upload = ? ORDER BY number"
        return [Part(*row) for row in self._store.read().execute(query, (upload.id,))]

    def add(self, upload: Upload, part: Part) -> str | None:
        """Durable on return: the staged file of the part that this one replaces, if any. Raises NoSuchUpload."""
        row = (upload.id, part.number, part.staged, part.size, part.md5, part.modified, part.checksum)
        with self._store.write() as db:
            _require(db, upload)
            query = "SELECT staged FROM s3_parts WHERE upload = ? AND number = ?"
            before = db.execute(query, (upload.id, part.number)).fetchone()
            db.execute("INSERT OR REPLACE INTO s3_parts VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        return before[0] if before else None

    def end(self, upload: Upload) -> list[str]:
        """Forget the upload, inside of the caller's transaction if there is one: the staged files to discard after
        it. Raises NoSuchUpload."""
        with self._store.write() as db:
            _require(db, upload)
            names = [name for (name,) in db.execute("SELECT staged FROM s3_parts WHERE upload = ?", (upload.id,))]
            db.execute("DELETE FROM s3_parts WHERE upload = ?", (upload.id,))
            db.execute("DELETE FROM s3_uploads WHERE upload = ?", (upload.id,))
        return names


def end_all(db: sqlite3.Connection, bucket: str) -> list[str]:
    """Forget the uploads of a bucket, in its deletion's transaction: the staged files to discard after it."""
    of_bucket = "upload IN (SELECT upload FROM s3_uploads WHERE bucket = ?)"
    names = [name for (name,) in db.execute(f"SELECT staged FROM s3_parts WHERE {of_bucket}", (bucket,))]
    db.execute(f"DELETE FROM s3_parts WHERE {of_bucket}", (bucket,))
    db.execute("DELETE FROM s3_uploads WHERE bucket = ?", (bucket,))
    return names


def _require(db: sqlite3.Connection, upload: Upload) -> None:
    if db.execute("SELECT 1 FROM s3_uploads WHERE upload = ?", (upload.id,)).fetchone() is None:
        raise _no_such_upload(upload.id)


def _no_such_upload(upload: str) -> AwsError:
    text = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
    return AwsError("NoSuchUpload", text + "completed.", 404, UploadId=upload)
