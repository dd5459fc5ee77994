"""Bad input over the wire gets AWS's own error and status, and nothing of it crashes or wedges the endpoint.

What each service's own tests say of its bad input is not repeated here: this is what they have in common.
"""

import base64
import hashlib
import http.client
import json
import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote, unquote

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess, eventually
from lambda_functions import package

Client = Callable[..., Any]

BUCKET, STREAM = "bad-input", "bad-input"
ROLE = "arn:aws:iam::000000000000:role/any"
BOMB = b"""<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><d>&b;</d>"""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class _S3Signer(botocore.auth.S3SigV4Auth):  # type: ignore[misc]
    """botocore's, with the word of x-amz-content-sha256 that the test chose."""

    word: str | None = None

    def payload(self, request: Any) -> Any:
        return self.word or super().payload(request)


@dataclass
class Sender:
    """Signed requests, exactly as given; header names in lower case."""

    endpoint: EndpointProcess

    def __call__(
        self, service: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        return self.raw(method, path, body, self.signed(service, method, path, body, headers or {}))

    def signed(self, service: str, method: str, path: str, body: bytes, headers: dict[str, str]) -> dict[str, str]:
        keys = self.endpoint.keys()
        credentials = botocore.credentials.Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"])
        signer = (_S3Signer if service == "s3" else botocore.auth.SigV4Auth)(credentials, service, "us-east-1")
        signer.word = headers.get("x-amz-content-sha256")
        request = botocore.awsrequest.AWSRequest(method, self.endpoint.url + path, headers, body)
        signer.add_auth(request)
        return {name.lower(): value for name, value in request.headers.items()}

    def raw(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.endpoint.port, timeout=20)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        connection.close()
        return answer

    def json(self, service: str, target: str, body: bytes) -> tuple[int, str]:
        """(status, code) of an AWS JSON operation."""
        headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.1"}
        answer = self(service, "POST", "/", body, headers)
        return answer.status, str(json.loads(answer.body).get("__type"))

    def connection(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.endpoint.port), timeout=20)


@pytest.fixture(scope="module")
def send(endpoint: EndpointProcess, aws: Client) -> Sender:
    aws("s3").create_bucket(Bucket=BUCKET)
    aws("s3").put_object(Bucket=BUCKET, Key="there", Body=b"body")
    aws("glue").create_database(DatabaseInput={"Name": "bad_input"})
    keys = [{"Name": "day", "Type": "string"}]
    aws("glue").create_table(DatabaseName="bad_input", TableInput={"Name": "t", "PartitionKeys": keys})
    destination = {"BucketARN": f"arn:aws:s3:::{BUCKET}", "RoleARN": ROLE}
    aws("firehose").create_delivery_stream(DeliveryStreamName=STREAM, ExtendedS3DestinationConfiguration=destination)
    aws("iam").list_roles()  # moto is loaded before anything is measured
    return Sender(endpoint)


@pytest.fixture(autouse=True)
def _unharmed(endpoint: EndpointProcess, aws: Client, send: Sender) -> Iterator[None]:
    """Whatever was sent: no traceback in the log, and a record is still taken."""
    before = endpoint.log.stat().st_size
    yield
    assert aws("firehose").put_record(DeliveryStreamName=STREAM, Record={"Data": b"still here\n"})["RecordId"]
    said = endpoint.log.read_bytes()[before:]
    assert b"Traceback" not in said, said.decode()


# What is not there

