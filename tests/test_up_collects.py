"""`clicklake up` and its collector below /collect; and how `clicklake collector` says what is wrong."""

import asyncio
import gzip
import http.client
import json
import os
import re
import socket
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from clicklake.cli import main
from clicklake.commands.collecting import Collecting
from clicklake.producer.spool import Spool
from collector_process import CollectorProcess
from endpoint_process import EndpointProcess, clean_environment, eventually

Client = Callable[..., Any]
PAGE = (Path(__file__).parent.parent / "docs" / "collector.md").read_text()
PAGES_WORDS = tuple(PAGE.partition("```bash\nclicklake collector ")[2].partition("\n")[0].split())
STREAM = "clickstream-firehose-dev"


def ask(
    endpoint: EndpointProcess, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=30)) as connection:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()


def event(event_id: str) -> bytes:
    return json.dumps({"event_type": "click", "event_id": event_id}).encode()


@pytest.fixture(scope="module")
def taken(endpoint: EndpointProcess) -> list[str]:
    """Ids of events that were answered for before there was a stream, and before a kill."""
    assert ask(endpoint, "POST", "/collect/v1/events", event("before-the-stream"))[0] == 200
    endpoint.kill()
    endpoint.port = 0
    endpoint.start()
    return ["before-the-stream"]


def test_unsigned_requests_below_collect_are_the_collectors_and_signed_ones_are_s3s(
    endpoint: EndpointProcess, aws: Client, taken: list[str]
) -> None:
    """A bucket may have that name."""
    s3 = aws("s3", signature_version="s3v4")
    s3.create_bucket(Bucket="collect")
    s3.put_object(Bucket="collect", Key="v1/events", Body=b"an object")
    assert s3.get_object(Bucket="collect", Key="v1/events")["Body"].read() == b"an object"
    with urllib.request.urlopen(
        s3.generate_presigned_url("get_object", {"Bucket": "collect", "Key": "v1/events"})
    ) as it:
        assert it.read() == b"an object"
    assert ask(endpoint, "GET", "/collect/v1/events")[0] == 405
    assert ask(endpoint, "GET", "/collect/health") == (200, b'{"status":"ok"}')
    for path in ("/collect", "/collect?page=1", "/collect/"):
        status, said = ask(endpoint, "GET", path)
        assert (status, b"/v1/events" in said) == (404, True)
    assert b"NoSuchBucket" in ask(endpoint, "GET", "/collected")[1]  # which is S3
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="collect")["Contents"]] == ["v1/events"]
    assert ask(endpoint, "POST", "/collect/v1/events", event("beside-s3"), {"Authorization": "Basic eDo="})[0] == 200
    taken.append("beside-s3")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example", "Origin": "http://localhost:3000"}, 403),
    ],
)
def test_strangers_pages_and_rebound_names_are_kept_out(
    endpoint: EndpointProcess, taken: list[str], headers: dict[str, str], status: int
) -> None:
    found, said = ask(endpoint, "POST", "/collect/v1/events", event("a-page"), headers)
    assert found == status
    assert (b"CLICKLAKE_ALLOWED_HOSTS" in said) is ("Host" in headers)
    taken += ["a-page"] if found == 200 else []


def test_what_was_taken_reaches_the_stream_once_there_is_one(
    endpoint: EndpointProcess, aws: Client, taken: list[str]
) -> None:
    """After a kill, on another port, and a stream that came later."""
    aws("s3").create_bucket(Bucket="collected")
    destination = {
        "RoleARN": "arn:aws:iam::000000000000:role/any",
        "BucketARN": "arn:aws:s3:::collected",
        "BufferingHints": {"IntervalInSeconds": 0, "SizeInMBs": 1},
        "CompressionFormat": "GZIP",
    }
    aws("firehose").create_delivery_stream(DeliveryStreamName=STREAM, ExtendedS3DestinationConfiguration=destination)

    def arrived() -> list[str]:
        objects = aws("s3").list_objects_v2(Bucket="collected").get("Contents", [])
        bodies = (aws("s3").get_object(Bucket="collected", Key=item["Key"])["Body"].read() for item in objects)
        return sorted(json.loads(line)["event_id"] for body in bodies for line in gzip.decompress(body).splitlines())

    eventually(lambda: arrived() == sorted(taken), 30)
    assert arrived() == sorted(taken)
    counted = ask(endpoint, "GET", "/collect/metrics")[1].decode()
    assert f'clicklake_collector_events_total{{route="/v1/events"}} {len(taken) - 1}\n' in counted
    theirs = urllib.request.urlopen(f"{endpoint.url}/_clicklake/metrics").read().decode()
    assert re.search(
        r'^clicklake_requests_total\{service="collect",operation="",status="200"\} \d', theirs, re.MULTILINE
    )


