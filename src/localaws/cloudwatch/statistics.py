"""A minute's data of one metric, and the statistics that CloudWatch makes of it.

docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html. Done: SampleCount, Sum, Average,
Minimum, Maximum and percentiles (p0 to p100). Values are kept to three significant digits for percentiles; what was put
as a statistic set has none, unless all of its values are equal (API_PutMetricData.html).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")


@dataclass(slots=True)
class Point:
    """What was put, added up. `values`: how often each came; fewer than `count` if they are not known."""

    count: float = 0.0
    sum: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")
    values: dict[float, float] = field(default_factory=dict)

    @classmethod
    def of(cls, value: float, count: float = 1.0) -> "Point":
        return cls(count, value * count, value, value, {_rounded(value): count})

    @classmethod
    def of_values(cls, values: Iterable[float]) -> "Point":
        point = cls()
        for value in values:
            point.add(cls.of(value))
        return point

    @classmethod
    def of_set(cls, count: float, total: float, low: float, high: float) -> "Point":
        """A statistic set."""
        known = count == 1 or low == high
        return cls(count, total, low, high, {_rounded(low): count} if known else {})

    def add(self, other: "Point") -> None:
        self.count += other.count
        self.sum += other.sum
        self.low = min(self.low, other.low)
        self.high = max(self.high, other.high)
        for value, count in other.values.items():
            self.values[value] = self.values.get(value, 0.0) + count


_STATISTICS: Mapping[str, Callable[[Point], float]] = {
    "SampleCount": lambda point: point.count,
    "Sum": lambda point: point.sum,
    "Average": lambda point: point.sum / point.count,
    "Minimum": lambda point: point.low,
    "Maximum": lambda point: point.high,
}


def is_statistic(name: str) -> bool:
    return name in _STATISTICS or _PERCENTILE.fullmatch(name) is not None


def is_percentile(name: str) -> bool:
    return _PERCENTILE.fullmatch(name) is not None


def statistic(name: str, point: Point) -> float | None:
    """None if there is no such value: of an empty point, or percentiles of unknown values."""
    if point.count <= 0:
        return None
    if name in _STATISTICS:
        return _STATISTICS[name](point)
    known = abs(sum(point.values.values()) - point.count) < 1e-6 * point.count
    return _percentile(float(name[1:]), point) if known and point.low >= 0 else None


def _percentile(percent: float, point: Point) -> float:
    """The smallest value that `percent` of all are not above."""
    wanted = percent / 100 * point.count
    passed = 0.0
    for value in sorted(point.values):
        passed += point.values[value]
        if passed >= wanted - 1e-9:
            return min(max(value, point.low), point.high)
    return point.high


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
