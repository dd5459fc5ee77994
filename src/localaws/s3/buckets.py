"""Buckets: which there are, whose, where, and whom they tell of their events.

The rest of a bucket's configuration (policy, lifecycle ...) is the control plane's.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localaws.errors import AwsError
from localaws.store import Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS s3_buckets (name TEXT PRIMARY KEY, created REAL NOT NULL, region TEXT NOT NULL,
  notifications TEXT NOT NULL, versioning TEXT NOT NULL DEFAULT '') WITHOUT ROWID;
"""
_COLUMNS = "name, created, region, notifications, versioning"


@dataclass(frozen=True, slots=True)
class Bucket:
    """`created` in epoch seconds; `notifications` in the shape of GetBucketNotificationConfiguration; `versioning` is
    "Enabled", "Suspended", or "" if it never was either."""

    name: str
    created: float
    region: str
    notifications: Mapping[str, Any]
    versioning: str


class Buckets:
    def __init__(self, store: Store) -> None:
        self._store = store
        store.migrate(_SCHEMA)
        store.add_column("s3_buckets", "versioning", "TEXT NOT NULL DEFAULT ''")

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

    def create(self, name: str, region: str, now: float) -> None:
        """Raises BucketAlreadyOwnedByYou, except in us-east-1, where making one's own bucket again succeeds."""
        with self._store.write() as db:
            if (old := self.find(name, db)) is not None:
                if old.region == region == "us-east-1":
                    return
                text = "Your previous request to create the named bucket succeeded and you already own it."
                raise AwsError("BucketAlreadyOwnedByYou", text, 409, BucketName=name)
            row = (name, now, region, "{}")
            db.execute("INSERT INTO s3_buckets (name, created, region, notifications) VALUES (?, ?, ?, ?)", row)

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

    def page(self, prefix: str, after: str, limit: int) -> list[Bucket]:
        """In the order of their names, from the first one after `after`."""
        query = f"SELECT {_COLUMNS} FROM s3_buckets WHERE name > ? AND substr(name, 1, ?) = ? ORDER BY name LIMIT ?"
        rows = self._store.read().execute(query, (after, len(prefix), prefix, limit))
        return [_bucket(row) for row in rows]


def _bucket(row: tuple[str, float, str, str, str]) -> Bucket:
    name, created, region, notifications, versioning = row
    return Bucket(name, created, region, json.loads(notifications), versioning)
