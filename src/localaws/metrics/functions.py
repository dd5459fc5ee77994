"""Functions' numbers as metrics, and how they are."""

from collections.abc import Iterator, Mapping
from typing import Any

from localaws.functions.stats import Stats
from localaws.metrics.registry import Reading

_PREFIX = "clicklake_lambda_"
# Of the metric: the counter.
_COUNTERS = {
    "invocations_total": "invocations",
    "errors_total": "errors",
    "throttles_total": "throttles",
    "async_events_total": "async_events_received",
    "async_events_dropped_total": "async_events_dropped",
    "recursive_invocations_dropped_total": "recursive_invocations_dropped",
    "dead_letter_errors_total": "dead_letter_errors",
    "destination_failures_total": "destination_delivery_failures",
}


def health(functions: Mapping[str, Stats]) -> dict[str, Any]:
    return {"functions": len(functions), "async_queued": sum(stats.async_depth for stats in functions.values())}


def readings(functions: Mapping[str, Stats], now: float) -> Iterator[Reading]:
    for function, stats in functions.items():
        for metric, counter in _COUNTERS.items():
            yield Reading(_PREFIX + metric, (function,), getattr(stats.counters, counter))
        age = now - stats.async_oldest if stats.async_oldest is not None else 0.0
        yield Reading(_PREFIX + "concurrent_executions", (function,), stats.concurrent_executions)
        yield Reading(_PREFIX + "async_queued", (function,), stats.async_depth)
        yield Reading(_PREFIX + "async_oldest_event_age_seconds", (function,), max(age, 0.0))
