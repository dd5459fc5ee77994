"""Signatures: only the owner's, unchanged and recent; and every way in which SDKs send a body."""

import datetime
import hashlib
import hmac
import http.client
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess
from localaws import checksums, sigv4

Client = Callable[..., Any]
BUCKET = "signed"

# What each protocol calls a signature that is not right, and a key that nobody has (the API references' common errors).
CALLS: dict[str, Callable[[Any], Any]] = {
    "firehose": lambda c: c.list_delivery_streams(),
    "s3": lambda c: c.list_buckets(),
    "lambda": lambda c: c.list_functions(),
    "athena": lambda c: c.list_work_groups(),
    "sts": lambda c: c.get_caller_identity(),
    "iam": lambda c: c.list_roles(),
}
WRONG = {
    "firehose": ("InvalidSignatureException", "UnrecognizedClientException"),
    "athena": ("InvalidSignatureException", "UnrecognizedClientException"),
    "lambda": ("InvalidSignatureException", "UnrecognizedClientException"),
    "s3": ("SignatureDoesNotMatch", "InvalidAccessKeyId"),
    "sts": ("SignatureDoesNotMatch", "InvalidClientTokenId"),
    "iam": ("SignatureDoesNotMatch", "InvalidClientTokenId"),
}


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


@pytest.fixture(scope="module", autouse=True)
def _bucket(aws: Client) -> None:
    aws("s3").create_bucket(Bucket=BUCKET)


def client(endpoint: EndpointProcess, service: str, **changed: Any) -> Any:
    options = Config(retries={"max_attempts": 1})
    return boto3.client(
        service, endpoint_url=endpoint.url, region_name="us-east-1", config=options, **endpoint.keys() | changed
    )


@pytest.mark.parametrize("service", CALLS)
def test_a_wrong_secret_is_refused_in_the_services_own_words(endpoint: EndpointProcess, service: str) -> None:
    with pytest.raises(ClientError) as refused:
        CALLS[service](client(endpoint, service, aws_secret_access_key="wrong"))
    assert refused.value.response["Error"]["Code"] == WRONG[service][0]


@pytest.mark.parametrize("service", CALLS)
def test_an_unknown_key_is_refused_in_the_services_own_words(endpoint: EndpointProcess, service: str) -> None:
    with pytest.raises(ClientError) as refused:
        CALLS[service](client(endpoint, service, aws_access_key_id="AKIAUNKNOWN"))
    assert refused.value.response["Error"]["Code"] == WRONG[service][1]


def test_a_session_token_that_is_not_the_keys_is_refused(endpoint: EndpointProcess) -> None:
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        client(endpoint, "s3", aws_session_token="forged").list_buckets()


def test_an_unsigned_request_reaches_nothing(endpoint: EndpointProcess) -> None:
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(f"{endpoint.url}/{BUCKET}/key")
    assert refused.value.code == 403
    assert b"<Code>AccessDenied</Code>" in refused.value.read()


def test_health_alone_needs_no_signature(endpoint: EndpointProcess) -> None:
    with urllib.request.urlopen(f"{endpoint.url}/_clicklake/health") as answer:
        assert answer.status == 200


class Signer(botocore.auth.S3SigV4Auth):  # type: ignore[misc]
    """botocore's, with the word of x-amz-content-sha256 to choose."""

    word: str | None = None

    def payload(self, request: Any) -> Any:
        return self.word or super().payload(request)


def s3_signer(endpoint: EndpointProcess, word: str | None = None) -> Signer:
    keys = endpoint.keys()
    credentials = botocore.credentials.Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"])
    signer = Signer(credentials, "s3", "us-east-1")
    signer.word = word
    return signer


def signed(
    endpoint: EndpointProcess,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    age: float = 0,
    word: str | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """A request signed by botocore's own S3 signer, `age` seconds ago; `word` stands for the payload's hash."""
    request = botocore.awsrequest.AWSRequest(method, endpoint.url + path, headers or {}, body)
    signer = s3_signer(endpoint, word)
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) - datetime.timedelta(seconds=age)
    original = botocore.auth.get_current_datetime
    botocore.auth.get_current_datetime = lambda: now
    try:
        signer.add_auth(request)
    finally:
        botocore.auth.get_current_datetime = original
    return send(endpoint, method, path, body, dict(request.headers))


def send(endpoint: EndpointProcess, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=10)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    answer = Answer(response.status, response.read())
    connection.close()
    return answer


