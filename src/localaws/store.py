"""The endpoint's memory: one SQLite file that survives kill -9 and power loss.

`synchronous = FULL` in WAL mode fsyncs the log at every commit (sqlite.org/pragma.html#pragma_synchronous), so a
committed transaction is durable when `Store.write()` returns. Writers take turns; readers never wait.

    Store        the file; `write()` is one durable transaction, `together()` one that many threads share, `read()` this
                 thread's own connection
    Documents    a durable dict of JSON documents: one kind of resource (streams, functions, tables ...)
    Queue        a durable at-least-once queue: an item leaves only when its consumer says `done`
"""

import contextvars
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (kind TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (kind, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queue (id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, due REAL NOT NULL,
  body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS queue_due ON queue (queue, due, id);
"""


class Store:
    """One durable SQLite file, shared by all services of a data directory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        os.close(os.open(path, os.O_CREAT, 0o600))  # functions' environments are in it; SQLite's own files follow suit
        self._writing = threading.RLock()
        self._writes = 0  # the thread that is inside of write()
        self._writer = self._connect()
        self._readers = threading.local()
        self._waiting: list[_Change[Any]] = []
        self._committed: list[Callable[[], None]] = []
        self._queueing = threading.Lock()
        self.migrate(_SCHEMA)

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA fullfsync = ON")  # of use on macOS only, see durable.py
        return db

    def migrate(self, schema: str) -> None:
        """Run `schema` (CREATE ... IF NOT EXISTS statements); a service calls it once for its own tables."""
        with self._writing:
            self._writer.executescript(schema)

    def add_column(self, table: str, column: str, declaration: str) -> None:
        """For data directories of earlier versions: give the table the column if it has none of that name."""
        with self._writing:
            if column not in {row[1] for row in self._writer.execute(f"PRAGMA table_info({table})")}:
                self._writer.execute(f"ALTER TABLE {table} ADD COLUMN {column} {declaration}")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction, durable when the block ends, undone if it raises. Nests: the outermost commits."""
        with self._writing:
            if self._writer.in_transaction:
                yield self._writer
                return
            self._writer.execute("BEGIN IMMEDIATE")
            self._writes = threading.get_ident()
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                self._committed.clear()
                if self._writer.in_transaction:  # a COMMIT on a full disk may have undone it already
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                self._writes = 0
            committed, self._committed = self._committed, []
        for tell in committed:
            tell()

    def when_committed(self, tell: Callable[[], None]) -> None:
        """Inside of `write()`: call `tell` when the outermost one has committed, and never if it is undone."""
        self._committed.append(tell)

    def together(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """`change` as a durable transaction, in one commit with all others that came while the last one was on its way
        to the disk. What one of them raises undoes that one alone and is raised here. Inside of `write()` it is a part
        of that."""
        mine = _Change(change)
        if self._writes == threading.get_ident():
            self._run(mine)
        else:
            self._commit_together(mine)
        if mine.error is not None:
            raise mine.error
        return mine.result  # type: ignore[return-value]  # done, without an error

    def _commit_together(self, mine: "_Change[Any]") -> None:
        with self._queueing:
            self._waiting.append(mine)
        with self._writing:
            if not mine.done:  # then whoever gets here first commits for all
                with self._queueing:
                    batch, self._waiting = self._waiting, []
                self._commit(batch)

    def _run(self, change: "_Change[Any]") -> None:
        """In the transaction that this thread is in."""
        told = len(self._committed)
        change.run(self._writer)
        if change.error is not None:
            del self._committed[told:]

    def _commit(self, batch: list["_Change[Any]"]) -> None:
        try:
            with self.write():
                for change in batch:
                    self._run(change)
        except BaseException as e:
            for change in batch:
                change.error = e
            raise
        finally:
            for change in batch:
                change.done = True

    def read(self) -> sqlite3.Connection:
        """This thread's connection; it sees every transaction that was committed before the statement began."""
        if not hasattr(self._readers, "db"):
            self._readers.db = self._connect()
        db: sqlite3.Connection = self._readers.db
        return db

    def close(self) -> None:
        with self._writing:
            self._writer.close()


class _Change(Generic[T]):
    """One change among those of a commit, and what became of it. It runs in the context of who asked for it."""

    def __init__(self, change: Callable[[sqlite3.Connection], T]) -> None:
        self._change = change
        self._context = contextvars.copy_context()
        self.done = False
        self.result: T | None = None
        self.error: BaseException | None = None

    def run(self, db: sqlite3.Connection) -> None:
        db.execute("SAVEPOINT change")
        try:
            self.result = self._context.run(self._change, db)
        except Exception as e:
            db.execute("ROLLBACK TO change")
            self.error = e
        db.execute("RELEASE change")


class Documents:
    """A durable dict of JSON documents under string names, in byte order of the names."""

    def __init__(self, store: Store, kind: str) -> None:
        self._store = store
        self._kind = kind

    def get(self, name: str) -> dict[str, Any] | None:
        query = "SELECT body FROM documents WHERE kind = ? AND name = ?"
        row = self._store.read().execute(query, (self._kind, name)).fetchone()
        return None if row is None else json.loads(row[0])

    def put(self, name: str, document: dict[str, Any]) -> None:
        with self._store.write() as db:
            row = (self._kind, name, json.dumps(document, separators=(",", ":")))
            db.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", row)

    def delete(self, name: str) -> bool:
        """True if there was such a document."""
        with self._store.write() as db:
            gone = db.execute("DELETE FROM documents WHERE kind = ? AND name = ?", (self._kind, name))
            return gone.rowcount > 0

    def items(self, prefix: str = "") -> list[tuple[str, dict[str, Any]]]:
        query = "SELECT name, body FROM documents WHERE kind = ? AND name >= ? AND name < ? ORDER BY name"
        rows = self._store.read().execute(query, (self._kind, prefix, prefix + "\U0010ffff"))
        return [(name, json.loads(body)) for name, body in rows]


@dataclass(frozen=True, slots=True)
class Item:
    """What `Queue.take` hands out; give `id` back to `done` or `retry`."""

    id: int
    body: dict[str, Any]


class Queue:
    """A durable queue, at least once: what was taken and not `done` is there again after a restart."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name
        self._taken: set[int] = set()
        self._changed = threading.Condition()

    def put(self, body: dict[str, Any], due: float = 0.0) -> None:
        """Durable on return; inside the caller's own `store.write()` block with that."""
        row = (self._name, due, json.dumps(body, separators=(",", ":")))
        self._change("INSERT INTO queue (queue, due, body) VALUES (?, ?, ?)", row, self._wake_one)

    def _change(self, statement: str, row: tuple[object, ...], then: Callable[[], None]) -> None:
        """In one commit with what other threads change just now."""

        def change(db: sqlite3.Connection) -> None:
            db.execute(statement, row)
            self._store.when_committed(then)

        self._store.together(change)

    def take(self, now: float) -> Item | None:
        """The oldest item that is due and that nobody holds, or None."""
        query = "SELECT id, body FROM queue WHERE queue = ? AND due <= ? ORDER BY due, id"
        with self._changed:
            for number, body in self._store.read().execute(query, (self._name, now)):
                if number not in self._taken:
                    self._taken.add(number)
                    return Item(number, json.loads(body))
        return None

    def wait(self, seconds: float) -> None:
        """Sleep until something may have changed, `seconds` at most."""
        with self._changed:
            self._changed.wait(seconds)

    def wake(self) -> None:
        """All who wait."""
        with self._changed:
            self._changed.notify_all()

    def _wake_one(self) -> None:
        with self._changed:
            self._changed.notify()

    def done(self, item: Item) -> None:
        self._change("DELETE FROM queue WHERE id = ?", (item.id,), lambda: self._release(item))

    def retry(self, item: Item, body: dict[str, Any], due: float) -> None:
        """Put the item back, changed, to be taken again from `due` on."""
        row = (json.dumps(body, separators=(",", ":")), due, item.id)
        self._change("UPDATE queue SET body = ?, due = ? WHERE id = ?", row, lambda: self._release(item))

    def put_back(self, item: Item, due: float) -> None:
        """`retry`, unchanged, after a failure that may be the disk's own: then the item is due at once."""
        try:
            self.retry(item, item.body, due)
        except sqlite3.Error:
            self._release(item)

    def _release(self, item: Item) -> None:
        with self._changed:
            self._taken.discard(item.id)
            self._changed.notify()

    def oldest(self) -> dict[str, Any] | None:
        """The body of what came first among all that is not done; None if nothing is left."""
        query = "SELECT body FROM queue WHERE id = (SELECT min(id) FROM queue WHERE queue = ?)"
        row = self._store.read().execute(query, (self._name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def depth(self) -> int:
        row = self._store.read().execute("SELECT count(*) FROM queue WHERE queue = ?", (self._name,)).fetchone()
        return int(row[0])
