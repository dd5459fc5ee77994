"""Requests that were answered as metrics."""

import re
from collections.abc import Callable

from localaws.metrics.registry import Registry
from localaws.wire import Span

# REST operations that no service has named are method and path, and of those there is no end.
_OPERATION = re.compile("[A-Z][A-Za-z0-9]{1,63}")

_PUTS = {"PutRecord", "PutRecordBatch"}
_PUT_DURATION = "clicklake_firehose_put_duration_seconds"


def observer(registry: Registry) -> Callable[[Span], None]:
    """note(span), on the event loop."""

    def note(span: Span) -> None:
        operation = span.operation if _OPERATION.fullmatch(span.operation) else ""
        registry.count("clicklake_requests_total", span.service, operation, str(span.status))
        registry.histogram("clicklake_request_duration_seconds", span.service, operation).observe(span.seconds)
        if span.resource and operation in _PUTS:
            registry.histogram(_PUT_DURATION, span.resource, operation).observe(span.seconds)

    return note
