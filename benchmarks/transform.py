"""The transform on one core: against its contract in the standard library, and against what the bytes allow.

The limit is what no transform of this kind can avoid: decompress with isal, parse with simdjson, write the same
finished Arrow table as Parquet. CLICKLAKE_BENCH_EVENTS sets the number of events (default 500,000, a twentieth of them
malformed; the baseline takes two minutes for them). A second run gives every user a URL of their own, so that memory of
answers can't flatter us. Every run starts with empty memory, as a new worker does.
"""

import gzip
import hashlib
import io
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import islice
from typing import Any

import orjson
from isal import igzip

from benchmarks.measure import Row, median_seconds
from benchmarks.reference import Reference
from clicklake import __version__, pipeline
from clicklake.pipeline import Format, Pipeline
from clicklake.simulator.traffic import Plan, generate
from clicklake.transform.encode import BATCH, record_batch, write
from clicklake.transform.process import Batch, Settings, process

EVENTS = int(os.environ.get("CLICKLAKE_BENCH_EVENTS", "500000"))
ROUNDS = 3
RECEIVED = datetime(2026, 11, 22, 10, tzinfo=UTC)
RAW_KEY = "raw/year=2026/month=11/day=22/clickstream-firehose-dev-1-2026-11-22-10-00-00-bench.gz"
USER_KEY = b"the benchmark's key of 32 bytes."
PIPELINE = pipeline.load(pipeline.FILE)
FORMATS: dict[Format, Pipeline] = {form: pipeline.with_processed_format(PIPELINE, form) for form in ("parquet", "json")}


def run() -> list[Row]:
    raw = gzip.compress(_events(), 6)
    ours, as_json = _cpu(lambda: _transform(raw, "parquet")), _cpu(lambda: _transform(raw, "json"))
    rows: list[Any] = []
    theirs = _cpu(lambda: rows.extend(_baseline(raw)), rounds=1)
    _must_agree(raw, rows)
    unique = gzip.compress(_events(unique_urls=True), 6)
    ours_unique = _cpu(lambda: _transform(unique, "parquet"))
    theirs_unique = _cpu(lambda: _baseline(unique), rounds=1)
    baseline = f"the contract in the standard library and pure ua-parser: {_text(theirs)}"
    baseline_unique = f"the same baseline: {_text(theirs_unique)}"
    return [
        Row("transform to Parquet, full contract, one core", _text(ours), baseline, theirs / ours, "8x", "12x"),
        Row("the same to gzip NDJSON", _text(as_json), baseline, theirs / as_json, "", ""),
        Row("to Parquet, a URL per user", _text(ours_unique), baseline_unique, theirs_unique / ours_unique, "", ""),
        *_share_of_the_limit(raw, rows, ours),
    ]


def _transform(raw: bytes, form: Format) -> Batch:
    return process(raw, RAW_KEY, 0, Settings(FORMATS[form], USER_KEY))


def _baseline(raw: bytes) -> list[tuple[Any, ...]]:
    reference = Reference(PIPELINE, USER_KEY, RAW_KEY, RECEIVED, __version__)
    rows = reference.rows(raw)
    reference.encoded(rows)
    return rows


def _share_of_the_limit(raw: bytes, rows: list[Any], ours: float) -> list[Row]:
    try:
        parser = import_module("simdjson").Parser()
    except ModuleNotFoundError:
        return [Row("share of the limit", "not measured: pip install pysimdjson", "", None, "12 %", "25 %")]
    columns = PIPELINE.tables.events.columns
    table = [record_batch(columns, rows[at : at + BATCH]) for at in range(0, len(rows), BATCH)]

    def limit() -> None:
        for line in igzip.decompress(raw).split(b"\n"):
            try:
                parser.parse(line)
            except ValueError:
                continue
        write(columns, table, io.BytesIO())

    least = _cpu(limit)
    return [
        Row(
            "share of the limit",
            f"{least / ours:.0%}",
            f"isal, simdjson, Parquet of a finished table: {_text(least)}",
            None,
            "12 %",
            "25 %",
        )
    ]


def _events(unique_urls: bool = False) -> bytes:
    """A twentieth is malformed. Only events that arrived by the object's time, as in a real object."""
    start = RECEIVED - timedelta(seconds=300)
    plan = Plan(seed=1, start=start, rate=EVENTS / 280, malformed=0.05, unique_urls=unique_urls)
    return b"".join(record.data for record in islice(generate(plan), EVENTS))


def _must_agree(raw: bytes, rows: list[Any]) -> None:
    """The baseline makes the same rows, or the ratio means nothing."""
    ledger = orjson.loads(gzip.decompress(_transform(raw, "parquet").ledger.body))
    content = hashlib.sha256(orjson.dumps(rows)).hexdigest()
    if ledger["content_sha256"] != content:
        raise AssertionError(f"the baseline's rows differ: {len(rows)} against {ledger['good']}")


def _cpu(call: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median CPU time in seconds."""
    seconds = []
    for _ in range(rounds):
        began = time.process_time()
        call()
        seconds.append(time.process_time() - began)
    return median_seconds(seconds)


def _text(seconds: float) -> str:
    return f"{EVENTS / seconds:,.0f} events/s"
