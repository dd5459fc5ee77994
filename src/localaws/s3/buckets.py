"""Buckets: which there are, whose, where, whom they tell of their events, and their settings."""

import functools
import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.errors import AwsError
from localaws.s3.accounts import HOME
from localaws.store import Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS s3_buckets (name TEXT PRIMARY KEY, created REAL NOT NULL, region TEXT NOT NULL,
  notifications TEXT NOT NULL, versioning TEXT NOT NULL DEFAULT '', owner TEXT NOT NULL DEFAULT '',
  settings TEXT NOT NULL DEFAULT '{}') WITHOUT ROWID;
"""
_COLUMNS = "name, created, region, notifications, versioning, owner, settings"


@dataclass(frozen=True, slots=True)
class Bucket:
    """`created` in epoch seconds; `notifications` in the shape of GetBucketNotificationConfiguration; `versioning` is
    "Enabled", "Suspended", or "" if it never was either; `owner` an account; `settings` documents by name, see
    settings.py, and "acl", "policy"."""

    name: str
    created: float
    region: str
    notifications: Mapping[str, Any]
    versioning: str
    owner: str
    settings: Mapping[str, Any]


class Buckets:
    def __init__(self, store: Store) -> None:
        self._store = store
        store.migrate(_SCHEMA)
        store.add_column("s3_buckets", "versioning", "TEXT NOT NULL DEFAULT ''")
        store.add_column("s3_buckets", "owner", "TEXT NOT NULL DEFAULT ''")
        store.add_column("s3_buckets", "settings", "TEXT NOT NULL DEFAULT '{}'")

    def find(self, name: str, db: sqlite3.Connection | None = None) -> Bucket | None:
        """`db`: the caller's transaction, which then sees its own changes."""
        query = f"SELECT {_COLUMNS} FROM s3_buckets WHERE name = ?"
        row = (db or self._store.read()).execute(query, (name,)).fetchone()
        return None if row is None else _bucket(row)

    def get(self, name: str, db: sqlite3.Connection | None = None) -> Bucket:
        """Raises NoSuchBucket."""
        bucket = self.find(name, db)
        if bucket is None:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404, BucketName=name)
        return bucket

    def create(self, name: str, region: str, now: float, owner: str, settings: Mapping[str, Any]) -> None:
        """Raises BucketAlreadyOwnedByYou, except in us-east-1, where making one's own bucket again succeeds, and
        BucketAlreadyExists for one of another account."""
        with self._store.write() as db:
            if (old := self.find(name, db)) is not None:
                if old.owner == owner and old.region == region == "us-east-1":
                    return
                raise owned_already(old, owner)
            row = (name, now, region, "{}", owner, _text(settings))
            columns = "name, created, region, notifications, owner, settings"
            db.execute(f"INSERT INTO s3_buckets ({columns}) VALUES (?, ?, ?, ?, ?, ?)", row)

    def set(self, name: str, change: Callable[[Bucket], Mapping[str, Any]]) -> None:
        """Replace the settings by what `change` makes of the bucket; durable on return. Raises NoSuchBucket."""
        with self._store.write() as db:
            settings = change(self.get(name, db))
            db.execute("UPDATE s3_buckets SET settings = ? WHERE name = ?", (_text(settings), name))

    def set_notifications(self, name: str, notifications: Mapping[str, Any]) -> None:
        with self._store.write() as db:
            self.get(name, db)
            text = json.dumps(notifications, separators=(",", ":"))
            db.execute("UPDATE s3_buckets SET notifications = ? WHERE name = ?", (text, name))

    def set_versioning(self, name: str, status: str) -> None:
        """Raises NoSuchBucket."""
        with self._store.write() as db:
            self.get(name, db)
            db.execute("UPDATE s3_buckets SET versioning = ? WHERE name = ?", (status, name))

    def page(self, owner: str, prefix: str, after: str, limit: int) -> list[Bucket]:
        """The account's, in the order of their names, from the first one after `after`."""
        query = f"""SELECT {_COLUMNS} FROM s3_buckets WHERE name > ? AND substr(name, 1, ?) = ?
            AND coalesce(nullif(owner, ''), ?) = ? ORDER BY name LIMIT ?"""
        rows = self._store.read().execute(query, (after, len(prefix), prefix, HOME, owner, limit))
        return [_bucket(row) for row in rows]


def owned_already(bucket: Bucket, owner: str) -> AwsError:
    """Why `owner` can't make this bucket."""
    if bucket.owner == owner:
        text = "Your previous request to create the named bucket succeeded and you already own it."
        return AwsError("BucketAlreadyOwnedByYou", text, 409, BucketName=bucket.name)
    text = "The requested bucket name is not available. The bucket namespace is shared by all users of the system."
    return AwsError("BucketAlreadyExists", text, 409, BucketName=bucket.name)


def _text(settings: Mapping[str, Any]) -> str:
    return json.dumps(settings, separators=(",", ":"))


def _bucket(row: tuple[str, float, str, str, str, str, str]) -> Bucket:
    name, created, region, notifications, versioning, owner, settings = row
    return Bucket(name, created, region, _parsed(notifications), versioning, owner or HOME, _parsed(settings))


@functools.lru_cache(maxsize=1024)
def _parsed(text: str) -> Mapping[str, Any]:
    """Every request reads its bucket, and few buckets change. Whoever gets it leaves it as it is."""
    parsed: Mapping[str, Any] = json.loads(text)
    return parsed
