"""Delivery streams as they are changed: UpdateDestination, encryption, tags, lists, and each parameter's rule."""

import functools
import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess, eventually

BUCKET = "streams-lake"
ROLE = "arn:aws:iam::000000000000:role/firehose"
ERRORS = "errors/!{firehose:error-output-type}/"
Client = Callable[..., Any]


@pytest.fixture(scope="module")
def aws(endpoint: EndpointProcess) -> Client:
    """One client a service: to make one takes longer than to ask it."""
    return functools.cache(endpoint.client)


@pytest.fixture(scope="module", autouse=True)
def bucket(aws: Client) -> str:
    aws("s3").create_bucket(Bucket=BUCKET)
    return BUCKET


def create(aws: Client, *, seconds: int = 0, bucket: str = BUCKET, **more: Any) -> str:
    name = f"stream-{uuid.uuid4()}"
    destination = {
        "RoleARN": ROLE,
        "BucketARN": f"arn:aws:s3:::{bucket}",
        "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": seconds},
        "Prefix": f"{name}/",
        **more,
    }
    aws("firehose").create_delivery_stream(DeliveryStreamName=name, ExtendedS3DestinationConfiguration=destination)
    return name


def update(aws: Client, stream: str, version: int = 1, **changes: Any) -> None:
    aws("firehose").update_destination(
        DeliveryStreamName=stream,
        CurrentDeliveryStreamVersionId=str(version),
        DestinationId="destinationId-000000000001",
        ExtendedS3DestinationUpdate=changes,
    )


def put(aws: Client, stream: str, *records: str) -> None:
    data = [{"Data": record.encode()} for record in records]
    assert aws("firehose").put_record_batch(DeliveryStreamName=stream, Records=data)["FailedPutCount"] == 0


def describe(aws: Client, stream: str) -> dict[str, Any]:
    answer: dict[str, Any] = aws("firehose").describe_delivery_stream(DeliveryStreamName=stream)
    return answer["DeliveryStreamDescription"]  # type: ignore[no-any-return]


