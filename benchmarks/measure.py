"""What a benchmark returns, and the endpoint that it measures."""

import configparser
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3


@dataclass(frozen=True, slots=True)
class Row:
    """One line of docs/benchmarks.md. `ratio` is against `baseline`, from the same run; None for an absolute number."""

    what: str
    measured: str
    baseline: str
    ratio: float | None
    floor: str
    aim: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    url: str
    data_dir: Path
    process: subprocess.Popen[bytes]

    def keys(self) -> dict[str, str]:
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(self.data_dir / "credentials")
        return dict(parser["default"])

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.url, region_name="us-east-1", **self.keys())


@contextmanager
def endpoint(*options: str, core: int | None = None, credentials: str = "") -> Iterator[Endpoint]:
    """`clicklake up` on a temporary data directory in the working directory's file system, so that fsync is real.
    `credentials`: the text of the data directory's credentials file, if it shall not make its own."""
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as folder:
        data_dir = Path(folder) / "data"
        if credentials:
            data_dir.mkdir(mode=0o700)
            (data_dir / "credentials").touch(mode=0o600)
            (data_dir / "credentials").write_text(credentials)
        process = start(data_dir, *options, core=core)
        url = json.loads((data_dir / "endpoint.json").read_text())["url"]
        try:
            yield Endpoint(url, data_dir, process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            assert process.stdout is not None
            process.stdout.close()


def start(data_dir: Path, *options: str, core: int | None = None) -> subprocess.Popen[bytes]:
    """Start it, return when it is ready."""
    command = [sys.executable, "-m", "clicklake", "up", "--port", "0", "--data-dir", str(data_dir), *options]
    process = pinned(command, core)
    assert process.stdout is not None
    assert b"ready" in process.stdout.readline()
    return process


def pinned(command: Sequence[str], core: int | None, stdout: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """The command as a child process, on one core where the system can do that (Linux)."""
    process = subprocess.Popen(command, stdout=stdout, stderr=subprocess.DEVNULL)
    pin(process.pid, core)
    return process


def pin(pid: int, core: int | None) -> None:
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, {core})


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """This process on one core, for as long as the block lasts; its children inherit that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    pin(0, core)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def median_seconds(times: Sequence[float]) -> float:
    return sorted(times)[len(times) // 2]
