"""What can be in the way of data, down the pipeline: conditions of the numbers, and what to say. Pure.

stop    nothing gets by
part    something does not get by, and needs somebody
note    worth knowing
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from clicklake.pipeline import Names
from clicklake.status.numbers import Numbers

Stage = Literal["firehose", "raw", "function", "processed", "dead_letters", "tables"]
Kind = Literal["stop", "part", "note"]

_PATIENCE_SECONDS = 60.0  # that a raw object may wait for a function that works
_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


@dataclass(frozen=True, slots=True)
class Rule:
    stage: Stage
    kind: Kind
    applies: Callable[[Numbers], bool]
    says: Callable[[Numbers, Names], str]


# --- what the numbers mean -------------------------------------------------------------------------------------------


def _is_held(n: Numbers) -> bool:
    """Records are older than the buffering explains, and no object came since that was measured."""
    firehose, newest = n.firehose, n.raw.newest
    if firehose.oldest_seconds is None or firehose.oldest_measured is None:
        return False
    limit = firehose.buffer_seconds + max(_PATIENCE_SECONDS, firehose.buffer_seconds)
    return firehose.oldest_seconds > limit and (newest is None or newest < firehose.oldest_measured)


def _is_refused(n: Numbers) -> bool:
    """All attempts of the last minute with attempts failed, and no object came after that minute."""
    firehose, newest = n.firehose, n.raw.newest
    if firehose.success != 0 or firehose.success_measured is None:
        return False
    return newest is None or (newest - firehose.success_measured).total_seconds() < 60


def _is_stuck(n: Numbers) -> bool:
    """Nothing was processed since the oldest raw object that waits, for longer than the function usually takes."""
    oldest, newest = n.raw.oldest_waiting, n.processed.newest
    return _waits_long(n) and (newest is None or (oldest is not None and newest < oldest))


def _waits_long(n: Numbers) -> bool:
    age = n.age(n.raw.oldest_waiting)
    return age is not None and age > max(_PATIENCE_SECONDS, 2 * (n.function.mean_seconds or 0))


def _always_fails(n: Numbers) -> bool:
    return bool(n.raw.waiting and n.function.errors and n.function.errors >= n.function.runs)


def failures(n: Numbers) -> str:
    """missing_field 4, decode_error 1: the most frequent first."""
    return ", ".join(f"{name} {count:,}" for name, count in sorted(n.processed.failures.items(), key=lambda kv: -kv[1]))


def percent(share: float) -> str:
    """Of a share that is neither none nor all, so it never says 0% or 100%."""
    if 0.01 <= share <= 0.99:
        return f"{share:.0%}"
    return "less than 1%" if share < 0.5 else "more than 99%"


def rate(count: int, n: Numbers) -> str:
    """Of a second: two digits behind the point, or of less than a tenth two that count."""
    value = count / n.window_seconds
    return f"{value:,.2f}" if value >= 0.1 else f"{value:.2g}"


def counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def spelled(seconds: float) -> str:
    """40 seconds, 5 minutes: whole ones, of the largest unit that there is one of."""
    unit, name = next(((unit, name) for unit, name in _UNITS if seconds >= unit), (1, "second"))
    return counted(int(seconds // unit), name)


def _oldest(n: Numbers) -> str:
    return f"{counted(n.raw.waiting, 'raw object')}, the oldest for {spelled(n.age(n.raw.oldest_waiting) or 0)}"


# --- down the pipeline -----------------------------------------------------------------------------------------------

_LOST = "Firehose tries for 24 hours, then the records are lost"

RULES: tuple[Rule, ...] = (
    Rule(
        "firehose",
        "stop",
        lambda n: n.firehose.status is None,
        lambda _, names: f"there is no delivery stream {names.delivery_stream}, so nothing can be sent",
    ),
    Rule(
        "firehose",
        "stop",
        lambda n: n.firehose.status != "ACTIVE",
        lambda n, names: f"the delivery stream {names.delivery_stream} is {n.firehose.status}, not ACTIVE",
    ),
    Rule(
        "raw",
        "stop",
        lambda n: not n.raw.bucket_exists,
        lambda *_: f"the lake's bucket is gone. Make it again; {_LOST}",
    ),
    Rule(
        "firehose",
        "stop",
        lambda n: n.firehose.elsewhere is not None,
        lambda n, names: f"{names.delivery_stream} delivers to {n.firehose.elsewhere}, not to the lake's raw zone",
    ),
    Rule(
        "firehose",
        "stop",
        _is_refused,
        lambda _, names: f"Firehose can't write to the bucket: see the log group {names.delivery_logs}; {_LOST}",
    ),
    Rule(
        "firehose",
        "stop",
        _is_held,
        lambda n, names: (
            f"Firehose has held records for {spelled(n.firehose.oldest_seconds or 0)} and delivers none: "
            f"see the log group {names.delivery_logs}; {_LOST}"
        ),
    ),
    Rule(
        "function",
        "stop",
        lambda n: n.function.state is None,
        lambda _, names: f"there is no function {names.function}, so raw objects are not processed",
    ),
    Rule(
        "function",
        "stop",
        lambda n: n.function.state == "Failed",
        lambda _, names: f"the function {names.function} is in the state Failed: deploy it again",
    ),
    Rule(
        "function",
        "stop",
        lambda n: n.function.reserved == 0,
        lambda _, names: (
            f"the reserved concurrency of {names.function} is 0, so it never runs: "
            f"aws lambda delete-function-concurrency --function-name {names.function}"
        ),
    ),
    Rule(
        "function",
        "stop",
        lambda n: n.function.is_triggered is False,
        lambda _, names: (
            f"the bucket's notification for {names.function} is gone, so no raw object reaches it: "
            "deploy it again, then clicklake verify --repair"
        ),
    ),
    Rule(
        "function",
        "stop",
        _always_fails,
        lambda n, names: (
            f"the function fails, each of its {counted(n.function.runs, 'run')}: "
            f"see the log group {names.function_logs}. What waits: {_oldest(n)}"
        ),
    ),
    Rule(
        "function",
        "stop",
        lambda n: _is_stuck(n) and n.function.errors > 0,
        lambda n, names: (
            f"the function fails, {n.function.errors:,} of {counted(n.function.runs, 'run')}: "
            f"see the log group {names.function_logs}. What waits: {_oldest(n)}"
        ),
    ),
    Rule(
        "function",
        "stop",
        lambda n: _is_stuck(n) and n.function.throttles > 0,
        lambda n, _: f"the function is throttled, it may not run often enough. What waits: {_oldest(n)}",
    ),
    Rule(
        "function",
        "stop",
        lambda n: _is_stuck(n) and n.function.runs == 0,
        lambda n, names: (
            f"nobody invokes the function: may s3.amazonaws.com invoke {names.function}? What waits: {_oldest(n)}"
        ),
    ),
    Rule("function", "stop", _is_stuck, lambda n, _: f"the function runs, and finishes none. What waits: {_oldest(n)}"),
    Rule(
        "processed",
        "stop",
        lambda n: n.processed.records > 0 and n.processed.failed == n.processed.records,
        lambda n, _: f"no record becomes an event: {failures(n)}. See clicklake tail --failed --since 10m",
    ),
    Rule(
        "tables",
        "stop",
        lambda n: n.tables.is_registered is False,
        lambda n, _: (
            f"Glue has no partition {n.tables.partition}, so no query sees its events: clicklake verify --repair"
        ),
    ),
    Rule(
        "tables",
        "stop",
        lambda n: n.tables.workgroup != "ENABLED",
        lambda n, names: f"Athena's workgroup {names.workgroup} is {n.tables.workgroup or 'gone'}, so nobody can query",
    ),
    Rule(
        "function",
        "part",
        _waits_long,
        lambda n, _: f"not all of it is processed. What waits: {_oldest(n)}; see clicklake verify",
    ),
    Rule(
        "dead_letters",
        "part",
        lambda n: bool(n.dead_letters),
        lambda n, _: f"{counted(n.dead_letters or 0, 'invocation')} failed for good: clicklake replay --dlq",
    ),
    Rule(
        "raw",
        "part",
        lambda n: n.raw.delivery_errors > 0,
        lambda n, _: (
            f"Firehose could not deliver everything as it was: {counted(n.raw.delivery_errors, 'object')} "
            "under its error prefix; see clicklake verify"
        ),
    ),
    Rule(
        "firehose",
        "note",
        lambda n: n.firehose.throttled > 0,
        lambda n, _: f"the stream was at its limit, and refused {counted(n.firehose.throttled, 'record')}",
    ),
    Rule(
        "firehose",
        "note",
        lambda n: n.firehose.success is not None and 0 < n.firehose.success < 1,
        lambda n, _: f"{percent(1 - (n.firehose.success or 0))} of the attempts to deliver failed, and were repeated",
    ),
    Rule(
        "function",
        "note",
        lambda n: n.function.errors > 0,
        lambda n, _: f"{n.function.errors:,} of {counted(n.function.runs, 'run')} failed",
    ),
    Rule(
        "function",
        "note",
        lambda n: n.function.throttles > 0,
        lambda n, _: f"the function was throttled {counted(n.function.throttles, 'time')}",
    ),
    Rule(
        "processed",
        "note",
        lambda n: n.processed.failed > 0,
        lambda n, _: f"{percent(n.processed.failed / n.processed.records)} of the records failed: {failures(n)}",
    ),
)
