"""What the endpoint tells of itself: to Prometheus, through CloudWatch, in its log, and whether it is well."""

import asyncio
import json
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.model
import pytest
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess, eventually, running
from lambda_functions import deploy
from localaws.cloudwatch.series import Metric, Series
from localaws.cloudwatch.statistics import Point
from localaws.metrics.definitions import DEFINITIONS, Kind
from localaws.metrics.exposition import render
from localaws.metrics.reference import table
from localaws.metrics.registry import Reading, Registry
from localaws.metrics.sampling import Sampling
from localaws.store import Store
from prometheus_text import Family, parse

DOCS = Path(__file__).parent.parent.parent / "docs/observability.md"
SECRET = "what-nobody-may-read-in-a-log"
BUCKET, STREAM, QUEUE = "metrics", "clicks", "orders"


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointProcess]:
    """One that has done something of everything."""
    data_dir = tmp_path_factory.mktemp("metrics") / "data"
    for process in running(data_dir, "--bare", "--log-format", "json", "--log-level", "info"):
        _deliver(process)
        _invoke(process)
        _query(process)
        yield process


def _deliver(endpoint: EndpointProcess) -> None:
    endpoint.client("s3").create_bucket(Bucket=BUCKET)
    firehose = endpoint.client("firehose")
    destination = {
        "RoleARN": "arn:aws:iam::000000000000:role/firehose",
        "BucketARN": f"arn:aws:s3:::{BUCKET}",
        "BufferingHints": {"IntervalInSeconds": 0, "SizeInMBs": 1},
    }
    firehose.create_delivery_stream(DeliveryStreamName=STREAM, ExtendedS3DestinationConfiguration=destination)
    firehose.put_record(DeliveryStreamName=STREAM, Record={"Data": SECRET.encode()})
    firehose.put_record_batch(DeliveryStreamName=STREAM, Records=[{"Data": b"12345"}] * 3)
    assert eventually(lambda: endpoint.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents"))


def _invoke(endpoint: EndpointProcess) -> None:
    functions = endpoint.client("lambda")
    name = deploy(functions, "def handler(event, context):\n    return 1 / event['by']\n")
    for by in (1, 2, 0):
        functions.invoke(FunctionName=name, Payload=json.dumps({"by": by}))


def _query(endpoint: EndpointProcess) -> None:
    athena = endpoint.client("athena")
    where = {"OutputLocation": f"s3://{BUCKET}/results/"}
    number = athena.start_query_execution(QueryString="SELECT 1", ResultConfiguration=where)["QueryExecutionId"]

    def succeeded() -> bool:
        status = athena.get_query_execution(QueryExecutionId=number)["QueryExecution"]["Status"]
        return bool(status["State"] == "SUCCEEDED")

    assert eventually(succeeded)


@pytest.fixture(scope="module")
def cloudwatch(endpoint: EndpointProcess) -> Any:
    return endpoint.client("cloudwatch")


def get(endpoint: EndpointProcess, page: str) -> tuple[str, bytes]:
    """Its type and text; no signature is needed."""
    with urllib.request.urlopen(f"{endpoint.url}/_clicklake/{page}") as answer:
        return answer.headers["content-type"], answer.read()


def families(endpoint: EndpointProcess) -> dict[str, Family]:
    return dict(parse(get(endpoint, "metrics")[1].decode()))


def statistics(cloudwatch: Any, namespace: str, name: str, *stats: str, **dimensions: str) -> dict[str, float]:
    """Over all that there is."""
    queries = [
        {
            "Id": f"q{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": name,
                    "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
                },
                "Period": 86400,
                "Stat": stat,
            },
        }
        for number, stat in enumerate(stats)
    ]
    now = datetime.now(UTC)
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=now - timedelta(hours=12), EndTime=now + timedelta(hours=1)
    )
    results = {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}
    return {stat: results[f"q{number}"][0] for number, stat in enumerate(stats) if results[f"q{number}"]}


# Prometheus


