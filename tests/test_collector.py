"""`clicklake collector` on the wire: odd, slow, large and many requests, and its end. Its firehose can't be reached."""

import gzip
import http.client
import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from collector_process import CollectorProcess, Reply
from endpoint_process import eventually

SHOP = "https://shop.example"
SETTINGS = {
    "sites": [
        {"app_id": "shop", "write_key": "key-of-shop", "origins": [SHOP]},
        {"app_id": "blog", "write_key": "key-of-blog", "origins": ["https://*.blog.example"]},
    ],
    "origins": ["http://localhost:*"],
    "max_waiting_bytes": 16_000_000,
    "retry_after_seconds": 7,
}
KEY = {"X-Write-Key": "key-of-shop"}
PERSON = "person-4711"


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    """On every address of this machine, and with few files, so that connections are scarce."""
    process = CollectorProcess(tmp_path_factory.mktemp("c") / "c", SETTINGS, ("--host", "::"), files=400)
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="module", autouse=True)
def slow_heads(collector: CollectorProcess) -> Iterator[list[socket.socket]]:
    """They begin before all other tests; the last but one looks what became of them."""
    clients = [collector.connect() for _ in range(3)]
    for client, said in zip(
        clients, (b"", b"POST /v1/ev", b"POST /v1/events HTTP/1.1\r\nHost: a\r\nX-Slow: "), strict=True
    ):
        client.sendall(said)
    yield clients
    for client in clients:
        client.close()


def send(collector: CollectorProcess, body: bytes, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return collector.ask("POST", "/v1/events", body, KEY | named)


def event(event_id: str) -> bytes:
    return json.dumps({"event_type": "click", "event_id": event_id, "user_id": PERSON}).encode()


def head(length: int | str, more: str = "") -> bytes:
    text = f"POST /v1/events HTTP/1.1\r\nHost: c\r\nX-Write-Key: key-of-shop\r\nContent-Length: {length}\r\n{more}\r\n"
    return text.encode()


def statuses(answers: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)]


def test_success_is_answered_when_the_event_is_in_the_spool_with_what_the_collector_knows(
    collector: CollectorProcess,
) -> None:
    reply = send(collector, event("first"), User_Agent="Tester/1", Accept_Language="de")
    assert (reply.status, reply.said) == (200, {"accepted": 1, "failed": 0})
    (found,) = [one for one in collector.events() if one.get("event_id") == "first"]
    assert abs(found["collector_time"] / 1000 - time.time()) < 60
    assert (found["app_id"], found["ip"], found["user_agent"]) == ("shop", "127.0.0.1", "Tester/1")
    assert found["headers"] == {"accept-language": "de"}


def test_the_same_routes_are_below_collect(collector: CollectorProcess) -> None:
    assert collector.ask("POST", "/collect/v1/events", event("below"), KEY).status == 200
    assert collector.ask("GET", "/collect/health").status == 200
    assert collector.ask("POST", "/collection/v1/events", event("beside"), KEY).status == 404


CHUNKED = b"POST /v1/events HTTP/1.1\r\nHost: c\r\nX-Write-Key: key-of-shop\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKED += b'13\r\n{"event_type": "a"}\r\n0\r\n\r\n'
BOMB = gzip.compress(b" " * 1_500_000)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (head(1_000_001), 413),
        (head(10**15), 413),
        (head(10**30), 400),
        (head("1", "Transfer-Encoding: chunked\r\n"), 400),
        (CHUNKED, 200),
        (CHUNKED.replace(b"chunked", b"gzip, chunked"), 501),
        (CHUNKED.replace(b"chunked", b"deflate, CHUNKED"), 501),
        (CHUNKED.replace(b"chunked", b"gzip\r\nTransfer-Encoding: chunked"), 501),
        (head(5, "Content-Length: 6\r\n") + b"12345", 400),
        (head("-1"), 400),
        (head(len(BOMB), "Content-Encoding: gzip\r\n") + BOMB, 413),
        (head(len(BOMB)) + BOMB, 413),
        (head(3, "Content-Encoding: br\r\n") + b"123", 415),
        (head(3, "Content-Encoding: gzip\r\n") + b"123", 400),
        (head(0), 400),
        (head(2) + b"nu", 400),
        (head(2, "X: " + "x" * 70_000 + "\r\n") + b"{}", 431),
        (b"GET /" + b"x" * 60_000 + b" HTTP/1.1\r\nHost: c\r\nX: " + b"x" * 6000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: c\r\n\r\n", 404),
        (b"GET * HTTP/1.1\r\nHost: c\r\n\r\n", 404),
        (b"GET //health HTTP/1.1\r\nHost: c\r\n\r\n", 404),
        (b"GET /v1/events HTTP/1.1\r\nHost: c\r\n\r\n", 405),
        (b"DELETE /v1/events HTTP/1.1\r\nHost: c\r\n\r\n", 405),
        (b"TRACE /health HTTP/1.1\r\nHost: c\r\n\r\n", 405),
        (b"GET http://elsewhere.example/health HTTP/1.1\r\nHost: c\r\n\r\n", 200),
        (b"GET /health HTTP/1.0\r\n\r\n", 200),
        (b"GET /health HTTP/1.1\r\nHost: c\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", 200),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"\r\n\r\nGARBAGE\r\n\r\n", 400),
    ],
)
def test_a_request_that_is_no_good_is_refused_with_what_is_wrong(
    collector: CollectorProcess, request_: bytes, status: int
) -> None:
    answer = collector.raw(request_)
    assert statuses(answer) == [status]
    if status >= 400 and b"Invalid HTTP" not in answer:
        said = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
        assert said["code"]
        assert said["message"]


