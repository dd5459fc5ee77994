"""Requests that are none, that end too early, or whose signature is not right: refused, and nothing is left of them."""

import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest

from endpoint_process import EndpointProcess, eventually
from sender import BUCKET, Sender

Client = Callable[..., Any]
pytestmark = pytest.mark.usefixtures("unharmed")


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
