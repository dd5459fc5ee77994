"""The transform as tests see it: events or bytes in, rows out."""

import gzip
import json
from dataclasses import dataclass, replace
from typing import Any

from clicklake import pipeline
from clicklake.transform.process import Batch, Settings, process

RAW_KEY = "raw/year=2025/month=11/day=26/clickstream-firehose-dev-1-2025-11-26-10-15-00-5f0c.gz"
RECEIVED = "2025-11-26 10:15:00.000"
KEY = b"a user key of at least 32 bytes!"
PIPELINE = pipeline.load(pipeline.FILE)


@dataclass(frozen=True)
class Made:
    """What a raw object became. Rows have no NULLs."""

    batch: Batch
    rows: list[dict[str, Any]]
    failed: list[dict[str, Any]]
    ledger: dict[str, Any]

    @property
    def row(self) -> dict[str, Any]:
        (row,) = self.rows
        return row


def transform(*records: dict[str, Any] | bytes, settings: Settings | None = None, raw_key: str = RAW_KEY) -> Made:
    """The outputs of an object of these records, one a line; bytes are put in as they are."""
    lines = [record if isinstance(record, bytes) else json.dumps(record).encode() + b"\n" for record in records]
    return transform_raw(b"".join(lines), settings, raw_key)


def transform_raw(raw: bytes, settings: Settings | None = None, raw_key: str = RAW_KEY) -> Made:
    """The outputs of an object of these bytes, written as JSON to be read back."""
    settings = settings or Settings(PIPELINE, KEY)
    as_json = replace(settings, pipeline=pipeline.with_processed_format(settings.pipeline, "json"))
    batch = process(raw, raw_key, 1_764_152_100_000, as_json)
    return Made(
        batch,
        lines(batch.processed.body) if batch.processed else [],
        lines(batch.failed.body) if batch.failed else [],
        lines(batch.ledger.body)[0],
    )


def lines(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(body).splitlines()]


def event(**fields: Any) -> dict[str, Any]:
    """An event that has the one required field, and these."""
    return {"event_type": "page_view", **fields}
