"""What became of one raw object, in one row: the double entry behind `clicklake verify`.

The row is a function of the raw object and the processor, like the outputs: no time and no chance in it.
"""

from collections import Counter
from dataclasses import dataclass

from clicklake.pipeline import Pipeline
from clicklake.transform.event import FAILURE_TYPES, FailureType, Row, Tally


@dataclass(frozen=True, slots=True)
class Written:
    """An output object: its key, rows, size in bytes and SHA-256 in hex."""

    key: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """All that the ledger says about a raw object."""

    raw_key: str
    received_ms: int
    tally: Tally
    failures: Counter[FailureType]
    bytes_in: int
    bytes_decoded: int
    processed: Written | None
    failed: Written | None
    content_sha256: str
    processor_version: str
    user_key_id: str | None
    user_agent_rules: str
    geo_database: str | None


def ledger_row(entry: Entry, pipeline: Pipeline) -> Row:
    """The entry as a row of clickstream_ledger, in the order of its columns."""
    tally, processed, failed = entry.tally, entry.processed, entry.failed
    assert tally.records_in == tally.good + tally.duplicate + tally.failed
    values = {
        "raw_key": entry.raw_key,
        "received_ts": entry.received_ms,
        "records_in": tally.records_in,
        "good": tally.good,
        "duplicate": tally.duplicate,
        "failed": tally.failed,
        **{f"failed_{kind}": entry.failures[kind] for kind in FAILURE_TYPES},
        "rederived_ids": tally.rederived_ids,
        "dropped_values": tally.dropped_values,
        "misplaced_values": tally.misplaced_values,
        "bytes_in": entry.bytes_in,
        "bytes_decoded": entry.bytes_decoded,
        "processed_key": processed.key if processed else None,
        "processed_rows": processed.rows if processed else 0,
        "processed_bytes": processed.size if processed else 0,
        "failed_key": failed.key if failed else None,
        "failed_rows": failed.rows if failed else 0,
        "failed_bytes": failed.size if failed else 0,
        "content_sha256": entry.content_sha256,
        "file_sha256": processed.sha256 if processed else None,
        "processor_version": entry.processor_version,
        "contract_sha256": pipeline.contract_sha256,
        "user_key_id": entry.user_key_id,
        "user_agent_rules": entry.user_agent_rules,
        "geo_database": entry.geo_database,
    }
    return tuple(values.get(column.name) for column in pipeline.tables.ledger.columns)