def test_beyond_loopback_nothing_is_collected_without_sites(tmp_path: Path) -> None:
    closed = Collecting(tmp_path, "0.0.0.0", None, None, None)
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    asyncio.run(closed({"type": "http"}, None, send))
    assert messages[0]["status"] == 403
    assert "no sites" in closed.refusal
    told = tmp_path / "told.json"
    told.write_text('{"sites": [{"app_id": "shop", "write_key": "k"}]}')
    assert Collecting(tmp_path, "0.0.0.0", str(told), None, None).refusal == ""
    assert Collecting(tmp_path, "127.0.0.1", None, None, None).refusal == ""


def test_without_a_spool_success_means_that_the_stream_has_it(
    endpoint: EndpointProcess, aws: Client, tmp_path: Path, taken: list[str]
) -> None:
    options = ("--no-spool", "--region", "us-east-1")
    collector = CollectorProcess(tmp_path / "c", {}, options, endpoint.url, endpoint.environment())
    collector.start()
    try:
        before = len(aws("s3").list_objects_v2(Bucket="collected")["Contents"])
        assert collector.ask("POST", "/v1/events", event("direct")).status == 200
        assert eventually(lambda: len(aws("s3").list_objects_v2(Bucket="collected")["Contents"]) > before)
        aws("firehose").delete_delivery_stream(DeliveryStreamName=STREAM)
        reply = collector.ask("POST", "/v1/events", event("refused"))
        assert (reply.status, reply.headers["retry-after"]) == (503, "2")
        assert collector.ask("GET", "/health").status == 503
    finally:
        assert collector.stop() == "1 event was taken; none waits here\n"
    assert (list(collector.events()), len(taken)) == ([], 3)
    assert "ResourceNotFoundException" in collector.log
    assert "refused" not in collector.log


def test_what_waits_in_the_spool_for_another_stream_is_said_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing else would ever say so: it is sent when a collector for that stream runs."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "x")
    left, owned = (Spool(tmp_path, "http://127.0.0.1:4566", "eu-west-1", n, 2**20, 2**20).own for n in ("a", "b"))
    for log in (left, owned):
        log.append([b"an event\n"])
    left.close()
    with socket.create_server(("127.0.0.1", 0)) as used:
        words = ("--spool", str(tmp_path), "--port", str(used.getsockname()[1]))
        assert main(["collector", "--endpoint-url", "http://127.0.0.1:9", *words]) in {1, 2}
    owned.close()
    said = [record.getMessage() for record in caplog.records if "wait" in record.getMessage()]
    assert said == [
        "17 bytes wait in the spool for a in eu-west-1 at 127.0.0.1:4566: a collector for that must send them"
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--host", "0.0.0.0"), "no `sites`"),
        (("--host", "shop.example"), "no `sites`"),
        (("--config", "/nowhere"), "/nowhere can't be read"),
        (("--port", "IN USE"), "is in use"),
        (("--host", "192.0.2.1", "--config", "SITES"), "can't be opened"),
        (PAGES_WORDS, "on 0.0.0.0 is in use"),
        (("--spool", "/proc/nowhere"), "the spool"),
        (("--endpoint-url", "nonsense"), "nonsense is no endpoint's address"),
    ],
)
def test_what_is_wrong_is_one_line(
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name in os.environ.keys() - clean_environment().keys():
        monkeypatch.delenv(name)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    sites = tmp_path / "sites.json"
    sites.write_text(PAGE.partition("```json\n")[2].partition("```")[0])
    with socket.create_server(("127.0.0.1", 0)) as used:
        port = str(used.getsockname()[1])
        known = {"IN USE": port, "8080": port, "SITES": str(sites), "collector.json": str(sites)}
        try:
            code = main(
                ["collector", "--endpoint-url", "http://127.0.0.1:9", *(known.get(word, word) for word in words)]
            )
        except SystemExit as ended:
            code = int(ended.code or 0)
    lines = [line for line in capfd.readouterr().err.splitlines() if not line.startswith("laptop")]
    assert code in {1, 2}
    assert len(lines) == 1
    assert said in lines[0]
