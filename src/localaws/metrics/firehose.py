"""Delivery streams' numbers as metrics, and whether they are well."""

from collections.abc import Iterator, Mapping
from typing import Any

from localaws.firehose.stats import Stats
from localaws.metrics.registry import Reading

_PREFIX = "clicklake_firehose_"


def health(streams: Mapping[str, Stats]) -> dict[str, Any]:
    """Degraded while a stream's last attempt to deliver was in vain."""
    failing = sorted(name for name, stats in streams.items() if stats.is_failing)
    return {"status": "degraded" if failing else "ok", "streams": len(streams), "undeliverable": failing}


def readings(streams: Mapping[str, Stats], now: float) -> Iterator[Reading]:
    for stream, stats in streams.items():
        yield from _incoming(stream, stats)
        yield from _delivered(stream, stats)
        age = now - stats.oldest_arrival if stats.oldest_arrival is not None else 0.0
        yield Reading(_PREFIX + "backlog_bytes", (stream,), stats.backlog_bytes)
        yield Reading(_PREFIX + "oldest_record_age_seconds", (stream,), max(age, 0.0))


def _incoming(stream: str, stats: Stats) -> Iterator[Reading]:
    counted = stats.counters
    one, many = (stream, "PutRecord"), (stream, "PutRecordBatch")
    yield Reading(_PREFIX + "requests_total", one, counted.put_record_requests)
    yield Reading(_PREFIX + "requests_total", many, counted.put_record_batch_requests)
    yield Reading(_PREFIX + "records_total", one, counted.put_record_requests)
    yield Reading(_PREFIX + "records_total", many, counted.put_record_batch_records)
    yield Reading(_PREFIX + "bytes_total", one, counted.put_record_bytes)
    yield Reading(_PREFIX + "bytes_total", many, counted.put_record_batch_bytes)
    yield Reading(_PREFIX + "throttled_records_total", (stream,), counted.throttled_records)


def _delivered(stream: str, stats: Stats) -> Iterator[Reading]:
    counted = stats.counters
    attempts = counted.delivered_objects + counted.failed_attempts
    yield Reading(_PREFIX + "delivered_objects_total", (stream,), counted.delivered_objects)
    yield Reading(_PREFIX + "delivered_records_total", (stream,), counted.delivered_records)
    yield Reading(_PREFIX + "delivered_bytes_total", (stream,), counted.delivered_bytes)
    yield Reading(_PREFIX + "delivery_attempts_total", (stream,), attempts)
    yield Reading(_PREFIX + "delivery_successes_total", (stream,), counted.delivered_objects)
