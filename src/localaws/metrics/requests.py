"""Requests that were answered as metrics."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from localaws.metrics.registry import Counter, Histogram, Registry
from localaws.wire import Span

# REST operations that no service has named are method and path, and of those there is no end.
_OPERATION = re.compile("[A-Z][A-Za-z0-9]{1,63}")
_PUTS = {"PutRecord", "PutRecordBatch"}
_MOST_KNOWN = 2_000


@dataclass(frozen=True, slots=True)
class _Kind:
    """Requests that are alike, and their numbers: found with one look, because that is on every request's way."""

    count: Counter
    durations: tuple[Histogram, ...]


def observer(registry: Registry) -> Callable[[Span], None]:
    """note(span), on the event loop."""
    known: dict[tuple[str, str, int, str], _Kind] = {}

    def note(span: Span) -> None:
        key = span.service, span.operation, span.status, span.resource
        kind = known.get(key)
        if kind is None:
            kind = _kind(registry, span)
            if len(known) < _MOST_KNOWN and _OPERATION.fullmatch(span.operation):
                known[key] = kind
        kind.count.value += 1
        for durations in kind.durations:
            durations.observe(span.seconds)

    return note


def _kind(registry: Registry, span: Span) -> _Kind:
    operation = span.operation if _OPERATION.fullmatch(span.operation) else ""
    durations = [registry.histogram("clicklake_request_duration_seconds", span.service, operation)]
    if span.resource and operation in _PUTS:
        durations.append(registry.histogram("clicklake_firehose_put_duration_seconds", span.resource, operation))
    return _Kind(
        registry.counter("clicklake_requests_total", span.service, operation, str(span.status)), tuple(durations)
    )
