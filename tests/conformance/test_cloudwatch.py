"""CloudWatch, for what clients put. Answers and messages are as AWS gave them to LocalStack's recorded tests."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.model
import pytest
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess
from localaws.cloudwatch.series import Metric, Series
from localaws.cloudwatch.statistics import Point
from localaws.store import Store


@pytest.fixture(scope="module")
def cloudwatch(endpoint: EndpointProcess) -> Any:
    return endpoint.client("cloudwatch")


@pytest.fixture(params=["smithy-rpc-v2-cbor", "json", "query"])
def speaking(request: pytest.FixtureRequest, endpoint: EndpointProcess, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client that speaks this protocol."""
    monkeypatch.setattr(botocore.model, "PRIORITY_ORDERED_SUPPORTED_PROTOCOLS", (request.param,))
    return endpoint.client("cloudwatch")


def namespace() -> str:
    return f"test/{uuid.uuid4()}"


def put(client: Any, space: str, *data: dict[str, Any]) -> None:
    client.put_metric_data(Namespace=space, MetricData=[{"MetricName": "m"} | datum for datum in data])


def query(space: str, stat: str = "Sum", **more: Any) -> dict[str, Any]:
    return {"Metric": {"Namespace": space, "MetricName": "m"}, "Period": 60, "Stat": stat} | more


def asked(client: Any, *queries: dict[str, Any], start: datetime, minutes: int = 10, **more: Any) -> Any:
    """GetMetricData's results; a query without an id is a MetricStat."""
    queries = tuple(q if "Id" in q else {"Id": f"q{n}", "MetricStat": q} for n, q in enumerate(queries))
    end = start + timedelta(minutes=minutes)
    return client.get_metric_data(MetricDataQueries=queries, StartTime=start, EndTime=end, **more)


def minute(ago: int = 0) -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=ago)


def test_every_protocol_puts_and_gets(speaking: Any) -> None:
    space, start = namespace(), minute(5)
    put(speaking, space, {"Values": [1, 2, 10], "Counts": [2, 1, 3], "Unit": "Count", "Timestamp": start})
    (point,) = speaking.get_metric_statistics(
        Namespace=space,
        MetricName="m",
        StartTime=start,
        EndTime=start + timedelta(minutes=1),
        Period=60,
        Statistics=["SampleCount", "Sum", "Minimum", "Maximum", "Average"],
        ExtendedStatistics=["p50"],
    )["Datapoints"]
    assert point.pop("Timestamp") == start
    values = {"SampleCount": 6, "Sum": 34, "Minimum": 1, "Maximum": 10, "Average": pytest.approx(34 / 6)}
    assert point == values | {"Unit": "Count", "ExtendedStatistics": {"p50": 2}}
    (result,) = asked(speaking, query(space), start=start)["MetricDataResults"]
    assert (result["Timestamps"], result["Values"], result["StatusCode"]) == ([start], [34], "Complete")
    assert speaking.list_metrics(Namespace=space)["Metrics"] == [
        {"Namespace": space, "MetricName": "m", "Dimensions": []}
    ]


def test_every_protocol_refuses_in_the_same_words(speaking: Any) -> None:
    with pytest.raises(ClientError) as refused:
        put(speaking, namespace(), {"Value": 1, "Values": [1]})
    error = refused.value.response["Error"]
    both = (
        "MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you have specified both."
    )
    assert (error["Code"], error["Message"]) == ("InvalidParameterCombination", f"The parameters {both}")


def test_every_protocol_keeps_alarms(speaking: Any) -> None:
    name = str(uuid.uuid4())
    metric = {"Namespace": "Shop", "MetricName": "Orders", "Statistic": "Sum", "Period": 60}
    when = {"EvaluationPeriods": 1, "Threshold": 0.5, "ComparisonOperator": "LessThanThreshold"}
    speaking.put_metric_alarm(AlarmName=name, **metric, **when)
    (alarm,) = speaking.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert (alarm["Threshold"], alarm["Period"]) == (0.5, 60)
    assert abs(alarm["AlarmConfigurationUpdatedTimestamp"] - datetime.now(UTC)) < timedelta(minutes=1)
    with pytest.raises(ClientError) as refused:
        speaking.set_alarm_state(AlarmName="none", StateValue="OK", StateReason="")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFound"


