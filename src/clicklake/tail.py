"""Each event as it lands, once: follows the ledger, whose row is written when all of a raw object's rows are there.

    follower = Follower(lake, Asked(), rows)
    for landed in follower.poll(now):       what is new since the poll before; the first finds what is there already

A poll lists the newest names only; now and then one lists all of a day's and the day before, for what was processed
late. A raw object that is processed again shows nothing a second time: only what had failed and is an event now, or
the other way round.
"""

import gzip
import heapq
import io
import json
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, BinaryIO, Literal

from clicklake.errors import UnreachableError
from clicklake.lake import Lake, Stored
from clicklake.recent import Span, named_time, recent
from clicklake.table import pad, printable, short_time
from clicklake.target import translated

Row = dict[str, Any]
Reader = Callable[[BinaryIO], Iterator[Row | None]]
"""Rows of a processed object; ValueError if it can't be read."""

_NEAR = timedelta(minutes=1)  # besides the stream's buffering: how long the function usually takes at most
_FAR = timedelta(hours=24)  # Lambda tries for six hours (docs.aws.amazon.com/lambda/latest/dg/invocation-async.html)
_SWEEP_SECONDS = 30.0
_SWEEP_SHARE = 20  # a sweep that takes a second comes every twenty: no more than a twentieth of the time


@dataclass(frozen=True, slots=True)
class Asked:
    """`since`: what landed before is not shown; None: what the first poll finds is not."""

    since: datetime | None = None
    only_failed: bool = False
    event_type: str | None = None


@dataclass(frozen=True, slots=True)
class Landed:
    """An event or a failed record that can be queried now; docs/tail.md says what each field means."""

    kind: Literal["event", "failed"]
    landed: str
    lag_seconds: int | None
    raw_key: str
    record_index: int
    event_ts: str | None = None
    event_id: str | None = None
    event_type: str | None = None
    app_id: str | None = None
    user_key: str | None = None
    anonymous_id: str | None = None
    page_host: str | None = None
    page_path: str | None = None
    traffic_type: str | None = None
    failure_type: str | None = None
    errors: tuple[dict[str, str], ...] | None = None
    raw_offset: int | None = None


_FIELDS = tuple(field.name for field in fields(Landed))
_COPIED = (
    *("event_id", "event_type", "app_id", "user_key", "anonymous_id"),
    *("page_host", "page_path", "traffic_type"),
)  # columns of the events table, all of them texts


@dataclass(slots=True)
class _Known:
    """A ledger object: which version of it was read last, and which records had failed; None if it was not read."""

    etag: str
    modified: datetime
    failed: frozenset[int] | None


class Follower:
    """Raises RefusedError and UnreachableError; after the latter it may be asked again, and has missed nothing."""

    def __init__(self, lake: Lake, asked: Asked, rows: Reader, clock: Callable[[], float] = time.monotonic) -> None:
        self._lake, self._asked, self._rows, self._clock = lake, asked, rows, clock
        self._known: dict[str, _Known] = {}
        self._next_sweep = self._clock()
        self._first = True
        self._far: timedelta | None = None
        self._near = _NEAR + 2 * _buffering(lake)

    def poll(self, now: datetime) -> Iterator[Landed]:
        for stored in self._new(now):
            yield from self._show(stored)

    def _new(self, now: datetime) -> list[Stored]:
        """Ledger objects that were not read yet as they are, in the order in which they landed."""
        began = self._clock()
        sweeps = began >= self._next_sweep
        if self._far is None:
            self._far = _FAR + (max(timedelta(), now - self._asked.since) if self._asked.since else timedelta())
        span = Span(now - (self._far if sweeps else self._near), now)
        prefix, keys = self._lake.pipeline.zones.ledger, self._lake.pipeline.partition_keys
        new = [stored for stored in recent(self._lake, prefix, span, keys) if self._is_new(stored)]
        if sweeps:
            ended = self._clock()
            self._next_sweep = ended + max(_SWEEP_SECONDS, _SWEEP_SHARE * (ended - began))
            self._forget(span.since - timedelta(days=1))
        self._first = False
        return sorted(new, key=lambda stored: (stored.modified, stored.key))

    def _is_new(self, stored: Stored) -> bool:
        known = self._known.get(stored.key)
        if known is None:
            since = self._asked.since
            if not self._first or (since and stored.modified >= since.replace(microsecond=0)):
                return True
            self._known[stored.key] = _Known(stored.etag, stored.modified, None)
            return False
        return known.failed is not None and known.etag != stored.etag

    def _forget(self, before: datetime) -> None:
        """What is never listed again."""
        for key in [key for key, known in self._known.items() if (named_time(key) or known.modified) < before]:
            del self._known[key]

    def _show(self, stored: Stored) -> Iterator[Landed]:
        """Asks S3 for all of it before the first is shown, so that nobody sees half of an object twice."""
        row = self._lake.ledger_row(stored.key)
        if row is None:  # being replaced, or damaged: `clicklake verify` names that
            return
        failed = _failed(self._body(row.get("failed_key")))
        body = b"" if self._asked.only_failed else self._body(row.get("processed_key"))
        before = self._known.get(stored.key)
        had_failed = before.failed if before else None
        now_failed = frozenset(each["record_index"] for each in failed)
        self._known[stored.key] = _Known(stored.etag, stored.modified, now_failed)
        shown = (
            (_failure(each, stored.modified) for each in failed if each["record_index"] not in (had_failed or ())),
            (
                _event(each, stored.modified)
                for each in self._events(body)
                if had_failed is None or each["record_index"] in had_failed
            ),
        )
        for landed in heapq.merge(*shown, key=lambda landed: landed.record_index):
            if self._asked.event_type in {None, landed.event_type}:
                yield landed

    def _events(self, body: bytes) -> Iterator[Row]:
        try:
            yield from (row for row in self._rows(io.BytesIO(body)) if row is not None) if body else ()
        except ValueError:
            return  # `clicklake verify` names what is damaged

    def _body(self, key: str | None) -> bytes:
        """Nothing if there is no such object."""
        with translated():
            try:
                return self._lake.s3.get_object(Bucket=self._lake.bucket, Key=key)["Body"].read() if key else b""
            except self._lake.s3.exceptions.NoSuchKey:
                return b""


