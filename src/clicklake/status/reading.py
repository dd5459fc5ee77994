"""The numbers, from AWS or the laptop: what Firehose, S3, Lambda, SQS, Glue, Athena and CloudWatch say.

CloudWatch's names: docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html and
docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html. AWS shows a metric one to three minutes late.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from clicklake.dead_letters import NO_QUEUE, FailureQueue
from clicklake.errors import RefusedError
from clicklake.lake import Days, Lake, LedgerRow, Stored, milliseconds
from clicklake.recent import Span, recent
from clicklake.status.numbers import Firehose, Function, Numbers, Processed, Raw, Tables
from clicklake.target import translated
from clicklake.transform.event import FAILURE_TYPES
from clicklake.transform.keys import place

_WINDOW_SECONDS = 300
_LOOKED_AT = timedelta(hours=1)  # names of raw objects and ledger rows; `clicklake verify` looks at all
_WHEN_IDLE = timedelta(hours=24)
_MINUTE = 60
_DAY = re.compile(r"(?:[^/=]+=\d+/)+")

# id -> (namespace, metric, statistic)
_METRICS = {
    "records": ("AWS/Firehose", "IncomingRecords", "Sum"),
    "bytes": ("AWS/Firehose", "IncomingBytes", "Sum"),
    "throttled": ("AWS/Firehose", "ThrottledRecords", "Sum"),
    "oldest": ("AWS/Firehose", "DeliveryToS3.DataFreshness", "Maximum"),
    "success": ("AWS/Firehose", "DeliveryToS3.Success", "Average"),
    "runs": ("AWS/Lambda", "Invocations", "Sum"),
    "errors": ("AWS/Lambda", "Errors", "Sum"),
    "throttles": ("AWS/Lambda", "Throttles", "Sum"),
    "dropped": ("AWS/Lambda", "AsyncEventsDropped", "Sum"),
    "milliseconds": ("AWS/Lambda", "Duration", "Sum"),
}


@dataclass(frozen=True, slots=True)
class _Series:
    """Values by the minute, the newest first."""

    values: tuple[float, ...]
    minutes: tuple[datetime, ...]

    @property
    def total(self) -> int:
        return round(sum(self.values))

    @property
    def last(self) -> float | None:
        return self.values[0] if self.values else None

    @property
    def last_minute(self) -> datetime | None:
        return self.minutes[0] if self.minutes else None


class Gauges:
    """Asked again and again, it reads no ledger row twice. Raises RefusedError and UnreachableError."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._rows: dict[Stored, LedgerRow | None] = {}
        self._newest: dict[str, Stored] = {}

    def read(self, now: datetime) -> Numbers:
        described = self._stream()
        seconds = described["buffer_seconds"]
        window = max(_WINDOW_SECONDS, 2 * seconds)
        series = self._series(now, window)
        firehose = Firehose(
            **described,
            records=series["records"].total,
            bytes=series["bytes"].total,
            throttled=series["throttled"].total,
            oldest_seconds=series["oldest"].last,
            oldest_measured=series["oldest"].last_minute,
            success=series["success"].last,
            success_measured=series["success"].last_minute,
        )
        raw, processed, tables = self._objects(now, timedelta(seconds=window))
        return Numbers(now, window, firehose, raw, self._function(series), processed, self._dead_letters(), tables)

    # --- configurations ---

    def _client(self, service: str) -> Any:
        return self._lake.target.client(service)

    def _stream(self) -> dict[str, Any]:
        name = self._lake.names.delivery_stream
        found = _or_none(
            lambda: self._client("firehose").describe_delivery_stream(DeliveryStreamName=name),
            "ResourceNotFoundException",
        )
        if found is None:
            return {"status": None, "elsewhere": None, "buffer_seconds": self._lake.pipeline.buffering.aws.seconds}
        described = found["DeliveryStreamDescription"]
        destination = described["Destinations"][0]["ExtendedS3DestinationDescription"]
        bucket, prefix = destination["BucketARN"].rpartition(":::")[2], destination.get("Prefix", "")
        is_ours = bucket == self._lake.bucket and prefix.startswith(self._lake.pipeline.zones.raw)
        return {
            "status": described["DeliveryStreamStatus"],
            "elsewhere": None if is_ours else f"s3://{bucket}/{prefix}",
            "buffer_seconds": destination["BufferingHints"]["IntervalInSeconds"],
        }

    def _function(self, series: Mapping[str, _Series]) -> Function:
        name, client = self._lake.names.function, self._client("lambda")
        gone = "ResourceNotFoundException"
        found = _or_none(lambda: client.get_function_configuration(FunctionName=name), gone)
        reserved = _or_none(lambda: client.get_function_concurrency(FunctionName=name), gone) or {}
        runs = series["runs"].total
        return Function(
            state=found["State"] if found else None,
            reserved=reserved.get("ReservedConcurrentExecutions"),
            is_triggered=self._is_triggered(),
            runs=runs,
            errors=series["errors"].total,
            throttles=series["throttles"].total,
            dropped=series["dropped"].total,
            mean_seconds=series["milliseconds"].total / 1000 / runs if runs else None,
        )

    def _is_triggered(self) -> bool | None:
        bucket, name = self._lake.bucket, self._lake.names.function
        found = _or_none(
            lambda: self._client("s3").get_bucket_notification_configuration(Bucket=bucket), "NoSuchBucket"
        )
        if found is None:
            return None
        raw = self._lake.pipeline.zones.raw
        for each in found.get("LambdaFunctionConfigurations", ()):
            is_ours = each["LambdaFunctionArn"].partition(":function:")[2].partition(":")[0] == name
            if is_ours and any(event.startswith("s3:ObjectCreated:") for event in each["Events"]):
                rules = each.get("Filter", {}).get("Key", {}).get("FilterRules", ())
                if all(_lets_through(rule, raw) for rule in rules):
                    return True
        others = ("EventBridgeConfiguration", "TopicConfigurations", "QueueConfigurations")
        return None if any(kind in found for kind in others) else False

    def _dead_letters(self) -> int | None:
        try:
            return FailureQueue(self._lake).size()
        except RefusedError as e:
            if e.code in NO_QUEUE:
                return None
            raise

    # --- metrics ---

    def _series(self, now: datetime, window: int) -> dict[str, _Series]:
        start = datetime.fromtimestamp((now.timestamp() - window) // _MINUTE * _MINUTE, now.tzinfo)
        found: dict[str, tuple[list[float], list[datetime]]] = {name: ([], []) for name in _METRICS}
        with translated():
            pages = self._client("cloudwatch").get_paginator("get_metric_data")
            queries = [self._query(name) for name in _METRICS]
            end = now + timedelta(seconds=_MINUTE)
            for page in pages.paginate(MetricDataQueries=queries, StartTime=start, EndTime=end):
                for result in page["MetricDataResults"]:
                    values, minutes = found[result["Id"]]
                    values += result["Values"]
                    minutes += result["Timestamps"]
        return {name: _Series(tuple(values), tuple(minutes)) for name, (values, minutes) in found.items()}

    def _query(self, name: str) -> dict[str, Any]:
        namespace, metric, statistic = _METRICS[name]
        names = self._lake.names
        dimensions = {
            "AWS/Firehose": ("DeliveryStreamName", names.delivery_stream),
            "AWS/Lambda": ("FunctionName", names.function),
        }
        key, value = dimensions[namespace]
        of = {"Namespace": namespace, "MetricName": metric, "Dimensions": [{"Name": key, "Value": value}]}
        return {"Id": name, "MetricStat": {"Metric": of, "Period": _MINUTE, "Stat": statistic}}

    # --- objects ---

    def _objects(self, now: datetime, window: timedelta) -> tuple[Raw, Processed, Tables]:
        if _or_none(lambda: self._lake.s3.head_bucket(Bucket=self._lake.bucket), "404", "NoSuchBucket") is None:
            nothing = Processed(0, 0, 0, 0, 0, {}, None)
            return Raw(False, 0, 0, None, 0, None, 0), nothing, Tables(None, None, self._workgroup())
        zones, since = self._lake.pipeline.zones, now - window
        span = Span(now - max(_LOOKED_AT, 2 * window), now)
        raw, ledger = self._listed(zones.raw, span), self._listed(zones.ledger, span)
        errors = sum(stored.modified >= span.since for stored in self._lake.delivery_errors(_days(span)))
        return self._raw(raw, ledger, since, errors), self._processed(ledger, since), self._tables()

    def _listed(self, zone: str, span: Span) -> list[Stored]:
        """What is named for the span; if that is nothing, and nothing is known of before, for a day."""
        keys = ("year", "month", "day") if zone == self._lake.pipeline.zones.raw else self._lake.pipeline.partition_keys
        found = list(recent(self._lake, zone, span, keys))
        if not found and zone not in self._newest:
            found = list(recent(self._lake, zone, Span(span.until - _WHEN_IDLE, span.until), keys))
        if found:
            self._newest[zone] = max(found, key=lambda stored: stored.modified)
        return found

    def _raw(self, raw: list[Stored], ledger: list[Stored], since: datetime, errors: int) -> Raw:
        done = {stored.key for stored in ledger}
        waiting = [stored for stored in raw if self._ledger_key(stored) not in done]
        new = [stored for stored in raw if stored.modified >= since]
        newest = self._newest.get(self._lake.pipeline.zones.raw)
        return Raw(
            bucket_exists=True,
            objects=len(new),
            bytes=sum(stored.size for stored in new),
            newest=newest.modified if newest else None,
            waiting=len(waiting),
            oldest_waiting=min((stored.modified for stored in waiting), default=None),
            delivery_errors=errors,
        )

    def _ledger_key(self, raw: Stored) -> str:
        return place(raw.key, milliseconds(raw.modified), self._lake.pipeline).ledger

    def _processed(self, ledger: list[Stored], since: datetime) -> Processed:
        newest = self._newest.get(self._lake.pipeline.zones.ledger)
        rows = self._read([stored for stored in ledger if stored.modified >= since], newest)
        sums = {name: sum(row[name] for row in rows) for name in ("records_in", "good", "duplicate", "failed")}
        by_type = {kind: sum(row[f"failed_{kind}"] for row in rows) for kind in FAILURE_TYPES}
        return Processed(
            objects=len(rows),
            records=sums["records_in"],
            good=sums["good"],
            duplicate=sums["duplicate"],
            failed=sums["failed"],
            failures={kind: count for kind, count in by_type.items() if count},
            newest=newest.modified if newest else None,
        )

    def _read(self, wanted: list[Stored], newest: Stored | None) -> list[LedgerRow]:
        """The rows that can be read of `wanted`; those of before are forgotten, but for the newest's."""
        kept = [*wanted, newest] if newest and newest not in wanted else wanted
        known = {(stored.key, stored.etag): row for stored, row in self._rows.items()}
        unknown = [stored for stored in kept if (stored.key, stored.etag) not in known]
        read = dict(zip(unknown, self._lake.ledger_rows(stored.key for stored in unknown), strict=True))
        self._rows = {stored: read[stored] if stored in read else known[stored.key, stored.etag] for stored in kept}
        return [row for stored in wanted if (row := self._rows[stored]) is not None]

    # --- tables ---

    def _tables(self) -> Tables:
        newest = self._newest.get(self._lake.pipeline.zones.ledger)
        row = self._rows.get(newest) if newest else None
        found = _DAY.search(newest.key.removeprefix(self._lake.pipeline.zones.ledger)) if newest else None
        if not row or not row["processed_rows"] or not found:
            return Tables(None, None, self._workgroup())
        partition = found[0].rstrip("/")
        values = [folder.partition("=")[2] for folder in partition.split("/")]
        where = {"DatabaseName": self._lake.names.database, "TableName": self._lake.pipeline.tables.events.name}
        glue = self._client("glue")
        there = _or_none(lambda: glue.get_partition(**where, PartitionValues=values), "EntityNotFoundException")
        return Tables(partition, there is not None, self._workgroup())

    def _workgroup(self) -> str | None:
        try:
            with translated():
                found = self._client("athena").get_work_group(WorkGroup=self._lake.names.workgroup)
        except RefusedError as e:
            if e.code == "InvalidRequestException":  # what Athena says of a workgroup that it does not have
                return None
            raise
        return str(found["WorkGroup"]["State"])


def _lets_through(rule: Mapping[str, str], prefix: str) -> bool:
    """Firehose's gzipped objects below the prefix."""
    value = rule["Value"]
    return prefix.startswith(value) if rule["Name"].lower() == "prefix" else ".gz".endswith(value)


def _days(span: Span) -> Days:
    return Days(span.since.date(), span.until.date())


def _or_none(ask: Callable[[], Any], *codes: str) -> Any:
    """The answer; None if AWS refused with one of these codes."""
    try:
        with translated():
            return ask()
    except RefusedError as e:
        if e.code in codes:
            return None
        raise