UNKNOWN: list[tuple[str, str, dict[str, Any], str, int]] = [
    ("s3", "list_objects_v2", {"Bucket": "nobody"}, "NoSuchBucket", 404),
    ("s3", "get_object", {"Bucket": "nobody", "Key": "k"}, "NoSuchBucket", 404),
    ("s3", "put_object", {"Bucket": "nobody", "Key": "k", "Body": b"x"}, "NoSuchBucket", 404),
    ("s3", "delete_object", {"Bucket": "nobody", "Key": "k"}, "NoSuchBucket", 404),
    ("s3", "delete_bucket", {"Bucket": "nobody"}, "NoSuchBucket", 404),
    ("s3", "head_bucket", {"Bucket": "nobody"}, "404", 404),
    ("s3", "get_bucket_policy", {"Bucket": "nobody"}, "NoSuchBucket", 404),
    ("s3", "get_bucket_notification_configuration", {"Bucket": "nobody"}, "NoSuchBucket", 404),
    ("s3", "create_multipart_upload", {"Bucket": "nobody", "Key": "k"}, "NoSuchBucket", 404),
    ("s3", "copy_object", {"Bucket": BUCKET, "Key": "k", "CopySource": "nobody/k"}, "NoSuchBucket", 404),
    ("firehose", "delete_delivery_stream", {"DeliveryStreamName": "nobody"}, "ResourceNotFoundException", 400),
    ("firehose", "list_tags_for_delivery_stream", {"DeliveryStreamName": "nobody"}, "ResourceNotFoundException", 400),
    ("glue", "get_database", {"Name": "nobody"}, "EntityNotFoundException", 400),
    ("glue", "delete_database", {"Name": "nobody"}, "EntityNotFoundException", 400),
    ("glue", "get_tables", {"DatabaseName": "nobody"}, "EntityNotFoundException", 400),
    ("glue", "get_table", {"DatabaseName": "bad_input", "Name": "nobody"}, "EntityNotFoundException", 400),
    ("glue", "create_table", {"DatabaseName": "nobody", "TableInput": {"Name": "t"}}, "EntityNotFoundException", 400),
    ("glue", "get_partitions", {"DatabaseName": "bad_input", "TableName": "nobody"}, "EntityNotFoundException", 400),
    (
        "glue",
        "get_partition",
        {"DatabaseName": "bad_input", "TableName": "t", "PartitionValues": ["1"]},
        "EntityNotFoundException",
        400,
    ),
    ("lambda", "invoke", {"FunctionName": "nobody"}, "ResourceNotFoundException", 404),
    ("lambda", "invoke", {"FunctionName": "nobody", "InvocationType": "Event"}, "ResourceNotFoundException", 404),
    ("lambda", "delete_function", {"FunctionName": "nobody"}, "ResourceNotFoundException", 404),
    ("athena", "get_query_execution", {"QueryExecutionId": "nobody"}, "InvalidRequestException", 400),
    ("athena", "get_query_results", {"QueryExecutionId": "../../credentials"}, "InvalidRequestException", 400),
    ("athena", "stop_query_execution", {"QueryExecutionId": "nobody"}, "InvalidRequestException", 400),
    ("athena", "get_work_group", {"WorkGroup": "nobody"}, "InvalidRequestException", 400),
    ("athena", "start_query_execution", {"QueryString": "SELECT 1", "WorkGroup": "no"}, "InvalidRequestException", 400),
    ("athena", "get_named_query", {"NamedQueryId": "nobody"}, "InvalidRequestException", 400),
    (
        "athena",
        "get_prepared_statement",
        {"StatementName": "no", "WorkGroup": "primary"},
        "ResourceNotFoundException",
        400,
    ),
    ("athena", "get_database", {"CatalogName": "AwsDataCatalog", "DatabaseName": "nobody"}, "MetadataException", 400),
    ("logs", "get_log_events", {"logGroupName": "nobody", "logStreamName": "s"}, "ResourceNotFoundException", 400),
    ("iam", "get_role", {"RoleName": "nobody"}, "NoSuchEntity", 404),
    ("sqs", "get_queue_url", {"QueueName": "nobody"}, "NonExistentQueue", 400),
    ("ssm", "get_parameter", {"Name": "nobody"}, "ParameterNotFound", 400),
]


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code", "status"), UNKNOWN, ids=[f"{c[0]} {c[1]}" for c in UNKNOWN]
)
def test_what_is_not_there_is_not_found_in_the_services_own_words(
    aws: Client, service: str, operation: str, parameters: dict[str, Any], code: str, status: int
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(aws(service), operation)(**parameters)
    answer = refused.value.response
    assert (answer["Error"]["Code"].rpartition(".")[2], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)


# Bodies

JSON = {
    "firehose": "Firehose_20150804.DescribeDeliveryStream",
    "glue": "AWSGlue.GetTables",
    "athena": "AmazonAthena.GetQueryExecution",
    "logs": "Logs_20140328.GetLogEvents",
    "sqs": "AmazonSQS.CreateQueue",
    "ssm": "AmazonSSM.GetParameter",
    "kms": "TrentService.Encrypt",
}
UNREADABLE = [b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b'{"a":1}}']
INVALID = [b"{}", b"[{}]", b'{"%b":5}', b'{"%b":{}}', b'{"%b":[["x"]]}', b'{"%b":' + b"9" * 400 + b"}"]
NAMES = {
    "firehose": b"DeliveryStreamName",
    "glue": b"DatabaseName",
    "athena": b"QueryExecutionId",
    "logs": b"logStreamName",
    "sqs": b"QueueName",
    "ssm": b"Name",
    "kms": b"KeyId",
}


@pytest.mark.parametrize("service", JSON)
def test_a_body_that_is_no_json_object_is_a_serialization_error(send: Sender, service: str) -> None:
    for body in UNREADABLE:
        assert send.json(service, JSON[service], body) == (400, "SerializationException"), body[:20]


@pytest.mark.parametrize("service", JSON)
def test_missing_and_wrong_typed_parameters_are_refused(send: Sender, service: str) -> None:
    for body in INVALID:
        status, code = send.json(service, JSON[service], body.replace(b"%b", NAMES[service]))
        assert (status, code in {"ValidationException", "SerializationException"}) == (400, True), (body[:20], code)


@pytest.mark.parametrize("service", JSON)
def test_half_a_surrogate_pair_is_no_name(send: Sender, service: str) -> None:
    body = b'{"%b":"\\ud800","DeliveryStreamName":"\\udfff"}'.replace(b"%b", NAMES[service])
    assert send.json(service, JSON[service], body)[0] == 400


@pytest.mark.parametrize("service", JSON)
def test_an_operation_that_there_is_not_is_refused(send: Sender, service: str) -> None:
    prefix = JSON[service].partition(".")[0]
    for target in (f"{prefix}.MakeCoffee", prefix, ".", "x" * 1000):
        status, _ = send.json(service, target, b"{}")
        assert status in {400, 404, 501}, target


@pytest.mark.parametrize(
    ("service", "operation", "body", "code"),
    [
        ("firehose", "ListDeliveryStreams", b'{"Limit":-1}', "ValidationException"),
        ("firehose", "PutRecord", b'{"DeliveryStreamName":"bad-input","Record":{"Data":null}}', None),
        ("firehose", "PutRecordBatch", b'{"DeliveryStreamName":"bad-input","Records":[]}', "ValidationException"),
        ("firehose", "PutRecordBatch", b'{"DeliveryStreamName":"bad-input","Records":[null]}', None),
        ("glue", "GetTables", b'{"DatabaseName":"bad_input","NextToken":"\\u00b2"}', "InvalidInputException"),
        ("glue", "GetTables", b'{"DatabaseName":"bad_input","Expression":"("}', "InvalidInputException"),
        ("glue", "GetPartitions", b'{"DatabaseName":"bad_input","TableName":"t","Expression":"%b"}' % (b"(" * 9000), None),
        (
            "glue",
            "GetPartitions",
            b'{"DatabaseName":"bad_input","TableName":"t","Expression":"%b a"}' % (b"NOT " * 9000),
            None,
        ),
        ("glue", "CreateTable", b'{"DatabaseName":"bad_input","TableInput":{"Name":"u","LastAccessTime":1e30}}', None),
        ("glue", "CreatePartition", b'{"DatabaseName":"bad_input","TableName":"t","PartitionInput":{"Values":[]}}', None),
        ("athena", "ListQueryExecutions", b'{"NextToken":"\\u00b2"}', "InvalidRequestException"),
        ("athena", "ListQueryExecutions", b'{"NextToken":"%b"}' % (b"9" * 40), "InvalidRequestException"),
        ("athena", "ListWorkGroups", b'{"NextToken":"%b"}' % (b"9" * 1000), "InvalidRequestException"),
        ("athena", "StartQueryExecution", b'{"QueryString":";;"}', "InvalidRequestException"),
        ("athena", "StartQueryExecution", b'{"QueryString":"%b"}' % (b"x" * 262145), None),
        ("logs", "FilterLogEvents", b'{"logGroupName":"../../../../../var/log"}', "ResourceNotFoundException"),
        ("sqs", "ReceiveMessage", b'{"QueueUrl":"x","WaitTimeSeconds":"soon"}', None),
    ],
)
def test_a_value_that_can_not_be_is_refused(
    send: Sender, service: str, operation: str, body: bytes, code: str | None
) -> None:
    status, found = send.json(service, f"{JSON[service].partition('.')[0]}.{operation}", body)
    assert (status, found) == (400, code or found)


def test_null_is_as_good_as_nothing(send: Sender) -> None:
    body = b'{"QueryString":"SELECT 1","QueryExecutionContext":{"Database":null},"ResultConfiguration":{"OutputLocation":"s3://bad-input/r/"}}'
    assert send.json("athena", "AmazonAthena.StartQueryExecution", body)[0] == 200


@pytest.mark.parametrize(
    "body", [b"", b"Action=", b"Action=MakeCoffee&Version=1", b"\xff\xfe", b"&" * 10_000, b"%zz=%"]
)
@pytest.mark.parametrize("service", ["iam", "sts", "sns"])
def test_a_form_that_names_no_action_is_refused(send: Sender, service: str, body: bytes) -> None:
    answer = send(service, "POST", "/", body, {"content-type": "application/x-www-form-urlencoded"})
    assert answer.status in {400, 404, 501}
    assert b"<Error>" in answer.body


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/2015-03-31/functions", b"[]", 400),
        ("POST", "/2015-03-31/functions", b"{", 400),
        ("POST", "/2015-03-31/functions", b"{}", 400),
        ("POST", "/2015-03-31/functions", b'{"FunctionName":"\\ud800","Role":"r","Code":{}}', 400),
        ("POST", "/2015-03-31/functions", b'{"FunctionName":"f","Role":"r","Code":{"ZipFile":5}}', 400),
        ("GET", "/2015-03-31/functions/?MaxItems=x", b"", 400),
        ("GET", "/2015-03-31/functions/?Marker=%C2%B2", b"", 400),
        ("GET", "/2015-03-31/functions/%00", b"", 400),
        ("POST", "/2015-03-31/functions/nobody/invocations", b"[" * 100_000, 400),
        ("PATCH", "/2015-03-31/functions/nobody", b"", 501),
        ("GET", "/no/such/route", b"", 501),
    ],
)
def test_lambda_refuses_bad_routes_and_bodies(send: Sender, method: str, path: str, body: bytes, status: int) -> None:
    answer = send("lambda", method, path, body)
    assert (answer.status, "__type" in json.loads(answer.body)) == (status, True)


