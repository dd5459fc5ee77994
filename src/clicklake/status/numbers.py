"""What `clicklake status` looks at, stage by stage, as values. Times are UTC, sums of the last `window_seconds`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Firehose:
    """`status` is AWS's word, None if there is no such stream; `elsewhere` is where it delivers to, if that is not the
    lake's raw/. `oldest_seconds` (age of the oldest record that is not delivered) and `success` (share of the
    attempts to deliver, 0 to 1) are of the newest minute that has any, and None if there is none; `..._measured` is
    that minute."""

    status: str | None
    elsewhere: str | None
    buffer_seconds: int
    records: int
    bytes: int
    throttled: int
    oldest_seconds: float | None
    oldest_measured: datetime | None
    success: float | None
    success_measured: datetime | None


@dataclass(frozen=True, slots=True)
class Raw:
    """`waiting` raw objects have no ledger row; they and `delivery_errors` are those of the time that is looked at."""

    bucket_exists: bool
    objects: int
    bytes: int
    newest: datetime | None
    waiting: int
    oldest_waiting: datetime | None
    delivery_errors: int


@dataclass(frozen=True, slots=True)
class Function:
    """`state` is AWS's word, None if there is no such function; `reserved` the concurrency that is kept for it, None
    for no limit; `is_triggered` None if something else than S3's own notification may do it."""

    state: str | None
    reserved: int | None
    is_triggered: bool | None
    runs: int
    errors: int
    throttles: int
    dropped: int
    mean_seconds: float | None


@dataclass(frozen=True, slots=True)
class Processed:
    """Sums of the ledger rows that were written in the window; records = good + duplicate + failed. `newest` is the
    time of the last row, in the window or before."""

    objects: int
    records: int
    good: int
    duplicate: int
    failed: int
    failures: Mapping[str, int]
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class Tables:
    """`partition` is the newest day of events, `is_registered` whether Glue has it (None: no events); `workgroup` is
    Athena's word for its state, None if there is no such workgroup."""

    partition: str | None
    is_registered: bool | None
    workgroup: str | None


@dataclass(frozen=True, slots=True)
class Numbers:
    """`dead_letters` is the number of messages in the failure queue, about; None if there is no such queue."""

    moment: datetime
    window_seconds: int
    firehose: Firehose
    raw: Raw
    function: Function
    processed: Processed
    dead_letters: int | None
    tables: Tables

    def age(self, moment: datetime | None) -> float | None:
        """Seconds since then, not below 0: clocks differ."""
        return None if moment is None else max(0.0, (self.moment - moment).total_seconds())