def test_the_metrics_page_keeps_every_rule_of_the_text_format(endpoint: EndpointProcess) -> None:
    kind, text = get(endpoint, "metrics")
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    found = parse(text.decode())
    described = {definition.name: (definition.kind.value, definition.help) for definition in DEFINITIONS}
    assert {name: (family.kind, family.help) for name, family in found.items()}.items() <= described.items()


def test_label_values_and_helps_are_escaped() -> None:
    odd = 'a\\b"c\nd'
    text = render([Reading("clicklake_firehose_backlog_bytes", (odd,), 1.5)], []).decode()
    assert parse(text)["clicklake_firehose_backlog_bytes"].value(stream=odd) == 1.5


def test_firehose_counts_what_it_took_and_delivered(endpoint: EndpointProcess) -> None:
    found = families(endpoint)

    def of(name: str, **labels: str) -> float:
        return found[f"clicklake_firehose_{name}"].value(stream=STREAM, **labels)

    assert of("records_total", operation="PutRecord") == 1
    assert of("records_total", operation="PutRecordBatch") == 3
    assert of("bytes_total", operation="PutRecordBatch") == 15
    assert of("put_duration_seconds", operation="PutRecordBatch") == 1
    assert eventually(
        lambda: families(endpoint)["clicklake_firehose_delivered_records_total"].value(stream=STREAM) == 4
    )
    assert of("backlog_bytes") + of("delivered_bytes_total") == len(SECRET) + 15


def test_requests_are_counted_by_service_operation_and_status(endpoint: EndpointProcess) -> None:
    with pytest.raises(endpoint.client("kms").exceptions.NotFoundException):
        endpoint.client("kms").describe_key(KeyId="none")
    requests = families(endpoint)["clicklake_requests_total"]
    assert requests.value(service="s3", operation="CreateBucket", status="200") == 1
    assert requests.value(service="firehose", operation="PutRecordBatch", status="200") == 1
    assert requests.value(service="lambda", operation="Invoke", status="200") == 3
    assert requests.value(service="kms", operation="DescribeKey", status="400") == 1


def test_requests_that_are_refused_at_the_door_are_counted_without_their_words(endpoint: EndpointProcess) -> None:
    headers = {"x-amz-target": "A.Unheard"}
    request = urllib.request.Request(f"{endpoint.url}/unheard", headers=headers, method="POST")
    with pytest.raises(urllib.request.HTTPError):
        urllib.request.urlopen(request)
    with pytest.raises(urllib.request.HTTPError):
        urllib.request.urlopen(urllib.request.Request(f"{endpoint.url}/", headers={"host": "unheard.example"}))
    text = get(endpoint, "metrics")[1].decode()
    assert "nheard" not in text
    refused = parse(text)["clicklake_requests_total"]
    assert refused.value(service="", operation="", status="400") >= 1
    assert refused.value(service="", operation="", status="403") >= 1


def test_the_process_tells_of_itself(endpoint: EndpointProcess) -> None:
    found = families(endpoint)
    assert found["process_resident_memory_bytes"].value() > 2**20
    assert found["process_open_fds"].value() > 3
    assert found["clicklake_build_info"].samples
    assert found["clicklake_control_journal_bytes"].value() >= 0


def test_the_docs_have_the_table_of_metrics() -> None:
    assert table() in DOCS.read_text(), "python -m localaws.metrics.reference prints it"


def test_only_histograms_have_buckets_and_they_ascend() -> None:
    for definition in DEFINITIONS:
        assert bool(definition.buckets) == (definition.kind is Kind.HISTOGRAM)
        assert list(definition.buckets) == sorted(definition.buckets)


# CloudWatch, under AWS's names