XML = [
    ("PUT", "/bad-input-new"),
    ("PUT", "/bad-input?notification"),
    ("PUT", "/bad-input?lifecycle"),
    ("PUT", "/bad-input?versioning"),
    ("PUT", "/bad-input?tagging"),
    ("PUT", "/bad-input?cors"),
    ("PUT", "/bad-input?encryption"),
    ("PUT", "/bad-input?publicAccessBlock"),
    ("PUT", "/bad-input?ownershipControls"),
    ("PUT", "/bad-input?logging"),
    ("PUT", "/bad-input/there?tagging"),
    ("POST", "/bad-input?delete"),
]


@pytest.mark.parametrize("body", [b"<", b"<d>", BOMB, b"\xff\xfe\x00", b"<d>" * 50_000], ids=str)
@pytest.mark.parametrize(("method", "path"), XML, ids=[path for _, path in XML])
def test_xml_that_is_malformed_or_a_bomb_is_refused(send: Sender, method: str, path: str, body: bytes) -> None:
    digest = base64.b64encode(hashlib.md5(body).digest()).decode()
    answer = send("s3", method, path, body, {"content-md5": digest})
    assert (answer.status, b"<Code>MalformedXML" in answer.body) == (400, True), answer.body


def test_xml_is_refused_where_an_upload_is_completed(send: Sender, aws: Client) -> None:
    upload = aws("s3").create_multipart_upload(Bucket=BUCKET, Key="parts")["UploadId"]
    for body in (b"<", BOMB, b"", b"<CompleteMultipartUpload><Part/></CompleteMultipartUpload>"):
        answer = send("s3", "POST", f"/{BUCKET}/parts?uploadId={upload}", body)
        assert (answer.status, b"<Code>MalformedXML" in answer.body) == (400, True), answer.body


