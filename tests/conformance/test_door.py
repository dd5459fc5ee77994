"""The front door: strangers' pages, slow and boundless clients, and what other users of the machine could read."""

import base64
import contextlib
import json
import socket
import stat
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess, eventually
from lambda_functions import package
from localaws.errors import AwsError
from localaws.gate import Gate

Client = Callable[..., Any]
HEALTH = "/_clicklake/health"
ROLE = "arn:aws:iam::000000000000:role/any"


def connection(endpoint: EndpointProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", endpoint.port), timeout=20)


def answer(endpoint: EndpointProcess, request: bytes) -> bytes:
    with connection(endpoint) as client:
        client.sendall(request)
        return client.recv(4096)


def status(endpoint: EndpointProcess, headers: dict[str, str], path: str = HEALTH, method: str = "GET") -> int:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return int(answer(endpoint, f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode()).split()[1])


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:1", 200),
        ("LOCALHOST:4566", 200),
        ("lake.s3.localhost:4566", 200),
        ("[::1]:4566", 200),
        ("lake.s3.us-east-1.amazonaws.com", 200),
        ("evil.example", 403),
        ("evil.example:4566", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
        ("evil.exampleamazonaws.com", 403),
        ("0.0.0.0", 403),
        ("169.254.169.254", 403),
        ("localhost,evil.example", 403),
        ("localhost@evil.example", 403),
        ("", 403),
    ],
)
def test_a_name_that_was_rebound_to_this_machine_is_refused(
    endpoint: EndpointProcess, host: str, expected: int
) -> None:
    assert status(endpoint, {"Host": host}) == expected


def test_a_host_said_twice_or_not_at_all_is_refused(endpoint: EndpointProcess) -> None:
    assert status(endpoint, {"Host": "localhost", "host": "evil.example"}) == 403
    assert status(endpoint, {"x": "y"}) == 403


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("192.168.1.5:4566", True),
        ("[fe80::1]:4566", True),
        ("clicklake:4566", True),
        ("host.docker.internal:4566", True),
        ("lake.example.com", True),
        ("other.example.com", False),
        ("evil.example", False),
    ],
)
def test_beyond_loopback_whatever_no_stranger_can_own_is_a_name(host: str, is_ours: bool) -> None:
    gate = Gate("0.0.0.0", ["lake.example.com", ""])
    with contextlib.nullcontext() if is_ours else pytest.raises(AwsError):
        gate.check_host({"host": host})
    assert gate.is_foreign({"origin": f"http://{host}"}) is not is_ours


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://localhost:3000", 200),
        ("http://127.0.0.1:8080", 200),
        ("https://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("http://x.s3.amazonaws.com", 403),
        ("null", 403),
        ("chrome-extension://abc", 403),
        ("", 403),
    ],
)
def test_a_page_of_another_origin_is_refused(endpoint: EndpointProcess, origin: str, expected: int) -> None:
    assert status(endpoint, {"Host": "localhost", "Origin": origin}) == expected


def test_a_strangers_page_is_refused_however_well_it_signs(endpoint: EndpointProcess, aws: Client) -> None:
    s3 = aws("s3", signature_version="s3v4")
    s3.create_bucket(Bucket="door")
    s3.put_object(Bucket="door", Key="k", Body=b"x")
    url = s3.generate_presigned_url("get_object", {"Bucket": "door", "Key": "k"})
    with urllib.request.urlopen(url) as good:
        assert good.read() == b"x"
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(url, headers={"Origin": "https://evil.example"}))
    assert (refused.value.code, b"AccessForbidden" in refused.value.read()) == (403, True)


SLOW = (
    b"",
    b"GET / HT",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    b"PUT /door/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nx",
    b"PUT /door/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
)


@pytest.fixture(scope="module", autouse=True)
def slow_clients(endpoint: EndpointProcess) -> Iterator[list[socket.socket]]:
    """200 of them, there during all tests of this module."""
    clients = [connection(endpoint) for _ in range(200)]
    for number, client in enumerate(clients):
        client.sendall(SLOW[number % len(SLOW)])
    clients.append(slow_in_its_second_request(endpoint))
    yield clients
    for client in clients:
        client.close()


