"""S3 event notifications: which reach whom, in AWS's shape, at least once and across a kill."""

import json
import uuid
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
    configuration = {"LambdaFunctionConfigurations": configurations}
    aws("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=configuration, SkipDestinationValidation=True
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


EVERYTHING = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*", "s3:ObjectAcl:Put"]


@pytest.fixture
def heard(aws: Client, bucket: str) -> Callable[[int], list[dict[str, Any]]]:
    """A queue that is told everything about the bucket: heard(count) waits for so many records, in their order."""
    sqs, name = aws("sqs"), f"heard-{uuid.uuid4()}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue = {"Id": "all", "QueueArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}", "Events": EVERYTHING}
    configuration = {"QueueConfigurations": [queue]}
    aws("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=configuration, SkipDestinationValidation=True
    )
    told: list[dict[str, Any]] = []

    def receive() -> int:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["AWSTraceHeader"])
        for message in answer.get("Messages", []):
            told.extend({**r, "trace": message.get("Attributes", {})} for r in json.loads(message["Body"])["Records"])
        return len(told)

    def wait(count: int) -> list[dict[str, Any]]:
        assert eventually(lambda: receive() >= count)
        return told

    return wait


def test_every_kind_of_change_is_told_under_its_name(
    aws: Client, bucket: str, heard: Callable[[int], list[dict[str, Any]]]
) -> None:
    s3 = aws("s3")
    s3.put_object(Bucket=bucket, Key="k", Body=b"12345", Tagging="a=b")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    etag = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload=parts)
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": []})
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}, {"Key": "never there"}]})
    told = heard(7)
    assert [(r["eventName"], r["s3"]["object"]["key"], r["s3"]["object"].get("size")) for r in told] == [
        ("ObjectCreated:Put", "k", 5),
        ("ObjectCreated:Copy", "copy", 5),
        ("ObjectCreated:CompleteMultipartUpload", "parts", 4),
        ("ObjectTagging:Put", "k", None),
        ("ObjectTagging:Delete", "k", None),
        ("ObjectRemoved:Delete", "k", None),
        ("ObjectRemoved:Delete", "never+there", None),
    ]
    sequencers = [r["s3"]["object"].get("sequencer") for r in told]
    assert [bool(sequencer) for sequencer in sequencers] == [True, True, True, False, False, True, True]
    rising = [sequencer for sequencer in sequencers if sequencer]
    assert sorted(rising) == rising
    assert [r["eventVersion"] for r in told] == ["2.1", "2.1", "2.1", "2.3", "2.3", "2.1", "2.1"]


def test_an_event_says_which_version_who_asked_and_on_whose_trace(
    aws: Client, bucket: str, heard: Callable[[int], list[dict[str, Any]]]
) -> None:
    s3, trace = aws("s3", user_agent_extra="traced"), "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Lineage=a87bd80c:1"
    s3.meta.events.register("before-send.s3.*", lambda request, **_: request.headers.update({"X-Amzn-Trace-Id": trace}))
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    marker = s3.delete_object(Bucket=bucket, Key="k")
    for version in (put["VersionId"], marker["VersionId"]):
        s3.delete_object(Bucket=bucket, Key="k", VersionId=version)
    told = heard(4)
    assert [(r["eventName"], r["s3"]["object"]["versionId"]) for r in told] == [
        ("ObjectCreated:Put", put["VersionId"]),
        ("ObjectRemoved:DeleteMarkerCreated", marker["VersionId"]),
        ("ObjectRemoved:Delete", put["VersionId"]),
        ("ObjectRemoved:Delete", marker["VersionId"]),
    ]
    assert told[0]["responseElements"]["x-amz-request-id"] == put["ResponseMetadata"]["RequestId"]
    assert told[0]["userIdentity"] == {"principalId": f"AWS:{aws('sts').get_caller_identity()['UserId']}"}
    assert told[0]["s3"]["bucket"]["ownerIdentity"]["principalId"] not in {ACCOUNT, ""}
    assert told[0]["trace"] == {"AWSTraceHeader": trace}