def _failed(body: bytes) -> list[Row]:
    try:
        return [json.loads(line) for line in gzip.decompress(body).splitlines()]
    except (OSError, EOFError, zlib.error, ValueError):
        return []


def follow(
    follower: Follower,
    pause: float,
    on_outage: Callable[[UnreachableError], None],
    now: Callable[[], datetime],
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Landed | None]:
    """For ever: what landed, and None after each poll. An outage after the first poll is waited for."""
    yield from follower.poll(now())
    out = False
    while True:
        yield None
        sleep(pause)
        try:
            yield from follower.poll(now())
            out = False
        except UnreachableError as e:
            if not out:
                on_outage(e)
            out = True


def _buffering(lake: Lake) -> timedelta:
    with translated():
        found = lake.target.client("firehose").describe_delivery_stream(DeliveryStreamName=lake.names.delivery_stream)
    destination = found["DeliveryStreamDescription"]["Destinations"][0]["ExtendedS3DestinationDescription"]
    return timedelta(seconds=destination["BufferingHints"]["IntervalInSeconds"])


# --- rows as what landed ---------------------------------------------------------------------------------------------


def _event(row: Row, landed: datetime) -> Landed:
    moment = _moment(row.get("event_ts"))
    return Landed(
        kind="event",
        landed=_text(landed),
        lag_seconds=_lag(moment, landed),
        raw_key=row["raw_key"],
        record_index=row["record_index"],
        event_ts=_text(moment) if moment else None,
        **{name: row.get(name) for name in _COPIED},
    )


def _failure(row: Row, landed: datetime) -> Landed:
    return Landed(
        kind="failed",
        landed=_text(landed),
        lag_seconds=_lag(_moment(row["received_ts"]), landed),
        raw_key=row["raw_key"],
        record_index=row["record_index"],
        failure_type=row["failure_type"],
        errors=tuple(json.loads(row["errors"])),
        raw_offset=row["raw_offset"],
    )


def _moment(value: datetime | str | None) -> datetime | None:
    """Of Parquet or of JSON; both are in UTC."""
    if value is None:
        return None
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _lag(moment: datetime | None, landed: datetime) -> int | None:
    """Never below 0: S3 tells whole seconds, and clocks differ."""
    return None if moment is None else max(0, round((landed - moment).total_seconds()))


# --- what is shown ---------------------------------------------------------------------------------------------------

_TYPE, _WHO, _PAGE, _TRAFFIC = 16, 10, 40, 10


def document(landed: Landed) -> dict[str, Any]:
    return {name: getattr(landed, name) for name in _FIELDS}


def line(landed: Landed, bucket: str, today: date) -> str:
    """One for people, all in UTC: the event's time (with its day if that is not today's), or the failure's."""
    lag = "-" if landed.lag_seconds is None else short_time(landed.lag_seconds)
    if landed.kind == "failed":
        where = f"s3://{bucket}/{landed.raw_key} record {landed.record_index}"
        return f"{_when(landed.landed, today)}  FAILED {landed.failure_type}: {_reasons(landed)}  {where}  lag {lag}"
    page = f"{landed.page_host or ''}{landed.page_path or ''}" or "-"
    cells = ((landed.event_type or "-", _TYPE), (_who(landed), _WHO), (page, _PAGE), (landed.traffic_type, _TRAFFIC))
    shown = "  ".join(pad(printable(text or "-"), width) for text, width in cells)
    return f"{_when(landed.event_ts, today)}  {shown}  lag {lag}"


def _when(text: str | None, today: date) -> str:
    if text is None:
        return "-" * 12
    day, _, clock = text.rstrip("Z").partition("T")
    return clock if day == today.isoformat() else f"{day} {clock}"


def _who(landed: Landed) -> str:
    if landed.user_key:
        return f"u:{landed.user_key[:8]}"
    return f"a:{landed.anonymous_id[:8]}" if landed.anonymous_id else "-"


def _reasons(landed: Landed) -> str:
    said = (f"{each['path']} {each['message']}".removeprefix("$ ") for each in landed.errors or ())
    return printable("; ".join(said))
