"""What a function has done and has left to do, for whoever watches it."""

import threading
from dataclasses import dataclass, replace


@dataclass(slots=True)
class Counters:
    """Since the endpoint started; each is a metric of AWS/Lambda in snake case
    (docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html). `duration` is the sum of all, in seconds."""

    invocations: int = 0
    errors: int = 0
    throttles: int = 0
    duration: float = 0.0
    async_events_received: int = 0
    async_events_dropped: int = 0
    recursive_invocations_dropped: int = 0
    dead_letter_errors: int = 0
    destination_delivery_failures: int = 0


class Tally:
    """Counters that many threads count in."""

    def __init__(self) -> None:
        self._counters = Counters()
        self._lock = threading.Lock()

    def add(self, **amounts: float) -> None:
        """By the counters' names."""
        with self._lock:
            for name, amount in amounts.items():
                setattr(self._counters, name, getattr(self._counters, name) + amount)

    def read(self) -> Counters:
        with self._lock:
            return replace(self._counters)


@dataclass(frozen=True, slots=True)
class Stats:
    """One look at a function. `async_oldest`: when the oldest event that waits or runs was accepted, epoch seconds;
    None if there is none."""

    counters: Counters
    concurrent_executions: int
    async_depth: int
    async_oldest: float | None
