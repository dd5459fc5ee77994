"""`clicklake process --against`: what another processor made of the same events, held against ours by their ids.

    with Other(folder, pipeline, limit) as other:   reads its rows, of any columns, as Parquet or JSON
        other.meet(file)                            our rows, once for each processed object
        other.document()                            lost, added, repeated, merged, changed

Both sides' rows are matched by `(app_id, event_id)`; by `event_id` alone if no row of the other has an app_id. Rows of
the other wait in an SQLite file that is deleted at the end, so memory does not grow with them. Columns are compared
where both have one of that name, but for those that say where a row comes from.
"""

import json
import os
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from clicklake.errors import UsageError
from clicklake.pipeline import Pipeline
from clicklake.processed_rows import Row, normal, rows
from clicklake.table import counted
from clicklake.transform.process import derived_id

LINEAGE = frozenset({"raw_key", "raw_offset", "record_index", "processor_version"})
KINDS = ("same", "changed", "lost", "added", "repeated", "merged", "without_id")
KEYED = frozenset({"user_key", "visitor_id"})  # what the key of user_key makes them
_DIFFERENT = ("changed", "lost", "added", "repeated", "merged")
_NAMES = frozenset({"event_id", "app_id", "event_type"})
_COPIES = 16  # of one id that are looked at for an equal one

_TABLE = """
CREATE TABLE other (n INTEGER PRIMARY KEY, app TEXT, id TEXT, type TEXT, met INTEGER DEFAULT 0, file INTEGER, row BLOB);
CREATE INDEX by_id ON other (id, app);
"""
_CANDIDATES = "SELECT n, row FROM other WHERE id = ? AND app IS ? AND met = 0 ORDER BY n LIMIT ?"
_KNOWN = "SELECT 1 FROM other WHERE id = ? AND app IS ? LIMIT 1"
_LEFT = """
SELECT id, app, type, file, EXISTS (SELECT 1 FROM other AS o WHERE o.id = other.id AND o.app IS other.app AND o.met)
FROM other WHERE met = 0 ORDER BY n
"""


class Other:
    """`with Other(folder, pipeline, limit) as other:`. At most `limit` events of each kind are kept, to be named; None
    is no limit. `keyed`: were our rows made with a key? Raises UsageError for what can't be read."""

    def __init__(self, folder: Path, pipeline: Pipeline, limit: int | None, *, keyed: bool) -> None:
        self.folder, self._limit = folder, limit
        self._left_out = LINEAGE if keyed else LINEAGE | KEYED
        self._columns = {column.name: column for column in pipeline.tables.events.columns}
        self._names = {each.name: each.names for each in pipeline.fields if each.name in _NAMES}
        self._files: list[Path] = []
        self._seen: set[str] = set()
        self._has_app = False
        self.counts = Counter[str]()
        self.changed_columns = Counter[str]()
        self.unreadable = self.unnamed = self.rows = 0
        self.examples: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}

    def __enter__(self) -> "Other":
        self._directory = tempfile.TemporaryDirectory(prefix="clicklake-")
        self._rows = sqlite3.connect(Path(self._directory.name) / "rows")
        self._rows.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _TABLE)
        try:
            self._read()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()
        self._directory.cleanup()

    # --- theirs -----------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        for path in _files(self.folder):
            self._files.append(path)
            try:
                with path.open("rb") as file:
                    self._rows.executemany(
                        "INSERT INTO other (app, id, type, file, row) VALUES (?, ?, ?, ?, ?)", self._described(file)
                    )
            except (OSError, ValueError) as e:
                raise UsageError(f"{path}: {e}", "--against names files of events: Parquet, or JSON") from e
        if not self._files:
            raise UsageError(f"{self.folder} has no file", "--against names the processed events of another processor")
        self._has_app = bool(self._rows.execute("SELECT 1 FROM other WHERE app IS NOT NULL LIMIT 1").fetchone())

    def _described(self, file: BinaryIO) -> Iterator[tuple[str | None, str, str | None, int, bytes]]:
        for row in rows(file):
            self.rows += 1
            if row is None:
                self.unreadable += 1
                continue
            self._seen.update(row)
            event_id = self._named("event_id", row)
            if event_id is None:
                self.unnamed += 1
            else:
                own = {name: self._named(name, row) for name in _NAMES}
                self._seen.update(name for name, value in own.items() if value is not None)
                values = orjson.dumps(self._normal(row | own))
                yield own["app_id"], event_id, own["event_type"], len(self._files) - 1, values

    def _named(self, field: str, row: Row) -> str | None:
        value = next((row[name] for name in self._names[field] if row.get(name) not in (None, "")), None)
        return None if value is None else str(value)

    def _normal(self, row: Row) -> Row:
        """Without what is NULL."""
        columns = self._columns
        return {n: normal(columns[n], value) for n, value in row.items() if value is not None and n in columns}

    # --- ours ---------------------------------------------------------------------------------------------------------

    @cached_property
    def compared(self) -> tuple[str, ...]:
        """The columns that both have."""
        return tuple(name for name in self._columns if name in self._seen and name not in self._left_out)

    def meet(self, file: BinaryIO) -> None:
        """Our rows of one object."""
        for row in rows(file):
            assert row is not None
            self._meet(self._normal(row))

    def _meet(self, ours: Row) -> None:
        key = ours["event_id"], (ours.get("app_id") if self._has_app else None)
        found = [(n, orjson.loads(row)) for n, row in self._rows.execute(_CANDIDATES, (*key, _COPIES))]
        if not found:
            is_derived = ours["event_id"] == derived_id(ours["raw_key"], ours["record_index"])
            known = self._rows.execute(_KNOWN, key).fetchone()
            self._count("merged" if known else "without_id" if is_derived else "lost", _of_ours(ours))
            return
        differ = [(n, theirs, self._differing(ours, theirs)) for n, theirs in found]
        n, theirs, names = min(differ, key=lambda each: len(each[2]))
        self._rows.execute("UPDATE other SET met = 1 WHERE n = ?", (n,))
        if names:
            self.changed_columns.update(names)
            values = {name: {"ours": ours.get(name), "theirs": theirs.get(name)} for name in names}
            self._count("changed", {**_of_ours(ours), "columns": values})
        else:
            self.counts["same"] += 1

    def _differing(self, ours: Row, theirs: Row) -> list[str]:
        return [name for name in self.compared if ours.get(name) != theirs.get(name)]

    def _count(self, kind: str, example: dict[str, Any]) -> None:
        self.counts[kind] += 1
        if self._limit is None or len(self.examples[kind]) < self._limit:
            self.examples[kind].append(example)

    # --- both ---------------------------------------------------------------------------------------------------------

    def document(self) -> dict[str, Any]:
        """Once, when all of our rows have been met. docs/process.md describes it."""
        for event_id, app_id, event_type, file, known in self._rows.execute(_LEFT):
            said = {"event_id": event_id, "app_id": app_id, "event_type": event_type, "file": str(self._files[file])}
            self._count("repeated" if known else "added", said)
        return {
            "directory": str(self.folder),
            "files": len(self._files),
            "rows": self.rows,
            "unreadable": self.unreadable,
            "rows_without_id": self.unnamed,
            "matched_by": ["app_id", "event_id"] if self._has_app else ["event_id"],
            "compared": list(self.compared),
            "not_compared": sorted((self._left_out - LINEAGE) & self._seen),
            **{kind: self.counts[kind] for kind in KINDS},
            "columns": dict(self.changed_columns.most_common()),
            "events": {kind: self.examples[kind] for kind in KINDS if kind != "same"},
            "differs": any(self.counts[kind] for kind in _DIFFERENT),
        }


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
        return
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such file or directory", "--against names another processor's events")
    for path, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] not in "._")
        yield from (Path(path) / name for name in sorted(names) if name[0] not in "._")


