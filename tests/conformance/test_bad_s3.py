"""Bad input gets S3's own error and status, and nothing of it crashes or wedges the endpoint: bodies, names and ranges."""

import base64
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

import pytest

from endpoint_process import EndpointProcess
from sender import BOMB, BUCKET, Sender

Client = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("unharmed")


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
        code = b"MalformedXML" if body else b"InvalidRequest"
        assert (answer.status, b"<Code>" + code in answer.body) == (400, True), answer.body


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


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "PROPFIND", "MKCOL"])
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
