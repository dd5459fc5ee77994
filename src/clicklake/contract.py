"""docs/contract.md from the pipeline file: `clicklake schema --format markdown`.

The examples are not written down anywhere: one raw object, made of the fields' examples and one broken record, goes
through the transform, and what comes out is what the page shows.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from clicklake.pipeline import Column, Field, Pipeline, Table, with_processed_format
from clicklake.transform.process import Settings, process

RAW_KEY = "raw/year=2025/month=11/day=26/clickstream-firehose-dev-1-2025-11-26-10-15-00-0b6b4f7e.gz"
BROKEN = b'{"user_id":"u-4711","page_url":"https://shop.example/"}\n'
_USER_KEY = b"an example key of 32 bytes or more"
# Sizes and hashes of files are the same for one architecture only; the page must not depend on whose machine made it.
_OF_THE_MACHINE = {"processed_bytes", "failed_bytes", "file_sha256"}
_LONGEST = 80

_ACCEPTED_AS_OTHER = {
    "properties": "kept in `properties`",
    "fail": "the record fails",
    "drop": "dropped and counted",
}
_INTRODUCTION = """\
# The contract

What goes in and what comes out, field by field and column by column. This page is generated from
`src/clicklake/pipeline.json` (`clicklake schema --format markdown`, `make contract`); a test keeps it true. For
machines: `clicklake schema --format json-schema`, `ddl` or `dbt`.

The examples are real: they are what the transform of this version makes of one raw object that holds the two records
below, with an example key for `user_key`."""


@dataclass(frozen=True, slots=True)
class Examples:
    """One row of each table, by column; NULLs are absent."""

    events: dict[str, Any]
    failed: dict[str, Any]
    ledger: dict[str, Any]


def example_event(pipeline: Pipeline) -> dict[str, Any]:
    """The fields' examples as one event, with those of a team's own columns in its properties."""
    event = {known.name: known.example for known in pipeline.fields if known.example is not None}
    for column in pipeline.tables.events.columns:
        if column.example is not None and column.from_:
            *parents, last = column.from_.split(".")
            at = event
            for name in parents:
                at[name] = at = dict(at.get(name) or {})
            at[last] = column.example
    return event


def examples(pipeline: Pipeline) -> Examples:
    """What the transform makes of the example event and one broken record."""
    raw = json.dumps(example_event(pipeline), ensure_ascii=False).encode() + b"\n" + BROKEN
    batch = process(raw, RAW_KEY, 0, Settings(with_processed_format(pipeline, "json"), _USER_KEY))
    if batch.processed is None or batch.failed is None:
        raise ValueError("the example event does not become a row; look at the fields' examples")
    return Examples(*(_only_row(output.body) for output in (batch.processed, batch.failed, batch.ledger)))


def _only_row(body: bytes) -> dict[str, Any]:
    (line,) = gzip.decompress(body).splitlines()
    row: dict[str, Any] = json.loads(line)
    return row


def page(pipeline: Pipeline) -> Iterator[str]:
    """The page, line by line."""
    made = examples(pipeline)
    events, failed, ledger = pipeline.tables
    yield from (_INTRODUCTION, "", "```json", json.dumps(example_event(pipeline), indent=2, ensure_ascii=False))
    yield from (BROKEN.decode().rstrip(), "```", "")
    yield from _fields(pipeline.fields)
    yield from _names(pipeline)
    yield from _columns(events, made.events, source=True)
    yield from _partitions(pipeline)
    yield from _columns(failed, made.failed, source=False)
    yield from _columns(ledger, made.ledger, source=False)
    yield "`…` stands for what depends on the machine: compressed sizes and the hash of a file's bytes."


def _fields(fields: Sequence[Field]) -> Iterator[str]:
    yield from ("## The input event", "")
    yield "A JSON object in UTF-8. `null` and empty text count as not sent; a name that is not listed is kept in"
    yield "`properties`. Of several names of one field the leftmost that holds a value of the right type counts."
    yield ""
    yield from _table(
        ("field", "other names", "accepts", "unit", "a value of another type is", "what it is", "example"),
        [
            (
                f"`{known.name}`",
                ", ".join(f"`{alias}`" for alias in known.aliases),
                known.accepts,
                known.unit or "",
                _ACCEPTED_AS_OTHER[known.otherwise],
                known.comment,
                _code(known.example),
            )
            for known in fields
        ],
    )


def _names(pipeline: Pipeline) -> Iterator[str]:
    yield f"Private: {_listed(known.name for known in pipeline.fields if known.private)} and their other names never"
    yield "leave `raw/` and `failed.raw`, in no form and at no depth. What has one of these names is removed from"
    yield f"`properties`, too: {_listed(pipeline.private_names)}."
    yield ""
    yield "Values of these query parameters are kept in addresses, all others are redacted:"
    yield f"{_listed(pipeline.kept_query_parameters)}."
    yield ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _columns(table: Table, row: dict[str, Any], *, source: bool) -> Iterator[str]:
    yield from (f"## `{table.name}`", "", table.comment, "")
    head = ("column", "type", "unit", *(["source"] if source else []), "NULL", "what it is", "example")
    yield from _table(
        head,
        [
            (
                f"`{column.name}`",
                column.type,
                column.unit or "",
                *([_source(column)] if source else []),
                "never" if column.not_null else "",
                column.comment,
                "`…`" if column.name in _OF_THE_MACHINE else _code(row.get(column.name)),
            )
            for column in table.columns
        ],
    )


def _source(column: Column) -> str:
    return f"field `{column.from_}`" if column.from_ else f"step {column.by}"


def _partitions(pipeline: Pipeline) -> Iterator[str]:
    keys = ", ".join(f"`{key}`" for key in pipeline.partition_keys)
    yield f"Partition keys of this table and the next two: {keys}, text, the UTC day of arrival. Filter on them, and"
    yield f"only those days are read. `{pipeline.names().unique_view}` has the same columns and each event once a day."
    yield ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""


def _code(value: Any) -> str:
    """A value as Markdown's code in a table's cell, cut if it is long; nothing for NULL."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return f"`{text}`".replace("|", "\\|")
