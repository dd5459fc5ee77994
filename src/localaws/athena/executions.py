"""Query executions: their states, and the durable history.

    QUEUED -> RUNNING -> SUCCEEDED | FAILED | CANCELLED     (QUEUED may be cancelled at once)

A state only moves along these arrows, whoever asks, and a final one is on the disk before anybody sees it. What was not
finished when the endpoint died is FAILED when it starts again. Athena keeps the history for 45 days, and so does this
(docs.aws.amazon.com/athena/latest/ug/queries-viewing-history.html).
"""

import json
import sqlite3
import threading
from collections.abc import Callable
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
# docs.aws.amazon.com/athena/latest/ug/error-reference.html lists them; which failure has which was measured on AWS
# (aoyagikouhei/athena-local, src/failure.rs).
_ERROR_TYPES = {
    0: {"EXCEEDED_LOCAL_MEMORY_LIMIT"},
    1001: {"DIVISION_BY_ZERO"},
    1002: {"TYPE_MISMATCH"},
    1006: {"SYNTAX_ERROR", "COLUMN_NOT_FOUND", "CATALOG_NOT_FOUND"},
    1100: {"INVALID_CAST_ARGUMENT", "NUMERIC_VALUE_OUT_OF_RANGE", "INVALID_PARAMETER_USAGE"},
    1106: {"INVALID_FUNCTION_ARGUMENT"},
    1110: {"TABLE_ALREADY_EXISTS"},
    1200: {"NOT_SUPPORTED"},
    1301: {"TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND"},
    1303: {"FUNCTION_NOT_FOUND"},
}
_OTHER_ERRORS = {1: 200, 2: 1000}  # by category
_KEPT = 45 * 86400.0  # seconds
_INTERRUPTED = "GENERIC_INTERNAL_ERROR: the endpoint ended while the query was running"


@dataclass(slots=True)
class Execution:
    """`document` is GetQueryExecution's answer (times are epoch seconds), `columns` the ColumnInfos of the result."""

    id: str
    document: Document
    token: str | None = None
    columns: list[Document] = field(default_factory=list)
    rows: int = 0  # written by it
    counted: Document = field(default_factory=dict)  # QueryRuntimeStatisticsRows
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

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._live: dict[str, Execution] = {}
        store.migrate(_SCHEMA)
        self._forget()
        self._bury()

    def _forget(self) -> None:
        submitted = "json_extract(body, '$.document.Status.SubmissionDateTime')"
        with self._store.write() as db:
            db.execute(f"DELETE FROM athena_executions WHERE {submitted} < ?", (self._now() - _KEPT,))

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
            self.end(execution, "FAILED", reason | {"CompletionDateTime": self._now()})

    def announce(self, execution: Execution) -> None:
        """Known here from now on; `add` is owed. Work may begin meanwhile, because `end` waits for `add`."""
        self._live[execution.id] = execution

    def withdraw(self, execution: Execution) -> None:
        """What could not be added: it must not run, and there is none."""
        execution.move("CANCELLED", {})
        self._live.pop(execution.id, None)

    def unfinished(self) -> int:
        return sum(e.state in _AFTER for e in list(self._live.values()))

    def add(self, execution: Execution) -> None:
        """Durable on return."""
        workgroup = execution.document["WorkGroup"]

        body = _body(execution, execution.document)

        def insert(db: sqlite3.Connection) -> None:
            row = (execution.id, workgroup, execution.token, "QUEUED", body)
            db.execute("INSERT INTO athena_executions (id, workgroup, token, state, body) VALUES (?, ?, ?, ?, ?)", row)

        try:
            self._store.together(insert)
        finally:
            execution.recorded.set()

    def end(self, execution: Execution, state: str, changes: Document) -> bool:
        """Enter a final state with these further Status fields; False if it can't be reached from here any more. What a
        full disk does not take is FAILED, as it will be when the endpoint starts again."""
        if execution.state not in _AFTER:
            return False  # as one read from the store is, which nobody records
        execution.recorded.wait()
        with execution.lock:
            if state not in _AFTER.get(execution.state, ()):
                return False
            status = execution.document["Status"] | changes | {"State": state}
            kept = True
            try:
                self._store.together(_update(execution, status))
            except sqlite3.Error as e:
                told, kept = f"GENERIC_INTERNAL_ERROR: the query's end could not be kept: {e}", False
                failed = {"State": "FAILED", "StateChangeReason": told, "AthenaError": athena_error(told, 1)}
                status |= failed
            execution.document["Status"] = status
        if kept:
            self._live.pop(execution.id, None)
        return True

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
    code = message.partition(":")[0]
    kind = next((number for number, codes in _ERROR_TYPES.items() if code in codes), _OTHER_ERRORS[category])
    return {"ErrorCategory": category, "ErrorType": kind, "Retryable": False, "ErrorMessage": message}


def _update(execution: Execution, status: Document) -> Callable[[sqlite3.Connection], None]:
    row = (status["State"], _body(execution, execution.document | {"Status": status}), execution.id)

    def update(db: sqlite3.Connection) -> None:
        db.execute("UPDATE athena_executions SET state = ?, body = ? WHERE id = ?", row)

    return update


def _body(execution: Execution, document: Document) -> str:
    kept: Document = {"document": document, "columns": execution.columns, "token": execution.token}
    more = {"rows": execution.rows, "key": execution.key, "counted": execution.counted}
    return json.dumps(kept | {k: v for k, v in more.items() if v}, separators=(",", ":"))


def _loaded(number: str, body: str) -> Execution:
    kept = json.loads(body)
    columns, rows, counted = kept["columns"], kept.get("rows", 0), kept.get("counted", {})
    return Execution(number, kept["document"], kept["token"], columns, rows, counted)
