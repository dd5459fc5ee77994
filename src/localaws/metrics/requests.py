"""Requests that were answered as metrics."""

import re
from collections.abc import Callable

from localaws.metrics.registry import Registry

# REST operations that no service has named are method and path, and of those there is no end.
_OPERATION = re.compile("[A-Z][A-Za-z0-9]{1,63}")


def observer(registry: Registry) -> Callable[[str, str, int, float], None]:
    """note(service, operation, status, seconds), on the event loop."""

    def note(service: str, operation: str, status: int, seconds: float) -> None:
        name = operation if _OPERATION.fullmatch(operation) else ""
        registry.count("clicklake_requests_total", service, name, str(status))
        registry.histogram("clicklake_request_duration_seconds", service, name).observe(seconds)

    return note
