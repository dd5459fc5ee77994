"""What is read of a metric: which metric, which times, which unit, which statistics."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localaws.cloudwatch.series import MINUTE, Metric
from localaws.cloudwatch.statistics import Point, is_statistic
from localaws.errors import AwsError

_DAY = 24 * 3600
_SHORT_PERIODS = {1, 5, 10, 20, 30}

# Where there are several and none is asked for, GetMetricData takes the first in this order.
UNITS = """
Megabits Terabits Gigabits Count Bytes Gigabytes Gigabytes/Second Kilobytes Kilobits/Second Terabytes Terabits/Second
Bytes/Second Percent Megabytes Megabits/Second Milliseconds Microseconds Kilobytes/Second Gigabits/Second
Megabytes/Second Bits Bits/Second Count/Second Seconds Kilobits Terabytes/Second None
""".split()  # noqa: SIM905 - twenty-seven lines otherwise


@dataclass(frozen=True, slots=True)
class Found:
    """A query's values by time, and the times that there may be. `messages` go into its result."""

    values: Mapping[int, float]
    times: range
    messages: list[dict[str, str]] = field(default_factory=list)

    def ordered(self, descending: bool) -> list[tuple[int, float]]:
        return sorted(self.values.items(), reverse=descending)


@dataclass(frozen=True, slots=True)
class Window:
    """`start <= time < end`, in steps of `period`; epoch seconds."""

    start: int
    end: float
    period: int

    @classmethod
    def of(cls, start: float, end: float, period: int, now: float) -> "Window":
        """The start is rounded down by its age, or to a division of the minute (API_GetMetricData.html, StartTime)."""
        age = now - start
        step = MINUTE if age < 15 * _DAY else 5 * MINUTE if age < 63 * _DAY else 60 * MINUTE
        step = period if period in _SHORT_PERIODS else step
        return cls(int(start // step * step), end, period)

    @property
    def times(self) -> range:
        return range(self.start, math.ceil(self.end), self.period)

    def collect(self, points: Mapping[int, Point]) -> dict[int, Point]:
        """Points by the beginnings of their periods, which are counted from the window's start."""
        collected: dict[int, Point] = {}
        for minute in sorted(points):
            at = self.start + (minute - self.start) // self.period * self.period
            collected.setdefault(at, Point()).add(points[minute])
        return collected


def metric_of(p: Mapping[str, Any]) -> Metric:
    dimensions = sorted((d["Name"], d["Value"]) for d in p.get("Dimensions", []))
    return Metric(p["Namespace"], p["MetricName"], tuple(dimensions))


def only_unit(
    by_unit: Mapping[str, Mapping[int, Point]], asked: str | None
) -> tuple[Mapping[int, Point], list[dict[str, str]]]:
    """The points of one unit, and what is to be said about it."""
    if asked is not None:
        return by_unit.get(asked, {}), []
    units = sorted(by_unit, key=unit_order)
    if not units:
        return {}, []
    several = f"Multiple units returned: '[{', '.join(units)}]'"
    messages = [{"Code": "MultipleUnits", "Value": several}] if len(units) > 1 else []
    return by_unit[units[0]], messages


def unit_order(unit: str) -> int:
    return UNITS.index(unit) if unit in UNITS else len(UNITS)


def check_statistic(name: str, code: str) -> None:
    if not is_statistic(name):
        raise AwsError(code, f"The value {name} for parameter Stat is not supported: the five, and p0 to p100, are")


def check_period(period: int, code: str) -> None:
    if period not in _SHORT_PERIODS and (period < MINUTE or period % MINUTE):
        raise AwsError(code, f"The value {period} for parameter Period is not 1, 5, 10, 20, 30 or a multiple of 60.")
