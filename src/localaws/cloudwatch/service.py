"""CloudWatch's metrics: what clients put, and what the endpoint's own services report under AWS's names.

Done: PutMetricData, ListMetrics, GetMetricStatistics, GetMetricData with expressions (expressions.py). Alarms,
dashboards and all else go to `otherwise`. Data is kept by the minute, with StorageResolution 1 too. Unlike AWS, a
metric is there at once. Not done, and refused by name: statistics beyond the five and percentiles (TM, IQM ...), search
and Metrics Insights.

docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference; messages as recorded from AWS by LocalStack's tests.
"""

import asyncio
import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from localaws.cloudwatch import pages
from localaws.cloudwatch.expressions import evaluate
from localaws.cloudwatch.protocols import service
from localaws.cloudwatch.put import data_of
from localaws.cloudwatch.query import Found, Window, check_period, check_statistic, metric_of, only_unit, unit_order
from localaws.cloudwatch.series import Series
from localaws.cloudwatch.statistics import is_percentile, statistic
from localaws.errors import AwsError
from localaws.wire import Handler, Operation, Parameters

_MOST_DATAPOINTS = 1440
_PAGE, _LARGEST_PAGE = 100_800, 100_800
_MOST_QUERIES = 500
_METRICS_PAGE = 500
_RECENT = 3 * 3600
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


class CloudWatch:
    """`sample` brings the series up to date with the endpoint's services; it is awaited before a read."""

    def __init__(
        self, series: Series, sample: Callable[[], Awaitable[None]], clock: Callable[[], float], otherwise: Handler
    ) -> None:
        self._series = series
        self._sample = sample
        self._clock = clock
        self.handler: Handler = service(
            "cloudwatch",
            {
                "PutMetricData": self._put,
                "ListMetrics": self._fresh(self._list),
                "GetMetricStatistics": self._fresh(self._statistics),
                "GetMetricData": self._fresh(self._data),
            },
            otherwise,
        )

    def _fresh(self, read: Callable[[Parameters], Parameters]) -> Operation:
        """`read`, on a thread, of what is up to date."""

        async def operation(p: Parameters) -> Parameters:
            await self._sample()
            return await asyncio.to_thread(read, p)

        return operation

    def _put(self, p: Parameters) -> Parameters:
        for metric, unit, time, point in data_of(p, self._clock()):
            self._series.put(metric, unit, time, point)
        return {}

    def _list(self, p: Parameters) -> Parameters:
        since = self._clock() - _RECENT if p.get("RecentlyActive") else 0.0
        wanted = [(d["Name"], d.get("Value")) for d in p.get("Dimensions", [])]
        found = [
            metric
            for metric in self._series.metrics(since)
            if p.get("Namespace") in {None, metric.namespace}
            and p.get("MetricName") in {None, metric.name}
            and all(any(name == n and value in {None, v} for n, v in metric.dimensions) for name, value in wanted)
        ]
        page, following = pages.after(found, p.get("NextToken"), _METRICS_PAGE)
        metrics = [
            {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
            }
            for metric in page
        ]
        return {"Metrics": metrics} | ({"NextToken": following} if following else {})

    def _statistics(self, p: Parameters) -> Parameters:
        names = _statistics_asked(p)
        if p["StartTime"] >= p["EndTime"]:
            text = "The parameter StartTime must be less than the parameter EndTime."
            raise AwsError("InvalidParameterValue", text)
        check_period(p["Period"], "InvalidParameterValue")
        asked = math.ceil((p["EndTime"] - p["StartTime"]) / p["Period"])
        if asked > _MOST_DATAPOINTS:
            limit = f"You have requested up to {asked} datapoints, which exceeds the limit of {_MOST_DATAPOINTS}."
            hint = "You may reduce the datapoints requested by increasing Period, or decreasing the time range."
            raise AwsError("InvalidParameterCombination", f"{limit} {hint}")
        window = Window.of(p["StartTime"], p["EndTime"], p["Period"], self._clock())
        by_unit = self._series.points(metric_of(p), window.start, window.end)
        units = [unit for unit in sorted(by_unit, key=unit_order) if p.get("Unit") in {None, unit}]
        datapoints = [
            _datapoint(time, unit, point, names)
            for unit in units
            for time, point in window.collect(by_unit[unit]).items()
        ]
        return {"Label": p["MetricName"], "Datapoints": datapoints}

    def _data(self, p: Parameters) -> Parameters:
        queries = p["MetricDataQueries"]
        _check_queries(queries)
        _check_times(p)
        found = self._found(queries, p)
        wanted = [(query, found[query["Id"]]) for query in queries if query.get("ReturnData", True)]
        descending = p.get("ScanBy", "TimestampDescending") == "TimestampDescending"
        size = min(p.get("MaxDatapoints", _PAGE), _LARGEST_PAGE)
        labels = _labels([query for query, _ in wanted])
        results = [
            {"Id": query["Id"], "Label": label, "points": result.ordered(descending), "Messages": result.messages}
            for (query, result), label in zip(wanted, labels, strict=True)
        ]
        page, following = pages.of_results(results, p.get("NextToken"), size)
        return {"MetricDataResults": page, "Messages": []} | ({"NextToken": following} if following else {})

    def _found(self, queries: Sequence[Mapping[str, Any]], p: Parameters) -> dict[str, Found]:
        """Every query's points by its id; expressions after what they are made of."""
        found = {query["Id"]: self._measured(query["MetricStat"], p) for query in queries if "MetricStat" in query}
        expressions = {query["Id"]: query["Expression"] for query in queries if "Expression" in query}
        return found | evaluate(expressions, found)

    def _measured(self, asked: Mapping[str, Any], p: Parameters) -> Found:
        window = Window.of(p["StartTime"], p["EndTime"], asked["Period"], self._clock())
        by_unit = self._series.points(metric_of(asked["Metric"]), window.start, window.end)
        points, messages = only_unit(by_unit, asked.get("Unit"))
        values = {time: statistic(asked["Stat"], point) for time, point in window.collect(points).items()}
        known = {time: value for time, value in values.items() if value is not None}
        return Found(known, window.times, messages)


