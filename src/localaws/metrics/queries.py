"""A query's end as metrics."""

from collections.abc import Callable, Mapping
from typing import Any

from localaws.metrics.registry import Registry

_PREFIX = "clicklake_athena_"
# Of the metric: the statistic, and what makes its unit of it.
_STATISTICS = {
    "query_duration_seconds": ("TotalExecutionTimeInMillis", 0.001),
    "engine_duration_seconds": ("EngineExecutionTimeInMillis", 0.001),
    "queue_duration_seconds": ("QueryQueueTimeInMillis", 0.001),
    "planning_duration_seconds": ("QueryPlanningTimeInMillis", 0.001),
    "scanned_bytes": ("DataScannedInBytes", 1.0),
}


def observer(registry: Registry) -> Callable[[Mapping[str, Any]], None]:
    """To be called with a QueryExecution as GetQueryExecution answers it, when it has ended."""

    def ended(execution: Mapping[str, Any]) -> None:
        labels = execution["WorkGroup"], execution["StatementType"], execution["Status"]["State"]
        for metric, (name, scale) in _STATISTICS.items():
            if name in execution["Statistics"]:
                registry.histogram(_PREFIX + metric, *labels).observe(execution["Statistics"][name] * scale)

    return ended