def delivered(aws: Client, prefix: str, bucket: str = BUCKET) -> dict[str, str]:
    s3 = aws("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys}


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call()
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_an_update_changes_what_it_names_and_keeps_the_rest(aws: Client) -> None:
    stream = create(aws, CompressionFormat="GZIP", FileExtension=".json.gz")
    assert "LastUpdateTimestamp" not in describe(aws, stream)
    update(aws, stream, BufferingHints={"SizeInMBs": 2, "IntervalInSeconds": 900}, CustomTimeZone="Asia/Tokyo")
    description = describe(aws, stream)
    s3 = description["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert (description["VersionId"], s3["CompressionFormat"], s3["FileExtension"]) == ("2", "GZIP", ".json.gz")
    assert (s3["BufferingHints"], s3["Prefix"]) == ({"SizeInMBs": 2, "IntervalInSeconds": 900}, f"{stream}/")
    assert description["LastUpdateTimestamp"] >= description["CreateTimestamp"]


def test_what_was_buffered_goes_where_it_was_to_go_and_the_rest_where_the_update_says(aws: Client) -> None:
    stream = create(aws, seconds=900)
    put(aws, stream, "before")
    update(
        aws,
        stream,
        Prefix=f"{stream}/new/!{{timestamp:yyyy}}/",
        ErrorOutputPrefix=ERRORS,
        FileExtension=".txt",
        BufferingHints={"SizeInMBs": 1, "IntervalInSeconds": 0},
    )
    put(aws, stream, "after")
    found = eventually(lambda: len(found := delivered(aws, f"{stream}/")) == 2 and found)
    assert found
    assert {text: f"/{stream}-2-" in key and key.endswith(".txt") for key, text in found.items()} == {
        "before": False,
        "after": True,
    }


def test_updates_under_load_lose_nothing_and_double_nothing(aws: Client) -> None:
    stream, stop = create(aws), threading.Event()
    sent: list[str] = []

    def ingest() -> None:
        firehose = aws("firehose")
        while not stop.is_set():
            records = [f"{len(sent) + i}\n" for i in range(50)]
            data = [{"Data": record.encode()} for record in records]
            assert firehose.put_record_batch(DeliveryStreamName=stream, Records=data)["FailedPutCount"] == 0
            sent.extend(records)

    thread = threading.Thread(target=ingest)
    thread.start()
    for version in range(1, 8):
        assert eventually(lambda: len(sent) > version * 200)  # noqa: B023 - asked at once
        update(aws, stream, version, Prefix=f"{stream}/{version % 2}/")
    stop.set()
    thread.join()

    def found() -> Counter[str]:
        return Counter("".join(delivered(aws, f"{stream}/").values()).splitlines(keepends=True))

    assert eventually(lambda: found() == Counter(sent))


def test_records_that_wait_for_a_bucket_that_is_gone_follow_an_update(aws: Client) -> None:
    aws("s3").create_bucket(Bucket="goes-away")
    stream = create(aws, seconds=900, bucket="goes-away")
    put(aws, stream, "stuck")
    aws("s3").delete_bucket(Bucket="goes-away")
    update(aws, stream, BucketARN=f"arn:aws:s3:::{BUCKET}")
    assert eventually(lambda: list(delivered(aws, f"{stream}/").values()) == ["stuck"])
    (key,) = delivered(aws, f"{stream}/")
    assert f"/{stream}-2-" in key


def test_what_waited_at_a_kill_is_delivered_after_the_restart_each_under_its_own_version(
    aws: Client, endpoint: EndpointProcess
) -> None:
    buffering, stuck, later = create(aws, seconds=900), create(aws, bucket="later", Prefix="old/"), f"{BUCKET}-later"
    sent = [f"{i}\n" for i in range(100)]
    put(aws, buffering, *sent)
    put(aws, stuck, "before")
    update(aws, stuck, Prefix="new/", BucketARN=f"arn:aws:s3:::{later}")
    put(aws, stuck, "after")
    endpoint.kill()
    endpoint.start()
    assert eventually(lambda: list(delivered(aws, f"{buffering}/").values()) == ["".join(sent)])
    for bucket in (later, "later"):
        aws("s3").create_bucket(Bucket=bucket)

    def found() -> list[str]:
        return sorted([*delivered(aws, "", "later").values(), *delivered(aws, "", later).values()])

    assert eventually(lambda: found() in (["after", "before"], ["afterbefore"], ["beforeafter"]))
    assert "after" in "".join(delivered(aws, "new/", later).values())


@pytest.mark.parametrize(
    ("changed", "code", "named"),
    [
        ({"CurrentDeliveryStreamVersionId": "7"}, "ConcurrentModificationException", "current version id: 1"),
        ({"DestinationId": "destinationId-000000000002"}, "InvalidArgumentException", "Destination Id"),
        ({"DeliveryStreamName": "nosuch"}, "ResourceNotFoundException", "Firehose nosuch under account not found"),
        ({"ExtendedS3DestinationUpdate": {"Prefix": "!{timestamp:yyyy}/"}}, "InvalidArgumentException", "ErrorOutput"),
        (
            {"ExtendedS3DestinationUpdate": {"DynamicPartitioningConfiguration": {"Enabled": True}}},
            "InvalidArgumentException",
            "DynamicPartitioning",
        ),
        (
            {"ExtendedS3DestinationUpdate": {"DataFormatConversionConfiguration": {}}},
            "InvalidArgumentException",
            "DataFormatConversion",
        ),
        (
            {"HttpEndpointDestinationUpdate": {"EndpointConfiguration": {"Url": "https://example.com/"}}},
            "InvalidArgumentException",
            "HttpEndpointDestinationUpdate",
        ),
    ],
)
def test_an_update_that_is_wrong_changes_nothing(aws: Client, changed: dict[str, Any], code: str, named: str) -> None:
    stream = create(aws)
    call = {
        "DeliveryStreamName": stream,
        "CurrentDeliveryStreamVersionId": "1",
        "DestinationId": "destinationId-000000000001",
        "ExtendedS3DestinationUpdate": {"Prefix": "other/"},
    }
    found, message = refusal(lambda: aws("firehose").update_destination(**call | changed))
    assert found == code
    assert named in message
    description = describe(aws, stream)
    assert description["VersionId"] == "1"
    assert description["Destinations"][0]["ExtendedS3DestinationDescription"]["Prefix"] == f"{stream}/"


def test_encryption_is_switched_and_answered_with_each_record(aws: Client, endpoint: EndpointProcess) -> None:
    firehose, stream = aws("firehose"), create(aws)
    key = "arn:aws:kms:us-east-1:000000000000:key/11111111-1111-1111-1111-111111111111"
    firehose.start_delivery_stream_encryption(
        DeliveryStreamName=stream,
        DeliveryStreamEncryptionConfigurationInput={"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": key},
    )
    expected = {"KeyARN": key, "KeyType": "CUSTOMER_MANAGED_CMK", "Status": "ENABLED"}
    assert describe(aws, stream)["DeliveryStreamEncryptionConfiguration"] == expected
    assert firehose.put_record(DeliveryStreamName=stream, Record={"Data": b"x"})["Encrypted"] is True
    firehose.stop_delivery_stream_encryption(DeliveryStreamName=stream)
    assert describe(aws, stream)["DeliveryStreamEncryptionConfiguration"] == {"Status": "DISABLED"}
    assert firehose.put_record(DeliveryStreamName=stream, Record={"Data": b"x"})["Encrypted"] is False
    for _ in range(23):
        firehose.stop_delivery_stream_encryption(DeliveryStreamName=stream)
    code, _ = refusal(lambda: firehose.start_delivery_stream_encryption(DeliveryStreamName=stream))
    assert code == "LimitExceededException"


def test_a_customers_key_must_be_named(aws: Client) -> None:
    asked = {"KeyType": "CUSTOMER_MANAGED_CMK"}
    code, message = refusal(
        lambda: aws("firehose").start_delivery_stream_encryption(
            DeliveryStreamName=create(aws), DeliveryStreamEncryptionConfigurationInput=asked
        )
    )
    assert (code, "KeyARN" in message) == ("InvalidArgumentException", True)


def test_tags_come_in_pages_and_end_at_fifty(aws: Client) -> None:
    firehose, stream = aws("firehose"), create(aws)
    firehose.tag_delivery_stream(
        DeliveryStreamName=stream, Tags=[{"Key": f"k{i:02}", "Value": str(i)} for i in range(49)]
    )
    firehose.tag_delivery_stream(DeliveryStreamName=stream, Tags=[{"Key": "k00", "Value": "new"}, {"Key": "last"}])
    code, _ = refusal(lambda: firehose.tag_delivery_stream(DeliveryStreamName=stream, Tags=[{"Key": "one too many"}]))
    assert code == "LimitExceededException"
    first = firehose.list_tags_for_delivery_stream(DeliveryStreamName=stream, Limit=2)
    assert first["Tags"] == [{"Key": "k00", "Value": "new"}, {"Key": "k01", "Value": "1"}]
    assert first["HasMoreTags"]
    rest = firehose.list_tags_for_delivery_stream(DeliveryStreamName=stream, ExclusiveStartTagKey="k01")
    assert (len(rest["Tags"]), rest["HasMoreTags"]) == (48, False)
    firehose.untag_delivery_stream(DeliveryStreamName=stream, TagKeys=["k00", "nosuch"])
    assert len(firehose.list_tags_for_delivery_stream(DeliveryStreamName=stream)["Tags"]) == 49


def test_streams_come_in_pages_by_name_and_type(aws: Client) -> None:
    firehose, ours = aws("firehose"), sorted(create(aws) for _ in range(3))
    page = firehose.list_delivery_streams(Limit=1, ExclusiveStartDeliveryStreamName=ours[0])
    assert len(page["DeliveryStreamNames"]) == 1
    assert page["HasMoreDeliveryStreams"]
    assert (
        ours[0]
        not in firehose.list_delivery_streams(Limit=10000, ExclusiveStartDeliveryStreamName=ours[0])[
            "DeliveryStreamNames"
        ]
    )
    others = firehose.list_delivery_streams(DeliveryStreamType="KinesisStreamAsSource")
    assert others["DeliveryStreamNames"] == []


def test_destinations_behind_the_only_one_are_none(aws: Client) -> None:
    answer = aws("firehose").describe_delivery_stream(
        DeliveryStreamName=create(aws), Limit=1, ExclusiveStartDestinationId="destinationId-000000000001"
    )
    assert answer["DeliveryStreamDescription"]["Destinations"] == []
    assert not answer["DeliveryStreamDescription"]["HasMoreDestinations"]


def test_a_throughput_hint_is_part_of_direct_put(aws: Client) -> None:
    name = f"stream-{uuid.uuid4()}"
    aws("firehose").create_delivery_stream(
        DeliveryStreamName=name,
        DirectPutSourceConfiguration={"ThroughputHintInMBs": 5},
        S3DestinationConfiguration={"RoleARN": ROLE, "BucketARN": f"arn:aws:s3:::{BUCKET}"},
    )
    assert describe(aws, name)["Source"] == {"DirectPutSourceDescription": {"ThroughputHintInMBs": 5}}


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"BufferingHints": {"SizeInMBs": 129, "IntervalInSeconds": 1}}, "sizeInMBs"),
        ({"BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 901}}, "intervalInSeconds"),
        ({"BucketARN": "lake"}, "bucketARN"),
        ({"RoleARN": "arn:aws:iam::1:user/x"}, "roleARN"),
        ({"CompressionFormat": "LZ4"}, "compressionFormat"),
        ({"FileExtension": "txt"}, "fileExtension"),
        ({"FileExtension": "." + "x" * 128}, "fileExtension"),
        ({"CustomTimeZone": "UTC+1"}, "customTimeZone"),
        ({"Prefix": "x" * 1025}, "prefix"),
        ({"CloudWatchLoggingOptions": {"LogStreamName": "a:b"}}, "logStreamName"),
    ],
)
def test_a_parameter_that_breaks_its_rule_is_named(aws: Client, asked: dict[str, Any], place: str) -> None:
    code, message = refusal(lambda: create(aws, **asked))
    assert code == "ValidationException"
    assert f"at 'extendedS3DestinationConfiguration.{place}'" in message.replace("bufferingHints.", "").replace(
        "cloudWatchLoggingOptions.", ""
    )


