"""Query executions: their states, and the durable history.

    QUEUED -> RUNNING -> SUCCEEDED | FAILED | CANCELLED     (QUEUED may be cancelled at once)

A state only moves along these arrows, whoever asks. What was not finished when the endpoint died is FAILED when it
starts again.
"""

import json
import sqlite3
import threading
from dataclasses import dataclass, field
from typing import Any

from localaws.errors import AwsError
from localaws.store import Store

Document = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS athena_executions (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  workgroup TEXT NOT NULL, token TEXT, state TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS athena_workgroup ON athena_executions (workgroup, number);
CREATE UNIQUE INDEX IF NOT EXISTS athena_token ON athena_executions (token);
CREATE INDEX IF NOT EXISTS athena_key ON athena_executions (json_extract(body, '$.key'), number)
  WHERE json_extract(body, '$.key') IS NOT NULL;
"""
_AFTER = {
    "QUEUED": {"RUNNING", "CANCELLED", "FAILED"},
    "RUNNING": {"SUCCEEDED", "FAILED", "CANCELLED"},
}
_INTERRUPTED = "GENERIC_INTERNAL_ERROR: the endpoint ended while the query was running"


@dataclass(slots=True)
class Execution:
    """`document` is GetQueryExecution's answer (times are epoch seconds), `columns` the ColumnInfos of the result."""

    id: str
    document: Document
    token: str | None = None
    columns: list[Document] = field(default_factory=list)
    rows: int = 0  # written by it
    key: str = ""  # the same for queries that its result answers, too (reuse.py)
    parameters: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    recorded: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def state(self) -> str:
        return str(self.document["Status"]["State"])

    def note(self, statistics: Document) -> None:
        """Add Statistics. Replaced and not changed, because others may be reading the old ones."""
        self.document["Statistics"] = self.document["Statistics"] | statistics

    def move(self, state: str, changes: Document) -> bool:
        """Enter `state` with these further Status fields; False if it can't be reached from here any more."""
        with self.lock:
            if state not in _AFTER.get(self.state, ()):
                return False
            self.document["Status"] = self.document["Status"] | changes | {"State": state}
            return True


class Executions:
    """Every execution there ever was. Unfinished ones are objects in memory; the others are read from the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._live: dict[str, Execution] = {}
        store.migrate(_SCHEMA)
        self._bury()

    def _bury(self) -> None:
        rows = (
            self._store.read()
            .execute("SELECT id, body FROM athena_executions WHERE state IN ('QUEUED', 'RUNNING')")
            .fetchall()
        )
        for number, body in rows:
            execution = _loaded(number, body)
            execution.recorded.set()
            reason = {"StateChangeReason": _INTERRUPTED, "AthenaError": athena_error(_INTERRUPTED, 1)}
            done = {"CompletionDateTime": execution.document["Status"]["SubmissionDateTime"]}
            execution.move("FAILED", reason | done)
            self.save(execution)

    def announce(self, execution: Execution) -> None:
        """Known here from now on; `add` is owed. Work may begin meanwhile, because `save` waits for `add`."""
        self._live[execution.id] = execution

    def unfinished(self) -> int:
        return len(self._live)

    def add(self, execution: Execution) -> None:
        """Durable on return."""
        self._live[execution.id] = execution
        workgroup = execution.document["WorkGroup"]

        def insert(db: sqlite3.Connection) -> None:
            row = (execution.id, workgroup, execution.token, execution.state, _body(execution))
            db.execute("INSERT INTO athena_executions (id, workgroup, token, state, body) VALUES (?, ?, ?, ?, ?)", row)

        try:
            self._store.together(insert)
        finally:
            execution.recorded.set()

    def save(self, execution: Execution) -> None:
        """What it has come to, durable on return; a finished one is forgotten here and read from the store again."""

        execution.recorded.wait()

        def update(db: sqlite3.Connection) -> None:
            row = (execution.state, _body(execution), execution.id)
            db.execute("UPDATE athena_executions SET state = ?, body = ? WHERE id = ?", row)

        self._store.together(update)
        if execution.state not in _AFTER:
            self._live.pop(execution.id, None)

    def workgroup(self, number: str) -> str | None:
        """None if there is no such execution."""
        try:
            return str(self.get(number).document["WorkGroup"])
        except AwsError:
            return None

    def get(self, number: str) -> Execution:
        """InvalidRequestException if there is none."""
        live = self._live.get(number)
        if live is not None:
            return live
        row = self._store.read().execute("SELECT body FROM athena_executions WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise AwsError("InvalidRequestException", f"QueryExecution {number} was not found")
        return _loaded(number, row[0])

    def by_token(self, token: str) -> Execution | None:
        row = self._store.read().execute("SELECT id FROM athena_executions WHERE token = ?", (token,)).fetchone()
        return self.get(row[0]) if row else None

    def latest(self, key: str) -> Execution | None:
        """The last that succeeded with this key; it may just be on its way into the store."""
        ended = [e for e in list(self._live.values()) if e.key == key and e.state == "SUCCEEDED"]
        if ended:
            return ended[-1]
        query = "SELECT id, body FROM athena_executions WHERE json_extract(body, '$.key') = ? AND state = 'SUCCEEDED'"
        row = self._store.read().execute(f"{query} ORDER BY number DESC LIMIT 1", (key,)).fetchone()
        return _loaded(*row) if row else None

    def page(self, workgroup: str, before: int, count: int) -> tuple[list[str], int | None]:
        """Ids, newest first, of those older than the number `before`; and the number to go on from."""
        query = (
            "SELECT number, id FROM athena_executions WHERE workgroup = ? AND number < ? ORDER BY number DESC LIMIT ?"
        )
        rows = self._store.read().execute(query, (workgroup, before, count + 1)).fetchall()
        return [r[1] for r in rows[:count]], rows[count - 1][0] if len(rows) > count else None


def athena_error(message: str, category: int) -> Document:
    return {"ErrorCategory": category, "ErrorType": 1000 + category, "Retryable": False, "ErrorMessage": message}


def _body(execution: Execution) -> str:
    kept: Document = {"document": execution.document, "columns": execution.columns, "token": execution.token}
    kept |= {"rows": execution.rows} if execution.rows else {}
    kept |= {"key": execution.key} if execution.key else {}
    return json.dumps(kept, separators=(",", ":"))


def _loaded(number: str, body: str) -> Execution:
    kept = json.loads(body)
    return Execution(number, kept["document"], kept["token"], kept["columns"], kept.get("rows", 0))
