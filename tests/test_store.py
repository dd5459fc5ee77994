"""The store and its queues: what is told before a commit would be a lie after a crash."""

import contextlib
import errno
import os
import sqlite3
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

from localaws.control.journal import Journal
from localaws.s3 import rows as s3_rows
from localaws.s3.buckets import Buckets
from localaws.s3.disk import Disk
from localaws.s3.objects import Deletion, Objects
from localaws.s3.rows import Description
from localaws.s3.succession import New, Owed, Succession
from localaws.store import Queue, Store
from localaws.wire import Body


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state.db")


def test_the_file_is_its_owners_alone(store: Store, tmp_path: Path) -> None:
    """Functions' environments are in it; SQLite makes its log of the same mode (sqlite.org/wal.html)."""
    Queue(store, "q").put({})
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_an_item_that_is_done_in_a_transaction_stays_taken_until_the_commit(store: Store) -> None:
    queue = Queue(store, "q")
    queue.put({"n": 1})
    item = queue.take(0)
    assert item is not None
    with store.write():
        queue.done(item)
        assert queue.take(0) is None
    assert (queue.take(0), queue.depth()) == (None, 0)


def test_an_item_whose_end_was_undone_is_still_its_takers(store: Store) -> None:
    queue = Queue(store, "q")
    queue.put({"n": 1})
    item = queue.take(0)
    assert item is not None

    def done_in_vain() -> None:
        with store.write() as db:
            queue.done(item)
            db.execute("nonsense")

    with pytest.raises(sqlite3.OperationalError):
        done_in_vain()
    assert (queue.take(0), queue.depth()) == (None, 1)
    queue.put_back(item, 5)
    assert (queue.take(4), queue.take(5)) == (None, item)


def test_what_a_change_tells_is_told_only_if_that_change_was_committed(store: Store) -> None:
    told = []

    def change(fails: bool) -> None:
        store.when_committed(lambda: told.append(fails))
        if fails:
            raise LookupError

    store.together(lambda _: change(False))
    with pytest.raises(LookupError):
        store.together(lambda _: change(True))
    assert told == [False]


def test_an_item_goes_back_even_when_the_disk_takes_nothing(store: Store) -> None:
    """Else a full disk would keep it from every consumer until the next start."""
    queue = Queue(store, "q")
    queue.put({"n": 1})
    item = queue.take(0)
    assert item is not None
    with store.write() as db:
        db.execute("CREATE TRIGGER full BEFORE UPDATE ON queue BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
    with pytest.raises(sqlite3.Error):
        queue.retry(item, item.body, 5)
    queue.put_back(item, 5)
    assert queue.take(0) == item


def failing(call: Callable[..., None], at: int) -> Callable[..., None]:
    """`call`, which fails for the `at`-th time that it is made."""
    calls = count(1)

    def maybe(*arguments: int) -> None:
        if next(calls) == at:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        call(*arguments)

    return maybe


def test_what_a_journal_takes_after_it_could_not_be_replaced_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new file has the name already when its directory's fsync fails."""
    journal = Journal(tmp_path / "journal")
    journal.append({"n": 1})
    monkeypatch.setattr(os, "fsync", failing(os.fsync, 3))  # the new file's bytes, its entry, its final name
    with pytest.raises(OSError, match="Input/output"):
        journal.replace([{"n": 1}])
    journal.append({"n": 2})
    assert list(Journal(tmp_path / "journal")) == [{"n": 1}, {"n": 2}]


def test_a_line_that_could_not_be_taken_back_does_not_spoil_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "journal")
    journal.append({"n": 1})
    monkeypatch.setattr(os, "fsync", failing(os.fsync, 1))
    monkeypatch.setattr(os, "ftruncate", failing(os.ftruncate, 1))
    with pytest.raises(OSError, match="Input/output"):
        journal.append({"n": 2})
    journal.append({"n": 3})
    assert list(Journal(tmp_path / "journal")) == [{"n": 1}, {"n": 3}]


@dataclass
class Lake:
    """A bucket of S3's, whose files follow only when they are told to."""

    store: Store
    disk: Disk
    buckets: Buckets
    objects: Objects
    succession: Succession

    def put(self, key: str, data: bytes) -> str:
        """Committed, and no more. The version."""
        staged = self.disk.staging.stage(Body(data, None, len(data)))
        new = New("bucket", key, staged, len(data), "", Description(), "")
        with self.store.write() as db:
            current = s3_rows.current(db, "bucket", key)
            return self.succession.put(db, self.buckets.get("bucket", db), new, current, Owed()).version

    def delete(self, key: str, version: str | None = None) -> None:
        self.objects.delete("bucket", [Deletion(key, version, lambda _: None)])

    def read(self, key: str, version: str | None = None) -> bytes:
        _, file = self.objects.open("bucket", key, version)
        with file:
            return file.read()


@pytest.fixture
def lake(store: Store, tmp_path: Path) -> Lake:
    def ids() -> str:
        return str(uuid4())

    disk, buckets = Disk(store, tmp_path, ids), Buckets(store)
    objects = Objects(store, disk, buckets, time.time, ids, lambda *_: None)
    buckets.create("bucket", "us-east-1", 0.0, "", {})
    disk.make_bucket("bucket")
    return Lake(store, disk, buckets, objects, Succession(disk, time.time, ids, lambda *_: None))


def test_what_is_settled_late_is_not_taken_for_what_a_version_owes_since(lake: Lake) -> None:
    """A version that made room, came back and makes room again still has its bytes at its place then."""
    lake.buckets.set_versioning("bucket", "Enabled")
    first = lake.put("key", b"first")
    lake.disk.follow("bucket", "key")
    second = lake.put("key", b"second")
    lake.disk.follow("bucket", "key")
    lake.delete("key", second)
    lake.put("key", b"third")  # it is committed, and no file has followed yet
    lake.disk.settle()
    lake.disk.follow("bucket", "key")
    assert lake.read("key", first) == b"first"


def test_a_deleted_key_whose_way_another_key_took_is_gone(
    lake: Lake, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What a crash left to be done again is done again."""
    lake.put("a/b", b"below")
    lake.disk.follow("bucket", "a/b")
    lake.delete("a/b")
    lake.put("a", b"above")
    lake.disk.follow("bucket", "a")
    Disk(lake.store, tmp_path, str).recover(())
    assert lake.read("a") == b"above"
    assert (tmp_path / "s3" / "bucket" / "a").read_bytes() == b"above"
    assert not caplog.records


def test_a_key_whose_first_change_was_undone_keeps_its_own_place(tmp_path: Path) -> None:
    """As on a full disk: chaos found raw objects beside their place."""
    store = Store(tmp_path / "state.db")
    disk = Disk(store, tmp_path, lambda: "id")
    (tmp_path / "s3" / "b").mkdir()
    with contextlib.suppress(OSError), store.write() as db:
        disk.record(db, "b", "k", "staged", None)
        raise OSError("full")
    with store.write() as db:
        assert disk.record(db, "b", "k", "staged", None).path == "k"
    store.close()
