"""`clicklake collector` as a child process, and what a test says to it."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clicklake.producer.segments import HEADER_BYTES, frames
from endpoint_process import clean_environment

_SECONDS = 30
_NOBODY = "http://127.0.0.1:9"
_KEYS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)


@dataclass
class CollectorProcess:
    """On its own spool. Where nothing listens at `endpoint_url`, what was taken stays there: `events`."""

    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    endpoint_url: str = _NOBODY
    variables: dict[str, str] = field(default_factory=lambda: dict(_KEYS))
    files: int = 0
    port: int = 0
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "collector.log").read_text()

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        config = self.folder / "collector.json"
        config.write_text(json.dumps(self.settings))
        words = ("--config", str(config), "--port", str(self.port), "--endpoint-url", self.endpoint_url, *self.options)
        place = () if "--no-spool" in self.options else ("--spool", str(self.folder / "spool"))
        with (self.folder / "collector.log").open("a") as log:
            limited = ("sh", "-c", f'ulimit -n {self.files}; exec "$@"', "sh") if self.files else ()
            self.process = subprocess.Popen(
                [*limited, sys.executable, "-m", "clicklake", "collector", *words, *place],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=clean_environment() | self.variables,
            )
        assert self.process.stdout is not None
        ready = self.process.stdout.readline()
        found = re.search(r":(\d+) for ", ready)
        assert found, f"no ready line: {self.log}"
        self.port = int(found[1])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> str:
        """What it said at its end; nothing if it has ended before."""
        assert self.process is not None
        assert self.process.stdout is not None
        if self.process.stdout.closed:
            return ""
        if self.process.poll() is None:
            self.process.send_signal(number)
        said = self.process.stdout.read()
        self.process.wait(_SECONDS)
        self.process.stdout.close()
        return said

    @property
    def memory(self) -> int:
        """Bytes that are resident."""
        assert self.process is not None
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def connect(self, host: str = "127.0.0.1") -> socket.socket:
        return socket.create_connection((host, self.port), timeout=_SECONDS)

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=_SECONDS)) as connection:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            said = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, said, answer.read())

    def raw(self, data: bytes, answers: int = 1, host: str = "127.0.0.1") -> bytes:
        """What it says until it has answered so often, or ends the connection."""
        with self.connect(host) as client, contextlib.suppress(ConnectionResetError):
            client.sendall(data)
            found = b""
            while _answers(found) < answers and (piece := client.recv(65536)):
                found += piece
        return found

    def events(self) -> Iterator[dict[str, Any]]:
        for path in sorted(self.folder.rglob("*.spool")):
            for piece, _ in frames(path.read_bytes()[HEADER_BYTES:]):
                yield from map(json.loads, piece.splitlines())


def _answers(data: bytes) -> int:
    """How many of them are whole."""
    count = 0
    while b"\r\n\r\n" in data:
        head, _, rest = data.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        size = int(length[1]) if length else 0
        count += len(rest) >= size
        data = rest[size:]
    return count
