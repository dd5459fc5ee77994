"""S3 event notifications: which reach whom, in AWS's shape, at least once and across a kill."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess, eventually
from lambda_functions import deploy, package
from localaws.s3.notifications import deliveries

Client = Callable[..., Any]
ACCOUNT = "000000000000"

# Appends each record that it gets, as one line, to the file that its environment names.
RECORDER = """
import json, os
def handler(event, context):
    with open(os.environ["OUT"], "a") as file:
        file.writelines(json.dumps(record) + chr(10) for record in event["Records"])
"""


def arn(name: str) -> str:
    return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"


def records(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []


@pytest.fixture
def bucket(aws: Client) -> Iterator[str]:
    name = "events-lake"
    aws("s3").create_bucket(Bucket=name)
    yield name
    for item in aws("s3").list_objects_v2(Bucket=name).get("Contents", []):
        aws("s3").delete_object(Bucket=name, Key=item["Key"])
    aws("s3").delete_bucket(Bucket=name)


def recorder(aws: Client, out: Path) -> str:
    return arn(deploy(aws("lambda"), RECORDER, Environment={"Variables": {"OUT": str(out)}}))


def notify(aws: Client, bucket: str, *entries: tuple[str, str, list[str], dict[str, str]]) -> None:
    """Each entry: configuration id, function ARN, events, {"prefix": ..., "suffix": ...}."""
    configurations = [
        {
            "Id": name,
            "LambdaFunctionArn": function,
            "Events": events,
            "Filter": {"Key": {"FilterRules": [{"Name": k, "Value": v} for k, v in rules.items()]}},
        }
        for name, function, events, rules in entries
    ]
    aws("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": configurations}
    )


def test_a_new_object_is_told_to_the_function_in_awss_shape(aws: Client, bucket: str, tmp_path: Path) -> None:
    notify(aws, bucket, ("to-fn", recorder(aws, tmp_path / "out"), ["s3:ObjectCreated:*"], {"prefix": "raw/"}))
    put = aws("s3").put_object(Bucket=bucket, Key="raw/a b=1+ü.gz", Body=b"12345")
    (record,) = eventually(lambda: records(tmp_path / "out"))
    assert (record["eventVersion"], record["eventSource"], record["awsRegion"]) == ("2.1", "aws:s3", "us-east-1")
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["s3"]["s3SchemaVersion"] == "1.0"
    assert record["s3"]["configurationId"] == "to-fn"
    assert record["s3"]["bucket"]["name"] == bucket
    assert record["s3"]["bucket"]["arn"] == f"arn:aws:s3:::{bucket}"
    assert record["s3"]["object"]["key"] == "raw/a+b%3D1%2B%C3%BC.gz"
    assert record["s3"]["object"]["size"] == 5
    assert record["s3"]["object"]["eTag"] == put["ETag"].strip('"')
    assert record["s3"]["object"]["sequencer"]


def test_only_wanted_keys_and_kinds_are_told(aws: Client, bucket: str, tmp_path: Path) -> None:
    function = recorder(aws, tmp_path / "out")
    notify(
        aws,
        bucket,
        ("created", function, ["s3:ObjectCreated:Put"], {"prefix": "raw/", "suffix": ".gz"}),
        ("removed", function, ["s3:ObjectRemoved:*"], {"prefix": "gone/"}),
    )
    s3 = aws("s3")
    for key in ("other/a.gz", "raw/a.txt", "gone/a", "raw/a.gz"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    s3.copy_object(Bucket=bucket, Key="raw/copy.gz", CopySource={"Bucket": bucket, "Key": "raw/a.gz"})
    s3.delete_object(Bucket=bucket, Key="gone/a")
    assert eventually(lambda: len(records(tmp_path / "out")) == 2)
    told = {(r["s3"]["configurationId"], r["s3"]["object"]["key"]) for r in records(tmp_path / "out")}
    assert told == {("created", "raw/a.gz"), ("removed", "gone/a")}


def test_a_target_that_is_not_there_yet_gets_its_events_later(
    aws: Client, bucket: str, endpoint: EndpointProcess, tmp_path: Path
) -> None:
    """Other targets get theirs in the meantime; and a kill in between loses nothing."""
    client = aws("lambda")
    late = f"late-{tmp_path.name[-20:].replace('_', '-')}"
    present = recorder(aws, tmp_path / "present")
    notify(
        aws,
        bucket,
        ("late", arn(late), ["s3:ObjectCreated:*"], {"prefix": "a"}),
        ("present", present, ["s3:ObjectCreated:*"], {"prefix": "b"}),
    )
    aws("s3").put_object(Bucket=bucket, Key="a", Body=b"")
    aws("s3").put_object(Bucket=bucket, Key="b", Body=b"")
    assert eventually(lambda: records(tmp_path / "present"))
    endpoint.kill()
    endpoint.start()
    source = {"ZipFile": package(RECORDER)}
    client.create_function(
        FunctionName=late,
        Runtime="python3.13",
        Role=f"arn:aws:iam::{ACCOUNT}:role/r",
        Handler="app.handler",
        Code=source,
        Environment={"Variables": {"OUT": str(tmp_path / "late")}},
    )
    assert eventually(lambda: records(tmp_path / "late"))
    assert [r["s3"]["object"]["key"] for r in records(tmp_path / "late")] == ["a"]


def test_no_event_is_lost_by_kills(aws: Client, bucket: str, endpoint: EndpointProcess, tmp_path: Path) -> None:
    notify(aws, bucket, ("all", recorder(aws, tmp_path / "out"), ["s3:ObjectCreated:*"], {}))
    put = set()
    s3 = aws("s3")
    for round_ in range(2):
        for i in range(20):
            key = f"{round_}/{i}"
            s3.put_object(Bucket=bucket, Key=key, Body=b"")
            put.add(key)
        endpoint.kill()
        endpoint.start()
    assert eventually(lambda: {r["s3"]["object"]["key"].replace("%2F", "/") for r in records(tmp_path / "out")} >= put)


def test_faults_on_purpose_repeat_and_reorder_what_is_told_and_lose_nothing(
    aws: Client, bucket: str, endpoint: EndpointProcess, tmp_path: Path
) -> None:
    notify(aws, bucket, ("all", recorder(aws, tmp_path / "out"), ["s3:ObjectCreated:*"], {}))
    faults = {"seed": 1, "duplicate": 0.3, "delay": 0.3, "delay_seconds": 0.5, "reorder": 0.3, "s3_write_errors": 0.3}
    endpoint.kill()
    endpoint.variables["CLICKLAKE_FAULTS"] = json.dumps(faults)
    endpoint.start()
    refused = put_numbers(aws, bucket, 40)
    assert 3 < refused < 30
    assert eventually(lambda: len({r["s3"]["object"]["key"] for r in records(tmp_path / "out")}) >= 40 - refused)
    endpoint.kill()
    endpoint.variables.clear()
    endpoint.start()
    there = {o["Key"] for o in aws("s3").list_objects_v2(Bucket=bucket)["Contents"]}
    assert eventually(lambda: {r["s3"]["object"]["key"] for r in records(tmp_path / "out")} == there)
    told = [r["s3"]["object"]["key"] for r in records(tmp_path / "out")]
    assert len(told) > len(there)
    assert sorted(told) != told


def put_numbers(aws: Client, bucket: str, count: int) -> int:
    """Objects 00, 01 ...; how many of them were refused."""
    s3 = aws("s3", retries={"total_max_attempts": 1})
    refused = 0
    for number in range(count):
        try:
            s3.put_object(Bucket=bucket, Key=f"{number:02}", Body=b"")
        except ClientError:
            refused += 1
    return refused


@pytest.mark.parametrize(
    ("events", "rules", "name", "key", "told"),
    [
        (["s3:ObjectCreated:*"], {}, "ObjectCreated:CompleteMultipartUpload", "k", True),
        (["s3:ObjectCreated:Put"], {}, "ObjectCreated:Copy", "k", False),
        (["s3:ObjectCreated:Put", "s3:ObjectCreated:Copy"], {}, "ObjectCreated:Copy", "k", True),
        (["s3:ObjectRemoved:*"], {}, "ObjectCreated:Put", "k", False),
        (["s3:ObjectCreated:*"], {"Prefix": "year=1/"}, "ObjectCreated:Put", "year=1/a", True),
        (["s3:ObjectCreated:*"], {"Prefix": "year%3D1/"}, "ObjectCreated:Put", "year=1/a", True),
        (["s3:ObjectCreated:*"], {"prefix": "a b"}, "ObjectCreated:Put", "a b", True),
        (["s3:ObjectCreated:*"], {"suffix": ".gz", "prefix": "raw/"}, "ObjectCreated:Put", "raw/a.gz", True),
        (["s3:ObjectCreated:*"], {"suffix": ".gz", "prefix": "raw/"}, "ObjectCreated:Put", "raw/a.gz.txt", False),
        (["s3:ObjectCreated:*"], {"prefix": ""}, "ObjectCreated:Put", "anything", True),
    ],
)
def test_events_and_filter_rules_decide(
    events: list[str], rules: dict[str, str], name: str, key: str, told: bool
) -> None:
    filter_ = {"Key": {"FilterRules": [{"Name": k, "Value": v} for k, v in rules.items()]}}
    configuration = {"QueueConfigurations": [{"Id": "q", "QueueArn": "arn", "Events": events, "Filter": filter_}]}
    assert [d.arn for d in deliveries(configuration, name, key)] == (["arn"] if told else [])
