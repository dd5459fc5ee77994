"""Rows to files: both formats hold the same rows, and Athena's types hold in Parquet."""

import datetime
import gzip
import io
import random
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from clicklake import pipeline
from clicklake.transform.encode import BATCH
from clicklake.transform.process import Batch, Settings, process
from transforming import KEY, PIPELINE, RAW_KEY, event, lines

DUCKDB_TYPES = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}
AS_JSON = Settings(pipeline.with_processed_format(PIPELINE, "json"), KEY)
AS_PARQUET = Settings(pipeline.with_processed_format(PIPELINE, "parquet"), KEY)


def some_events(count: int) -> bytes:
    random.seed(count)
    moments = ["2025-11-26T10:14:59.001Z", "1969-12-31T23:59:59.999Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
    events = [
        event(
            event_id=f"e{n}",
            event_time=random.choice([None, *moments]),
            value=random.choice([None, 0, -1.5, 1e300, 5e-324]),
            page_title=random.choice([None, "é, \"quoted\"\n\t", "\U0001f600", "\0"]),
            properties={"n": n},
        )
        for n in range(count)
    ]  # fmt: skip
    return b"\n".join(map(orjson.dumps, events))


def rows_of_parquet(path: Path) -> list[dict[str, Any]]:
    relation = duckdb.sql(f"select * from read_parquet('{path}')")
    return [
        {name: shown(value) for name, value in zip(relation.columns, row, strict=True) if value is not None}
        for row in relation.fetchall()
    ]


def shown(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ", "milliseconds")
    return value.isoformat() if isinstance(value, datetime.date) else value


@pytest.mark.parametrize("count", [1, BATCH, 2 * BATCH + 1])
def test_both_formats_hold_the_same_rows(tmp_path: Path, count: int) -> None:
    raw = some_events(count)
    parquet, ndjson = process(raw, RAW_KEY, 0, AS_PARQUET), process(raw, RAW_KEY, 0, AS_JSON)
    assert parquet.processed
    assert ndjson.processed
    file = tmp_path / "rows.parquet"
    file.write_bytes(parquet.processed.body)
    assert rows_of_parquet(file) == lines(ndjson.processed.body)
    assert parquet.processed.rows == ndjson.processed.rows == count
    content = {lines(batch.ledger.body)[0]["content_sha256"] for batch in (parquet, ndjson)}
    assert len(content) == 1


def test_parquet_has_the_columns_and_types_of_the_glue_table(tmp_path: Path) -> None:
    batch = process(some_events(3), RAW_KEY, 0, AS_PARQUET)
    assert batch.processed
    file = tmp_path / "rows.parquet"
    file.write_bytes(batch.processed.body)
    described = duckdb.sql(f"describe select * from read_parquet('{file}')").fetchall()
    expected = [(column.name, DUCKDB_TYPES[column.type]) for column in PIPELINE.tables.events.columns]
    assert [(name, kind) for name, kind, *_ in described] == expected
    schema = duckdb.sql(f"select name, type, converted_type from parquet_schema('{file}')").fetchall()
    assert ("event_ts", "INT64", "TIMESTAMP_MILLIS") in schema


def test_files_carry_no_time_of_their_own() -> None:
    batch = process(some_events(3), RAW_KEY, 0, AS_JSON)
    assert batch.processed
    with gzip.GzipFile(fileobj=io.BytesIO(batch.processed.body)) as file:
        file.read()
        assert file.mtime == 0


def files(batch: Batch) -> list[tuple[str, bytes]]:
    return [(output.key, output.body) for output in (batch.processed, batch.failed, batch.ledger) if output]


@pytest.mark.parametrize("settings", [AS_JSON, AS_PARQUET], ids=["json", "parquet"])
def test_the_same_raw_bytes_give_the_same_files_whatever_the_chunks(settings: Settings) -> None:
    raw = gzip.compress(some_events(500) + b"\nrubbish\n")
    first, *others = (process(raw, RAW_KEY, 0, settings, chunk_size) for chunk_size in (1 << 20, 1 << 10, 333))
    assert all(files(other) == files(first) for other in others)
