"""S3's answers to what is wrong, over the wire: the code, the status, and an endpoint that goes on."""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from endpoint_process import EndpointProcess

Client = Callable[..., Any]
Send = Callable[..., requests.Response]
BOMB = b"""<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<Delete><Object><Key>&b;</Key></Object></Delete>"""


@pytest.fixture(scope="module")
def send(endpoint: EndpointProcess, aws: Client) -> Send:
    """A signed request, exactly as given: send("GET", "/bucket?x", body, {header: value})."""
    aws("s3").create_bucket(Bucket="errors")
    aws("s3").put_object(Bucket="errors", Key="there", Body=b"body")
    keys = endpoint.keys()
    credentials = Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"])

    def send(method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> requests.Response:
        request = AWSRequest(method, endpoint.url + path, headers or {}, body)
        S3SigV4Auth(credentials, "s3", "us-east-1").add_auth(request)
        prepared = requests.Request(method, endpoint.url + path, dict(request.headers), data=body).prepare()
        prepared.url = endpoint.url + path
        return requests.Session().send(prepared, timeout=10)

    return send


def md5(body: bytes) -> dict[str, str]:
    return {"content-md5": b64encode(hashlib.md5(body).digest()).decode()}


def nested(depth: int) -> bytes:
    return b"<Delete>" * depth + b"</Delete>" * depth


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "status"),
    [
        ("GET", "/errors/missing", b"", "NoSuchKey", 404),
        ("GET", "/no-such-bucket?list-type=2", b"", "NoSuchBucket", 404),
        ("GET", "/errors?list-type=2&max-keys=x", b"", "InvalidArgument", 400),
        ("GET", "/errors?list-type=2&max-keys=99999999999999999999", b"", "InvalidArgument", 400),
        ("GET", "/errors/there?partNumber=x", b"", "InvalidArgument", 400),
        ("GET", "/errors/there?versionId=abc", b"", "InvalidArgument", 400),
        ("GET", "/errors/there?torrent", b"", "NotImplemented", 501),
        ("GET", "/errors/%FF%FE", b"", "InvalidURI", 400),
        ("POST", "/errors/there?select&select-type=2", b"<a/>", "NotImplemented", 501),
        ("POST", "/errors", b"", "NotImplemented", 501),
        ("PATCH", "/errors/there", b"", "MethodNotAllowed", 405),
        ("POST", "/errors?delete", b"", "MalformedXML", 400),
        ("POST", "/errors?delete", b"<Delete><Object><Key>a</Key>", "MalformedXML", 400),
        ("POST", "/errors?delete", b"<Other/>", "MalformedXML", 400),
        ("POST", "/errors?delete", b"<Delete><Object/></Delete>", "MalformedXML", 400),
        ("POST", "/errors?delete", BOMB, "MalformedXML", 400),
        ("POST", "/errors?delete", nested(100_000), "MalformedXML", 400),
        ("POST", "/errors?delete", b'<?xml version="1.0" encoding="nonsense"?><Delete/>', "MalformedXML", 400),
        ("POST", "/errors?delete", b"\x00\xff\xfe", "MalformedXML", 400),
        ("PUT", "/errors/there?tagging", b"<Tagging><TagSet><Tag/></TagSet></Tagging>", "MalformedXML", 400),
        ("PUT", "/no-such-bucket?tagging", b"<Tag", "NoSuchBucket", 404),
        ("PUT", "/errors?notification", b"[]", "MalformedXML", 400),
        ("POST", "/errors/there?uploadId=none", b"<CompleteMultipartUpload/>", "NoSuchUpload", 404),
        ("PUT", "/errors/there?uploadId=none", b"", "InvalidArgument", 400),
        ("PUT", "/errors/there?uploadId=none&partNumber=x", b"", "InvalidArgument", 400),
        ("PUT", "/errors/" + "x" * 1025, b"", "KeyTooLongError", 400),
        ("PUT", "/Not_A_Bucket", b"", "InvalidBucketName", 400),
        ("PUT", "/errors-new", b"<CreateBucketConfiguration><Loc", "MalformedXML", 400),
    ],
)
def test_errors_are_those_of_aws(send: Send, method: str, path: str, body: bytes, code: str, status: int) -> None:
    answer = send(method, path, body, md5(body))
    error = ElementTree.fromstring(answer.content)
    assert (error.findtext("Code"), answer.status_code) == (code, status), answer.text
    assert error.findtext("RequestId") == answer.headers["x-amz-request-id"]


@pytest.mark.parametrize("header", ["nowhere", "/", "errors", "errors/%ff", "no-such-bucket/a", "errors/missing"])
def test_a_copy_source_that_is_none_is_refused(send: Send, header: str) -> None:
    answer = send("PUT", "/errors/copy", b"", {"x-amz-copy-source": header})
    code = ElementTree.fromstring(answer.content).findtext("Code")
    assert code in {"InvalidArgument", "NoSuchBucket", "NoSuchKey"}, answer.text


def test_many_deletions_need_a_checksum(send: Send) -> None:
    body = b"<Delete><Object><Key>a</Key></Object></Delete>"
    assert b"<Code>InvalidRequest</Code>" in send("POST", "/errors?delete", body).content
    assert b"<Code>BadDigest</Code>" in send("POST", "/errors?delete", body, md5(b"other")).content
    assert send("POST", "/errors?delete", body, md5(body)).status_code == 200


def test_errors_say_what_they_are_about(send: Send) -> None:
    error = ElementTree.fromstring(send("GET", "/errors/a%26b").content)
    assert error.findtext("Key") == "a&b"
    error = ElementTree.fromstring(send("GET", "/no-such-bucket/a").content)
    assert error.findtext("BucketName") == "no-such-bucket"
    error = ElementTree.fromstring(send("GET", "/errors/there", b"", {"range": "bytes=9-"}).content)
    assert error.findtext("ActualObjectSize") == "4"


def test_the_host_can_name_the_bucket(endpoint: EndpointProcess, send: Send) -> None:
    answer = send("GET", "/there", b"", {"host": f"errors.localhost:{endpoint.port}"})
    assert answer.content == b"body"


def test_a_head_has_no_body_but_the_length(send: Send) -> None:
    answer = send("HEAD", "/errors/there")
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "4", b"")
    assert send("HEAD", "/errors/missing").status_code == 404


def test_a_bucket_of_somebody_else_is_not_taken_for_ours(send: Send) -> None:
    owner = "x-amz-expected-bucket-owner"
    assert send("GET", "/errors/there", b"", {owner: "000000000000"}).status_code == 200
    assert b"<Code>AccessDenied</Code>" in send("GET", "/errors/there", b"", {owner: "111111111111"}).content
