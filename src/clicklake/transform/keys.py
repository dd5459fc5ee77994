"""Where the outputs of a raw object lie: functions of the raw key alone.

Firehose names an object `<prefix><stream>-<version>-<YYYY-MM-DD-HH-MM-SS>-<id>.gz`, in UTC
(docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html). Its outputs keep day and name:

    raw/year=2025/month=11/day=26/clicks-1-2025-11-26-10-15-00-ab12.gz
    processed/year=2025/month=11/day=26/clicks-1-2025-11-26-10-15-00-ab12.parquet
    failed/year=2025/month=11/day=26/clicks-1-2025-11-26-10-15-00-ab12.json.gz

Two raw objects never share an output: a name of another form gets a hash of the whole raw key.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from clicklake.pipeline import Format, Pipeline

SUFFIXES: dict[Format, str] = {"parquet": ".parquet", "json": ".json.gz"}

# ASCII: int() reads the digits of other scripts, too, and two keys would share their outputs.
_PARTITION = re.compile(r"year=(\d{4})/month=(\d{2})/day=(\d{2})/", re.ASCII)
_ARRIVAL = re.compile(r"-\d+-(\d{4}-\d{2}-\d{2}-\d{2}-\d{2}-\d{2})-[^/]+\.gz\Z", re.ASCII)
# Hive and Athena ignore files and folders whose names begin like this:
# docs.aws.amazon.com/athena/latest/ug/tables-location-format.html
_HIDDEN = re.compile(r"(^|/)(?=[._])")
_LONGEST = 200  # characters; a key may have 1,024 bytes: docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html


@dataclass(frozen=True, slots=True)
class Place:
    """The day and time of a raw object, and the keys of everything that may be made from it."""

    raw_key: str
    received_ms: int
    partition: tuple[str, ...]
    processed: dict[Format, str]
    failed: str
    ledger: str


def place(raw_key: str, last_modified_ms: int, pipeline: Pipeline) -> Place:
    """Raises ValueError if the key lies outside raw/, so that output can never be taken for input."""
    if not raw_key.startswith(pipeline.zones.raw):
        raise ValueError(f"{raw_key!r} is not under {pipeline.zones.raw}")
    name = raw_key.removeprefix(pipeline.zones.raw)
    arrival = _arrival_ms(name)
    received_ms = last_modified_ms if arrival is None else arrival
    day, rest = _day(name)
    base = rest.removesuffix(".gz")
    if day is None or arrival is None or _HIDDEN.search(rest) or len(rest) > _LONGEST:
        base = f"{_HIDDEN.sub('-', base)[:_LONGEST]}-{hashlib.sha256(raw_key.encode()).hexdigest()[:16]}"
    day = day or datetime.fromtimestamp(received_ms / 1000, UTC).date()
    partition = (f"{day.year:04}", f"{day.month:02}", f"{day.day:02}")
    path = "".join(f"{key}={value}/" for key, value in zip(pipeline.partition_keys, partition, strict=True)) + base
    tables, zones = pipeline.tables, pipeline.zones
    return Place(
        raw_key=raw_key,
        received_ms=received_ms,
        partition=partition,
        processed={form: f"{zones.processed}{path}{suffix}" for form, suffix in SUFFIXES.items()},
        failed=f"{zones.failed}{path}{SUFFIXES[tables.failed.format]}",
        ledger=f"{zones.ledger}{path}{SUFFIXES[tables.ledger.format]}",
    )


def _arrival_ms(name: str) -> int | None:
    found = _ARRIVAL.search(name)
    if not found:
        return None
    try:
        arrival = datetime.strptime(found[1], "%Y-%m-%d-%H-%M-%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(arrival.timestamp()) * 1000


def _day(name: str) -> tuple[date | None, str]:
    """The day of a name's partition folders, and the name without them."""
    found = _PARTITION.match(name)
    if not found:
        return None, name
    try:
        return date(int(found[1]), int(found[2]), int(found[3])), name[found.end() :]
    except ValueError:
        return None, name
