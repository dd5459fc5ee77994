"""Firehose through boto3: quotas, buffering, delivery, and the errors in AWS's own words."""

import base64
import functools
import gzip
import http.client
import json
import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from botocore.exceptions import ClientError, ParamValidationError

from endpoint_process import EndpointProcess, eventually

BUCKET = "firehose-lake"
PREFIX = "raw/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/"
Client = Callable[..., Any]


HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def aws(endpoint: EndpointProcess) -> Client:
    """One client a service: to make one takes longer than to ask it."""
    return functools.cache(endpoint.client)


@pytest.fixture(scope="module")
def bucket(aws: Client) -> str:
    aws("s3").create_bucket(Bucket=BUCKET)
    return BUCKET


def create(aws: Client, *, mib: int = 1, seconds: int = 0, bucket: str = BUCKET, **more: Any) -> str:
    name = f"stream-{uuid.uuid4()}"
    destination = {
        "RoleARN": "arn:aws:iam::000000000000:role/firehose",
        "BucketARN": f"arn:aws:s3:::{bucket}",
        "BufferingHints": {"SizeInMBs": mib, "IntervalInSeconds": seconds},
        "Prefix": f"{name}/",
        "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
        **more,
    }
    aws("firehose").create_delivery_stream(DeliveryStreamName=name, ExtendedS3DestinationConfiguration=destination)
    return name