def test_firehose_is_in_cloudwatch(endpoint: EndpointProcess, cloudwatch: Any) -> None:
    def total(name: str) -> float:
        return statistics(cloudwatch, "AWS/Firehose", name, "Sum", DeliveryStreamName=STREAM)["Sum"]

    assert eventually(
        lambda: families(endpoint)["clicklake_firehose_delivered_records_total"].value(stream=STREAM) == 4
    )
    incoming = {"IncomingRecords": 4, "IncomingBytes": len(SECRET) + 15, "IncomingPutRequests": 2}
    assert {name: total(name) for name in incoming} == incoming
    batches = {
        "PutRecordBatch.Records": 3,
        "PutRecordBatch.Requests": 1,
        "PutRecord.Requests": 1,
        "PutRecord.Bytes": 29,
    }
    assert {name: total(name) for name in batches} == batches
    assert total("DeliveryToS3.Records") == 4
    assert statistics(cloudwatch, "AWS/Firehose", "DeliveryToS3.Success", "Average", DeliveryStreamName=STREAM) == {
        "Average": 1
    }
    freshness = statistics(
        cloudwatch, "AWS/Firehose", "DeliveryToS3.DataFreshness", "Maximum", DeliveryStreamName=STREAM
    )
    assert 0 <= freshness["Maximum"] < 60
    latency = statistics(cloudwatch, "AWS/Firehose", "PutRecordBatch.Latency", "SampleCount", DeliveryStreamName=STREAM)
    assert latency == {"SampleCount": 1}


def test_lambda_is_in_cloudwatch_and_the_average_of_errors_is_their_share(
    endpoint: EndpointProcess, cloudwatch: Any
) -> None:
    (function,) = endpoint.client("lambda").list_functions()["Functions"]

    def of(name: str, *stats: str) -> dict[str, float]:
        return statistics(cloudwatch, "AWS/Lambda", name, *stats, FunctionName=function["FunctionName"])

    assert of("Invocations", "Sum", "SampleCount") == {"Sum": 3, "SampleCount": 3}
    assert of("Errors", "Sum", "Average", "Maximum") == {"Sum": 1, "Average": pytest.approx(1 / 3), "Maximum": 1}
    duration = of("Duration", "SampleCount", "Minimum", "p50", "Maximum")
    assert duration["SampleCount"] == 3
    assert 0 < duration["Minimum"] <= duration["p50"] <= duration["Maximum"] < 10_000  # milliseconds
    assert statistics(cloudwatch, "AWS/Lambda", "Invocations", "Sum") == {"Sum": 3}  # of all functions


def test_athena_is_in_cloudwatch(cloudwatch: Any) -> None:
    dimensions = {"QueryState": "SUCCEEDED", "QueryType": "DML", "WorkGroup": "primary"}
    assert statistics(cloudwatch, "AWS/Athena", "TotalExecutionTime", "SampleCount", **dimensions) == {"SampleCount": 1}
    assert statistics(cloudwatch, "AWS/Athena", "ProcessedBytes", "Sum", WorkGroup="primary") == {"Sum": 0}


def test_queues_are_in_cloudwatch(endpoint: EndpointProcess, cloudwatch: Any) -> None:
    sqs = endpoint.client("sqs")
    url = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
    for _ in range(2):
        sqs.send_message(QueueUrl=url, MessageBody="four")
    depth = statistics(cloudwatch, "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", QueueName=QUEUE)
    assert depth == {"Maximum": 2}
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    totals = {
        name: statistics(cloudwatch, "AWS/SQS", name, "Sum", QueueName=QUEUE)["Sum"]
        for name in ("NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted")
    }
    assert totals == {"NumberOfMessagesSent": 2, "NumberOfMessagesReceived": 1, "NumberOfMessagesDeleted": 1}
    sizes = statistics(cloudwatch, "AWS/SQS", "SentMessageSize", "Average", "SampleCount", QueueName=QUEUE)
    assert sizes == {"Average": 4, "SampleCount": 2}


def test_the_endpoint_s_metrics_and_a_client_s_are_listed_together(cloudwatch: Any) -> None:
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Orders", "Value": 1}])
    pages = cloudwatch.get_paginator("list_metrics").paginate()
    namespaces = {metric["Namespace"] for page in pages for metric in page["Metrics"]}
    assert {"AWS/Firehose", "AWS/Lambda", "AWS/Athena", "Shop"} <= namespaces
    wanted = cloudwatch.list_metrics(Namespace="AWS/Lambda", Dimensions=[{"Name": "FunctionName"}])["Metrics"]
    assert wanted
    assert all("FunctionName" in {d["Name"] for d in metric["Dimensions"]} for metric in wanted)


