"""Which version of a key follows which: what becomes of the others when one is put, marked as deleted, or deleted for
good. Everything here is done inside of the caller's transaction.

docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html and its neighbours.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from localaws.s3 import rows as s3_rows
from localaws.s3.buckets import Bucket
from localaws.s3.disk import Change, Disk
from localaws.s3.rows import Description, Stored
from localaws.s3.versions import ENABLED, NULL, new_id

_NOTHING_MD5 = "d41d8cd98f00b204e9800998ecf8427e"  # the ETag that the event of a delete marker has
Announce = Callable[[str, Bucket, int, Stored], None]
"""(event name, bucket, change, what was stored or removed), called in the transaction."""


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


@dataclass(frozen=True, slots=True)
class Deleted:
    """What one deletion did: `marker` is the version id of the delete marker that it made, or that it removed."""

    marker: str | None = None


@dataclass(frozen=True, slots=True)
class Owed:
    """What the disk owes to a transaction: keys to follow, files that are of no use any more."""

    keys: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    staged: list[str | None] = field(default_factory=list)


class Succession:
    def __init__(self, disk: Disk, clock: Callable[[], float], ids: Callable[[], str], announce: Announce) -> None:
        self._disk = disk
        self._clock = clock
        self._ids = ids
        self._announce = announce

    def put(self, db: sqlite3.Connection, bucket: Bucket, new: New, old: Stored | None, owed: Owed) -> Stored:
        change = self._disk.record(db, new.bucket, new.key, new.staged, old.path if old else None)
        version = self._version(bucket, change.number)
        self._retire(db, bucket, new.key, old, change.superseded, version, owed)
        stored = Stored(
            key=new.key,
            change=change.number,
            size=new.size,
            etag=new.etag,
            modified=self._clock(),
            path=change.path,
            description=new.description,
            version=version,
            born=change.number,
        )
        s3_rows.write_current(db, new.bucket, stored)
        return stored

    def mark_deleted(
        self, db: sqlite3.Connection, bucket: Bucket, key: str, current: Stored | None, owed: Owed
    ) -> Deleted:
        if current is not None:
            change = self._disk.record(db, bucket.name, key, None, current.path)
            s3_rows.delete_current(db, bucket.name, key)
        else:
            change = Change(self._disk.number(db), "", None)
        version = self._version(bucket, change.number)
        self._retire(db, bucket, key, current, change.superseded, version, owed)
        marker = replace(self._nothing(key, version, change.number), etag=_NOTHING_MD5, is_marker=True)
        s3_rows.write_older(db, bucket.name, marker)
        self._announce("ObjectRemoved:DeleteMarkerCreated", bucket, change.number, marker)
        return Deleted(version)

    def delete_version(
        self, db: sqlite3.Connection, bucket: Bucket, key: str, version: str, current: Stored | None, owed: Owed
    ) -> Deleted:
        """For good. The version before becomes current if it was the latest."""
        if current is not None and current.version == version:
            gone = current
            s3_rows.delete_current(db, bucket.name, key)
        elif (older := s3_rows.older(db, bucket.name, key, version)) is not None:
            gone = older
            s3_rows.delete_older(db, bucket.name, older)
        else:
            if bucket.notifications and current is None and not bucket.versioning:  # S3 tells of it all the same
                number = self._disk.number(db)
                self._announce("ObjectRemoved:Delete", bucket, number, self._nothing(key, NULL, number))
            return Deleted()
        owed.keys.append(key)
        if gone is current or current is None:
            number = self._restore(db, bucket.name, key, gone, owed)
        else:
            number = self._disk.number(db)
            self._doom(db, gone, owed)
        self._announce("ObjectRemoved:Delete", bucket, number, replace(gone, size=0, etag=""))
        return Deleted(version if gone.is_marker else None)

    def _restore(self, db: sqlite3.Connection, bucket: str, key: str, gone: Stored, owed: Owed) -> int:
        """The latest version is gone, or one while the latest is a delete marker: what is there now? The number of the
        change."""
        latest = s3_rows.newest_older(db, bucket, key)
        path = gone.path or None
        if latest is None or latest.is_marker:
            change = self._disk.record(db, bucket, key, None, path) if path else None
        else:
            s3_rows.delete_older(db, bucket, latest)
            change = self._disk.record(db, bucket, key, latest.staged, path, latest.file)
            now = replace(latest, change=change.number, path=change.path, staged=None, pending=False)
            s3_rows.write_current(db, bucket, now)
        superseded = change.superseded if change and path else gone.staged
        self._doom(db, replace(gone, staged=superseded), owed)
        return change.number if change else self._disk.number(db)

    def _version(self, bucket: Bucket, change: int) -> str:
        return new_id(change, self._ids) if bucket.versioning == ENABLED else NULL

    def _retire(
        self,
        db: sqlite3.Connection,
        bucket: Bucket,
        key: str,
        old: Stored | None,
        staged: str | None,
        version: str,
        owed: Owed,
    ) -> None:
        """The current version `old`, whose staged file is `staged`, makes room for a new one, `version`: it is kept,
        unless both are "null", of which there is only one."""
        owed.keys.append(key)
        if old is not None and old.version != version:
            file = old.file or f"{old.change:016x}"
            s3_rows.write_older(db, bucket.name, replace(old, path="", file=file, staged=staged, pending=True))
        elif old is not None:
            self._doom(db, replace(old, staged=staged), owed)
        if bucket.versioning and version == NULL:
            null = s3_rows.older(db, bucket.name, key, NULL)
            if null is not None:
                s3_rows.delete_older(db, bucket.name, null)
                self._doom(db, null, owed)

    def _doom(self, db: sqlite3.Connection, stored: Stored, owed: Owed) -> None:
        """The version's row is gone: so its files must be."""
        self._disk.doom(db, stored.file)
        owed.files.append(stored.file)
        owed.staged.append(stored.staged)

    def _nothing(self, key: str, version: str, change: int) -> Stored:
        return Stored(key, change, 0, "", self._clock(), "", Description(), version, change)
