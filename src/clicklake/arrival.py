"""Have they arrived? Waits until what was sent to a stream can be queried.

The ledger row of a raw object is written last, when its rows and its partition are there; so records are queryable
when the ledger rows of the raw objects that appeared meanwhile add up to them.

    look()                      before sending: which raw objects are there already
    wait_until_queryable()      after sending
"""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from clicklake.errors import NoError
from clicklake.pipeline import Pipeline
from clicklake.target import Target, translated
from clicklake.transform import keys


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Landmark:
    """A stream's bucket, its buffering interval, and the raw objects that were there.

    `since` is an interval ago: an object that was being filled carries the time of its first record.
    """

    stream: str
    bucket: str
    interval_seconds: int
    since: datetime
    raw_keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Arrived:
    """The sum of ledger rows: records_in = good + duplicate + failed. `missing` raw objects have no row yet."""

    objects: int = 0
    records_in: int = 0
    good: int = 0
    duplicate: int = 0
    failed: int = 0
    missing: int = 0

    def __str__(self) -> str:
        return f"in {self.records_in:,} = good {self.good:,} + duplicate {self.duplicate:,} + failed {self.failed:,}"


def _quietly(_: Arrived) -> None:
    pass


def look(target: Target, pipeline: Pipeline, stream: str, now: Callable[[], datetime] = _utc_now) -> Landmark:
    """Where the stream delivers to and what is there. Raises RefusedError if there is no such stream."""
    with translated():
        described = target.client("firehose").describe_delivery_stream(DeliveryStreamName=stream)
        destination = described["DeliveryStreamDescription"]["Destinations"][0]["ExtendedS3DestinationDescription"]
        bucket = destination["BucketARN"].rpartition(":::")[2]
        interval = destination["BufferingHints"]["IntervalInSeconds"]
        until = now()
        since = until - timedelta(seconds=interval)
        there = _raw_objects(target.client("s3"), bucket, pipeline, since, until)
        return Landmark(stream, bucket, interval, since, frozenset(key for key, _ in there))


def wait_until_queryable(
    target: Target,
    pipeline: Pipeline,
    landmark: Landmark,
    expected: int,
    at_most: int | None = None,
    on_progress: Callable[[Arrived], None] = _quietly,
    *,
    now: Callable[[], datetime] = _utc_now,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Arrived:
    """Poll until `expected` records have ledger rows and no raw object lacks one.

    When a batch got no answer and was sent again, there may be more records, up to `at_most`; then it waits for one
    more buffering interval without a new object. Others' records in the same stream count too. Raises NoError with
    what is there when nothing came for two minutes and two buffering intervals.
    """
    watch = _Watch(target, pipeline, landmark)
    enough = at_most or expected
    patience = 120 + 2 * landmark.interval_seconds
    pause, arrived, changed = 0.05, Arrived(), clock()
    while True:
        with translated():
            found = watch.arrived(now())
        if found != arrived:
            arrived, changed, pause = found, clock(), 0.05
            on_progress(arrived)
        quiet = clock() - changed
        if arrived.records_in >= expected and not arrived.missing:
            if arrived.records_in >= enough or quiet > landmark.interval_seconds + 0.5:
                return arrived
        elif quiet > patience:
            raise _gone_missing(arrived, expected, quiet, pipeline)
        sleep(pause)
        pause = min(2.0, pause * 1.2)


def _gone_missing(arrived: Arrived, expected: int, quiet: float, pipeline: Pipeline) -> NoError:
    problem = f"{arrived.records_in:,} of {expected:,} records are queryable and nothing moved for {quiet:.0f} s"
    if arrived.missing:
        return NoError(f"{problem}: {arrived.missing:,} raw objects have no ledger row", "see the function's log")
    return NoError(
        f"{problem}: no raw object came under {pipeline.zones.raw}year=.../",
        f"see the stream's errors under {pipeline.zones.delivery_errors}, and whether its prefix is another by now",
    )


class _Watch:
    """Adds up the ledger rows of new raw objects; each row is read once."""

    def __init__(self, target: Target, pipeline: Pipeline, landmark: Landmark) -> None:
        self._s3 = target.client("s3")
        self._pipeline = pipeline
        self._landmark = landmark
        self._rows: dict[str, dict[str, Any]] = {}

    def arrived(self, today: datetime) -> Arrived:
        landmark, missing = self._landmark, 0
        for key, modified in _raw_objects(self._s3, landmark.bucket, self._pipeline, landmark.since, today):
            if key not in landmark.raw_keys and key not in self._rows:
                row = self._row(key, modified)
                if row is None:
                    missing += 1
                else:
                    self._rows[key] = row
        sums = {
            name: sum(r[name] for r in self._rows.values()) for name in ("records_in", "good", "duplicate", "failed")
        }
        return Arrived(objects=len(self._rows), missing=missing, **sums)

    def _row(self, raw_key: str, modified: datetime) -> dict[str, Any] | None:
        key = keys.place(raw_key, int(modified.timestamp() * 1000), self._pipeline).ledger
        try:
            body = self._s3.get_object(Bucket=self._landmark.bucket, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return None
        row: dict[str, Any] = json.loads(gzip.decompress(body))
        return row


def _raw_objects(
    s3: Any, bucket: str, pipeline: Pipeline, since: datetime, until: datetime
) -> Iterator[tuple[str, datetime]]:
    """(key, last modified) of the raw objects of these days of arrival."""
    for days in range((until.date() - since.date()).days + 1):
        prefix = f"{pipeline.zones.raw}{since + timedelta(days):year=%Y/month=%m/day=%d/}"
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", ()):
                yield item["Key"], item["LastModified"]