def slow_in_its_second_request(endpoint: EndpointProcess) -> socket.socket:
    """It begins that while an answer is on its way that is larger than the buffers between."""
    size, s3 = 16 * 2**20, endpoint.client("s3")
    s3.create_bucket(Bucket="door-large")
    s3.put_object(Bucket="door-large", Key="k", Body=bytes(size))
    url = urlsplit(s3.generate_presigned_url("get_object", Params={"Bucket": "door-large", "Key": "k"}))
    client = connection(endpoint)
    client.sendall(f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\nGET / HT".encode())
    time.sleep(0.3)  # until the buffers are full
    read = 0
    while read < size:
        read += len(client.recv(2**20))
    return client


def is_closed(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        while client.recv(4096):  # an answer that refuses, and then the end
            pass
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def test_a_head_without_end_is_cut_off(endpoint: EndpointProcess) -> None:
    with connection(endpoint) as client, pytest.raises((ConnectionResetError, BrokenPipeError)):
        send_for_ever(client)


def send_for_ever(client: socket.socket) -> None:
    client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: ")
    for _ in range(1000):
        client.sendall(b"a" * 2**16)
        time.sleep(0.001)


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(endpoint: EndpointProcess, aws: Client) -> None:
    """Signed or not: the length alone is enough."""
    keys = endpoint.keys()
    scope = f"{keys['aws_access_key_id']}/{time.strftime('%Y%m%d', time.gmtime())}/us-east-1/glue/aws4_request"
    head = (
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\nX-Amz-Target: AWSGlue.GetTables\r\n"
        f"X-Amz-Date: {time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}\r\n"
        f"Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n\r\n"
    )
    assert b" 413 " in answer(endpoint, head.encode())


def test_a_body_that_was_never_sent_is_not_looked_for_in_the_next_request(endpoint: EndpointProcess) -> None:
    """A client that waits for "100 Continue" and is refused keeps its body, and may use the connection again."""
    with connection(endpoint) as client:
        client.sendall(b"PUT /b/k HTTP/1.1\r\nHost: evil\r\nContent-Length: 40\r\nExpect: 100-continue\r\n\r\n")
        refusal = client.makefile("rb").read()
    assert refusal.startswith(b"HTTP/1.1 403 ")
    assert b"connection: close\r\n" in refusal


@pytest.fixture(scope="module")
def poor_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointProcess]:
    """One that may open 400 files, and whose user lets everybody read what they make."""
    shell = ("sh", "-c", f'ulimit -n 400; umask 0; exec {sys.executable} -m clicklake "$@"', "sh")
    process = EndpointProcess(tmp_path_factory.mktemp("poor") / "data", ("--bare",), program=shell)
    process.start()
    yield process
    process.stop()


def test_what_is_secret_is_its_owners_alone_whatever_the_umask(poor_endpoint: EndpointProcess) -> None:
    poor_endpoint.client("iam").create_user(UserName="u")
    data_dir = poor_endpoint.data_dir
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in data_dir.iterdir()}
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    secret = {"credentials", "control.journal", "state.db", "state.db-wal", "state.db-shm", "lock"}
    assert secret <= modes.keys()
    assert {name: oct(mode) for name, mode in modes.items() if name in secret and mode & 0o077} == {}


def test_connections_that_only_wait_make_room_before_files_run_out(poor_endpoint: EndpointProcess) -> None:
    waiting = [connection(poor_endpoint) for _ in range(500)]
    assert poor_endpoint.client("s3").list_buckets()["Buckets"] == []
    assert eventually(lambda: sum(map(is_closed, waiting)) > 300)
    for client in waiting:
        client.close()


def test_no_credential_and_no_payload_is_in_a_log(endpoint: EndpointProcess, aws: Client) -> None:
    planted = [f"PLANTED{number}" for number in range(6)]
    s3, data = aws("s3"), json.dumps({"event_type": planted[0]}).encode()
    s3.put_object(Bucket="door", Key=planted[1], Body=data, Metadata={"m": planted[2]})
    aws("ssm").put_parameter(Name="/door", Value=planted[3], Type="SecureString")
    code = package("def handler(event, context):\n    raise ValueError('no')\n")
    variables = {"Variables": {"TOKEN": planted[4]}}
    aws("lambda").create_function(
        FunctionName="door",
        Role=ROLE,
        Code={"ZipFile": code},
        Runtime="python3.13",
        Handler="app.handler",
        Environment=variables,
    )
    assert "FunctionError" in aws("lambda").invoke(FunctionName="door", Payload=json.dumps({"a": planted[5]}))
    for wrong in ({"Name": "/door", "Value": planted[3], "Type": "?"}, {"Name": planted[3] * 999, "Value": planted[3]}):
        with pytest.raises(ClientError):
            aws("ssm").put_parameter(**wrong)
    answer(endpoint, f"GET /?{planted[0]} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {planted[4]}\r\n\r\n".encode())
    log = endpoint.log.read_text()
    secrets = [*planted, endpoint.keys()["aws_secret_access_key"], base64.b64encode(data).decode()]
    assert [text for text in secrets if text in log] == []


def test_a_real_client_is_served_while_200_slow_ones_wait_and_then_they_are_ended(
    endpoint: EndpointProcess, aws: Client, slow_clients: list[socket.socket]
) -> None:
    assert aws("s3").list_buckets()["Buckets"]
    assert eventually(lambda: all(map(is_closed, slow_clients)), seconds=40)
    assert aws("s3").list_buckets()["Buckets"]