CHUNKED = [
    (b"", "IncompleteBody"),
    (b"5\r\nbod", "IncompleteBody"),
    (b"4\r\nbody\r\n", "IncompleteBody"),
    (b"4\r\nbody!\r\n0\r\n\r\n", "InvalidRequest"),
    (b"-4\r\nbody\r\n0\r\n\r\n", "InvalidRequest"),
    (b"0x4\r\nbody\r\n0\r\n\r\n", "InvalidRequest"),
    (b"4_0\r\nbody\r\n0\r\n\r\n", "InvalidRequest"),
    (b"\r\nbody\r\n0\r\n\r\n", "InvalidRequest"),
    (b"f" * 17 + b"\r\n", "InvalidRequest"),
    (b"a" * 20_000, "InvalidRequest"),
    (b"4\r\nbody\r\n0\r\nx-amz-checksum-crc32:26gLsg==\r\n\r\nand more", "InvalidRequest"),
    (b"4\r\nbody\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", "BadDigest"),
    (b"4\r\nbody\r\n0\r\n\r\n", "MalformedTrailerError"),
]


@pytest.mark.parametrize(("body", "code"), CHUNKED)
def test_a_malformed_aws_chunked_body_is_refused_and_nothing_is_stored(
    send: Sender, aws: Client, body: bytes, code: str
) -> None:
    headers = {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-trailer": "x-amz-checksum-crc32",
        "x-amz-decoded-content-length": "4",
        "content-encoding": "aws-chunked",
    }
    answer = send("s3", "PUT", f"/{BUCKET}/chunked", body, headers)
    assert (answer.status, f"<Code>{code}" in answer.body.decode()) == (400, True), answer.body
    assert not [o for o in aws("s3").list_objects_v2(Bucket=BUCKET)["Contents"] if o["Key"] == "chunked"]


# Connections


