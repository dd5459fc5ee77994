"""Two ways for the simulator's records into a lake on this machine, each with its truth.

live()      through the endpoint's Firehose, which delivers every second, each record at its time
buffered()  as raw objects of AWS's default buffering, five minutes: a day of traffic around the midnight three days
            ago, put into the bucket as Firehose would name and fill them. So what can only be seen after hours is seen
            in a minute: repeats in other objects and on other days, clocks against a coarse time of arrival.
"""

import gzip
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from clicklake.arrival import Landmark, look, wait_until_queryable
from clicklake.generate import Order, Told, drawn, due
from clicklake.pipeline import Names, Pipeline
from clicklake.send import send
from clicklake.target import Target, translated

SECONDS_PER_OBJECT = 300  # of AWS's default buffering; the traffic stays far below the 128 MiB


@dataclass(frozen=True, slots=True)
class Lake:
    """Where it goes to."""

    target: Target
    pipeline: Pipeline
    names: Names


@dataclass(frozen=True, slots=True)
class Delivery:
    """`told` are the truths of all records that were sent; they arrived on `days`, UTC, in `objects` raw objects."""

    told: list[dict[str, Any]]
    days: tuple[date, ...]
    objects: int


def live(lake: Lake, seed: int, seconds: float, rate: float) -> Delivery:
    """`seconds` of traffic from now on, and wait until it can be queried."""
    landmark = look(lake.target, lake.pipeline, lake.names.delivery_stream)
    start = datetime.now(UTC)
    told, unanswered = list[dict[str, Any]](), 0
    for batch in due(drawn(Order(start, seconds=seconds, rate=rate, seed=seed))):
        report = send(lake.target, landmark.stream, [record.data for record, _ in batch])
        unanswered += report.unanswered
        told += (line for _, line in batch)
    arrived = wait_until_queryable(lake.target, lake.pipeline, landmark, len(told), len(told) + unanswered)
    return Delivery(told, _days(start, datetime.now(UTC)), arrived.objects)


def buffered(
    lake: Lake, seed: int, hours: float, rate: float, on_progress: Callable[[int], None] = lambda _: None
) -> Delivery:
    """`hours` of traffic around the midnight three days ago, in raw objects."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=3)
    evening = midnight - timedelta(hours=hours / 2)
    order = Order(evening, seconds=3600 * hours, rate=rate, seed=seed, oversized=0.0005)
    end = evening + timedelta(hours=hours)
    names, pipeline = lake.names, lake.pipeline
    landmark = Landmark(names.delivery_stream, _bucket(lake), SECONDS_PER_OBJECT, evening, frozenset())
    s3 = lake.target.client("s3")
    told = list[dict[str, Any]]()
    with translated():
        for held in windows(drawn(order)):
            body = b"".join(record.data for record, _ in held)
            key = _key(pipeline, names, held[0][0].at, body)
            s3.put_object(Bucket=landmark.bucket, Key=key, Body=gzip.compress(body, 1, mtime=0))
            told += (line for _, line in held)
            on_progress(len(told))
    arrived = wait_until_queryable(lake.target, pipeline, landmark, len(told), now=lambda: end)
    return Delivery(told, _days(evening, end), arrived.objects)


def windows(records: Iterator[Told]) -> Iterator[list[Told]]:
    """The records of one object each: those that arrive until five minutes after the first."""
    held = list[Told]()
    for told in records:
        if held and told[0].at >= held[0][0].at + SECONDS_PER_OBJECT:
            yield held
            held = []
        held.append(told)
    if held:
        yield held


def _key(pipeline: Pipeline, names: Names, at: float, body: bytes) -> str:
    """As Firehose names it for the arrival of its oldest record:
    docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html"""
    oldest = datetime.fromtimestamp(at, UTC)
    name = hashlib.sha256(body).hexdigest()
    folder = f"{pipeline.zones.raw}{oldest:year=%Y/month=%m/day=%d}"
    return f"{folder}/{names.delivery_stream}-1-{oldest:%Y-%m-%d-%H-%M-%S}-{name[:8]}-{name[8:20]}.gz"


def _bucket(lake: Lake) -> str:
    return look(lake.target, lake.pipeline, lake.names.delivery_stream).bucket


def _days(first: datetime, last: datetime) -> tuple[date, ...]:
    return tuple(first.date() + timedelta(days=day) for day in range((last.date() - first.date()).days + 1))
