"""What the endpoint tells of itself: to Prometheus, through CloudWatch, in its log, and whether it is well."""

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from endpoint_process import EndpointProcess, eventually, running
from lambda_functions import deploy
from localaws.cloudwatch.series import Metric, Series
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


# Health and the log


def test_health_says_how_every_service_is(endpoint: EndpointProcess) -> None:
    kind, text = get(endpoint, "health")
    said = json.loads(text)
    assert kind == "application/json"
    assert said["status"] == "ok"
    assert said["data_format"] == int((endpoint.data_dir / "format").read_text())
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