def test_deleting_a_stream_whose_bucket_is_gone_keeps_its_records_for_a_person(
    aws: Client, endpoint: EndpointProcess
) -> None:
    stream = create(aws, bucket="never-was")
    put(aws, stream, "kept")
    aws("firehose").delete_delivery_stream(DeliveryStreamName=stream, AllowForceDelete=True)
    (folder,) = (endpoint.data_dir / "firehose").glob(f"{stream}.undelivered-*")
    assert b"kept" in b"".join(file.read_bytes() for file in folder.iterdir())


def test_a_failed_delivery_is_told_to_cloudwatch_logs(aws: Client) -> None:
    logging = {"Enabled": True, "LogGroupName": "/aws/kinesisfirehose/lake", "LogStreamName": "DestinationDelivery"}
    stream = create(aws, bucket="never-was-either", CloudWatchLoggingOptions=logging)
    put(aws, stream, "secret payload")

    def events() -> list[dict[str, Any]]:
        try:
            found = aws("logs").filter_log_events(logGroupName="/aws/kinesisfirehose/lake")
        except ClientError:
            return []
        return list(found["events"])

    (event,) = eventually(events)
    line = json.loads(event["message"])
    assert (event["logStreamName"], line["errorCode"]) == ("DestinationDelivery", "S3.NoSuchBucket")
    assert line["deliveryStreamARN"].endswith(f":deliverystream/{stream}")
    assert line["destination"] == "arn:aws:s3:::never-was-either"
    assert "secret" not in event["message"]
