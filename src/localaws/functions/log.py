"""The log of a worker: what the function prints, between the platform's own lines.

The platform's lines look like AWS's (docs.aws.amazon.com/lambda/latest/dg/python-logging.html), so what reads them
there (REPORT's durations and memory) reads them here.
"""

import json
import logging
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

_log = logging.getLogger(__name__)

# "X-Amz-Log-Result: the last 4 KB of the execution log" (API reference, Invoke).
_TAIL = 4096
# A line without an end is cut here, so that a function can't fill our memory.
_LONGEST_LINE = 256 * 1024
_MOST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Measured:
    """What REPORT says. Durations are in seconds, memory in MB; `init` is 0 for a warm worker."""

    duration: float
    init: float
    memory_size: int
    memory_used: int
    status: str = ""


class FunctionLog:
    """One log stream. `write` takes whole lines; it is called by `flush`, and when much has come."""

    def __init__(self, write: Callable[[list[str]], None]) -> None:
        self._write = write
        self._lock = threading.RLock()  # the thread that reads the output and the one that runs the invocation
        self._partial = b""
        self._lines: list[str] = []
        self._fed = 0
        self._tail = b""

    def feed(self, data: bytes) -> None:
        """Bytes from the function's standard output and error, as they come."""
        with self._lock:
            *whole, self._partial = (self._partial + data).split(b"\n")
            for line in whole:
                self.line(line.decode("utf-8", "backslashreplace").rstrip("\r"))
            if len(self._partial) > _LONGEST_LINE:
                self.end_line()
            self._fed += len(data)
            many = self._fed > _MOST_BYTES
        if many:
            self.flush()

    def begin(self, text: str) -> None:
        """The first line of a stream. A caller who asks for the end of the log does not get it, as on AWS."""
        with self._lock:
            self._lines.append(text)

    def line(self, text: str) -> None:
        with self._lock:
            self._lines.append(text)
            self._tail = (self._tail + text.encode() + b"\n")[-_TAIL:]

    def end_line(self) -> None:
        """What was printed without a newline is a line too."""
        with self._lock:
            if self._partial:
                self.line(self._partial.decode("utf-8", "backslashreplace"))
                self._partial = b""

    def flush(self) -> None:
        with self._lock:
            lines, self._lines, self._fed = self._lines, [], 0
        try:
            if lines:
                self._write(lines)
        except OSError as e:  # a full disk must not undo what the function has done
            _log.warning("%d log lines of a function are lost: %s", len(lines), e)

    def take_tail(self) -> bytes:
        """The last 4 KB since the last call."""
        with self._lock:
            tail, self._tail = self._tail, b""
        return tail


def start_line(request_id: str, version: str) -> str:
    return f"START RequestId: {request_id} Version: {version}"


def timeout_line(now: float, request_id: str, seconds: int) -> str:
    stamp = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{stamp} {request_id} Task timed out after {seconds:.2f} seconds"


def exit_line(document: bytes) -> str:
    """`document` is the error that the caller gets."""
    said = json.loads(document)
    return f"{said['errorMessage']}\n{said['errorType']}"


def end_lines(request_id: str, measured: Measured) -> list[str]:
    report = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {measured.duration * 1000:.2f} ms",
        f"Billed Duration: {math.ceil(measured.duration * 1000)} ms",
        f"Memory Size: {measured.memory_size} MB",
        f"Max Memory Used: {measured.memory_used} MB",
    ]
    if measured.init:
        report.append(f"Init Duration: {measured.init * 1000:.2f} ms")
    if measured.status:
        report.append(f"Status: {measured.status}")
    return [f"END RequestId: {request_id}", "\t".join(report)]