@pytest.mark.parametrize(
    ("datum", "code", "message"),
    [
        ({"Values": [1, 2], "Counts": [1]}, "InvalidParameterValue", "must be of the same size"),
        ({"Value": float("nan")}, "InvalidParameterValue", "is invalid"),
        ({}, "MissingParameter", "must be specified"),
        ({"Value": 1, "Timestamp": datetime(2020, 1, 1, tzinfo=UTC)}, "InvalidParameterValue", "past two weeks"),
        ({"Value": 1, "Unit": "Furlongs"}, "InvalidParameterValue", "Furlongs"),
    ],
)
def test_data_that_can_t_be_is_refused(cloudwatch: Any, datum: dict[str, Any], code: str, message: str) -> None:
    with pytest.raises(ClientError) as refused:
        put(cloudwatch, namespace(), datum)
    error = refused.value.response["Error"]
    assert (error["Code"], message in error["Message"]) == (code, True), error


def test_aws_s_own_namespaces_are_aws_s(cloudwatch: Any) -> None:
    with pytest.raises(ClientError, match="The value AWS/Lambda for parameter Namespace is invalid"):
        put(cloudwatch, "AWS/Lambda", {"Value": 1})


def test_periods_are_counted_from_the_start_which_is_rounded_down_to_its_minute(cloudwatch: Any) -> None:
    space, start = namespace(), minute(30)
    put(cloudwatch, space, *({"Value": n, "Timestamp": start + timedelta(minutes=n)} for n in range(10)))
    odd = start + timedelta(minutes=1, seconds=20)
    (result,) = asked(cloudwatch, query(space, Period=300), start=odd, ScanBy="TimestampAscending")["MetricDataResults"]
    assert result["Timestamps"] == [start + timedelta(minutes=1), start + timedelta(minutes=6)]
    assert result["Values"] == [1 + 2 + 3 + 4 + 5, 6 + 7 + 8 + 9]


def test_the_newest_come_first_and_pages_go_on_where_they_ended(cloudwatch: Any) -> None:
    space, start = namespace(), minute(30)
    put(cloudwatch, space, *({"Value": n, "Timestamp": start + timedelta(minutes=n)} for n in range(5)))
    queries = query(space), query(space, "Maximum")
    pages, token = [], dict[str, Any]()
    while True:
        answer = asked(cloudwatch, *queries, start=start, MaxDatapoints=3, **token)
        pages.append([(r["Id"], r["Values"], r["StatusCode"]) for r in answer["MetricDataResults"]])
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert pages == [
        [("q0", [4, 3, 2], "PartialData")],
        [("q0", [1, 0], "Complete"), ("q1", [4], "PartialData")],
        [("q1", [3, 2, 1], "PartialData")],
        [("q1", [0], "Complete")],
    ]


def test_a_metric_is_its_dimensions_and_one_unit_is_read_at_a_time(cloudwatch: Any) -> None:
    space, start = namespace(), minute(5)
    here = {"Timestamp": start}
    put(cloudwatch, space, {"Value": 60, "Unit": "Seconds"} | here, {"Value": 60_000, "Unit": "Milliseconds"} | here)
    put(cloudwatch, space, {"Value": 7, "Dimensions": [{"Name": "a", "Value": "b"}]} | here)
    plain, seconds = asked(cloudwatch, query(space), query(space, Unit="Seconds"), start=start)["MetricDataResults"]
    assert plain["Values"] == [60_000]
    assert plain["Messages"] == [
        {"Code": "MultipleUnits", "Value": "Multiple units returned: '[Milliseconds, Seconds]'"}
    ]
    assert seconds["Values"] == [60]


def test_labels_say_what_the_queries_differ_in(cloudwatch: Any) -> None:
    space = namespace()

    def labels(*queries: dict[str, Any]) -> list[str]:
        return [r["Label"] for r in asked(cloudwatch, *queries, start=minute(5))["MetricDataResults"]]

    assert labels(query(space)) == ["m"]
    assert labels(query(space), query(space, "Minimum")) == ["m Sum", "m Minimum"]
    assert labels(query(space), query(space, "Minimum", Period=30)) == ["m Sum 60", "m Minimum 30"]


