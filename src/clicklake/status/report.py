"""What status found, as text for people and as one JSON document for programs. Pure."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from clicklake.status.judging import Verdict
from clicklake.status.numbers import Numbers
from clicklake.status.rules import counted, failures, rate
from clicklake.table import short_time

VERSION = 1
_LABEL = 11
_THOUSAND = 1000


def document(numbers: Numbers, verdict: Verdict, target: str) -> dict[str, Any]:
    """docs/status.md describes it."""
    found = asdict(numbers)
    return {
        "version": VERSION,
        "target": target,
        "moment": _plain(found.pop("moment")),
        "flowing": verdict.flowing,
        "stops_at": verdict.stops_at,
        "sentence": verdict.sentence,
        "notes": list(verdict.notes),
        **{name: _plain(value) for name, value in found.items()},
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value


def lines(numbers: Numbers, verdict: Verdict) -> Iterator[str]:
    yield verdict.sentence
    yield from verdict.notes
    yield ""
    yield f"{'':{_LABEL}}last {short_time(numbers.window_seconds)}"
    for label, parts in _stages(numbers):
        yield f"{label:{_LABEL}}{'; '.join(part for part in parts if part)}"


def _stages(n: Numbers) -> Iterator[tuple[str, tuple[str, ...]]]:
    firehose, raw, function, processed = n.firehose, n.raw, n.function, n.processed
    yield (
        "firehose",
        (
            f"{counted(firehose.records, 'record')}, {_size(firehose.bytes)}{_rate(firehose.records, n)}",
            f"oldest {short_time(firehose.oldest_seconds)}" if firehose.oldest_seconds is not None else "",
            f"{firehose.throttled:,} refused" if firehose.throttled else "",
            "" if firehose.status == "ACTIVE" else (firehose.status or "no such stream"),
        ),
    )
    yield (
        "raw",
        (
            f"{counted(raw.objects, 'object')}, {_size(raw.bytes)}" if raw.bucket_exists else "no such bucket",
            _newest(n, raw.newest),
            f"{raw.waiting:,} not processed, the oldest for {_age(n, raw.oldest_waiting)}" if raw.waiting else "",
            f"{counted(raw.delivery_errors, 'delivery error')}" if raw.delivery_errors else "",
        ),
    )
    yield (
        "function",
        (
            counted(function.runs, "run"),
            f"{function.mean_seconds:.1f} s each" if function.mean_seconds is not None else "",
            counted(function.errors, "error"),
            f"throttled {function.throttles:,} times" if function.throttles else "",
            f"{function.dropped:,} given up" if function.dropped else "",
            "reserved concurrency 0" if function.reserved == 0 else "",
            "no trigger" if function.is_triggered is False else "",
        ),
    )
    yield (
        "processed",
        (
            f"{counted(processed.good, 'event')}{_rate(processed.good, n)}",
            counted(processed.duplicate, "duplicate") if processed.duplicate else "",
            _newest(n, processed.newest),
        ),
    )
    yield "failed", (counted(processed.failed, "record") + (f": {failures(n)}" if processed.failed else ""),)
    yield "dlq", ("no such queue" if n.dead_letters is None else counted(n.dead_letters, "message"),)
    yield "tables", (_partition(n), f"Athena {(n.tables.workgroup or 'has no such workgroup').lower()}")


def _partition(n: Numbers) -> str:
    if n.tables.partition is None:
        return "no events yet"
    return f"{n.tables.partition} is {'not ' if n.tables.is_registered is False else ''}in Glue"


def _rate(count: int, n: Numbers) -> str:
    return f", {rate(count, n)}/s" if count else ""


def _newest(n: Numbers, moment: datetime | None) -> str:
    return f"newest {_age(n, moment)} ago" if moment else "none in the last day"


def _age(n: Numbers, moment: datetime | None) -> str:
    return short_time(n.age(moment) or 0)


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < _THOUSAND:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= _THOUSAND
    return f"{count:.1f} TB"
