"""aws-chunked bodies, as SDKs send them: every chunk and the trailer are decoded, and verified where they are signed."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import botocore.awsrequest
import pytest

from endpoint_process import EndpointProcess
from localaws import checksums, sigv4
from signing import Answer, s3_signer, send, signed

Client = Callable[..., Any]
BUCKET = "signed-chunks"


@pytest.fixture(scope="module", autouse=True)
def _bucket(aws: Client) -> None:
    aws("s3").create_bucket(Bucket=BUCKET)


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


def put_signed_trailer(endpoint: EndpointProcess, key: str, trailer: bytes) -> Answer:
    """STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, one rightly signed chunk and then `trailer`."""
    word, data = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", b"data"
    headers = {"x-amz-decoded-content-length": "4", "x-amz-trailer": "x-amz-checksum-crc32"}
    request = botocore.awsrequest.AWSRequest("PUT", f"{endpoint.url}/{BUCKET}/{key}", headers, b"")
    s3_signer(endpoint, word).add_auth(request)
    signed_headers = {k.lower(): v for k, v in request.headers.items()}
    claim = sigv4.claim(sigv4.Head("PUT", f"/{BUCKET}/{key}", "", signed_headers))
    assert claim is not None
    secret, previous = sigv4.signing_key(endpoint.keys()["aws_secret_access_key"], claim), claim.signature
    stamp, framed = claim.time.strftime("%Y%m%dT%H%M%SZ"), b""
    for chunk in (data, b""):
        digest = hashlib.sha256(chunk).hexdigest()
        lines = ("AWS4-HMAC-SHA256-PAYLOAD", stamp, claim.scope, previous, sigv4.EMPTY_SHA256, digest)
        previous = sign(secret, "\n".join(lines))
        framed += b"%x;chunk-signature=%b\r\n" % (len(chunk), previous.encode()) + (chunk + b"\r\n" if chunk else b"")
    if b"%b" in trailer:
        signed_part = hashlib.sha256(trailer.partition(b"\r\n")[0] + b"\n").hexdigest()
        text = "\n".join(("AWS4-HMAC-SHA256-TRAILER", stamp, claim.scope, previous, signed_part))
        trailer %= sign(secret, text).encode()
    signed_headers.pop("content-length", None)
    return send(endpoint, "PUT", f"/{BUCKET}/{key}", framed + trailer, signed_headers)


_CHECKSUM = b"x-amz-checksum-crc32:rfPzYw==\r\n"


@pytest.mark.parametrize(
    ("trailer", "status"),
    [
        (_CHECKSUM + b"x-amz-trailer-signature:%b\r\n\r\n", 200),
        (_CHECKSUM + b"x-amz-trailer-signature:" + b"0" * 64 + b"\r\n\r\n", 403),
        (_CHECKSUM + b"\r\n", 403),
        (b"\r\n", 403),
    ],
    ids=["signed", "forged", "unsigned", "left out"],
)
def test_the_trailer_of_signed_chunks_is_signed_too(endpoint: EndpointProcess, trailer: bytes, status: int) -> None:
    answer = put_signed_trailer(endpoint, "trailed", trailer)
    assert answer.status == status, answer.body
