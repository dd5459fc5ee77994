"""The collector through each dialect, ten events a request, against a bare ASGI application that reads and discards the
same bodies: the same server (uvicorn, httptools, uvloop) with the same settings and the same limits on slow clients,
on one core. (BENCH_BARE=plain: without these limits.)

What is measured is what is served in production: the spool is on and success is answered after its fsync, while the
collector's own threads send to the endpoint's Firehose. The endpoint and the load are on the other core; the load is
prepared bytes over keep-alive connections, each of which waits for its answer. It is not what limits: `busy` is how
much of its core the measured process used, and 100 % means that no load could have got more out of it.

The ratio is of events per second of CPU, threads and kernel included; it is that of the clock on a quiet machine.
"""

import asyncio
import itertools
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import collector_bodies as bodies
from benchmarks.measure import Endpoint, Row, endpoint, on_core, pin

SECONDS = float(os.environ.get("BENCH_SECONDS", "1.5"))
ROUNDS = 3
CONNECTIONS = 64
STREAM = "bench"
SETTINGS = f'{{"sites": [{{"app_id": "bench", "write_key": "{bodies.KEY}"}}]}}'
_TICKS = os.sysconf("SC_CLK_TCK")
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Load:
    events: int
    seconds: float
    cpu: float  # of the server's process, in seconds

    @property
    def per_second(self) -> float:
        return self.events / self.seconds

    @property
    def per_cpu(self) -> float:
        return self.events / self.cpu


def run() -> list[Row]:
    with on_core(1), endpoint("--bare", core=1) as ours:
        _create_stream(ours)
        return list(_rows(ours))


def _rows(ours: Endpoint) -> Iterator[Row]:
    for way in bodies.WAYS:
        with _bare() as bare, _collector(ours) as collector:
            _load(collector, way, 0.3)
            # In turns, and the best of each: the machine is not always as fast.
            rounds = [(_load(bare, way), _load(collector, way)) for _ in range(ROUNDS)]
        discarded = max((load for load, _ in rounds), key=lambda load: load.per_cpu)
        taken = max((load for _, load in rounds), key=lambda load: load.per_cpu)
        size = bodies.event_bytes(way)
        yield Row(
            f"collector, {way.name}: 10 events of {size:,} B a request",
            _text(taken),
            f"bare ASGI: {_text(discarded)}",
            taken.per_cpu / discarded.per_cpu,
            "0.4x",
            "",
        )


def _text(load: Load) -> str:
    busy = load.cpu / load.seconds
    return f"{load.per_second:,.0f} events/s, {load.cpu / load.events * 1e6:.1f} µs of CPU each, busy {busy:.0%}"


@dataclass(frozen=True, slots=True)
class Server:
    host: str
    pid: int


@contextmanager
def _bare() -> Iterator[Server]:
    with _served(
        [sys.executable, "-m", "benchmarks.bare_asgi", *os.environ.get("BENCH_BARE", "").split()], {}
    ) as server:
        yield server


@contextmanager
def _collector(ours: Endpoint) -> Iterator[Server]:
    keys = {name.upper(): value for name, value in ours.keys().items()}
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as spool:
        command = [sys.executable, "-m", "clicklake", "collector", "--port", "0", "--stream", STREAM]
        command += ["--spool", spool, "--endpoint-url", ours.url]
        with _served(command, keys | {"CLICKLAKE_COLLECTOR": SETTINGS, "AWS_REGION": "us-east-1"}) as server:
            yield server


@contextmanager
def _served(command: list[str], variables: dict[str, str]) -> Iterator[Server]:
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | variables, text=True
    )
    pin(process.pid, 0)
    assert process.stdout is not None
    try:
        found = re.search(r"http://(\S+)", process.stdout.readline())
        assert found, "the server did not start"
        for task in Path(f"/proc/{process.pid}/task").iterdir():  # threads that began before it was pinned
            pin(int(task.name), 0)
        yield Server(found[1], process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        process.stdout.close()


def _load(server: Server, way: bodies.Way, seconds: float = SECONDS) -> Load:
    requests = bodies.requests(way, server.host)
    began, cpu = time.perf_counter(), _cpu(server.pid)
    answers = uvloop.run(_ask(server.host, requests, seconds))
    return Load(answers * bodies.BATCH, time.perf_counter() - began, _cpu(server.pid) - cpu)


def _cpu(pid: int) -> float:
    """Of all its threads, in user and kernel mode (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


async def _ask(host: str, requests: list[bytes], seconds: float) -> int:
    """How many were answered with success."""
    loop = asyncio.get_running_loop()
    name, _, port = host.partition(":")
    each = itertools.cycle(requests)
    until = loop.time() + seconds
    clients = [_Client(each, until) for _ in range(CONNECTIONS)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, name, int(port))  # type: ignore[misc]
    await asyncio.gather(*(client.done for client in clients))
    return sum(client.answers for client in clients)


class _Client(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], until: float) -> None:
        self._requests, self._until = requests, until
        self._loop = asyncio.get_running_loop()
        self.done = self._loop.create_future()
        self.answers = 0
        self._got = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._got += data
        head = self._got.find(b"\r\n\r\n")
        if head < 0:
            return
        length = _LENGTH.search(self._got, 0, head)
        if len(self._got) < head + 4 + (int(length[1]) if length else 0):
            return
        if not self._got.startswith(b"HTTP/1.1 2"):
            self._end(RuntimeError(f"the server answered {self._got[:300]!r}"))
            return
        self._got = b""
        self.answers += 1
        if self._loop.time() < self._until:
            self._transport.write(next(self._requests))
        else:
            self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or RuntimeError("the server closed the connection"))

    def _end(self, error: Exception | None) -> None:
        self._transport.close()
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


def _create_stream(ours: Endpoint) -> None:
    ours.client("s3").create_bucket(Bucket="bench-lake")
    destination = {"RoleARN": "arn:aws:iam::000000000000:role/bench", "BucketARN": "arn:aws:s3:::bench-lake"}
    buffer = {"BufferingHints": {"SizeInMBs": 128, "IntervalInSeconds": 300}, "CompressionFormat": "GZIP"}
    ours.client("firehose").create_delivery_stream(
        DeliveryStreamName=STREAM, ExtendedS3DestinationConfiguration=destination | buffer
    )