def delivered(aws: Client, prefix: str, bucket: str = BUCKET) -> dict[str, bytes]:
    s3 = aws("s3")
    keys = [o["Key"] for o in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


@pytest.fixture
def stream(aws: Client, bucket: str) -> str:
    return create(aws)


def test_records_are_delivered_concatenated_in_order(aws: Client, bucket: str) -> None:
    stream = create(aws, seconds=1)
    aws("firehose").put_record(DeliveryStreamName=stream, Record={"Data": b"one"})
    aws("firehose").put_record_batch(DeliveryStreamName=stream, Records=[{"Data": b"two"}, {"Data": b"three"}])
    assert eventually(lambda: b"".join(delivered(aws, stream).values()) == b"onetwothree")


def test_gzip_objects_have_the_name_that_aws_gives_them(aws: Client, bucket: str) -> None:
    stream = create(aws, Prefix="named/" + PREFIX, CompressionFormat="GZIP")
    aws("firehose").put_record(DeliveryStreamName=stream, Record={"Data": b'{"a":1}'})
    objects = eventually(lambda: delivered(aws, "named/"))
    key, data = next(iter(objects.items()))
    day = r"year=\d{4}/month=\d\d/day=\d\d"
    assert re.fullmatch(rf"named/raw/{day}/{stream}-1-\d{{4}}(-\d\d){{5}}-[0-9a-f-]{{36}}\.gz", key)
    assert gzip.decompress(data) == b'{"a":1}'


def test_without_an_expression_the_prefix_gets_the_utc_hour(aws: Client, stream: str) -> None:
    aws("firehose").put_record(DeliveryStreamName=stream, Record={"Data": b"x"})
    (key,) = eventually(lambda: delivered(aws, stream))
    assert re.fullmatch(rf"{stream}/\d{{4}}/\d\d/\d\d/\d\d/{stream}-1-.*", key)


def test_the_delimiter_processor_ends_every_record(aws: Client, bucket: str) -> None:
    processing = {"Enabled": True, "Processors": [{"Type": "AppendDelimiterToRecord"}]}
    stream = create(aws, ProcessingConfiguration=processing)
    aws("firehose").put_record_batch(DeliveryStreamName=stream, Records=[{"Data": b"a"}, {"Data": b"b"}])
    assert eventually(lambda: list(delivered(aws, stream).values()) == [b"a\nb\n"])


def test_a_full_buffer_is_delivered_before_its_interval(aws: Client, bucket: str) -> None:
    stream = create(aws, mib=1, seconds=900)
    records = [{"Data": bytes(1000 * 1024)}]
    for _ in range(3):
        aws("firehose").put_record_batch(DeliveryStreamName=stream, Records=records)
    assert eventually(lambda: delivered(aws, stream))


def test_a_buffer_waits_for_its_interval(aws: Client, bucket: str) -> None:
    stream = create(aws, seconds=900)
    aws("firehose").put_record(DeliveryStreamName=stream, Record={"Data": b"x"})
    assert delivered(aws, stream) == {}


def test_a_batch_answers_each_record_with_its_own_id(aws: Client, stream: str) -> None:
    answer = aws("firehose").put_record_batch(DeliveryStreamName=stream, Records=[{"Data": b"x"}] * 500)
    assert answer["FailedPutCount"] == 0
    assert len({r["RecordId"] for r in answer["RequestResponses"]}) == 500


def test_describe_answers_what_was_asked_for_with_awss_defaults(aws: Client, stream: str) -> None:
    description = aws("firehose").describe_delivery_stream(DeliveryStreamName=stream)["DeliveryStreamDescription"]
    assert description["DeliveryStreamStatus"] == "ACTIVE"
    assert description["DeliveryStreamARN"] == f"arn:aws:firehose:us-east-1:000000000000:deliverystream/{stream}"
    s3 = description["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert s3["BufferingHints"] == {"SizeInMBs": 1, "IntervalInSeconds": 0}
    assert s3["CompressionFormat"] == "UNCOMPRESSED"
    assert s3["EncryptionConfiguration"] == {"NoEncryptionConfig": "NoEncryption"}


def test_deleting_a_stream_delivers_what_it_acknowledged(aws: Client, bucket: str) -> None:
    stream = create(aws, seconds=900)
    aws("firehose").put_record(DeliveryStreamName=stream, Record={"Data": b"kept"})
    aws("firehose").delete_delivery_stream(DeliveryStreamName=stream)
    assert list(delivered(aws, stream).values()) == [b"kept"]
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws("firehose").describe_delivery_stream(DeliveryStreamName=stream)


def test_streams_are_listed_by_name(aws: Client, stream: str) -> None:
    answer = aws("firehose").list_delivery_streams(Limit=10000)
    assert stream in answer["DeliveryStreamNames"]
    assert answer["DeliveryStreamNames"] == sorted(answer["DeliveryStreamNames"])


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([bytes(1000 * 1024 + 1)], "ValidationException"),
        ([b"x"] * 501, "ValidationException"),
        ([bytes(900 * 1024)] * 5, "InvalidArgumentException"),
    ],
    ids=["a record over 1,000 KiB", "over 500 records", "over 4 MiB"],
)
def test_what_is_over_a_quota_is_refused(aws: Client, stream: str, records: list[bytes], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        aws("firehose").put_record_batch(DeliveryStreamName=stream, Records=[{"Data": data} for data in records])
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_an_unknown_stream_is_not_found(aws: Client) -> None:
    with pytest.raises(ClientError, match="Firehose nosuch under account not found") as refused:
        aws("firehose").put_record(DeliveryStreamName="nosuch", Record={"Data": b"x"})
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_full_backlog_refuses_record_by_record_until_the_bucket_is_back(aws: Client) -> None:
    """CLICKLAKE_FIREHOSE_BACKLOG_BYTES is 10 MiB here."""
    firehose, stream = aws("firehose"), create(aws, seconds=900, mib=128, bucket="stalled", Prefix="stalled/")
    batches = [[bytes([number]) * (500 * 1024) for number in range(start, start + 8)] for start in (0, 8, 16)]
    answers = [
        firehose.put_record_batch(DeliveryStreamName=stream, Records=[{"Data": data} for data in batch])
        for batch in batches
    ]
    assert [answer["FailedPutCount"] for answer in answers] == [0, 0, 4]
    entries = answers[2]["RequestResponses"]
    assert ["RecordId" in entry for entry in entries] == [True] * 4 + [False] * 4
    assert {(entry["ErrorCode"], entry["ErrorMessage"]) for entry in entries[4:]} == {
        ("ServiceUnavailableException", "Slow down.")
    }
    with pytest.raises(ClientError) as refused:
        firehose.put_record(DeliveryStreamName=stream, Record={"Data": bytes(500 * 1024)})
    assert refused.value.response["Error"]["Code"] == "ServiceUnavailableException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503

    aws("s3").create_bucket(Bucket="stalled")
    firehose.delete_delivery_stream(DeliveryStreamName=stream)
    assert (
        b"".join(delivered(aws, "stalled/", "stalled").values())
        == b"".join(data for batch in batches for data in batch)[: 20 * 500 * 1024]
    )


def test_the_objects_name_is_in_the_streams_time_zone_and_has_its_extension(aws: Client, bucket: str) -> None:
    zone, processing = "Pacific/Kiritimati", {"Enabled": True, "Processors": [{"Type": "AppendDelimiterToRecord"}]}
    processing["Processors"][0]["Parameters"] = [{"ParameterName": "Delimiter", "ParameterValue": "|\\n"}]  # type: ignore[index]
    stream = create(aws, CustomTimeZone=zone, FileExtension=".txt", ProcessingConfiguration=processing)
    aws("firehose").put_record_batch(DeliveryStreamName=stream, Records=[{"Data": b"a"}, {"Data": b"b"}])
    objects = eventually(lambda: delivered(aws, stream))
    ((key, data),) = objects.items()
    assert data == b"a|\nb|\n"
    folder, _, name = key.rpartition("/")
    hour = datetime.now(ZoneInfo(zone)).strftime("%Y/%m/%d/%H")
    assert folder in {f"{stream}/{hour}", f"{stream}/{(datetime.now(ZoneInfo(zone)) - HOUR):%Y/%m/%d/%H}"}
    assert name.startswith(f"{stream}-1-{folder.removeprefix(stream + '/').replace('/', '-')}-")
    assert name.endswith(".txt")


@pytest.mark.parametrize(
    ("operation", "body", "place"),
    [
        ("PutRecord", {"Record": {"Data": ""}}, "deliveryStreamName"),
        ("PutRecord", {"DeliveryStreamName": "x"}, "record"),
        ("PutRecord", {"DeliveryStreamName": "x", "Record": {}}, "record.data"),
        ("PutRecordBatch", {"DeliveryStreamName": "x", "Records": [{"Data": ""}, {}]}, "records.2.member.data"),
    ],
)
def test_what_is_missing_is_named(endpoint: EndpointProcess, operation: str, body: dict[str, Any], place: str) -> None:
    status, answer = signed_post(endpoint, operation, json.dumps(body).encode())
    assert (status, answer["__type"]) == (400, "ValidationException")
    assert f"Value null at '{place}' failed to satisfy constraint: Member must not be null" in answer["message"]


def test_a_batch_of_nothing_is_refused(endpoint: EndpointProcess) -> None:
    status, answer = signed_post(endpoint, "PutRecordBatch", b'{"DeliveryStreamName":"x","Records":[]}')
    assert (status, answer["__type"]) == (400, "ValidationException")


@pytest.mark.parametrize("name", ["..", ".", "a/b", "", "x" * 65])
def test_a_name_that_aws_would_not_take_is_refused(aws: Client, bucket: str, name: str) -> None:
    with pytest.raises((ClientError, ParamValidationError)):
        aws("firehose").create_delivery_stream(
            DeliveryStreamName=name,
            S3DestinationConfiguration={"RoleARN": "arn:aws:iam::0:role/x", "BucketARN": f"arn:aws:s3:::{BUCKET}"},
        )


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"DynamicPartitioningConfiguration": {"Enabled": True}}, "DynamicPartitioningConfiguration"),
        ({"DataFormatConversionConfiguration": {"Enabled": True}}, "DataFormatConversionConfiguration"),
        ({"ProcessingConfiguration": {"Enabled": True, "Processors": [{"Type": "Lambda"}]}}, "Lambda"),
        ({"CompressionFormat": "Snappy"}, "Snappy"),
        ({"Prefix": "x/!{partitionKeyFromQuery:a}/"}, "partitionKeyFromQuery"),
        ({"BufferingHints": {"SizeInMBs": 5}}, "IntervalInSeconds"),
    ],
)
def test_what_is_not_done_is_refused_by_name(aws: Client, bucket: str, asked: dict[str, Any], named: str) -> None:
    with pytest.raises(ClientError, match=named) as refused:
        create(aws, **asked)
    assert refused.value.response["Error"]["Code"] == "InvalidArgumentException"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"DeliveryStreamName":1}',
        b'{"DeliveryStreamName":"\xff"}',
        b'{"DeliveryStreamName":"x","Record":{"Data":"?"}}',
        b"[" * 10000,
    ],
)
def test_a_body_that_is_no_request_is_a_serialization_error(endpoint: EndpointProcess, body: bytes) -> None:
    status, answer = signed_post(endpoint, "PutRecord", body)
    assert (status, answer["__type"]) == (400, "SerializationException")


def test_an_operation_that_aws_does_not_have_is_unknown(endpoint: EndpointProcess) -> None:
    status, answer = signed_post(endpoint, "MakeCoffee", b"{}")
    assert 400 <= status < 502
    assert "__type" in answer


def signed_post(endpoint: EndpointProcess, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """A request that boto3 would not make, signed all the same."""
    headers = {"X-Amz-Target": f"Firehose_20150804.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    request = botocore.awsrequest.AWSRequest("POST", endpoint.url + "/", headers, body)
    keys = endpoint.keys()
    credentials = botocore.credentials.Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"])
    botocore.auth.SigV4Auth(credentials, "firehose", "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=10)
    connection.request("POST", "/", body, dict(request.headers))
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def test_base64_in_the_body_is_decoded_once(endpoint: EndpointProcess, aws: Client, stream: str) -> None:
    data = base64.b64encode(b'{"a":1}').decode()
    status, answer = signed_post(
        endpoint, "PutRecord", json.dumps({"DeliveryStreamName": stream, "Record": {"Data": data}}).encode()
    )
    assert status == 200
    assert answer["RecordId"]
    assert eventually(lambda: list(delivered(aws, stream).values()) == [b'{"a":1}'])