def test_a_client_that_hangs_up_leaves_nothing_behind(send: Sender, endpoint: EndpointProcess) -> None:
    """In the head, in the body, in a body that is on disk already, and while it reads the answer."""
    body = b"x" * 12_000_000
    headers = send.signed("s3", "PUT", f"/{BUCKET}/half", body, {"content-length": str(len(body))})
    head = f"PUT /{BUCKET}/half HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    if "host:" not in head:
        head += f"host: 127.0.0.1:{endpoint.port}\r\n"
    whole = head.encode() + b"\r\n" + body
    for length in (1, 30, len(head), len(head) + 2, len(head) + 10_000, len(whole) - 1):
        with send.connection() as connection:
            connection.sendall(whole[:length])
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with send.connection() as connection:
        connection.sendall(whole)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert eventually(lambda: not list((endpoint.data_dir / "tmp").iterdir()))
    assert eventually(lambda: not list((endpoint.data_dir / "s3-staging").iterdir()))


def test_a_client_that_says_nothing_holds_nobody_up(send: Sender, aws: Client) -> None:
    silent = [send.connection() for _ in range(50)]
    begun = time.monotonic()
    assert aws("s3").get_object(Bucket=BUCKET, Key="there")["Body"].read() == b"body"
    assert time.monotonic() - begun < 5
    for connection in silent:
        connection.close()


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"FOO /bad-input HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /\x01 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n",
        b"PUT /bad-input/x HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"PUT /bad-input/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: x\r\n\r\n",
        b"OPTIONS /bad-input/there HTTP/1.1\r\nhost: x\r\norigin: http://evil\r\naccess-control-request-method: PUT\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500,
    ],
)
def test_what_is_no_request_is_refused(send: Sender, request_: bytes) -> None:
    with send.connection() as connection:
        connection.sendall(request_)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(4096)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer
    assert b"access-control-allow" not in answer.lower()


def test_a_head_that_is_too_large_is_refused(send: Sender) -> None:
    answer = send("s3", "GET", f"/{BUCKET}/there", b"", {"x-amz-meta-x": "x" * 100_000})
    assert (answer.status, b"<Code>RequestHeaderSectionTooLarge" in answer.body) == (400, True)
    answer = send("s3", "GET", f"/{BUCKET}/there", b"", {f"x-amz-meta-{i}": "x" * 100 for i in range(90)})
    assert answer.status == 200


# Signatures and services


@pytest.mark.parametrize(
    ("headers", "path", "code"),
    [
        ({"x-amz-target": "AWSGlue.GetTables"}, "/", b'"MissingAuthenticationTokenException"'),
        ({"content-type": "application/json"}, "/TraceSegments", b'"MissingAuthenticationTokenException"'),
        ({"content-type": "application/x-www-form-urlencoded"}, "/", b"<Code>MissingAuthenticationToken<"),
        ({"x-amz-target": "AWSGlue.GetTables", "authorization": "AWS4-HMAC-SHA256 x"}, "/", b'"IncompleteSignature'),
        ({"content-type": "application/json", "authorization": "Basic eA=="}, "/TraceSegments", b'"IncompleteSig'),
    ],
)
def test_an_unsigned_request_is_refused_in_its_protocols_words(
    send: Sender, headers: dict[str, str], path: str, code: bytes
) -> None:
    answer = send.raw("POST", path, b"{}", headers)
    assert (answer.status in {400, 403}, code in answer.body) == (True, True), answer.body


@pytest.mark.parametrize("signature", ["é", "", "0" * 63, "x" * 5000, "%00"])
def test_a_signature_that_is_none_is_refused(send: Sender, signature: str) -> None:
    headers = send.signed("s3", "GET", f"/{BUCKET}/there", b"", {})
    headers["authorization"] = headers["authorization"].rpartition("Signature=")[0] + f"Signature={signature}"
    assert send.raw("GET", f"/{BUCKET}/there", b"", headers).status in {400, 403}


@pytest.mark.parametrize(
    "changed",
    [
        {"X-Amz-Signature": "%C3%A9"},
        {"X-Amz-Expires": "9" * 5000},
        {"X-Amz-Expires": "%C2%B2"},
        {"X-Amz-SignedHeaders": "host%3B%E2%82%AC"},
        {"X-Amz-Date": "00010101T000000Z"},
        {"X-Amz-Credential": "x"},
    ],
    ids=str,
)
def test_a_presigned_url_that_was_tampered_with_is_refused(send: Sender, aws: Client, changed: dict[str, str]) -> None:
    url = aws("s3", signature_version="s3v4").generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "there"})
    pairs = dict(pair.split("=", 1) for pair in url.partition("?")[2].split("&")) | changed
    answer = send.raw("GET", f"/{BUCKET}/there?" + "&".join(f"{k}={v}" for k, v in pairs.items()), b"", {})
    assert answer.status in {400, 403}, answer.body