def _of_ours(ours: Row) -> dict[str, Any]:
    names = ("event_id", "app_id", "event_type", "raw_key", "record_index")
    return {name: ours.get(name) for name in names}


_WORDS = {
    "same": "",
    "changed": "other values in columns that both have",
    "lost": "good here, and not there",
    "added": "there, and not good here",
    "repeated": "there more often than here",
    "merged": "there less often than here",
    "without_id": "sent without an id of their own: can't be looked for",
}


def lines(document: dict[str, Any], limit: int) -> Iterator[str]:
    """At most `limit` events of a kind."""
    yield ""
    size = f"{counted(document['rows'], 'row')} in {counted(document['files'], 'file')}"
    yield f"against    {document['directory']}: {size}"
    for what, count in (("no row", document["unreadable"]), ("without an id", document["rows_without_id"])):
        if count:
            yield f"           {count:,} there {'is' if count == 1 else 'are'} {what}"
    if document["not_compared"]:
        yield f"           not compared without --key-file: {', '.join(document['not_compared'])}"
    for kind in KINDS:
        if document[kind] or kind == "same":
            yield f"{kind:<10} {document[kind]:,}{'  ' + _WORDS[kind] if _WORDS[kind] else ''}"
            events = document["events"].get(kind, [])
            yield from (f"  {_event(event)}" for event in events[:limit])
            if document[kind] > limit and events:
                yield f"  ... and {document[kind] - limit:,} more: --json has all of them"


def _event(event: dict[str, Any]) -> str:
    app = f" of {event['app_id']}" if event["app_id"] else ""
    where = event.get("file") or f"{event['raw_key']}:{event['record_index']}"
    values = "".join(
        f"\n    {name}: {_shown(pair['ours'])} here, {_shown(pair['theirs'])} there"
        for name, pair in event.get("columns", {}).items()
    )
    return f"{event['event_id']}{app}, {event['event_type'] or 'no type'}, {where}{values}"


def _shown(value: Any) -> str:
    return "NULL" if value is None else json.dumps(value, ensure_ascii=False)
