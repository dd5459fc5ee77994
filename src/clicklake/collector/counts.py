"""What a collector has done, in numbers: for its last line, and for Prometheus (its text format, version 0.0.4)."""

from collections import Counter
from collections.abc import Iterable

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Counts:
    """By route. `taken` are events that were answered for, `failing` of these go to clickstream_failed;
    `unwanted` were left out, because their visitors ask for privacy."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.taken: Counter[str] = Counter()
        self.failing: Counter[str] = Counter()
        self.unwanted: Counter[str] = Counter()

    def text(self, waiting_bytes: int) -> bytes:
        counted = [
            _metric(
                "clicklake_collector_requests_total",
                "counter",
                "Requests, by route and status.",
                ((f'{{route="{route}",status="{status}"}}', n) for (route, status), n in sorted(self.requests.items())),
            ),
            _metric("clicklake_collector_events_total", "counter", "Events taken, by route.", _by_route(self.taken)),
            _metric(
                "clicklake_collector_failing_events_total",
                "counter",
                "Events taken that become failed records, by route.",
                _by_route(self.failing),
            ),
            _metric(
                "clicklake_collector_refused_for_consent_events_total",
                "counter",
                "Events answered with success and not kept (consent: refuse), by route.",
                _by_route(self.unwanted),
            ),
            _metric(
                "clicklake_collector_held_bytes",
                "gauge",
                "Bodies and events in memory, in bytes.",
                [("", waiting_bytes)],
            ),
        ]
        return "".join(counted).encode()


def _by_route(counts: Counter[str]) -> Iterable[tuple[str, int]]:
    return ((f'{{route="{route}"}}', count) for route, count in sorted(counts.items()))


def _metric(name: str, kind: str, means: str, values: Iterable[tuple[str, int]]) -> str:
    lines = "".join(f"{name}{labels} {value}\n" for labels, value in values)
    return f"# HELP {name} {means}\n# TYPE {name} {kind}\n{lines}"
