"""The function in place: raw objects come, go bad and come back, and the lake follows."""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from endpoint_process import EndpointProcess

BUCKET, FUNCTION, DATABASE = "clickstream-lake-dev", "clickstream-raw-to-processed-dev", "clickstream_db"
DAY = "year=2025/month=11/day=26"
GOOD, BAD = b'{"event_type":"page_view","event_id":"a","user_id":"u-secret"}\n', b"rubbish-secret\n"


@pytest.fixture
def s3(stack: EndpointProcess) -> Any:
    return stack.client("s3")


@pytest.fixture
def invoke(stack: EndpointProcess) -> Callable[[str], tuple[dict[str, Any], str | None]]:
    """Call the function with the S3 event of one key (as S3 encodes it); what it answered, and FunctionError."""
    client = stack.client("lambda", read_timeout=60)

    def call(encoded_key: str) -> tuple[dict[str, Any], str | None]:
        event = {"Records": [{"s3": {"bucket": {"name": BUCKET}, "object": {"key": encoded_key}}}]}
        answer = client.invoke(FunctionName=FUNCTION, Payload=json.dumps(event))
        return json.loads(answer["Payload"].read()), answer.get("FunctionError")

    return call


def keys(s3: Any, prefix: str) -> set[str]:
    return {found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])}


def ledger(s3: Any, name: str) -> dict[str, Any]:
    body = s3.get_object(Bucket=BUCKET, Key=f"ledger/{DAY}/{name}.json.gz")["Body"].read()
    row: dict[str, Any] = json.loads(gzip.decompress(body))
    return row


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def until_processed(s3: Any, name: str, size: int) -> None:
    """Until the ledger has the row of the raw object of `size` bytes."""
    until(lambda: bool(keys(s3, f"ledger/{DAY}/{name}")) and ledger(s3, name)["bytes_in"] == size)


def names() -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield f"clickstream-firehose-dev-1-2025-11-26-10-15-{number:02}-test"


NAMES = names()


def test_outputs_follow_their_raw_object_from_good_to_bad_and_back(s3: Any) -> None:
    name = next(NAMES)
    outputs = {
        b"": set[str](),
        GOOD: {f"processed/{DAY}/{name}.parquet"},
        BAD: {f"failed/{DAY}/{name}.json.gz"},
        GOOD + BAD: {f"processed/{DAY}/{name}.parquet", f"failed/{DAY}/{name}.json.gz"},
    }
    for raw in (GOOD, BAD, GOOD + BAD, b"", GOOD):
        packed = gzip.compress(raw)
        s3.put_object(Bucket=BUCKET, Key=f"raw/{DAY}/{name}.gz", Body=packed)
        until_processed(s3, name, len(packed))
        assert keys(s3, f"processed/{DAY}/{name}") | keys(s3, f"failed/{DAY}/{name}") == outputs[raw]
        row = ledger(s3, name)
        assert row["records_in"] == row["good"] + row["duplicate"] + row["failed"] == raw.count(b"\n")
    versions = s3.list_object_versions(Bucket=BUCKET, Prefix=f"failed/{DAY}/{name}")
    assert (len(versions["Versions"]), len(versions["DeleteMarkers"])) == (2, 1)  # the last that was written is marked
    other_format = s3.list_object_versions(Bucket=BUCKET, Prefix=f"processed/{DAY}/{name}.json")
    assert "DeleteMarkers" not in other_format  # what never was is not marked as deleted


def test_the_days_partition_is_registered_in_every_table_that_has_rows(stack: EndpointProcess, s3: Any) -> None:
    name = next(NAMES)
    s3.put_object(Bucket=BUCKET, Key=f"raw/{DAY}/{name}.gz", Body=gzip.compress(GOOD + BAD))
    until(lambda: keys(s3, f"ledger/{DAY}/{name}") != set())
    glue = stack.client("glue")
    for table, zone in (
        ("clickstream_events", "processed"),
        ("clickstream_failed", "failed"),
        ("clickstream_ledger", "ledger"),
    ):
        found = glue.get_partition(DatabaseName=DATABASE, TableName=table, PartitionValues=["2025", "11", "26"])
        assert found["Partition"]["StorageDescriptor"]["Location"] == f"s3://{BUCKET}/{zone}/{DAY}/"
        described = glue.get_table(DatabaseName=DATABASE, Name=table)["Table"]["StorageDescriptor"]
        assert found["Partition"]["StorageDescriptor"]["Columns"] == described["Columns"]


def test_the_function_reads_the_key_as_s3_encodes_it(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key=f"raw/{DAY}/my export+ü%2F.gz", Body=gzip.compress(GOOD))
    until(lambda: len(keys(s3, f"processed/{DAY}/my export+ü%2F-")) == 1)


def test_an_object_that_is_gone_is_skipped(invoke: Callable[[str], tuple[dict[str, Any], str | None]]) -> None:
    assert invoke(f"raw/{DAY}/gone.gz") == ({"processed": 0, "gone": 1}, None)


def test_a_key_outside_raw_is_refused(invoke: Callable[[str], tuple[dict[str, Any], str | None]]) -> None:
    answer, error = invoke(f"processed/{DAY}/x.parquet")
    assert error
    assert "check the trigger's prefix" in answer["errorMessage"]


def test_the_test_event_of_s3_is_no_error(stack: EndpointProcess) -> None:
    payload = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET})
    answer = stack.client("lambda", read_timeout=60).invoke(FunctionName=FUNCTION, Payload=payload)
    assert json.loads(answer["Payload"].read()) == {"processed": 0, "gone": 0}


def test_logs_have_counts_and_never_content(stack: EndpointProcess, s3: Any) -> None:
    name = next(NAMES)
    s3.put_object(Bucket=BUCKET, Key=f"raw/{DAY}/{name}.gz", Body=gzip.compress(GOOD + BAD))
    logs = stack.client("logs")

    def lines() -> list[str]:
        return [event["message"] for event in logs.filter_log_events(logGroupName=f"/aws/lambda/{FUNCTION}")["events"]]

    until(lambda: any(name in line for line in lines()))
    (said,) = [json.loads(line) for line in lines() if name in line]
    assert said | {"outcome": "processed", "records_in": 2, "good": 1, "failed": 1} == said
    assert not [line for line in lines() if "secret" in line]