def _statistics_asked(p: Parameters) -> list[str]:
    plain, extended = p.get("Statistics", []), p.get("ExtendedStatistics", [])
    if not plain and not extended:
        raise AwsError("InvalidParameterCombination", "Must specify either Statistics or ExtendedStatistics")
    for name in (*plain, *extended):
        check_statistic(name, "InvalidParameterValue")
    if any(map(is_percentile, plain)) or not all(map(is_percentile, extended)):
        raise AwsError("InvalidParameterValue", "Percentiles are ExtendedStatistics, and the five are Statistics")
    return [*plain, *extended]


def _datapoint(time: int, unit: str, point: Any, names: Sequence[str]) -> dict[str, Any]:
    values = {name: value for name in names if (value := statistic(name, point)) is not None}
    plain = {name: value for name, value in values.items() if not is_percentile(name)}
    extended = {name: value for name, value in values.items() if is_percentile(name)}
    return {"Timestamp": time, **plain, "Unit": unit} | ({"ExtendedStatistics": extended} if extended else {})


def _check_queries(queries: Sequence[Mapping[str, Any]]) -> None:
    if not 1 <= len(queries) <= _MOST_QUERIES:
        text = f"The collection MetricDataQueries must not have a size greater than {_MOST_QUERIES} or less than 1."
        raise AwsError("ValidationError", text)
    ids = [query["Id"] for query in queries]
    if len(set(ids)) < len(ids):
        raise AwsError("ValidationError", "The values for parameter id in MetricDataQueries are not unique.")
    for number, query in enumerate(queries, start=1):
        at = f"MetricDataQueries.member.{number}"
        if not _ID.fullmatch(query["Id"]):
            text = f"The value {query['Id']} for parameter {at}.Id is not matching the expected pattern {_ID.pattern}."
            raise AwsError("ValidationError", text)
        if ("MetricStat" in query) == ("Expression" in query):
            text = f"Exactly one of the parameters {at}.MetricStat and {at}.Expression must be specified."
            raise AwsError("ValidationError", text)
        if "MetricStat" in query:
            check_statistic(query["MetricStat"]["Stat"], "ValidationError")
            check_period(query["MetricStat"]["Period"], "ValidationError")
            _check_metric(query["MetricStat"]["Metric"], at)


def _check_metric(metric: Mapping[str, Any], at: str) -> None:
    for name in ("Namespace", "MetricName"):
        if not metric.get(name):
            raise AwsError("ValidationError", f"The parameter {at}.MetricStat.Metric.{name} is required.")


def _check_times(p: Parameters) -> None:
    if p["StartTime"] > p["EndTime"]:
        raise AwsError("ValidationError", "The parameter EndTime must be greater than StartTime.")
    if p["StartTime"] == p["EndTime"]:
        raise AwsError("ValidationError", "The parameter StartTime must not equal parameter EndTime.")
    if p.get("MaxDatapoints", 1) < 1:
        raise AwsError("ValidationError", "The parameter MaxDatapoints must be greater than 0.")


def _labels(queries: Sequence[Mapping[str, Any]]) -> list[str]:
    """A query's own label, else an expression's id, else the metric's name and what it differs from the others in."""
    stats = {query["MetricStat"]["Stat"] for query in queries if "MetricStat" in query}
    periods = {query["MetricStat"]["Period"] for query in queries if "MetricStat" in query}

    def label(query: Mapping[str, Any]) -> str:
        if "MetricStat" not in query:
            return str(query["Id"])
        asked = query["MetricStat"]
        parts = [asked["Metric"]["MetricName"]]
        parts += [asked["Stat"]] if len(stats) > 1 else []
        parts += [str(asked["Period"])] if len(periods) > 1 else []
        return " ".join(parts)

    return [query.get("Label") or label(query) for query in queries]