def test_a_chunked_body_that_never_ends_is_refused_when_it_is_too_large(collector: CollectorProcess) -> None:
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    start = head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    assert statuses(collector.raw(start + chunk * 20)) == [413]


def test_a_head_without_an_end_is_given_up(collector: CollectorProcess) -> None:
    assert statuses(collector.raw(b"GET /health HTTP/1.1\r\n" + b"X: " + b"x" * 400_000)) == []


def test_a_405_says_what_is_allowed_and_head_is_get_without_a_body(collector: CollectorProcess) -> None:
    assert collector.ask("PUT", "/v1/events").headers["allow"] == "POST, OPTIONS"
    got, headed = collector.ask("GET", "/health"), collector.ask("HEAD", "/health")
    assert (headed.status, headed.body) == (200, b"")
    assert headed.headers["content-length"] == got.headers["content-length"] == str(len(got.body))


def test_requests_share_a_connection_also_those_that_are_sent_before_an_answer_came(
    collector: CollectorProcess,
) -> None:
    bodies = [event(f"piped-{number}") for number in range(20)]
    requests = [head(len(body)) + body for body in bodies]
    broken = head(3) + b"???"
    answers = collector.raw(b"".join((*requests[:10], broken, *requests[10:])), 21)
    assert statuses(answers) == [200] * 10 + [400] + [200] * 10
    kept = [one["event_id"] for one in collector.events() if str(one.get("event_id")).startswith("piped")]
    assert kept == [f"piped-{number}" for number in range(20)]
    assert statuses(collector.raw(requests[0].replace(b"HTTP/1.1", b"HTTP/1.0") + requests[1], 2)) == [200]


def test_a_refused_body_that_waits_to_be_asked_for_is_not_taken_for_the_next_request(
    collector: CollectorProcess,
) -> None:
    answer = collector.raw(head(1_000_001, "Expect: 100-continue\r\n") + b"GET /health HTTP/1.1\r\nHost: c\r\n\r\n", 2)
    assert statuses(answer) == [413]
    with collector.connect() as client:
        client.sendall(head(len(event("asked")), "Expect: 100-continue\r\n"))
        assert client.recv(100).startswith(b"HTTP/1.1 100")
        client.sendall(event("asked"))
        assert client.recv(1000).startswith(b"HTTP/1.1 200")


def test_over_ipv6_the_address_is_the_clients(collector: CollectorProcess) -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    assert statuses(collector.raw(head(len(event("six"))) + event("six"), host="::1")) == [200]
    assert [one["ip"] for one in collector.events() if one.get("event_id") == "six"] == ["::1"]


def test_no_answer_can_be_split_by_what_a_client_says(collector: CollectorProcess) -> None:
    """Nor a header be put in."""
    for origin in ("http://localhost:1\r\nX-Evil: 1", "http://localhost:1\rX-Evil: 1", "http://localhost\nX-Evil: 1"):
        for path in ("/v1/events", "/i", "/v1/cloudevents"):
            said = f"OPTIONS {path} HTTP/1.1\r\nHost: c\r\nOrigin: {origin}\r\nWebHook-Request-Origin: {origin}\r\n\r\n"
            head_ = collector.raw(said.encode()).partition(b"\r\n\r\n")[0].lower()
            assert b"\nx-evil" not in head_.replace(b"\r", b"\n")