@pytest.mark.parametrize("age", [20 * 60, -20 * 60])
def test_a_clock_more_than_15_minutes_off_is_refused(endpoint: EndpointProcess, age: float) -> None:
    response = signed(endpoint, "GET", "/", age=age)
    assert response.status == 403
    assert b"RequestTimeTooSkewed" in response.body


def test_a_body_changed_on_its_way_is_refused(endpoint: EndpointProcess) -> None:
    request = botocore.awsrequest.AWSRequest("PUT", f"{endpoint.url}/{BUCKET}/changed", {}, b"sent")
    s3_signer(endpoint).add_auth(request)
    response = send(endpoint, "PUT", f"/{BUCKET}/changed", b"evil", dict(request.headers))
    assert (response.status, b"XAmzContentSHA256Mismatch" in response.body) == (400, True)


@pytest.mark.parametrize("header", ["authorization", "x-amz-date"])
def test_a_malformed_signature_header_is_a_clear_error(endpoint: EndpointProcess, header: str) -> None:
    headers = {
        "authorization": "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=x",
        "x-amz-date": "yesterday",
    }
    response = send(
        endpoint,
        "GET",
        "/",
        b"",
        {k: v for k, v in headers.items() if k != header} | {"authorization": "AWS4-HMAC-SHA256 x"},
    )
    assert response.status == 400


@pytest.mark.parametrize("version", [None, "s3v4"], ids=["as boto3 makes them", "version 4"])
def test_presigned_urls_work_until_they_expire(endpoint: EndpointProcess, aws: Client, version: str | None) -> None:
    s3 = aws("s3", signature_version=version)
    put = s3.generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": "a b/ü"}, ExpiresIn=60)
    with urllib.request.urlopen(
        urllib.request.Request(put, b"presigned", {"Content-Type": ""}, method="PUT")
    ) as answer:
        assert answer.status == 200
    get = s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "a b/ü"}, ExpiresIn=60)
    with urllib.request.urlopen(get) as answer:
        assert answer.read() == b"presigned"


@pytest.mark.parametrize("change", [("Expires=", "Expires=9"), ("/x?", "/y?"), ("Signature=", "Signature=A")])
def test_a_changed_version_2_url_is_refused(endpoint: EndpointProcess, aws: Client, change: tuple[str, str]) -> None:
    url = aws("s3").generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "x"}, ExpiresIn=60)
    assert "AWSAccessKeyId=" in url
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(url.replace(*change))
    assert refused.value.code == 403
    assert b"SignatureDoesNotMatch" in refused.value.read()


def test_an_expired_version_2_url_is_denied(endpoint: EndpointProcess, aws: Client) -> None:
    url = aws("s3").generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "x"}, ExpiresIn=-60)
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(url)
    assert b"Request has expired" in refused.value.read()


def test_an_expired_presigned_url_is_denied(endpoint: EndpointProcess) -> None:
    keys = endpoint.keys()
    credentials = botocore.credentials.Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"])
    signer = botocore.auth.S3SigV4QueryAuth(credentials, "s3", "us-east-1", expires=60)
    request = botocore.awsrequest.AWSRequest("GET", f"{endpoint.url}/{BUCKET}/x")
    early = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) - datetime.timedelta(seconds=120)
    original = botocore.auth.get_current_datetime
    botocore.auth.get_current_datetime = lambda: early
    try:
        signer.add_auth(request)
    finally:
        botocore.auth.get_current_datetime = original
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(request.url)
    body = refused.value.read()
    assert (refused.value.code, b"AccessDenied" in body, b"Request has expired" in body) == (403, True, True)


def test_path_style_works_by_name_and_by_address(endpoint: EndpointProcess) -> None:
    options = Config(s3={"addressing_style": "path"})
    url = endpoint.url.replace("127.0.0.1", "localhost")
    s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1", config=options, **endpoint.keys())
    s3.put_object(Bucket=BUCKET, Key="by-path", Body=b"x")
    assert s3.get_object(Bucket=BUCKET, Key="by-path")["Body"].read() == b"x"


