"""HTTP APIs' requests as metrics (docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html)."""

from collections.abc import Callable

from localaws.metrics.registry import Registry

_PREFIX = "clicklake_http_api_"

Answered = Callable[[str, str, int, int, float, float | None], None]
"""(API, stage, status, bytes of request and answer, seconds, seconds of the integration if there was one)."""


def observer(registry: Registry) -> Answered:
    """To be called on the event loop."""

    def answered(api: str, stage: str, status: int, size: int, seconds: float, integration: float | None) -> None:
        counts = {
            "requests": 1,
            "client_errors": status // 100 == 4,
            "server_errors": status // 100 == 5,
            "bytes": size,
        }
        for metric, count in counts.items():
            registry.counter(f"{_PREFIX}{metric}_total", api, stage).value += count
        registry.histogram(f"{_PREFIX}duration_seconds", api, stage).observe(seconds)
        if integration is not None:
            registry.histogram(f"{_PREFIX}integration_duration_seconds", api, stage).observe(integration)

    return answered
