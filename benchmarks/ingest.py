"""PutRecordBatch and PutRecord: durable and SigV4-verified here, against moto's server, which is neither.

The client is a plain socket that sends one pre-signed request again and again, on the other core; so it is the server
that is measured, not boto3. A record that is refused ends the benchmark: below the limit of the backlog none may be.
"""

import base64
import json
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from urllib.request import urlopen

import boto3

from benchmarks.measure import Row, endpoint, on_core, pinned
from benchmarks.prepared import read_answer, signed

SECONDS = 20.0
EVENT_BYTES = 600
BATCH = 500
STREAM = "bench"


@dataclass(frozen=True, slots=True)
class Load:
    records_per_second: float
    p50_ms: float
    p99_ms: float


def run() -> list[Row]:
    with on_core(1):
        return _run()


def _run() -> list[Row]:
    with endpoint("--bare", core=0) as ours:
        keys = ours.keys()
        _create_stream(ours.url, keys)
        batch = {n: load(ours.url, keys, BATCH, n, SECONDS if n == 8 else SECONDS / 4) for n in (1, 8, 64)}
        single = {n: load(ours.url, keys, 1, n, SECONDS / 4) for n in (1, 8, 64)}
    theirs = _moto()
    rows = [
        Row(
            "PutRecordBatch, 500 x 600 B, 8 connections",
            _text(batch[8]),
            f"moto's server, not durable: {_text(theirs)}",
            batch[8].records_per_second / theirs.records_per_second,
            "6x",
            "12x",
        )
    ]
    rows += [Row(f"PutRecordBatch, {n} connections", _text(batch[n]), "", None, "", "") for n in (1, 64)]
    rows += [Row(f"PutRecord, {n} connections", _text(single[n]), "", None, "", "") for n in single]
    return rows


def _text(measured: Load) -> str:
    return f"{measured.records_per_second:,.0f} records/s, p50 {measured.p50_ms:.1f} ms, p99 {measured.p99_ms:.1f} ms"


def _moto() -> Load:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = pinned([sys.executable, "-m", "moto.server", "-p", str(port)], core=0, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url)
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys).create_bucket(Bucket="bench-lake")
        _create_stream(url, keys)
        return load(url, keys, BATCH, 8, SECONDS)
    finally:
        process.kill()
        process.wait()


def _wait(url: str) -> None:
    for _ in range(200):
        try:
            urlopen(url + "/moto-api/").close()
            return
        except OSError:
            time.sleep(0.05)


def _create_stream(url: str, keys: dict[str, str]) -> None:
    destination = {
        "RoleARN": "arn:aws:iam::000000000000:role/bench",
        "BucketARN": "arn:aws:s3:::bench-lake",
        "BufferingHints": {"SizeInMBs": 128, "IntervalInSeconds": 300},
        "CompressionFormat": "GZIP",
    }
    session = {"endpoint_url": url, "region_name": "us-east-1", **keys}
    if "test" not in keys.values():
        boto3.client("s3", **session).create_bucket(Bucket="bench-lake")
    boto3.client("firehose", **session).create_delivery_stream(
        DeliveryStreamName=STREAM, ExtendedS3DestinationConfiguration=destination
    )


def load(url: str, keys: dict[str, str], batch: int, connections: int, seconds: float) -> Load:
    """Closed loop over `connections` keep-alive sockets, for `seconds`."""
    request = _request(url, keys, batch)
    stop = time.perf_counter() + seconds
    latencies: list[float] = []
    threads = [threading.Thread(target=_client, args=(url, request, stop, latencies)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    latencies.sort()
    return Load(
        len(latencies) * batch / seconds,
        latencies[len(latencies) // 2] * 1000,
        latencies[int(len(latencies) * 0.99)] * 1000,
    )


def _request(url: str, keys: dict[str, str], batch: int) -> bytes:
    event = json.dumps({"event_type": "page_view", "properties": {"text": "x" * (EVENT_BYTES - 55)}}).encode()
    record = {"Data": base64.b64encode(event).decode()}
    records = {"Records": [record] * batch} if batch > 1 else {"Record": record}
    body = json.dumps({"DeliveryStreamName": STREAM, **records}).encode()
    return signed(url, keys, "PutRecordBatch" if batch > 1 else "PutRecord", body)


def _client(url: str, request: bytes, stop: float, latencies: list[float]) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    while time.perf_counter() < stop:  # a server may close the connection after an answer; moto's does
        with (
            socket.create_connection((host, int(port)), timeout=30) as connection,
            connection.makefile("rb") as answers,
        ):
            while (began := time.perf_counter()) < stop:
                connection.sendall(request)
                keeps_open = read_answer(answers)
                latencies.append(time.perf_counter() - began)
                if not keeps_open:
                    break