@pytest.mark.parametrize("domain", ["localhost", "s3.localhost", "s3.us-east-1.amazonaws.com"])
def test_virtual_host_style_takes_the_bucket_from_the_host_header(
    endpoint: EndpointProcess, aws: Client, domain: str
) -> None:
    """Sent to the address itself: not every resolver knows names under localhost."""
    host = f"{BUCKET}.{domain}:{endpoint.port}"
    request = botocore.awsrequest.AWSRequest("PUT", f"http://{host}/by-host", {"Host": host}, b"x")
    s3_signer(endpoint).add_auth(request)
    assert send(endpoint, "PUT", "/by-host", b"x", dict(request.headers)).status == 200
    assert aws("s3").get_object(Bucket=BUCKET, Key="by-host")["Body"].read() == b"x"


CHUNKS = [b"a" * 70_000, b"b" * 9_000_000]


@pytest.mark.parametrize("trailer", ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"])
def test_aws_chunked_bodies_with_a_trailing_checksum_are_decoded(
    endpoint: EndpointProcess, aws: Client, trailer: str
) -> None:
    key, data = f"chunked-{trailer}", b"".join(CHUNKS)
    response = put_chunked(endpoint, key, trailer)
    assert response.status == 200, response.body
    assert (
        hashlib.sha256(aws("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()).digest()
        == hashlib.sha256(data).digest()
    )


def test_a_trailing_checksum_that_does_not_match_is_a_bad_digest(endpoint: EndpointProcess) -> None:
    response = put_chunked(endpoint, "bad", "crc32", checksum="AAAAAA==")
    assert (response.status, b"BadDigest" in response.body) == (400, True)


@pytest.mark.parametrize("forged", [False, True], ids=["true", "forged"])
def test_signed_chunks_are_verified_one_by_one(endpoint: EndpointProcess, aws: Client, forged: bool) -> None:
    response = put_signed_chunks(endpoint, "signed-chunks", CHUNKS, forged=forged)
    assert response.status == (403 if forged else 200), response.body
    if not forged:
        assert aws("s3").head_object(Bucket=BUCKET, Key="signed-chunks")["ContentLength"] == sum(map(len, CHUNKS))


def put_chunked(endpoint: EndpointProcess, key: str, trailer: str, checksum: str | None = None) -> Answer:
    """Unsigned chunks and a trailer, as current SDKs send over TLS by default."""
    running = checksums.ALGORITHMS[trailer]()
    for chunk in CHUNKS:
        running.update(chunk)
    name = f"x-amz-checksum-{trailer}"
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in CHUNKS)
    framed += b"0\r\n" + f"{name}:{checksum or checksums.text(running)}\r\n\r\n".encode()
    return signed(
        endpoint,
        "PUT",
        f"/{BUCKET}/{key}",
        framed,
        word="STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        headers={
            "x-amz-trailer": name,
            "x-amz-decoded-content-length": str(sum(map(len, CHUNKS))),
            "content-encoding": "aws-chunked",
        },
    )


def put_signed_chunks(endpoint: EndpointProcess, key: str, chunks: list[bytes], *, forged: bool) -> Answer:
    """STREAMING-AWS4-HMAC-SHA256-PAYLOAD, as the Java and Go SDKs send over plain HTTP."""
    keys = endpoint.keys()
    headers = {"x-amz-decoded-content-length": str(sum(map(len, chunks)))}
    request = botocore.awsrequest.AWSRequest("PUT", f"{endpoint.url}/{BUCKET}/{key}", headers, b"")
    s3_signer(endpoint, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD").add_auth(request)
    signed_headers = {k.lower(): v for k, v in request.headers.items()}
    claim = sigv4.claim(sigv4.Head("PUT", f"/{BUCKET}/{key}", "", signed_headers))
    assert claim is not None
    key_bytes, previous = sigv4.signing_key(keys["aws_secret_access_key"], claim), claim.signature
    framed = b""
    for chunk in [*chunks, b""]:
        stamp = claim.time.strftime("%Y%m%dT%H%M%SZ")
        lines = (
            "AWS4-HMAC-SHA256-PAYLOAD",
            stamp,
            claim.scope,
            previous,
            sigv4.EMPTY_SHA256,
            hashlib.sha256(chunk).hexdigest(),
        )
        previous = sign(key_bytes, "\n".join(lines))
        framed += b"%x;chunk-signature=%b\r\n%b\r\n" % (
            len(chunk),
            (previous[::-1] if forged else previous).encode(),
            chunk,
        )
    signed_headers.pop("content-length", None)
    return send(endpoint, "PUT", f"/{BUCKET}/{key}", framed, signed_headers)


def sign(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()