def test_expressions_compute(cloudwatch: Any) -> None:
    space, start = namespace(), minute(5)
    put(cloudwatch, space, *({"Value": n, "Timestamp": start + timedelta(minutes=n)} for n in (0, 1, 3)))
    cases = {
        "2 + 3 * q0 ^ 2": [2, 5, 29],
        "-q0 / 2": [0, -0.5, -1.5],
        "12 / q0": [12, 4],
        "FILL(q0, 9)": [0, 1, 9, 3],
        "FILL(q0, REPEAT)": [0, 1, 1, 3],
        "FILL(q0, LINEAR)": [0, 1, 2, 3],
        "IF(q0 > 0 AND q0 < 3, 1, 0)": [0, 1, 0],
        "SUM([q0, q0])": [0, 2, 6],
        "MAX(METRICS())": [0, 1, 3],
        "q0 - AVG(q0)": [pytest.approx(n - 4 / 3) for n in (0, 1, 3)],
        "RUNNING_SUM(q0)": [0, 1, 4],
        "DIFF(q0)": [1, 2],
        "q0 / PERIOD(q0) * 60": [0, 1, 3],
    }
    queries = [{"Id": "q0", "MetricStat": query(space), "ReturnData": False}]
    queries += [{"Id": f"e{n}", "Expression": text} for n, text in enumerate(cases)]
    results = asked(cloudwatch, *queries, start=start, minutes=4, ScanBy="TimestampAscending")["MetricDataResults"]
    assert dict(zip(cases, [result["Values"] for result in results], strict=True)) == cases


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("q0 +", "expected more, found the end"),
        ("nowhere + 1", "'nowhere' is no other query's id"),
        ("e", "'e' is no other query's id"),
        ("1 + 1", "a scalar"),
        ("[q0, q0]", "several time series"),
        ("SEARCH('{AWS/Lambda}', 'Sum')", "unexpected"),
        ("ANOMALY_DETECTION_BAND(q0)", "the function ANOMALY_DETECTION_BAND is not supported"),
        ("SELECT SUM(m) FROM x", "unexpected"),
        ("q0 @ 2", "unexpected '@ 2'"),
        ("(" * 2000, "nested too deeply"),
    ],
)
def test_an_expression_that_makes_no_series_is_refused(cloudwatch: Any, expression: str, message: str) -> None:
    queries = {"Id": "q0", "MetricStat": query("none")}, {"Id": "e", "Expression": expression}
    with pytest.raises(ClientError) as refused:
        asked(cloudwatch, *queries, start=minute(5))
    error = refused.value.response["Error"]
    assert (error["Code"], message in error["Message"]) == ("ValidationError", True), error


def test_metrics_are_listed_500_at_a_time_and_a_large_request_comes_compressed(cloudwatch: Any) -> None:
    space = namespace()
    data = [
        {"MetricName": f"m{n:03}", "Value": n, "Dimensions": [{"Name": "n", "Value": str(n % 2)}]} for n in range(501)
    ]
    cloudwatch.put_metric_data(Namespace=space, MetricData=data)
    first = cloudwatch.list_metrics(Namespace=space)
    second = cloudwatch.list_metrics(Namespace=space, NextToken=first["NextToken"])
    names = [metric["MetricName"] for metric in first["Metrics"] + second["Metrics"]]
    assert names == [datum["MetricName"] for datum in data]
    assert "NextToken" not in second
    odd = cloudwatch.list_metrics(Namespace=space, Dimensions=[{"Name": "n", "Value": "1"}], RecentlyActive="PT3H")
    assert len(odd["Metrics"]) == 250
    with pytest.raises(ClientError, match="NextToken is invalid"):
        cloudwatch.list_metrics(NextToken="bm9uZQ==")


def test_get_metric_statistics_gives_1440_points_at_most(cloudwatch: Any) -> None:
    now = minute()
    with pytest.raises(ClientError, match="You have requested up to 86400 datapoints, which exceeds the limit of 1440"):
        cloudwatch.get_metric_statistics(
            Namespace="a", MetricName="m", StartTime=now, EndTime=now + timedelta(days=1), Period=1, Statistics=["Sum"]
        )


def test_points_outlive_the_process_and_are_forgotten_when_they_are_old(tmp_path: Path) -> None:
    metric, store = Metric("a", "m"), Store(tmp_path / "state.db")
    series = Series(store)
    series.put(metric, "Count", 60, Point.of(1))
    series.put(metric, "Count", 119, Point.of(2))
    series.flush()
    series.put(metric, "Count", 119, Point.of(3))
    series.flush()
    series.put(metric, "Count", 60, Point.of(4))
    again = Series(store)
    assert again.points(metric, 0, 1000)["Count"][60].sum == 6
    assert series.points(metric, 0, 1000)["Count"][60].sum == 10
    again.forget(before=120)
    assert (again.points(metric, 0, 1000), again.metrics()) == ({}, [])
    store.close()