def test_large_bodies_that_come_slowly_hold_no_more_than_there_is_room_for(collector: CollectorProcess) -> None:
    """The next one is told to come again, and small ones wait for room as well; then there is room again."""
    before = collector.memory
    clients = [collector.connect() for _ in range(20)]
    answered = []
    for client in clients:
        client.sendall(head(1_000_000) + b"x" * 995_000)
    time.sleep(0.5)
    for client in clients:
        client.setblocking(False)
        with suppress(BlockingIOError):
            answered.append(client.recv(4096))
    assert {*statuses(b"".join(answered))} == {429}
    assert 3 <= len(answered) <= 8
    assert b"retry-after: 7" in answered[0]
    assert collector.memory - before < 50_000_000
    for client in clients:
        client.close()
    assert eventually(lambda: send(collector, event("room again")).status == 200)


def test_more_connections_than_files_keep_nobody_out(collector: CollectorProcess) -> None:
    idle = [collector.connect() for _ in range(250)]
    assert send(collector, event("among many")).status == 200
    for client in idle:
        client.close()


def test_counters_are_for_this_machine_alone(collector: CollectorProcess) -> None:
    text = collector.ask("GET", "/metrics").body.decode()
    found = re.search(r'^clicklake_collector_events_total\{route="/v1/events"\} (\d+)$', text, re.MULTILINE)
    assert found
    assert int(found[1]) == sum(1 for _ in collector.events())
    assert 'clicklake_collector_requests_total{route="/v1/events",status="413"}' in text
    for header in ("X-Forwarded-For", "Forwarded", "Via"):
        assert collector.ask("GET", "/metrics", headers={header: "192.0.2.1"}).status == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [
        *(("127.0.0.1:4580", 200), ("localhost", 200), ("LOCALHOST.:80", 200), ("[::1]:4580", 200), ("127.9.9.9", 200)),
        *(("evil.example", 404), ("evil.example:4580", 404), ("127.0.0.1.evil.example", 404), ("[::1", 404), ("", 404)),
        *(("localhost@evil.example", 404), ("192.0.2.1", 404), (":80", 404)),
    ],
)
def test_a_page_whose_name_was_rebound_to_this_machine_reads_no_counters(
    collector: CollectorProcess, host: str, status: int
) -> None:
    """DNS rebinding: its Host is its own name."""
    assert collector.ask("GET", "/metrics", headers={"Host": host}).status == status


def test_nothing_that_tells_of_a_person_is_logged(collector: CollectorProcess) -> None:
    """Whatever is wrong with a request that has it."""
    url = f"/v1/{PERSON}?email={PERSON}@mail.example"
    collector.ask("GET", url, headers={"Referer": f"http://{PERSON}.example"})
    collector.ask("POST", f"/v1/events?write_key={PERSON}", event("x"), {"Cookie": f"a={PERSON}"})
    for body in (f'{{"a": "{PERSON}', f'"{PERSON}"', f'{{"a": {{"{PERSON}": NaN', "[" * 100_000, f"\udcff{PERSON}"):
        send(collector, body.encode("utf-8", "surrogateescape"), User_Agent=PERSON)
    collector.raw(f"GET /{PERSON} NONSENSE\r\n{PERSON}\r\n\r\n".encode())
    with collector.connect() as gone:
        gone.sendall(head(1000) + event("cut off"))
    collector.ask("GET", f"/v1/projects/{PERSON}/settings")
    log = collector.log
    assert PERSON not in log
    for secret in ("key-of-shop", "127.0.0.1 ", "/v1/", "Tester", "Traceback"):
        assert secret not in log


def test_slow_heads_are_given_up(slow_heads: list[socket.socket]) -> None:
    for client in slow_heads:
        client.settimeout(20)
        with suppress(ConnectionResetError):
            assert client.recv(100) == b""


@pytest.mark.minutes
def test_a_body_that_does_not_go_on_is_given_up(collector: CollectorProcess) -> None:
    before = sum(1 for _ in collector.events())
    with collector.connect() as client:
        client.sendall(head(1000) + b"{")
        client.settimeout(50)
        with suppress(ConnectionResetError):
            assert client.recv(100) == b""
    assert sum(1 for _ in collector.events()) == before


def test_told_to_end_it_answers_what_was_begun_and_says_how_many_events_it_took(collector: CollectorProcess) -> None:
    taken = sum(1 for _ in collector.events())
    body = event("the last")
    with collector.connect() as client, closing(http.client.HTTPConnection("127.0.0.1", collector.port)) as idle:
        idle.request("GET", "/health")
        idle.getresponse().read()
        client.sendall(head(len(body)) + body[:10])
        time.sleep(0.1)
        assert collector.process is not None
        collector.process.terminate()
        time.sleep(0.3)
        client.sendall(body[10:])
        assert statuses(client.recv(1000)) == [200]
    assert re.fullmatch(rf"{taken + 1} events were taken; [\d,]+ of them wait in the spool .*\n", collector.stop())
    assert collector.process.returncode == 0
    assert [one for one in collector.events() if one.get("event_id") == "the last"]
