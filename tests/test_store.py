"""The store and its queues: what is told before a commit would be a lie after a crash."""

import sqlite3
import stat
from pathlib import Path

import pytest

from localaws.store import Queue, Store


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
