"""What a month on AWS costs: a price list times what is used. Pure, and without any free tier.

Use         what comes in, and how it is stored, read and kept
Prices      prices.json: each price with its source and when it was read there
cost()      USD a month, line by line
"""

import json
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("prices.json")

_MONTH_SECONDS = 30 * 86_400
_KIB, _MIB, _GIB, _TIB = (1024**power for power in (1, 2, 3, 4))
_BILLED_RECORD = 5 * _KIB  # aws.amazon.com/firehose/pricing: each record is rounded up to it
_BILLED_QUERY = 10_000_000  # aws.amazon.com/athena/pricing: what a query costs at least
_LOGGED = 2_000  # bytes that an invocation writes to its log, the platform's lines included

Prices = dict[str, float]  # the name of a price -> USD


@dataclass(frozen=True, slots=True)
class Stored:
    """How processed events lie in S3: bytes an event, the share of them that a query reads, GETs a query and file."""

    event_bytes: float
    share_read: float
    gets: int


# Measured on the demo's traffic, 150,000 events an object; the share is that of the saved queries, through the view.
PARQUET = Stored(event_bytes=72, share_read=0.4, gets=3)
NDJSON = Stored(event_bytes=242, share_read=1, gets=1)


@dataclass(frozen=True, slots=True)
class Function:
    """The processor at work: `events_per_second` with this memory, `overhead` the seconds that any invocation takes."""

    memory_gib: float = 1
    events_per_second: float = 10_000
    overhead: float = 0.5
    architecture: str = "arm"


@dataclass(frozen=True, slots=True)
class Use:
    """A month's `events`, and the rest as Terraform's defaults have it. Events have `event_bytes`, their LF included,
    and gzip makes one byte of `compression` of them. A query reads a whole month."""

    events: float
    event_bytes: int = 730
    events_per_record: int = 1
    buffer_mib: float = 128
    buffer_seconds: float = 300
    compression: float = 5
    raw_months: float = 4  # 90 days, and 30 more as a deleted version
    processed: Stored = PARQUET
    processed_months: float = 12
    function: Function = Function()
    puts_per_object: int = 5  # raw, processed, ledger; to look for failed and the other format costs the same
    traced: bool = True
    queries: int = 300
    alarms: int = 0
    dashboards: int = 0
    keys: int = 0

    @property
    def objects(self) -> float:
        """Raw objects a month: a full buffer each, or what came within the interval; none without events."""
        full = self.events * self.event_bytes / (self.buffer_mib * _MIB)
        return min(self.events / self.events_per_record, max(full, _MONTH_SECONDS / self.buffer_seconds))


def load(file: Path = FILE) -> Prices:
    listed: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["prices"]
    return {name: price["usd"] for name, price in listed.items()}


def cost(use: Use, prices: Prices) -> dict[str, float]:
    """USD a month by line, when as much is stored as is kept for good."""
    return {
        "Firehose": _firehose(use, prices),
        "storage": _storage(use, prices),
        "requests": use.objects * (use.puts_per_object * prices["s3_put"] + prices["s3_get"]),
        "Lambda": _lambda(use, prices),
        "Athena": _athena(use, prices),
        "watching": _watching(use, prices),
    }


def _firehose(use: Use, prices: Prices) -> float:
    record = ceil(use.events_per_record * use.event_bytes / _BILLED_RECORD) * _BILLED_RECORD
    return use.events / use.events_per_record * record / _GIB * prices["firehose_gib"]


def _storage(use: Use, prices: Prices) -> float:
    raw = use.event_bytes / use.compression * use.raw_months
    return use.events * (raw + use.processed.event_bytes * use.processed_months) / _GIB * prices["s3_gib_month"]


def _lambda(use: Use, prices: Prices) -> float:
    function = use.function
    seconds = use.objects * function.overhead + use.events / function.events_per_second
    second = function.memory_gib * prices[f"lambda_{function.architecture}_gib_second"]
    return use.objects * prices["lambda_request"] + seconds * second


def _athena(use: Use, prices: Prices) -> float:
    read = max(use.events * use.processed.event_bytes * use.processed.share_read, _BILLED_QUERY)
    return use.queries * (read / _TIB * prices["athena_tib"] + use.objects * use.processed.gets * prices["s3_get"])


def _watching(use: Use, prices: Prices) -> float:
    """Logs and traces of each invocation; alarms, dashboards and keys, which cost without events, too."""
    each = _LOGGED / _GIB * prices["logs_gib"] + (prices["xray_trace"] if use.traced else 0)
    fixed = ("alarm_month", use.alarms), ("dashboard_month", use.dashboards), ("kms_key_month", use.keys)
    return use.objects * each + sum(prices[name] * number for name, number in fixed)