@pytest.mark.parametrize("changed", [{"Expires": "9" * 5000}, {"Signature": "%C3%A9"}, {"Expires": "1"}], ids=str)
def test_a_version_2_url_that_was_tampered_with_is_refused(send: Sender, aws: Client, changed: dict[str, str]) -> None:
    url = aws("s3", signature_version="s3").generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "there"})
    pairs = dict(pair.split("=", 1) for pair in url.partition("?")[2].split("&")) | changed
    answer = send.raw("GET", f"/{BUCKET}/there?" + "&".join(f"{k}={v}" for k, v in pairs.items()), b"", {})
    assert answer.status == 403, answer.body


def test_a_presigned_put_can_not_be_made_to_copy(send: Sender, aws: Client) -> None:
    """Whoever has a URL to write one key must not read others with it."""
    aws("s3").put_object(Bucket=BUCKET, Key="secret", Body=b"secret")
    for version in ("s3v4", "s3"):
        s3 = aws("s3", signature_version=version)
        url = s3.generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": "upload"})
        path = url.removeprefix(send.endpoint.url)
        answer = send.raw("PUT", path, b"", {"x-amz-copy-source": f"{BUCKET}/secret"})
        assert (answer.status, b"<Code>" in answer.body) == (403, True), answer.body


# Paths

PATHS = ["a//b", "/", "//", "../../x", "..", ".", "a/../../../../etc/x", "%2e%2e%2f%2e%2e%2fx", "a%00b", "%01", "%0d%0a", "\\..\\x", ".localaws/x", "con", "a" * 1024, "%E2%82%AC" * 341]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_any_key_is_one_object_and_stays_in_its_bucket(
    send: Sender, aws: Client, endpoint: EndpointProcess, path: str
) -> None:
    key = unquote(path)
    outside = sorted(p for p in endpoint.data_dir.iterdir() if p.is_file())
    aws("s3").put_object(Bucket=BUCKET, Key=key, Body=path.encode())
    answer = send("s3", "GET", f"/{BUCKET}/{quote(key, safe='/-_.~')}")
    assert (answer.status, answer.body) == (200, path.encode())
    assert not (endpoint.data_dir / "x").exists()
    assert sorted(p for p in endpoint.data_dir.iterdir() if p.is_file()) == outside
    aws("s3").delete_object(Bucket=BUCKET, Key=key)