def test_faults_on_purpose_repeat_and_reorder_what_is_told_and_no_kill_loses_it(
    aws: Client, bucket: str, endpoint: EndpointProcess, tmp_path: Path
) -> None:
    """The kill comes while many of them wait."""
    notify(aws, bucket, ("all", recorder(aws, tmp_path / "out"), ["s3:ObjectCreated:*"], {}))
    faults = {"seed": 1, "duplicate": 0.3, "delay": 0.5, "delay_seconds": 1, "reorder": 0.3, "s3_write_errors": 0.3}
    endpoint.kill()
    endpoint.variables["CLICKLAKE_FAULTS"] = json.dumps(faults)
    endpoint.start()
    assert 3 < put_numbers(aws, bucket, 40) < 30
    endpoint.kill()
    del endpoint.variables["CLICKLAKE_FAULTS"]
    endpoint.start()
    there = {o["Key"] for o in aws("s3").list_objects_v2(Bucket=bucket)["Contents"]}
    assert eventually(lambda: {r["s3"]["object"]["key"] for r in records(tmp_path / "out")} == there)
    assert eventually(lambda: len(records(tmp_path / "out")) > len(there))
    told = [r["s3"]["object"]["key"] for r in records(tmp_path / "out")]
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


def test_eventbridge_hands_on_what_its_rules_want(aws: Client, bucket: str, tmp_path: Path) -> None:
    s3, rules, name = aws("s3"), aws("events"), f"bridged-{uuid.uuid4()}"
    url = aws("sqs").create_queue(QueueName=name)["QueueUrl"]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    pattern = {"source": ["aws.s3"], "detail-type": ["Object Deleted"], "detail": {"bucket": {"name": [bucket]}}}
    rules.put_rule(Name=name, EventPattern=json.dumps(pattern))
    queue = {"Id": "queue", "Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"}
    rules.put_targets(Rule=name, Targets=[queue])
    s3.put_object(Bucket=bucket, Key="a b", Body=b"")
    s3.delete_object(Bucket=bucket, Key="a b")
    (message,) = aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
    event = json.loads(message["Body"])
    assert (event["source"], event["account"], event["resources"]) == ("aws.s3", ACCOUNT, [f"arn:aws:s3:::{bucket}"])
    assert (event["detail"]["object"]["key"], event["detail"]["deletion-type"]) == ("a b", "Permanently Deleted")
    with pytest.raises(ClientError, match="InputPath"):
        rules.put_targets(Rule=name, Targets=[queue | {"InputPath": "$.detail"}])


def allowing_s3(arn: str, action: str, bucket: str) -> str:
    """A resource policy that lets S3 tell of this bucket."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": action,
        "Resource": arn,
        "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_target_must_be_there_and_let_s3_in(aws: Client, bucket: str) -> None:
    """Each is refused until it may be told; then a queue is told so."""
    sqs, sns, put = aws("sqs"), aws("sns"), aws("s3").put_bucket_notification_configuration
    name = f"tried-{uuid.uuid4()}"
    queue, topic = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}", f"arn:aws:sns:us-east-1:{ACCOUNT}:{name}"
    function = arn(deploy(aws("lambda"), RECORDER))
    wanted = {
        "QueueConfigurations": [{"QueueArn": queue, "Events": ["s3:ObjectCreated:*"]}],
        "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectRemoved:*"]}],
        "LambdaFunctionConfigurations": [{"LambdaFunctionArn": function, "Events": ["s3:ObjectTagging:*"]}],
    }

    def refused() -> list[str]:
        with pytest.raises(ClientError) as refusal:
            put(Bucket=bucket, NotificationConfiguration=wanted)
        error = refusal.value.response["Error"]
        assert (error["Code"], error["ArgumentName2"]) == ("InvalidArgument", queue)
        return [error[f"ArgumentValue{n}"] for n in (1, 2, 3)]

    no_function = f"Not authorized to invoke function [{function}]"
    assert refused() == [no_function, "The destination queue does not exist", "The destination topic does not exist"]
    url, _ = sqs.create_queue(QueueName=name)["QueueUrl"], sns.create_topic(Name=name)
    let_in = "do not allow S3 to publish notifications from this bucket"
    assert refused() == [
        no_function,
        *(f"Permissions on the destination {noun} {let_in}" for noun in ("queue", "topic")),
    ]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": allowing_s3(queue, "sqs:SendMessage", bucket)})
    policy = allowing_s3(topic, "sns:Publish", bucket)
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    let = {"StatementId": "s3", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    aws("lambda").add_permission(FunctionName=function, SourceArn=f"arn:aws:s3:::{bucket}", **let)
    put(Bucket=bucket, NotificationConfiguration=wanted)
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    told = json.loads(message["Body"])
    assert (told["Event"], told["Bucket"]) == ("s3:TestEvent", bucket)
