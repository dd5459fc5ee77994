"""The transform on one core: against its contract in the standard library, and against what the bytes allow.

The limit is what no transform of this kind can avoid: decompress with isal, parse with simdjson, write the same
finished table as Parquet. CLICKLAKE_BENCH_EVENTS sets the number of events (default 100,000); a second run gives every
user an address and a browser of their own, so that no cache helps.
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
from clicklake.traffic import Plan, generate
from clicklake.transform.encode import BATCH, parquet
from clicklake.transform.process import Settings, process

EVENTS = int(os.environ.get("CLICKLAKE_BENCH_EVENTS", "100000"))
ROUNDS = 3
RECEIVED = datetime(2026, 11, 22, 10, tzinfo=UTC)
RAW_KEY = "raw/year=2026/month=11/day=22/clickstream-firehose-dev-1-2026-11-22-10-00-00-bench.gz"
USER_KEY = b"the benchmark's key of 32 bytes."
PIPELINE = pipeline.load(pipeline.FILE)
AS_PARQUET = Settings(pipeline.with_processed_format(PIPELINE, "parquet"), USER_KEY)
AS_JSON = Settings(pipeline.with_processed_format(PIPELINE, "json"), USER_KEY)


def run() -> list[Row]:
    raw = gzip.compress(_events(), 6)
    ours = _cpu(lambda: process(raw, RAW_KEY, 0, AS_PARQUET))
    as_json = _cpu(lambda: process(raw, RAW_KEY, 0, AS_JSON))
    reference = Reference(PIPELINE, USER_KEY, RAW_KEY, RECEIVED, __version__)
    rows = reference.rows(raw)
    _must_agree(raw, rows)
    theirs = _cpu(lambda: reference.encoded(reference.rows(raw)), rounds=1)
    unique = gzip.compress(_one_address_per_event(raw), 6)
    uncached = _cpu(lambda: process(unique, RAW_KEY, 0, AS_PARQUET))
    baseline = f"the contract in the standard library: {_text(theirs)}"
    return [
        Row("transform to Parquet, full contract, one core", _text(ours), baseline, theirs / ours, "8x", "12x"),
        Row("the same to gzip NDJSON", _text(as_json), baseline, theirs / as_json, "", ""),
        Row("the same to Parquet, an address per event", _text(uncached), "as above", None, "", ""),
        *_share_of_the_limit(raw, rows, ours),
    ]


def _share_of_the_limit(raw: bytes, rows: list[Any], ours: float) -> list[Row]:
    try:
        parser = import_module("simdjson").Parser()
    except ModuleNotFoundError:
        return [Row("share of the limit", "not measured: pip install pysimdjson", "", None, "12 %", "25 %")]
    batches = [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]
    written = _cpu(lambda: parquet(PIPELINE.tables.events.columns, batches, io.BytesIO()))

    def read() -> None:
        for line in igzip.decompress(raw).split(b"\n"):
            try:
                parser.parse(line)
            except ValueError:
                continue

    limit = _cpu(read) + written
    return [
        Row(
            "share of the limit",
            f"{limit / ours:.0%}",
            f"isal, simdjson, Parquet: {_text(limit)}",
            None,
            "12 %",
            "25 %",
        )
    ]


def _events() -> bytes:
    """A twentieth is malformed. Only events that arrived by the object's time, as in a real object."""
    plan = Plan(seed=1, start=RECEIVED - timedelta(seconds=300), rate=EVENTS / 280, malformed=0.05)
    return b"".join(record.data for record in islice(generate(plan), EVENTS))


def _one_address_per_event(raw: bytes) -> bytes:
    """Every page_url, referrer and user_agent made unique."""
    lines = []
    for number, line in enumerate(gzip.decompress(raw).split(b"\n")):
        for name in (b"page_url", b"referrer", b"user_agent"):
            line = line.replace(b'"%b":"' % name, b'"%b":"https://n%d.example/' % (name, number))  # noqa: PLW2901
        lines.append(line)
    return b"\n".join(lines)


def _must_agree(raw: bytes, rows: list[Any]) -> None:
    """The baseline makes the same rows, or the ratio means nothing."""
    ledger = orjson.loads(gzip.decompress(process(raw, RAW_KEY, 0, AS_PARQUET).ledger.body))
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
