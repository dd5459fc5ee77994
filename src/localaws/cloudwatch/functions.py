"""What metric math computes: of numbers, series and arrays of series.

A function of the wrong kinds of arguments raises TypeError.
"""

import bisect
import itertools
import math
from collections.abc import Callable
from typing import Any

from localaws.cloudwatch.query import Found

Value = float | Found | list[Found]


def meeting(compute: Callable[[float, float], float], left: float | Found, right: float | Found) -> Found:
    series = [value for value in (left, right) if isinstance(value, Found)]
    times = set(series[0].values).intersection(*(one.values for one in series))

    def at(value: float | Found, time: int) -> float:
        return value.values[time] if isinstance(value, Found) else value

    values = {time: sure(compute, at(left, time), at(right, time)) for time in sorted(times)}
    return Found({time: value for time, value in values.items() if value is not None}, series[0].times)


def sure(compute: Callable[..., Any], *values: float) -> float | None:
    """None where there is no such real number."""
    try:
        value = compute(*values)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    return float(value) if not isinstance(value, complex) and math.isfinite(value) else None


def _each(compute: Callable[[float], float]) -> Callable[[Value], Value]:
    def over(value: Value) -> Value:
        if isinstance(value, float):
            return float(compute(value))
        if isinstance(value, list):
            raise TypeError
        values = {time: sure(compute, number) for time, number in value.values.items()}
        return Found({time: number for time, number in values.items() if number is not None}, value.times)

    return over


def filled(series: Found, with_: float | str) -> Found:
    if isinstance(with_, float):
        return Found({time: series.values.get(time, with_) for time in series.times}, series.times)
    known = sorted(series.values)
    values: dict[int, float] = {}
    for time in series.times:
        at = bisect.bisect_right(known, time)
        before = known[at - 1] if at else None
        if before is None or (with_ == "LINEAR" and at == len(known) and before < time):
            continue
        values[time] = series.values[before]
        if with_ == "LINEAR" and before < time:
            rise = (series.values[known[at]] - series.values[before]) / (known[at] - before)
            values[time] += rise * (time - before)
    return Found(values, series.times)


def _changes(series: Found, *, a_second: bool) -> Found:
    """The difference to the value before; with `a_second`, by the seconds in between."""
    known = sorted(series.values.items())
    values = {
        time: (value - last) / (time - at if a_second else 1) for (at, last), (time, value) in itertools.pairwise(known)
    }
    return Found(values, series.times)


def _running(series: Found) -> Found:
    total, values = 0.0, {}
    for time, value in sorted(series.values.items()):
        total += value
        values[time] = total
    return Found(values, series.times)


def _if(condition: Value, then: Value, otherwise: Value | None = None) -> Value:
    """IF(condition, then[, otherwise]); without the last, there is no value where it does not hold."""
    if isinstance(condition, list) or isinstance(then, list) or isinstance(otherwise, list):
        raise TypeError
    if isinstance(condition, float):
        chosen = then if condition else otherwise
        if chosen is None:
            raise TypeError
        return chosen
    values: dict[int, float] = {}
    for time, holds in condition.values.items():
        chosen = then if holds else otherwise
        value = chosen.values.get(time) if isinstance(chosen, Found) else chosen
        if value is not None:
            values[time] = value
    return Found(values, condition.times)


def _deviation(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


OF_MANY: dict[str, Callable[[list[float]], float]] = {
    "SUM": sum,
    "AVG": lambda values: sum(values) / len(values),
    "MIN": min,
    "MAX": max,
    "STDDEV": _deviation,
}
FUNCTIONS: dict[str, Callable[..., Value]] = {
    "ABS": _each(abs),
    "CEIL": _each(math.ceil),
    "FLOOR": _each(math.floor),
    "LOG": _each(math.log),
    "LOG10": _each(math.log10),
    "IF": _if,
    "DIFF": lambda series: _changes(series, a_second=False),
    "RATE": lambda series: _changes(series, a_second=True),
    "RUNNING_SUM": _running,
    "PERIOD": lambda series: float(series.times.step),
}
