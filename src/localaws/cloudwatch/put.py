"""PutMetricData's parameters as points (CloudWatch's API_PutMetricData.html).

What belongs to an entity (EntityMetricData) is taken like the rest, and the entity is passed over.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from localaws.cloudwatch.query import UNITS, metric_of
from localaws.cloudwatch.series import Metric
from localaws.cloudwatch.statistics import Point
from localaws.errors import AwsError

_MOST = 1000
_MOST_VALUES = 150
_LARGEST = 2.0**360
_PAST, _FUTURE = 14 * 24 * 3600, 2 * 3600


def data_of(p: Mapping[str, Any], now: float) -> Iterator[tuple[Metric, str, float, Point]]:
    """Metric, unit, epoch seconds and point of every datum; nothing if one of them is refused."""
    if p["Namespace"].startswith("AWS/"):
        raise _invalid(f"The value {p['Namespace']} for parameter Namespace is invalid.")
    data = list(p.get("MetricData", []))
    for entity in p.get("EntityMetricData", []):
        data += entity.get("MetricData", [])
    if len(data) > _MOST:
        raise _invalid(f"The collection MetricData must not have a size greater than {_MOST}.")
    if not data:
        raise AwsError("MissingParameter", "The parameter MetricData is required.")
    return iter([_datum(p["Namespace"], datum, f"MetricData.member.{n}", now) for n, datum in enumerate(data, start=1)])


def _datum(namespace: str, datum: Mapping[str, Any], at: str, now: float) -> tuple[Metric, str, float, Point]:
    time = datum.get("Timestamp", now)
    if time < now - _PAST:
        raise _invalid(f"The parameter {at}.Timestamp must specify a time within the past two weeks.")
    if time > now + _FUTURE:
        raise _invalid(f"The parameter {at}.Timestamp must specify a time no more than two hours in the future.")
    unit = datum.get("Unit", "None")
    if unit not in UNITS:
        raise _invalid(f"The value {unit} for parameter {at}.Unit is invalid.")
    metric = metric_of({**datum, "Namespace": namespace})
    return metric, unit, time, _point(datum, at)


def _point(datum: Mapping[str, Any], at: str) -> Point:
    for other in ("Values", "StatisticValues"):
        if "Value" in datum and other in datum:
            both = f"The parameters {at}.Value and {at}.{other} are mutually exclusive and you have specified both."
            raise AwsError("InvalidParameterCombination", both)
    if "Value" in datum:
        return Point.of(_checked(datum["Value"], f"{at}.Value"))
    if "Values" in datum:
        return _of_values(datum, at)
    if "StatisticValues" in datum:
        given = datum["StatisticValues"]
        names = ("SampleCount", "Sum", "Minimum", "Maximum")
        return Point.of_set(*(_checked(given[name], f"{at}.StatisticValues.{name}") for name in names))
    raise AwsError("MissingParameter", f"One of {at}.Value, {at}.Values and {at}.StatisticValues must be specified.")


def _of_values(datum: Mapping[str, Any], at: str) -> Point:
    values = datum["Values"]
    counts = datum.get("Counts") or [1.0] * len(values)
    if len(values) != len(counts):
        raise _invalid(f"The parameters {at}.Values and {at}.Counts must be of the same size.")
    if len(values) > _MOST_VALUES:
        raise _invalid(f"The collection {at}.Values must not have a size greater than {_MOST_VALUES}.")
    point = Point()
    for value, count in zip(values, counts, strict=True):
        point.add(Point.of(_checked(value, f"{at}.Values"), _checked(count, f"{at}.Counts")))
    return point


def _checked(value: float, name: str) -> float:
    if not math.isfinite(value) or abs(value) > _LARGEST:
        raise _invalid(f"The value {value} for parameter {name} is invalid.")
    return value


def _invalid(text: str) -> AwsError:
    return AwsError("InvalidParameterValue", text)