def test_what_a_counter_gained_belongs_to_the_minute_in_which_it_did_and_is_counted_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.db")
    now, counted = 50.0, 0

    def source() -> list[Reading]:
        if counted < 0:
            raise OSError("the disk is gone")
        return [Reading("clicklake_firehose_throttled_records_total", ("s",), counted)]

    series = Series(store)
    sampling = Sampling(Registry(), series, lambda: now)
    sampling.watch([source], [])
    for look in ((60.001, 3), (75.0, 5), (80.0, -1), (90.0, 6), (100.0, 2)):  # the last is of a stream made again
        now, counted = look
        asyncio.run(sampling.look())
    metric = Metric("AWS/Firehose", "ThrottledRecords", (("DeliveryStreamName", "s"),))
    points = series.points(metric, 0, 1000)["Count"]
    assert {minute: point.sum for minute, point in points.items()} == {0: 3, 60: 2 + 1 + 2}
    store.close()


# CloudWatch, for what clients put. Answers and messages are as AWS gave them to LocalStack's recorded tests.


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


# Health and the log


def test_health_says_how_every_service_is(endpoint: EndpointProcess) -> None:
    kind, text = get(endpoint, "health")
    said = json.loads(text)
    assert kind == "application/json"
    assert said["status"] == "ok"
    assert said["data_format"] == 1
    assert {"firehose", "s3", "events", "lambda", "athena", "control", "store"} <= said["services"].keys()
    keys = endpoint.keys()
    assert not any(secret.encode() in text for secret in keys.values())


def test_a_stream_whose_bucket_is_gone_degrades_the_health(endpoint: EndpointProcess, cloudwatch: Any) -> None:
    firehose = endpoint.client("firehose")
    destination = {
        "RoleARN": "arn:aws:iam::000000000000:role/firehose",
        "BucketARN": "arn:aws:s3:::nowhere",
        "BufferingHints": {"IntervalInSeconds": 0, "SizeInMBs": 1},
    }
    firehose.create_delivery_stream(DeliveryStreamName="lost", ExtendedS3DestinationConfiguration=destination)
    firehose.put_record(DeliveryStreamName="lost", Record={"Data": b"x"})
    assert eventually(lambda: json.loads(get(endpoint, "health")[1])["status"] == "degraded")
    said = json.loads(get(endpoint, "health")[1])["services"]["firehose"]
    assert said["undeliverable"] == ["lost"]
    assert statistics(cloudwatch, "AWS/Firehose", "DeliveryToS3.DataFreshness", "Maximum", DeliveryStreamName="lost")
    endpoint.client("s3").create_bucket(Bucket="nowhere")
    assert eventually(lambda: json.loads(get(endpoint, "health")[1])["status"] == "ok")


def test_the_log_is_one_json_object_a_line_and_knows_every_request(endpoint: EndpointProcess) -> None:
    endpoint.client("s3").head_bucket(Bucket=BUCKET)
    assert eventually(lambda: "HeadBucket" in endpoint.log.read_text())
    lines = [json.loads(line) for line in endpoint.log.read_text().splitlines()]
    line = next(line for line in reversed(lines) if line.get("operation") == "HeadBucket")
    assert line["level"] == "info"
    assert (line["service"], line["method"], line["path"], line["status"]) == ("s3", "HEAD", f"/{BUCKET}", 200)
    assert line["duration_ms"] > 0
    assert line["request_id"]
    assert datetime.fromisoformat(line["time"]).tzinfo is not None


def test_no_credential_signature_or_body_is_in_the_log(endpoint: EndpointProcess) -> None:
    url = endpoint.client("s3").generate_presigned_url("list_objects_v2", {"Bucket": BUCKET})
    with urllib.request.urlopen(url) as answer:
        assert answer.status == 200
    endpoint.client("s3").put_object(Bucket=BUCKET, Key="a", Body=SECRET.encode())
    text = endpoint.log.read_text()
    assert not [word for word in (SECRET, "Signature=", *endpoint.keys().values()) if word in text]
