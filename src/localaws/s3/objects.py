"""Objects: every transaction that changes one, and reading them. Their rows are rows.py's.

How rows and files stay in step is disk.py's.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from email.utils import formatdate
from pathlib import Path
from typing import IO

from localaws.errors import AwsError
from localaws.s3 import lock as s3_lock
from localaws.s3 import rows as s3_rows
from localaws.s3 import uploads as s3_uploads
from localaws.s3 import versions as s3_versions
from localaws.s3.buckets import Buckets
from localaws.s3.disk import Disk
from localaws.s3.rows import Description, Stored, Version
from localaws.s3.succession import Announce, Deleted, New, Owed, Succession
from localaws.s3.versions import NULL
from localaws.store import Store

NOT_ALLOWED = "The specified method is not allowed against this resource."
_TRIES = 100


Condition = Callable[[Stored | None], None]
"""Sees the current version, None for none, and may raise."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    key: str
    path: Path
    size: int
    modified: float  # epoch seconds


@dataclass(frozen=True, slots=True)
class Deletion:
    """What shall be deleted: a version for good, or without one the object, which then gets a delete marker where its
    bucket is versioned."""

    key: str
    version: str | None
    condition: Condition
    bypass: bool = False
    """Of retention in governance mode."""


class Objects:
    def __init__(
        self,
        store: Store,
        disk: Disk,
        buckets: Buckets,
        clock: Callable[[], float],
        ids: Callable[[], str],
        announce: Announce,
    ) -> None:
        self._store = store
        self._disk = disk
        self._buckets = buckets
        self._clock = clock
        self._announce = announce
        self._succession = Succession(disk, clock, ids, announce)
        s3_rows.prepare(store)

    # Changing

    def put(self, new: New, condition: Condition, also: Callable[[], object] = lambda: None) -> Stored:
        """Durable on return. `also` is done in the transaction.

        The staged file is the object's from the commit on; if this raises it is gone.
        """

        def commit(db: sqlite3.Connection) -> tuple[Stored, Owed]:
            bucket = self._buckets.get(new.bucket, db)
            old = s3_rows.current(db, new.bucket, new.key)
            condition(old)
            owed = Owed()
            stored = self._succession.put(db, bucket, new, old, owed)
            also()
            self._announce(new.event, bucket, stored.change, stored)
            return stored, owed

        try:
            stored, owed = self._store.together(commit)
        except BaseException as e:
            if not _may_be_committed(e):
                self._disk.staging.discard(new.staged)
            raise
        self._settle_up(new.bucket, owed)
        return stored

    def _settle_up(self, bucket: str, owed: Owed) -> None:
        """After the commit."""
        for key in owed.keys:
            self._disk.follow(bucket, key)
        self._disk.remove(owed.files, owed.staged)

    def delete(self, bucket: str, wanted: Sequence[Deletion]) -> list[Deleted | AwsError]:
        """All in one durable transaction: what each did, or why it was refused by its condition."""
        done: list[Deleted | AwsError] = []
        owed = Owed()
        with self._store.write() as db:
            home = self._buckets.get(bucket, db)
            for deletion in wanted:
                current = s3_rows.current(db, bucket, deletion.key)
                try:
                    deletion.condition(current)
                    self._check_lock(db, bucket, deletion, current)
                except AwsError as e:
                    done.append(e)
                    continue
                if deletion.version is None and home.versioning:
                    done.append(self._succession.mark_deleted(db, home, deletion.key, current, owed))
                else:
                    version = deletion.version or NULL
                    done.append(self._succession.delete_version(db, home, deletion.key, version, current, owed))
        self._settle_up(bucket, owed)
        return done

    def _check_lock(self, db: sqlite3.Connection, bucket: str, deletion: Deletion, current: Stored | None) -> None:
        """A delete marker may be put on any version; none may go before its lock lets it."""
        if deletion.version is None:
            return
        is_current = current is not None and current.version == deletion.version
        stored = current if is_current else s3_rows.older(db, bucket, deletion.key, deletion.version)
        if stored is not None:
            s3_lock.check_deletable(dict(stored.description.fields), self._clock(), deletion.bypass)

    def describe(
        self,
        bucket: str,
        key: str,
        version: str | None,
        change: Callable[[Description], Description],
        event: str | None,
    ) -> Stored:
        """Replace the version's description, not its bytes. `event`: None if S3 tells nobody. Raises as `get` does."""
        with self._store.write() as db:
            home = self._buckets.get(bucket, db)
            old = self.get(bucket, key, version, db)
            stored = replace(old, description=change(old.description))
            (s3_rows.write_current if old.path else s3_rows.write_older)(db, bucket, stored)
            if event is not None:
                self._announce(event, home, old.change, stored)
        return stored

    def check_empty(self, bucket: str, db: sqlite3.Connection | None = None) -> None:
        """Raises NoSuchBucket, BucketNotEmpty."""
        versioned = self._buckets.get(bucket, db).versioning
        if s3_rows.are_any(db or self._store.read(), bucket):
            text = "The bucket you tried to delete is not empty"
            more = ". You must delete all versions in the bucket." if versioned else ""
            raise AwsError("BucketNotEmpty", text + more, 409, BucketName=bucket)

    def delete_bucket(self, bucket: str) -> None:
        """With its multipart uploads in progress, which don't keep it. Raises NoSuchBucket, BucketNotEmpty."""
        with self._store.write() as db:
            self.check_empty(bucket, db)
            db.execute("DELETE FROM s3_buckets WHERE name = ?", (bucket,))
            staged = s3_uploads.end_all(db, bucket)
        for name in staged:
            self._disk.staging.discard(name)
        self._disk.remove_bucket(bucket)

    # Reading

    def now(self) -> float:
        return self._clock()

    def find(self, bucket: str, key: str) -> Stored | None:
        """The current version."""
        return s3_rows.current(self._store.read(), bucket, key)

    def get(self, bucket: str, key: str, version: str | None = None, db: sqlite3.Connection | None = None) -> Stored:
        """Raises NoSuchBucket, NoSuchKey, NoSuchVersion, MethodNotAllowed for a delete marker."""
        db = db or self._store.read()
        stored = s3_rows.current(db, bucket, key)
        if stored is not None and version in {None, stored.version}:
            return stored
        home = self._buckets.get(bucket, db)
        if version is not None:
            stored = s3_rows.older(db, bucket, key, version)
            if stored is None or stored.is_marker:
                raise _no_such_version(key, version, stored)
            return stored
        newest = s3_rows.newest_older(db, bucket, key) if home.versioning else None
        error = AwsError("NoSuchKey", "The specified key does not exist.", 404, Key=key)
        raise _marked(error, newest) if newest is not None else error

    def find_version(self, bucket: str, key: str, version: str | None) -> Stored | None:
        """One version, or the current one; None for a delete marker, too."""
        try:
            return self.get(bucket, key, version)
        except AwsError:
            return None

    def open(self, bucket: str, key: str, version: str | None = None) -> tuple[Stored, IO[bytes]]:
        """The version and its file, of one and the same put; the caller closes it. Raises as `get` does."""
        for _ in range(_TRIES):
            stored = self.get(bucket, key, version)
            if stored.pending:
                self._disk.follow(bucket, key)
            is_current = stored.path != ""
            opened = self._disk.open(bucket, stored.path, stored.change) if is_current else None
            file = opened if is_current else self._disk.open_version(stored.file)
            now = self.find_version(bucket, key, version)
            if file is not None and now is not None and now.change == stored.change:
                return stored, file
            if file is not None:
                file.close()
            elif now is not None and now.change == stored.change:
                raise AwsError("InternalError", f"The object's file {stored.path or stored.file!r} is gone", 500)
        raise AwsError("SlowDown", "The object changes faster than it can be read", 503)

    def shown_version(self, bucket: str, stored: Stored) -> str | None:
        """Its id, as answers tell it: a bucket that was never versioned has none."""
        return stored.version if stored.version != NULL or self._buckets.get(bucket).versioning else None

    def scan(self, bucket: str, start: bytes, stop: bytes | None, limit: int) -> Iterator[Stored]:
        """Current versions with start <= key < stop, in byte order."""
        return s3_rows.scan(self._store.read(), bucket, start, stop, limit)

    def scan_versions(
        self, bucket: str, start: bytes, stop: bytes | None, before: int | None, limit: int
    ) -> Iterator[Version]:
        """All versions with start <= key < stop, in byte order, the newest of a key first; of the key `start` only
        those that were born before the change `before`, if that is given."""
        db = self._store.read()
        for stored in s3_rows.scan_versions(db, bucket, start, stop, before, limit):
            yield Version(stored, stored.path != "" or (stored.is_marker and s3_rows.is_newest(db, bucket, stored)))

    def change_of(self, bucket: str, key: str, version: str) -> int | None:
        """The change that made the version, which may be gone: an id tells it, "null" does not."""
        if version != NULL:
            return s3_versions.change_of(version)
        db = self._store.read()
        stored = s3_rows.older(db, bucket, key, version) or s3_rows.current(db, bucket, key)
        return stored.born if stored and stored.version == version else None

    def files(self, bucket: str, prefix: str) -> list[StoredFile]:
        """Every object under `prefix`, in the order of the keys."""
        query = """SELECT o.key, o.path, size, modified, c.change
            FROM s3_objects o LEFT JOIN s3_changes c USING (change)
            WHERE o.bucket = ? AND o.key >= ? AND (? IS NULL OR o.key < ?) ORDER BY o.key"""
        start, stop = prefix.encode(), s3_rows.after_prefix(prefix.encode())
        found = []
        rows = self._store.read().execute(query, (bucket, start, stop, stop)).fetchall()
        for key, path, size, modified, change in rows:
            if change is not None:
                self._disk.follow(bucket, key.decode())
            found.append(StoredFile(key.decode(), self._disk.place(bucket, path), size, modified))
        return found


def _may_be_committed(error: BaseException) -> bool:
    """An fsync that failed: the row may come back after a crash, and would then need its file."""
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorname", "").startswith("SQLITE_IOERR")


def _no_such_version(key: str, version: str, marker: Stored | None) -> AwsError:
    if marker is None:
        text = "The specified version does not exist."
        return AwsError("NoSuchVersion", text, 404, Key=key, VersionId=version)
    return _marked(AwsError("MethodNotAllowed", NOT_ALLOWED, 405, ResourceType="DeleteMarker"), marker)


def _marked(error: AwsError, marker: Stored) -> AwsError:
    """What a client is told that meets a delete marker."""
    error.headers = {"x-amz-delete-marker": "true", "x-amz-version-id": marker.version}
    if error.status == 405:
        error.headers |= {"allow": "DELETE", "last-modified": formatdate(int(marker.modified), usegmt=True)}
    return error