@pytest.mark.parametrize(
    "path", ["/..", "/../..", "//bad-input/there", "/%2e%2e/x", "/.", "/" + "b" * 10_240, "/%ff/x"]
)
def test_a_bucket_that_can_not_be_is_refused(send: Sender, path: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = send("s3", method, path)
        assert answer.status in {400, 403, 404}, (method, answer.body)


@pytest.mark.parametrize("key", ["k" * 1025, "k" * 10_240])
def test_a_key_that_is_too_long_is_refused(send: Sender, key: str) -> None:
    answer = send("s3", "PUT", f"/{BUCKET}/{key}", b"x")
    assert (answer.status, b"<Code>KeyTooLongError" in answer.body) == (400, True)
    assert send("s3", "GET", f"/{BUCKET}/{key}").status in {400, 404}


@pytest.mark.parametrize("value", ["%E2%82%AC", "a%0D%0Aset-cookie%3A%20x%3D1", "%00"])
def test_a_header_can_not_be_forged_through_a_query(send: Sender, value: str) -> None:
    answer = send("s3", "GET", f"/{BUCKET}/there?response-content-disposition={value}")
    assert (answer.status, "set-cookie" in answer.headers) == (400, False)
    assert b"<Code>InvalidArgument" in answer.body


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS", "TRACE", "PROPFIND", "MKCOL"])
def test_a_method_that_s3_does_not_have_is_not_allowed(send: Sender, method: str) -> None:
    answer = send("s3", method, f"/{BUCKET}/there")
    assert (answer.status, b"<Code>MethodNotAllowed" in answer.body) == (405, True)


@pytest.mark.parametrize("header", ["bytes=4-", "bytes=-0", "bytes=999999999999999999-", "bytes=9-10"])
def test_a_range_outside_is_not_satisfiable(send: Sender, header: str) -> None:
    answer = send("s3", "GET", f"/{BUCKET}/there", b"", {"range": header})
    assert (answer.status, b"<Code>InvalidRange" in answer.body) == (416, True)


@pytest.mark.parametrize(
    "header", ["bytes=" + "9" * 5000 + "-", "bytes=a-b", "bytes=--1", "lines=1-2", "bytes=2-1", "="]
)
def test_a_range_that_is_none_is_passed_over(send: Sender, header: str) -> None:
    answer = send("s3", "GET", f"/{BUCKET}/there", b"", {"range": header})
    assert (answer.status, answer.body) == (200, b"body")


# Names and settings that would reach further than they may


def create_function(aws: Client, name: str, **settings: Any) -> None:
    code = package("def handler(event, context):\n    print('ran')\n    return 1\n")
    runtime = {"Runtime": "python3.13", "Handler": "app.handler"} | settings
    aws("lambda").create_function(FunctionName=name, Role=ROLE, Code={"ZipFile": code}, **runtime)


def test_a_log_group_can_not_lead_out_of_the_logs(aws: Client, endpoint: EndpointProcess) -> None:
    create_function(aws, "escapes", LoggingConfig={"LogGroup": "../../escaped"})
    assert aws("lambda").invoke(FunctionName="escapes")["StatusCode"] == 200
    lines = eventually(lambda: aws("logs").filter_log_events(logGroupName="../../escaped")["events"])
    assert any("ran" in line["message"] for line in lines)
    assert not (endpoint.data_dir.parent / "escaped").exists()


@pytest.mark.parametrize(
    "settings", [{"Environment": {"Variables": {"A": "a\0b"}}}, {"Handler": "app.han\0dler"}], ids=str
)
def test_a_function_that_no_process_could_be_is_refused(aws: Client, settings: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as refused:
        create_function(aws, "null", **settings)
    assert refused.value.response["Error"]["Code"] in {"InvalidParameterValueException", "ValidationException"}


@pytest.mark.parametrize("zone", ["Mars/Phobos", "../../etc/passwd", "\0"])
def test_a_time_zone_that_is_none_is_refused_before_a_record_depends_on_it(aws: Client, zone: str) -> None:
    destination = {"BucketARN": f"arn:aws:s3:::{BUCKET}", "RoleARN": ROLE, "CustomTimeZone": zone}
    with pytest.raises(ClientError, match="CustomTimeZone"):
        aws("firehose").create_delivery_stream(
            DeliveryStreamName="zone", ExtendedS3DestinationConfiguration=destination
        )


SQL = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    'SELECT * FROM "/etc/passwd"',
    "SELECT * FROM glob('/**')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM information_schema.tables, pragma_database_list()",
    "SELECT getenv('HOME')",
    "SELECT read_blob('/etc/passwd')",
    "SELECT current_setting('home_directory')",
    "SELECT query('SELECT 1')",
    "SELECT system('id')",
    "COPY (SELECT 1) TO '/tmp/escaped.csv'",
    "ATTACH '/tmp/escaped.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "PRAGMA database_list",
    "EXPORT DATABASE '/tmp/escaped'",
    "CREATE MACRO f() AS 1",
    "CALL pragma_version()",
    "SELECT 1; ATTACH '/tmp/escaped.db'",
    "WITH t AS (SELECT * FROM read_csv('/etc/passwd')) SELECT * FROM t",
    "SELECT 1 /* " + "(" * 200_000,
    "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
    "CREATE TABLE " + "a" * 260_000,
    "SELECT " + "'" * 200_001,
    "SHOW PARTITIONS " + "`" * 100_001,
    "MSCK REPAIR TABLE " + "a." * 100_000,
    "ALTER TABLE t ADD " + "PARTITION (day = 'x') " * 10 + "'" * 100_001,
    "CREATE EXTERNAL TABLE t (" + "a struct<" * 5_000,
]


def test_sql_reaches_nothing_but_the_lake(aws: Client, endpoint: EndpointProcess) -> None:
    athena = aws("athena")
    begun = [number for sql in SQL if (number := started(athena, sql)) is not None]
    for number in begun:
        ended = eventually(partial(finished, athena, number))
        assert ended["Status"]["State"] == "FAILED", ended["Query"][:60]
        assert "GENERIC_INTERNAL_ERROR" not in ended["Status"]["StateChangeReason"], ended["Query"][:60]


def started(athena: Any, sql: str) -> str | None:
    """The query's id; None if it was refused at once."""
    context, results = {"Database": "bad_input"}, {"OutputLocation": f"s3://{BUCKET}/sql/"}
    try:
        answer = athena.start_query_execution(
            QueryString=sql, QueryExecutionContext=context, ResultConfiguration=results
        )
    except athena.exceptions.InvalidRequestException:
        return None
    return str(answer["QueryExecutionId"])


def finished(athena: Any, number: str) -> dict[str, Any]:
    """The execution once it has ended; nothing before."""
    execution: dict[str, Any] = athena.get_query_execution(QueryExecutionId=number)["QueryExecution"]
    return {} if execution["Status"]["State"] in {"QUEUED", "RUNNING"} else execution


# At random

SEEDS: list[tuple[str, str, str, bytes, dict[str, str]]] = [
    ("firehose", "POST", "/", b'{"DeliveryStreamName":"bad-input","Record":{"Data":"YQ=="}}', {"x-amz-target": "Firehose_20150804.PutRecord"}),
    ("firehose", "POST", "/", b'{"DeliveryStreamName":"bad-input"}', {"x-amz-target": "Firehose_20150804.DescribeDeliveryStream"}),
    ("glue", "POST", "/", b'{"DatabaseName":"bad_input","TableName":"t","Expression":"day > \'2025-01-01\' AND day IN (\'a\',\'b\')","MaxResults":5}', {"x-amz-target": "AWSGlue.GetPartitions"}),
    ("glue", "POST", "/", b'{"DatabaseName":"bad_input","TableInput":{"Name":"u","StorageDescriptor":{"Columns":[{"Name":"a","Type":"int"}]}}}', {"x-amz-target": "AWSGlue.CreateTable"}),
    ("athena", "POST", "/", b'{"QueryString":"SELECT 1","ResultConfiguration":{"OutputLocation":"s3://bad-input/r/"},"ClientRequestToken":"0123456789012345678901234567890123"}', {"x-amz-target": "AmazonAthena.StartQueryExecution"}),
    ("athena", "POST", "/", b'{"WorkGroup":"primary","MaxResults":5,"NextToken":"12"}', {"x-amz-target": "AmazonAthena.ListQueryExecutions"}),
    ("logs", "POST", "/", b'{"logGroupName":"/aws/lambda/x","limit":5,"nextToken":"f/12"}', {"x-amz-target": "Logs_20140328.FilterLogEvents"}),
    ("lambda", "GET", "/2015-03-31/functions/name:1/configuration?Qualifier=2", b"", {}),
    ("lambda", "POST", "/2015-03-31/functions/nobody/invocations", b'{"a":[1,2]}', {"x-amz-invocation-type": "Event"}),
    ("s3", "GET", "/bad-input?list-type=2&max-keys=3&prefix=a&delimiter=%2F&start-after=b", b"", {}),
    ("s3", "GET", "/bad-input?uploads&max-uploads=3&key-marker=a", b"", {}),
    ("s3", "GET", "/bad-input?versions&key-marker=a&version-id-marker=b", b"", {}),
    ("s3", "GET", "/bad-input/there?partNumber=1&response-expires=x", b"", {"range": "bytes=1-2", "if-none-match": '"x"'}),
    ("s3", "PUT", "/bad-input/fuzz", b"some bytes", {"x-amz-meta-a": "b", "x-amz-tagging": "a=b&c=d", "content-md5": "x"}),
    ("s3", "PUT", "/bad-input/fuzz?tagging", b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>", {}),
    ("s3", "PUT", "/bad-input/copy", b"", {"x-amz-copy-source": "bad-input/there", "x-amz-metadata-directive": "REPLACE"}),
    ("s3", "PUT", "/bad-input?notification", b"<NotificationConfiguration></NotificationConfiguration>", {}),
    ("s3", "POST", "/bad-input/fuzz?uploads", b"", {"x-amz-checksum-algorithm": "CRC32"}),
    ("sts", "POST", "/", b"Action=GetCallerIdentity&Version=2011-06-15", {"content-type": "application/x-www-form-urlencoded"}),
]  # fmt: skip
ODD = [b"", b"\x00", b"\xff", b"9" * 400, b"-1", b"null", b"{}", b"[", b'"', b"'", b"<", b"&", b"%00", b"%ff", b"..", b"/", b"\\ud800", b"\r\n", b"a" * 3000]  # fmt: skip


def mutated(data: bytes, chance: random.Random) -> bytes:
    """One or two places of `data` replaced, removed or repeated."""
    for _ in range(chance.randint(1, 2)):
        start = chance.randint(0, len(data))
        end = min(len(data), start + chance.choice((0, 1, 4, 20)))
        data = data[:start] + chance.choice((*ODD, data[start:end] * 2)) + data[end:]
    return data


def mutated_text(text: str, chance: random.Random, allowed: str) -> str:
    """The same for what stands in a head, which can't hold everything."""
    return "".join(c for c in mutated(text.encode("latin-1"), chance).decode("latin-1") if c in allowed)


_PATH = "".join(map(chr, range(33, 127)))


@pytest.mark.parametrize("seed", range(4))
def test_at_random(send: Sender, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(100):
        service, method, path, body, headers = chance.choice(SEEDS)
        match chance.choice(("body", "path", "headers")):
            case "body":
                body = mutated(body, chance)
            case "path":
                path = "/" + mutated_text(path, chance, _PATH).lstrip("/")
            case "headers" if headers:
                name = chance.choice(list(headers))
                headers = headers | {name: mutated_text(headers[name], chance, _PATH + " ").strip()}
        answer = send(service, method, path, body, headers)
        assert 200 <= answer.status < 500 or answer.status == 501, (service, method, path, body, headers, answer)
